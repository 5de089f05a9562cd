"""Many replicas on one PostgreSQL: Procrastinate's queue gives every piece of recurring work to one of them.

The work is the same plain functions that a lone process calls from its loops. A periodic job exists once a tick,
whoever put it there; a lock keeps two replicas from the same source; finished jobs are deleted.

* Procrastinate finds no stalled job by itself: `rescue` gives back what a dead replica was doing, seconds after its
  heart stopped.
* It ends its worker when the database is away; it is started again here.
* Its own periodic jobs go by each machine's clock: one that is ahead would take the ticks of the others in advance, and
  leave them idle when it dies. Ours go by the shared clock.
* LISTEN is lost behind PgBouncer in transaction mode: the queue is looked at every second instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import DeleteJobCondition, Job, Status
from procrastinate.tasks import Task

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What there is to do: the functions of the embedded scheduler. `poll` tells whether alerts came of it."""

    due: Callable[[], Awaitable[list[str]]]
    poll: Callable[[str], Awaitable[bool]]
    fan_out: Callable[[], Awaitable[None]]
    digests: Callable[[], Awaitable[None]]
    tidy: Callable[[], Awaitable[None]]


async def run(store: Store, work: Work, clock: Callable[[], datetime], stopping: asyncio.Event) -> None:
    """Do jobs beside the other replicas until `stopping`."""
    queue, periodic = jobs(work)
    pool = store.job_connections()
    await pool.open(wait=False)
    try:
        async with queue.open_async(pool):
            ending = asyncio.create_task(stopping.wait())
            ticking = asyncio.create_task(_keep_ticking(periodic, clock))
            try:
                while not stopping.is_set():
                    working = asyncio.create_task(_work(queue))
                    await asyncio.wait({working, ticking, ending}, return_when=asyncio.FIRST_COMPLETED)
                    working.cancel()
                    await asyncio.wait({working})
                    for task in (working, ticking):
                        if task.done() and not task.cancelled():
                            task.result()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(asyncio.shield(ending), LOOK)
            finally:
                ending.cancel()
                ticking.cancel()
    finally:
        await pool.close(timeout=1)


async def _work(queue: App) -> None:
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
            last[task.name] = tick
            new = task.configure(task_kwargs={"timestamp": tick})
            with suppress(AlreadyEnqueued, ConnectorException):  # still waiting; the database is away, as _work says
                await new.job_manager.defer_periodic_job(job=new.job, periodic_id="", defer_timestamp=tick)
        await asyncio.sleep(TICK)


def jobs(work: Work) -> tuple[App, dict[Task[Any, Any, Any], int]]:
    """The queue with its kinds of jobs, and which of them come every so many seconds."""
    queue = App(connector=PsycopgConnector())

    @queue.task(name="look", queue=QUEUE, queueing_lock="look")
    async def look(timestamp: int) -> None:  # noqa: ARG001 - every periodic job is given its tick
        for key in await work.due():
            with suppress(AlreadyEnqueued):
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

    @queue.task(name="tidy", queue=QUEUE, lock="tidy", queueing_lock="tidy")
    async def tidy(timestamp: int) -> None:  # noqa: ARG001 - likewise
        metrics.JOBS.labels("tidy").inc()
        await work.tidy()
        await queue.job_manager.prune_stalled_workers(STALLED)

    @queue.task(name="rescue", queue=QUEUE, queueing_lock="rescue")
    async def rescue(timestamp: int) -> None:  # noqa: ARG001 - likewise
        for job in await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
            log.warning("a replica died over a job", job=job.task_name)
            await _give_back(queue, job)

    return queue, {look: 2, rescue: 2, digests: 5, tidy: 3600}


async def _give_back(queue: App, job: Job) -> None:
    """Let a job be done by another replica; not again when the same is waiting already."""
    try:
        await queue.job_manager.retry_job(job)
    except UniqueViolation:
        await queue.job_manager.finish_job(job, status=Status.ABORTED, delete_job=True)
