"""Russian."""

ORDER = 2  # in menus
