"""Claims on a PostgreSQL that knows nothing of its tables, and claims that take long: sending goes
on at its pace.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, text

import storage.claims
from storage.claims import Claim
from storage.db import Db, Store
from storage.opening import open_store
from tests.deliver.test_worker import Bench, Running
from tests.faults.test_senders import READER, bench

ALERTS, CHATS = 30, 300
_READERS = """
INSERT INTO chat (id, kind, language, time_zone, home, style, active, created_at)
SELECT n, 'private', 'en', 'UTC', 'KGS', 'full', true, now() FROM generate_series(1, :chats) AS n
"""
_BACKLOG = """
INSERT INTO delivery (alert_id, chat_id, lane, state, not_before, expires_at)
SELECT a, n, 1, 'pending', now(), now() + interval '1 day'
FROM generate_series(1, :alerts) AS a, generate_series(1, :chats) AS n ORDER BY a, n
"""
# alerts of the bench, already given to all readers of it
_ALERTS = """
INSERT INTO alert (dedup_key, kind, payload, severity, lane, reasons, audience_key,
  created_at, expires_at, fanned_at)
SELECT 'p24:' || a, 'notice',
  '{"v": 1, "msgid": "notice.topic", "values": [["chat", "1"]]}', 'notable', 1,
  '{"v": 1, "reasons": []}', 'topic:security', now(), now() + interval '1 day', now()
FROM generate_series(1, :alerts) AS a
"""
_TO_READERS = """
INSERT INTO delivery (alert_id, chat_id, lane, state, not_before, expires_at)
SELECT alert.id, chat.id, 1, 'pending', now(), alert.expires_at
FROM alert, chat
ORDER BY alert.id, chat.id
"""


def without_statistics(url: str, *, table: str = "delivery") -> None:
    """Nobody but a test makes statistics of this table."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")


async def claimed(db: Db, limit: int = 125) -> Claim:
    """One claim of at most so many."""
    return await storage.claims.claim(
        db,
        token="t",
        rate=1000,
        horizon=timedelta(seconds=0.5),
        lease=timedelta(seconds=30),
        limit=limit,
    )


async def plan_of_a_claim(db: Db, limit: int) -> str:
    """The plan that finds a claim's rows, with what was read for it; they are not leased."""
    asked: list[tuple[str, Any]] = []

    def note(
        _c: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
    ) -> None:
        asked.append((statement, parameters))

    event.listen(db.sync_connection, "before_cursor_execute", note)
    await claimed(db, limit)
    event.remove(db.sync_connection, "before_cursor_execute", note)
    await db.execute(text("UPDATE delivery SET state = 'pending' WHERE state = 'leased'"))
    await db.execute(text("UPDATE chat SET tat = NULL"))
    (due,) = [
        (statement, parameters) for statement, parameters in asked if "SKIP LOCKED" in statement
    ]
    rows = await db.exec_driver_sql(f"EXPLAIN (ANALYZE, TIMING OFF) {due[0]}", due[1])
    return "\n".join(str(row[0]) for row in rows)


@pytest.mark.postgres
@pytest.mark.parametrize("known", ["nothing", "an empty table", "a small table", "all of it"])
async def test_P24_a_claim_walks_the_index_whatever_the_server_knows_of_the_table(
    migrated_postgres_url: str, known: str
) -> None:
    """As far as it claims and no further: never all that waits, never sorted, never a whole
    table.
    """
    store = await open_store(migrated_postgres_url)
    try:
        for table in ("delivery", "chat"):
            without_statistics(migrated_postgres_url, table=table)
        async with store.writing() as db:
            if known == "an empty table":
                await db.execute(text("ANALYZE"))
            await db.execute(text(_READERS), {"chats": CHATS})
            if known == "a small table":
                await db.execute(text(_BACKLOG), {"chats": 1, "alerts": 1})
                await db.execute(text("ANALYZE"))
                await db.execute(text("DELETE FROM delivery"))
            await db.execute(text(_BACKLOG), {"chats": CHATS, "alerts": ALERTS})
            if known == "all of it":
                await db.execute(text("ANALYZE"))
            found = await plan_of_a_claim(db, 25)
        driver = re.search(
            r"Index Scan using ix_delivery_due on delivery .*actual rows=([\d.]+)", found
        )
        assert driver is not None, found
        assert float(driver[1]) <= 2 * 25, found
        assert "Index Scan using ix_delivery_open on delivery other" in found, found
        assert not re.search(r"Seq Scan|Sort Key|Hash|JIT", found), found
    finally:
        await store.close()


@asynccontextmanager
async def backlog(
    url: str, rate: float, *, chats: int = CHATS, alerts: int = ALERTS
) -> AsyncIterator[Bench]:
    """A sender that finds so many alerts waiting for so many readers each."""
    async with bench(url, readers=chats, rate=rate) as one:
        async with one.store.writing() as db:
            await db.execute(text(_ALERTS), {"alerts": alerts})
            await db.execute(text(_TO_READERS))
        yield one


async def lost_slots(store: Store) -> float:
    """The number of leases for each delivery that was sent."""
    async with store.reading() as db:
        rows = await db.execute(text("SELECT sum(fence), sum((state = 'sent')::int) FROM delivery"))
        leased, sent = rows.one()
    return float(leased) / float(sent)


@pytest.mark.postgres
@pytest.mark.parametrize("rate", [25.0, 200.0, 1000.0])
@pytest.mark.parametrize("autovacuum", ["as shipped", "off"])
@pytest.mark.cases(keep=1)
async def test_P24_a_backlog_without_statistics_is_sent_from_the_start(
    migrated_postgres_url: str, rate: float, autovacuum: str
) -> None:
    """Claimed messages are sent: no slots are thrown away round by round until statistics come."""
    if autovacuum == "off":
        for table in ("delivery", "chat", "alert"):
            without_statistics(migrated_postgres_url, table=table)
    async with backlog(migrated_postgres_url, rate) as one, Running(one):
        goal = min(int(rate * 4), 600)
        accepted = 0
        # at its pace 4 s; in the worst state it was ever seen in, never
        async with asyncio.timeout(60):
            after = 0
            while accepted < goal:
                call = await one.emulator.calls.wait(
                    lambda call: call.accepted, after=after, timeout=60
                )
                after, accepted = call.number, accepted + 1
        await one.worker.marks.write()
        # which beside busy processes is more than one loop with its Telegram can do
        if rate < 1000.0:
            assert await lost_slots(one.store) < 3


@pytest.mark.parametrize(
    ("seconds", "count"),
    [(0.1, 1), pytest.param(0.6, 80, marks=pytest.mark.slow), (1.5, 80), (1.5, 1)],
)
@pytest.mark.cases(keep=1)
async def test_P24_claims_that_take_long_lose_no_slots_round_after_round(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch, seconds: float, count: int
) -> None:
    """Longer than slots are reserved ahead: they are asked for earlier, and for more, and nearly
    all are used; a single message is sent too, though its slot would pass before the answer.
    """
    claim = storage.claims.claim
    rounds = []

    async def slow(db: Db, **words: Any) -> Claim:
        found = await claim(db, **words)
        rounds.append(len(found.deliveries))
        await asyncio.sleep(seconds)
        return found

    monkeypatch.setattr("storage.claims.claim", slow)
    # as beside another sender: a late slot is lost
    monkeypatch.setattr("bot.deliver.slots.SHARED_LOOKBACK", timedelta(days=1))
    rate = 20.0
    async with bench(migrated_url, readers=count, rate=rate) as one:
        one.worker.slots.shared_until = math.inf
        await one.alert()
        async with Running(one):
            for number in range(READER, READER + count):
                await one.arrived(number, timeout=60)
        whole = count / rate  # seconds at full pace
        assert len([size for size in rounds if size]) <= 2 * whole / seconds + 6, rounds
        async with one.store.reading() as db:
            leased = (await db.execute(text("SELECT sum(fence) FROM delivery"))).scalar_one()
        assert leased <= 1.5 * count, rounds
        assert [one.accepted(number) for number in range(READER, READER + count)] == [1] * count
