"""A recurring job, and the loops of a process that is alone with its database.

The list of them is `JOBS` in `bot/recurring.py`; beside other replicas `bot/cluster/` runs it as
jobs of a queue that they share.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple, cast

from bot import metrics
from bot.errors import ConfigError, StorageError
from bot.fitting import is_awaited, takes
from bot.i18n import known
from bot.ingest.side_by_side import POLLS_AT_ONCE, SideBySide
from bot.running import Running

LEFT_OUT: Any = None  # a part of a job that has to be there
#: The names that the queue of replicas needs for itself.
OWN_NAMES = frozenset({"look", "rescue", "prune"})
TICK = 1.0  # seconds between looks at what changes all the time


class Doer(Enum):
    """The processes, of several, that do a job."""

    ONE = "one, for all replicas"
    EACH = "each, for itself"
    REPLICA = "each, where there may be others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One thing that is done again and again, `every` so many seconds after it was done last.

    With `due` the job is done for each key that `due` gives, several side by side, and `do` takes
    the key; where `host` tells whom a key's work asks, few of one host are done at a time, and
    where `known` tells the keys that this program has, others are left to who has them. A job
    without `every` is done after each round of the job it `follows` that returned true, where
    replicas share the work. `again` is the pause after a StorageError, in seconds;
    without it the job deals with those itself, as one with `due` does. A job that `rests` and
    returned False has nothing to do until something is written, and is spared until then. A process
    that does it in a loop begins `after` so many seconds, so that a start has less to do; a queue
    of replicas has times of its own. What a line leaves out is told by `lacking`, and what replicas
    could not keep: they count whole seconds.
    """

    name: str = ""
    do: Callable[..., Awaitable[object]] = LEFT_OUT
    every: float | None = None
    due: Callable[[Running], Awaitable[list[str]]] | None = None
    host: Callable[[Running, str], str | None] | None = None
    known: Callable[[Running], Collection[str]] | None = None
    follows: str | None = None
    again: float | None = None
    after: float | None = None
    rests: bool = False
    who: Doer = Doer.ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A job with its program: what a runner needs to know of it."""

    job: Job
    do: Callable[..., Awaitable[object]]
    due: Callable[[], Awaitable[list[str]]] | None = None
    host: Callable[[str], str | None] = field(default=lambda _key: None)
    known: Callable[[], Collection[str]] | None = None  # all that there are, where it is None

    def keyed(self, key: str) -> Key:
        """A key with its host."""
        return Key(key, self.host(key))

    async def due_keys(self) -> list[Key]:
        """The keys to do it for now, each with its host."""
        due: list[str] = [] if self.due is None else await self.due()
        return [self.keyed(key) for key in due]


class Key(NamedTuple):
    """A key whose job is to be done now, and the host that is asked for it."""

    key: str
    host: str | None = None


def problems(listed: ModuleType) -> list[str]:
    """The parts that a file's jobs lack, their names for operators too, and its functions that no
    line of its JOBS does, a sentence each.
    """
    jobs = vars(listed).get("JOBS")
    found = lacking(jobs)
    done: set[int] = set()  # by their ids: what a line gives may be anything
    for job in jobs if isinstance(jobs, tuple | list) else ():
        done |= {id(getattr(job, "do", None)), id(getattr(job, "due", None))}
        name = getattr(job, "name", None)
        if _is_name(name) and not known(f"page.job.{name}"):
            found.append(f"job {name!r}: the texts lack page.job.{name}, its name on the page")
    for name, one in vars(listed).items() if done else ():
        own = getattr(one, "__module__", None) == listed.__name__ and not name.startswith("_")
        if own and id(one) not in done and is_awaited(one) and _takes_the_program(one):
            found.append(f"no line of the jobs does {name}, which takes the program")
    return found


def _takes_the_program(function: Callable[..., object]) -> bool:
    first = next(iter(inspect.signature(function).parameters.values()), None)
    # as it is written: a module's annotations are not looked up
    return first is not None and first.annotation in {Running, Running.__name__}


def lacking(jobs: Sequence[Job] | None) -> list[str]:
    """The parts that jobs lack, each as a line with the job's name; empty when all can run."""
    found: list[str] = []
    whole: list[Job] = []
    lines: object = jobs
    if not isinstance(lines, tuple | list):
        return ["bot/recurring.py lacks JOBS, jobs in round brackets with commas between"]
    for line in cast("Sequence[object]", lines):
        if not isinstance(line, Job):
            found.append(f"a line of the jobs is no Job: {getattr(line, '__name__', line)}")
        elif not _is_name(line.name):
            name = f", {line.name!r} is none" if line.name else ""
            found.append(f"a job has no name{name}: its `do` is {_called(line.do)}")
        else:
            whole.append(line)
    names = Counter(job.name for job in whole)
    for name, lines in names.items():
        if lines > 1:
            found.append(f"job {name!r}: there are two")
    by_name = {job.name: job for job in whole}
    for job in whole:
        for wrong in (*_misfitting(job), *_untimely(job, by_name), *_unshared(job, whole)):
            found.append(f"job {job.name!r}: {wrong}")
    return found


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _called(function: object) -> str:
    return str(getattr(function, "__name__", function))


def _misfitting(job: Job) -> Iterator[str]:
    """The faults of a job's functions: each may be anything where nobody checked the line."""
    given = "(Running)" if job.due is None else "(Running, str), as there is a `due`"
    if not is_awaited(job.do):
        yield "lacks `do`, a coroutine function"
    elif not takes(job.do, 1 if job.due is None else 2):
        yield f"`do`, {_called(job.do)}, should take {given}"
    if job.due is not None and not is_awaited(job.due):
        yield "`due` is no coroutine function"
    elif job.due is not None and not takes(job.due, 1):
        yield f"`due`, {_called(job.due)}, should take (Running)"
    if job.host is not None and not takes(job.host, 2):
        yield f"`host`, {_called(job.host)}, should take (Running, str)"
    if job.known is not None and not takes(job.known, 1):
        yield f"`known`, {_called(job.known)}, should take (Running)"


def _untimely(job: Job, jobs: Mapping[str, Job]) -> Iterator[str]:
    """The faults of when a job is done, and by whom."""
    who: object = job.who
    for name, time in (("every", job.every), ("again", job.again), ("after", job.after)):
        if time is not None and not _is_time(time):
            yield f"`{name}` is no time"
    if (job.every is None) == (job.follows is None):
        yield "needs either `every` or `follows`"
    elif job.every is None and (wrong := _unfollowed(job, jobs)):
        yield wrong
    if not isinstance(who, Doer):
        yield "`who` is no Doer, which processes do it"
    elif who is not Doer.ONE and (job.due is not None or job.follows is not None):
        yield "only what one does for all has `due` or `follows`"


def _unshared(job: Job, jobs: Sequence[Job]) -> Iterator[str]:
    """The parts of a job that a lone process would do for all, and replicas would not."""
    if job.who is not Doer.ONE:
        return
    if job.name in OWN_NAMES:
        yield "its name is one of the queue's own"
    for name, time in (("every", job.every), ("again", job.again)):
        if time is not None and _is_time(time) and not float(time).is_integer():
            yield f"`{name}` is {time}: replicas share it by whole seconds"
    if job.due is None:
        return
    if job.again is not None:
        yield "`again` is nothing to a job with `due`, which deals with a StorageError itself"
    for first in jobs:
        if first.due is not None and first.who is Doer.ONE:  # the first of those
            if _is_time(first.every) and first.every != job.every:
                yield f"`every` should be that of {first.name!r}: replicas look for both at once"
            return


def _is_time(value: object) -> bool:
    """Whether somebody can wait for so many seconds; True would pass for 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _unfollowed(job: Job, jobs: Mapping[str, Job]) -> str:
    """The fault for which a job that follows another is never done; "" where it is."""
    passed: list[object] = []
    at: Job | None = job
    while at is not None and at.follows is not None:
        if at.name in passed:
            return " by way of ".join(["follows itself", *map(repr, passed[1:])])
        passed.append(at.name)
        following: object = at.follows
        if not isinstance(following, str) or following not in jobs:
            # told of the job that names it, not of each that follows that one
            return f"there is no job {following!r} to follow" if at is job else ""
        at = jobs[following]
    if jobs[str(job.follows)].who is not Doer.ONE:
        return f"nothing follows {job.follows!r}, which is not done by one for all"
    return ""


def bound(bot: Running, jobs: Sequence[Job]) -> list[Work]:
    """This program's jobs, ready to run. ConfigError names each job that lacks a part."""
    if problems := lacking(jobs):
        raise ConfigError(problems)
    metrics.JOBS.expect([job.name for job in jobs])
    return [_bind(bot, job) for job in jobs]


def _bind(bot: Running, job: Job) -> Work:
    """A job with its program put in; a runner calls it without knowing of either."""

    async def do(*key: str) -> object:
        metrics.JOBS.add(job.name)
        # noted before it is done, so that one that hangs grows old on the operator's page
        bot.done[job.name] = bot.clock()
        if not job.rests:
            return await job.do(bot, *key)
        still = bot.still(job.name)
        if still.holds(bot.clock()):
            return False
        done = await job.do(bot, *key)
        still.found(nothing=done is False)
        return done

    if (find := job.due) is None:
        return Work(job=job, do=do)

    async def due_now() -> list[str]:
        return await find(bot)

    work = Work(job=job, do=do, due=due_now)
    if job.host is not None:
        work = replace(work, host=partial(job.host, bot))
    if job.known is not None:
        work = replace(work, known=partial(job.known, bot))
    return work


def looped(works: Sequence[Work], *, alone: bool) -> list[Work]:
    """The work that a process does in loops of its own.

    Alone it is all of it, else what each replica does for itself. What follows another job is for
    those who share: a lone process wakes its own worker.
    """
    mine = {Doer.EACH, Doer.REPLICA}
    if alone:
        mine = {Doer.ONE, Doer.EACH}
    return [work for work in works if work.job.who in mine and work.job.every is not None]


def shared(works: Sequence[Work]) -> list[Work]:
    """The work that replicas share: each piece is done by one of them."""
    return [work for work in works if work.job.who is Doer.ONE]


async def loop(
    work: Work, pause: Callable[[float], Awaitable[Any]], stopping: asyncio.Event
) -> None:
    """One job of a process, until `stopping`."""
    if work.job.after is not None:
        await pause(work.job.after)
    if work.due is not None:
        await _sweep(work, work.due, pause, stopping)
        return
    while not stopping.is_set():
        # `looped` lets in none without `every`; the type does not know that
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
            tasks, lambda one: work.do(one.key), at_once=POLLS_AT_ONCE
        )
        while not stopping.is_set():
            under_way = rounds.busy  # what ends while we look is still due by what we read
            for key in await due_now():
                if key not in under_way:
                    rounds.start(work.keyed(key))
            await pause(work.job.every or TICK)
