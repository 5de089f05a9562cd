"""Ten thousand sources on two replicas of the whole program and one PostgreSQL: three thousand due
at once, and then all as they are due in a quarter of an hour, while a reader asks.

The replicas are processes of `jarchy run`, the publishers and the server others. That the sources
were polled before is written into the database, but of those that will change. How far they are is
read from it, what the server complained of from its log.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from sqlalchemy import text

from bench.chaos import a_server
from bench.feeds import tag_of
from bench.figure import Figure, Goal
from bench.polls import catalog, catalog_text, publish, publishers
from bench.soak import FIRST, environment
from bench.start import process
from bot.emulator import TEST_TOKEN, Emulator
from bot.sources.specs import NewsSpec
from storage.db import Store
from storage.opening import open_store
from storage.sources import Document, Good, record_success

REPLICAS = 2
MANY_SOURCES, SOME_SOURCES = 10_000, 1_000
AT_ONCE = 3_000  # of these
WRITTEN = 500  # sources written in one transaction
ENTRIES = 2  # of a feed at first
EVERY = 50  # one in so many changed
ROUND = 900.0  # seconds in which all are due once
WATCHED, A_LOOK = 60.0, 20.0  # seconds of it that are watched
SETTLE = 5.0  # seconds until what was due at once is over
LOOK = 1.0  # seconds between looks at what is due
PEOPLE = 60  # who asks too often is not heard
ASKED = 0.25  # seconds between an answer and the next one's question
PATIENCE = 30.0  # seconds for an answer
COMPLAINTS = (" ERROR: ", " FATAL: ", " PANIC: ")
TROUBLE = ('"level": "error"', '"level": "critical"', "Traceback")

#: Every source is due once in a round, from now on.
SPREAD = "UPDATE source SET next_due_at = now() + random() * :round * interval '1 second'"
ALL_DUE = (
    "UPDATE source SET next_due_at = now() "
    "WHERE key IN (SELECT key FROM source ORDER BY random() LIMIT :most)"
)
READ = "SELECT count(*) FROM source WHERE first_ok_at IS NOT NULL"
DUE = (
    "SELECT count(*) AS due, coalesce(extract(epoch FROM max(now() - next_due_at)), 0) AS late "
    "FROM source WHERE next_due_at <= now()"
)
LATER = "SELECT count(*) FROM source WHERE next_due_at <= now() + :watched * interval '1 second'"


@dataclass(slots=True)
class Replicas:
    """The programs that run, what their logs say of trouble, and the processor that they had."""

    running: list[psutil.Process] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    @property
    def processor(self) -> float:
        """Seconds of processor of all, their workers' too."""
        seconds = 0.0
        for replica in self.running:
            for one in (replica, *replica.children(recursive=True)):
                times = one.cpu_times()
                seconds += times.user + times.system
        return seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A round, as far as it was watched.

    `wanted` sources came due; `early` were due before, and `late` at its end. `longest` is the most
    seconds that one was overdue at a look, `share` the percent of a core, `answers` the seconds of
    each.
    """

    seconds: float
    wanted: int
    early: int
    late: int
    longest: float
    share: float
    answers: list[float]


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """Whether two replicas keep up, and what of that others notice."""
    count = SOME_SOURCES if quick else MANY_SOURCES
    most = min(AT_ONCE, count)
    async with AsyncExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="jarchy-many-replicas-")
        folder = Path(stack.enter_context(temporary))
        server = await stack.enter_async_context(a_server())
        complaints = server.folder.with_name(f"{server.folder.name}.log")
        before = len(_complaints(complaints))  # while it began to answer
        port = await stack.enter_async_context(publishers(count, entries=ENTRIES, alike=False))
        telegram = Emulator(TEST_TOKEN, keep_messages=50, keep_calls=1000, open_chats=True)
        await stack.enter_async_context(telegram)
        for number in range(PEOPLE):
            telegram.add_private(telegram.add_user(FIRST + number, f"Reader {number}", "en"))
        (folder / "catalog.toml").write_text(catalog_text(port, count))
        env = environment(folder, telegram)
        env |= {"DATABASE_URL": server.url, "POLL_EVERY": f"{ROUND:.0f}s"}
        store = await open_store(server.url)
        stack.push_async_callback(store.close)
        await _polled_before(store, catalog(port, count).news.values())
        replicas = await stack.enter_async_context(_replicas(folder, env))
        await _until_all_are_read(store, count)
        await publish(port, 1, every=EVERY)
        async with store.writing() as db:
            await db.execute(text(ALL_DUE), {"most": most})
        at_once = await _until_none_is_due(store)
        await publish(port, 2, every=EVERY)
        async with store.writing() as db:
            await db.execute(text(SPREAD), {"round": ROUND * count / MANY_SOURCES})
        await asyncio.sleep(SETTLE)
        course = await _watched(store, telegram, replicas, A_LOOK if quick else WATCHED)
        said = _complaints(complaints)[before:]
    return _figures(count, most / at_once, course, said, replicas.trouble)


def _figures(
    count: int, at_once: float, course: Course, said: list[str], trouble: list[str]
) -> list[Figure]:
    wanted = course.wanted / course.seconds
    polled = (course.early + course.wanted - course.late) / course.seconds
    note = f"{count} sources, {REPLICAS} replicas, PostgreSQL, 2 % changed"
    return [
        Figure(
            name="two replicas, due at once",
            value=at_once,
            unit="sources/s",
            baseline=MANY_SOURCES / ROUND,
            goal=Goal(of="ratio", least=2.0),
            note=f"{note}; {MANY_SOURCES} in {ROUND / 60:.0f} min",
        ),
        Figure(
            name="two replicas, every 15 min",
            value=polled,
            unit="sources/s",
            baseline=wanted,
            goal=Goal(of="ratio", least=0.95),
            note=f"{note}; as many as came due",
        ),
        Figure(
            name="  longest overdue",
            value=course.longest,
            unit="s",
            goal=Goal(of="figure", most=10.0),
            note=f"at any look; {course.late} due at the end",
        ),
        Figure(
            name="  processor of both",
            value=course.share,
            unit="% of a core",
            goal=Goal(of="figure", most=60.0),
            note="with their workers",
        ),
        Figure(
            name="  slowest answer",
            value=max(course.answers),
            unit="s",
            goal=Goal(of="figure", most=1.0),
            note=f"of {len(course.answers)} questions",
        ),
        Figure(
            name="  errors in the server's log",
            value=len(said),
            unit="",
            goal=Goal(of="figure", most=0.5),
            note="; ".join(said[:2]),
        ),
        Figure(
            name="  lines of trouble in theirs",
            value=len(trouble),
            unit="",
            goal=Goal(of="figure", most=0.5),
            note="; ".join(trouble[:2]),
        ),
    ]


@asynccontextmanager
async def _replicas(folder: Path, env: Mapping[str, str]) -> AsyncIterator[Replicas]:
    """All of them, each ready."""
    replicas = Replicas()
    async with AsyncExitStack() as stack:
        for _ in range(REPLICAS):
            bot = await stack.enter_async_context(
                process("-m", "bot", "run", folder=folder, env=env)
            )
            ready = asyncio.Event()
            reading = asyncio.create_task(_read(bot, replicas, ready))
            stack.callback(reading.cancel)
            async with asyncio.timeout(60):
                await ready.wait()
            replicas.running.append(psutil.Process(bot.pid))
        yield replicas


async def _read(bot: asyncio.subprocess.Process, replicas: Replicas, ready: asyncio.Event) -> None:
    assert bot.stderr is not None
    async for raw in bot.stderr:
        line = raw.decode()
        if '"event": "ready"' in line:
            ready.set()
        if any(word in line for word in TROUBLE):
            replicas.trouble.append(line.strip())


async def _polled_before(store: Store, specs: Iterable[NewsSpec]) -> None:
    """Write down that the sources were polled, but those that will change."""
    now = datetime.now(UTC)
    later = now + 2 * timedelta(seconds=ROUND)
    good: list[Good] = []
    for number, spec in enumerate(specs):
        if number % EVERY:
            seen = [Document(source=spec.key, url=spec.url, etag=tag_of(0))]
            good.append(Good(key=spec.key, next_due_at=later, seen=seen))
    for start in range(0, len(good), WRITTEN):
        async with store.writing() as db:
            await record_success(db, good[start : start + WRITTEN], now=now)


async def _until_all_are_read(store: Store, count: int) -> None:
    while True:
        async with store.reading() as db:
            if (await db.execute(text(READ))).scalar_one() == count:
                return
        await asyncio.sleep(LOOK)


async def _until_none_is_due(store: Store) -> float:
    """Seconds until no source is due."""
    begun = time.monotonic()
    while (await _due(store))[0]:  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(LOOK)
    return time.monotonic() - begun


async def _due(store: Store) -> tuple[int, float]:
    """The number of sources that are due, and the seconds that one of them is due for longest."""
    async with store.reading() as db:
        row = (await db.execute(text(DUE))).one()
    return int(row.due), float(row.late)


async def _watched(store: Store, telegram: Emulator, replicas: Replicas, lasts: float) -> Course:
    """A part of a round."""
    answers: list[float] = []
    longest = 0.0
    asking = asyncio.create_task(_ask(telegram, answers))
    try:
        early, _ = await _due(store)
        async with store.reading() as db:
            then = (await db.execute(text(LATER), {"watched": lasts})).scalar_one()
        begun, before = time.monotonic(), replicas.processor
        while (passed := time.monotonic() - begun) < lasts:
            _, overdue = await _due(store)
            longest = max(longest, overdue)
            await asyncio.sleep(LOOK)
        share = 100 * (replicas.processor - before) / passed
        late, _ = await _due(store)
        if asking.done():  # nobody answered
            asking.result()
    finally:
        asking.cancel()
    return Course(
        seconds=passed,
        wanted=then - early,
        early=early,
        late=late,
        longest=longest,
        share=share,
        answers=answers,
    )


async def _ask(telegram: Emulator, answers: list[float]) -> None:
    """Ask one question after another, each reader in turn."""
    for number in itertools.count():
        reader = FIRST + number % PEOPLE
        begun = time.monotonic()
        asked = await telegram.send_text(reader, "/news")
        await telegram.wait_message(reader, after=asked, timeout=PATIENCE)
        answers.append(time.monotonic() - begun)
        await asyncio.sleep(ASKED)


def _complaints(file: Path) -> list[str]:
    lines = file.read_text().splitlines()
    return [line for line in lines if any(word in line for word in COMPLAINTS)]
