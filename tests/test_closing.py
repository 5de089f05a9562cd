"""The program closes all that it opens."""

from __future__ import annotations

import asyncio
import gc
import warnings
from pathlib import Path

import psutil

from bot.app import run
from bot.assembly import opened
from bot.clock import utc_now
from bot.config import load_settings
from bot.places import zone_at
from bot.sources.catalog import parse_catalog


async def test_a_stop_during_the_start_leaves_nothing_that_was_never_begun(tmp_path: Path) -> None:
    """Python warns of what was made and never awaited."""
    stop = asyncio.Event()
    stop.set()
    settings = load_settings(
        bot_token="1234567:" + "a" * 35,
        bot_api_url="http://127.0.0.1:9",
        database_url=f"sqlite:///{tmp_path / 'jarchy.db'}",
        ops_listen="off",
    )
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        await run(settings, parse_catalog(""), stop=stop)
        gc.collect()
    assert [str(one.message) for one in warned if "never awaited" in str(one.message)] == []


async def test_the_workers_that_answer_readers_end_with_the_program(tmp_path: Path) -> None:
    """Charts and zones have a process kept for them; the composition root opened its pool."""
    settings = load_settings(
        bot_token="1234567:" + "a" * 35,
        bot_api_url="http://127.0.0.1:9",
        database_url=f"sqlite:///{tmp_path / 'jarchy.db'}",
        ops_listen="off",
    )
    async with opened(settings, parse_catalog(""), utc_now) as bot:
        workers = bot.services.workers
        assert await workers.run(zone_at, 42.87, 74.59, timeout=60) == "Asia/Bishkek"
        (process,) = workers.processes
        assert psutil.pid_exists(process)
        assert workers is bot.ingest.workers  # one pool, which keeps a process for readers
    assert not workers.processes
    assert not psutil.pid_exists(process)
