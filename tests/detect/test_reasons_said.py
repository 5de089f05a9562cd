"""Whatever reason the detector gives is said in the reader's language."""

from __future__ import annotations

import re

import pytest

from bot.detect.security import detect, lexicon
from bot.i18n import known
from bot.reasons import Reason
from bot.render.reasons import said

#: Stories of our own that between them are grave, near, dangerous, deadly, and past.
STORIES = [
    (
        "Armed men attack border post in Batken, 14 soldiers killed",
        "An explosion followed; residents are evacuated.",
    ),
    (
        "Anniversary of the terrorist attack in Osh: 100 killed in 2010",
        "The city remembers the explosion and the war.",
    ),
    (
        "Drill: border guards repel an attack in an exercise",
        "The army trained with an explosion and shelling in Osh.",
    ),
    (
        "Earthquake of magnitude 7 near Bishkek, one dead",
        "Houses collapsed; rescuers look for people under rubble.",
    ),
]


def reasons() -> dict[Reason, tuple[str, str]]:
    """Reason → the story it was given for."""
    return {reason: story for story in STORIES for reason in detect(*story, language="en").reasons}


def test_the_stories_bring_every_reason_there_is() -> None:
    """Each of the loud ones, and words for something."""
    plain = {reason.code for reason in reasons()}
    assert plain - {"against"} == {"grave", "danger", "near", "dead", "calm", "found"}


@pytest.mark.parametrize("language", ["en", "ru", "ky"])
def test_every_kind_of_word_has_a_name(language: str) -> None:
    """A pattern's kind is said, or it speaks against."""
    words = lexicon(language)
    patterns = [
        pattern for group in (*words.exact.values(), *words.stems.values()) for pattern in group
    ]
    kinds = {pattern.kind for pattern in patterns if pattern.weight > 0}
    assert len(kinds) > 3
    assert sorted(kind for kind in kinds if not known(f"reason.{kind}")) == []


@pytest.mark.parametrize("language", ["ru", "ky"])
def test_no_reason_is_said_in_english_to_another_reader(language: str) -> None:
    """Only the words of the story itself stay as they were written."""
    for reason, (title, text) in reasons().items():
        shown = "; ".join(part.text for part in said([reason], language, (title, text)))
        # "grave" has no words of its own: the kinds that were found say what is grave
        if reason.code in ("against", "grave"):
            assert shown == ""
            continue
        assert shown, reason
        own = (
            {word.lower() for word in re.findall(r"[A-Za-z]+", f"{title} {text}")}
            if reason.code == "found"
            else set()
        )
        assert {word.lower() for word in re.findall(r"[A-Za-z]+", shown)} <= own, (reason, shown)
