"""CAP 1.2: the warnings of weather and rescue services → hazards.

An update names the alert that it follows, a cancel all those that it cancels; both stand in a feed
beside them, or without them once those have left it. Exercises and tests are none.

An alert has an info for each language, and in each for each event and level, with its areas.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import cache

import orjson

from bot.errors import ParseError
from bot.languages import values_of
from bot.model.areas import Area, Circle, Polygon
from bot.model.hazards import Hazard, HazardKind, Reported, point, size_of
from bot.sources.dates import parse_date
from bot.sources.documents import Element, children, descendants, must_have_events, text_of, xml
from bot.sources.links import absolute_link
from bot.sources.text import one_line

MOST_REMEMBERED = 16_000  # bytes of names: some hundreds of events
# CAP 1.2 has these four and "Unknown", which is no size
_SEVERITIES = {
    "minor": Decimal("1.0"),
    "moderate": Decimal("2.0"),
    "severe": Decimal("3.0"),
    "extreme": Decimal("4.0"),
}
# "debris flow after a storm" is a landslide: the first whose words fit is the one
_ORDER = (
    HazardKind.TSUNAMI,
    HazardKind.EARTHQUAKE,
    HazardKind.LANDSLIDE,
    HazardKind.AVALANCHE,
    HazardKind.VOLCANO,
    HazardKind.FLOOD,
    HazardKind.WILDFIRE,
    HazardKind.STORM,
    HazardKind.DROUGHT,
    HazardKind.HEAT,
    HazardKind.COLD,
)
_MAGNITUDE = re.compile(r"\bM(?:w|ag(?:nitude)?)?\s*[:=]?\s*(\d(?:[.,]\d)?)\b", re.IGNORECASE)


def parse_cap(body: bytes, url: str | None) -> list[Reported]:
    """The alerts of a document: one, or several in a feed."""
    return read_cap(body, url, b"")[0]


def read_cap(body: bytes, url: str | None, known: bytes) -> tuple[list[Reported], bytes]:
    """The alerts of a document, and what is `known` by then of which of them are one event, for
    the next: an update may name the one before alone, which has left the feed.
    """
    try:
        root = xml(body, root="alert")
    except ParseError:  # alerts come alone, or together in a feed
        root = xml(body, root="feed")
        must_have_events(root, items="entry", events="alert")
    alerts = [one for one in descendants(root, "alert") if _counts(one)]
    events = _Events(known)
    over: list[str] = []
    for alert in alerts:
        if _type(alert) == "cancel":
            over += _references(alert)  # of several events, where it names several
        else:
            events.follow(_identifier(alert), _references(alert))
    found: dict[str, Reported] = {}
    for alert in alerts:
        name = events.first_of(_identifier(alert))
        one = None if _type(alert) == "cancel" else _cap_alert(alert, name, url)
        if one is not None and not _is_older(one, found.get(name)):
            found[name] = one
    for identifier in over:
        name = events.first_of(identifier)
        found[name] = _taken_back(name)
    names = events.names()
    reported = [replace(one, also=tuple(names[one.id])) for one in found.values()]
    return reported, events.written(frozenset(found))


def _kind(event: str) -> HazardKind:
    """The kind of hazard that an alert's event names, in the words of services of any language."""
    for kind in _ORDER:
        if _words(kind).search(event):
            return kind
    return HazardKind.OTHER


@cache
def _words(kind: HazardKind) -> re.Pattern[str]:
    words = "|".join(values_of(lambda spoken: spoken.hazards.events.get(kind, "")))
    return re.compile(rf"\b(?:{words or '(?!)'})", re.IGNORECASE)


class _Events:
    """The events of a document's alerts: those that follow each other are of one, whichever of the
    earlier ones an update names, and whether these stand in the document or not.
    """

    def __init__(self, known: bytes) -> None:
        self._earlier: dict[str, str] = {}  # each identifier's, towards the first of its event
        # what another kind of source left there under the same address is none of ours
        with suppress(ValueError, TypeError):
            for first, *others in orjson.loads(known or b"[]"):
                self._earlier.update(dict.fromkeys((first, *others), first))

    def first_of(self, identifier: str) -> str:
        """The identifier of an alert's event: that of its first alert, as far as is told."""
        while (earlier := self._earlier.setdefault(identifier, identifier)) != identifier:
            # half as far for whoever asks next: a chain may be as long as a document
            self._earlier[identifier] = self._earlier[earlier]
            identifier = earlier
        return identifier

    def follow(self, identifier: str, references: Sequence[str]) -> None:
        """Note an alert with those that it updates; the first that it names counts as earlier."""
        for index, one in enumerate(references):
            mine, theirs = self.first_of(identifier), self.first_of(one)
            if index == 0:
                self._earlier[mine] = theirs
            else:
                self._earlier[theirs] = mine

    def names(self) -> dict[str, list[str]]:
        """All that events are known by, by the first of each, in the order of the document."""
        names: dict[str, list[str]] = {}
        for identifier in list(self._earlier):
            first = self.first_of(identifier)
            of_it = names.setdefault(first, [first])
            if identifier != first:
                of_it.append(identifier)
        return names

    def written(self, listed: frozenset[str]) -> bytes:
        """The names of events that have several, for who reads the next document.

        Of too many those are left out that were not `listed` for the longest time.
        """
        events = [names for names in self.names().values() if len(names) > 1]
        events.sort(key=lambda names: names[0] in listed)
        while events and len(form := orjson.dumps(events)) > MOST_REMEMBERED:
            # an eighth at once: each try writes all of them
            del events[: len(events) // 8 + 1]
        return form if events else b""


def _counts(alert: Element) -> bool:
    """Whether an alert says something: no exercise or test, and none of Ack and Error."""
    kinds = {"alert", "update", "cancel"}
    return (
        text_of(alert, "status") == "Actual" and bool(_identifier(alert)) and _type(alert) in kinds
    )


def _type(alert: Element) -> str:
    return (text_of(alert, "msgType") or "").lower()


def _identifier(alert: Element) -> str:
    return one_line(text_of(alert, "identifier") or "")


def _references(alert: Element) -> list[str]:
    """The identifiers of the alerts that one follows or cancels; each stands as sender,id,time."""
    found: list[str] = []
    for reference in (text_of(alert, "references") or "").split():
        match reference.split(","):
            case [_, identifier, _] if identifier:
                found.append(one_line(identifier))
    return found


def _is_older(one: Reported, other: Reported | None) -> bool:
    """Whether an alert was sent before another one of its event: feeds list either first."""
    if other is None or one.updated_at is None or other.updated_at is None:
        return False
    return one.updated_at < other.updated_at


def _taken_back(name: str) -> Reported:
    """An alert that was cancelled; what it said is known of whoever took it."""
    nothing = Hazard(
        kind=HazardKind.OTHER, size=None, place="?", latitude=None, longitude=None, withdrawn=True
    )
    return Reported(id=name, hazard=nothing, at=None)


def _cap_alert(alert: Element, name: str, url: str | None) -> Reported | None:
    """One alert by its English parts, else those of its first language: the gravest, which has what
    it says of other places beside it; None where it says nothing.
    """
    parts = list(children(alert, "info"))
    if not parts:
        return None
    spoken = min(map(_language, parts), key=lambda language: not language.startswith("en"))
    said: dict[tuple[str, str], list[Element]] = {}
    for info in parts:
        if _language(info) == spoken:
            # an event of one level in several areas may be several parts, too
            event, level = text_of(info, "event") or "", text_of(info, "severity") or ""
            said.setdefault((event, level.lower()), []).append(info)
    gravest = sorted(said, key=lambda key: _SEVERITIES.get(key[1], Decimal(0)), reverse=True)
    first, *others = [_said(alert, said[key], name, url) for key in gravest]
    return replace(first, lesser=tuple(others))


def _language(info: Element) -> str:
    return (text_of(info, "language") or "en").lower()


def _said(alert: Element, infos: Sequence[Element], name: str, url: str | None) -> Reported:
    """The parts of an alert that are of one event and level."""
    info = infos[0]
    event = " ".join(filter(None, [text_of(info, "event"), text_of(info, "headline")]))
    kind = _kind(event)
    size = _SEVERITIES.get((text_of(info, "severity") or "").lower())
    # of an earthquake the size is its magnitude, and no service's level of warning
    if kind is HazardKind.EARTHQUAKE:
        stated = _MAGNITUDE.search(f"{event} {text_of(info, 'description') or ''}")
        size = size_of(stated[1].replace(",", ".")) if stated else None
    areas = [area for one in infos for area in children(one, "area")]
    shapes = tuple(_shapes(areas))
    latitude, longitude = _centre(shapes)
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
        until=parse_date(text_of(info, "expires") or ""),
        link=absolute_link(text_of(info, "web") or "", url),
        areas=shapes,
    )


def _shapes(areas: Sequence[Element]) -> Iterator[Area]:
    """The circles and polygons of areas, as far as they can be read."""
    for area in areas:
        for circle in children(area, "circle"):
            # "lat,lon radius"
            middle, _, radius = (circle.text or "").strip().partition(" ")
            north, _, east = middle.partition(",")
            latitude, longitude = point(north, east)
            if latitude is not None and longitude is not None:
                yield Circle(latitude, longitude, _radius(radius))
        for polygon in children(area, "polygon"):
            corners = tuple(_corners(polygon.text or ""))
            if corners:
                yield Polygon(corners)


def _radius(text: str) -> float:
    """Kilometres as published; none where they are no length."""
    try:
        radius = float(text)
    except ValueError:
        return 0.0
    return radius if 0 <= radius < math.inf else 0.0


def _centre(areas: Sequence[Area]) -> tuple[float | None, float | None]:
    """The middle of the first circle or polygon: good enough for a map."""
    match areas:
        case [Circle(latitude, longitude, _), *_]:
            return latitude, longitude
        case [Polygon(corners), *_]:
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
        latitude, longitude = point(north, east)
        if latitude is not None and longitude is not None:
            yield latitude, longitude
