"""P1: the process is killed at its K-th statement, commit or request, then started again, for every
K.

After the clean run all invariants hold, by the log of the emulated Telegram and by the database:
nothing is lost (I1), nobody has more copies than were promised (I2), nothing was decided twice
(I3), the limits were kept (I4), nothing that had expired was sent (I5), a chat's messages came in
order (I6), one blocked chat disturbed nobody (I7), and no token is anywhere (I8). On PostgreSQL a
lease of the dead process is waited for, on SQLite the start frees it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

import storage.alerts
import storage.chats
from bot.alerts.broadcasts import Broadcast
from bot.alerts.broadcasts import alert as broadcast
from bot.alerts.notices import alert as notice
from bot.deliver.limits import CATCH_UP
from bot.emulator import TEST_TOKEN, Emulator, Fault, Limits
from bot.model.alerts import EVERYBODY, Audience
from bot.model.chats import ChatKind
from storage.db import Store
from storage.opening import open_store
from tests import factories, forkserver
from tests.conftest import ROOT, migrated_template
from tests.faults.crash_child import RATE, catalog, connected
from tests.postgres import Shared, database
from tests.publishers import ATTACK, QUIET, TODAY, Publishers, daily, rss
from tests.world import loopback_fetcher, poll_flow

PRIVATE, GROUP, BLOCKED = (1001, 1002, 1003), -2001, 1004
CHATS = (*PRIVATE, GROUP, BLOCKED)
POINTS = {"sqlite": 4, "postgresql": 4}  # of the normal suite; the full sweep takes every K
#: What the message of each alert says and no other does. The notice and the operator's message to
#: all wait already when the run begins.
TELLS = {
    "notice": "already waiting",
    "move": "USD/KGS",
    "story": ATTACK[1],
    Broadcast.KIND: "a word to everybody",
}
STALE = "already stale"
BURST = 4  # messages a private chat may get at once, then one a second
WINDOW = 0.1  # seconds

Run = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def publishers() -> AsyncIterator[Publishers]:
    """A bank and an agency."""
    async with Publishers() as server:
        yield server


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    """Runs the flow in a process of its own; gives how it ended. What it logs is kept."""
    pipe = asyncio.subprocess.PIPE
    with (tmp_path / "log").open("wb") as log:
        forker = await forkserver.start(
            "tests.faults.crash_child",
            cwd=ROOT,
            env=forkserver.PLAIN,
            stdin=pipe,
            stdout=pipe,
            stderr=log.fileno(),
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
    assert TEST_TOKEN.encode() not in (tmp_path / "log").read_bytes(), "I8"


class Template:
    """A database whose sources were polled once, with its subscribers; copied for each run."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.kind = make_url(url).get_backend_name()

    def copy(self, name: str) -> str:
        """The address of a copy."""
        (self.folder / name).mkdir()
        url = make_url(self.url)
        if self.kind == "sqlite":
            shutil.copyfile(url.database or "", self.folder / name / "jarchy.db")
            return f"sqlite:///{self.folder / name / 'jarchy.db'}"
        copied = f"{url.database}_{name.replace('-', '_')}"
        with self._server() as server:
            server.execute(
                f'CREATE DATABASE "{copied}" TEMPLATE "{url.database}" STRATEGY file_copy'
            )
        return url.set(database=copied).render_as_string(hide_password=False)

    def drop(self, name: str, url: str) -> None:
        """Let go of a copy."""
        shutil.rmtree(self.folder / name)
        if self.kind != "sqlite":
            with self._server() as server:
                server.execute(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)')

    def _server(self) -> psycopg.Connection[Any]:
        server = make_url(self.url).set(database="postgres").render_as_string(hide_password=False)
        return psycopg.connect(server, autocommit=True)


@pytest.fixture
def migrated_postgres_url(postgres: Shared) -> Iterator[str]:
    """A migrated database that no test shares: whoever empties those has a connection to each, and
    PostgreSQL copies none that has one.
    """
    with database(postgres.server(), template=migrated_template(postgres)) as (_, url):
        yield url


@pytest.fixture
async def template(tmp_path: Path, migrated_url: str, publishers: Publishers) -> Template:
    """Polled once, subscribed, two messages waiting and one that has expired; then something
    happens in the world.
    """
    publishers.put(
        "/daily.xml", daily(f"{TODAY - timedelta(days=1):%d.%m.%Y}", "84,7935", "98,8523", "1,1948")
    )
    publishers.put("/feed.xml", rss(QUIET))
    store = await open_store(migrated_url)
    async with loopback_fetcher() as fetcher:
        ingest = poll_flow(store, fetcher)
        for spec in catalog(publishers.url).polled:
            assert (await ingest.poll(spec)).error is None
    await _subscribe_all(store)
    await store.close()
    publishers.put("/daily.xml", daily(f"{TODAY:%d.%m.%Y}", "89,9000", "98,8523", "1,1948"))
    publishers.put("/feed.xml", rss(ATTACK, QUIET))
    return Template(migrated_url, tmp_path)


async def _subscribe_all(store: Store) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=1)
    async with store.writing() as db:
        for chat_id in CHATS:
            kind = ChatKind.GROUP if chat_id == GROUP else ChatKind.PRIVATE
            await storage.chats.add(db, factories.chat(id=chat_id, kind=kind), now=long_ago)
            await storage.chats.subscribe(
                db, chat_id, ["pair:USD/KGS", "topic:security"], now=long_ago
            )
        to_all = Broadcast(text=TELLS[Broadcast.KIND])
        await storage.alerts.enqueue(db, broadcast("1", to_all, EVERYBODY, now=datetime.now(UTC)))
        for words, lasts in ((TELLS["notice"], timedelta(days=2)), (STALE, timedelta(seconds=-1))):
            values = {"chat": "1", "why": words}
            waiting = notice(1, factories.a_notice("notice.gone", values), now=long_ago)
            audience = Audience(subscription="topic:security")
            await storage.alerts.enqueue(
                db, replace(waiting, audience=audience, expires_at=long_ago + lasts)
            )


@asynccontextmanager
async def telegram() -> AsyncIterator[Emulator]:
    """Four readers, one of whom blocked the bot, and a group; too many messages to one chat are
    refused.
    """
    async with Emulator(TEST_TOKEN, limits=Limits(per_chat=BURST, per_group=20)) as emulator:
        for reader in (*PRIVATE, BLOCKED):
            emulator.add_private(emulator.add_user(reader, f"Reader {reader}", "en"))
        emulator.faults.add(Fault.forbidden("blocked", chat_id=BLOCKED))
        emulator.add_group(GROUP, "Group")
        yield emulator


async def _crash_then_finish(
    run: Run,
    template: Template,
    publishers: Publishers,
    die_at: tuple[int, ...],
    *,
    damage: Callable[[Path], None] | None = None,
) -> int:
    """Kill a run at each of `die_at`, one after the other, then let one finish; check; the steps of
    the last.
    """
    name = f"at-{'-'.join(map(str, die_at))}"
    url = template.copy(name)
    async with telegram() as emulator:
        job = {
            "folder": str(template.folder / name),
            "database": url,
            "telegram": emulator.api_url,
            "publishers": publishers.url,
        }
        crashes = 0
        for step in die_at:
            ended = await run(**job, die_at=step)
            assert ended["signal"] == signal.SIGKILL or ended["exit"] == 0, (die_at, ended)
            crashes += ended["signal"] == signal.SIGKILL
        if damage is not None:
            damage(template.folder / name / "jarchy.db-wal")
        ended = await run(**job, die_at=0)
        assert ended["exit"] == 0, (
            f"after dying at {die_at} the next run did not finish: {ended}, {_left(url)}"
        )
        _check(emulator, url, die_at, crashes, damaged=damage is not None)
    template.drop(name, url)
    return int(ended["steps"])


def _check(
    emulator: Emulator, url: str, die_at: tuple[int, ...], crashes: int, *, damaged: bool
) -> None:
    """I1 to I8; marks that a damaged log lost may cost a copy as well."""
    with closing(connected(url)) as connection:
        if url.startswith("sqlite"):
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        decided = Counter(kind for (kind,) in connection.execute("SELECT kind FROM alert"))
        (late,) = connection.execute(
            "SELECT count(*) FROM delivery WHERE state = 'sent' AND finished_at > expires_at"
        ).fetchone()
        rows = {
            (kind if STALE not in str(payload) else STALE, chat): (state, message, error, doubts)
            for kind, payload, chat, state, message, error, doubts in connection.execute(
                "SELECT kind, payload, chat_id, state, message_id, error, doubts"
                " FROM delivery JOIN alert ON alert.id = alert_id"
            )
        }
        in_order = connection.execute("SELECT kind, lane FROM alert ORDER BY id").fetchall()
    assert decided == {"move": 1, "story": 1, "notice": 2, Broadcast.KIND: 1}, (
        f"I1, I3, {die_at}: {decided}"
    )
    for what, words in TELLS.items():
        for chat in CHATS:
            state, message, error, doubts = rows.get((what, chat), ("no row", None, None, 0))
            got = _copies(emulator, chat, words)
            where = f"{what} to {chat}, died at {die_at}: {state}, {error}, {len(got)} copies"
            if chat == BLOCKED:
                assert (state, factories.in_words(error)) in {
                    ("dead", "blocked"),
                    ("no row", None),
                }, f"I7: {where}"
                continue
            assert (state == "sent" and message in got) or error, f"I1: {where}"
            assert len(got) <= 1 + doubts + crashes + damaged, f"I2: {where}"
    assert late == 0, f"I5, died at {die_at}"
    in_order = [(kind, lane) for kind, lane in in_order if kind != Broadcast.KIND]
    assert len({lane for _, lane in in_order}) == 1, "I6 compares alerts of one lane"
    for chat in CHATS:
        assert chat == BLOCKED or rows[STALE, chat][0] == "expired", f"I5, died at {die_at}"
        assert _copies(emulator, chat, STALE) == [], f"I5, died at {die_at}"
        order = [
            _copies(emulator, chat, TELLS[kind])[:1]
            for kind in dict.fromkeys(kind for kind, _ in in_order)
        ]
        assert order == sorted(order), f"I6, died at {die_at}"
    if not damaged:  # else what a chat had already got may be forgotten
        _check_limits(emulator, die_at)
    said = json.dumps([emulator.messages(chat) for chat in CHATS])
    assert TEST_TOKEN not in said, "I8"
    if url.startswith("sqlite"):
        for path in Path(url.removeprefix("sqlite:///")).parent.iterdir():
            assert TEST_TOKEN.encode() not in path.read_bytes(), f"I8: {path.name}"


def _copies(emulator: Emulator, chat: int, words: str) -> list[int]:
    return [one["message_id"] for one in emulator.messages(chat) if words in one.get("text", "")]


def _left(url: str) -> object:
    """The rows that are still open, for whoever looks for the reason."""
    with closing(connected(url)) as connection:
        tables = {
            "delivery": "SELECT * FROM delivery WHERE state IN ('pending', 'leased')",
            "alert": "SELECT id, kind, expires_at, fanned_to, fanned_at FROM alert",
            "pace": "SELECT * FROM pace",
            "chat": "SELECT id, active, tat FROM chat",
        }
        return {table: connection.execute(query).fetchall() for table, query in tables.items()}


def _check_limits(emulator: Emulator, die_at: tuple[int, ...]) -> None:
    """I4: no chat was refused, and in no moment left more than the rate allows."""
    sends = [call for call in emulator.calls if call.method == "sendMessage"]
    assert not [call for call in sends if call.code == 429], f"I4, died at {die_at}"
    times = [call.at for call in sends]
    busiest = max(
        sum(1 for at in times[i:] if at - begin < WINDOW) for i, begin in enumerate(times)
    )
    assert busiest <= RATE * WINDOW * CATCH_UP + 2, f"I4, died at {die_at}: {busiest} in {WINDOW} s"


@pytest.mark.cases
async def test_P1_kill_at_some_steps_loses_nothing(
    run: Run, template: Template, publishers: Publishers
) -> None:
    """A crash anywhere delays messages and does nothing else: some points from the first step to
    the last.
    """
    steps = await _crash_then_finish(run, template, publishers, ())
    count = POINTS[template.kind]
    for step in sorted({1 + (steps - 1) * point // (count - 1) for point in range(count)}):
        await _crash_then_finish(run, template, publishers, (step,))


@pytest.mark.slow
@pytest.mark.timeout(3600)  # a start of the program for each step, on a busy machine
async def test_P1_kill_at_every_step_loses_nothing(
    run: Run, template: Template, publishers: Publishers
) -> None:
    """A crash anywhere delays messages and does nothing else: at every step there is."""
    steps = await _crash_then_finish(run, template, publishers, ())
    for step in range(1, steps + 1):
        await _crash_then_finish(run, template, publishers, (step,))


@pytest.mark.slow
@pytest.mark.timeout(3600)  # a start of the program for each step, on a busy machine
async def test_P1_kill_twice_loses_nothing(
    run: Run, template: Template, publishers: Publishers
) -> None:
    """The run after a crash may crash as well, at the same step or at an early one: one copy more,
    never a loss.
    """
    steps = await _crash_then_finish(run, template, publishers, ())
    for step in range(3, steps + 1, 5):
        await _crash_then_finish(run, template, publishers, (step, step))
        await _crash_then_finish(run, template, publishers, (step, max(1, step // 3)))


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["cut", pytest.param("garbage", marks=pytest.mark.slow)])
@pytest.mark.slow
async def test_P8_what_a_damaged_log_lost_is_made_again(
    run: Run, template: Template, publishers: Publishers, kind: str
) -> None:
    """Killed with the last commits in the log only, and the log damaged anywhere: polls find all of
    it again.
    """
    steps = await _crash_then_finish(run, template, publishers, ())
    dice = random.Random(kind)

    def damage(log: Path) -> None:
        if not log.exists():
            return
        content = log.read_bytes()
        offset = dice.randrange(len(content))
        if kind == "cut":
            os.truncate(log, offset)
        else:
            log.write_bytes(content[:offset] + dice.randbytes(1024) + content[offset + 1024 :])

    for point in range(2):
        await _crash_then_finish(
            run, template, publishers, (steps - 1 - point * steps // 4,), damage=damage
        )
