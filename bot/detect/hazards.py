"""Reports of a hazard that an institute measured: found by kind, size, place and time.

Words compare badly with values: a report says "tremors felt in Bishkek" of what was measured forty
kilometres south of a village. Two earthquakes of one size within hours are rare near one place, and
a report that names another country is about that one. Aftershocks have other sizes, and the
institute itself says that they are events of their own.

Of a flood, a slide, an avalanche or a storm no report says the size: its headline names the kind,
and a place of the region that the institute names or one around it. A warning is of no event before
it begins. A wildfire is known by its words alone: every other fire is called one too.

Cautiously, since what joins is told in the institute's message and nowhere else. Refugees flood a
town too, walls collapse, currencies slide, and papers remember what was years ago: a headline of
another kind of event beside it, of a figure of speech or of the past joins nothing. The place is
the headline's; a text names where the dead were from, and who offered help.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from itertools import product

from bot.detect.facts import LEAD, Facts, Part, facts_of, kinds_of, surroundings
from bot.detect.language import known_language
from bot.detect.lexicon import with_headline
from bot.detect.severity import sounds_past
from bot.languages import LANGUAGES
from bot.languages import language as speech
from bot.model.hazards import Hazard, HazardKind
from bot.model.news import Entry, StoredEntry
from bot.model.text import SENTENCE_END

REPORT_HOURS = 6.0  # after it, a report of an earthquake is of that one
LASTING_HOURS = 24.0  # likewise of what lasts
#: How much faster an agency is than the institute. What it told of before that is another event: a
#: warning that joined its story would be told to nobody.
FASTER_HOURS = 3.0
#: The kinds of events in headlines (`events.tsv`) that what lasts is reported by.
REPORTED = {
    HazardKind.FLOOD: frozenset({"flood"}),
    HazardKind.LANDSLIDE: frozenset({"slide", "flood"}),
    HazardKind.AVALANCHE: frozenset({"avalanche"}),
    HazardKind.STORM: frozenset({"storm"}),
}
#: What a headline may tell beside it, of the same event; anything else is an event of its own.
BESIDE = frozenset(
    {
        "closure",
        "crash",
        "drowning",
        "emergency",
        "escape",
        "evacuation",
        "murder",
        "outage",
        "quake",
    }
)
_LASTING = frozenset[str]().union(*REPORTED.values())
SAME_SIZE = 0.3  # how far a report's magnitude may be from the measured one
SAME_MINUTES, SAME_KM = 15.0, 200.0  # between two institutes that measured one event


def kinds_reported(item: Entry) -> frozenset[HazardKind]:
    """What institutes measure that an entry may be a report of: an earthquake where its headline
    names one with its size, what lasts where it names that.
    """
    told = _lasting(item)
    found = {kind for kind, reported in REPORTED.items() if not reported.isdisjoint(told)}
    if _sizes(item):
        found.add(HazardKind.EARTHQUAKE)
    return frozenset(found)


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
        if stored.story in taken or _hours(stored.at, at) > FASTER_HOURS:
            continue
        if _reports(stored.entry, stored.at, mine, item, at):
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
    there, said = _where(measured.title).countries, _facts(item)
    named = said.head.countries
    # a headline may say where it was felt, and the text where it was
    if not named:
        named = said.whole.countries
    elif named.isdisjoint(there):
        named = _at_its_centre(item)
    # who names no country contradicts none
    return not (said.whole.countries and there) or not named.isdisjoint(there)


def _of_its_kind_and_place(item: Entry, hazard: Hazard, measured: Entry) -> bool:
    if REPORTED.get(hazard.kind, frozenset()).isdisjoint(_lasting(item)):
        return False
    there, named = _where(measured.title), _named(item)
    # two countries have a Jalalabad each, and a flood on both sides of a border is told as two
    if not named.countries <= there.countries:
        return False
    if not (there.places and named.places):  # of a whole country, both of them
        return there.places == named.places and bool(named.countries)
    around = surroundings()
    for one, other in product(named.places, there.places):
        if one == other or one in around[other] or other in around[one]:
            return True
    return False


@lru_cache(maxsize=256)
def _where(title: str) -> Part:
    """The places that a measurement names, in whatever language its institute writes: a warning
    without an English part has an English headline with a place in another language.
    """
    parts = [facts_of(title, "", code).whole for code in LANGUAGES]
    places = frozenset[str]().union(*(part.places for part in parts))
    countries = frozenset[str]().union(*(part.countries for part in parts))
    return replace(parts[0], places=places, countries=countries)


def _sizes(item: Entry) -> frozenset[float]:
    """The magnitudes that an entry about an earthquake names."""
    if "quake" not in _kinds(item) or not _happens(item, frozenset({"quake"}) | _LASTING):
        return frozenset()
    return _facts(item).of("magnitude")


def _at_its_centre(item: Entry) -> frozenset[str]:
    """The countries in the sentence that says where an earthquake was, and how far from there."""
    code = _spoken(item)
    for sentence in SENTENCE_END.split((item.summary or item.content)[:LEAD]):
        if _words(code).centre.search(sentence):
            return facts_of(sentence, "", code).head.countries
    return frozenset()


def _lasting(item: Entry) -> frozenset[str]:
    """The kinds of what lasts that an entry's headline tells of, where it tells of nothing else."""
    found = _kinds(item) & _LASTING
    if not found:
        return found
    words = _words(_spoken(item))
    # of slides only those of the ground: buildings collapse too
    if found == {"slide"} and not words.ground.search(item.title):
        return frozenset()
    if words.figures.search(item.title) or not _happens(item, _LASTING):
        return frozenset()
    return found


def _happens(item: Entry, kinds: frozenset[str]) -> bool:
    """Whether a headline tells of an event of these kinds alone, and of one of these days."""
    others = _kinds(item) - kinds - BESIDE
    return not others and not sounds_past(item.title, _spoken(item))


def _named(item: Entry) -> Part:
    """The places where a report says that it was: its headline's, or where that has no name at all
    its text's.
    """
    said, head = _facts(item), facts_of(item.title, "", _spoken(item))
    if head.names or said.head.places or said.head.countries:
        return said.head
    return said.whole


def _kinds(item: Entry) -> frozenset[str]:
    """The kinds of events of a headline. Without the facts of the text, which take twenty times as
    long: a measurement is compared with hundreds of reports, of which few are of its kind.
    """
    headline, _ = with_headline(item.title, item.summary or item.content)
    return kinds_of(headline, _spoken(item))


def _spoken(item: Entry) -> str:
    return known_language(item.language, f"{item.title}\n{item.summary or item.content}")


def _facts(item: Entry) -> Facts:
    return facts_of(item.title, item.summary or item.content, _spoken(item))


@dataclass(frozen=True, slots=True)
class _Words:
    """Words of headlines by which reports are told from what is none."""

    ground: re.Pattern[str]
    figures: re.Pattern[str]
    centre: re.Pattern[str]


@cache
def _words(code: str) -> _Words:
    words = speech(code).hazards
    slides = (words.events.get(kind, "") for kind in (HazardKind.LANDSLIDE, HazardKind.AVALANCHE))
    ground = "|".join(filter(None, slides))
    return _Words(_any(ground), _any(words.figures), _any(words.centre))


def _any(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words or '(?!)'})", re.IGNORECASE)
