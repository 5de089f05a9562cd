"""Alerts beside more questions than the rate: how late they are, and what Telegram counted.

The whole program in a process of its own, killed and started again in one of the runs, before the
emulator with Telegram's real limit of a group. What arrived is read from the emulator's log of
calls; how many left in one second, from what the program notes (`stamped`), because an emulator
that is kept waiting counts two seconds as one.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import select

import storage.alerts
from bench.figure import Figure, Goal
from bench.processes import PLAIN, Start, Started, spawned
from bench.sending import most_in_a_second
from bench.stamped import Left, noted
from bench.start import ROOT
from bot.alerts.notices import Notice
from bot.deliver.claims import HORIZON
from bot.emulator import TEST_TOKEN, Emulator
from bot.emulator.calls import Call
from bot.emulator.faults import Limits
from bot.model.alerts import Alert, Audience, Lane, Severity
from storage.db import Store, db_now
from storage.opening import open_store
from storage.schema import pace

RATE = 25
CHATS = 56
GROUPS = 2  # of the chats
PER_GROUP = 20  # Telegram's limit in a minute
FIRST_GROUP = -1001000000001
FIRST_PERSON = 3001
WORDS = "/privacy"
MINUTE = 60.0
LONGEST_LOAD = 150.0  # seconds, whatever becomes of the alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Questions a second; alerts, one every `every` seconds, to people who ask; perhaps a kill."""

    questions: float
    alerts: int = 20
    every: float = 1.0
    rate: float = RATE
    chats: int = CHATS
    before: float = 5.0  # seconds of questions alone
    killed_after: int | None = None
    lane: Lane = Lane.ALERT
    replicas: int = 1


@dataclass(slots=True, kw_only=True)
class Report:
    """The course of a load, spans in seconds; `ahead` is how far the row ran ahead at its end."""

    delays: list[float] = field(default_factory=list)  # from its decision until an alert left
    decided: list[float] = field(default_factory=list)
    asked: int = 0
    replies: int = 0
    refused: int = 0
    most_a_second: int = 0
    most_in_a_group: int = 0
    ahead: float = 0.0


class Bot:
    """`python -m bot run`, as often as it is started; it notes what leaves it."""

    def __init__(
        self, folder: Path, emulator: Emulator, database: str, rate: float, start: Start
    ) -> None:
        self._start = start
        (folder / "catalog.toml").write_text("")
        self._folder = folder
        self._env = {
            **PLAIN,
            "PYTHONPATH": str(ROOT),
            "BOT_TOKEN": TEST_TOKEN,
            "BOT_API_URL": emulator.api_url,
            "DATABASE_URL": database,
            "CATALOG": str(folder / "catalog.toml"),
            "OPS_LISTEN": "off",
            "LOG_FORMAT": "json",
            "SEND_RATE": f"{rate:g}",
        }
        self._process: Started | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Until it says that it is ready."""
        self._process = await self._start(
            *("bench.stamped", str(_notes(self._folder)), "run"),
            cwd=self._folder,
            env=self._env,
            stderr=PIPE,
        )
        assert self._process.stderr is not None
        said = b""
        async with asyncio.timeout(60):
            async for line in self._process.stderr:
                said += line
                if b'"event": "ready"' in line:
                    self._reading = asyncio.create_task(_read_on(self._process.stderr))
                    return
        raise AssertionError(said.decode())

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal and wait."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)
            try:
                async with asyncio.timeout(30):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        if self._reading is not None:
            await self._reading


async def _read_on(stream: asyncio.StreamReader) -> None:
    async for _ in stream:
        pass


class Load:
    """Chats that ask in turn, all beside the bot."""

    def __init__(self, emulator: Emulator, plan: Plan) -> None:
        self._emulator, self._plan = emulator, plan
        people = range(FIRST_PERSON, FIRST_PERSON + plan.chats - GROUPS)
        for number in people:
            emulator.add_private(emulator.add_user(number, "R", "en"))
        self.groups = [FIRST_GROUP - number for number in range(GROUPS)]
        for number in self.groups:
            emulator.add_group(number, "Neighbours", members=[people[0]])
        self.people = list(people)
        self.asked = 0

    async def ask(self) -> None:
        """For ever, at an even pace."""
        chats = [*self.people, *self.groups]
        begun = time.monotonic()
        while True:
            chat = chats[self.asked % len(chats)]
            words = WORDS if chat > 0 else f"{WORDS}@jarchy_bot"
            await self._emulator.send_text(
                chat, words, user_id=chat if chat > 0 else self.people[0]
            )
            self.asked += 1
            await asyncio.sleep(begun + self.asked / self._plan.questions - time.monotonic())


async def beside_questions(database: str | None, plan: Plan, start: Start = spawned) -> Report:
    """Run a plan on that database, or on a file of its own."""
    with tempfile.TemporaryDirectory(prefix="jarchy-lanes-") as name:
        folder = Path(name)
        database = database or f"sqlite:///{folder / 'jarchy.db'}"
        async with Emulator(privacy=False, limits=Limits(per_group=PER_GROUP)) as emulator:
            load = Load(emulator, plan)
            async with (
                _bots(folder, emulator, database, plan, start) as bots,
                _store(database) as store,
            ):
                begun = time.monotonic()
                report = await _run(emulator, load, bots, store, plan)
                left = [one for one in noted(_notes(folder)) if one.at >= begun]
                report.delays = [
                    _left_at(left, number) - at for number, at in enumerate(report.decided)
                ]
                report.most_a_second = most_in_a_second([one.at for one in left])
                report.most_in_a_group = max(_most_in_a_minute(left, one) for one in load.groups)
                return report


def _notes(folder: Path) -> Path:
    """The file in which the programs of that folder note what leaves them."""
    return folder / "left"


@asynccontextmanager
async def _bots(
    folder: Path, emulator: Emulator, database: str, plan: Plan, start: Start
) -> AsyncIterator[list[Bot]]:
    bots = [Bot(folder, emulator, database, plan.rate, start) for _ in range(plan.replicas)]
    try:
        await asyncio.gather(*[bot.start() for bot in bots])
        yield bots
    finally:
        for bot in bots:
            await bot.end()


@asynccontextmanager
async def _store(database: str) -> AsyncIterator[Store]:
    store = await open_store(database)
    try:
        yield store
    finally:
        await store.close()


async def _run(emulator: Emulator, load: Load, bots: list[Bot], store: Store, plan: Plan) -> Report:
    begun, report = time.monotonic(), Report()
    await _met(emulator, load)
    asking = asyncio.create_task(load.ask())
    waiting = []
    try:
        await asyncio.sleep(plan.before)
        for number in range(plan.alerts):
            if number == plan.killed_after:
                await bots[0].end(signal.SIGKILL)
                await bots[0].start()
            person = load.people[number % len(load.people)]
            async with store.writing() as db:
                await storage.alerts.enqueue(db, _alert(number, person, plan.lane))
            report.decided.append(time.monotonic())
            waiting.append(asyncio.create_task(_until_told(emulator, person, number)))
            await asyncio.sleep(plan.every)
        await asyncio.gather(*waiting)
    finally:
        asking.cancel()
        for one in waiting:
            one.cancel()
    report.asked = load.asked
    async with store.writing() as db:
        tat = (await db.execute(select(pace.c.tat))).scalar_one()
        report.ahead = (tat - await db_now(db)).total_seconds()
    calls = [call for call in emulator.calls if call.at >= begun and _counts(call)]
    report.refused = sum(call.code == 429 for call in calls)
    accepted = [call for call in calls if call.accepted]
    report.replies = len(accepted) - plan.alerts
    return report


async def _met(emulator: Emulator, load: Load) -> None:
    """Every person is known to the bot: an alert for a stranger has no delivery."""
    for person in load.people:
        await emulator.send_text(person, WORDS)
    for person in load.people:
        await emulator.calls.wait(partial(_reached, person), timeout=60)


def _reached(person: int, call: Call) -> bool:
    return call.chat_id == person and call.accepted


def _counts(call: Call) -> bool:
    return call.chat_id is not None and call.method.startswith(("send", "edit"))


def _alert(number: int, person: int, lane: Lane) -> Alert:
    now = datetime.now(UTC)
    return Alert(
        dedup_key=f"beside {number}",
        payload=Notice.of("notice.gone", {"chat": _name(number)}, why="a measurement"),
        severity=Severity.NOTABLE,
        lane=lane,
        audience=Audience(chat=person),
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )


def _name(number: int) -> str:
    return f"number-{number}-"


async def _until_told(emulator: Emulator, person: int, number: int) -> None:
    """Wait until an alert has arrived."""
    await emulator.wait_message(
        person, lambda m: _name(number) in m.get("text", ""), timeout=LONGEST_LOAD
    )


def _left_at(left: list[Left], number: int) -> float:
    """The time at which an alert left; of one that went twice the first."""
    return next(one.at for one in left if _name(number) in one.text)


def _most_in_a_minute(left: list[Left], chat: int) -> int:
    times = [one.at for one in left if one.chat == chat]
    return max(
        (sum(at < first + MINUTE for at in times[index:]) for index, first in enumerate(times)),
        default=0,
    )


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """28, 50 and 60 questions a second at rate 25, the second with a kill in between."""
    figures = []
    for questions, killed_after in ((28, None), (50, 10), (60, None)):
        plan = Plan(
            questions=questions,
            killed_after=killed_after,
            alerts=12 if quick else 20,
            before=5 if quick else 30,
            every=0.5 if quick else 1.5,
        )
        report = await beside_questions(None, plan)
        against = f"{report.replies} replies to {report.asked} questions" + (
            ", killed once" if killed_after else ""
        )
        figures += [
            Figure(
                name=f"{plan.alerts} alerts beside {questions} questions/s: the latest",
                value=max(report.delays),
                unit="s",
                goal=Goal(of="figure", most=5),
                note=against,
            ),
            Figure(
                name="  most in any second",
                value=report.most_a_second,
                unit="/s",
                baseline=RATE,
                goal=Goal(of="ratio", most=1),
                note="SEND_RATE, replies included",
            ),
            Figure(
                name="  most in any minute in a group",
                value=report.most_in_a_group,
                unit="",
                baseline=PER_GROUP,
                goal=Goal(of="ratio", most=1),
                note="Telegram's limit",
            ),
            Figure(
                name="  refused by Telegram",
                value=report.refused,
                unit="",
                goal=Goal(of="figure", most=0),
            ),
            Figure(
                name="  the row ahead of now, at the end",
                value=report.ahead,
                unit="s",
                goal=Goal(of="figure", most=HORIZON.total_seconds()),
            ),
        ]
    return figures
