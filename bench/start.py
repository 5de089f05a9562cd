"""From nothing to ready, and what the idle bot keeps in memory.

The bot is the real program in a process, beside the emulator in another and a bank on loopback. The
baseline is a process that imports the libraries every such bot needs (python-telegram-bot, aiohttp,
SQLAlchemy) and says so.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psutil
from aiohttp import web

from bench.figure import Figure, Goal
from tests.publishers import bank_at

ROOT = Path(__file__).resolve().parents[1]
SETTLE = 4.0  # seconds after ready: menus are set, the first polls are over
MEGABYTE = 1024 * 1024
_BARE = """
import sys, aiohttp, aiosqlite, sqlalchemy.ext.asyncio, telegram.ext
sys.stderr.write('"event": "ready"\\n'); sys.stderr.flush(); sys.stdin.read()
"""


@asynccontextmanager
async def bank() -> AsyncIterator[str]:
    """A publisher of one small document."""
    rows = "".join(
        f'<Currency ISOCode="{code}"><Nominal>1</Nominal><Value>{value}</Value></Currency>'
        for code, value in (("USD", "84,7935"), ("EUR", "98,8523"))
    )
    day = f"{datetime.now(UTC):%d.%m.%Y}"
    document = (
        f'<?xml version="1.0" encoding="utf-8"?><CurrencyRates Name="Daily" '
        f'Date="{day}">{rows}</CurrencyRates>'
    )

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(text=document, content_type="application/xml")

    app = web.Application()
    app.router.add_get("/daily.xml", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def process(
    *arguments: str, folder: Path, env: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A child that is gone afterwards, whatever happened."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=folder, env=env, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.terminate()
        try:
            async with asyncio.timeout(15):
                await child.communicate()
        except TimeoutError:
            child.kill()
            await child.wait()


async def to_ready(
    *arguments: str, folder: Path, env: Mapping[str, str], settle: float | None
) -> tuple[float, float]:
    """Seconds from starting a program to its line "ready", and its resident megabytes `settle`
    seconds later.
    """
    begun = time.perf_counter()
    async with process(*arguments, folder=folder, env=env) as child:
        assert child.stderr is not None
        log = b""
        async for line in child.stderr:
            log += line
            if b'"event": "ready"' in line:
                break
        else:
            raise AssertionError(log.decode())
        took = time.perf_counter() - begun
        if settle is None:
            return took, 0.0
        await asyncio.sleep(settle)
        return took, psutil.Process(child.pid).memory_info().rss / MEGABYTE


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """Several starts with a migrated database; medians; the memory of the last."""
    starts = 3 if quick else 5
    with tempfile.TemporaryDirectory(prefix="jarchy-bench-") as name:
        folder = Path(name)
        base = {**{key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}}
        base["PYTHONPATH"] = str(ROOT)
        async with (
            process("-m", "bot.emulator", folder=folder, env=base) as telegram,
            bank() as url,
        ):
            assert telegram.stdout is not None
            where = json.loads(await telegram.stdout.readline())
            (folder / "catalog.toml").write_text(bank_at(url, every="30m"))
            env = {
                **base,
                "BOT_TOKEN": where["token"],
                "BOT_API_URL": where["api_url"],
                "DATABASE_URL": f"sqlite:///{folder / 'jarchy.db'}",
                "CATALOG": str(folder / "catalog.toml"),
                "OPS_LISTEN": "127.0.0.1:0",
                "LOG_FORMAT": "json",
            }
            # migrates, warms the disk
            await to_ready("-m", "bot", "run", folder=folder, env=env, settle=None)
            ours = [
                await to_ready(
                    "-m", "bot", "run", folder=folder, env=env, settle=SETTLE if last else None
                )
                for last in [False] * (starts - 1) + [True]
            ]
            bare = [
                await to_ready("-c", _BARE, folder=folder, env=base, settle=1.0 if last else None)
                for last in [False] * (starts - 1) + [True]
            ]
    note = "a process that only imports the libraries"
    return [
        Figure(
            name="start to ready",
            value=median(took for took, _ in ours),
            unit="s",
            baseline=median(took for took, _ in bare),
            goal=Goal(of="figure", most=2),
            note=note,
        ),
        Figure(
            name="memory of the idle bot",
            value=ours[-1][1],
            unit="MB",
            baseline=bare[-1][1],
            goal=Goal(of="figure", most=110),
            note=note,
        ),
    ]
