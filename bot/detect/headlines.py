"""The stretches of a headline: its words between two commas, and which of them it asks.

A question says nothing of its answer, and begins anywhere: behind a colon, a comma, a full stop. A
dash parts two clauses or joins two towns ("Bishkek – Osh"), so that it parts no stretch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.detect.stories import WORD
from bot.languages import language
from bot.languages.letters import fold_typed
from bot.model.text import comparable

REMEMBERED = 500  # texts read lately: a language's lists are asked for with each headline
LAST_WORD = 20  # characters of a sentence in which its last word is looked for

_SENTENCE = re.compile(r"(?P<words>[^.!?…]+)(?P<mark>[.!?…]*)")
_BREAK = re.compile(r"(?P<apart>[:;(])(?!\d)|(?P<comma>,)(?!\d)|\s[-–]\s|—")


@dataclass(frozen=True, slots=True)
class Stretch:
    """The words of a sentence between two commas, and the places of those that are not asked."""

    words: tuple[str, ...]
    told: frozenset[int]

    def told_from(self, start: int) -> list[str]:
        """The words from a place on that are not asked."""
        return [one for at, one in enumerate(self.words) if at >= start and at in self.told]


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause's words; `apart` is whether more than a comma or a dash parts it from the last, and
    `joined` whether no more than a dash does.
    """

    words: tuple[str, ...]
    apart: bool
    joined: bool


@lru_cache(maxsize=REMEMBERED)
def typed_words(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared, however its letters were typed."""
    return tuple(WORD.findall(fold_typed(comparable(text))))


def names_in(title: str) -> frozenset[str]:
    """The words of a headline that have a capital, as they are compared: names, unless it writes
    all of its words so.
    """
    capital = (word for word in WORD.findall(comparable(title)) if word[0].isupper())
    return frozenset(one for word in capital for one in typed_words(word))


def stretches(title: str, code: str) -> Iterator[Stretch]:
    """The stretches of a headline in that language, in their order."""
    for sentence, mark in _sentences(title, code):
        clauses = list(_clauses(sentence))
        asked = _asked(clauses, code) if "?" in mark else set()
        words: tuple[str, ...] = ()
        told: list[int] = []
        for number, clause in enumerate(clauses):
            if not clause.joined:
                yield Stretch(words, frozenset(told))
                words, told = (), []
            if number not in asked:
                told += range(len(words), len(words) + len(clause.words))
            words += clause.words
        yield Stretch(words, frozenset(told))


def _sentences(title: str, code: str) -> Iterator[tuple[str, str]]:
    """The sentences of a headline, each with the mark behind it."""
    shortened = typed_words(language(code).news.shortened)
    begun = ""
    for found in _SENTENCE.finditer(title):
        begun += found["words"]
        last = "".join(typed_words(found["words"][-LAST_WORD:])[-1:])
        if found["mark"] == "." and (len(last) == 1 or last in shortened):
            continue  # "in the city of N. the fire is out"
        yield begun, found["mark"]
        begun = ""
    yield begun, ""


def _clauses(sentence: str) -> Iterator[_Clause]:
    start, apart, joined = 0, True, False
    for found in _BREAK.finditer(sentence):
        yield _Clause(typed_words(sentence[start : found.start()]), apart, joined)
        start, apart = found.end(), found["apart"] is not None
        joined = not apart and found["comma"] is None
    yield _Clause(typed_words(sentence[start:]), apart, joined)


def _asked(clauses: list[_Clause], code: str) -> set[int]:
    """The clauses that a question mark behind the last is for: back to where the question begins,
    as a comma or a dash may stand within it ("Открыта дорога Бишкек – Ош?").
    """
    news = language(code).news
    asking, joining = typed_words(news.asking), typed_words(news.clause)
    asked: set[int] = set()
    within = True
    for number, clause in reversed(list(enumerate(clauses))):
        first = next((word for word in clause.words if word not in joining), "")
        begins = first in asking
        if within or begins:
            asked.add(number)
        within = within and not (begins or clause.apart)
    return asked
