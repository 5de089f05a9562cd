"""A day as people write it in any of the languages: ISO, day first, by a month's name, "yesterday".

    2026-11-20  2026.11.20  20.11.2026  20-11-26  20/11
    20 ноября  Nov 20, 2026  2021-жылдын 20-октябры  20-октябрь
    вчера  кечээ  yesterday  3 дня назад  last Friday  в прошлую пятницу

Day comes before month, as everywhere our readers live; "11/20/2026" can only be read the other way.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from bot.errors import UserError
from bot.languages import any_of, languages, values_of, words_of
from bot.languages.parts import Days

EXAMPLE = "2021-10-20"
SHOWN_LETTERS = 20  # letters of a wrong date that are repeated to its writer


def _alternatives(part: Callable[[Days], str]) -> str:
    """One pattern of a part of all languages; of a stub's empty part, nothing."""
    return "|".join(values_of(lambda spoken: part(spoken.days)))


@cache
def _months() -> tuple[str, ...]:
    """The patterns of each month's name, January first."""
    months: list[list[str]] = [[] for _ in range(12)]
    for spoken in languages():
        for month, pattern in enumerate(spoken.days.months):  # a stub has none
            months[month].append(pattern)
    return tuple(map("|".join, months))


@cache
def _written() -> re.Pattern[str]:
    """A day in figures, or with its month's name."""
    month = "(?:" + "|".join(_months()) + r")(?!\w)\.?"
    ordinal = f"(?:{_alternatives(lambda days: days.ordinal)})?"
    of = any_of(words_of(lambda spoken: spoken.days.before_month))
    year_before = _alternatives(lambda days: days.year_before)
    year_word = rf"(?:\s*(?:{_alternatives(lambda days: days.year)})(?!\w)\.?)?"
    return re.compile(
        rf"""(?:(?P<y1>\d{{4}})(?P<s1>[-./])(?P<m1>\d{{1,2}})(?P=s1)(?P<d1>\d{{1,2}})
          |(?P<y2>\d{{4}})(?P<m2>\d\d)(?P<d2>\d\d)
          |(?P<d3>\d{{1,2}})(?P<s3>[-./])(?P<m3>\d{{1,2}})(?:(?P=s3)(?P<y3>\d{{4}}|\d\d))?
          |(?P<y4>\d{{4}})[-\s]*(?:{year_before})\s*(?P<d4>\d{{1,2}})[-\s]*(?P<n4>{month})
          |(?P<d5>\d{{1,2}}){ordinal}[-\s]*(?:(?:{of})\s+)?(?P<n5>{month})
            (?:,?[-\s]*(?P<y5>\d{{4}}))?
          |(?P<n6>{month})\s*(?P<d6>\d{{1,2}}){ordinal}(?!\d)(?:,?\s*(?P<y6>\d{{4}}))?
        ){year_word}(?!\w)""",
        re.VERBOSE | re.IGNORECASE,
    )


@cache
def _named() -> tuple[tuple[re.Pattern[str], int], ...]:
    """Words for days beside today, and how many days they are from it."""
    found: list[tuple[re.Pattern[str], int]] = []
    for spoken in languages():
        for days, words in spoken.days.named.items():
            found.append((re.compile(rf"(?:{words})(?!\w)", re.IGNORECASE), days))
    return tuple(found)


@cache
def _ago() -> re.Pattern[str]:
    """The pattern of "so many days, weeks, months or years ago"."""
    one = _alternatives(lambda days: days.one)
    day, week = _alternatives(lambda days: days.day), _alternatives(lambda days: days.week)
    month, year = _alternatives(lambda days: days.month), _alternatives(lambda days: days.years)
    ago = _alternatives(lambda days: days.ago)
    return re.compile(
        rf"(?:(?P<n>\d{{1,4}})\s*|(?:{one})\s+)?"
        rf"(?:(?P<day>{day})|(?P<week>{week})|(?P<month>{month})|(?P<year>{year}))"
        rf"\s*(?:{ago})(?!\w)",
        re.IGNORECASE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFound:
    """A day and the place in the text behind it."""

    on: date
    end: int


def day_at(text: str, at: int, *, today: date, ahead: bool = False) -> DayFound | None:
    """The day that begins at `at` of a plain text; None when none does.

    A day without its year is this year's, or last year's when that is still to come by more than
    tomorrow; with `ahead` it is the next one. UserError "error.date" for what is written as a date
    and is none, such as 31.02.2021.
    """
    if at and text[at - 1].isalnum():  # the middle of a word or number is no beginning of a day
        return None
    for pattern, days in _named():
        if named := pattern.match(text, at):
            return DayFound(on=today + timedelta(days=days), end=named.end())
    ago, written = _ago().match(text, at), _written().match(text, at)
    said = ago or written
    if said is None:
        # a day of the week is read as the last one, never as the next
        return None if ahead else _weekday_at(text, at, today)
    try:
        if ago is not None:
            on = _day_ago(ago, today)
        else:
            on = _written_day(said, today, ahead=ahead)
    except (ValueError, OverflowError):
        raise wrong_date(said.group()) from None
    return DayFound(on=on, end=said.end())


@cache
def _weekdays() -> re.Pattern[str]:
    """A day of the week, Monday first, perhaps with a word that says "last"."""
    names: list[str] = []
    for weekday in range(7):
        spoken = [one.days.weekdays[weekday] for one in languages() if one.days.weekdays]
        names.append(f"(?P<w{weekday}>{'|'.join(spoken)})")
    last = _alternatives(lambda days: days.last)
    return re.compile(rf"(?:(?:{last})\s+)?(?:{'|'.join(names)})(?!\w)", re.IGNORECASE)


def _weekday_at(text: str, at: int, today: date) -> DayFound | None:
    """The last such day of the week before today; "last Friday" on a Friday is a week ago."""
    found = _weekdays().match(text, at)
    if found is None:
        return None
    (weekday,) = [int(name[1:]) for name, said in found.groupdict().items() if said is not None]
    # 1 to 7, so never today itself
    back = (today.weekday() - weekday - 1) % 7 + 1
    return DayFound(on=today - timedelta(days=back), end=found.end())


def weekday_ahead(text: str, *, today: date) -> date | None:
    """The next such day of the week, never today; None where the whole of a text is none."""
    found = _weekday_at(text, 0, today)
    if found is None or text[found.end :].strip(" .,"):
        return None
    ahead = found.on + timedelta(weeks=1)
    return ahead if ahead > today else ahead + timedelta(weeks=1)


def read_day(text: str, *, today: date, ahead: bool = False) -> date:
    """The day that the whole of a plain text is; UserError "error.date" when it is none."""
    text = text.strip()
    found = day_at(text, 0, today=today, ahead=ahead)
    if found is None or text[found.end :].strip(" .,"):
        raise wrong_date(text)
    return found.on


def wrong_date(text: str) -> UserError:
    """The error to show for a date that cannot be read."""
    return UserError("error.date", text=text[:SHOWN_LETTERS], example=f"/rates {EXAMPLE}")


def _day_ago(ago: re.Match[str], today: date) -> date:
    """The day that words say: "3 дня назад", "a month ago", of a shorter month its last."""
    count = int(ago["n"] or 1)
    if ago["month"] or ago["year"]:
        months = today.year * 12 + today.month - 1 - count * (12 if ago["year"] else 1)
        first = date(months // 12, months % 12 + 1, 1)
        return first.replace(day=min(today.day, monthrange(first.year, first.month)[1]))
    return today - timedelta(days=7 * count if ago["week"] else count)


def _written_day(match: re.Match[str], today: date, *, ahead: bool) -> date:
    part: dict[str, str] = {}
    for name, value in match.groupdict().items():
        if value is not None:
            part[name[0]] = value  # d1 to d6 are the day of one way of writing each
    day = int(part["d"])
    if "m" in part:
        month = int(part["m"])
    else:
        month = _month(part["n"])
    # "11/20/2026" is American, and can be nothing else; with dots nobody writes the month first
    if month > 12 and day <= 12 and part.get("s") == "/":
        day, month = month, day
    if "y" not in part:
        return _nearest(day, month, today, ahead=ahead)
    year = int(part["y"])
    if len(part["y"]) == 2:  # "26" is 2026: nobody asks for a rate of another century
        year += 2000
    return date(year, month, day)


def _nearest(day: int, month: int, today: date, *, ahead: bool) -> date:
    """The day in the nearest year on the side that is meant; 29 February looks further."""
    step, limit = -1, today + timedelta(days=1)  # a rate of tomorrow is known already
    if ahead:
        step, limit = 1, today
    for years in range(9):  # 1900 and 2100 have no 29 February: eight years between two of them
        try:
            found = date(today.year + years * step, month, day)
        except ValueError:
            if (month, day) != (2, 29):
                raise
            continue
        if (found - limit).days * step >= 0:
            return found
    raise ValueError(day)


def _month(name: str) -> int:
    name = name.rstrip(".").lower()
    for number, names in enumerate(_months(), 1):
        if re.fullmatch(names, name):
            return number
    raise ValueError(name)
