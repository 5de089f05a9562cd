"""Warnings of several parts and areas: what is taken of them, and where they hold."""

from __future__ import annotations

import math

import pytest

from bot.model.areas import Circle, Polygon
from bot.model.hazards import Hazard
from bot.sources.hazards import list_hazards
from tests.sources.test_hazards import cap, spec

OSH = "near = { latitude = 40.5, longitude = 72.8, radius_km = 60 }"
AT_OSH = "<circle>40.5,72.8 30.0</circle>"
FAR = "<circle>42.8,78.3 30.0</circle>"
COUNTRY = "<polygon>39,69 43.3,69 43.3,80.3 39,80.3 39,69</polygon>"
DISTRICTS = "<geocode><valueName>EMMA_ID</valueName><value>KG005</value></geocode>"


def info(event: str, severity: str, *areas: str, language: str = "en-US") -> str:
    """A part of an alert."""
    named = "".join(
        f"<area><areaDesc>Area {number}</areaDesc>{area}</area>"
        for number, area in enumerate(areas, 1)
    )
    return (
        f"<info><language>{language}</language><event>{event}</event>"
        f"<severity>{severity}</severity>{named}</info>"
    )


def alert(*infos: str) -> bytes:
    """An alert of such parts, in place of a usual one's."""
    whole = cap()
    start, end = whole.index("<info>"), whole.rindex("</info>") + len("</info>")
    return (whole[:start] + "".join(infos) + whole[end:]).encode()


def taken(body: bytes, near: str = "") -> list[str]:
    """What a source takes of a document: kind, level and place."""
    found: list[str] = []
    for entry in list_hazards(body, spec=spec(near, "cap")).entries:
        hazard = Hazard.read(entry.content)
        assert hazard is not None
        found.append(f"{hazard.kind} {hazard.size}: {hazard.place}")
    return found


def test_the_gravest_part_of_a_language_is_the_warning() -> None:
    """Whichever stands first; parts of one event and level are one, with the areas of both."""
    wind, flood = info("Strong wind", "Minor", FAR), info("Flood", "Extreme", AT_OSH, FAR)
    graver_elsewhere = info("Storm", "Extreme", AT_OSH, language="ru-RU")
    severe = info("Flood", "Severe", AT_OSH)
    assert taken(alert(wind, severe, graver_elsewhere, flood)) == ["flood 4.0: Area 1; Area 2"]
    assert taken(alert(severe, wind, severe)) == ["flood 3.0: Area 1; Area 1"]
    assert taken(alert(graver_elsewhere)) == ["storm 4.0: Area 1"]


def test_near_a_place_the_part_that_holds_there_is_the_warning() -> None:
    far, here = info("Flood", "Extreme", FAR), info("Strong wind", "Moderate", AT_OSH)
    assert taken(alert(far, here), OSH) == ["storm 2.0: Area 1"]
    assert taken(alert(far, info("Strong wind", "Minor", AT_OSH)), OSH) == []


@pytest.mark.parametrize(
    ("areas", "told"),
    [
        ((FAR, AT_OSH), True),
        ((COUNTRY,), True),
        (("<polygon>40.6,73 41,73 41,74 40.6,74 40.6,73</polygon>",), True),
        (("<circle>42.5,72.8 180</circle>",), True),
        ((DISTRICTS,), True),
        ((), True),
        ((FAR,), False),
        (("<polygon>42,77 43,77 43,79 42,79 42,77</polygon>",), False),
        (("<circle>42.5,72.8 100</circle>",), False),
        (("<circle>42.5,72.8 wide</circle>",), False),
    ],
    ids=[
        "the second area",
        "all around",
        "a corner",
        "a wide circle",
        "districts",
        "nothing said",
        "far",
        "far ring",
        "small circle",
        "no radius",
    ],
)
def test_a_warning_is_near_where_any_of_its_areas_is(areas: tuple[str, ...], told: bool) -> None:
    """One that names its districts alone is told: nobody here knows where those are."""
    assert bool(taken(alert(info("Flood", "Extreme", *areas)), OSH)) is told


def test_distances_of_areas_are_those_of_the_globe() -> None:
    """Also across the 180th meridian; inside there is none."""
    square = Polygon(((40.0, 179.0), (42.0, 179.0), (42.0, -179.0), (40.0, -179.0)))
    assert square.km_from(41.0, 180.0) == 0
    assert square.km_from(43.0, -179.9) == pytest.approx(111.2, abs=0.1)
    aside = 111.195 * math.cos(math.radians(41))
    assert square.km_from(41.0, 178.0) == pytest.approx(aside, abs=0.1)
    assert Circle(40.0, 70.0, 100.0).km_from(41.0, 70.0) == pytest.approx(11.2, abs=0.1)
    assert Circle(40.0, 70.0, 120.0).km_from(41.0, 70.0) == 0
    assert Polygon(((40.0, 70.0),)).km_from(41.0, 70.0) == pytest.approx(111.2, abs=0.1)
