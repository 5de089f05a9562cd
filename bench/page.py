"""The operator's page at a thousand sources: the time until a browser first paints it, and its
size.

The real program in a process, once it has polled a thousand feeds, and the system's Chromium on
loopback. Times are the browser's own (`performance.getEntriesByType`) and count from the moment the
page is asked for: in them the program reads the whole and makes the document. The baseline is the
same document out of memory.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import aiohttp
import psutil
from playwright.async_api import Browser, async_playwright

from bench.figure import Figure, Goal
from bench.polls import catalog_text, publishers
from bench.soak import environment, share_of_a_core
from bench.start import process
from bot.emulator import TEST_TOKEN, Emulator
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.publishers import Publishers

SOURCES = 1_000
POLLED_WITHIN = 120.0  # seconds for all of them
AT_REST = 5.0  # percent of a core; what was polled is indexed then, too
LARGEST = 50  # kilobytes
FIRST_PAINT = 300  # milliseconds
#: As a promise: the page's policy lets nothing be evaluated again and again until it is so.
_PAINTED = """() => new Promise((painted) => {
  new PerformanceObserver((list) => {
    for (const one of list.getEntriesByName("first-contentful-paint")) painted(one.startTime);
  }).observe({ type: "paint", buffered: true });
})"""


class _Watched:
    """The program's log as it is written: its page's address, and whether it has polled all."""

    def __init__(self) -> None:
        self.address = ""
        self.polled = asyncio.Event()

    async def read(self, log: asyncio.StreamReader) -> None:
        """Read on to the end: a program whose log nobody reads stands still."""
        left = SOURCES
        async for line in log:
            said = json.loads(line)
            if said["event"] == "listening":
                self.address = said["address"]
            left -= said["event"] == "polled"
            if not left:
                self.polled.set()


@asynccontextmanager
async def _program(folder: Path) -> AsyncIterator[str]:
    """The address of the page of a program that has polled all and is at rest."""
    async with Emulator(TEST_TOKEN) as telegram, publishers(SOURCES) as port:
        (folder / "catalog.toml").write_text(catalog_text(port, SOURCES))
        env = environment(folder, telegram)
        async with process("-m", "bot", "run", folder=folder, env=env) as bot:
            assert bot.stderr is not None
            watched = _Watched()
            reading = asyncio.create_task(watched.read(bot.stderr))
            try:
                async with asyncio.timeout(POLLED_WITHIN):
                    await watched.polled.wait()
                    main = psutil.Process(bot.pid)
                    while await share_of_a_core(main, seconds=1.0) > AT_REST:
                        pass
                yield f"http://{watched.address}/status"
            finally:
                reading.cancel()


async def _first_paint(browser: Browser, address: str) -> float:
    """Milliseconds until somebody sees the page who was never here."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    await page.goto(address)
    painted: float = await page.evaluate(_PAINTED)
    await context.close()
    return painted


class _Looks:
    """The milliseconds of each look: a browser's first one, others, and those at the same document
    out of memory; the page's bytes.
    """

    def __init__(self) -> None:
        self.first: list[float] = []
        self.others: list[float] = []
        self.plain: list[float] = []
        self.size = 0

    async def look(self, browser: Browser, address: str, memory: Publishers, *, times: int) -> None:
        """Look with a browser that was just started."""
        self.first.append(await _first_paint(browser, address))
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            body = await answer.read()
        memory.put("/status", body, kind="text/html")
        self.size = len(body)
        for _ in range(times):
            self.others.append(await _first_paint(browser, address))
            self.plain.append(await _first_paint(browser, f"{memory.url}/status"))


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """Medians over several browsers."""
    if not CHROMIUM.exists():
        print("no Chromium on this machine: nobody looks at the page", file=sys.stderr)
        return []
    looks = _Looks()
    with tempfile.TemporaryDirectory(prefix="jarchy-bench-") as name:
        async with (
            _program(Path(name)) as address,
            Publishers() as memory,
            async_playwright() as playwright,
        ):
            for _ in range(2 if quick else 5):
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                await looks.look(browser, address, memory, times=4 if quick else 10)
                await browser.close()
    return [
        Figure(
            name="operator's page, first paint",
            value=median(looks.others),
            unit="ms",
            baseline=median(looks.plain),
            goal=Goal(of="figure", most=FIRST_PAINT),
            note=f"{SOURCES} sources; the same document out of memory",
        ),
        Figure(
            name="  in a browser just started",
            value=median(looks.first),
            unit="ms",
            goal=Goal(of="figure", most=FIRST_PAINT),
            note=f"the program's first answer {looks.first[0]:.0f}",
        ),
        Figure(
            name="  its size",
            value=looks.size / 1024,
            unit="KB",
            goal=Goal(of="figure", most=LARGEST),
        ),
    ]
