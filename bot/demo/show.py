"""The demonstration: emulator, chat page, sample world and the real bot in one process."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import storage.rates
import storage.sources
from bot import log
from bot.app import run
from bot.config import Settings
from bot.demo.world import ZONE, World
from bot.detect.moves import replay
from bot.emulator import TEST_TOKEN, Control, Emulator
from bot.model.rates import Pair, Rate, RateKind, Series
from bot.running import Running
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.opening import open_store

CHANNEL = -1002021102000
READER = 1001
GLANCE = 0.1  # seconds between looks at what the bot has heard


async def show(*, port: int, exit_after: float | None, say: Callable[[str], None]) -> None:
    """Bring everything up, say where the chat page is, run for `exit_after` seconds or for ever."""
    log.set_up(None, "warning")
    stop = asyncio.Event()
    world = World()
    await world.start()

    async def next_day() -> str:
        return world.next_day()

    emulator = Emulator(
        TEST_TOKEN,
        "jarchy_bot",
        title="Jarchy",
        controls=[Control(id="next-day", label="Next day", run=next_day)],
        clock=lambda: world.now().timestamp(),
        zone=ZONE.key,
    )
    try:
        await emulator.start(port=port)
        emulator.add_private(emulator.add_user(READER, "Aigul", "en"), started=False)
        emulator.add_channel(CHANNEL, "Jarchy · the herald", "jarchy_herald")
        with tempfile.TemporaryDirectory(prefix="jarchy-demo-") as folder:
            url = f"sqlite:///{Path(folder) / 'demo.db'}"
            await _seed(url, world)
            settings = Settings(
                # an operator with a real token beside must not find the demo speaking with it
                _env_file=None,
                bot_token=TEST_TOKEN,
                bot_api_url=emulator.api_url,
                database_url=url,
                # a free port: the bot itself, or another demo, may have the usual one
                ops_listen="127.0.0.1:0",
                # whoever presses "Next day" waits for what comes of it
                poll_every=timedelta(seconds=2),
            )
            say(emulator.page_url)
            if exit_after is not None:
                asyncio.get_running_loop().call_later(exit_after, stop.set)
            catalog = parse_catalog(world.catalog())
            greeting: list[asyncio.Task[None]] = []
            try:
                await run(
                    settings,
                    catalog,
                    clock=world.now,
                    stop=stop,
                    on_ready=lambda bot: greeting.append(
                        asyncio.create_task(_greet(bot, catalog, say))
                    ),
                )
            finally:
                for task in greeting:
                    task.cancel()
                # stopped before it was ready: nothing to say
                await asyncio.gather(*greeting, return_exceptions=True)
    finally:
        await emulator.stop()
        await world.stop()


async def _greet(bot: Running, catalog: Catalog, say: Callable[[str], None]) -> None:
    """Say that the bot is ready once it has heard every source: earlier answers are half ones."""
    waiting = {*catalog.rates, *catalog.news}
    while waiting and not bot.stopping.is_set():
        async with bot.store.reading() as db:
            known = await storage.sources.states(db)
        for key, state in known.items():
            if state.first_ok_at is not None:
                waiting.discard(key)
        await bot.pause(GLANCE)
    if not waiting:
        say(f"Jarchy is ready; its status page: http://127.0.0.1:{bot.ops_port}/status")


async def _seed(url: str, world: World) -> None:
    """Everything the bank published before the first day, and what readers were last told of it."""
    rates: list[Rate] = []
    series: dict[Series, list[Rate]] = defaultdict(list)
    for day, values in world.history():
        for code, value in values.items():
            rate = Rate(
                source="nbkr",
                pair=Pair(code, "KGS"),
                kind=RateKind.OFFICIAL,
                effective_on=day,
                value=value,
            )
            rates.append(rate)
            series[rate.series].append(rate)
    now = world.now()
    store = await open_store(url)
    try:
        async with store.writing() as db:
            await storage.rates.add_history(db, rates, seen_at=now)
            for history in series.values():
                # Without it the first move would be measured from the oldest rate of the store.
                *_, told = replay(history)
                await storage.rates.set_baseline(
                    db, told.moved.new, severity=told.severity, now=now
                )
    finally:
        await store.close()
