"""Local times as instants: what a clock on a wall shows, where clocks go forward and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def first_instant(wanted: datetime, zone: ZoneInfo) -> datetime:
    """The UTC time of a naive local time; of two in an overlap the first.

    In a gap (the clocks go forward) it is the first instant after the gap.
    """
    before = wanted.replace(tzinfo=zone, fold=0).astimezone(UTC)
    after = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if after >= before:
        return before
    # in a gap each fold counts with the other side's offset: the change lies between
    early, late = after, before
    offset = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def last_instant(wanted: datetime, zone: ZoneInfo) -> datetime:
    """The same as `first_instant`, but of two in an overlap the second: no clock shows it again."""
    first = first_instant(wanted, zone)
    return max(first, wanted.replace(tzinfo=zone, fold=1).astimezone(UTC))
