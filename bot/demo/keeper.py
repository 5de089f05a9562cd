"""The keeper of the demonstration's bot: starts it, turns its clock, freezes and kills it."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

import orjson

from bot.demo.hindrance import Hindrance
from bot.emulator import TEST_TOKEN
from bot.errors import BotError

FORESEES_WITHIN = 1.0  # seconds; a bot with no answer then is asked again another time
STOPS_WITHIN = 10.0  # seconds for an orderly end, after which it is killed
SUBJECT = (sys.executable, "-m", "bot.demo.subject")


class State(Enum):
    """The states of the bot's process."""

    ASLEEP = "asleep"  # not started, or killed
    WAKING = "waking"
    AWAKE = "awake"
    FROZEN = "frozen"


@dataclass(slots=True, kw_only=True)
class Keeper:
    """The bot's process; `ahead` says how far the clock is turned, `on_change` hears of states,
    `on_kill` of sudden ends and their moments (`time.monotonic`).
    """

    api_url: str = ""
    ahead: Callable[[], timedelta]
    on_change: Callable[[], None] = lambda: None
    on_kill: Callable[[float], None] = lambda _at: None
    state: State = State.ASLEEP
    database_url: str = ""
    catalog: str = ""
    port: int = 0  # of its status page; the same after each start
    command: Sequence[str] = SUBJECT
    #: Whether one bot takes another's place just now.
    replaced: bool = False
    _process: Process | None = None
    _reading: asyncio.Task[None] | None = None
    _settled: dict[int, asyncio.Future[None]] = field(default_factory=dict)
    #: The questions that wait for an answer, as it said last.
    unanswered: int = 0
    #: By chat, the messages that it let go: too late, superseded or said in another one.
    let_go: Mapping[int, int] = field(default_factory=dict)
    #: Its standing still.
    stands: Hindrance = field(default_factory=Hindrance)
    #: The next moment at which something is due for a chat, and what, as it said last.
    foreseen: tuple[datetime, str] | None = None
    _turns: int = 0
    _asked: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Start it on its database, and return when it is ready. BotError when it ends before."""
        self.foreseen, self.unanswered, self.let_go = None, 0, {}
        self.stands = Hindrance()
        self._be(State.WAKING)
        self._process = process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=PIPE,
            stdout=PIPE,
            start_new_session=True,  # Ctrl-C is for us, and we end it in order
        )
        self._tell(
            {
                "token": TEST_TOKEN,
                "api_url": self.api_url,
                "database_url": self.database_url,
                "catalog": self.catalog,
                "port": self.port,
                "ahead": self.ahead().total_seconds(),
            }
        )
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(process, ready))
        await ready

    @contextmanager
    def replacing(self) -> Iterator[None]:
        """The keeper is waking from the end of one bot to the start of the next one.

        Nobody else may start, freeze or kill a bot meanwhile: there would be two, or the wrong one.
        """
        self.replaced = True
        self._be(State.WAKING)
        try:
            yield
        finally:
            self.replaced = False
            if self.state is State.WAKING:  # something went wrong before it was awake
                self._be(State.ASLEEP)
            else:
                self.on_change()

    async def _read(self, process: Process, ready: asyncio.Future[None]) -> None:
        """Follow the lines that the process writes, until its end."""
        if process.stdout is None:
            raise AssertionError("it has a pipe")
        while line := await process.stdout.readline():
            said = orjson.loads(line)
            if "ready" in said:
                self.port = said["ready"]
                self._be(State.AWAKE)
                if not ready.done():
                    ready.set_result(None)
            elif "foreseen" in said:
                self.unanswered = said["unanswered"]
                self.let_go = {int(chat): count for chat, count in said["let_go"].items()}
                self._foresees(said["due"])
            elif (turn := self._settled.pop(said["settled"], None)) and not turn.done():
                turn.set_result(None)
        await process.wait()
        if not ready.done():
            ready.set_exception(BotError("the bot of the demonstration ended at its start"))
        for turn in self._settled.values():
            turn.cancel()
        self._settled.clear()
        self._be(State.ASLEEP)

    def turn(self) -> None:
        """Tell it how far the clock is turned now."""
        self._tell({"ahead": self.ahead().total_seconds()})

    async def settled(self, fresh: Collection[str]) -> None:
        """Wait until it has done what is due, and has heard the sources with something new.

        One that is killed meanwhile does nothing any more, and is not waited for.
        """
        self._turns += 1
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._settled[self._turns] = done
        self._tell(
            {
                "ahead": self.ahead().total_seconds(),
                "turn": self._turns,
                "fresh": sorted(fresh),
            }
        )
        await asyncio.wait([done])

    async def foresee(self) -> tuple[datetime, str] | None:
        """The next moment at which something is due for a chat; what was known where it is mute."""
        if self.state is State.AWAKE:
            self._asked = self._asked or asyncio.get_running_loop().create_future()
            self._tell({"foresee": True})
            await asyncio.wait([self._asked], timeout=FORESEES_WITHIN)
        return self.foreseen

    def _foresees(self, due: tuple[str, str] | None) -> None:
        self.foreseen = None
        if due is not None:
            self.foreseen = datetime.fromisoformat(due[0]), due[1]
        asked, self._asked = self._asked, None
        if asked is not None and not asked.done():
            asked.set_result(None)

    def freeze(self) -> None:
        """Let it stand still, as a machine does that swaps or is suspended."""
        self._signal(signal.SIGSTOP)
        self.stands.begins()
        self._be(State.FROZEN)

    def thaw(self) -> None:
        """Let the frozen process go on."""
        self._signal(signal.SIGCONT)
        self.stands.ends()
        self._be(State.AWAKE)

    async def kill(self) -> None:
        """End it as the kernel does: no last word, nothing put in order."""
        at = time.monotonic()
        self._signal(signal.SIGKILL)
        # what it had begun to ask is answered by then
        await self._end()
        self.on_kill(at)

    async def stop(self) -> None:
        """End it in order; harmless when it has ended."""
        if self._process is None:
            return
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOPS_WITHIN):
                await self._end()
        except TimeoutError:
            await self.kill()

    async def _end(self) -> None:
        process, reading = self._process, self._reading
        if reading is not None:
            await asyncio.wait([reading])
        if self._process is process:  # else another was started meanwhile
            self._process = self._reading = None

    def _signal(self, number: int) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _tell(self, order: dict[str, object]) -> None:
        if self._process is not None and self._process.stdin is not None:
            # one that was just killed reads no more
            with suppress(ConnectionError, RuntimeError):
                self._process.stdin.write(orjson.dumps(order, option=orjson.OPT_APPEND_NEWLINE))

    def _be(self, state: State) -> None:
        if state is State.ASLEEP and self.replaced:
            state = State.WAKING
        self.state = state
        self.on_change()
