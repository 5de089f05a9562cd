"""Reports of a hazard that an institute measured: found by kind, size, place and time.

Words compare badly with values: a report says "tremors felt in Bishkek" of what was measured forty
kilometres south of a village. Two earthquakes of one size within hours are rare near one place, and
a report that names another country is about that one. Aftershocks have other sizes, and the
institute itself says that they are events of their own.

Of a flood, a slide, an avalanche or a storm no report says the size: its headline names the kind,
and a place of the region that the institute names or one around it. A warning is of no event before
it begins. A wildfire is known by its words alone: every other fire is called one too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import product

from bot.detect.facts import Facts, Part, facts_of, surroundings
from bot.detect.language import known_language
from bot.model.hazards import Hazard, HazardKind
from bot.model.news import Entry, StoredEntry

REPORT_HOURS = 6.0  # after it, a report of an earthquake is of that one
LASTING_HOURS = 24.0  # likewise of what lasts
#: The kinds of events in headlines (`events.tsv`) that what lasts is reported by.
REPORTED = {
    HazardKind.FLOOD: frozenset({"flood"}),
    HazardKind.LANDSLIDE: frozenset({"slide", "flood"}),
    HazardKind.AVALANCHE: frozenset({"avalanche"}),
    HazardKind.STORM: frozenset({"storm"}),
}
_LASTING = frozenset[str]().union(*REPORTED.values())
SAME_SIZE = 0.3  # how far a report's magnitude may be from the measured one
SAME_MINUTES, SAME_KM = 15.0, 200.0  # between two institutes that measured one event


def may_be_measured(item: Entry) -> bool:
    """Whether an entry is a measurement, or its headline names what institutes measure: an
    earthquake with its size, or what lasts.
    """
    if Hazard.read(item.content) is not None:
        return True
    return bool(_sizes(item)) or not _LASTING.isdisjoint(_facts(item).head.kinds)


def measured_story(
    item: Entry, feed: str, recent: Sequence[StoredEntry], *, at: datetime
) -> int | None:
    """The story of the hazard that an entry of the moment `at` is about, report or measurement;
    None without one.
    """
    mine = Hazard.read(item.content)
    for stored in recent:
        theirs = Hazard.read(stored.entry.content)
        # a measurement taken back is no event that a report could be of
        if theirs is None or theirs.withdrawn:
            continue
        if mine is None:
            if _reports(item, at, theirs, stored.entry, _told_at(stored, theirs)):
                return stored.story
        # of one institute each measurement is an event: see the head of this file
        elif stored.feed != feed and _same(mine, theirs, minutes=_hours(at, stored.at) * 60):
            return stored.story
    if mine is None:
        return None
    return _reported_before(mine, item, recent, at)


def _told_at(stored: StoredEntry, hazard: Hazard) -> datetime:
    """The moment from which it is reported: a flood's third day may be the one that is told."""
    if hazard.measured:
        return stored.at
    return min(stored.entry.updated_at or stored.at, stored.seen_at)


def _hours(one: datetime, other: datetime) -> float:
    return abs((one - other).total_seconds()) / 3600


def _reported_before(
    mine: Hazard, item: Entry, recent: Sequence[StoredEntry], at: datetime
) -> int | None:
    """The story of an agency that was faster than the institute; not one that has its hazard."""
    taken = {one.story for one in recent if Hazard.read(one.entry.content) is not None}
    for stored in recent:
        if stored.story not in taken and _reports(stored.entry, stored.at, mine, item, at):
            return stored.story
    return None


def _same(mine: Hazard, theirs: Hazard, *, minutes: float) -> bool:
    """Whether two institutes measured one event."""
    if mine.kind is not theirs.kind or minutes > SAME_MINUTES:
        return False
    if theirs.latitude is None or theirs.longitude is None:
        return False
    away = mine.distance_km(theirs.latitude, theirs.longitude)
    return away is not None and away <= SAME_KM


def _reports(
    item: Entry, at: datetime, hazard: Hazard, measured: Entry, measured_at: datetime
) -> bool:
    """Whether an agency's entry of a moment is about what was measured."""
    if hazard.measured:
        return _hours(at, measured_at) <= REPORT_HOURS and _of_its_size(item, hazard, measured)
    began = measured.published_at or measured_at
    if _hours(at, max(began, measured_at)) > LASTING_HOURS or began > max(at, measured_at):
        return False
    return _of_its_kind_and_place(item, hazard, measured)


def _of_its_size(item: Entry, hazard: Hazard, measured: Entry) -> bool:
    if hazard.size is None:
        return False
    size = float(hazard.size)
    if not any(abs(one - size) <= SAME_SIZE for one in _sizes(item)):
        return False
    there = _where(measured).countries
    named = _facts(item).whole.countries
    # who names no country contradicts none
    return not (named and there) or not named.isdisjoint(there)


def _of_its_kind_and_place(item: Entry, hazard: Hazard, measured: Entry) -> bool:
    said = _facts(item)
    if REPORTED.get(hazard.kind, frozenset()).isdisjoint(said.head.kinds):
        return False
    there, named = _where(measured), said.whole
    if not (there.places and named.places):  # of a whole country, both of them
        return there.places == named.places and not there.countries.isdisjoint(named.countries)
    around = surroundings()
    for one, other in product(named.places, there.places):
        if one == other or one in around[other] or other in around[one]:
            return True
    return False


def _where(measured: Entry) -> Part:
    """The places that a measurement names, in whatever language its institute writes."""
    language = known_language(measured.language, measured.title)
    return facts_of(measured.title, "", language).whole


def _sizes(item: Entry) -> frozenset[float]:
    """The magnitudes that an entry about an earthquake names."""
    said = _facts(item)
    if "quake" not in said.head.kinds:
        return frozenset()
    return said.of("magnitude")


def _facts(item: Entry) -> Facts:
    text = item.summary or item.content
    return facts_of(item.title, text, known_language(item.language, f"{item.title}\n{text}"))
