"""A lexicon finds the longest pattern at a place, also where it met the word before."""

from __future__ import annotations

import pytest

from bot.detect import lexicon
from bot.detect.lexicon import Lexicon, build_lexicon, read_pattern


def built(*patterns: str) -> Lexicon:
    return build_lexicon([read_pattern(one, "kind", 1.0) for one in patterns], 0.0)


def found(made: Lexicon, text: str) -> list[str]:
    return [pattern.text for _, pattern in made.find(text.split())]


def test_the_longest_pattern_at_a_place_is_found_each_time() -> None:
    made = built("fire", "fire*", "fir* engine", "fire at sea", "sea")
    for _ in range(2):  # met for the first time, and remembered
        assert found(made, "fire") == ["fire"]
        assert found(made, "fires") == ["fire*"]
        assert found(made, "fire engine") == ["fir* engine"]
        assert found(made, "fire at sea fire at") == ["fire at sea", "fire"]
        assert found(made, "fir at sea") == ["sea"]


def test_a_lexicon_remembers_no_more_than_so_many_short_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lexicon, "REMEMBERED", 10)
    made = built("fire*")
    long = "fire" + "s" * lexicon.LONGEST
    assert found(made, " ".join(f"w{number}" for number in range(95)) + f" fires {long}") == [
        "fire*",
        "fire*",
    ]
    assert len(made.met) <= 10
    assert long not in made.met
