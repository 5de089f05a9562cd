"""What of an institute's list is near, as its section of the catalog says it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.hazards import Reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Within so many kilometres of a place."""

    latitude: float
    longitude: float
    radius_km: float

    def holds(self, one: Reported) -> bool:
        """Whether a hazard, or an area that is warned of, is so near.

        One without a place is not, but a warning that names its districts alone may be for this
        one, and is: rather told to some whom it does not concern than to nobody.
        """
        if one.areas is None:
            away = one.hazard.distance_km(self.latitude, self.longitude)
            return away is not None and away <= self.radius_km
        around = (area.km_from(self.latitude, self.longitude) for area in one.areas)
        return not one.areas or min(around) <= self.radius_km
