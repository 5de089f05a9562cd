"""Rates and changes as readers see them.

A card shows every digit the source printed (the rouble needs all four decimals:
1.1948); a digest rounds to two, half up, as readers do in their heads. Small
units keep two significant digits instead, or the Uzbek sum would cost 0.01 som.
"""

from __future__ import annotations

from decimal import Decimal

from bot.i18n import number, percent, rounded

UP, DOWN = "▲", "▼"
# No publisher prints more significant digits; what has more comes out of a division of ours, of
# which six digits mean something.
_LONGEST_PRINTED = 10
_DIGITS_OF_A_QUOTIENT = 6


def as_printed(value: Decimal, language: str) -> str:
    """A rate with the digits its source gave it; a quotient of ours with six significant ones."""
    digits = value.as_tuple().digits
    if len(digits) > _LONGEST_PRINTED:
        return significant(value, language, _DIGITS_OF_A_QUOTIENT)
    return number(value, language)


def short(value: Decimal, language: str) -> str:
    """A rate in a digest: two decimals, more where these would not be two significant digits."""
    if value == 0:
        return number(value, language, 2)
    return number(value, language, max(2, 1 - value.adjusted()))


def significant(value: Decimal, language: str, digits: int) -> str:
    """A number with at most so many significant digits, but never fewer than its whole part has."""
    if value == 0:
        return number(value, language, 0)
    return number(value, language, max(0, digits - 1 - value.adjusted()))


def money(value: Decimal, language: str) -> str:
    """An amount: whole as it is, else as short as a rate of a digest."""
    if value == value.to_integral_value():
        return number(value, language, 0)
    return short(value, language)


def change(value: Decimal, language: str, digits: int = 2) -> str:
    """A change with arrow and sign: "▲ +0.02 %"; spaces for both when it rounds to nothing."""
    value = rounded(value, digits)
    # two spaces, for the arrow and the sign that zero has not: the column stays straight
    return f"{arrow(value) or '  '} {percent(value, language, digits)}"


def arrow(value: Decimal) -> str:
    """▲ or ▼, always beside a sign; nothing where nothing moved."""
    if value > 0:
        return UP
    if value < 0:
        return DOWN
    return ""
