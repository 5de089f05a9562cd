"""Worker processes for what would block the loop: feeds, pages, charts.

A job is a plain function and plain arguments; it crosses the boundary pickled by name and comes
back as a value. A 10,000-entry feed takes seconds and a hostile one for ever, so a job has a time
limit, its process limits of memory and processor time, and a process that overstays or dies is
replaced; other jobs run beside it.

* A process starts when first needed (about 0.1 s) and ends after some idle time, so that an idle
  bot is small: feedparser, trafilatura and matplotlib are never imported by the bot itself.
* asyncio's own subprocesses are used instead of `ProcessPoolExecutor`, which declares the whole
  pool broken when one process is killed, and cannot end one job without ending all.
* The child reads hostile bytes: it gets no secret from the environment, and what it sends back may
  name only our own classes and a few harmless ones, so that a subverted child cannot make the bot
  run code by a forged pickle.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import io
import math
import os
import pickle
import resource
import signal
import struct
import sys
import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from bot.errors import BotError
from bot.reasons import reason

T = TypeVar("T")

# bytes of private memory a worker may use; matplotlib alone maps 200 MB
MEMORY = 1024 * 1024 * 1024
LOADED_HERE = 256 * 1024  # bytes of a reply that hold the loop for a few milliseconds
LARGEST_REPLY = 256 * 1024 * 1024  # bytes; a reply that claims more is none of ours
_PR_SET_PDEATHSIG = 1  # of prctl(2)
_LENGTH = struct.Struct("<Q")
_JOB = struct.Struct("<Qd")
# What a child may know of our environment: nothing that could be a secret.
_ENVIRONMENT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "MPLCONFIGDIR",
    "XDG_CACHE_HOME",
    "SYSTEMROOT",
)


class WorkerError(BotError):
    """A job was ended (too slow, too large, crashed) or failed in a way it did not plan."""


class Workers:
    """At most `size` worker processes, and `kept` more for jobs that somebody waits for.

    Use as an async context manager, or `close` at the end. A process ends after `idle` seconds
    without a job, or later, when a job said that the next of its kind may come.
    """

    def __init__(
        self, *, size: int = 2, kept: int = 1, idle: float = 60.0, memory: int = MEMORY
    ) -> None:
        self._idle = idle
        self._memory = memory
        self._slots = asyncio.Semaphore(size)
        self._strangers = asyncio.Semaphore()
        self._kept = asyncio.Semaphore(kept)  # so that no reader waits behind a slow feed
        # apart, so that a feed does not take the process that has the charts' libraries in memory
        self._free: dict[bool, list[_Worker]] = {False: [], True: []}
        self._all: set[_Worker] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def run(
        self,
        job: Callable[..., T],
        *args: object,
        timeout: float,  # noqa: ASYNC109 - kills the process
        awaited: bool = False,
        warm: float = 0.0,
        stranger: bool = False,
        patience: float | None = None,
    ) -> T:
        """Run `job(*args)` in a worker and return what it returns.

        What is `awaited` by a reader has a process kept for readers, which stays `warm` so many
        seconds for the next. What a `stranger` wrote has one process at a time, however much of it
        there is: the others are for the operator's sources. A BotError the job raises comes out as
        itself; everything else, and running longer than `timeout` seconds (not counting the wait
        for a free worker), is a WorkerError. So is that wait, where it outlasts its `patience`.
        """
        outcome = "ended"
        try:
            async with self._turn(job, patience, awaited=awaited, stranger=stranger):
                done, value = await self._asked(job, args, timeout, awaited=awaited, warm=warm)
            outcome = "failed"
            if done:
                outcome = "done"
        finally:
            _count(job, outcome)
        if not done:
            raise (
                value
                if isinstance(value, BotError)
                else WorkerError(
                    reason("worker.failed", "{job} failed: {what}", job=_name(job), what=value)
                )
            )
        result: T = value
        return result

    @contextlib.asynccontextmanager
    async def _turn(
        self, job: Callable[..., object], patience: float | None, *, awaited: bool, stranger: bool
    ) -> AsyncIterator[None]:
        """While it lasts, the right to ask a process."""
        async with contextlib.AsyncExitStack() as held:
            try:
                async with asyncio.timeout(patience):
                    if stranger:
                        await held.enter_async_context(self._strangers)
                    await held.enter_async_context(self._kept if awaited else self._slots)
            except TimeoutError:
                words = "no worker was free for {job} in {seconds} s"
                raise WorkerError(
                    reason("worker.busy", words, job=_name(job), seconds=patience or 0)
                ) from None
            yield

    async def _asked(
        self,
        job: Callable[..., Any],
        args: tuple[object, ...],
        seconds: float,
        *,
        awaited: bool,
        warm: float,
    ) -> tuple[bool, Any]:
        """The reply of a worker process: whether the job came to its end, and its value."""
        worker = await self._take(awaited=awaited)
        try:
            async with asyncio.timeout(seconds):
                reply = await worker.ask(job, args, seconds)
        except BaseException as error:
            # Cancelled or not, its next answer would be to a question nobody asks any more.
            await self._end(worker, kill=True)
            match error:
                case TimeoutError():
                    words = "{job} took longer than {seconds} s"
                    raise WorkerError(
                        reason("worker.slow", words, job=_name(job), seconds=seconds)
                    ) from None
                case EOFError() | OSError() | pickle.UnpicklingError():
                    words = "the worker died over {job}"
                    raise WorkerError(reason("worker.died", words, job=_name(job))) from None
            raise
        worker.rest(self._idle, warm, self._retire)
        self._free[awaited].append(worker)
        return reply

    async def close(self) -> None:
        """End all processes; a job under way fails."""
        for worker in list(self._all):
            await self._end(worker, kill=not self._is_free(worker))

    @property
    def processes(self) -> tuple[int, ...]:
        """The process ids of the workers that live."""
        return tuple(worker.pid for worker in self._all if worker.lives)

    async def _take(self, *, awaited: bool) -> _Worker:
        free = self._free[awaited]
        while free:
            worker = free.pop()
            worker.wake()
            if worker.lives:
                return worker
            await self._end(worker, kill=True)
        worker = await _Worker.start(self._memory)
        self._all.add(worker)
        return worker

    def _is_free(self, worker: _Worker) -> bool:
        return any(worker in free for free in self._free.values())

    def _leave(self, worker: _Worker) -> None:
        for free in self._free.values():
            if worker in free:
                free.remove(worker)

    def _retire(self, worker: _Worker) -> asyncio.Task[None]:
        self._leave(worker)
        return asyncio.create_task(self._end(worker, kill=False))

    async def _end(self, worker: _Worker, *, kill: bool) -> None:
        self._leave(worker)
        try:
            await worker.end(kill=kill)
        finally:
            self._all.discard(worker)


class _Worker:
    """One child process: a question down its stdin, an answer up its stdout."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._rest: asyncio.TimerHandle | None = None
        self._farewell: asyncio.Task[None] | None = None
        self._warm_until = 0.0

    @classmethod
    async def start(cls, memory: int) -> Self:
        environment: dict[str, str] = {}
        for name in _ENVIRONMENT:  # no more than is needed: the bot's own holds its token
            if name in os.environ:
                environment[name] = os.environ[name]
        # One job runs in it at a time, beside a loop that wants the processor: no thread pools.
        environment |= {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", f"from bot.workers import serve; serve({memory}, {os.getpid()})",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=environment,
            start_new_session=True,  # Ctrl-C is for the bot, which then ends its workers
        )  # fmt: skip
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lives(self) -> bool:
        return self._process.returncode is None

    async def ask(
        self, job: Callable[..., object], args: tuple[object, ...], seconds: float
    ) -> tuple[bool, Any]:
        """Send a job, wait for its reply: (True, value) or (False, error or its class's name)."""
        question, answer = self._process.stdin, self._process.stdout
        if question is None or answer is None:
            raise EOFError
        data = pickle.dumps((job, args), pickle.HIGHEST_PROTOCOL)
        question.write(_JOB.pack(len(data), seconds) + data)
        await question.drain()
        (length,) = _LENGTH.unpack(await answer.readexactly(_LENGTH.size))
        if length > LARGEST_REPLY:
            raise EOFError
        said = io.BytesIO(await answer.readexactly(length))
        if length > LOADED_HERE:
            # a thread gives the loop its turns: thousands of entries take a tenth of a second
            reply = await asyncio.to_thread(_Replies(said).load)
        else:
            reply = _Replies(said).load()
        if not (isinstance(reply, tuple) and len(reply) == 2):
            raise pickle.UnpicklingError
        return reply

    def rest(
        self, seconds: float, warm: float, retire: Callable[[_Worker], asyncio.Task[None]]
    ) -> None:
        """Call `retire` after some seconds, unless woken before.

        Later where a job, this one or one before, said that the process stays `warm` for longer.
        """
        loop = asyncio.get_running_loop()
        self._warm_until = max(self._warm_until, loop.time() + warm)
        until = max(loop.time() + seconds, self._warm_until)

        def farewell() -> None:
            self._farewell = retire(self)

        self._rest = loop.call_at(until, farewell)

    def wake(self) -> None:
        if self._rest is not None:
            self._rest.cancel()

    async def end(self, *, kill: bool) -> None:
        self.wake()
        if self._process.stdin is not None:
            self._process.stdin.close()  # the child leaves when nobody can ask any more
        if kill:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        try:
            async with asyncio.timeout(2):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


class _Replies(pickle.Unpickler):
    """Reads values, and refuses the names a forged pickle would need to run code."""

    _BUILTINS = frozenset({"set", "frozenset", "bytearray", "complex", "range", "slice"})

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - as its parent
        if (
            module.startswith("bot.")
            or module in {"datetime", "decimal"}
            or (module == "builtins" and name in self._BUILTINS)
        ):
            found = None
            with contextlib.suppress(AttributeError, ImportError):  # a name of nothing
                found = super().find_class(module, name)
            # not what the module imported
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(name)


# --- in the child ---------------------------------------------------------------------------------


def serve(memory: int, bot: int) -> None:
    """A worker's life: read a job, run it, write the reply, until stdin or process `bot` ends."""
    _end_with(bot)
    # What a library prints must not mix with our replies.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit(memory)
    while header := sys.stdin.buffer.read(_JOB.size):
        length, seconds = _JOB.unpack(header)
        reply = _reply(sys.stdin.buffer.read(length), seconds)
        replies.write(_LENGTH.pack(len(reply)) + reply)
        replies.flush()


def _end_with(bot: int) -> None:
    """Have the system end us with the bot, at once, silently and in the middle of a job too.

    Where it cannot (only Linux can), the next read or write of ours fails.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != bot:  # it was quicker
        os._exit(0)


def _limit(memory: int) -> None:
    """Give way to the bot's loop, and keep a hostile document from taking the machine's memory."""
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # not every system lets it be set
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _reply(data: bytes, seconds: float) -> bytes:
    # The bot ends a slow job itself; this ends it when the bot is gone.
    spent = math.ceil(time.process_time() + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (spent, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    try:
        job, args = pickle.loads(data)  # noqa: S301 - from our own parent
        return pickle.dumps((True, job(*args)), pickle.HIGHEST_PROTOCOL)
    except BotError as error:
        error.__cause__ = error.__context__ = None
        return pickle.dumps((False, error), pickle.HIGHEST_PROTOCOL)
    # whatever a job does, the bot hears its name and the worker goes on
    except BaseException as error:  # noqa: BLE001 - as said above
        return pickle.dumps((False, type(error).__name__), pickle.HIGHEST_PROTOCOL)


def _count(job: Callable[..., object], outcome: str) -> None:
    """One job more of those that worker processes were given."""
    from bot import metrics  # the processes themselves count nothing, and need not read it

    metrics.WORKER_JOBS.add(_name(job), outcome)


def _name(job: Callable[..., object]) -> str:
    """The name of a job, a `functools.partial` too."""
    named = getattr(job, "func", job)
    return str(getattr(named, "__name__", "a job"))
