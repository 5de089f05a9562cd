"""Whether somebody works on a database now: on a server told by the hearts of the queue's workers,
of a file by its lock.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from bot.errors import ConfigError
from storage.db import Db, Store, db_now
from storage.instance import is_held

QUEUES = 2  # of jobs; a process has a worker for each (`bot.cluster.HANDS`)
HEART_STOPPED = timedelta(seconds=15)  # a replica that was not heard of for so long is not counted


async def replicas(db: Db) -> int | None:
    """The number of processes that take jobs of the queue that replicas share; None without one."""
    if db.dialect.name == "sqlite":
        return None
    there = await db.execute(text("SELECT to_regclass('procrastinate_workers') IS NOT NULL"))
    if not there.scalar():
        return None
    beating = text("SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > :since")
    since = await db_now(db) - HEART_STOPPED
    workers = int((await db.execute(beating, {"since": since})).scalar_one())
    return -(-workers // QUEUES)  # one that starts or ends has fewer


async def runs(store: Store) -> bool:
    """Whether some process runs on a database: of a file also this one, by `only_instance`."""
    if store.alone:
        return is_held(store.database_file)
    async with store.reading() as db:
        return bool(await replicas(db))


async def must_rest(db: Db) -> None:
    """ConfigError while replicas work on a server; a file's own lock says so better."""
    if await replicas(db):
        raise ConfigError(
            "a Jarchy is running on the database: stop it first (one that was killed counts for "
            f"{HEART_STOPPED.seconds} seconds)"
        )
