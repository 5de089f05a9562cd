"""Many replicas on one PostgreSQL: Procrastinate's queue gives every piece of recurring work to one of them.

The work is the same plain functions that a lone process calls from its loops. A periodic job exists once a tick,
whoever put it there; a lock keeps two replicas from the same source; finished jobs are deleted.

* Procrastinate finds no stalled job by itself: `rescue` gives back what a dead replica was doing, seconds after its
  heart stopped.
* It ends its worker when the database is away; it is started again here.
* LISTEN is lost behind PgBouncer in transaction mode: the queue is looked at every second instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import DeleteJobCondition, Job, Status

from bot import metrics
from storage.db import Store

log = structlog.get_logger(__name__)

QUEUE = "jarchy"
AT_ONCE = 8  # jobs a replica does side by side
LOOK = 1.0
HEARTBEAT = 1.0
STALLED = 5.0  # a replica whose heart stopped for so long is dead
DRAIN = 3.0  # seconds for the jobs under way at a stop
EVERY_2_S, EVERY_5_S, EVERY_HOUR = "* * * * * */2", "* * * * * */5", "7 * * * *"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What there is to do: the functions of the embedded scheduler. `poll` tells whether alerts came of it."""

    due: Callable[[], Awaitable[list[str]]]
    poll: Callable[[str], Awaitable[bool]]
    fan_out: Callable[[], Awaitable[None]]
    digests: Callable[[], Awaitable[None]]
    tidy: Callable[[], Awaitable[None]]


async def run(store: Store, work: Work, stopping: asyncio.Event) -> None:
    """Do jobs beside the other replicas until `stopping`."""
    queue = jobs(work)
    pool = store.job_connections()
    await pool.open(wait=False)
    try:
        async with queue.open_async(pool):
            ending = asyncio.create_task(stopping.wait())
            while not stopping.is_set():
                working = asyncio.create_task(_work(queue))
                await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
                working.cancel()
                await asyncio.wait({working})
                if not working.cancelled():
                    working.result()
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(ending), LOOK)
            ending.cancel()
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


def jobs(work: Work) -> App:
    """The queue with its kinds of jobs; opened by whoever uses it."""
    queue = App(connector=PsycopgConnector())

    @queue.periodic(cron=EVERY_2_S)
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

    @queue.periodic(cron=EVERY_5_S)
    @queue.task(name="digests", queue=QUEUE, lock="digests", queueing_lock="digests")
    async def digests(timestamp: int) -> None:  # noqa: ARG001 - likewise
        metrics.JOBS.labels("digests").inc()
        await work.digests()

    @queue.periodic(cron=EVERY_HOUR)
    @queue.task(name="tidy", queue=QUEUE, lock="tidy", queueing_lock="tidy")
    async def tidy(timestamp: int) -> None:  # noqa: ARG001 - likewise
        metrics.JOBS.labels("tidy").inc()
        await work.tidy()
        await queue.job_manager.prune_stalled_workers(STALLED)

    @queue.periodic(cron=EVERY_2_S)
    @queue.task(name="rescue", queue=QUEUE, queueing_lock="rescue")
    async def rescue(timestamp: int) -> None:  # noqa: ARG001 - likewise
        for job in await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
            log.warning("a replica died over a job", job=job.task_name)
            await _give_back(queue, job)

    return queue


async def _give_back(queue: App, job: Job) -> None:
    """Let a job be done by another replica; not again when the same is waiting already."""
    try:
        await queue.job_manager.retry_job(job)
    except UniqueViolation:
        await queue.job_manager.finish_job(job, status=Status.ABORTED, delete_job=True)
