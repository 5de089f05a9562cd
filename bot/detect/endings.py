"""Does a report say that its event is over? The road is open again, the fire is out.

By its headline alone: a text tells of much that ended before. What joins a story and says so is the
story's end; it is no event of its own, so however grave its text sounds, it makes nothing worse.
"""

from __future__ import annotations

from functools import cache

from bot.detect.language import known_language
from bot.detect.stories import words_of
from bot.languages import language
from bot.model.news import Entry


def says_it_is_over(entry: Entry) -> bool:
    """Whether an entry's headline says that something has ended."""
    said = words_of(entry.title)
    code = known_language(entry.language, entry.title)
    return any(_said(phrase, said) for phrase in _phrases(code))


def _said(phrase: tuple[str, ...], words: list[str]) -> bool:
    """Whether words begin, one after the other, as those of a phrase."""
    for start in range(len(words) - len(phrase) + 1):
        pairs = zip(words[start:], phrase, strict=False)
        if all(word.startswith(stem) for word, stem in pairs):
            return True
    return False


@cache
def _phrases(code: str) -> tuple[tuple[str, ...], ...]:
    phrases = language(code).news.over.split(",")
    return tuple(tuple(words_of(phrase)) for phrase in phrases if phrase.strip())
