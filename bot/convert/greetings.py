"""Greetings, which ask for nothing and want an answer, thanks, and words that cancel."""

from __future__ import annotations

import re
from functools import cache

from bot.convert.plain import LETTERS, plain_text
from bot.languages import languages, words_of

LONGEST_GREETING = 60  # characters


def is_greeting(text: str) -> bool:
    """Whether a text greets, in any of the languages, and says nothing else: "привет, бот!"."""
    return _says(text, _phrases("greetings"))


def is_courtesy(text: str) -> bool:
    """Whether a text thanks, agrees or ends a talk, and says nothing else: "спасибо, бот"."""
    return _says(text, _phrases("greetings", "courtesies"))


def says_cancel(text: str) -> bool:
    """Whether a text takes back what was begun, and says nothing else: "отмена"."""
    return _says(text, _phrases("cancel"))


def _says(text: str, phrases: re.Pattern[str]) -> bool:
    if len(text) > LONGEST_GREETING or any(letter.isdigit() for letter in text):
        return False
    words = re.findall(LETTERS, plain_text(text).lower())
    said = " ".join(word for word in words if word not in _beside())
    return bool(said) and phrases.fullmatch(said) is not None


@cache
def _phrases(*lists: str) -> re.Pattern[str]:
    """One phrase of those lists or two: "салам, кандайсың"."""
    phrases: set[str] = set()
    for spoken in languages():
        for name in lists:
            phrases.update(filter(None, getattr(spoken.questions, name).split(",")))
    one = "|".join(sorted(map(re.escape, phrases), key=len, reverse=True)) or "(?!)"
    return re.compile(rf"(?:{one})(?: (?:{one}))?")


@cache
def _beside() -> frozenset[str]:
    return frozenset(words_of(lambda spoken: spoken.questions.greeted))
