"""Filters of the news as people write them behind /mute and /only.

    football, "border guards"        apart by commas; words in quotation marks are only words
    Osh, Batken for 7 days           with an end
    +fire !football                  a sign in front of one: it must be there, it must not

Words for a span of days are understood in every language (`bot/languages/*/filters.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from bot.errors import UserError
from bot.languages import languages
from bot.languages.letters import fold_typed
from bot.model.filters import LONGEST_ITEM, Sense, TypedItem

LONGEST_SPAN = 366  # days
MOST_ITEMS = 20  # of one message

_SIGNS = {"+": Sense.MUST, "!": Sense.NEVER}
_QUOTED = r"[«\"“„](?P<quoted>[^«»\"”“„]*)[»\"”“]"
# one ends where a comma stands, and where the next has a sign or a quotation mark
_PLAIN = r"(?P<plain>[^\s,;«\"“„]+(?:[^\S\n]+(?![+!])[^\s,;«\"“„]+)*)"
_ITEM = re.compile(rf"\s*(?P<sign>[+!]?)\s*(?:{_QUOTED}|{_PLAIN})")
_LETTER = re.compile(r"[^\W_]")
_TOGETHER = re.compile(r"(\d{1,3})([^\W\d]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedFilters:
    """The items named behind a command, and for how long they are meant."""

    items: tuple[TypedItem, ...]
    span: timedelta | None = None


def parse_filters(text: str, sense: Sense) -> TypedFilters:
    """The items that a text names; `sense` is what the command means by one without a sign.

    UserError says what cannot be read.
    """
    words, days = _without_span(text)
    if days is not None and not 1 <= days <= LONGEST_SPAN:
        raise UserError("error.filter.days", longest=LONGEST_SPAN)
    items: list[TypedItem] = []
    for found in _ITEM.finditer(words):
        said = " ".join((found["quoted"] or found["plain"] or "").split())
        if not _LETTER.search(said):  # nothing but marks
            continue
        if len(said) > LONGEST_ITEM:
            raise UserError("error.filter.long", longest=LONGEST_ITEM)
        meant = _SIGNS.get(found["sign"], sense)
        items.append(TypedItem(sense=meant, text=said, quoted=found["quoted"] is not None))
    if len(items) > MOST_ITEMS:
        raise UserError("error.filter.many", most=MOST_ITEMS)
    return TypedFilters(items=tuple(items), span=None if days is None else timedelta(days=days))


def _without_span(text: str) -> tuple[str, int | None]:
    """The text without the span at its end, and the span's days; None where there is none."""
    words = text.split()
    if not words:
        return text, None
    last = fold_typed(words[-1])
    units, leads, ones = _spans()
    if (together := _TOGETHER.fullmatch(last)) and together[2] in units:
        days, rest = int(together[1]) * units[together[2]], words[:-1]
    elif last in units and len(words) > 1:
        before = fold_typed(words[-2])
        counted = units[last] == 1 or fold_typed(words[-3:][0]) in leads
        # a longer number is a year, which may be what somebody does not want to hear of, unless
        # the words make it one of days: refused, and no word to filter by
        if before.isdecimal() and (len(before) <= 3 or counted):
            days, rest = int(before) * units[last], words[:-2]
        elif before in ones:
            days, rest = units[last], words[:-2]
        elif before in leads:
            days, rest = units[last], words[:-1]
        # a day that nobody counts is a word to filter by, as in "good day"
        else:
            return text, None
    else:
        return text, None
    if rest and fold_typed(rest[-1]) in leads:
        rest = rest[:-1]
    return " ".join(rest), days


@cache
def _spans() -> tuple[Mapping[str, int], frozenset[str], frozenset[str]]:
    """The words for days and how many each is; the words that lead a span; those for one."""
    units: dict[str, int] = {}
    leads: set[str] = set()
    ones: set[str] = set()
    for spoken in languages():
        for days, words in spoken.filters.spans.items():
            units |= dict.fromkeys(fold_typed(words).split(), days)
        leads.update(fold_typed(spoken.filters.lead).split())
        ones.update(fold_typed(spoken.filters.one).split())
    return units, frozenset(leads), frozenset(ones)
