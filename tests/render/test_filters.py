"""Readers' names for topics and sources, where they name them to a filter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.model.filters import Filter, Nameable, Sense, StoredFilter, Trait
from bot.render.filters import listed, offered, source_names, sources_by_name, topics_by_name

NAMES = {
    "agency": {"en": "Mountain News", "ru": "Горные вести"},
    "twin": {"en": "mountain news"},
    "plain": {},
}


def test_a_topic_is_known_by_its_name_in_every_language_and_by_its_own() -> None:
    found = topics_by_name(["economy", "unheard-of"])
    economy = Nameable(what="economy", said="economy")
    assert found["economy"] == found["экономика"] == economy
    assert found["unheard-of"] == Nameable(what="unheard-of", said="unheard-of")
    assert [one for one in found if "." in one] == []  # no id of a text is a name


def test_a_source_is_known_by_each_of_its_names_the_first_of_two_alike_has_it() -> None:
    """Whatever it was called by, it is listed as the reader calls it."""
    found = sources_by_name(NAMES, "ru")
    agency = Nameable(what="agency", said="Горные вести")
    assert found["agency"] == found["mountain news"] == found["горные вести"] == agency
    assert found["twin"] == Nameable(what="twin", said="mountain news")


def test_a_source_without_a_name_is_called_by_its_key() -> None:
    assert source_names(NAMES, "ky") == {
        "agency": "Mountain News",
        "twin": "mountain news",
        "plain": "plain",
    }


def test_what_has_a_row_to_itself_is_said_whole() -> None:
    one = Filter(sense=Sense.NEVER, trait=Trait.SOURCE, what="x", said="Сейсмология институту")
    shown = offered({"source0": one}, "7", "ky")
    assert shown.buttons[0][0].text == "Сейсмология институту (булак)"
    assert "/mute футбол" in shown.text  # the way to any other word


AFTERNOON = datetime(2026, 8, 13, 9, 40, tzinfo=UTC)  # 15:40 in Bishkek


@pytest.mark.parametrize(
    ("lasts", "said"),
    [
        (timedelta(minutes=30), ("until 16:10", "до 16:10", "саат 16:10 болгончо")),
        (
            timedelta(days=1),
            ("until 15:40 tomorrow", "завтра до 15:40", "эртең саат 15:40 болгончо"),
        ),
        # the last second of today, as another clock counted it
        (timedelta(hours=8.334), ("until 13 Aug 2026", "до 13 августа 2026", "")),
        (timedelta(days=2), ("until 15 Aug 2026", "до 15 августа 2026", "")),
    ],
)
def test_the_end_of_a_filter_is_said_to_the_hour_where_it_is_near(
    lasts: timedelta, said: tuple[str, ...]
) -> None:
    """In the chat's zone, in each language; the end of a day, and a later one, by its day."""
    one = StoredFilter(
        sense=Sense.NEVER,
        trait=Trait.WORD,
        what="market",
        said="market",
        id=1,
        chat=1,
        until=AFTERNOON + lasts,
    )
    for language, words in zip(("en", "ru", "ky"), said, strict=True):
        shown = listed([one], language, zone="Asia/Bishkek", now=AFTERNOON).text
        (line,) = [line for line in shown.splitlines() if line.startswith("•")]
        assert words in line.replace("\u00a0", " ")
        assert (":" in line) == (":" in said[0])
