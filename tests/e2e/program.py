"""The real program as a process, beside an emulated Telegram and publishers on loopback."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from aiohttp import web

from bot.emulator import TEST_TOKEN, Emulator
from tests.conftest import ROOT

READER, CHANNEL = 1001, -1001234567890


class Publishers:
    """HTTP sources whose documents a test changes while the program runs."""

    def __init__(self) -> None:
        self.documents: dict[str, tuple[int, str, bytes]] = {}
        self.asked: list[str] = []
        self._news = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.url = ""

    def put(self, path: str, body: bytes, *, status: int = 200, kind: str = "application/xml") -> None:
        """Publish a document."""
        self.documents[path] = (status, kind, body)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        status, kind, body = self.documents.get(request.path, (404, "text/plain", b"no"))
        async with self._news:
            self.asked.append(request.path)
            self._news.notify_all()
        return web.Response(status=status, body=body, content_type=kind)

    async def asked_again(self, path: str, times: int = 1) -> None:
        """Wait until a document was asked for so many times from now."""
        goal = self.asked.count(path) + times
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: self.asked.count(path) >= goal)


class Program:
    """`python -m bot run`; each line of its log can be awaited."""

    def __init__(self, folder: Path, emulator: Emulator, catalog: str, **settings: str) -> None:
        self.folder = folder
        (folder / "catalog.toml").write_text(catalog)
        self.environment: Mapping[str, str] = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "PYTHONPATH": str(ROOT),
            "BOT_TOKEN": TEST_TOKEN,
            "BOT_API_URL": emulator.api_url,
            "DATABASE_URL": f"sqlite:///{folder / 'jarchy.db'}",
            "CATALOG": str(folder / "catalog.toml"),
            "OPS_LISTEN": "127.0.0.1:0",
            "POLL_EVERY": "1s",
            "LOG_FORMAT": "json",
            **settings,
        }
        self.process: asyncio.subprocess.Process | None = None
        self.log: list[str] = []
        self._lines = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None

    async def start(self, *, ready: bool = True) -> None:
        """Start it and wait until it says it is ready."""
        self.log = []
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "run",
            cwd=self.folder,
            env=dict(self.environment),
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        self._reader = asyncio.create_task(self._read())
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
        async with asyncio.timeout(30), self._lines:
            await self._lines.wait_for(lambda: any(fits(line) or line == "(end)" for line in self.log))
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
            async with asyncio.timeout(20):
                code = await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise AssertionError("it did not end: " + "".join(self.log[-60:])) from None
        await self._reader
        return code
