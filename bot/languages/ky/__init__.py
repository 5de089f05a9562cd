"""Kyrgyz."""

ORDER = 3  # in menus
