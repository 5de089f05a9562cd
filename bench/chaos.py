"""Five troubles of a queue on PostgreSQL, each in the middle of a broadcast by three replicas: how
fast they send again, against before it.

The server restarted · its backends ended again and again · no connection left · the server killed
and recovering · the replicas killed one after another. A server and a counting Telegram of its own
for each; `python -m bench.chaos DATABASE API RATE` is one replica.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import uvloop
from sqlalchemy.exc import DBAPIError

from bench import stub, world
from bench.figure import Figure, Goal
from bench.processes import PLAIN, Started, spawned
from bench.replicas import Message, replica
from bench.start import ROOT
from bot import log
from bot.alerts.notices import Notice
from bot.errors import BotError
from bot.reasons import Reason
from bot.telegram.session import open_session
from storage.db import Store
from storage.opening import open_store
from tests.faults.server import Server
from tests.postgres import Shared

REPLICAS = 3
RATE = 400.0  # a second, of all replicas
BEFORE = 6.0  # seconds until the trouble; the first are no measure
WARM = 2.0
LASTS = 4.0  # seconds of what is done again and again
DOWN = 2.0  # seconds from a crash until the server is started again
SETTLED = 4.0  # seconds after the trouble from which the rate is measured
MEASURED = 8.0
SPARE = 3.0
KILLS = 3
CONNECTIONS = 60
#: Of a delivery that was on its way at each kill a second copy may arrive.
COPIES = 2


@dataclass(slots=True, kw_only=True)
class Scene:
    """A broadcast under way, for a trouble to strike."""

    server: Server
    url: str
    rate: float
    replicas: list[Started] = field(default_factory=list)

    async def add(self) -> None:
        """One replica more."""
        words = (self.server.url, self.url, str(self.rate))
        self.replicas.append(await spawned("bench.chaos", *words, cwd=ROOT, env=PLAIN))

    async def end(self) -> None:
        """End all that still run."""
        for one in self.replicas:
            if one.returncode is None:
                one.kill()
                await one.wait()


async def restarted(scene: Scene) -> None:
    """Stopped as an upgrade stops it, and started."""
    await asyncio.to_thread(scene.server.stop)
    await asyncio.to_thread(scene.server.start)


async def crashed(scene: Scene) -> None:
    """Killed as by a power cut; it reads its log when it is started."""
    await asyncio.to_thread(scene.server.kill)
    await asyncio.sleep(DOWN)
    await asyncio.to_thread(scene.server.start)


async def backends_ended(scene: Scene) -> None:
    """All connections but ours, twice a second."""
    begun = time.monotonic()
    while time.monotonic() - begun < LASTS:
        await asyncio.to_thread(scene.server.tell, ENDED)
        await asyncio.sleep(0.5)


async def exhausted(scene: Scene) -> None:
    """The replicas' connections ended, and every free one taken by somebody else."""
    taken: list[psycopg.Connection] = []
    begun = time.monotonic()
    try:
        while time.monotonic() - begun < LASTS:
            await asyncio.to_thread(_take_all, scene.server, taken)
            await asyncio.sleep(0.2)
    finally:
        for one in taken:
            one.close()


def _take_all(server: Server, taken: list[psycopg.Connection]) -> None:
    if taken:
        mine = [one.info.backend_pid for one in taken]
        taken[0].execute(f"{ENDED} AND pid <> ALL(%s)", [mine])
    with contextlib.suppress(psycopg.OperationalError):  # too many connections
        while True:
            taken.append(psycopg.connect(server.url, autocommit=True, connect_timeout=5))


async def killed_in_turn(scene: Scene) -> None:
    """SIGKILL for one replica after another, each with a successor."""
    for number in range(KILLS):
        scene.replicas[number].send_signal(signal.SIGKILL)
        await scene.replicas[number].wait()
        await scene.add()
        await asyncio.sleep(LASTS / KILLS)


ENDED = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
TROUBLES: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "the server restarted": restarted,
    "backends ended for four seconds": backends_ended,
    "no connection left for four seconds": exhausted,
    "the server killed, and recovered": crashed,
    "three replicas killed in turn": killed_in_turn,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The course of a trouble; times on the clock of all processes."""

    count: int
    arrived: list[Message]
    struck: float
    over: float

    def rate(self, begin: float, end: float) -> float:
        """Messages a second that arrived between two times."""
        return sum(begin <= one.at < end for one in self.arrived) / (end - begin)

    @property
    def before(self) -> float:
        """The rate before the trouble."""
        first = min(one.at for one in self.arrived)
        return self.rate(first + WARM, self.struck)

    @property
    def after(self) -> float:
        """The rate once it was over, and what is usual then had settled."""
        return self.rate(self.over + SETTLED, self.over + SETTLED + MEASURED)

    @property
    def back(self) -> float:
        """Seconds from its end until a second had nine tenths of the rate before."""
        whole = 0.9 * self.before
        at = self.over
        while self.rate(at, at + 1.0) < whole and at < self.over + 60.0:
            at += 0.1
        return at - self.over

    @property
    def lost(self) -> int:
        """Chats that got nothing."""
        return self.count - len({one.chat for one in self.arrived})

    @property
    def most_copies(self) -> int:
        """For one chat."""
        got: dict[int, int] = {}
        for one in self.arrived:
            got[one.chat] = got.get(one.chat, 0) + 1
        return max(got.values())


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """The rate after each of the five, in rates before it."""
    figures: list[Figure] = []
    rate = RATE / 2 if quick else RATE
    for name, strike in TROUBLES.items():
        report = await _broadcast(strike, rate)
        figures += [
            Figure(
                name=name,
                value=report.after,
                unit="/s",
                baseline=report.before,
                goal=Goal(of="ratio", least=0.9),
                note=f"before it; nine tenths again after {report.back:.1f} s",
            ),
            Figure(name="  lost", value=report.lost, unit="", goal=Goal(of="figure", most=0.5)),
            Figure(
                name="  most copies for a chat",
                value=report.most_copies,
                unit="",
                goal=Goal(of="figure", most=COPIES),
            ),
        ]
    return figures


async def _broadcast(strike: Callable[[Scene], Awaitable[None]], rate: float) -> Report:
    """One alert to so many that it lasts until all is measured."""
    count = int(rate * (BEFORE + 2 * LASTS + SETTLED + MEASURED + SPARE))
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(a_server())
        store = await open_store(server.url)
        await world.add_subscribers(store, count)
        async with store.writing() as db:
            await world.add_alert(db, "broadcast")
        await world.fan_out(store)
        await store.close()
        url = await stack.enter_async_context(stub.running("bench.flaky"))
        scene = Scene(server=server, url=url, rate=rate)
        stack.push_async_callback(scene.end)
        for _ in range(REPLICAS):
            await scene.add()
        arrived: list[Message] = []
        await _until(url, arrived, lambda: bool(arrived))
        await asyncio.sleep(BEFORE)
        struck = time.monotonic()
        await strike(scene)
        over = time.monotonic()
        await _until(url, arrived, lambda: len({one.chat for one in arrived}) >= count)
    return Report(count=count, arrived=arrived, struck=struck, over=over)


async def _until(url: str, arrived: list[Message], so: Callable[[], bool]) -> None:
    """Take down what arrives until something is so, at most for a minute and a half."""
    begun = time.monotonic()
    while not so() and time.monotonic() - begun < 90.0:
        arrived += [Message._make(one) for one in await stub.arrivals(url)]
        await asyncio.sleep(0.5)


@asynccontextmanager
async def a_server() -> AsyncIterator[Server]:
    """A PostgreSQL of our own, which ends with its processes."""
    with tempfile.TemporaryDirectory(prefix="jarchy-chaos-", ignore_cleanup_errors=True) as folder:
        shared = Shared.made()
        try:
            Path(folder).chmod(0o755)  # the server's own user walks through it
            server = Server(Path(folder) / "server")
            await asyncio.to_thread(server.make, shared.empty())
            with (server.folder / "postgresql.conf").open("a") as settings:
                settings.write(f"max_connections = {CONNECTIONS}\n")
                settings.write("superuser_reserved_connections = 0\n")
            await asyncio.to_thread(server.start)
            yield server
            await asyncio.to_thread(server.kill)
        finally:
            shared.end()


async def _trouble(_told: Notice, *_why: Reason) -> None:
    """The operators' chat is nobody's here."""


async def _opened(database_url: str) -> Store:
    """The store, once it is there: a supervisor would start a program again."""
    while True:
        try:
            return await open_store(database_url)
        except (BotError, DBAPIError):
            await asyncio.sleep(0.2)


async def _send(database_url: str, url: str, rate: float) -> None:
    """One replica, until it is killed."""
    store = await _opened(database_url)
    async with open_session() as session:
        await replica(store, session, url, rate, on_trouble=_trouble).run()


if __name__ == "__main__":
    log.set_up("json", "critical")
    database, api, pace = sys.argv[1:]
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_send(database, api, float(pace)))
