"""The places that a story is near to: by names in its reports, and by where a hazard was measured.

A chat that chose one of these places hears of the story as if it were graver by a level.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from bot.detect.facts import facts_of, surroundings
from bot.detect.language import known_language
from bot.model.hazards import Hazard, HazardKind
from bot.model.news import Entry, Story
from bot.model.places import Place

BEGINNING = 300  # characters of a text that still say where it happened
#: "БИШКЕК, 28 ноя – Sputnik." says where it was written.
DATELINE = re.compile(r"\A[^.!?\n]{0,60}?\s[-–—]\s(?:[\w ]{2,20}\.\s)?")
LEVEL_KM = 100.0  # around what has no magnitude


def near(story: Story, hazard: Hazard | None, places: Iterable[Place]) -> frozenset[str]:
    """The names of all places that a story is near to, with what they are part of.

    A region that is named alone is near to all that lies in it; a country to itself only.
    """
    found: set[str] = set()
    for item in story.entries:
        found |= _named(item.entry)
    if hazard is not None:
        found |= _felt_at(hazard, places)
    return frozenset(found)


def nearest(latitude: float, longitude: float, places: Iterable[Place]) -> tuple[Place, float]:
    """The place that is nearest to a point, and how many kilometres away; never asked of none."""
    here = _at(latitude, longitude)
    away: list[tuple[float, str, Place]] = []
    for one in places:
        if one.latitude is not None and one.longitude is not None:
            away.append((here.distance_km(one.latitude, one.longitude) or 0.0, one.key, one))
    kilometres, _, place = min(away)
    return place, kilometres


def _named(entry: Entry) -> set[str]:
    """The places of a headline; where it names none but countries, of the text's beginning too."""
    text = entry.summary or entry.content
    language = known_language(entry.language, f"{entry.title}\n{text}")
    around = surroundings()
    told = facts_of(entry.title, text, language).head
    parts = [told]
    if not told.places and entry.title:
        beginning = DATELINE.sub("", text)[:BEGINNING]
        parts.append(facts_of(beginning, "", language).head)
    found: set[str] = set()
    for part in parts:
        found |= part.countries
        for spot in part.places:
            found.add(spot)
            found.update(around[spot])
            found |= _inside(spot)
    return found


@cache
def _inside(place: str) -> frozenset[str]:
    """All that lies in a place."""
    return frozenset(name for name, chain in surroundings().items() if place in chain)


def _felt_at(hazard: Hazard, places: Iterable[Place]) -> set[str]:
    """The places of the catalog that a hazard is felt at, with what they are part of."""
    reach = reach_km(hazard)
    found: set[str] = set()
    for one in places:
        if one.latitude is None or one.longitude is None:
            continue
        away = hazard.distance_km(one.latitude, one.longitude)
        if away is not None and away <= reach:
            found.add(one.key)
            found.update(surroundings().get(one.key, ()))
    return found


def reach_km(hazard: Hazard) -> float:
    """The reach in km of a felt hazard: of a magnitude of 4, 5, 6 or 7, 50, 110, 240 or 510."""
    if not hazard.measured or hazard.size is None:
        return LEVEL_KM
    # where shaking is weak but felt by most, of shallow earthquakes; the worst is much nearer
    return float(10.0 ** (0.4 + 0.33 * float(hazard.size)))


def _at(latitude: float, longitude: float) -> Hazard:
    return Hazard(
        kind=HazardKind.OTHER, size=None, place="", latitude=latitude, longitude=longitude
    )
