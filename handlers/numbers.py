"""Numbers in a button's data, which anybody may have made up."""

from __future__ import annotations

from bot.errors import UserError

LONGEST_NUMBER = 18  # digits that a row's number may have in either database


def number_of(text: str, *, most: int | None = None) -> int:
    """The number that a button names, a row's or one of `most` at most; UserError for anything but
    ASCII digits, and for a greater one.
    """
    if not (text.isascii() and text.isdecimal()) or len(text) > LONGEST_NUMBER:
        raise UserError("error.stale")
    number = int(text)
    if most is not None and number > most:
        raise UserError("error.stale")
    return number
