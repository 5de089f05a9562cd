"""Hazards: what institutes measure, earthquakes first of all, in values instead of words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import Field, PlainValidator

from bot.grammar import one_of
from bot.sources.hazards import FORMATS, HazardSpec, parse_hazards
from bot.sources.kind import Kind, Line, written
from bot.sources.near import Near
from bot.sources.sections import NewsSection
from bot.sources.values import Trust

RIGHT_NEAR = "a place such as { latitude = 42.87, longitude = 74.59, radius_km = 600 }"


def _number(value: object, low: float, high: float, right: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(right)
    return float(value)


def _near(value: object) -> Near:
    if not isinstance(value, dict) or set(value) != {"latitude", "longitude", "radius_km"}:
        raise ValueError(RIGHT_NEAR)
    return Near(
        latitude=_number(value["latitude"], -90, 90, RIGHT_NEAR),
        longitude=_number(value["longitude"], -180, 180, RIGHT_NEAR),
        radius_km=_number(value["radius_km"], 1, 20_100, RIGHT_NEAR),
    )


def _magnitude(value: object) -> Decimal:
    return Decimal(str(_number(value, 0, 10, "a magnitude from 0 to 10, such as 4.5")))


Magnitude = Annotated[Decimal, PlainValidator(_magnitude)]


class HazardSection(NewsSection):
    """`[hazards.KEY]`: an institute's list of events."""

    DEFAULT_EVERY = timedelta(minutes=1)

    format: Annotated[str, PlainValidator(one_of(FORMATS))]
    near: Annotated[Near, PlainValidator(_near)] | None = None
    at_least: Magnitude = Decimal(0)
    urgent_from: Magnitude = Decimal("5.5")
    trust: Trust = Field(1)  # it measured

    def spec(self, key: str) -> HazardSpec:
        """The source that this section describes."""
        return HazardSpec(
            format=self.format,
            near=self.near,
            at_least=self.at_least,
            urgent_from=self.urgent_from,
            **self.described(key),
        )


def shown(body: bytes, url: str | None) -> Iterator[Line]:
    """All hazards of a document, as the reader sees them."""
    for one in parse_hazards(body, url=url):
        hazard = one.hazard
        size = None
        if hazard.size is not None:
            size = float(hazard.size)
        yield {
            "id": one.id,
            "kind": hazard.kind.value,
            "size": size,
            "place": hazard.place,
            "latitude": hazard.latitude,
            "longitude": hazard.longitude,
            "at": written(one.at),
            "link": one.link,
        }


KIND = Kind(
    section=HazardSection,
    verb="hazards",
    help="What the reader of hazards sees, a JSON line an event (USGS, GDACS, CAP). "
    "Example: jarchy inspect hazards 2.5_day.geojson",
    shown=shown,
)
