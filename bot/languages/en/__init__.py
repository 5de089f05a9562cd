"""English."""

ORDER = 1  # in menus
