"""One list of jobs, two runners: loops where a process is alone, a queue where replicas share."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
from procrastinate.jobs import Job as Queued
from procrastinate.tasks import Task
from procrastinate.testing import InMemoryConnector

import storage.notes
from bot import cluster
from bot.cluster.batches import (
    BATCH,
    BATCHES,
    OF_ONE_HOST,
    QUEUE,
    WAITING,
    catalog_of,
    forget_others,
    queue_of,
)
from bot.errors import ConfigError, StorageError
from bot.ingest.side_by_side import POLLS_AT_ONCE
from bot.jobs import OWN_NAMES, Doer, Job, Work, bound, lacking, loop, looped, problems, shared
from bot.reasons import said
from bot.recurring import JOBS
from bot.running import Running
from storage.db import Store
from storage.still import Still
from tests.factories import NOW

NO_PROGRAM = cast("Running", None)


def now() -> datetime:
    """The time that replicas share."""
    return NOW


def again_in(task: Task[Any, Any, Any]) -> float | None:
    """The seconds until a job of this task is tried again, by the time that replicas share."""
    failed = Queued(queue=task.queue, lock=None, queueing_lock=None, task_name=task.name)
    retry = task.get_retry_exception(StorageError(said("away")), failed)
    if retry is None or retry.retry_decision.retry_at is None:
        return None
    return (retry.retry_decision.retry_at - NOW).total_seconds()


def named(works: list[Work]) -> set[str]:
    """The names of work."""
    return {work.job.name for work in works}


def test_both_runners_run_the_same_list() -> None:
    """Each job is done by a lone process and by replicas, but for those that say where they are
    not.
    """
    works = bound(NO_PROGRAM, JOBS)
    alone, beside = named(looped(works, alone=True)), named(looped(works, alone=False))
    together = named(shared(works))
    assert not beside & together, "no job is done twice"
    only_beside = {job.name for job in JOBS if job.who is Doer.REPLICA or job.follows is not None}
    assert alone | only_beside == {job.name for job in JOBS}
    assert beside | together == {job.name for job in JOBS}


def test_the_queue_has_a_task_for_each_job_that_is_shared() -> None:
    """And puts in by time exactly those that come by time."""
    works = shared(bound(NO_PROGRAM, JOBS))
    queue, periodic = cluster.jobs(works, nullcontext, now, "a")
    queues = {QUEUE, queue_of("a", QUEUE)}
    ours = {name for name, task in queue.tasks.items() if task.queue in queues}
    batches = {name for name, task in queue.tasks.items() if task.queue == BATCHES}
    assert batches == {work.job.name for work in works if work.due is not None}
    assert ours == (named(works) | OWN_NAMES) - batches
    by_time = {work.job.name for work in works if work.job.every is not None and work.due is None}
    assert {task.name for task in periodic} == by_time | OWN_NAMES
    # who has another catalog looks for itself, and neither keeps the other from it
    look, other = queue.tasks["look"], cluster.jobs(works, nullcontext, now, "b")[0].tasks["look"]
    assert look.queue != other.queue
    assert look.lock != other.lock
    assert look.queueing_lock != other.queueing_lock


async def test_by_time_each_catalog_looks_and_all_else_comes_once() -> None:
    """Whichever replica comes first with a tick, it takes nobody's look for what is due."""
    works, connector = shared(bound(NO_PROGRAM, JOBS)), InMemoryConnector()
    names: set[str] = set()
    for catalog in ("a", "a", "b"):
        queue, periodic = cluster.jobs(works, nullcontext, now, catalog)
        names |= {task.name for task in periodic}
        with queue.replace_connector(connector):
            for task in periodic:
                await cluster.put(queue, nullcontext, task, 60)
    came = Counter(str(job["task_name"]) for job in connector.jobs.values())
    assert came == Counter([*names, "look"])


async def test_keys_that_a_replica_does_not_have_are_left_to_the_catalog_they_come_from() -> None:
    """And forgotten where they come from its own: they are gone from it. Earlier programs take jobs
    of this one, and know `keys` and `key` alone.
    """
    done: list[str] = []

    async def poll(key: str) -> None:
        done.append(key)

    async def due() -> list[str]:
        return ["here"]

    job = Job(name="poll", do=nothing, due=nothing, every=1.0)
    queue, _ = cluster.jobs(
        [Work(job=job, do=poll, due=due, known=lambda: {"here"})], nullcontext, now, "a"
    )
    connector = InMemoryConnector()
    with queue.replace_connector(connector):
        await queue.tasks["poll"](keys=["gone"], key="a")
        assert not connector.jobs
        await queue.tasks["poll"](keys=["there", "here"], key="b")
    assert done == ["here"]
    (left,) = connector.jobs.values()
    assert left["queue_name"] == queue_of("b", BATCHES)
    assert left["args"] == {"keys": ["there"], "key": "b"}


async def test_a_look_puts_what_is_due_in_batches_and_not_more_than_will_soon_be_done() -> None:
    """What is there is not put again, nor a host's beyond its share; what was left to another
    catalog is put for this one too.
    """
    keys = [f"slow{number}" for number in range(OF_ONE_HOST)]
    keys += [f"key{number}" for number in range(BATCH * (WAITING - 1))]

    async def due() -> list[str]:
        return ["slower", *keys]

    def host(key: str) -> str | None:
        return "slow" if key.startswith("slow") else None

    job = Job(name="poll", do=nothing, due=nothing, every=1.0)
    queue, _ = cluster.jobs([Work(job=job, do=nothing, due=due, host=host)], nullcontext, now, "a")
    connector = InMemoryConnector()

    def put() -> list[list[str]]:
        rows = [row for row in connector.jobs.values() if row["queue_name"] == BATCHES]
        assert {row["args"]["key"] for row in rows} <= {"a"}
        return [cast("list[str]", row["args"]["keys"]) for row in rows]

    with queue.replace_connector(connector):
        left = queue.tasks["poll"].configure(queue=queue_of("b", BATCHES))
        await left.defer_async(keys=["key0"], key="b")
        await queue.tasks["look"](timestamp=0)
        first = put()
        assert [len(batch) for batch in first] == [BATCH] * (WAITING - 1) + [OF_ONE_HOST]
        beyond = f"slow{OF_ONE_HOST - 1}"
        assert [key for batch in first for key in batch] == [
            key for key in await due() if key != beyond
        ]
        keys += [f"more{number}" for number in range(2 * BATCH)]
        await queue.tasks["look"](timestamp=1)
        assert put() == first
        await connector.finish_job_run(3, "succeeded", delete_job=True)
        await queue.tasks["look"](timestamp=2)
        assert put() == [first[0], *first[2:], first[1]]


def test_replicas_that_know_the_same_keys_have_a_catalog_of_one_name() -> None:
    """In whatever order and kinds of work; one key more or less makes it another's."""

    def name(*known: set[str]) -> str:
        job = Job(name="poll", do=nothing, due=nothing, every=1.0)
        works = [Work(job=job, do=nothing, known=lambda keys=keys: keys) for keys in known]
        return catalog_of([*works, Work(job=job, do=nothing)])

    assert name({"a", "b"}, {"c"}) == name({"c", "b"}, {"a"})
    assert len({name({"a", "b"}), name({"a"}), name({"ab"}), name()}) == 4


async def test_batches_side_by_side_poll_no_more_at_once_than_a_process_may() -> None:
    """And as many, though each batch alone has fewer."""
    running: set[str] = set()
    most, full = 0, asyncio.Event()
    keys = [f"key{number}" for number in range(2 * POLLS_AT_ONCE)]

    async def poll(key: str) -> None:
        nonlocal most
        running.add(key)
        most = max(most, len(running))
        if most >= POLLS_AT_ONCE:
            full.set()
        await full.wait()
        await asyncio.sleep(0)  # whoever else may begin does
        running.discard(key)

    async def due() -> list[str]:
        return keys

    job = Job(name="poll", do=nothing, due=nothing, every=1.0)
    queue, _ = cluster.jobs([Work(job=job, do=poll, due=due)], nullcontext, now, "a")
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for start in range(0, len(keys), BATCH):
            batch = keys[start : start + BATCH]
            group.create_task(queue.tasks["poll"](keys=batch, key="a"))
    assert most == POLLS_AT_ONCE


async def test_what_waits_for_a_catalog_that_nobody_has_is_forgotten() -> None:
    """Not what everybody takes, or who has this one; nor what is under way."""
    queue, _ = cluster.jobs(shared(bound(NO_PROGRAM, JOBS)), nullcontext, now, "a")
    connector = InMemoryConnector()
    ours = [name for of in (QUEUE, BATCHES) for name in (of, queue_of("a", of))]
    gone = [queue_of("b", of) for of in (QUEUE, BATCHES)]
    with queue.replace_connector(connector):
        for name in [*ours, *gone, queue_of("c", BATCHES)]:
            await queue.tasks["poll"].configure(queue=name).defer_async()
        connector.jobs[len(connector.jobs)]["status"] = "doing"
        await forget_others(queue, "a")
    left = [row["queue_name"] for row in connector.jobs.values()]
    assert left == [*ours, queue_of("c", BATCHES)]


async def test_both_runners_do_each_job_as_often_and_come_back_as_soon() -> None:
    """The pauses of a lone process are the periods of the queue, to the second."""
    works = shared(bound(NO_PROGRAM, JOBS))
    queue, periodic = cluster.jobs(works, nullcontext, now, "a")
    by_time = {task.name: every for task, every in periodic.items()}
    for work in looped(works, alone=True):
        paused, again = await pauses_of(work)
        if work.due is not None:
            assert by_time["look"] == paused, work.job.name
            continue
        assert by_time[work.job.name] == paused, work.job.name
        assert again_in(queue.tasks[work.job.name]) == again


async def test_what_can_wait_begins_some_time_after_the_start() -> None:
    """A start has enough to do, and a stop in between is a stop."""
    told: list[object] = []
    stopping = asyncio.Event()

    async def pause(seconds: float) -> None:
        told.append(seconds)

    async def do() -> None:
        told.append("done")
        stopping.set()

    late = replace(WHOLE, after=60.0)
    await asyncio.wait_for(loop(Work(job=late, do=do), pause, stopping), timeout=60)
    assert told == [60.0, "done", 1.0]
    told.clear()
    await asyncio.wait_for(loop(Work(job=late, do=do), pause, stopping), timeout=60)
    assert told == [60.0]


async def test_a_job_that_rests_is_spared_while_nobody_writes(store: Store) -> None:
    """It is done at its times all the same, as the operator's page shows it; what found something
    is asked again.
    """
    found: list[bool | None] = []

    async def do(_bot: object) -> bool | None:
        return found.pop()

    stills: dict[str, Still] = {}
    program = SimpleNamespace(
        done={}, clock=lambda: NOW, still=lambda job: stills.setdefault(job, Still(store))
    )
    (work,) = bound(cast("Running", program), [replace(WHOLE, do=do, rests=True)])
    await store.try_to_write()
    for nothing in (True, None, False):
        found += [nothing]
        await work.do()
    program.done.clear()
    if store.alone:
        await work.do()
        assert program.done == {"whole": NOW}
        async with store.writing() as db:
            await storage.notes.put(db, "a test", "written")
    found += [False]
    await work.do()
    assert not found


async def pauses_of(work: Work) -> tuple[float, float | None]:
    """Seconds that a lone process pauses after a round, and after one without the database; None
    where the job deals with that itself.
    """
    pauses: list[float] = []
    stopping = asyncio.Event()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        stopping.set()

    async def due() -> list[str]:
        return []

    async def away(*_key: str) -> None:
        raise StorageError(said("away"))

    job = replace(work.job, after=None)
    tried = Work(job=job, do=nothing, due=None if work.due is None else due)
    await asyncio.wait_for(loop(tried, pause, stopping), timeout=60)
    stopping.clear()
    if work.due is None and work.job.again is not None:
        await asyncio.wait_for(loop(replace(tried, do=away), pause, stopping), timeout=60)
        return pauses[0], pauses[1]
    return pauses[0], None


async def nothing(*_unused: Any) -> None:
    """A job that does nothing."""


async def of_a_key(_bot: object, _key: str) -> None:
    """A job that is done for a key."""


async def of_none(_bot: object) -> None:
    """A job that is done for none."""


def no_coroutine(*_unused: Any) -> None:
    """A function that nobody can wait for."""


WHOLE = Job(name="whole", do=nothing, every=1.0)
ALONE = replace(WHOLE, name="alone", who=Doer.EACH)
LACKING: list[tuple[Job, str]] = [
    (replace(WHOLE, name=""), "no name"),
    (replace(WHOLE, name=cast("Any", None)), "no name"),
    (replace(WHOLE, name=cast("Any", ["whole"])), "no name, ['whole'] is none"),
    (replace(WHOLE, do=cast("Callable[..., Awaitable[object]]", no_coroutine)), "`do`"),
    (Job(name="whole", every=1.0), "lacks `do`"),
    (replace(WHOLE, due=cast("Any", no_coroutine)), "`due`"),
    (replace(WHOLE, do=of_a_key), "`do`, of_a_key, should take (Running)"),
    (replace(WHOLE, do=of_none, due=nothing), "`do`, of_none, should take (Running, str)"),
    (replace(WHOLE, due=cast("Any", of_a_key)), "`due`, of_a_key, should take (Running)"),
    (replace(WHOLE, due=nothing, host=of_none), "`host`, of_none, should take (Running, str)"),
    (replace(WHOLE, due=nothing, known=of_a_key), "`known`, of_a_key, should take (Running)"),
    (replace(WHOLE, every=None), "either `every` or `follows`"),
    (replace(WHOLE, follows="whole"), "either `every` or `follows`"),
    (replace(WHOLE, every=0.0), "no time"),
    (replace(WHOLE, every=cast("Any", "5")), "`every` is no time"),
    (replace(WHOLE, every=math.nan), "`every` is no time"),
    (replace(WHOLE, every=math.inf), "`every` is no time"),
    (replace(WHOLE, every=-1.0), "`every` is no time"),
    (replace(WHOLE, every=True), "`every` is no time"),
    (replace(WHOLE, again=math.nan), "`again` is no time"),
    (replace(WHOLE, after=-1.0), "`after` is no time"),
    (replace(WHOLE, again=cast("Any", "2")), "`again` is no time"),
    (replace(WHOLE, who=cast("Any", "each")), "`who` is no Doer"),
    (replace(WHOLE, every=None, follows="nobody"), "'nobody'"),
    (replace(WHOLE, every=None, follows=cast("Any", ["other"])), "no job ['other'] to follow"),
    (replace(WHOLE, every=None, follows="whole"), "follows itself"),
    (replace(WHOLE, every=None, follows="alone"), "nothing follows 'alone'"),
    (replace(WHOLE, due=nothing, who=Doer.EACH), "one does for all"),
    (replace(WHOLE, every=0.5), "`every` is 0.5: replicas share it by whole seconds"),
    (replace(WHOLE, every=90.25), "`every` is 90.25: replicas share it by whole seconds"),
    (replace(WHOLE, again=0.4), "`again` is 0.4: replicas share it by whole seconds"),
    (replace(WHOLE, due=nothing, again=2.0), "`again` is nothing to a job with `due`"),
    (replace(WHOLE, name="look"), "'look': its name is one of the queue's own"),
]


@pytest.mark.parametrize(("job", "part"), LACKING, ids=[part for _, part in LACKING])
def test_a_job_that_lacks_a_part_is_refused_at_the_start_by_name(job: Job, part: str) -> None:
    """Nothing half-registered runs, and whoever wrote it reads which part of which job it is."""
    with pytest.raises(ConfigError) as refused:
        bound(NO_PROGRAM, (replace(WHOLE, name="other"), ALONE, job))
    assert len(refused.value.problems) == 1
    assert part in refused.value.problems[0]
    assert str(job.name or "") in refused.value.problems[0]


def test_jobs_for_keys_are_looked_for_at_one_pace() -> None:
    """Replicas look for the keys of all of them at once."""
    keyed = replace(WHOLE, name="a", due=nothing)
    assert lacking((keyed, replace(keyed, name="b"))) == []
    assert lacking((WHOLE, keyed, replace(keyed, name="b", every=60.0))) == [
        "job 'b': `every` should be that of 'a': replicas look for both at once"
    ]


def test_what_each_process_does_for_itself_may_be_done_in_fractions_of_a_second() -> None:
    """Its loop is the same beside other replicas."""
    assert lacking((replace(ALONE, every=0.5), replace(ALONE, name="look", again=0.25))) == []


@pytest.mark.parametrize("job", [replace(WHOLE, every=0.5), replace(WHOLE, again=1.5)])
def test_a_time_that_the_queue_cannot_keep_never_gets_there_as_another(job: Job) -> None:
    with pytest.raises(ValueError, match=r"\.5"):
        cluster.jobs([Work(job=job, do=nothing)], nullcontext, now, "a")


def test_jobs_that_follow_each_other_are_refused_by_name() -> None:
    """None of them would ever be done; what follows one that is refused is not told beside it."""
    ring = [
        replace(WHOLE, name="a", every=None, follows="b"),
        replace(WHOLE, name="b", every=None, follows="a"),
        replace(WHOLE, name="c", every=None, follows="d"),
        replace(WHOLE, name="d", every=None, follows="nobody"),
    ]
    assert lacking(ring) == [
        "job 'a': follows itself by way of 'b'",
        "job 'b': follows itself by way of 'a'",
        "job 'd': there is no job 'nobody' to follow",
    ]


def test_a_line_that_is_no_job_is_told_by_what_stands_there() -> None:
    """The function alone does not say when."""
    with pytest.raises(ConfigError, match="a line of the jobs is no Job: nothing"):
        bound(NO_PROGRAM, (WHOLE, cast("Job", nothing)))


def test_a_job_without_a_name_for_operators_is_told_by_its_name() -> None:
    """The status page would call it by a word of the program."""
    listed = ModuleType("listed")
    vars(listed)["JOBS"] = (*JOBS, replace(ALONE, name="nap"))
    assert problems(listed) == ["job 'nap': the texts lack page.job.nap, its name on the page"]


@pytest.mark.parametrize("lines", [None, WHOLE, 5])
def test_a_list_of_jobs_that_is_none_is_refused(lines: Any) -> None:
    """A single job in brackets without a comma is no list."""
    assert lacking(lines) == [
        "bot/recurring.py lacks JOBS, jobs in round brackets with commas between"
    ]


def test_two_jobs_of_one_name_are_refused() -> None:
    """The queue would have one of them only."""
    with pytest.raises(ConfigError, match="'whole'"):
        bound(NO_PROGRAM, (WHOLE, WHOLE))


async def test_a_job_is_done_again_and_soon_after_the_database_was_away() -> None:
    """A StorageError of a job that says when to come back does not end the program."""
    done: Counter[str] = Counter()
    pauses: list[float] = []
    stopping = asyncio.Event()

    async def do() -> None:
        done["whole"] += 1
        if done["whole"] == 2:
            raise StorageError(said("away"))

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            stopping.set()

    work = Work(job=replace(WHOLE, every=3600.0, again=2.0), do=do)
    await asyncio.wait_for(loop(work, pause, stopping), timeout=60)
    assert pauses == [3600.0, 2.0, 3600.0]
    with pytest.raises(StorageError):
        done["whole"] = 1
        stopping.clear()
        await loop(Work(job=WHOLE, do=do), pause, stopping)


async def test_a_key_that_is_due_is_done_side_by_side_and_not_twice_at_once() -> None:
    """A key under way is left alone however often it is still due."""
    done: Counter[str] = Counter()
    slow, stopping = asyncio.Event(), asyncio.Event()
    looks = 0

    async def due() -> list[str]:
        return ["slow", "quick"]

    async def do(key: str) -> None:
        done[key] += 1
        if key == "slow":
            await slow.wait()

    async def pause(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        if looks == 20:
            slow.set()
            stopping.set()

    await asyncio.wait_for(
        loop(Work(job=replace(WHOLE, due=due), do=do, due=due), pause, stopping), timeout=60
    )
    assert done["slow"] == 1
    assert done["quick"] > 1
