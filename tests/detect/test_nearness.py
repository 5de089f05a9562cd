"""The places that a story is near to."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.detect.facts import surroundings
from bot.detect.nearness import near, nearest, reach_km
from bot.model.hazards import Hazard, HazardKind
from bot.model.news import StoredEntry, Story
from bot.sources.catalog import load_catalog
from tests.factories import NOW, entry

PLACES = load_catalog().places


def told(title: str, text: str = "", language: str = "en") -> frozenset[str]:
    """The places that a story of one report is near to."""
    item = entry(title=title, summary=text, content="", language=language)
    stored = StoredEntry(pk=1, feed="f", entry=item, seen_at=NOW, story=1)
    return near(Story(pk=1, entries=(stored,)), None, PLACES.values())


def quake(size: str, latitude: float, longitude: float) -> Hazard:
    return Hazard(
        kind=HazardKind.EARTHQUAKE,
        size=Decimal(size),
        place="",
        latitude=latitude,
        longitude=longitude,
    )


@pytest.mark.parametrize(
    ("title", "text", "language", "place"),
    [
        ("Mudflow destroys a bridge in Uzgen", "", "en", "uzgen"),
        ("На границе в Баткене стреляли", "", "ru", "batken"),
        ("Караколдо өрт чыкты", "", "ky", "karakol"),
        ("Взрыв в Кыргызстане", "Он произошёл в Токмоке вечером.", "ru", "tokmok"),
        ("A bridge has fallen", "It stood in Naryn for forty years.", "en", "naryn"),
    ],
)
def test_a_place_is_named_by_the_headline_or_else_by_the_beginning(
    title: str, text: str, language: str, place: str
) -> None:
    """With all that lies around it."""
    found = told(title, text, language)
    assert place in found
    assert found >= set(surroundings()[place])


@pytest.mark.parametrize(
    ("title", "text", "language"),
    [
        ("Mudflow destroys a bridge in Naryn", "Officials in Bishkek sent rescuers.", "en"),
        ("Сель разрушил мост", "БИШКЕК, 28 ноя – Sputnik. Мост стоял сорок лет.", "ru"),
        ("Сель разрушил мост", "Бишкек — Мост стоял сорок лет.", "ru"),
        ("A bridge has fallen", "", "en"),
    ],
)
def test_where_a_text_was_written_is_no_place_that_it_is_near_to(
    title: str, text: str, language: str
) -> None:
    """Nor is one that is mentioned where the headline says the place."""
    assert "bishkek" not in told(title, text, language)


def test_a_region_is_near_to_what_lies_in_it_and_a_country_to_itself() -> None:
    assert {"isfana", "leilek", "batken", "kg"} <= told("Shooting at the border in Batken")
    assert told("Shooting at the border of Kyrgyzstan") == {"kg"}
    assert "osh" not in told("Shooting in Uzgen") - {"osh"}


def test_a_hazard_is_near_where_it_is_felt() -> None:
    """By its size; a region is where one of its towns is."""
    bare = entry(title="Earthquake", summary="", content="", language="en")
    story = Story(pk=1, entries=(StoredEntry(pk=1, feed="f", entry=bare, seen_at=NOW, story=1),))
    small = near(story, quake("4.0", 42.5, 78.2), PLACES.values())
    assert {"karakol", "issykkul", "kg"} <= small
    assert "almaty" not in small
    assert "almaty" in near(story, quake("6.5", 42.5, 78.2), PLACES.values())
    assert [round(reach_km(quake(size, 0, 0))) for size in "4567"] == [52, 112, 240, 513]


def test_every_place_of_the_catalog_can_be_found_in_a_text() -> None:
    """It has a name in each language, and is offered under what it lies in."""
    for key, place in PLACES.items():
        assert set(place.names) == {"en", "ru", "ky"}
        assert place.within is None or place.within in surroundings()[key]
    place, away = nearest(42.87, 74.59, PLACES.values())
    assert (place.key, away < 2) == ("bishkek", True)
