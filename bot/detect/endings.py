"""Does a report say that its event is over? The road is open again, the fire is out.

By its headline alone: a text tells of much that ended before. What joins a story and says so is the
story's end; it is no event of its own, so however grave its text sounds, it makes nothing worse.
That is why a phrase beside "not", or beside a word of fighting that begins anew, is none, nor what
is asked: "put out: what is known?" asks for something else.

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
_BREAK = re.compile(r"(?P<apart>[:;(])(?!\d)|,(?!\d)|\s[-–]\s|—")  # between the clauses of one


@dataclass(frozen=True, slots=True)
class _Clause:
    """A clause's words; `apart` is whether more than a comma or a dash parts it from the last."""

    words: list[str]
    apart: bool


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
        clauses = list(_clauses(said["words"]))
        # a question says nothing of its answer
        asked = _asked(clauses, code) if "?" in said["mark"] else set()
        words = [word for clause in clauses for word in clause.words]
        start = 0
        for number, clause in enumerate(clauses):
            stop = start + len(clause.words)
            if number not in asked and _ends(words, start, stop, code):
                return True
            start = stop
    return False


def _clauses(sentence: str) -> Iterator[_Clause]:
    start, apart = 0, True
    for found in _BREAK.finditer(sentence):
        yield _Clause(words_of(sentence[start : found.start()]), apart)
        start, apart = found.end(), found["apart"] is not None
    yield _Clause(words_of(sentence[start:]), apart)


def _asked(clauses: list[_Clause], code: str) -> set[int]:
    """The clauses that a question mark behind the last is for: back to where the question begins,
    as a comma or a dash may stand within it ("Открыта дорога Бишкек – Ош?").
    """
    news = language(code).news
    asking, joining = words_of(news.asking), words_of(news.clause)
    asked: set[int] = set()
    within = True
    for number, clause in reversed(list(enumerate(clauses))):
        first = next((word for word in clause.words if word not in joining), "")
        begins = first in asking
        if within or begins:
            asked.add(number)
        within = within and not (begins or clause.apart)
    return asked


def _ends(words: list[str], start: int, stop: int, code: str) -> bool:
    """Whether the clause between two places of a sentence's words says it."""
    for phrase in _phrases(code):
        for at in range(start, stop):
            end = phrase.ends(words[:stop], at)
            if end is None or (phrase.again and _fought(words, at, end, code)):
                continue
            if not _denied(words[start:at], words[at:end], words[end:stop], phrase, code):
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


def _denied(
    before: list[str], said: list[str], behind: list[str], phrase: _Phrase, code: str
) -> bool:
    """Whether a phrase is denied or asked by what its clause has beside it, or hangs on it."""
    news = language(code).news
    if not set(words_of(news.not_before)).isdisjoint(before[-DENIED_BEFORE:]):
        return True
    denials = map(words_of, news.not_behind.split(","))
    if any(words and behind[: len(words)] == words for words in denials):
        return True
    return said[-1][len(phrase.stems[-1]) :].endswith(tuple(words_of(news.asking_ends)))


def _fought(words: list[str], at: int, end: int, code: str) -> bool:
    """Whether what is beside a phrase, in its sentence, says that it is fighting that begins."""
    beside = words[max(at - FIGHT_BEFORE, 0) : at] + words[end : end + FIGHT_AFTER]
    fighting = tuple(words_of(language(code).news.fighting))
    return any(word.startswith(fighting) for word in beside)


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
