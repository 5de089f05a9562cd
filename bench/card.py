"""The card's query over a small and a large store: index look-ups must not grow with the archive."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from statistics import median

from bench import world
from bench.figure import Figure, Goal
from bot import views
from storage.db import Store


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """Both stores in turn; medians."""
    many, times = (100_000, 100) if quick else (500_000, 300)
    async with world.sqlite_store() as small, world.sqlite_store() as large:
        today = datetime.now(UTC).date()
        await world.add_rates(small, 5_000, until=today)
        await world.add_rates(large, many, until=today)
        took: dict[Store, list[float]] = {small: [], large: []}
        for _ in range(times + 20):
            for store, spans in took.items():
                start = time.perf_counter()
                async with store.reading() as db:
                    card = await views.rate_card(db, world.catalog(), home="KGS", now=datetime.now(UTC))
                spans.append(time.perf_counter() - start)
                assert len(card.rows) == len(views.CURRENCIES)
    return [
        Figure(
            name=f"card over {many:,} rates",
            value=median(took[large][20:]) * 1000,
            unit="ms",
            baseline=median(took[small][20:]) * 1000,
            goal=Goal(of="ratio", most=1.2),
            note="the same card over 5,000 rates",
        )
    ]
