"""`/rates` on a cache miss, over an archive of five million rates and one of five thousand:
look-ups must not grow.
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from statistics import median

from bench import world
from bench.figure import Figure, Goal
from bot.model.subjects import CURRENCIES
from bot.readers.rates import rate_card
from bot.render import rates as render
from storage.db import Store

BANKS = 12
FEW_RATES, MANY_RATES, QUICK_RATES = 5_000, 5_000_000, 500_000
BOTH = ("SQLite", "PostgreSQL")


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """Both archives of each database in turn; medians."""
    figures = []
    for name in BOTH:
        async with AsyncExitStack() as stack:
            opened = world.sqlite_store if name == "SQLite" else world.postgres_store
            small, large = [await stack.enter_async_context(opened()) for _ in range(2)]
            await world.add_archive(small, FEW_RATES, banks=BANKS)
            many = await world.add_archive(large, QUICK_RATES if quick else MANY_RATES, banks=BANKS)
            took = await _ask(small, large, 100 if quick else 300)
        figures.append(
            Figure(
                name=f"/rates over {many:,} rates, {name}",
                value=took[1],
                unit="ms",
                baseline=took[0],
                goal=Goal(of="ratio", most=1.2),
                note="the same card over 5,000 rates",
            )
        )
    return figures


async def _ask(small: Store, large: Store, times: int) -> tuple[float, float]:
    """The median milliseconds from the question to its words, store by store in turn."""
    took: dict[Store, list[float]] = {small: [], large: []}
    catalog = world.catalog()
    for _ in range(times + 20):
        for store, spans in took.items():
            now = datetime.now(UTC)
            start = time.perf_counter()
            async with store.reading() as db:
                card = await rate_card(db, catalog, home="KGS", now=now)
            render.card(card, "en")
            spans.append(time.perf_counter() - start)
            assert len(card.rows) == len(CURRENCIES)
    return median(took[small][20:]) * 1000, median(took[large][20:]) * 1000
