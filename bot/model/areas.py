"""Areas of warnings, circles and polygons, and how far they are from a place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

EARTH_KM = 6371.0  # the mean radius
DEGREE_KM = math.tau * EARTH_KM / 360  # of latitude, and of longitude at the equator


@dataclass(frozen=True, slots=True)
class Circle:
    """All that is within so many kilometres of a point."""

    latitude: float
    longitude: float
    radius_km: float

    def km_from(self, latitude: float, longitude: float) -> float:
        """Its distance from a place; 0 of one inside."""
        away = km_between(self.latitude, self.longitude, latitude, longitude)
        return max(0.0, away - self.radius_km)


@dataclass(frozen=True, slots=True)
class Polygon:
    """All that is inside a ring of corners, each a latitude and a longitude, and never a pole."""

    corners: tuple[tuple[float, float], ...]

    def km_from(self, latitude: float, longitude: float) -> float:
        """Its distance from a place; 0 of one inside.

        Reckoned on a plane around the place, where what is near is as far as on the globe.
        """
        wide = DEGREE_KM * math.cos(math.radians(latitude))
        ring: list[tuple[float, float]] = []
        for north, east in (*self.corners, self.corners[0]):
            # the short way round, also across the 180th meridian
            along = (east - longitude + 180) % 360 - 180
            ring.append((along * wide, (north - latitude) * DEGREE_KM))
        inside = False
        for (x, y), (next_x, next_y) in pairwise(ring):
            # a ray from the place to the east leaves what it is in by an odd number of sides
            if (y > 0) != (next_y > 0) and x - y * (next_x - x) / (next_y - y) > 0:
                inside = not inside
        return 0.0 if inside else min(_from_sides(ring))


Area = Circle | Polygon


def km_between(north: float, east: float, other_north: float, other_east: float) -> float:
    """The distance of two points on the globe."""
    here, there = math.radians(north), math.radians(other_north)
    # the haversine formula: the law of cosines loses its digits where two places are near
    across = math.sin((there - here) / 2) ** 2
    along = math.sin(math.radians(other_east - east) / 2) ** 2
    chord = across + math.cos(here) * math.cos(there) * along
    # rounding may make it a trifle more than 1, of which there is no arc sine
    return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(chord)))


def _from_sides(ring: list[tuple[float, float]]) -> Iterator[float]:
    """The distances of a ring's sides from the middle of the plane."""
    for (x, y), (next_x, next_y) in pairwise(ring):
        wide, high = next_x - x, next_y - y
        length = wide * wide + high * high
        part = 0.0
        if length:
            part = min(1.0, max(0.0, -(x * wide + y * high) / length))
        yield math.hypot(x + part * wide, y + part * high)
