"""Reports of a hazard that an institute measured: found by kind, size, place and time.

Words compare badly with values: a report says "tremors felt in Bishkek" of what was measured forty
kilometres south of a village. Two earthquakes of one size within hours are rare near one place, and
a report that names another country is about that one. Aftershocks have other sizes, and the
institute itself says that they are events of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.detect.facts import Facts, facts_of
from bot.detect.language import known_language
from bot.model.hazards import Hazard, HazardKind
from bot.model.news import Entry, StoredEntry

REPORT_HOURS = 6.0  # after it, a report of an earthquake is of that one
SAME_SIZE = 0.3  # how far a report's magnitude may be from the measured one
SAME_MINUTES, SAME_KM = 15.0, 200.0  # between two institutes that measured one event


def may_be_measured(item: Entry) -> bool:
    """Whether an entry is a measurement, or names an earthquake with its size."""
    return Hazard.read(item.content) is not None or _sizes(item) != frozenset()


def measured_story(
    item: Entry, feed: str, recent: Sequence[StoredEntry], *, now: datetime
) -> int | None:
    """The story of the hazard that an entry is about, report or measurement; None without one."""
    # a date in the future is somebody's mistake
    mine, at = Hazard.read(item.content), min(item.published_at or now, now)
    for stored in recent:
        theirs = Hazard.read(stored.entry.content)
        hours = abs((at - stored.at).total_seconds()) / 3600
        # a measurement taken back is no event that a report could be of
        if theirs is None or theirs.withdrawn:
            continue
        if mine is None:
            if hours <= REPORT_HOURS and _reports(item, theirs, stored.entry):
                return stored.story
        # of one institute each measurement is an event: see the head of this file
        elif stored.feed != feed and _same(mine, theirs, minutes=hours * 60):
            return stored.story
    if mine is None:
        return None
    return _reported_before(mine, item, recent, at)


def _reported_before(
    mine: Hazard, item: Entry, recent: Sequence[StoredEntry], at: datetime
) -> int | None:
    """The story of an agency that was faster than the institute; not one that has its hazard."""
    taken = {one.story for one in recent if Hazard.read(one.entry.content) is not None}
    for stored in recent:
        hours = abs((at - stored.at).total_seconds()) / 3600
        if stored.story in taken or hours > REPORT_HOURS:
            continue
        if _reports(stored.entry, mine, item):
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


def _reports(item: Entry, hazard: Hazard, measured: Entry) -> bool:
    """Whether an agency's entry is about an earthquake that was measured."""
    if hazard.kind is not HazardKind.EARTHQUAKE or hazard.size is None:
        return False
    size = float(hazard.size)
    if not any(abs(one - size) <= SAME_SIZE for one in _sizes(item)):
        return False
    there = facts_of(measured.title, "", "en").whole.countries
    named = _facts(item).whole.countries
    # who names no country contradicts none
    return not (named and there) or not named.isdisjoint(there)


def _sizes(item: Entry) -> frozenset[float]:
    """The magnitudes that an entry about an earthquake names."""
    said = _facts(item)
    if "quake" not in said.head.kinds:
        return frozenset()
    return said.of("magnitude")


def _facts(item: Entry) -> Facts:
    text = item.summary or item.content
    return facts_of(item.title, text, known_language(item.language, f"{item.title}\n{text}"))
