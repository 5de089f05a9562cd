"""What a recurring job is, and the loops of a process that is alone with its database.

The list of them is `JOBS` in `bot/recurring.py`; beside other replicas `bot/cluster.py` runs it as
jobs of a queue that they share.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, cast

from bot import metrics
from bot.errors import ConfigError, StorageError
from bot.ingest.side_by_side import POLLS_AT_ONCE, SideBySide
from bot.running import Running

LEFT_OUT: Any = None  # a part of a job that has to be there
TICK = 1.0  # seconds between looks at what changes all the time


class Who(Enum):
    """Which processes do a job."""

    ONE = "one, for all replicas"
    EACH = "each, for itself"
    REPLICA = "each, where there may be others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One thing that is done again and again, `every` so many seconds after it was done last.

    With `due` the job is done for each key that `due` gives, several side by side, and `do` takes
    the key. A job without `every` is done after each round of the job it `follows` that returned
    true, where replicas share the work. `again` is the pause after a StorageError, in seconds;
    without it the job deals with those itself. What a line leaves out is told by `lacking`.
    """

    name: str = ""
    do: Callable[..., Awaitable[object]] = LEFT_OUT
    every: float | None = None
    due: Callable[[Running], Awaitable[list[str]]] | None = None
    follows: str | None = None
    again: float | None = None
    who: Who = Who.ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A job with its program: what a runner needs to know of it."""

    job: Job
    do: Callable[..., Awaitable[object]]
    due: Callable[[], Awaitable[list[str]]] | None = None


class Key(NamedTuple):
    """A key whose job is to be done now."""

    key: str


def lacking(jobs: Sequence[Job]) -> list[str]:
    """What jobs lack, each as a line with the job's name; empty when all can run."""
    found: list[str] = []
    whole: list[Job] = []
    for line in cast("Sequence[object]", jobs):
        if isinstance(line, Job):
            whole.append(line)
        else:
            found.append(f"a line of the jobs is no Job: {getattr(line, '__name__', line)}")
    names = Counter(job.name for job in whole)
    for name, lines in names.items():
        if lines > 1:
            found.append(f"job {name!r}: there are two")
    for job in whole:
        found += _lacking_of(job, names.keys())
    return found


def _lacking_of(job: Job, names: Collection[str]) -> Iterator[str]:
    """What one job lacks, which may be anything where it was written without a check."""
    every, who = cast("tuple[object, ...]", (job.every, job.who))
    if not job.name:
        yield "a job has no name"
    if not inspect.iscoroutinefunction(job.do):
        yield f"job {job.name!r}: lacks `do`, a coroutine function"
    if job.due is not None and not inspect.iscoroutinefunction(job.due):
        yield f"job {job.name!r}: `due` is no coroutine function"
    if (every is None) == (job.follows is None):
        yield f"job {job.name!r}: needs either `every` or `follows`"
    if every is not None and (not isinstance(every, int | float) or every <= 0):
        yield f"job {job.name!r}: `every` is no time"
    if job.follows is not None and job.follows not in names:
        yield f"job {job.name!r}: there is no job {job.follows!r} to follow"
    if not isinstance(who, Who):
        yield f"job {job.name!r}: `who` is no Who, which processes do it"
    elif who is not Who.ONE and (job.due is not None or job.follows is not None):
        yield f"job {job.name!r}: only what one does for all has `due` or `follows`"


def bound(bot: Running, jobs: Sequence[Job]) -> list[Work]:
    """This program's jobs, ready to run. ConfigError names each job that lacks a part."""
    if problems := lacking(jobs):
        raise ConfigError(problems)
    return [_bind(bot, job) for job in jobs]


def _bind(bot: Running, job: Job) -> Work:
    """A job with its program put in; a runner calls it without knowing of either."""

    async def do(*key: str) -> object:
        metrics.JOBS.labels(job.name).inc()
        bot.done[job.name] = bot.clock()
        return await job.do(bot, *key)

    if (find := job.due) is None:
        return Work(job=job, do=do)

    async def due_now() -> list[str]:
        return await find(bot)

    return Work(job=job, do=do, due=due_now)


def looped(works: Sequence[Work], *, alone: bool) -> list[Work]:
    """The work that a process does in loops of its own.

    Alone it is all of it, else what each replica does for itself. What follows another job is for
    those who share: a lone process wakes its own worker.
    """
    mine = {Who.EACH, Who.REPLICA}
    if alone:
        mine = {Who.ONE, Who.EACH}
    return [work for work in works if work.job.who in mine and work.job.every is not None]


def shared(works: Sequence[Work]) -> list[Work]:
    """The work that replicas share: each piece is done by one of them."""
    return [work for work in works if work.job.who is Who.ONE]


async def loop(
    work: Work, pause: Callable[[float], Awaitable[Any]], stopping: asyncio.Event
) -> None:
    """One job of a process, until `stopping`."""
    if work.due is not None:
        await _sweep(work, work.due, pause, stopping)
        return
    while not stopping.is_set():
        wait = work.job.every or TICK
        try:
            await work.do()
        except StorageError:  # said by whoever watches the store
            if work.job.again is None:
                raise
            wait = work.job.again
        await pause(wait)


async def _sweep(
    work: Work,
    due_now: Callable[[], Awaitable[list[str]]],
    pause: Callable[[float], Awaitable[Any]],
    stopping: asyncio.Event,
) -> None:
    """Do a job for each key that is due, several side by side."""
    async with asyncio.TaskGroup() as tasks:
        rounds: SideBySide[Key] = SideBySide(
            tasks, lambda one: work.do(one.key), places=POLLS_AT_ONCE
        )
        while not stopping.is_set():
            under_way = rounds.busy  # what ends while we look is still due by what we read
            for key in await due_now():
                if key not in under_way:
                    rounds.start(Key(key))
            await pause(work.job.every or TICK)
