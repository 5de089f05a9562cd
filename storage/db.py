"""The store: one set of statements on two databases.

SQLite: one file in WAL mode, exactly one writing connection (two that write or
checkpoint at once can corrupt the WAL in SQLite 3.7.0-3.51.2), whose
transactions start with BEGIN IMMEDIATE because a read that turns into a write
fails at once with "database is locked"; readers are others and may not write.
`synchronous=NORMAL`: a power cut may take the last commits with it, never the
file; polls make them again, and `expires_at` keeps old alerts from going out.

PostgreSQL: psycopg without prepared statements, so that PgBouncer in
transaction mode may stand in between; several hosts in the address
(`?host=a:5432&host=b:5432&target_session_attrs=read-write`) are tried in turn,
so that a standby takes over. A server that vanished is noticed within seconds.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosqlite
from sqlalchemy import URL, Select, Table, func, select, text
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.clock import boottime
from bot.errors import BotError, StorageError
from bot.reasons import Reason, reason
from storage.address import is_file
from storage.advice import POOL_SECONDS, advised, is_its_own, storage_error
from storage.clock import ClockWatch, Following
from storage.glance import Glance
from storage.timing import COMMIT, WAIT, observe

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert

BUSY_SECONDS = 30  # that SQLite waits for another program's lock
#: How we connect to a server. The kernel gives a connection up when nothing is acknowledged for so
#: long: without it, a machine that lost its power holds its clients for a quarter of an hour.
SERVER_OPTIONS: dict[str, Any] = {
    "prepare_threshold": None,
    "connect_timeout": 10,
    "application_name": "jarchy",
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
# of SQLite's log beside the file: what its checkpoints every thousand pages leave
LOG_BYTES = 4 * 1024 * 1024
LOST = "the database file was removed or replaced"
TURN_SECONDS = 60  # who wants to write to a file waits so long for those before, then is told

Db = AsyncConnection


class Store:
    """The open database. `reading()` and `writing()` each give one transaction."""

    def __init__(self, url: URL, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self.url = url
        self.alone = is_file(url)  # no other process works on this database; a server has many
        self._glance = Glance(Path(url.database or "")) if self.alone else None
        self._writer = writer
        self._reader = reader
        self._turns = asyncio.Lock()  # of who writes to a file
        self._clock = ClockWatch()
        # by how much the database's clock is turned: a demonstration's, nobody else's
        self.turned: Callable[[], timedelta] | None = None
        self._home: tuple[int, int] | None = None  # the file's device and number, once it is known
        self.rescued: Path | None = None  # where what was in a lost file is kept
        self.trouble: Reason | None = (
            None  # why the last thing that failed to be written failed; cleared by who watches
        )
        self.allowed: str | None = None  # the schema of a newer program that lets this one use it

    @property
    def database_file(self) -> Path:
        """The file of a database that is one; BotError on a server, which has tools of its own."""
        if not self.alone:
            raise BotError("only a file is copied: use pg_dump for a PostgreSQL database")
        return Path(self.url.database or "")

    @property
    def shown_address(self) -> str:
        """The database's address for a log: the file's path, or the server's without password."""
        if self.alone:
            return str(self.database_file)
        return self.url.render_as_string()

    def version(self) -> int | None:
        """A number that is another one as soon as anything was written, by whoever; None where only
        a question tells: on a server, and after a clock was set.

        For who looks again and again, and mostly finds nothing (`storage.still`).
        """
        if self._glance is None or not self._clock.stands(self.now()):
            return None
        return self._glance.version()

    def now(self) -> datetime:
        """The clock by which a file's deliveries go, without asking it (SQLite)."""
        now = _machine_now()
        return now if self.turned is None else now + self.turned()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Db]:
        """A consistent view; nothing can be written through it on SQLite."""
        asked = time.perf_counter()
        try:
            async with self._reader.connect() as connection, connection.begin():
                if self.turned is not None:
                    await connection.execution_options(**{_TURNED: self.turned})
                observe(WAIT, asked)
                yield connection
        except (DBAPIError, PoolTimeoutError) as error:
            raise storage_error(error) from error

    @asynccontextmanager
    async def writing(self, *, unhurried: bool = False) -> AsyncIterator[Db]:
        """All or nothing: committed when the block ends, rolled back when it raises.

        Writers of a file have their turns in the order in which they asked. Who is `unhurried` lets
        what is ready run before it begins; what of that wants to write has its turn after it.
        """
        if not self.alone:
            async with self._written() as db:
                yield db
            return
        await self._take_turn()
        try:
            if unhurried:
                await asyncio.sleep(0)
            async with self._written() as db:
                yield db
        finally:
            self._turns.release()

    async def try_to_write(self) -> None:
        """Find out whether the database can be written, or a clock was set; StorageError if not."""
        async with self.writing() as db:
            await db_now(db)
            await db.execute(_NOTHING)  # a transaction begins with its first statement

    async def try_to_grow(self) -> None:
        """Find out whether a server's disk takes more, which what is changed in place does not ask
        for; StorageError where it does not. A role without tables of its own is not asked.
        """
        if self.alone:
            return
        async with self.writing() as db:
            if (await db.execute(_HAS_TABLES)).scalar():
                await db.execute(_MEGABYTE)

    async def _take_turn(self) -> None:
        if not self._turns.locked():
            await self._turns.acquire()
            return
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise StorageError(
                reason("database.no_turn", "no turn to write for {seconds} s", seconds=TURN_SECONDS)
            ) from None

    @asynccontextmanager
    async def _written(self) -> AsyncIterator[Db]:
        clock = self._clock.following()
        after: list[Callable[[], None]] = []
        options: dict[str, Any] = {_FOLLOWING: clock, _AFTER: after}
        if self.turned is not None:
            options[_TURNED] = self.turned
        asked = time.perf_counter()
        try:
            async with self._writer.begin() as connection:
                observe(WAIT, asked)
                yield await connection.execution_options(**options)
                asked = time.perf_counter()
            observe(COMMIT, asked)
            clock.committed()
            for follow in after:
                follow()
        except (DBAPIError, PoolTimeoutError) as error:
            failure = storage_error(error)
            if is_its_own(error):
                self.trouble = failure.reason
            raise failure from error

    def settle(self) -> None:
        """Remember which file this is: a path that leads elsewhere from now on is `lost`."""
        if self.alone:
            self._home = _number(self.database_file)

    @property
    def lost(self) -> bool:
        """Whether the file was removed or replaced: nobody will find what is written (SQLite)."""
        return self._home is not None and _number(self.database_file) != self._home

    async def save_into(self, target: Path) -> None:
        """A copy of what the open file holds, also when its path leads there no more (SQLite).

        StorageError when it cannot be written, or when no connection has the file any more.
        """
        try:
            await self._save_through(self._writer, target)
        except DBAPIError:  # a writer cut off in mid-statement is closed, and there is no new one
            try:
                await self._save_through(self._reader, target)
            except (DBAPIError, PoolTimeoutError) as error:
                raise storage_error(error) from error
        except PoolTimeoutError as error:
            raise storage_error(error) from error

    async def _save_through(self, engine: AsyncEngine, target: Path) -> None:
        async with _outside(engine) as connection:
            try:
                await connection.execute("PRAGMA query_only = OFF")
                await connection.execute("VACUUM INTO ?", (str(target),))
            except sqlite3.Error as error:
                raise StorageError(advised(str(error))) from error
            finally:
                if engine is not self._writer:
                    await connection.execute("PRAGMA query_only = ON")

    async def trim(self) -> None:
        """Cut the log of the file back when it has grown: what a long reader kept is not needed.

        On the writing connection, and without waiting: while somebody still reads, at the next call
        (SQLite).
        """
        if not self.alone:
            return
        path = self.database_file
        if _size(path.with_name(path.name + "-wal")) <= LOG_BYTES:
            return
        # Locked by another program, no space, or no connection to be had: at the next call.
        with suppress(sqlite3.OperationalError, DBAPIError, PoolTimeoutError):
            async with _outside(self._writer) as connection:
                await connection.execute("PRAGMA busy_timeout = 0")
                try:
                    await (await connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")).close()
                finally:
                    await connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")

    def job_connections(self) -> AsyncConnectionPool:
        """A small pool of plain connections to the server, not yet open: for the job queue."""
        from psycopg_pool import AsyncConnectionPool

        _, options = self._writer.dialect.create_connect_args(self.url)
        return AsyncConnectionPool(
            kwargs={**SERVER_OPTIONS, **options},
            min_size=1,
            max_size=4,
            timeout=POOL_SECONDS,
            open=False,
            check=AsyncConnectionPool.check_connection,
        )

    async def close(self) -> None:
        """Let go of every connection."""
        if self._glance is not None:
            self._glance.close()  # first: the last to go tidies the log of the file
        await self._reader.dispose()
        # one engine does both on a server, and where a verb only looks
        if self._writer is not self._reader:
            await self._writer.dispose()


@asynccontextmanager
async def _outside(engine: AsyncEngine) -> AsyncIterator[aiosqlite.Connection]:
    """A connection outside of any transaction."""
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        if not isinstance(driver, aiosqlite.Connection):
            raise TypeError(driver)
        yield driver


def _number(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


# the option by which a writing transaction carries its view of the clock
_FOLLOWING = "jarchy_following"
# and the one by which it carries what follows of its commit
_AFTER = "jarchy_after"
_TURNED = "jarchy_turned"
_CLOCK = select(func.clock_timestamp())
_NOTHING = select(1)
_HAS_TABLES = text("SELECT has_database_privilege(current_database(), 'TEMP')")
_MEGABYTE = text(
    "CREATE TEMP TABLE room ON COMMIT DROP AS SELECT repeat('x', 999) FROM generate_series(1, 999)"
)


def _machine_now() -> datetime:
    """The clock of SQLite, which has none but its machine's: asking it costs a statement, and every
    transaction asks.
    """
    return datetime.now(UTC)


async def db_now(db: Db) -> datetime:
    """The database's clock, which alone rules leases, expiry and pace, whatever replicas' say."""
    asked = boottime()
    if db.dialect.name == "sqlite":
        now = _machine_now()
    else:
        # clock_timestamp, not now(): that stands still from the transaction's beginning
        now = (await db.execute(_CLOCK)).scalar_one().astimezone(UTC)
    if db.sync_connection is not None:
        options = db.sync_connection.get_execution_options()
        if (turned := options.get(_TURNED)) is not None:
            now += turned()
        following = options.get(_FOLLOWING)
        if isinstance(following, Following):
            await following.look(db, now, asked)
    return now


def on_commit(db: Db, follow: Callable[[], None]) -> None:
    """Do something once this transaction is committed, and never if it is not."""
    if db.sync_connection is not None:
        after = db.sync_connection.get_execution_options().get(_AFTER)
        if isinstance(after, list):
            after.append(follow)


def upsert(db: Db, table: Table) -> SqliteInsert | PostgresInsert:
    """The database's own INSERT … ON CONFLICT."""
    return insertion(db.dialect.name, table)


def unless_there(db: Db, table: Table) -> SqliteInsert | PostgresInsert:
    """INSERT … ON CONFLICT DO NOTHING of rows that are given with it; built once a table."""
    return _unless_there(db.dialect.name, table)


@cache
def _unless_there(dialect: str, table: Table) -> SqliteInsert | PostgresInsert:
    return insertion(dialect, table).on_conflict_do_nothing()


def insertion(dialect: str, table: Table) -> SqliteInsert | PostgresInsert:
    """INSERT … ON CONFLICT in the words of one database; both spell it the same way."""
    if dialect == "sqlite":
        return SqliteInsert(table)
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert

    return PostgresInsert(table)


#: The execution option of a statement whose `rowcount` is read.
COUNTED = {"preserve_rowcount": True}


def once(db: Db, chosen: Select[tuple[int]]) -> Select[tuple[int]]:
    """What a query chooses and locks, for a statement that changes those rows, read one time.

    Written inside the condition, PostgreSQL may run it again for each row it looks at: a limit then
    finds the next ones each time, since those before are changed, and bounds nothing. SQLite runs
    it once, and Python counts no rows of a statement that begins with WITH.
    """
    if db.dialect.name == "sqlite":
        return chosen
    return select(chosen.cte("first").c[0])


async def forgettable(db: Db) -> None:
    """Let this transaction's commit not wait for the disk.

    If a server that dies forgets it, it is done again. What is committed after it is never there
    without it.
    """
    if db.dialect.name != "sqlite":
        await db.execute(text("SET LOCAL synchronous_commit = off"))
