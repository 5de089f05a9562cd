"""Many replicas on one PostgreSQL: Procrastinate's queue gives each piece of work to one of them.

The work is the list of `recurring` that a lone process does in loops. A periodic job exists once a
tick, whoever put it there; a lock keeps two replicas from the same source; finished jobs are
deleted.

* Procrastinate finds no stalled job by itself: `rescue` gives back what a dead replica was doing,
  seconds after its heart stopped. When a connection ends just as a job is finished, its worker
  lives on and never comes back to it: each replica looks which of its jobs it is not at, and gives
  those back (`_keep_honest`).
* It ends its worker when the database is away; it is started again here.
* Its own periodic jobs go by each machine's clock: one that is ahead would take the ticks of the
  others in advance, and leave them idle when it dies. Ours go by the shared clock.
* What waits once is a unique index to it, and two that put the same at once are an error in the
  server's log. Here one replica puts at a time.
* LISTEN is lost behind PgBouncer in transaction mode: the queue is looked at every second instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobContext
from procrastinate.jobs import DeleteJobCondition, Job, Status
from procrastinate.tasks import Task
from procrastinate.worker import Worker

from bot.cluster.again import LONG_AGO, tried_again
from bot.cluster.batches import (
    BATCHES,
    QUEUE,
    WAITS,
    Alone,
    Follow,
    catalog_of,
    forget_others,
    keyed,
    look,
    queue_of,
)
from bot.errors import StorageError
from bot.jobs import Work
from storage import notes
from storage.db import Store

log = structlog.get_logger(__name__)

AT_ONCE = 8  # jobs a replica does side by side
BATCHES_AT_ONCE = 12  # and batches beside them: a hand waits for the slowest poll of its batch
HANDS = {QUEUE: AT_ONCE, BATCHES: BATCHES_AT_ONCE}  # each also for the queue of the catalog
QUEUE_LOOK = 1.0  # seconds at most until a waiting job is looked for
HEARTBEAT = 1.0
STALLED = 5.0  # a replica whose heart stopped for so long is dead
DRAIN = 3.0  # seconds for the jobs under way at a stop
LEAVE = 1.0  # and more for those that were broken off then, to say so
TICK = 0.25  # seconds between looks whether a periodic job's time has come
STALE = 0.05  # and until what waits in the queue is looked at again
RESCUE_EVERY = 2  # seconds
PRUNE_EVERY = 3600  # seconds
FORGOTTEN = 2.0  # seconds that a job must be ours and not be worked at, until it is given back


#: The time that replicas share.
Clock = Callable[[], datetime]


async def run(store: Store, works: Sequence[Work], clock: Clock, stopping: asyncio.Event) -> None:
    """Do jobs beside the other replicas until `stopping`."""

    @asynccontextmanager
    async def alone() -> AsyncIterator[None]:
        async with store.writing() as db:
            await notes.alone(db, notes.PUTTING)
            yield

    catalog = catalog_of(works)
    queue, periodic = jobs(works, alone, clock, catalog)
    hands = _Hands()
    working: asyncio.Task[None] | None = None
    pool = store.job_connections()
    await pool.open(wait=False)
    try:
        async with queue.open_async(pool):
            ending = asyncio.create_task(stopping.wait())
            ticking = asyncio.create_task(_keep_ticking(queue, alone, periodic, clock))
            honest = asyncio.create_task(_keep_honest(queue, alone, hands))
            try:
                while not stopping.is_set():
                    working = asyncio.create_task(_work(queue, catalog, hands))
                    try:
                        await asyncio.wait(
                            {working, ticking, honest, ending}, return_when=asyncio.FIRST_COMPLETED
                        )
                    finally:  # also when we are cancelled: it needs the pool to end
                        working.cancel()
                        await asyncio.wait({working})
                    for task in (working, ticking, honest):
                        if task.done() and not task.cancelled():
                            task.result()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(asyncio.shield(ending), QUEUE_LOOK)
            finally:
                beside: set[asyncio.Task[Any]] = {ending, ticking, honest}
                for task in beside:
                    task.cancel()
                # they need the pool to end too; a database that does not answer is not waited for
                await asyncio.wait(beside, timeout=1)
    finally:  # what a stop that takes too long breaks off says so to the database, and ends
        await _left(working)
        await pool.close(timeout=1)
        await _left(working)


async def _left(working: asyncio.Task[None] | None) -> None:
    """Wait for a worker that is ending, though not for long; it has nothing to tell any more."""
    if working is not None and not working.done():
        await asyncio.wait({working}, timeout=LEAVE)


@dataclass(slots=True)
class _Hands:
    """The jobs that this process is at, and the workers it ever was."""

    busy: set[int] = field(default_factory=set)
    workers: set[int] = field(default_factory=set)

    async def at_work(
        self, do: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker
    ) -> Any:  # noqa: ANN401 - whatever a job returns
        """Procrastinate's middleware: notes a job from its beginning to its end."""
        job = context.job.id or 0
        self.busy.add(job)
        if worker.worker_id is not None:
            self.workers.add(worker.worker_id)
        try:
            return await do()
        finally:
            self.busy.discard(job)


async def _keep_honest(queue: App, alone: Alone, hands: _Hands) -> None:
    """Give back the jobs that are said to be done here, and are not: for two looks in a row."""
    missed: set[int] = set()
    while True:
        await asyncio.sleep(FORGOTTEN)
        with suppress(ConnectorException, StorageError):  # it is away, as _work says
            ours = await queue.job_manager.list_jobs_async(status=Status.DOING.value)
            idle: dict[int, Job] = {}
            for job in ours:
                if job.id is not None and job.worker_id in hands.workers:
                    idle[job.id] = job
            for busy in hands.busy:
                idle.pop(busy, None)
            for pk in missed & set(idle):
                log.warning("a job was forgotten, its connection ended", job=idle[pk].task_name)
                await _give_back(queue, alone, idle[pk])
            missed = set(idle)


async def _work(queue: App, catalog: str, hands: _Hands) -> None:
    """A worker for each queue, until we are cancelled or the database is away for one of them."""
    workers = [asyncio.create_task(_work_on(queue, catalog, name, hands)) for name in HANDS]
    try:
        await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in workers:
            one.cancel()
        await asyncio.wait(workers)
    for one in workers:
        if not one.cancelled():
            one.result()


async def _work_on(queue: App, catalog: str, name: str, hands: _Hands) -> None:
    """Procrastinate's worker, until it is cancelled or the database is away."""
    try:
        await queue.run_worker_async(
            queues=[name, queue_of(catalog, name)],
            concurrency=HANDS[name],
            listen_notify=False,
            fetch_job_polling_interval=QUEUE_LOOK,
            update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=STALLED,
            shutdown_graceful_timeout=DRAIN,
            delete_jobs=DeleteJobCondition.ALWAYS,
            worker_middleware=[hands.at_work],
            install_signal_handlers=False,
        )
    except ConnectorException as error:
        log.warning("jobs wait for the database", error=str(error.__cause__ or error))


async def _keep_ticking(
    queue: App, alone: Alone, periodic: Mapping[Task[Any, Any, Any], int], clock: Clock
) -> None:
    """Put each periodic job into the queue once a tick, whichever replica comes first; not one that
    waits there still.
    """
    last: dict[str, int] = {}
    loop = asyncio.get_running_loop()
    while True:
        now = int(clock().timestamp())
        waiting: set[str | None] = set()
        looked_at = -STALE
        for task, every in periodic.items():
            tick = now // every * every
            if last.get(task.name) == tick:
                continue
            # it is away, as _work says: again with the next look
            with suppress(ConnectorException, StorageError):
                if loop.time() - looked_at > STALE:  # putting takes its time, and others put too
                    waiting, looked_at = await _waiting(queue), loop.time()
                if task.queueing_lock not in waiting:
                    await put(queue, alone, task, tick)
                last[task.name] = tick
        await asyncio.sleep(TICK)


async def put(queue: App, alone: Alone, task: Task[Any, Any, Any], tick: int) -> None:
    """Put a periodic job into the queue for one tick, once whoever else does."""
    new = task.configure(task_kwargs={"timestamp": tick})
    # the server takes one of a name and a tick: what each catalog has of its own has its queue's
    periodic_id = "" if task.queue == QUEUE else task.queue
    async with alone():
        if task.queueing_lock not in await _waiting(queue):  # since we looked
            await new.job_manager.defer_periodic_job(
                job=new.job, periodic_id=periodic_id, defer_timestamp=tick
            )


async def _waiting(queue: App) -> set[str | None]:
    """The jobs that wait, of those that wait once, by the name of that lock."""
    jobs = await queue.job_manager.list_jobs_async(status=WAITS)
    return {job.queueing_lock for job in jobs}


def jobs(
    works: Sequence[Work], alone: Alone, clock: Clock, catalog: str
) -> tuple[App, dict[Task[Any, Any, Any], int]]:
    """The queue with a task for each piece of work, and those that come every so many seconds."""
    queue = App(connector=PsycopgConnector())
    tasks: dict[str, Task[Any, Any, Any]] = {}
    periodic: dict[Task[Any, Any, Any], int] = {}
    sweeps: list[Work] = []
    looks = 1
    for work in works:
        following = [one.job.name for one in works if one.job.follows == work.job.name]
        follow = partial(_follow, queue, alone, tasks, following)
        if work.due is not None:
            tasks[work.job.name] = keyed(queue, work, work.due, follow, catalog)
            sweeps.append(work)
            looks = _seconds(work.job.every)
            continue
        task = _whole(queue, work, follow, clock)
        tasks[work.job.name] = task
        if work.job.every is not None:
            periodic[task] = _seconds(work.job.every)
    periodic[look(queue, alone, sweeps, tasks, catalog)] = looks
    periodic[_rescue(queue, alone)] = RESCUE_EVERY
    periodic[_prune(queue, catalog)] = PRUNE_EVERY
    return queue, periodic


def _seconds(time: float | None) -> int:
    """A time of a job; there are no others (`bot.jobs.lacking`), and a fraction would be lost."""
    whole = int(time or 0)
    if whole != time:
        raise ValueError(time)
    return whole


def _whole(queue: App, work: Work, follow: Follow, clock: Clock) -> Task[Any, Any, Any]:
    """Work that is one piece; one replica does it at a time, and it waits once."""
    name = work.job.name
    lock: str | None = name
    if work.job.every is None:  # what follows other work may go on beside itself
        lock = None
    retry = tried_again(work.job.again and _seconds(work.job.again), clock)

    @queue.task(name=name, queue=QUEUE, lock=lock, queueing_lock=name, retry=retry)
    async def whole(timestamp: int = 0) -> None:  # noqa: ARG001 - every periodic job is given its tick
        if await work.do():
            await follow()

    return whole


async def _follow(
    queue: App, alone: Alone, tasks: Mapping[str, Task[Any, Any, Any]], following: Sequence[str]
) -> None:
    """Put into the queue what follows work that brought something; not what waits there."""
    if not following or not set(following) - await _waiting(queue):
        return
    async with alone():
        for name in set(following) - await _waiting(queue):
            await tasks[name].defer_async()


def _rescue(queue: App, alone: Alone) -> Task[Any, Any, Any]:
    """Giving back what dead replicas were at.

    It has no lock, which a replica that died over this very job would hold for ever.
    """

    @queue.task(name="rescue", queue=QUEUE, queueing_lock="rescue")
    async def rescue(timestamp: int) -> None:  # noqa: ARG001 - likewise
        for job in await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
            log.warning("a replica died over a job", job=job.task_name)
            await _give_back(queue, alone, job)

    return rescue


def _prune(queue: App, catalog: str) -> Task[Any, Any, Any]:
    """Forgetting the workers that died: each start of a replica adds one; and what waits for the
    replicas of a catalog that is no more.
    """

    @queue.task(name="prune", queue=QUEUE, lock="prune", queueing_lock="prune")
    async def prune(timestamp: int) -> None:  # noqa: ARG001 - likewise
        await queue.job_manager.prune_stalled_workers(STALLED)
        await forget_others(queue, catalog)

    return prune


async def _give_back(queue: App, alone: Alone, job: Job) -> None:
    """Let a job be done by another replica; not again when the same is waiting already."""
    async with alone():
        if job.queueing_lock is not None and job.queueing_lock in await _waiting(queue):
            await queue.job_manager.finish_job(job, status=Status.ABORTED, delete_job=True)
        else:
            await queue.job_manager.retry_job(job, retry_at=LONG_AGO)
