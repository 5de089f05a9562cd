"""The surroundings of the real program here: an emulated Telegram, and publishers without news."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.emulator import TEST_TOKEN, Emulator
from tests.e2e.program import READER, kill_all
from tests.publishers import QUIET, TODAY, Publishers, daily, rss


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """A Telegram with one reader."""
    async with Emulator(TEST_TOKEN, "jarchy_bot") as telegram:
        telegram.add_private(telegram.add_user(READER, "Aigul", "en"))
        yield telegram


@pytest.fixture
async def publishers() -> AsyncIterator[Publishers]:
    """A bank whose rate of yesterday holds, and a quiet feed."""
    async with Publishers() as server:
        server.put(
            "/daily.xml",
            daily(f"{TODAY - timedelta(days=1):%d.%m.%Y}", "84,7935", "98,8523", "1,1948"),
        )
        server.put("/feed.xml", rss(QUIET))
        yield server


@pytest.fixture(autouse=True)
async def no_program_left() -> AsyncIterator[None]:
    """Programs that a failed test started end with it."""
    yield
    await kill_all()
