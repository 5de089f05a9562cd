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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from bot.errors import ParseError
from bot.model.alerts import Severity
from bot.model.hazards import Hazard, HazardKind, Reported, size_of
from bot.model.news import Entry, StoredEntry, Story, Verdict
from bot.sources.dates import believable, parse_date
from bot.sources.documents import (
    Element,
    an_object,
    attribute,
    children,
    decoded,
    descendants,
    json_of,
    objects,
    text_of,
    xml,
)
from bot.sources.links import absolute_link
from bot.sources.specs import EntryReader, Listed, ListReader, NewsSpec, Numbered
from bot.sources.text import one_line

TOLD_LEVEL = 2  # moderate: the first level worth telling of what has no magnitude
URGENT_LEVEL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Within so many kilometres of a place."""

    latitude: float
    longitude: float
    radius_km: float

    def holds(self, hazard: Hazard) -> bool:
        """Whether a hazard is so near; one without a place is not."""
        away = hazard.distance_km(self.latitude, self.longitude)
        return away is not None and away <= self.radius_km


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
    def speaks_often(self) -> bool:
        """A year without an earthquake is no trouble."""
        return False

    def entries(self, now: datetime) -> EntryReader:  # noqa: ARG002 - institutes say the moment
        """How its document is read."""
        return partial(parse_entries, spec=self)

    def listed(self, now: datetime, known: bytes) -> ListReader:  # noqa: ARG002 - it is read whole
        """How its document is read, with what became of events that were taken before."""
        return partial(list_hazards, spec=self)

    def taken_back(self, item: Entry) -> Entry:
        """The same hazard, which was none."""
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

    def takes(self, hazard: Hazard) -> bool:
        """Whether a hazard is near and large enough."""
        if self.near is not None and not self.near.holds(hazard):
            return False
        if hazard.measured:
            return hazard.size is not None and hazard.size >= self.at_least
        return hazard.size is None or hazard.size >= TOLD_LEVEL


def measured(story: Story, feeds: Mapping[str, NewsSpec]) -> tuple[StoredEntry, Hazard] | None:
    """What an institute of the catalog measured of a story; other feeds' words are none."""
    for one in story.entries:
        hazard = Hazard.read(one.entry.content)
        if hazard is not None and isinstance(feeds.get(one.feed), HazardSpec):
            return one, hazard
    return None


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
    url: str | None = None,
    content_type: str | None = None,  # noqa: ARG001 - as above
) -> Listed:
    """What a document says: the hazards that a source takes, and beside them what matters only of
    those that were taken before. Raises ParseError.
    """
    taken: dict[str, Entry] = {}
    revised: dict[str, Entry] = {}
    withdrawn: set[str] = set()
    also: dict[str, Sequence[str]] = {}
    for one in _every(body, form=spec.format, url=url):
        if one.hazard.withdrawn:
            withdrawn.update((one.id, *one.also))
            continue
        also.setdefault(one.id, one.also)
        if spec.takes(one.hazard):
            taken.setdefault(one.id, _entry(one))
        else:
            revised.setdefault(one.id, _entry(one))
    numbered = Numbered(revised=tuple(revised.values()), withdrawn=frozenset(withdrawn), also=also)
    return Listed(entries=tuple(taken.values()), count=len(taken), numbered=numbered)


def parse_hazards(
    body: bytes, *, form: str | None = None, url: str | None = None
) -> list[Reported]:
    """All hazards of a document, in its order; its form is found out where it is not said."""
    return [one for one in _every(body, form=form, url=url) if not one.hazard.withdrawn]


def _every(body: bytes, *, form: str | None, url: str | None) -> list[Reported]:
    """All hazards of a document, with those that it takes back."""
    return FORMATS[form or _form_of(body)](body, url)


def _form_of(body: bytes) -> str:
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
    whole = an_object(json_of(body), "the document")
    if whole.get("type") != "FeatureCollection":
        raise ParseError("the document is no FeatureCollection")
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
                latitude, longitude = _point(north, east)
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
        also=tuple(filter(None, str(told.get("ids") or "").split(","))),
    )


def _milliseconds(value: object) -> datetime | None:
    if not isinstance(value, Decimal) or not value.is_finite():
        return None
    return believable(lambda: datetime.fromtimestamp(int(value) // 1000, UTC))


def _point(north: object, east: object) -> tuple[float | None, float | None]:
    """Latitude and longitude as published; none where they are nowhere on the globe."""
    try:
        latitude, longitude = float(str(north)), float(str(east))
    except ValueError:
        return None, None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None, None
    return latitude, longitude


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
    for item in descendants(xml(body, root="rss"), "item"):
        name = f"{text_of(item, 'eventtype') or ''}{text_of(item, 'eventid') or ''}"
        if not text_of(item, "eventtype"):  # no event: an announcement
            continue
        found.append(
            Reported(
                id=name,
                hazard=_gdacs_hazard(item),
                at=parse_date(text_of(item, "fromdate") or text_of(item, "pubDate") or ""),
                updated_at=parse_date(text_of(item, "datemodified") or ""),
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
            latitude, longitude = _point(north, east)
    for point in children(item, "Point"):
        latitude, longitude = _point(text_of(point, "lat"), text_of(point, "long"))
    return Hazard(
        kind=kind, size=size, place=one_line(place), latitude=latitude, longitude=longitude
    )


# --- CAP 1.2 --------------------------------------------------------------------------------------

_SEVERITIES = {
    "minor": Decimal("1.0"),
    "moderate": Decimal("2.0"),
    "severe": Decimal("3.0"),
    "extreme": Decimal("4.0"),
}
_STORMS = (
    r"(?:thunder|wind)?storm|wind|tornado|cyclone|hurricane|typhoon|snow|blizzard|rain|hail|"
    r"ветер|ветр|шторм|ливн|снег|град|бороон"
)
# what an alert's event says, in the words of the services of the world; the first that fits
_EVENTS = (
    (HazardKind.TSUNAMI, r"tsunami|цунами"),
    (HazardKind.EARTHQUAKE, r"earthquake|землетрясен|жер титир"),
    (HazardKind.LANDSLIDE, r"land\s?slide|mud\s?(?:slide|flow)|debris|оползн|сел[ьея]|жер көчкү"),
    (HazardKind.AVALANCHE, r"avalanche|лавин|кар көчкү"),
    (HazardKind.VOLCANO, r"volcan|вулкан"),
    (HazardKind.FLOOD, r"(?:flash)?flood|наводнен|паводк|подтопл|суу ташк"),
    (HazardKind.WILDFIRE, r"(?:wild)?fire|пожар|өрт"),
    (HazardKind.STORM, _STORMS),
    (HazardKind.DROUGHT, r"drought|засух|кургакчыл"),
    (HazardKind.HEAT, r"heat|hot\b|жар[аы]\b"),
    (HazardKind.COLD, r"cold|frost|freez|мороз|заморозк|суук"),
)
_MAGNITUDE = re.compile(r"\bM(?:w|ag(?:nitude)?)?\s*[:=]?\s*(\d(?:[.,]\d)?)\b", re.IGNORECASE)


def _cap(body: bytes, url: str | None) -> list[Reported]:
    try:
        root = xml(body, root="alert")
    except ParseError:
        root = xml(body, root="feed")
    found: dict[str, Reported] = {}
    over: set[str] = set()
    for alert in descendants(root, "alert"):
        name, kind = _name(alert), (text_of(alert, "msgType") or "").lower()
        if text_of(alert, "status") != "Actual" or not name or kind not in {"alert", "update"}:
            if kind == "cancel":
                over.add(name)
            continue
        one = _cap_alert(alert, name, url)
        if one is not None:
            found[name] = one  # the later of a document is the update
    found.update((name, _taken_back(name)) for name in over)
    return list(found.values())


def _taken_back(name: str) -> Reported:
    """An alert that was cancelled; what it said is known of whoever took it."""
    nothing = Hazard(
        kind=HazardKind.OTHER, size=None, place="?", latitude=None, longitude=None, withdrawn=True
    )
    return Reported(id=name, hazard=nothing, at=None)


def _name(alert: Element) -> str:
    """By what an alert and its updates are one: the identifier of the first of them."""
    for reference in (text_of(alert, "references") or "").split():
        match reference.split(","):
            case [_, identifier, _]:
                return one_line(identifier)
    return one_line(text_of(alert, "identifier") or "")


def _cap_alert(alert: Element, name: str, url: str | None) -> Reported | None:
    """One alert by its English part, else its first; None where it says nothing."""
    parts = list(children(alert, "info"))
    if not parts:
        return None
    parts.sort(key=lambda part: not (text_of(part, "language") or "en").lower().startswith("en"))
    info = parts[0]
    event = " ".join(filter(None, [text_of(info, "event"), text_of(info, "headline")]))
    kind = HazardKind.OTHER
    for candidate, words in _EVENTS:
        if re.search(rf"\b(?:{words})", event, re.IGNORECASE):
            kind = candidate
            break
    size = _SEVERITIES.get((text_of(info, "severity") or "").lower())
    if kind is HazardKind.EARTHQUAKE:
        stated = _MAGNITUDE.search(f"{event} {text_of(info, 'description') or ''}")
        size = size_of(stated[1].replace(",", ".")) if stated else None
    areas = list(children(info, "area"))
    latitude, longitude = _centre(areas)
    named = [text_of(area, "areaDesc") for area in areas]
    place = one_line("; ".join(filter(None, named)) or text_of(info, "headline") or event)
    moment = text_of(info, "onset") or text_of(info, "effective") or text_of(alert, "sent") or ""
    return Reported(
        id=name,
        hazard=Hazard(
            kind=kind, size=size, place=place or "?", latitude=latitude, longitude=longitude
        ),
        at=parse_date(moment),
        updated_at=parse_date(text_of(alert, "sent") or ""),
        link=absolute_link(text_of(info, "web") or "", url),
    )


def _centre(areas: Sequence[Element]) -> tuple[float | None, float | None]:
    """The middle of the first circle or polygon: good enough for a map and a distance."""
    for area in areas:
        for circle in children(area, "circle"):
            north, _, east = (circle.text or "").strip().partition(" ")[0].partition(",")
            return _point(north, east)
        for polygon in children(area, "polygon"):
            corners = list(_corners(polygon.text or ""))
            if corners:
                north_sum = sum(north for north, _ in corners)
                east_sum = sum(east for _, east in corners)
                return north_sum / len(corners), east_sum / len(corners)
    return None, None


def _corners(text: str) -> Iterator[tuple[float, float]]:
    pairs = text.split()
    if len(pairs) > 1 and pairs[0] == pairs[-1]:  # a ring ends where it began
        pairs.pop()
    for pair in pairs:
        north, _, east = pair.partition(",")
        latitude, longitude = _point(north, east)
        if latitude is not None and longitude is not None:
            yield latitude, longitude


FORMATS: Mapping[str, Callable[[bytes, str | None], list[Reported]]] = {
    "usgs": _usgs,
    "gdacs": _gdacs,
    "cap": _cap,
}
