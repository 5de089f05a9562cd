"""The time zone of a place on earth.

tzfpy knows the borders of zones to about a hundred metres and takes 35 MB for it, so this runs in a
worker process. At sea it answers with a zone of the nautical hours, `Etc/GMT-3`.
"""

from __future__ import annotations


def zone_at(latitude: float, longitude: float) -> str | None:
    """The IANA name of the zone, or None where there is no such place."""
    from tzfpy import get_tz

    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    return get_tz(longitude, latitude) or None
