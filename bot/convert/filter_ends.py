"""The end of a filter as people write it behind what it names, in any of the languages.

for 7 days  2w  на две недели  эки жумага  for half an hour a span
until Friday  до 31 декабря  2026-12-31 чейин               the day after which it ends
until Friday, 4 December  until 31 December, 2026           likewise, with a comma
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import cache

from bot.convert.dates import read_day, weekday_ahead
from bot.convert.numbers import Piece, Sort, number_words, read_number
from bot.errors import UserError
from bot.languages import languages
from bot.languages.letters import fold_typed

LONGEST_SPAN = 366  # days
YEAR = timedelta(days=365)
NUMBER_WORDS = 4  # of a number in words: "three hundred sixty five", "two and a half"
DAY_WORDS = 4  # of a day before Kyrgyz "until": "2026-жылдын 31-декабрына чейин"
SHOWN_LETTERS = 20  # letters of a wrong date that are repeated to its writer

_CALENDAR_YEAR = re.compile(r"20\d\d")
_COUNT = re.compile(r"\d{1,3}(?:[.,]\d)?")
_TOGETHER = re.compile(r"(\d{1,3})([^\W\d]+)")


@dataclass(frozen=True, slots=True)
class Ended:
    """Words, and the span behind them until their end; None where they have none."""

    words: Sequence[str]
    span: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """The words of an end, folded, of all languages."""

    units: Mapping[str, timedelta]  # "weeks" and how long one is
    leads: frozenset[str]  # "for"
    beside: frozenset[str]  # "the next" of "for the next two weeks"
    ones: frozenset[str]  # "a" of "for a week"
    untils: frozenset[str]
    weekdays: Mapping[str, int]  # words that are one only beside "until", Monday is 0


def without_end(text: str, now: datetime) -> Ended:
    """The words of a text without the end behind them, by the chat's clock.

    UserError for a span that is too long or none, and for a day that has passed or that no
    calendar has.
    """
    words = text.split()
    ended = _without_day(words, now) or _without_span(words)
    if ended is None:
        return Ended(words)
    if ended.span is not None and not timedelta() < ended.span <= timedelta(days=LONGEST_SPAN):
        raise UserError("error.filter.days", longest=LONGEST_SPAN)
    return ended


def is_one_end(before: str, behind: str, now: datetime) -> bool:
    """Whether a comma between two texts stands within the day of an end."""
    untils, first, then = _words().untils, before.split(), behind.split()
    for at, word in enumerate(first):
        if fold_typed(word) not in untils or not first[at + 1 :]:
            continue
        day = " ".join(first[at + 1 :])
        if _day(f"{day}, {behind}", now.date()) is not None:
            return True
        # a year is none of its own behind a day, also one that such a year does not have
        if _CALENDAR_YEAR.fullmatch(behind) and _day(day, now.date()) is not None:
            return True
    if not then or fold_typed(then[-1]) not in untils:
        return False
    rest = " ".join(then[:-1])
    starts = range(max(0, len(first) - DAY_WORDS), len(first))
    return any(_day(f"{' '.join(first[at:])}, {rest}", now.date()) is not None for at in starts)


def end_word(words: Sequence[str]) -> int | None:
    """The place of the first word that an end may have; None where there is none."""
    known = _words()
    for at, word in enumerate(words):
        folded = fold_typed(word)
        # "this year" is no end without a word that leads to it
        if known.units.get(folded, YEAR) != YEAR or folded in known.untils:
            return at
    return None


def until_word(words: Sequence[str]) -> int | None:
    """The place of the first "until"; None where there is none."""
    untils = _words().untils
    return next((at for at, word in enumerate(words) if fold_typed(word) in untils), None)


# --- until a day ----------------------------------------------------------------------------------


def _without_day(words: Sequence[str], now: datetime) -> Ended | None:
    """Words before "until Friday"; the day itself is part of the span."""
    untils = _words().untils
    for at in range(len(words) - 1, -1, -1):
        if fold_typed(words[at]) not in untils:
            continue
        behind = " ".join(words[at + 1 :])
        if (day := _day(behind, now.date())) is not None:
            return Ended(words[:at], _span_until(day, now))
        if behind[:1].isdecimal():
            raise UserError("error.filter.date", part=behind[:SHOWN_LETTERS])
        if behind:
            continue
        if (ended := _before_until(words[:at], now)) is not None:
            return ended
    return None


def _before_until(words: Sequence[str], now: datetime) -> Ended | None:
    """Words before a day, or a counted span, behind which Kyrgyz says "until"."""
    known = _words()
    if (counted := _without_span(words)) is not None:
        return counted
    # the longest reading, because a year is no part of the rest
    for start in range(max(0, len(words) - DAY_WORDS), len(words)):
        said = " ".join(words[start:])
        day = _day(said, now.date())
        if day is None and (weekday := known.weekdays.get(fold_typed(said))) is not None:
            day = now.date() + timedelta(days=(weekday - now.weekday() - 1) % 7 + 1)
        # "until next Friday" is a day of whose week nobody is sure
        if day is not None and not (start and fold_typed(words[start - 1]) in known.beside):
            return Ended(words[:start], _span_until(day, now))
    return None


def _day(text: str, today: date) -> date | None:
    """The day ahead that a text is, also behind its day of the week; None where it is none."""
    for mark in (",", " "):
        named, _, rest = text.partition(mark)
        if rest.strip() and weekday_ahead(named, today=today) is not None:
            text = rest.strip()
            break
    if (day := weekday_ahead(text, today=today)) is not None:
        return day
    try:
        return read_day(text, today=today, ahead=True)
    except UserError:
        return None


def _span_until(day: date, now: datetime) -> timedelta:
    """The time until the last second of a day where the chat is."""
    if day < now.date():
        raise UserError("error.filter.date_past", day=day)
    # the difference of two times of one zone forgets that its clock may be put forward between
    last = datetime.combine(day, time(23, 59, 59), tzinfo=now.tzinfo)
    return timedelta(seconds=last.timestamp() - now.timestamp())


# --- for a span -----------------------------------------------------------------------------------


def _without_span(words: Sequence[str]) -> Ended | None:
    """Words before "for two weeks"."""
    if not words:
        return None
    known = _words()
    last, before = fold_typed(words[-1]), [fold_typed(word) for word in words[:-1]]
    if (together := _TOGETHER.fullmatch(last)) and together[2] in known.units:
        count, used = float(together[1]), 0
        unit = known.units[together[2]]
    elif last in known.units and before:
        unit = known.units[last]
        if unit == YEAR and _CALENDAR_YEAR.fullmatch(before[-1]):  # as in "the budget for 2026"
            return None
        counted = _counted(before, known, sure=unit == timedelta(days=1))
        if counted is None:
            # a day that nobody counts is a word to filter by, as in "good day"
            if known.leads.isdisjoint(before[-NUMBER_WORDS:]):
                return None
            raise UserError("error.filter.end", said=" ".join(words))
        count, used = counted
    else:
        return None
    rest = words[: len(before) - used]
    while rest and fold_typed(rest[-1]) in known.beside:
        rest = rest[:-1]
    if rest and fold_typed(rest[-1]) in known.leads:
        rest = rest[:-1]
    elif _leads_to_number(rest, known):  # more was counted than could be read
        raise UserError("error.filter.end", said=" ".join(words))
    if count > LONGEST_SPAN * 24:  # not to be multiplied: there are no such times
        raise UserError("error.filter.days", longest=LONGEST_SPAN)
    return Ended(rest, unit * count)


def _counted(before: Sequence[str], known: _Words, *, sure: bool) -> tuple[float, int] | None:
    """The number that ends these folded words, and how many of them it is; one where they only
    lead to it.
    """
    last = before[-1]
    # a longer number is a year, which may be what somebody does not want to hear of, unless
    # the words make it one of days: refused, and no word to filter by
    if last.isdecimal() and (len(last) <= 3 or sure or before[-2:][0] in known.leads):
        return float(last[:9]), 1
    for many in range(min(NUMBER_WORDS, len(before)), 0, -1):
        pieces = _pieces(before[-many:], known)
        if None in pieces:
            continue
        try:
            amount, _, end = read_number(pieces, 0)
        except UserError:
            continue
        if end == len(pieces):
            return float(amount), many
    if last in known.ones:
        return 1.0, 1
    return (1.0, 0) if last in known.leads else None


def _pieces(words: Sequence[str], known: _Words) -> list[Piece | None]:
    """The pieces of a number; "a" beside a half is none of its own: "two and a half"."""
    found: list[Piece | None] = []
    for at, word in enumerate(words):
        near = words[max(0, at - 1) : at + 2]
        if word in known.ones and any(_is_half(one) for one in near if one != word):
            continue
        if _COUNT.fullmatch(word):
            found.append(Piece(Sort.LITERAL, Fraction(word.replace(",", "."))))
        else:
            found.append(number_words().get(word))
    return found


def _is_half(word: str) -> bool:
    piece = number_words().get(word)
    return piece is not None and piece.sort is Sort.HALF


def _leads_to_number(rest: Sequence[str], known: _Words) -> bool:
    """Whether words end with a lead and pieces of a number: "for twenty"."""
    folded = [fold_typed(word) for word in rest]
    while folded and (_pieces(folded[-1:], known)[0] is not None or folded[-1] in known.ones):
        folded.pop()
    return len(folded) < len(rest) and bool(folded) and folded[-1] in known.leads


@cache
def _words() -> _Words:
    units: dict[str, timedelta] = {}
    leads: set[str] = set()
    beside: set[str] = set()
    ones: set[str] = set()
    untils: set[str] = set()
    weekdays: dict[str, int] = {}
    for spoken in languages():
        for days, words in spoken.filters.spans.items():
            units |= dict.fromkeys(fold_typed(words).split(), timedelta(days=days))
        units |= dict.fromkeys(fold_typed(spoken.filters.hours).split(), timedelta(hours=1))
        leads.update(fold_typed(spoken.filters.lead).split())
        beside.update(fold_typed(spoken.filters.beside).split())
        ones.update(fold_typed(spoken.filters.one).split())
        for weekday, words in spoken.filters.until_weekdays.items():
            weekdays |= dict.fromkeys(fold_typed(words).split(), weekday)
        untils.update(filter(None, fold_typed(spoken.rules.until).split(",")))
    return _Words(
        units=units,
        leads=frozenset(leads),
        beside=frozenset(beside),
        ones=frozenset(ones),
        untils=frozenset(untils),
        weekdays=weekdays,
    )
