"""Many sources polled at once: the first time, unchanged, and with one entry more each.

The baseline is the package `reader` on the same feeds of the same run, where `make bench` prepared
its environment; and for feeds that did not change aiohttp without anything around it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bench import world
from bench.feeds import host_of, tag_of
from bench.figure import Figure, Goal
from bot.clock import utc_now
from bot.fetch import Fetcher, Limits
from bot.ingest import Ingest
from bot.ingest.side_by_side import POLLS_AT_ONCE, SOURCES_AT_ONCE, SideBySide
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog, NewsSpec, RateSpec
from bot.workers import Workers

FEEDS, FEW = 400, 100
ENTRIES = 20  # of a feed at first
ROUNDS = {"first": 0, "unchanged": 0, "changed": 1}  # entries more than at first
BESIDE_BARE = 0.4
GOALS = {"first": 3.0, "unchanged": 8.0, "changed": 10.0}


@asynccontextmanager
async def publishers(
    count: int, entries: int = ENTRIES, *, alike: bool = True
) -> AsyncIterator[int]:
    """`count` hosts with a feed each, of `entries` entries, `alike` or not; their port."""
    words = ["-m", "bench.feeds", str(count), str(entries), *([] if alike else ["unlike"])]
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


def catalog_text(port: int, count: int) -> str:
    """The catalog of those feeds, as a file has it."""
    return "".join(
        f'[feeds.s{number}]\nname = {{ en = "S{number}" }}\n'
        f'url = "http://{host_of(number)}:{port}/rss"\n'
        for number in range(count)
    )


def catalog(port: int, count: int) -> Catalog:
    return parse_catalog(catalog_text(port, count))


async def publish(port: int, version: int, *, every: int = 1) -> None:
    """Publish `version` entries more than at first, on every `every`-th host."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/version/{version}?every={every}") as answer,
    ):
        assert answer.status == 200


PollAll = Callable[[Iterable[RateSpec | NewsSpec]], Awaitable[None]]


@asynccontextmanager
async def polling(known: Catalog) -> AsyncIterator[PollAll]:
    """Polls sources side by side, as the program does, into a store of its own."""
    async with (
        world.sqlite_store() as store,
        Workers() as workers,
        Fetcher(limits=Limits(pause=0)) as fetcher,
    ):
        ingest = Ingest(
            store=store, fetcher=fetcher, workers=workers, clock=utc_now, feeds=known.news
        )

        async def poll(spec: RateSpec | NewsSpec) -> None:
            report = await ingest.poll(spec)
            assert report.error is None, report.error

        async def poll_all(specs: Iterable[RateSpec | NewsSpec]) -> None:
            async with asyncio.TaskGroup() as tasks:
                polls: SideBySide[RateSpec | NewsSpec] = SideBySide(
                    tasks, poll, at_once=POLLS_AT_ONCE
                )
                for spec in specs:
                    polls.start(spec)

        yield poll_all


async def _ours(port: int, count: int) -> dict[str, float]:
    """Seconds of each round."""
    known = catalog(port, count)
    seconds: dict[str, float] = {}
    async with polling(known) as poll_all:
        for name, version in ROUNDS.items():
            await publish(port, version)
            began = time.perf_counter()
            await poll_all(known.polled)
            seconds[name] = time.perf_counter() - began
    return seconds


async def _reader(port: int, count: int) -> dict[str, float] | None:
    """The same of the package `reader`; None where `make bench` did not prepare it."""
    python = Path(sys.prefix) / "reader" / "bin" / "python"
    if not python.exists():
        return None
    script = Path(__file__).parent / "reader" / "loop.py"
    url = f"http://{{host}}:{port}/rss"
    process = await asyncio.create_subprocess_exec(
        *(python, script, url, str(count)), stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    seconds: dict[str, float] = {}
    for name, version in ROUNDS.items():
        await publish(port, version)
        process.stdin.write(b"\n")
        seconds[name] = float(await process.stdout.readline())
    process.stdin.close()
    assert await process.wait() == 0
    return seconds


async def _bare(port: int, count: int) -> float:
    """Seconds in which aiohttp alone asks all hosts, each by a connection of its own, and hears
    that nothing changed: no poll that goes through it is quicker.
    """
    known = {"If-None-Match": tag_of(0)}
    turn = asyncio.Semaphore(SOURCES_AT_ONCE)
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask(number: int) -> None:
            url = f"http://{host_of(number)}:{port}/rss"
            async with turn, session.get(url, headers=known) as answer:
                assert answer.status == 304

        began = time.perf_counter()
        await asyncio.gather(*map(ask, range(count)))
        return time.perf_counter() - began


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """Sources a second of each round."""
    count = FEW if quick else FEEDS
    async with publishers(count) as port:
        theirs = await _reader(port, count)
        ours = await _ours(port, count)
        await publish(port, 0)
        bare = await _bare(port, count)
    figures: list[Figure] = []
    for name, seconds in ours.items():
        baseline = count / theirs[name] if theirs is not None else None
        figures.append(
            Figure(
                name=f"polls, {name}",
                value=count / seconds,
                unit="sources/s",
                baseline=baseline,
                goal=Goal(of="ratio", least=GOALS[name]),
                note=f"{count} feeds of {ENTRIES} entries; reader",
            )
        )
    figures.append(
        Figure(
            name="polls, unchanged, aiohttp",
            value=count / ours["unchanged"],
            unit="sources/s",
            baseline=count / bare,
            goal=Goal(of="ratio", least=BESIDE_BARE),
            note="aiohttp alone, that parses and stores nothing",
        )
    )
    return figures
