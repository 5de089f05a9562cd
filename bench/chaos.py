"""Five troubles of a queue on PostgreSQL, each in the middle of a broadcast by three replicas: how
fast they send again, against before it, and whether all of them do.

The server restarted · its backends ended again and again · no connection left · the server killed
and recovering · the replicas killed one after another. A server and a counting Telegram of its own
for each. That Telegram is far away and the common pace more than they can keep, so that each
replica sends what it has in flight and no more: one that is lost is missed, by a third. What a
replica (`bench/sender.py`) says of errors, and how it ends, is looked at too.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench import stub, world
from bench.course import BEFORE, MEASURED, REPLICAS, SETTLED, End, Report, judged
from bench.figure import Figure
from bench.processes import PLAIN, Started, spawned
from bench.replicas import Message
from bench.start import ROOT
from bot.deliver.worker import IN_FLIGHT
from storage.opening import open_store
from tests.faults.server import Server
from tests.postgres import Shared

AWAY = 1.4  # seconds until Telegram answers: a replica then sends IN_FLIGHT in so long
ABLE = REPLICAS * IN_FLIGHT / AWAY  # messages a second, of all
#: Messages a second that all may send together: more than they can, so that none can do another's
#: part; not many times more, or each would claim for minutes ahead.
RATE = 300.0
WARM = 2.0  # seconds until those that have just begun are as fast as they can be
LASTS = 4.0  # seconds of what is done again and again
DOWN = 2.0  # seconds from a crash until the server is started again
SPARE = 5.0  # seconds more: a trouble lasts a little longer than what is done
KILLS = 3
CONNECTIONS = 60
STOPS = 20.0  # seconds for a replica to stop when it is asked to


@dataclass(slots=True, kw_only=True)
class Member:
    """One replica: its program, where it writes what goes wrong, and the signal that it was told to
    end by.
    """

    program: Started
    errors: Path
    told: signal.Signals | None = None

    async def end(self, by: signal.Signals) -> None:
        """Tell it to end, and wait for that; one that has ended by itself was not told."""
        if self.program.returncode is None:
            self.told = by
            self.program.send_signal(by)
        try:
            async with asyncio.timeout(STOPS):
                await self.program.wait()
        except TimeoutError:
            self.program.kill()
            await self.program.wait()


@dataclass(slots=True, kw_only=True)
class Scene:
    """A broadcast under way, for a trouble to strike."""

    server: Server
    url: str
    folder: Path
    members: list[Member] = field(default_factory=list)

    async def add(self) -> None:
        """One replica more."""
        errors = self.folder / f"errors-{len(self.members)}"
        words = (self.server.url, self.url, str(RATE))
        with errors.open("wb") as file:
            program = await spawned(
                "bench.sender", *words, cwd=ROOT, env=PLAIN, stderr=file.fileno()
            )
        self.members.append(Member(program=program, errors=errors))

    async def end(self, by: signal.Signals) -> None:
        """End all that still run."""
        await asyncio.gather(*(one.end(by) for one in self.members if one.told is None))

    def ends(self) -> list[End]:
        """How each replica ended."""
        return [End(code=one.program.returncode, told=one.told) for one in self.members]

    def errors(self) -> list[str]:
        """What the replicas say went wrong, a line each."""
        lines: list[str] = []
        for one in self.members:
            lines += one.errors.read_text().splitlines()
        return lines


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
        await scene.members[number].end(signal.SIGKILL)
        await scene.add()
        await asyncio.sleep(LASTS / KILLS)


ENDED = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What strikes, and the most copies that a chat may get of it: two where replicas are killed,
    with what they had on its way.
    """

    name: str
    strike: Callable[[Scene], Awaitable[None]]
    copies: int = 1


TROUBLES = (
    Trouble(name="the server restarted", strike=restarted),
    Trouble(name="backends ended for four seconds", strike=backends_ended),
    Trouble(name="no connection left for four seconds", strike=exhausted),
    Trouble(name="the server killed, and recovered", strike=crashed),
    Trouble(name="three replicas killed in turn", strike=killed_in_turn, copies=2),
)


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """The course of each of the five; of the first and the last for a look."""
    figures: list[Figure] = []
    for trouble in (TROUBLES[0], TROUBLES[-1]) if quick else TROUBLES:
        report = await _broadcast(trouble.strike)
        figures += judged(trouble.name, report, copies=trouble.copies)
    return figures


async def _broadcast(strike: Callable[[Scene], Awaitable[None]]) -> Report:
    """One alert to so many that it lasts until all is measured."""
    count = int(ABLE * (WARM + BEFORE + LASTS + SETTLED + MEASURED + SPARE))
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(a_server())
        store = await open_store(server.url)
        await world.add_subscribers(store, count)
        async with store.writing() as db:
            await world.add_alert(db, "broadcast")
        await world.fan_out(store)
        await store.close()
        url = await stack.enter_async_context(stub.running("bench.flaky", str(AWAY)))
        temporary = tempfile.TemporaryDirectory(prefix="jarchy-chaos-")
        scene = Scene(server=server, url=url, folder=Path(stack.enter_context(temporary)))
        stack.push_async_callback(scene.end, signal.SIGKILL)
        for _ in range(REPLICAS):
            await scene.add()
        arrived: list[Message] = []
        await _until(url, arrived, lambda: len({one.by for one in arrived}) == REPLICAS)
        await asyncio.sleep(WARM + BEFORE)
        struck = time.monotonic()
        await strike(scene)
        over = time.monotonic()
        await _until(url, arrived, lambda: len({one.chat for one in arrived}) >= count)
        await scene.end(signal.SIGTERM)
        # those that were on their way at the end may bring a copy
        arrived += [Message._make(one) for one in await stub.arrivals(url)]
        return Report(
            count=count,
            arrived=arrived,
            struck=struck,
            over=over,
            ends=scene.ends(),
            errors=scene.errors(),
        )


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
