"""Reports of a hazard that an institute measured: found by kind, size, place and time.

Words compare badly with values: a report says "tremors felt in Bishkek" of what was measured forty
kilometres south of a village. Two earthquakes of one size within hours are rare near one place, and
a report that names another country is about that one. Aftershocks have other sizes, and the
institute itself says that they are events of their own: of two institutes' measurements those are
one event that are alike, and nearest in time, where neither has another one of it.

Half of all reports have no magnitude: "of 5 points", which is how it was felt, or "tremors". They
join the only earthquake that was measured in their country within two hours before, unless they and
the institute name places that are apart. What is another one after all, its institute tells itself.

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
from datetime import datetime, timedelta
from decimal import Decimal
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

REPORTED_WITHIN = timedelta(hours=6)  # a report of an earthquake is of that one
UNSIZED_REPORTED_WITHIN = timedelta(hours=2)  # likewise one that has no magnitude
CLOCKS_APART = timedelta(minutes=10)  # nobody reports an earthquake before it is one
LASTING_REPORTED_WITHIN = timedelta(hours=24)  # likewise of what lasts
#: How much faster an agency is than the institute. What it told of before that is another event: a
#: warning that joined its story would be told to nobody.
AGENCY_AHEAD = timedelta(hours=3)
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
SAME_SIZE = Decimal("0.3")  # how far a report's magnitude may be from the measured one
# between two institutes that measured one event
SAME_TIME, SAME_KM = timedelta(minutes=15), 200.0
#: By which magnitudes of one earthquake differ at most, unless the times hardly do: a great one may
#: have a small one minutes before it, and first values are far off.
SIZES_APART, AT_ONCE = Decimal("1.0"), timedelta(minutes=2)


def kinds_reported(item: Entry) -> frozenset[HazardKind]:
    """What institutes measure that an entry may be a report of: an earthquake where its headline
    names one, what lasts where it names that.
    """
    told = _lasting(item)
    found = {kind for kind, reported in REPORTED.items() if not reported.isdisjoint(told)}
    if _is_of_a_quake(item):
        found.add(HazardKind.EARTHQUAKE)
    return frozenset(found)


def measured_story(
    item: Entry, feed: str, recent: Sequence[StoredEntry], *, at: datetime
) -> int | None:
    """The story of the hazard that an entry of the moment `at` is about, report or measurement;
    None without one.
    """
    measured: list[tuple[StoredEntry, Hazard]] = []
    for stored in recent:
        theirs = Hazard.read(stored.entry.content)
        # a measurement taken back is no event that a report could be of
        if theirs is not None and not theirs.withdrawn:
            measured.append((stored, theirs))
    mine = Hazard.read(item.content)
    if mine is None:
        return _reported(item, measured, at)
    another = _measured_by_another(mine, feed, measured, at)
    return _reported_before(mine, item, recent, at) if another is None else another


def _reported(
    item: Entry, measured: Sequence[tuple[StoredEntry, Hazard]], at: datetime
) -> int | None:
    """The story of what was measured that an agency's entry is a report of."""
    unsized: set[int] = set()
    for stored, theirs in measured:
        if _reports(item, at, theirs, stored.entry, _told_at(stored, theirs)):
            return stored.story
        if _reports_unsized(item, at, theirs, stored.entry, stored.at):
            unsized.add(stored.story)
    # of several nobody can tell which is meant
    return unsized.pop() if len(unsized) == 1 else None


def _measured_by_another(
    mine: Hazard, feed: str, measured: Sequence[tuple[StoredEntry, Hazard]], at: datetime
) -> int | None:
    """The story of the same event as other institutes measured it: the nearest in time."""
    # of one institute each measurement is an event: see the head of this file
    own = {stored.story for stored, _ in measured if stored.feed == feed}
    found: list[tuple[timedelta, int]] = []
    for stored, theirs in measured:
        apart = abs(at - stored.at)
        if stored.story not in own and _same(mine, theirs, apart=apart):
            found.append((apart, stored.story))
    return min(found)[1] if found else None


def _told_at(stored: StoredEntry, hazard: Hazard) -> datetime:
    """The moment from which it is reported: a flood's third day may be the one that is told."""
    if hazard.measured:
        return stored.at
    return min(stored.entry.updated_at or stored.at, stored.seen_at)


def _reported_before(
    mine: Hazard, item: Entry, recent: Sequence[StoredEntry], at: datetime
) -> int | None:
    """The story of an agency that was faster than the institute; not one that has its hazard."""
    taken = {one.story for one in recent if Hazard.read(one.entry.content) is not None}
    for stored in recent:
        if stored.story in taken or abs(stored.at - at) > AGENCY_AHEAD:
            continue
        if _reports(stored.entry, stored.at, mine, item, at) or _reports_unsized(
            stored.entry, stored.at, mine, item, at
        ):
            return stored.story
    return None


def _same(mine: Hazard, theirs: Hazard, *, apart: timedelta) -> bool:
    """Whether two institutes measured one event."""
    if mine.kind is not theirs.kind or apart > SAME_TIME:
        return False
    if mine.measured and apart > AT_ONCE and _sizes_apart(mine, theirs) > SIZES_APART:
        return False
    if theirs.latitude is None or theirs.longitude is None:
        return False
    away = mine.distance_km(theirs.latitude, theirs.longitude)
    return away is not None and away <= SAME_KM


def _sizes_apart(one: Hazard, other: Hazard) -> Decimal:
    """How far apart two magnitudes are; 0 where one is not known."""
    if one.size is None or other.size is None:
        return Decimal(0)
    return abs(one.size - other.size)


def _reports(
    item: Entry, at: datetime, hazard: Hazard, measured: Entry, measured_at: datetime
) -> bool:
    """Whether an agency's entry of a moment is about what was measured."""
    if hazard.measured:
        soon = abs(at - measured_at) <= REPORTED_WITHIN
        return soon and _of_its_size(item, hazard, measured)
    began = measured.published_at or measured_at
    late = abs(at - max(began, measured_at)) > LASTING_REPORTED_WITHIN
    if late or began > max(at, measured_at):
        return False
    return _of_its_kind_and_place(item, hazard, measured)


def _of_its_size(item: Entry, hazard: Hazard, measured: Entry) -> bool:
    if hazard.size is None:
        return False
    # as decimals: 5.4 and 5.1 differ by more than 0.3 as floats, 5.4 and 5.7 by less
    away = [abs(Decimal(str(size)) - hazard.size) for size in _sizes(item)]
    if not away or min(away) > SAME_SIZE:
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


def _reports_unsized(
    item: Entry, at: datetime, hazard: Hazard, measured: Entry, measured_at: datetime
) -> bool:
    """Whether an agency's entry of a moment, which says no magnitude, may be about an earthquake
    that was measured: see the head of this file.
    """
    if not hazard.measured or not -CLOCKS_APART <= at - measured_at <= UNSIZED_REPORTED_WITHIN:
        return False
    if not _is_of_a_quake(item) or _sizes(item):
        return False
    there, said = _where(measured.title), _facts(item)
    # a headline may say where it was felt, and the text where it was
    if not (_at_its_centre(item) or _named(item).countries) & there.countries:
        return False
    around = surroundings()
    # where it was felt beyond a border says nothing of where it was
    apart = [place for place in said.head.places if around[place][-1] in there.countries]
    if not (apart and there.places):
        return True
    return _together(said.whole.places, there.places)


def _of_its_kind_and_place(item: Entry, hazard: Hazard, measured: Entry) -> bool:
    if REPORTED.get(hazard.kind, frozenset()).isdisjoint(_lasting(item)):
        return False
    there, named = _where(measured.title), _named(item)
    # two countries have a Jalalabad each, and a flood on both sides of a border is told as two
    if not named.countries <= there.countries:
        return False
    if not there.places and not named.places:  # of a whole country, both of them
        return bool(named.countries)
    return _together(named.places, there.places)


def _together(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether one of these places is one of those, or in it, or around it."""
    around = surroundings()
    for one, other in product(some, others):
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
    if not _is_of_a_quake(item):
        return frozenset()
    return _facts(item).of("magnitude")


def _is_of_a_quake(item: Entry) -> bool:
    return "quake" in _kinds(item) and _happens(item)


def _at_its_centre(item: Entry) -> frozenset[str]:
    """The countries in the sentence that says where an earthquake was, and how far from there."""
    code = _spoken(item)
    for sentence in SENTENCE_END.split(_text(item)[:LEAD]):
        if _words(code).centre.search(sentence):
            return facts_of(sentence, "", code).head.countries
    return frozenset()


def _lasting(item: Entry) -> frozenset[str]:
    """The kinds of what lasts that an entry's headline tells of, where it tells of nothing else."""
    found = _kinds(item) & _LASTING
    if not found:
        return found
    words, headline = _words(_spoken(item)), _headline(item)
    # of slides only those of the ground: buildings collapse too
    if found == {"slide"} and not words.ground.search(headline):
        return frozenset()
    if words.figures.search(headline) or not _happens(item):
        return frozenset()
    return found


def _happens(item: Entry) -> bool:
    """Whether a headline tells of nothing but such events, and of these days."""
    others = _kinds(item) - _LASTING - BESIDE
    return not others and not sounds_past(_headline(item), _spoken(item))


def _named(item: Entry) -> Part:
    """The places where a report says that it was: its headline's, or where that has no name at all
    its text's.
    """
    said, head = _facts(item), facts_of(_headline(item), "", _spoken(item))
    if head.names or said.head.places or said.head.countries:
        return said.head
    return said.whole


def _kinds(item: Entry) -> frozenset[str]:
    """The kinds of events of a headline. Without the facts of the text, which take twenty times as
    long: a measurement is compared with hundreds of reports, of which few are of its kind.
    """
    return kinds_of(_headline(item), _spoken(item))


def _headline(item: Entry) -> str:
    """An entry's title; of one without a title, as some feeds have them, its first sentence."""
    headline, _ = with_headline(item.title, _text(item))
    return headline


def _text(item: Entry) -> str:
    return item.summary or item.content


def _spoken(item: Entry) -> str:
    return known_language(item.language, f"{item.title}\n{_text(item)}")


def _facts(item: Entry) -> Facts:
    return facts_of(item.title, _text(item), _spoken(item))


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
