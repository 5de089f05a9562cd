"""Filters of the news as people write them behind /mute and /only.

football, "border guards"        apart by commas; words in quotation marks are only words
Osh, Batken for 7 days           with an end, which holds for all before it that have none
+fire !football                  a sign in front of one: it must be there, it must not
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.convert.filter_ends import Ended, end_word, without_end
from bot.errors import UserError
from bot.model.filters import LONGEST_ITEM, Sense, TypedItem

MOST_ITEMS = 20  # of one message

_SIGNS = {"+": Sense.MUST, "!": Sense.NEVER}
_QUOTED = r"[«\"“„](?P<quoted>[^«»\"”“„]*)[»\"”“]"
# one ends where a comma stands, and where the next has a sign or a quotation mark
_PLAIN = r"(?P<plain>[^\s,;«\"“„]+(?:[^\S\n]+(?![+!])[^\s,;«\"“„]+)*)"
_ITEM = re.compile(rf"\s*(?P<sign>[+!]?)\s*(?:{_QUOTED}|{_PLAIN})")
# a comma between a day and its year is none between two items
_DAY_AND_YEAR = re.compile(r"(\b\d{1,2}),(?=\s*20\d\d(?!\w))")
_LETTER = re.compile(r"[^\W_]")


def parse_filters(text: str, sense: Sense, now: datetime) -> tuple[TypedItem, ...]:
    """The items that a text names; `sense` is what the command means by one without a sign, `now`
    is by the chat's clock.

    UserError says what cannot be read.
    """
    items: list[TypedItem] = []
    ends_nothing = False
    for found in _ITEM.finditer(_DAY_AND_YEAR.sub(r"\1", text)):
        said = " ".join((found["quoted"] or found["plain"] or "").split())
        if not _LETTER.search(said):  # nothing but marks
            continue
        quoted = found["quoted"] is not None
        ended = Ended([said]) if quoted else without_end(said, now)
        if not ended.words and not items:
            ended, ends_nothing = Ended(said.split()), True
        if ended.words:
            sign = _SIGNS.get(found["sign"], sense)
            items.append(_item(ended.words, sign, quoted=quoted))
        if ended.span is not None:
            items = [replace(one, span=one.span or ended.span) for one in items]
    if len(items) > MOST_ITEMS:
        raise UserError("error.filter.many", most=MOST_ITEMS)
    if ends_nothing and len(items) == 1:
        return ()
    return tuple(items)


def _item(words: Sequence[str], sense: Sense, *, quoted: bool) -> TypedItem:
    said = " ".join(words)
    if len(said) > LONGEST_ITEM:
        raise UserError("error.filter.long", longest=LONGEST_ITEM)
    end_at = None if quoted else end_word(words)
    return TypedItem(sense=sense, text=said, quoted=quoted, end_at=end_at)
