"""Institutes that measure: USGS GeoJSON summaries, GDACS RSS, CAP 1.2 → hazards, and entries.

* USGS: a FeatureCollection; times are milliseconds; an event keeps its id while its magnitude and
  place are revised, unless another network's number is preferred: `ids` has all it ever had. One
  that was none stays with the status "deleted". Quarry blasts are listed beside earthquakes.
* GDACS: an item is an episode of an event, which is named by its type and number. Sizes have a unit
  of each type's own, so all but an earthquake's magnitude are told by the alert level.
* CAP: one alert, or several in a feed. An update names the alert it follows, by which both are one;
  exercises and tests are none, and a cancelled one is over.

The entry of a hazard has an English headline, which detection compares with what agencies write,
and the hazard's written form as its text. Runs in a worker process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from bot.errors import ParseError
from bot.model.alerts import Severity
from bot.model.hazards import Hazard, HazardKind, Reported, point, size_of
from bot.model.news import Entry, StoredEntry, Story, Verdict
from bot.reasons import reason
from bot.sources.cap import parse_cap, read_cap
from bot.sources.dates import believable, parse_date
from bot.sources.documents import (
    Element,
    an_object,
    attribute,
    children,
    decoded,
    descendants,
    json_of,
    must_have_events,
    objects,
    text_of,
    xml,
)
from bot.sources.links import absolute_link
from bot.sources.listed import EntryReader, Listed, ListReader, Numbered
from bot.sources.near import Near
from bot.sources.specs import NewsSpec
from bot.sources.standing import is_reported
from bot.sources.text import one_line

TOLD_LEVEL = 2  # moderate: the first level worth telling of what has no magnitude
URGENT_LEVEL = 3  # red, as GDACS calls it
MOST_MILLISECONDS = 10**15  # since 1970: thirty thousand years


@dataclass(frozen=True, slots=True, kw_only=True)
class HazardSpec(NewsSpec):
    """An institute that measures; `near` and `at_least` say what of it is taken.

    `at_least` and `urgent_from` are magnitudes: what has none is told by its level.
    """

    format: str
    near: Near | None = None
    at_least: Decimal = Decimal(0)
    urgent_from: Decimal = Decimal("5.5")

    @property
    def measures(self) -> bool:
        """All of them are."""
        return True

    @property
    def speaks_often(self) -> bool:
        """A year without an earthquake is no trouble."""
        return False

    def entries(self, now: datetime) -> EntryReader:  # noqa: ARG002 - institutes say the moment
        """The reader of its document."""
        return partial(parse_entries, spec=self)

    def listed(self, now: datetime, known: bytes) -> ListReader:
        """The reader of its document, with what became of events that were taken before; `known` is
        what the last one told of which numbers are of one event.
        """
        return partial(list_hazards, spec=self, known=known, now=now)

    def told_at(self, item: Entry) -> datetime | None:
        """A warning is news when it is given: what it warns of may have begun days before."""
        hazard = Hazard.read(item.content)
        if hazard is None or hazard.measured:
            return item.published_at
        return item.updated_at or item.published_at

    def taken_back(self, item: Entry) -> Entry:
        """The entry of a hazard that its institute has taken back."""
        hazard = Hazard.read(item.content)
        if hazard is None or hazard.withdrawn:
            return item
        written = str(replace(hazard, withdrawn=True))
        return replace(item, title=f"Withdrawn: {item.title}", content=written)

    def verdict(self, item: Entry) -> Verdict | None:
        """A hazard is judged by its size, not by its words."""
        hazard = Hazard.read(item.content)
        if hazard is None:
            return None
        urgent = Decimal(URGENT_LEVEL)
        if hazard.measured:
            urgent = self.urgent_from
        severity = Severity.NOTABLE
        if hazard.size is not None and hazard.size >= urgent:
            severity = Severity.URGENT
        if hazard.withdrawn:
            severity = Severity.INFO
        return Verdict(
            security=True,
            score=1.0,
            severity=severity,
            topics=("security", *(topic for topic in self.topics if topic != "security")),
            language="en",
        )

    def worth_telling(self, one: Reported, now: datetime | None) -> bool:
        """Whether a hazard is near and large enough, and not over by `now`."""
        if self.near is not None and not self.near.holds(one):
            return False
        if now is not None and one.until is not None and one.until <= now:
            return False
        size = one.hazard.size
        if one.hazard.measured:
            return size is not None and size >= self.at_least
        return size is None or size >= TOLD_LEVEL

    def concerning(self, one: Reported, now: datetime | None) -> Reported:
        """What a warning says that is worth telling here, which may be a lesser thing than what it
        says of elsewhere; without such what it says of here, or its gravest.
        """
        said = (one, *one.lesser)
        here = [part for part in said if self.near is None or self.near.holds(part)]
        for part in here:
            if self.worth_telling(part, now):
                return part
        return (here or said)[0]


def measured(story: Story, feeds: Mapping[str, NewsSpec]) -> tuple[StoredEntry, Hazard] | None:
    """The hazard that an institute of the catalog measured; other feeds' words are none.

    One that was withdrawn counts where no other institute measured the event; of what has no
    magnitude where nobody reports it either.
    """
    withdrawn: tuple[StoredEntry, Hazard] | None = None
    for one in story.entries:
        hazard = Hazard.read(one.entry.content)
        if hazard is None or not isinstance(feeds.get(one.feed), HazardSpec):
            continue
        if not hazard.withdrawn:
            return one, hazard
        withdrawn = withdrawn or (one, hazard)
    if withdrawn is not None and not withdrawn[1].measured and is_reported(story):
        return None
    return withdrawn


def is_measured_urgent(story: Story, feeds: Mapping[str, NewsSpec]) -> bool:
    """Whether a story is urgent by what an institute of the catalog measured, not by words."""
    for one in story.entries:
        spec = feeds.get(one.feed)
        known = None if spec is None else spec.verdict(one.entry)
        if known is not None and known.severity is Severity.URGENT:
            return True
    return False


def parse_entries(
    body: bytes,
    /,
    *,
    spec: HazardSpec,
    url: str | None = None,
    content_type: str | None = None,  # noqa: ARG001 - XML and JSON say their encoding
) -> Sequence[Entry]:
    """The hazards that a source takes, as entries. Raises ParseError."""
    return list_hazards(body, spec=spec, url=url).entries


def list_hazards(
    body: bytes,
    /,
    *,
    spec: HazardSpec,
    known: bytes = b"",
    now: datetime | None = None,
    url: str | None = None,
    content_type: str | None = None,  # noqa: ARG001 - as above
) -> Listed:
    """The hazards of a document: those that a source takes, and beside them what matters only of
    those that were taken before. Raises ParseError.

    A warning that holds no more by `now` is taken by nobody who has not taken it.
    """
    taken: dict[str, Entry] = {}
    revised: dict[str, Entry] = {}
    withdrawn: set[str] = set()
    also: dict[str, Sequence[str]] = {}
    items = b""
    if spec.format == "cap":  # the others say all of an event's numbers each time
        reported, items = read_cap(body, url, known)
    else:
        reported = _every(body, form=spec.format, url=url)
    for one in reported:
        if one.hazard.withdrawn:
            # under each of its numbers: it may be known by another than the one it has now
            withdrawn.update((one.id, *one.also))
            continue
        also.setdefault(one.id, one.also)
        told = spec.concerning(one, now)
        if spec.worth_telling(told, now):
            taken.setdefault(one.id, _entry(told))
        else:
            # too small, too far or over now; it may have been taken before it was revised
            revised.setdefault(one.id, _entry(told))
    numbered = Numbered(revised=tuple(revised.values()), withdrawn=frozenset(withdrawn), also=also)
    return Listed(entries=tuple(taken.values()), count=len(taken), items=items, numbered=numbered)


def parse_hazards(
    body: bytes, *, form: str | None = None, url: str | None = None
) -> list[Reported]:
    """All hazards of a document, in its order; its form is found out where it is not said."""
    return [one for one in _every(body, form=form, url=url) if not one.hazard.withdrawn]


def _every(body: bytes, *, form: str | None, url: str | None) -> list[Reported]:
    """All hazards of a document, with those that it takes back."""
    return FORMATS[form or _form_of(body)](body, url)


def _form_of(body: bytes) -> str:
    # a beginning is enough: all three say at once what they are
    text = decoded(body[:4000]).lstrip("\ufeff \t\r\n")
    if text.startswith("{"):
        return "usgs"
    if re.search(r"<(?:\w+:)?rss\b", text):
        return "gdacs"
    return "cap"


_NAMES = {
    HazardKind.HEAT: "Extreme heat",
    HazardKind.COLD: "Extreme cold",
    HazardKind.OTHER: "Warning",
}


def _entry(one: Reported) -> Entry:
    """A hazard as an entry: a headline in English, and its written form."""
    hazard = one.hazard
    title = _NAMES.get(hazard.kind, hazard.kind.value.capitalize())
    if hazard.measured and hazard.size is not None:
        title += f" of magnitude {hazard.size}"
    return Entry(
        id=one.id,
        title=f"{title}: {hazard.place}",
        link=one.link,
        published_at=one.at,
        updated_at=one.updated_at,
        content=str(hazard),
        language="en",
    )


# --- USGS -----------------------------------------------------------------------------------------


def _usgs(body: bytes, url: str | None) -> list[Reported]:
    whole = an_object(json_of(body), "JSON")
    if whole.get("type") != "FeatureCollection":
        raise ParseError(reason("document.no_collection", "the document is no FeatureCollection"))
    found: list[Reported] = []
    for feature in objects(whole.get("features"), "features"):
        one = _feature(feature, url)
        if one is not None:
            found.append(one)
    return found


def _feature(feature: Mapping[str, Any], url: str | None) -> Reported | None:
    """One event; None of a blast, and of one that has no id."""
    told = feature.get("properties")
    name = one_line(str(feature.get("id") or ""))
    if not isinstance(told, dict) or not name:
        return None
    if told.get("type", "earthquake") != "earthquake":
        return None
    latitude = longitude = None
    geometry = feature.get("geometry")
    if isinstance(geometry, dict):
        match geometry.get("coordinates"):
            case [east, north, *_]:
                latitude, longitude = point(north, east)
    return Reported(
        id=name,
        hazard=Hazard(
            kind=HazardKind.EARTHQUAKE,
            size=size_of(told.get("mag")),
            place=one_line(str(told.get("place") or "")) or "?",
            latitude=latitude,
            longitude=longitude,
            withdrawn=told.get("status") == "deleted",
        ),
        at=_milliseconds(told.get("time")),
        updated_at=_milliseconds(told.get("updated")),
        link=absolute_link(str(told.get("url") or ""), url),
        also=tuple(filter(None, one_line(str(told.get("ids") or "")).split(","))),
    )


def _milliseconds(value: object) -> datetime | None:
    # bounded first: int(Decimal("1E+999999999")) would fill the memory
    if not isinstance(value, Decimal) or not value.is_finite() or not 0 < value < MOST_MILLISECONDS:
        return None
    return believable(lambda: datetime.fromtimestamp(int(value) // 1000, UTC))


# --- GDACS ----------------------------------------------------------------------------------------

_TYPES = {
    "EQ": HazardKind.EARTHQUAKE,
    "TS": HazardKind.TSUNAMI,
    "FL": HazardKind.FLOOD,
    "TC": HazardKind.STORM,
    "WF": HazardKind.WILDFIRE,
    "VO": HazardKind.VOLCANO,
    "DR": HazardKind.DROUGHT,
}
_LEVELS = {"green": Decimal("1.0"), "orange": Decimal("2.0"), "red": Decimal("3.0")}


def _gdacs(body: bytes, url: str | None) -> list[Reported]:
    found: list[Reported] = []
    root = xml(body, root="rss")
    must_have_events(root, items="item", events="eventtype")
    for item in descendants(root, "item"):
        name = f"{text_of(item, 'eventtype') or ''}{text_of(item, 'eventid') or ''}"
        if not text_of(item, "eventtype"):  # no event: an announcement
            continue
        found.append(
            Reported(
                id=name,
                hazard=_gdacs_hazard(item),
                at=parse_date(text_of(item, "fromdate") or text_of(item, "pubDate") or ""),
                updated_at=parse_date(
                    text_of(item, "datemodified") or text_of(item, "pubDate") or ""
                ),
                link=absolute_link(text_of(item, "link") or "", url),
            )
        )
    return found


def _gdacs_hazard(item: Element) -> Hazard:
    kind = _TYPES.get(text_of(item, "eventtype") or "", HazardKind.OTHER)
    size = _LEVELS.get((text_of(item, "alertlevel") or "").lower())
    if kind is HazardKind.EARTHQUAKE:
        severities = list(children(item, "severity"))
        size = size_of(attribute(severities[0], "value")) if severities else None
    named = [text_of(item, "eventname"), text_of(item, "country")]
    place = ", ".join(filter(None, named)) or text_of(item, "title") or "?"
    latitude = longitude = None
    match (text_of(item, "point") or "").split():
        case [north, east]:
            latitude, longitude = point(north, east)
    for spot in children(item, "Point"):
        latitude, longitude = point(text_of(spot, "lat"), text_of(spot, "long"))
    return Hazard(
        kind=kind, size=size, place=one_line(place), latitude=latitude, longitude=longitude
    )


FORMATS: Mapping[str, Callable[[bytes, str | None], list[Reported]]] = {
    "usgs": _usgs,
    "gdacs": _gdacs,
    "cap": parse_cap,
}
