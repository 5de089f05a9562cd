"""P1: the process is killed at its K-th statement, commit or request, then started again, for every K.

After the clean run nothing is lost (I1), nobody has more copies than were promised (I2), and nothing was decided
twice (I3): by the log of the emulated Telegram and by the database.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import storage.chats
from bot.emulator import TEST_TOKEN, Emulator
from bot.fetch import Fetcher, Limits
from bot.ingest import Ingest
from bot.model.chats import ChatKind
from storage.db import Store, open_store
from tests import factories
from tests.conftest import ROOT
from tests.e2e.program import Publishers
from tests.e2e.test_whole import ATTACK, QUIET, daily, rss
from tests.faults.crash_child import Here, catalog

PRIVATE, GROUP = (1001, 1002, 1003), -2001
CHATS = (*PRIVATE, GROUP)
TODAY = datetime.now(ZoneInfo("Asia/Bishkek")).date()
POINTS = 12  # of the normal suite; the full sweep takes every K
#: What the message of each kind of alert says and the other does not.
TELLS = {"move": "USD/KGS", "story": ATTACK[1]}

Run = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def publishers() -> AsyncIterator[Publishers]:
    """A bank and an agency."""
    async with Publishers() as server:
        yield server


@pytest.fixture
async def run() -> AsyncIterator[Run]:
    """Runs the flow in a process of its own; gives how it ended."""
    pipe = asyncio.subprocess.PIPE
    forker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.crash_child", cwd=ROOT, stdin=pipe, stdout=pipe
    )
    assert forker.stdin is not None
    assert forker.stdout is not None

    async def job(**values: object) -> dict[str, Any]:
        assert forker.stdin is not None
        assert forker.stdout is not None
        forker.stdin.write(json.dumps(values).encode() + b"\n")
        ended: dict[str, Any] = json.loads(await forker.stdout.readline())
        return ended

    yield job
    forker.stdin.close()
    await forker.wait()


@pytest.fixture
async def template(tmp_path: Path, publishers: Publishers) -> Path:
    """A database whose sources were polled once, with four subscribers; then something happens in the world."""
    path = tmp_path / "template.db"
    publishers.put("/daily.xml", daily(f"{TODAY - timedelta(days=1):%d.%m.%Y}", "84,7935", "98,8523", "1,1948"))
    publishers.put("/feed.xml", rss(QUIET))
    store = await open_store(f"sqlite:///{path}")
    async with Fetcher(limits=Limits(pause=0.0)) as fetcher:
        ingest = Ingest(store=store, fetcher=fetcher, workers=Here(), clock=lambda: datetime.now(UTC))
        for spec in catalog(publishers.url).polled:
            assert (await ingest.poll(spec)).error is None
    await _subscribe_all(store)
    await store.close()
    publishers.put("/daily.xml", daily(f"{TODAY:%d.%m.%Y}", "89,9000", "98,8523", "1,1948"))
    publishers.put("/feed.xml", rss(ATTACK, QUIET))
    return path


async def _subscribe_all(store: Store) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=1)
    async with store.writing() as db:
        for chat_id in CHATS:
            kind = ChatKind.GROUP if chat_id == GROUP else ChatKind.PRIVATE
            await storage.chats.add(db, factories.chat(id=chat_id, kind=kind), now=long_ago)
            await storage.chats.subscribe(db, chat_id, ["pair:USD/KGS", "topic:security"], now=long_ago)


@asynccontextmanager
async def telegram() -> AsyncIterator[Emulator]:
    """Three readers and a group."""
    async with Emulator(TEST_TOKEN) as emulator:
        for reader in PRIVATE:
            emulator.add_private(emulator.add_user(reader, f"Reader {reader}", "en"))
        emulator.add_group(GROUP, "Group")
        yield emulator


async def _crash_then_finish(run: Run, template: Path, publishers: Publishers, die_at: tuple[int, ...]) -> int:
    """Kill a run at each of `die_at`, one after the other, then let one finish; check; the steps of the last."""
    folder = template.with_name(f"at-{'-'.join(map(str, die_at))}")
    folder.mkdir()
    shutil.copyfile(template, folder / "jarchy.db")
    async with telegram() as emulator:
        job = {"folder": str(folder), "telegram": emulator.api_url, "publishers": publishers.url}
        crashes = 0
        for step in die_at:
            ended = await run(**job, die_at=step)
            assert ended["signal"] == signal.SIGKILL or ended["exit"] == 0, (die_at, ended)
            crashes += ended["signal"] == signal.SIGKILL
        ended = await run(**job, die_at=0)
        assert ended["exit"] == 0, f"after dying at {die_at} the next run did not finish: {ended}"
        _check(emulator, folder / "jarchy.db", die_at, crashes)
    shutil.rmtree(folder)
    return int(ended["steps"])


def _check(emulator: Emulator, path: Path, die_at: tuple[int, ...], crashes: int) -> None:
    """I1, I2 and I3."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        decided = Counter(kind for (kind,) in connection.execute("SELECT kind FROM alert"))
        rows = {
            (kind, chat): (state, message, error, doubts)
            for kind, chat, state, message, error, doubts in connection.execute(
                "SELECT kind, chat_id, state, message_id, error, doubts FROM delivery JOIN alert ON alert.id = alert_id"
            )
        }
    assert decided == {"move": 1, "story": 1}, f"decided otherwise than once (I1, I3), died at {die_at}: {decided}"
    for kind, words in TELLS.items():
        for chat in CHATS:
            state, message, error, doubts = rows.get((kind, chat), ("no row", None, None, 0))
            got = [one["message_id"] for one in emulator.messages(chat) if words in one.get("text", "")]
            where = f"{kind} to {chat}, died at {die_at}: {state}, {error}, {len(got)} copies"
            assert (state == "sent" and message in got) or error, f"I1: {where}"
            assert len(got) <= 1 + doubts + crashes, f"I2: {where}"


async def test_p1_kill_at_some_steps_loses_nothing(run: Run, template: Path, publishers: Publishers) -> None:
    """A crash anywhere delays messages and does nothing else: a dozen points from the first step to the last."""
    steps = await _crash_then_finish(run, template, publishers, ())
    points = sorted({1 + (steps - 1) * point // (POINTS - 1) for point in range(POINTS)})
    for step in points:
        await _crash_then_finish(run, template, publishers, (step,))


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_p1_kill_at_every_step_loses_nothing(run: Run, template: Path, publishers: Publishers) -> None:
    """A crash anywhere delays messages and does nothing else: at every step there is."""
    steps = await _crash_then_finish(run, template, publishers, ())
    for step in range(1, steps + 1):
        await _crash_then_finish(run, template, publishers, (step,))


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_p1_kill_twice_loses_nothing(run: Run, template: Path, publishers: Publishers) -> None:
    """The run after a crash may crash as well, at the same step or at an early one: one copy more, never a loss."""
    steps = await _crash_then_finish(run, template, publishers, ())
    for step in range(3, steps + 1, 5):
        await _crash_then_finish(run, template, publishers, (step, step))
        await _crash_then_finish(run, template, publishers, (step, max(1, step // 3)))
