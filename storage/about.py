"""The database itself, as an operator asks about it: what it is, how large, who works on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    extract,
    func,
    select,
    text,
    type_coerce,
)

from bot.errors import ConfigError
from bot.model.roles import Holder, Role
from storage.db import Db, Store, db_now
from storage.keeping import nights_of
from storage.schema import entry, lease, pace, rate, series

HOURS = 24  # of a trend
HOUR_SECONDS = 3600
NEW_RATES = timedelta(days=10)  # a rate of an earlier day is history that was filled in
HEART_STOPPED = timedelta(seconds=15)  # a replica that was not heard of for so long is not counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """What kind of database this is, its version and size, and the schema it has."""

    kind: str
    version: str
    size: int
    schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRole:
    """A role that a process has now."""

    role: Role
    holder: Holder


@dataclass(frozen=True, slots=True, kw_only=True)
class Backups:
    """The nightly copies: how many, and the day of the newest."""

    count: int
    newest_on: date | None


async def database(db: Db) -> Database:
    """The open database."""
    schema = (await db.execute(text("SELECT version_num FROM alembic_version"))).scalar()
    if db.dialect.name == "sqlite":
        version = (await db.execute(text("SELECT sqlite_version()"))).scalar()
        pages = (await db.execute(text("PRAGMA page_count"))).scalar_one()
        size = pages * (await db.execute(text("PRAGMA page_size"))).scalar_one()
        kind = "SQLite"
    else:
        version = (await db.execute(text("SHOW server_version"))).scalar()
        size = (await db.execute(text("SELECT pg_database_size(current_database())"))).scalar_one()
        kind = "PostgreSQL"
    return Database(kind=kind, version=str(version), size=int(size), schema=str(schema))


def backups(store: Store, setting: str | None) -> Backups | None:
    """The nightly copies that are on this machine, by the setting BACKUPS; None: none are made."""
    places = nights_of(store.url, setting)
    if places is None:
        return None
    copies = places.made
    newest = None
    if copies:
        newest = places.night_of(copies[-1])
    return Backups(count=len(copies), newest_on=newest)


async def roles(db: Db) -> Sequence[HeldRole]:
    """The roles that somebody has at this moment, by name."""
    held = select(lease.c.name, lease.c.holder).where(lease.c.until > await db_now(db))
    found: list[HeldRole] = []
    for row in await db.execute(held.order_by(lease.c.name)):
        found.append(HeldRole(role=Role.parse(row.name), holder=Holder.parse(row.holder)))
    return found


async def replicas(db: Db) -> int | None:
    """How many processes take jobs of the queue that replicas share; None without one."""
    if db.dialect.name == "sqlite":
        return None
    there = await db.execute(text("SELECT to_regclass('procrastinate_workers') IS NOT NULL"))
    if not there.scalar():
        return None
    beating = text("SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > :since")
    since = await db_now(db) - HEART_STOPPED
    return int((await db.execute(beating, {"since": since})).scalar_one())


async def must_rest(db: Db) -> None:
    """ConfigError while replicas work on a server; a file's own lock says so better."""
    if await replicas(db):
        raise ConfigError(
            "a Jarchy is running on the database: stop it first (one that was killed counts for "
            f"{HEART_STOPPED.seconds} seconds)"
        )


async def paused_until(db: Db, token: str) -> datetime | None:
    """Until when Telegram wants nothing of us; None where it takes what comes."""
    query = select(pace.c.paused_until).where(pace.c.name == token)
    until: datetime | None = (await db.execute(query)).scalar()
    if until is None or until <= await db_now(db):
        return None
    return until


async def trends(db: Db, *, now: datetime) -> dict[str, tuple[int, ...]]:
    """How much each source brought in each of the last 24 hours, the oldest hour first.

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
            place = int(row.hour) - first
            if 0 <= place < HOURS:  # what a clock set back left in the future has no hour here
                found.setdefault(row.source, [0] * HOURS)[place] += row.n
    return {source: tuple(hours) for source, hours in found.items()}


def _hour(db: Db, at: Column[datetime]) -> ColumnElement[int]:
    """The hour of a moment, counted from 1970."""
    if db.dialect.name == "sqlite":  # microseconds, see `storage.types`
        return type_coerce(at, BigInteger) // (HOUR_SECONDS * 1_000_000)
    return func.floor(extract("epoch", at) / HOUR_SECONDS).cast(BigInteger)
