"""Greetings: words that ask for nothing and want an answer all the same."""

from __future__ import annotations

import re
from functools import cache

from bot.convert.plain import LETTERS, plain_text
from bot.languages import languages, words_of

LONGEST_GREETING = 60  # characters


def is_greeting(text: str) -> bool:
    """Whether a text greets, in any of the languages, and says nothing else: "привет, бот!"."""
    if len(text) > LONGEST_GREETING or any(letter.isdigit() for letter in text):
        return False
    words = re.findall(LETTERS, plain_text(text).lower())
    said = " ".join(word for word in words if word not in _beside())
    return bool(said) and _greetings().fullmatch(said) is not None


@cache
def _greetings() -> re.Pattern[str]:
    """One greeting or two: "салам, кандайсың"."""
    phrases: set[str] = set()
    for spoken in languages():
        phrases.update(filter(None, spoken.questions.greetings.split(",")))
    one = "|".join(sorted(map(re.escape, phrases), key=len, reverse=True))
    return re.compile(rf"(?:{one})(?: (?:{one}))?")


@cache
def _beside() -> frozenset[str]:
    return frozenset(words_of(lambda spoken: spoken.questions.greeted))
