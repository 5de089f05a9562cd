"""Batches of keys in the queue that replicas share: the look for what is due, and the work.

While a new catalog is rolled out replicas have different ones. What a replica's catalog does not
have it leaves to those of the catalog by which the batch was put together, in a queue that is
theirs alone. Each catalog has a look of its own, too: replicas ask the queue once a second, each at
its moment, so that one of them does nearly all that comes by the second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from hashlib import blake2b
from typing import Any

from procrastinate import App
from procrastinate.jobs import Job, Status
from procrastinate.tasks import Task
from procrastinate.types import JSONValue

from bot.ingest.side_by_side import POLLS_AT_ONCE, SideBySide, few_of_each_host
from bot.jobs import Key, Work

QUEUE = "jarchy"
#: Batches have a queue and hands of their own: where more is due than can be polled they would take
#: those of all others, and for minutes no digest would go out and no dead replica be noticed.
BATCHES = "jarchy-batches"
# keys of one job: a job costs the server as much as storing a hundred polls that brought nothing
BATCH = 50
OF_ONE_HOST = 4  # keys of a host in the queue or under way: one that hangs leaves hands free
# batches in the queue at once: more would only wait there, and each fetch look through them
WAITING = 16
WAITS = Status.TODO.value  # the library's name for a job that waits

#: Which keys a job is to be done for now.
Due = Callable[[], Awaitable[list[str]]]
#: Puts into the queue what follows.
Follow = Callable[[], Awaitable[None]]
#: While nobody else puts anything into the queue.
Alone = Callable[[], AbstractAsyncContextManager[None]]


def catalog_of(works: Sequence[Work]) -> str:
    """The name of all the keys that a replica knows, the same in each that knows the same."""
    known: set[str] = set()
    for work in works:
        if work.known is not None:
            known.update(work.known())
    return blake2b("\n".join(sorted(known)).encode(), digest_size=4).hexdigest()


def queue_of(catalog: str, name: str) -> str:
    """The queue beside the one of that name, of the replicas of one catalog."""
    return f"{name}-{catalog}"


def keyed(queue: App, work: Work, due: Due, follow: Follow, catalog: str) -> Task[Any, Any, Any]:
    """Work on a batch of keys, that `look` put into the queue.

    The catalog it was put together by is called `key`, which earlier programs know, and pass by:
    once it was a job's only one. A name that they do not know would end the batch in an error.
    """
    name = work.job.name
    slots = asyncio.Semaphore(POLLS_AT_ONCE)

    @queue.task(name=name, queue=BATCHES)
    async def many(keys: Sequence[str] = (), key: str = catalog) -> None:
        brought: list[bool] = []

        async def one(of: Key) -> None:
            brought.append(bool(await work.do(of.key)))

        if key != catalog and work.known is not None:
            known = work.known()
            others: list[JSONValue] = [one for one in keys if one not in known]
            if others:
                left = many.configure(queue=queue_of(key, BATCHES))
                await left.defer_async(keys=others, key=key)
        still = set(await due())  # of a batch that a dead replica began, some are done
        async with asyncio.TaskGroup() as group:
            batch: SideBySide[Key] = SideBySide(group, one, at_once=BATCH, slots=slots)
            for due_key in keys:
                if due_key in still:
                    batch.start(work.keyed(due_key))
        if any(brought):
            await follow()

    return many


def look(
    queue: App,
    alone: Alone,
    sweeps: Sequence[Work],
    tasks: Mapping[str, Task[Any, Any, Any]],
    catalog: str,
) -> Task[Any, Any, Any]:
    """The look for due keys, put into the queue in batches; not those that are there already, but
    for what was left to another catalog.

    Looks of two catalogs may come at one moment: what both have is put by one of them.
    """
    lock = f"look {catalog}"
    read = {BATCHES, queue_of(catalog, BATCHES)}

    @queue.task(name="look", queue=queue_of(catalog, QUEUE), lock=lock, queueing_lock=lock)
    async def look_for_due(timestamp: int) -> None:  # noqa: ARG001 - every periodic job is given its tick
        due = {work.job.name: await work.due_keys() for work in sweeps}
        if any(due.values()):
            async with alone():
                await put(due)

    async def put(due: Mapping[str, Sequence[Key]]) -> None:
        known = [*await queue.job_manager.list_jobs_async()]
        for name, of in due.items():
            there: set[str] = set()
            room = WAITING
            for job in known:
                if job.task_name == name and job.queue in read:
                    there.update(_keys(job))
                    if job.status == WAITS:
                        room -= 1
            # what is there and not due any more was done, whatever the rest of its batch waits for
            keys = few_of_each_host(of, there, most=OF_ONE_HOST)
            for start in range(0, min(len(keys), room * BATCH), BATCH):
                await tasks[name].defer_async(keys=keys[start : start + BATCH], key=catalog)

    return look_for_due


async def forget_others(queue: App, catalog: str) -> None:
    """Take out of the queue what waits for replicas of other catalogs: there may be none any more,
    and who is there puts it in again.
    """
    ours = {QUEUE, BATCHES, queue_of(catalog, QUEUE), queue_of(catalog, BATCHES)}
    for job in await queue.job_manager.list_jobs_async(status=WAITS):
        if job.queue not in ours and job.id is not None:
            await queue.job_manager.cancel_job_by_id_async(job.id, delete_job=True)


def _keys(job: Job) -> list[str]:
    """The keys of a batch; none of what an earlier version put there, which looks again."""
    keys = job.task_kwargs.get("keys")
    return [str(key) for key in keys] if isinstance(keys, list) else []
