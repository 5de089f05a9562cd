"""Many replicas on one PostgreSQL: Procrastinate's queue gives every piece of recurring work to one of them.

The work is the same plain functions that a lone process calls from its loops. A periodic job exists once a tick,
whoever put it there; a lock keeps two replicas from the same source; finished jobs are deleted.

* Procrastinate finds no stalled job by itself: `rescue` gives back what a dead replica was doing, seconds after its
  heart stopped. When a connection ends just as a job is finished, its worker lives on and never comes back to it: each
  replica looks which of its jobs it is not at, and gives those back (`_keep_honest`).
* It ends its worker when the database is away; it is started again here.
* Its own periodic jobs go by each machine's clock: one that is ahead would take the ticks of the others in advance, and
  leave them idle when it dies. Ours go by the shared clock.
* LISTEN is lost behind PgBouncer in transaction mode: the queue is looked at every second instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.job_context import JobContext
from procrastinate.jobs import DeleteJobCondition, Job, Status
from procrastinate.tasks import Task
from procrastinate.worker import Worker

from bot import metrics
from storage.db import Store

log = structlog.get_logger(__name__)

QUEUE = "jarchy"
AT_ONCE = 8  # jobs a replica does side by side
LOOK = 1.0
HEARTBEAT = 1.0
STALLED = 5.0  # a replica whose heart stopped for so long is dead
DRAIN = 3.0  # seconds for the jobs under way at a stop
TICK = 0.25  # seconds between looks whether a periodic job's time has come
TIDY_EVERY = 3600  # seconds
FORGOTTEN = 2.0  # seconds that a job must be ours and not be worked at, until it is given back
WAITING = 256  # polls in the queue at once: more would only wait there, and each fetch look through them


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What there is to do: the functions of the embedded scheduler.

    `due` gives the sources to poll, the one that waits longest first; `poll` tells whether alerts came of it.
    """

    due: Callable[[], Awaitable[list[str]]]
    poll: Callable[[str], Awaitable[bool]]
    fan_out: Callable[[], Awaitable[None]]
    digests: Callable[[], Awaitable[None]]
    tidy: Callable[[], Awaitable[None]]  # what it raises has it done again soon: the next would come in an hour


async def run(store: Store, work: Work, clock: Callable[[], datetime], stopping: asyncio.Event) -> None:
    """Do jobs beside the other replicas until `stopping`."""
    queue, periodic = jobs(work)
    hands = _Hands()
    pool = store.job_connections()
    await pool.open(wait=False)
    try:
        async with queue.open_async(pool):
            ending = asyncio.create_task(stopping.wait())
            ticking = asyncio.create_task(_keep_ticking(periodic, clock))
            honest = asyncio.create_task(_keep_honest(queue, hands))
            try:
                while not stopping.is_set():
                    working = asyncio.create_task(_work(queue, hands))
                    await asyncio.wait({working, ticking, honest, ending}, return_when=asyncio.FIRST_COMPLETED)
                    working.cancel()
                    await asyncio.wait({working})
                    for task in (working, ticking, honest):
                        if task.done() and not task.cancelled():
                            task.result()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(asyncio.shield(ending), LOOK)
            finally:
                ending.cancel()
                ticking.cancel()
                honest.cancel()
    finally:
        await pool.close(timeout=1)


@dataclass(slots=True)
class _Hands:
    """The jobs that this process is at, and the workers it ever was."""

    busy: set[int] = field(default_factory=set)
    workers: set[int] = field(default_factory=set)

    async def at_work(self, do: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker) -> Any:  # noqa: ANN401 - whatever a job returns
        """Procrastinate's middleware: notes a job from its beginning to its end."""
        job = context.job.id or 0
        self.busy.add(job)
        if worker.worker_id is not None:
            self.workers.add(worker.worker_id)
        try:
            return await do()
        finally:
            self.busy.discard(job)


async def _keep_honest(queue: App, hands: _Hands) -> None:
    """Give back the jobs that are said to be done here, and are not: for two looks in a row."""
    missed: set[int] = set()
    while True:
        await asyncio.sleep(FORGOTTEN)
        with suppress(ConnectorException):  # the database is away, as _work says
            ours = await queue.job_manager.list_jobs_async(queue=QUEUE, status=Status.DOING.value)
            idle = {
                job.id: job
                for job in ours
                if job.id is not None and job.worker_id in hands.workers and job.id not in hands.busy
            }
            for pk in missed & set(idle):
                log.warning("a job was forgotten, its connection ended", job=idle[pk].task_name)
                await _give_back(queue, idle[pk])
            missed = set(idle)


async def _work(queue: App, hands: _Hands) -> None:
    """Procrastinate's worker, until it is cancelled or the database is away."""
    try:
        await queue.run_worker_async(
            queues=[QUEUE],
            concurrency=AT_ONCE,
            listen_notify=False,
            fetch_job_polling_interval=LOOK,
            update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=STALLED,
            shutdown_graceful_timeout=DRAIN,
            delete_jobs=DeleteJobCondition.ALWAYS,
            worker_middleware=[hands.at_work],
            install_signal_handlers=False,
        )
    except ConnectorException as error:
        log.warning("jobs wait for the database", error=str(error.__cause__ or error))


async def _keep_ticking(periodic: Mapping[Task[Any, Any, Any], int], clock: Callable[[], datetime]) -> None:
    """Put each periodic job into the queue once a tick, whichever replica comes first."""
    last: dict[str, int] = {}
    while True:
        now = int(clock().timestamp())
        for task, every in periodic.items():
            tick = now // every * every
            if last.get(task.name) == tick:
                continue
            new = task.configure(task_kwargs={"timestamp": tick})
            try:
                with suppress(AlreadyEnqueued):  # still waiting
                    await new.job_manager.defer_periodic_job(job=new.job, periodic_id="", defer_timestamp=tick)
            except ConnectorException:  # the database is away, as _work says: again with the next look
                continue
            last[task.name] = tick
        await asyncio.sleep(TICK)


def jobs(work: Work) -> tuple[App, dict[Task[Any, Any, Any], int]]:
    """The queue with its kinds of jobs, and which of them come every so many seconds."""
    queue = App(connector=PsycopgConnector())

    @queue.task(name="look", queue=QUEUE, lock="look", queueing_lock="look")
    async def look(timestamp: int) -> None:  # noqa: ARG001 - every periodic job is given its tick
        known = [job for job in await queue.job_manager.list_jobs_async(queue=QUEUE) if job.task_name == "poll"]
        waiting = sum(job.status == Status.TODO.value for job in known)
        there = {job.task_kwargs.get("key") for job in known}
        for key in [key for key in await work.due() if key not in there][: max(WAITING - waiting, 0)]:
            with suppress(AlreadyEnqueued):  # an earlier look that its replica died over
                await poll.configure(lock=f"poll:{key}", queueing_lock=f"poll:{key}").defer_async(key=key)

    @queue.task(name="poll", queue=QUEUE)
    async def poll(key: str) -> None:
        metrics.JOBS.labels("poll").inc()
        if await work.poll(key):
            with suppress(AlreadyEnqueued):
                await fan_out.defer_async()

    @queue.task(name="fan_out", queue=QUEUE, queueing_lock="fan_out")
    async def fan_out() -> None:
        metrics.JOBS.labels("fan_out").inc()
        await work.fan_out()

    @queue.task(name="digests", queue=QUEUE, lock="digests", queueing_lock="digests")
    async def digests(timestamp: int) -> None:  # noqa: ARG001 - likewise
        metrics.JOBS.labels("digests").inc()
        await work.digests()

    @queue.task(name="tidy", queue=QUEUE, lock="tidy", queueing_lock="tidy", retry=RetryStrategy(wait=2))
    async def tidy(timestamp: int) -> None:  # noqa: ARG001 - likewise
        metrics.JOBS.labels("tidy").inc()
        await work.tidy()
        await queue.job_manager.prune_stalled_workers(STALLED)

    @queue.task(name="rescue", queue=QUEUE, queueing_lock="rescue")
    async def rescue(timestamp: int) -> None:  # noqa: ARG001 - likewise
        for job in await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
            log.warning("a replica died over a job", job=job.task_name)
            await _give_back(queue, job)

    return queue, {look: 2, rescue: 2, digests: 5, tidy: TIDY_EVERY}


async def _give_back(queue: App, job: Job) -> None:
    """Let a job be done by another replica; not again when the same is waiting already."""
    try:
        await queue.job_manager.retry_job(job)
    except UniqueViolation:
        await queue.job_manager.finish_job(job, status=Status.ABORTED, delete_job=True)
