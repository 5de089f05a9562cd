"""Operators' decisions about news, as examples that a detector can learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from bot.model.news import Entry

KEPT_TEXT = 2_000  # characters: what the detectors read of an entry, and more


class Question(StrEnum):
    """The question that an operator was asked."""

    SECURITY = "security"  # whether a text is worth an alert
    SAME_STORY = "same_story"  # whether two texts tell of one event
    HEADLINE = "headline"  # how a headline should be worded: the second is the operator's


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words that were judged: an entry's own."""

    title: str
    text: str = ""
    language: str | None = None

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The words of an entry, as far as detectors read them."""
        text = (entry.summary or entry.content)[:KEPT_TEXT]
        return cls(title=entry.title, text=text, language=entry.language)

    @classmethod
    def read(cls, form: Mapping[str, Any]) -> Self:
        """The words that `form` wrote."""
        return cls(title=form["title"], text=form["text"], language=form["lang"])

    @property
    def form(self) -> dict[str, Any]:
        """The stored form, which the verbs of `detect` take too."""
        return {"title": self.title, "text": self.text, "lang": self.language}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One answer of an operator; `second` where two texts were compared. Nobody is named."""

    question: Question
    answer: bool
    first: Words
    second: Words | None = None
    at: datetime
