"""Numbers in a button's data, which anybody may have made up."""

from __future__ import annotations

from bot.errors import UserError

LONGEST_NUMBER = 18  # digits that a row's number may have in either database


def number_of(text: str) -> int:
    """The row's number that a button names; UserError for anything but ASCII digits."""
    if not (text.isascii() and text.isdecimal()) or len(text) > LONGEST_NUMBER:
        raise UserError("error.stale")
    return int(text)
