"""Measured events: earthquakes, floods, storms, as an institute tells them, in values.

A hazard has one written form, which is stored as the text of its entry and read back where it is
told in a reader's language:

    earthquake 5.4 at 42.5310, 77.1020: 40 km S of Kaji-Say, Kyrgyzstan
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Self

from bot.model.areas import Area, km_between

LONGEST_PLACE = 200  # characters
_WRITTEN = re.compile(
    r"(?P<withdrawn>withdrawn )?(?P<kind>[a-z]+)(?: (?P<size>\d{1,3}(?:\.\d{1,2})?))?"
    r"(?: at (?P<latitude>-?\d{1,2}\.\d{4}), (?P<longitude>-?\d{1,3}\.\d{4}))?: (?P<place>[^\n]*)"
)


class HazardKind(StrEnum):
    """The kind of a hazard, in the one word that is stored."""

    EARTHQUAKE = "earthquake"
    TSUNAMI = "tsunami"
    FLOOD = "flood"
    STORM = "storm"
    WILDFIRE = "wildfire"
    VOLCANO = "volcano"
    LANDSLIDE = "landslide"
    AVALANCHE = "avalanche"
    DROUGHT = "drought"
    HEAT = "heat"
    COLD = "cold"
    OTHER = "other"


_KINDS = frozenset(HazardKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """One event as it was measured last.

    `size` is an earthquake's magnitude, and of all others the institute's level: 1 minor, 2
    moderate, 3 severe, 4 extreme. One that was `withdrawn` was none, says who measured it.
    """

    kind: HazardKind
    size: Decimal | None
    place: str
    latitude: float | None
    longitude: float | None
    withdrawn: bool = False

    @property
    def measured(self) -> bool:
        """Whether its size is a magnitude, not a level."""
        return self.kind is HazardKind.EARTHQUAKE

    def distance_km(self, latitude: float, longitude: float) -> float | None:
        """Its distance from a place, on the globe; None where nobody said where it is."""
        if self.latitude is None or self.longitude is None:
            return None
        return km_between(latitude, longitude, self.latitude, self.longitude)

    def __str__(self) -> str:
        """The stored form."""
        written = "withdrawn " * self.withdrawn + self.kind.value
        if self.size is not None:
            written += f" {self.size}"
        if self.latitude is not None and self.longitude is not None:
            # four decimals are eleven metres
            written += f" at {self.latitude:.4f}, {self.longitude:.4f}"
        return f"{written}: {' '.join(self.place.split())[:LONGEST_PLACE]}"

    @classmethod
    def read(cls, written: str) -> Self | None:
        """The hazard that is written so; None for any other text."""
        found = _WRITTEN.fullmatch(written)
        if found is None or found["kind"] not in _KINDS:
            return None
        latitude = longitude = None
        if found["latitude"] is not None:
            latitude, longitude = float(found["latitude"]), float(found["longitude"])
        return cls(
            kind=HazardKind(found["kind"]),
            size=size_of(found["size"]),
            place=found["place"],
            latitude=latitude,
            longitude=longitude,
            withdrawn=found["withdrawn"] is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A hazard with what an institute calls it by, when it was, until when a warning of it holds,
    and where it stands; `also` are the other numbers of the same event.

    `areas` are where a warning holds, none of one that names its districts alone; None of what has
    a point and no more. `lesser` is what the same warning says of other places, the gravest first.
    """

    id: str
    hazard: Hazard
    at: datetime | None
    updated_at: datetime | None = None
    until: datetime | None = None
    link: str | None = None
    also: tuple[str, ...] = ()
    areas: tuple[Area, ...] | None = None
    lesser: tuple[Reported, ...] = ()


def size_of(text: object) -> Decimal | None:
    """A size as published, to a tenth; None for what is none."""
    try:
        size = Decimal(str(text))
    except InvalidOperation:
        return None
    if not size.is_finite() or not 0 <= size < 100:
        return None
    return size.quantize(Decimal("0.1"))


def point(north: object, east: object) -> tuple[float | None, float | None]:
    """Latitude and longitude as published; none where they are nowhere on the globe."""
    try:
        latitude, longitude = float(str(north)), float(str(east))
    except ValueError:
        return None, None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None, None
    return latitude, longitude
