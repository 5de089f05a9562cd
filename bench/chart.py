"""Charts and a rule's preview: drawn in the worker, sent again by their file id, and what the loop
feels of it.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import median

from bench import world
from bench.figure import Figure, Goal
from bench.reply import CHATS, Handing, incoming, ours
from bot.listening import read_ahead
from bot.render import charts, drawing
from bot.workers import Workers

_PHOTO = (
    b'{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},'
    b'"photo":[{"file_id":"x","file_unique_id":"x","width":1080,"height":720}]}}'
)


class Pictures(Handing):
    """A Telegram that keeps every picture."""

    answer = _PHOTO


class Held:
    """The longest the loop's thread worked without a pause; processor time, because others share
    the machine.
    """

    def __init__(self) -> None:
        self.longest = 0.0

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look on while the body runs."""
        watching = asyncio.create_task(self._watch())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            self.longest = max(self.longest, time.thread_time() - before)


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """Every currency's whole history once, then again; a year's window tried on a year; medians and
    the longest.
    """
    drawn = await _drawn(10 if quick else 40)
    numbers, api, held = count(1), Pictures(), Held()
    again: list[float] = []
    async with world.sqlite_store() as store, ours(store, api) as (_, handle):
        await world.add_rates(store, 20_000 if quick else 80_000, until=datetime.now(UTC).date())
        for _ in range(CHATS):
            await handle(incoming(next(numbers)))  # each chat's first question makes its row
        await handle(incoming(next(numbers), "/chart USD"))  # starts the worker
        await asyncio.to_thread(read_ahead)  # as the program does while it introduces itself
        gc.freeze()  # as the program does when it is ready
        async with held.watched():
            for code in world.CODES:
                await handle(incoming(next(numbers), f"/chart {code} all"))
            for code in world.CODES[:10]:
                await handle(incoming(next(numbers), f"/alert {code} 3% 366d"))
        for code in world.CODES:
            start = time.perf_counter()
            await handle(incoming(next(numbers), f"/chart {code} all"))
            again.append(api.at - start)
    return [
        Figure(
            name="chart in the worker",
            value=median(drawn) * 1000,
            unit="ms",
            goal=Goal(of="figure", most=120),
            note="a year, warm",
        ),
        Figure(
            name="chart sent again",
            value=median(again) * 1000,
            unit="ms",
            goal=Goal(of="figure", most=2),
        ),
        Figure(
            name="loop held by charts and previews",
            value=held.longest * 1000,
            unit="ms",
            goal=Goal(of="figure", most=20),
            note="the longest, of processor time",
        ),
    ]


async def _drawn(times: int) -> list[float]:
    """Seconds that a year's chart takes, asked of a worker that has drawn before."""
    today = datetime.now(UTC).date()
    history = [world.rate("USD", today - timedelta(days=365 - day), day) for day in range(365)]
    told = [one.effective_on for one in history[10::30]]
    took = []
    async with Workers(size=1) as workers:
        for number in range(times + 3):
            picture = charts.chart(
                history, "ru", alerts=told, source_names={}, today=today, dark=bool(number % 2)
            )
            start = time.perf_counter()
            await workers.run(drawing.draw, picture, timeout=30)
            took.append(time.perf_counter() - start)
    return took[3:]
