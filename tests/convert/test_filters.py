"""What is typed behind /mute and /only, read as filters with their ends."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.convert.filters import MOST_ITEMS, parse_filters
from bot.detect.named_filters import Names, meant
from bot.errors import UserError
from bot.model.filters import Sense

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=ZoneInfo("Asia/Bishkek"))  # a Monday


def read(text: str) -> list[tuple[str, str]]:
    """What each filter names, and when it ends; UserError as who wrote it is answered."""
    items = parse_filters(text, Sense.NEVER, NOW)
    meant(items, Names(topics={}, sources={}))
    return [(one.text, f"{NOW + one.span:%m-%d %H:%M}" if one.span else "") for one in items]


def test_a_comma_within_the_day_of_an_end_is_none_between_two_filters() -> None:
    friday, last = "12-04 23:59", "12-31 23:59"
    for written, understood in (
        ("football until 31 December, 2026", [("football", last)]),
        ("football until Dec 31, 2026, Osh", [("football", last), ("Osh", "")]),
        ("football until Friday, 4 December", [("football", friday)]),
        ("football until Friday, 4 December, 2026", [("football", friday)]),
        ("футбол до пятницы, 4 декабря", [("футбол", friday)]),
        ("футбол до пятницы 4 декабря", [("футбол", friday)]),
        ("футбол жума күнү, 4-декабрга чейин", [("футбол", friday)]),
        ("football until Friday, Osh", [("football", friday), ("Osh", "")]),
        ("football until Friday, +2026", [("football", friday), ("2026", "")]),
        ("covid 19, 2026", [("covid 19", ""), ("2026", "")]),
        ("Area 51, 2026 election", [("Area 51", ""), ("2026 election", "")]),
        ('"December 31, 2026", chess', [("December 31, 2026", ""), ("chess", "")]),
        ('"until 31 December", 2026', [("until 31 December", ""), ("2026", "")]),
    ):
        assert read(written) == understood, written


def test_more_than_one_message_may_have_are_refused_by_what_helps() -> None:
    """Who has no filter yet cannot lift one."""
    some = [f"word{number}" for number in range(MOST_ITEMS)]
    assert len(read(", ".join(some))) == MOST_ITEMS
    with pytest.raises(UserError, match=r"error\.filter\.many_at_once"):
        read(", ".join([*some, "another"]))


def test_an_until_that_nobody_can_read_is_refused() -> None:
    """As words, no story has them; Russian says so of a road, too."""
    for wrong in (
        "football until next Friday",
        "football until Friday, 2026",
        "football until 29 February, 2027",
        "футбол до конца года",
        "футбол кышка чейин",
        "until Friday, football",
    ):
        with pytest.raises(UserError, match=r"error\.filter\.(end|date)"):
            read(wrong)
    assert read("дорога до Оша") == [("дорога до Оша", "")]
    assert read('"до конца года"') == [("до конца года", "")]


def test_a_span_is_read_whole_or_refused() -> None:
    """No part of its number stays among the words."""
    friday, year = "12-04 23:59", "11-30 12:00"
    for written, understood in (
        ("Osh for half an hour", [("Osh", "11-30 12:30")]),
        ("football for two and a half weeks", [("football", "12-18 00:00")]),
        ("Ош на 1,5 недели", [("Ош", "12-11 00:00")]),
        ("football for twenty one days", [("football", "12-21 12:00")]),
        ("футбол на год", [("футбол", year)]),
        ("футбол бир жылга", [("футбол", year)]),
        ("футбол жумага чейин", [("футбол", friday)]),
        ("футбол эки жумага чейин", [("футбол", "12-14 12:00")]),
        ("бюджет на 2026 год", [("бюджет на 2026 год", "")]),
        ("new year, good day", [("new year", ""), ("good day", "")]),
    ):
        assert read(written) == understood, written
    for wrong in (
        "football for some weeks",
        "football for two thousand one two weeks",
        "футбол кийинки жумага чейин",
    ):
        with pytest.raises(UserError, match=r"error\.filter\.end"):
            read(wrong)
