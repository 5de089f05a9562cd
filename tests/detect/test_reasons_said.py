"""Whatever reason the detector gives is said in the reader's language."""

from __future__ import annotations

import re
from datetime import date

import pytest

from bot.detect.security import detect, lexicon
from bot.i18n import known
from bot.reasons import Reason, reason
from bot.render.reasons import said, told

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
    return {why: story for story in STORIES for why in detect(*story, language="en").reasons}


def test_the_stories_bring_every_reason_there_is() -> None:
    """Each of the loud ones, and words for something."""
    plain = {why.code for why in reasons()}
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
    for why, (title, text) in reasons().items():
        shown = "; ".join(part.text for part in said([why], language, (title, text)))
        # "grave" has no words of its own: the kinds that were found say what is grave
        if why.code in ("against", "grave"):
            assert shown == ""
            continue
        assert shown, why
        own = (
            {word.lower() for word in re.findall(r"[A-Za-z]+", f"{title} {text}")}
            if why.code == "found"
            else set()
        )
        assert {word.lower() for word in re.findall(r"[A-Za-z]+", shown)} <= own, (why, shown)


def test_a_reason_is_said_because_it_has_a_text_and_for_nothing_else() -> None:
    """One more is its text and where it is given; without a text, or with one for other figures,
    as another version of the program stored it, a reader sees no code.
    """
    far = reason("far_day", "more than a week ahead: {day}", day=date(2026, 11, 28))
    unknown = [reason("of.tomorrow"), reason("found", kind="of.tomorrow", pattern="x")]
    unsaid = [reason("against", words="match"), reason("worded_otherwise"), reason("grave")]
    (shown,) = said([*unknown, *unsaid, far, reason("far_day")], "ru", [])
    assert shown == told(far, "ru")
    assert "28" in shown.text
