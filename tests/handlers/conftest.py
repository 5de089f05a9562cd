"""The whole bot in this process, beside an emulated Telegram, with a store of our own rates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import storage.rates
from bot.app import Running, run
from bot.config import load_settings
from bot.emulator import TEST_TOKEN, Emulator
from bot.model.rates import Rate
from bot.sources.catalog import parse_catalog
from tests.factories import rate

READER, GROUP, STRANGER, RUSSIAN = 1001, -1002000000001, 1002, 1003
NOW = datetime(2021, 10, 20, 4, 0, tzinfo=UTC)
CATALOG = """
[rates.nbkr]
name = { en = "National Bank", ru = "Национальный банк", ky = "Улуттук банк" }
urls = ["http://127.0.0.1:9/daily.xml"]
kind = "official"
poll = { every = "30m", zone = "Asia/Bishkek" }
"""


class World:
    """The running bot, the Telegram it believes in and the time it believes it is."""

    bot: Running

    def __init__(self, emulator: Emulator) -> None:
        self.emulator, self.now = emulator, NOW

    async def ask(self, text: str, *, chat: int = READER, fits: str = "") -> dict[str, Any]:
        """Write to the bot; its answer."""
        asked = await self.emulator.send_text(chat, text)
        return await self.emulator.wait_message(
            chat,
            lambda m: m.get("from", {}).get("is_bot", False) and fits in m.get("text", m.get("caption", "")),
            after=asked,
            timeout=20,
        )

    async def keep(self, rates: Sequence[Rate]) -> None:
        """Store rates, as a backfill does."""
        async with self.bot.store.writing() as db:
            await storage.rates.add_history(db, rates, seen_at=NOW)
        self.bot.services.forget_cards()

    async def calls(self, method: str) -> list[Any]:
        """What the bot asked of Telegram by one method, in order."""
        return [call for call in self.emulator.calls if call.method == method]


def days(pair: str, values: Sequence[str], *, last: date | None = None) -> list[Rate]:
    """One rate a day, the last on `last` (default: today)."""
    first = (last or NOW.date()) - timedelta(days=len(values) - 1)
    return [rate(pair, value, str(first + timedelta(days=number))) for number, value in enumerate(values)]


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Started and ready, with the sample's three rates; ended without an error."""
    monkeypatch.chdir(tmp_path)
    telegram = Emulator(TEST_TOKEN, "jarchy_bot", privacy=False)
    await telegram.start()
    telegram.add_private(telegram.add_user(READER, "Aigul", "en"))
    telegram.add_private(telegram.add_user(STRANGER, "Bakyt", "ky"))
    telegram.add_private(telegram.add_user(RUSSIAN, "Vera", "ru"))
    telegram.add_group(GROUP, "Market", members=[STRANGER], admins=[READER])
    settings = load_settings(
        bot_token=TEST_TOKEN,
        bot_api_url=telegram.api_url,
        database_url=f"sqlite:///{tmp_path / 'jarchy.db'}",
        ops_listen="off",
    )
    ready: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    made = World(telegram)
    running = asyncio.create_task(
        run(settings, parse_catalog(CATALOG), clock=lambda: made.now, stop=stop, on_ready=ready.set_result)
    )
    await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
    made.bot = ready.result() if ready.done() else await _failed(running)
    await made.keep([rate(), rate("EUR/KGS", "98.8523"), rate("RUB/KGS", "1.1948")])
    yield made
    stop.set()
    await running
    await telegram.stop()


async def _failed(running: asyncio.Task[None]) -> Running:
    await running
    raise AssertionError("it ended before it was ready")
