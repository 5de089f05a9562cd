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

from bot.convert.filter_ends import Ended, end_word, is_one_end, until_word, without_end
from bot.errors import UserError
from bot.model.filters import LONGEST_ITEM, Sense, TypedItem

MOST_ITEMS = 20  # of one message

_SIGNS = {"+": Sense.MUST, "!": Sense.NEVER}
_QUOTED = r"[«\"“„](?P<quoted>[^«»\"”“„]*)[»\"”“]"
# one ends where a comma stands, and where the next has a sign or a quotation mark
_WORD = r"(?:[^\s,;«\"“„]|(?<=\b\d),(?=\d\b))+"  # "1,5" is one
_PLAIN = rf"(?P<plain>{_WORD}(?:[^\S\n]+(?![+!]){_WORD})*)"
_ITEM = re.compile(rf"\s*(?P<sign>[+!]?)\s*(?:{_QUOTED}|{_PLAIN})")
_LETTER = re.compile(r"[^\W_]")


def parse_filters(text: str, sense: Sense, now: datetime) -> tuple[TypedItem, ...]:
    """The items that a text names; `sense` is what the command means by one without a sign, `now`
    is by the chat's clock.

    UserError says what cannot be read.
    """
    items: list[TypedItem] = []
    ends_nothing = False
    for sign, said, quoted in _said(text, now):
        if not _LETTER.search(said):  # nothing but marks
            continue
        ended = Ended([said]) if quoted else without_end(said, now)
        if not ended.words and not items:
            ended, ends_nothing = Ended(said.split()), True
        if ended.words:
            items.append(_item(ended.words, _SIGNS.get(sign, sense), quoted=quoted))
        if ended.span is not None:
            items = [replace(one, span=one.span or ended.span) for one in items]
    if len(items) > MOST_ITEMS:
        raise UserError("error.filter.many_at_once", most=MOST_ITEMS)
    if ends_nothing and len(items) == 1:
        return ()
    return tuple(items)


def _said(text: str, now: datetime) -> list[tuple[str, str, bool]]:
    """The sign and the words of each item, and whether they are quoted; a comma within the day of
    an end is none between two items.
    """
    found: list[tuple[str, str, bool]] = []
    last = 0
    for one in _ITEM.finditer(text):
        quoted = one["quoted"] is not None
        said = " ".join((one["quoted"] or one["plain"] or "").split())
        if found and not quoted and not one["sign"] and text[last : one.start()].strip() == ",":
            sign, before, was_quoted = found[-1]
            if not was_quoted and is_one_end(before, said, now):
                found[-1] = sign, f"{before}, {said}", False
                last = one.end()
                continue
        found.append((one["sign"], said, quoted))
        last = one.end()
    return found


def _item(words: Sequence[str], sense: Sense, *, quoted: bool) -> TypedItem:
    said = " ".join(words)
    if len(said) > LONGEST_ITEM:
        raise UserError("error.filter.long", longest=LONGEST_ITEM)
    if quoted:
        return TypedItem(sense=sense, text=said, quoted=True)
    return TypedItem(sense=sense, text=said, end_at=end_word(words), until_at=until_word(words))
