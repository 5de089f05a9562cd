"""Quiet hours: a part of each day in which a chat is told nothing that can wait."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from bot.model.local_time import first_instant, last_instant

LONGEST_QUIET = timedelta(hours=20)  # what waits has to come some time of the day
_WRITTEN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_DAY = timedelta(days=1)


class Span(NamedTuple):
    """Quiet hours of one night, as two moments."""

    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From an hour of the day to another, which is tomorrow's where it is the earlier one.

    ValueError of a span that is empty, which is also the whole day, or longer than `LONGEST_QUIET`.
    """

    begins: time
    ends: time

    def __post_init__(self) -> None:
        """Refuse what leaves nothing of the day, or takes nothing of it."""
        if not timedelta(0) < self._length <= LONGEST_QUIET:
            raise ValueError(f"quiet hours of {self._length}")

    @property
    def _length(self) -> timedelta:
        begins = timedelta(hours=self.begins.hour, minutes=self.begins.minute)
        return (timedelta(hours=self.ends.hour, minutes=self.ends.minute) - begins) % _DAY

    def __str__(self) -> str:
        """The one written form: 23:00-07:00."""
        return f"{self.begins:%H:%M}-{self.ends:%H:%M}"

    @classmethod
    def parse(cls, written: str) -> Self:
        """The hours that `str` wrote; ValueError of anything else."""
        found = _WRITTEN.fullmatch(written)
        if found is None:
            raise ValueError(f"no quiet hours: {written[:40]!r}")
        hours = [int(one) for one in found.groups()]
        return cls(time(hours[0], hours[1]), time(hours[2], hours[3]))

    def at(self, now: datetime, zone: str) -> Span:
        """The hours that `now` is within, else the next ones, by the clocks of a zone.

        Where the clocks go forward over one end it is the first instant after the gap. What a clock
        shows twice is quiet both times. A night that the gap leaves nothing of is passed over.
        """
        local_zone = ZoneInfo(zone)
        day = now.astimezone(local_zone).date() - _DAY
        while True:
            until = day if self.begins < self.ends else day + _DAY
            begins_at = first_instant(datetime.combine(day, self.begins), local_zone)
            ends_at = last_instant(datetime.combine(until, self.ends), local_zone)
            if begins_at < ends_at and now < ends_at:
                return Span(begins_at, ends_at)
            day += _DAY
