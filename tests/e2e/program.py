"""The real program as a process, beside an emulated Telegram and publishers on loopback."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.emulator import TEST_TOKEN, Emulator
from tests import forkserver
from tests.publishers import Publishers as Publishers  # noqa: PLC0414 - where it was imported from before
from tests.world import migrated_copy

PATIENCE = 90.0  # seconds for a start or a stop beside busy processes
READER, CHANNEL = 1001, -1001234567890


class Program:
    """`python -m bot run`; each line of its log can be awaited. A database of its own
    is there from the beginning, and empty.
    """

    def __init__(self, folder: Path, emulator: Emulator, catalog: str, **settings: str) -> None:
        self.folder = folder
        (folder / "catalog.toml").write_text(catalog)
        if "DATABASE_URL" not in settings and not (folder / "jarchy.db").exists():
            migrated_copy(folder / "jarchy.db")
        self.environment: Mapping[str, str] = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "PYTHONPATH": str(forkserver.ROOT),
            "BOT_TOKEN": TEST_TOKEN,
            "BOT_API_URL": emulator.api_url,
            "DATABASE_URL": f"sqlite:///{folder / 'jarchy.db'}",
            "CATALOG": str(folder / "catalog.toml"),
            "OPS_LISTEN": "127.0.0.1:0",
            "POLL_EVERY": "1s",
            "LOG_FORMAT": "json",
            **settings,
        }
        self.process: forkserver.Process | asyncio.subprocess.Process | None = None
        self.log: list[str] = []
        self._lines = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None

    async def start(self, *, ready: bool = True) -> None:
        """Start it and wait until it says it is ready."""
        self.log = []
        self.process = await forkserver.start(
            "bot", "run", cwd=self.folder, env=self.environment, stderr=asyncio.subprocess.PIPE
        )
        self._reader = asyncio.create_task(self._read())
        _STARTED.append(self)
        if ready:
            await self.said(lambda line: '"event": "ready"' in line)

    async def _read(self) -> None:
        assert self.process is not None
        assert self.process.stderr is not None
        async for raw in self.process.stderr:
            async with self._lines:
                self.log.append(raw.decode())
                self._lines.notify_all()
        async with self._lines:
            self.log.append("(end)")
            self._lines.notify_all()

    async def said(self, fits: Callable[[str], bool]) -> str:
        """The first line of the log that fits; fails when the program ends without it."""
        async with asyncio.timeout(PATIENCE), self._lines:
            await self._lines.wait_for(
                lambda: any(fits(line) or line == "(end)" for line in self.log)
            )
        found = next((line for line in self.log if fits(line)), None)
        assert found is not None, "".join(self.log)
        return found

    async def end(self, number: signal.Signals | None = signal.SIGTERM) -> int:
        """Send a signal (None: it ends by itself) and wait for the end; returns the exit code."""
        assert self.process is not None
        assert self._reader is not None
        if number is not None and self.process.returncode is None:
            self.process.send_signal(number)
        try:
            async with asyncio.timeout(PATIENCE):
                code = await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise AssertionError("it did not end: " + "".join(self.log[-60:])) from None
        await self._reader
        return code

    async def kill(self) -> None:
        """End it whatever it does, where a test failed before it could; one that has ended is no
        error.
        """
        if self.process is None or self._reader is None:
            return
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._reader


_STARTED: list[Program] = []


async def kill_all() -> None:
    """Leave no program behind: it would go on beside the next test, which hears of its open
    pipes.
    """
    while _STARTED:
        await _STARTED.pop().kill()
