"""Does a report say that its event is over? The road is open again, the fire is out.

By its headline alone: a text tells of much that ended before. What joins a story and says so is the
story's end; it is no event of its own, so however grave its text sounds, it makes nothing worse.
That is why a phrase beside "not", or beside a word of fighting that begins anew, is none.

What a headline says to have begun anew after its end is another event: its story's message says
that it is over, and nobody would hear of it. So is what is told hours after the end without a word
of what was before: the next avalanche is no "again" to who reports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache

from bot.detect.language import known_language
from bot.detect.severity import sounds_past
from bot.detect.stories import words_of
from bot.languages import language
from bot.model.news import Entry, StoredEntry, Story

DENIED_BEFORE = 2  # words before a phrase that may deny it
FIGHT_BEFORE, FIGHT_AFTER = 3, 2  # and that may say what begins anew
REMEMBERED = 500  # headlines read lately: those of a story are asked for with each of its reports
LATE_REPORTS = timedelta(hours=3)  # after an end, of what has ended; later ones are of the next


_SENTENCE = re.compile(r"(?P<words>[^.!?…]+)(?P<mark>[.!?…]*)")


@dataclass(frozen=True, slots=True)
class _Phrase:
    """The beginnings of a phrase's words; `again` is whether it says that something works again."""

    stems: tuple[str, ...]
    again: bool

    def ends(self, words: list[str], at: int) -> int | None:
        """The place behind the phrase that begins at `at`; None where it is not there."""
        end = at + len(self.stems)
        if end > len(words):
            return None
        pairs = zip(words[at:end], self.stems, strict=True)
        return end if all(word.startswith(stem) for word, stem in pairs) else None


def says_it_is_over(entry: Entry) -> bool:
    """Whether an entry's headline says that something has ended."""
    return _says_it(entry.title, known_language(entry.language, entry.title))


@lru_cache(maxsize=REMEMBERED)
def _says_it(title: str, code: str) -> bool:
    for said in _SENTENCE.finditer(title):
        # a question says nothing of its answer
        if "?" not in said["mark"] and _ends(words_of(said["words"]), code):
            return True
    return False


def _ends(words: list[str], code: str) -> bool:
    for phrase in _phrases(code):
        for at in range(len(words)):
            end = phrase.ends(words, at)
            if end is not None and not _taken_back(words, at, end, phrase, code):
                return True
    return False


def ending(story: Story) -> StoredEntry | None:
    """The latest report of a story that says it is over, where another one came before."""
    for one in reversed(sorted(story.entries, key=lambda item: item.pk)[1:]):
        if says_it_is_over(one.entry):
            return one
    return None


def begins_anew(entry: Entry, story: Story, at: datetime) -> bool:
    """Whether an entry of a time tells that what a story told of has begun again since its end:
    by its words, or by the hours since then.
    """
    end = ending(story)
    if end is None or at < end.at or says_it_is_over(entry):
        return False
    words = words_of(entry.title)
    code = known_language(entry.language, entry.title)
    if any(one.ends(words, start) for one in _anew(code) for start in range(len(words))):
        return True
    return at - end.at >= LATE_REPORTS and not sounds_past(entry.title, code)


def _taken_back(words: list[str], at: int, end: int, phrase: _Phrase, code: str) -> bool:
    """Whether what stands beside a phrase says that nothing has ended."""
    news = language(code).news
    before = words[max(at - DENIED_BEFORE, 0) : at]
    if not set(words_of(news.not_before)).isdisjoint(before):
        return True
    if words[end : end + 1] and words[end] in words_of(news.not_behind):
        return True
    beside = words[max(at - FIGHT_BEFORE, 0) : at] + words[end : end + FIGHT_AFTER]
    fighting = tuple(words_of(news.fighting))
    return phrase.again and any(word.startswith(fighting) for word in beside)


@cache
def _phrases(code: str) -> tuple[_Phrase, ...]:
    news = language(code).news
    found: list[_Phrase] = []
    for phrases, again in ((news.over, False), (news.again, True)):
        found += _read(phrases, again=again)
    return tuple(found)


@cache
def _anew(code: str) -> tuple[_Phrase, ...]:
    return tuple(_read(language(code).news.anew, again=False))


def _read(phrases: str, *, again: bool) -> Iterator[_Phrase]:
    for phrase in phrases.split(","):
        if phrase.strip():
            yield _Phrase(tuple(words_of(phrase)), again)
