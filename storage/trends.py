"""Trends: how much each source brought of late, an hour a figure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Column, ColumnElement, extract, func, select, type_coerce

from storage.db import Db
from storage.schema import entry, rate, series

HOURS = 24  # of a trend
HOUR_SECONDS = 3600
NEW_RATES = timedelta(days=10)  # a rate of an earlier day is history that was filled in


async def trends(db: Db, *, now: datetime) -> dict[str, tuple[int, ...]]:
    """The amounts that each source brought in each of the last 24 hours, the oldest hour first.

    New entries, and rates of a bank; a source that brought nothing is not there.
    """
    last = int(now.timestamp()) // HOUR_SECONDS
    first = last - HOURS + 1
    since = datetime.fromtimestamp(first * HOUR_SECONDS, UTC)
    seen = _hour(db, entry.c.seen_at).label("hour")
    of_entries = (
        select(entry.c.feed.label("source"), seen, func.count().label("n"))
        .where(entry.c.seen_at >= since)
        .group_by(entry.c.feed, seen)
    )
    seen = _hour(db, rate.c.seen_at).label("hour")
    of_rates = (
        select(series.c.source, seen, func.count().label("n"))
        .join(rate, rate.c.series_id == series.c.id)
        # the key's own order: of each series the last days alone are looked at
        .where(rate.c.effective_on >= now.date() - NEW_RATES, rate.c.seen_at >= since)
        .group_by(series.c.source, seen)
    )
    found: dict[str, list[int]] = {}
    for query in (of_entries, of_rates):
        for row in await db.execute(query):
            hour = int(row.hour) - first
            if 0 <= hour < HOURS:  # what a clock set back left in the future has no hour here
                found.setdefault(row.source, [0] * HOURS)[hour] += row.n
    return {source: tuple(hours) for source, hours in found.items()}


def _hour(db: Db, at: Column[datetime]) -> ColumnElement[int]:
    """The hour of a moment, counted from 1970."""
    if db.dialect.name == "sqlite":  # microseconds, see `storage.types`
        return type_coerce(at, BigInteger) // (HOUR_SECONDS * 1_000_000)
    return func.floor(extract("epoch", at) / HOUR_SECONDS).cast(BigInteger)
