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
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosqlite
import orjson
from sqlalchemy import URL, Table, event, func, make_url, select, text
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.clock import boottime
from bot.errors import ConfigError, StorageError
from storage.clock import ClockWatch, Following
from storage.types import EPOCH, MICROSECOND

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool

BUSY_SECONDS = 30
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
#: The server ends a transaction of ours that stands still for so long: a frozen replica must not
#: keep the rows it locked, the pace of all among them. Shorter than any lease.
IDLE_SECONDS = 5.0
# of SQLite's log beside the file: what its checkpoints every thousand pages leave
LOG_BYTES = 4 * 1024 * 1024
LOST = "the database file was removed or replaced"
POOL_SECONDS = 10  # a caller waits so long for a free connection, then is told

Db = AsyncConnection


def parse_url(text_url: str) -> URL:
    """`sqlite:///path` or `postgresql://…` with the driver we use.

    ConfigError for anything else, and where the path is there but is no file.
    """
    try:
        url = make_url(text_url)
    except (SQLAlchemyError, ValueError):
        raise ConfigError(
            "DATABASE_URL: not a database address; try sqlite:///data/jarchy.db"
        ) from None
    family = url.drivername.partition("+")[0]
    if family == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ConfigError("DATABASE_URL: name a file, as in sqlite:///data/jarchy.db")
        if (path := Path(url.database)).exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "no file"
            raise ConfigError(
                f"DATABASE_URL: {path} is {what}; name a file, as in sqlite:///data/jarchy.db"
            )
        return url.set(drivername="sqlite+aiosqlite")
    if family in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    raise ConfigError(f"DATABASE_URL: {family!r} is neither sqlite nor postgresql")


class Store:
    """The open database. `reading()` and `writing()` each give one transaction."""

    def __init__(self, url: URL, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self.url = url
        self._writer = writer
        self._reader = reader
        self._clock = ClockWatch()
        self._home: tuple[int, int] | None = None  # the file's device and number, once it is known
        self.rescued: Path | None = None  # where what was in a lost file is kept
        self.trouble: str | None = (
            None  # why the last thing that failed to be written failed; cleared by who watches
        )

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, or None on a server."""
        return Path(self.url.database or "") if self.url.get_backend_name() == "sqlite" else None

    @property
    def alone(self) -> bool:
        """Whether no other process works on this database: a file, and ours; no server."""
        return self.sqlite_path is not None

    @property
    def place(self) -> str:
        """The database's place for a log: the file's path or the server's address, no password."""
        return str(self.sqlite_path or self.url.render_as_string())

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Db]:
        """A consistent view; nothing can be written through it on SQLite."""
        try:
            async with self._reader.connect() as connection, connection.begin():
                yield connection
        except (DBAPIError, PoolTimeoutError) as error:
            raise storage_error(error) from error

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Db]:
        """All or nothing: committed when the block ends, rolled back when it raises."""
        clock = self._clock.following()
        try:
            async with self._writer.begin() as connection:
                yield await connection.execution_options(**{_FOLLOWING: clock})
            clock.committed()
        except (DBAPIError, PoolTimeoutError) as error:
            failure = storage_error(error)
            self.trouble = str(failure)
            raise failure from error

    def settle(self) -> None:
        """Remember which file this is: a path that leads elsewhere from now on is `lost`."""
        if (path := self.sqlite_path) is not None:
            self._home = _number(path)

    @property
    def lost(self) -> bool:
        """Whether the file was removed or replaced: nobody will find what is written (SQLite)."""
        return (
            self._home is not None
            and self.sqlite_path is not None
            and _number(self.sqlite_path) != self._home
        )

    async def save_into(self, target: Path) -> None:
        """A copy of what the open file holds, also when its path leads there no more (SQLite)."""
        try:
            async with self._at_the_writer() as connection:
                await connection.execute("VACUUM INTO ?", (str(target),))
        except sqlite3.Error as error:
            raise StorageError(advised(str(error))) from error

    async def trim(self) -> None:
        """Cut the log of the file back when it has grown, for what a long reader kept in it is not
        needed any more.

        On the writing connection, and without waiting: while somebody still reads, at the next call
        (SQLite).
        """
        path = self.sqlite_path
        if path is None or _size(path.with_name(path.name + "-wal")) <= LOG_BYTES:
            return
        with suppress(sqlite3.OperationalError):  # locked by another program, or no space: likewise
            async with self._at_the_writer() as connection:
                await connection.execute("PRAGMA busy_timeout = 0")
                try:
                    await (await connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")).close()
                finally:
                    await connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")

    @asynccontextmanager
    async def _at_the_writer(self) -> AsyncIterator[aiosqlite.Connection]:
        """The one writing connection, outside of any transaction."""
        async with self._writer.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            if not isinstance(driver, aiosqlite.Connection):
                raise TypeError(driver)
            yield driver

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
        await self._reader.dispose()
        if self._writer is not self._reader:
            await self._writer.dispose()


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


#: What SQLite says, and what the operator can do about it.
ADVICE = {
    "database or disk is full": "free some space, the rest happens by itself",
    "database is locked": "another program holds it: end that one",
    "attempt to write a readonly database": (
        "give the file and its folder to the user who runs the bot"
    ),
    "unable to open database file": "give its folder to the user who runs the bot",
    "disk I/O error": "its disk is full or broken, see the system's log",
    "database disk image is malformed": "stop the bot, then `jarchy db restore BACKUP --force`",
}


def storage_error(error: DBAPIError | PoolTimeoutError) -> StorageError:
    """The database's trouble in one line, without statement and parameters, and its remedy."""
    if isinstance(error, PoolTimeoutError):
        return StorageError(f"no free connection for {POOL_SECONDS} s")
    first_line = (
        str(error.orig).strip().splitlines()[0] if error.orig is not None else type(error).__name__
    )
    return StorageError(advised(first_line))


def advised(words: str) -> str:
    """What SQLite says, with what mends it where we know."""
    return f"{words}: {ADVICE[words]}" if words in ADVICE else words


def connect_for_writing(text_url: str) -> Store:
    """The database as it is, to read and write: not checked, not migrated (`open_store` does)."""
    return _connect(parse_url(text_url))


def connect(text_url: str) -> Store:
    """The database as it is, to read alone: not checked, not migrated, not made."""
    url = parse_url(text_url)
    if (path := absent(url)) is not None:
        raise ConfigError(
            f"DATABASE_URL: {path} does not exist: `jarchy db upgrade` (or `jarchy run`) makes it"
        )
    return _connect(url, writes=False)


def is_file(url: URL) -> bool:
    """A SQLite database, of which one process may have the file."""
    return url.get_backend_name() == "sqlite"


def absent(url: URL) -> Path | None:
    """The file of a SQLite database that is not there yet."""
    path = Path(url.database or "")
    return path if url.get_backend_name() == "sqlite" and not path.is_file() else None


def _connect(url: URL, *, writes: bool = True) -> Store:
    if url.get_backend_name() == "sqlite":
        return _connect_sqlite(url, writes=writes)
    engine = create_async_engine(
        url,
        connect_args={
            **SERVER_OPTIONS,
            "autocommit": True,
        },  # the driver begins nothing: we do, below
        pool_size=5,
        max_overflow=5,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
    )
    _leave_a_demoted_server(engine)
    # said in each transaction: of a session's own settings PgBouncer in transaction mode keeps
    # none. Together with its BEGIN, because by itself it took a quarter of a short one's time, and
    # one more way there and back
    begin = "BEGIN" if writes else "BEGIN READ ONLY"
    _on_begin(
        engine,
        f"{begin}; SET LOCAL idle_in_transaction_session_timeout = {round(IDLE_SECONDS * 1000)}",
    )
    return Store(url, engine, engine)


def _leave_a_demoted_server(engine: AsyncEngine) -> None:
    """Drop the connections to a server that only reads now: next ones find the new primary."""

    @event.listens_for(engine.sync_engine, "handle_error")
    def look(context: ExceptionContext) -> None:
        # read_only_sql_transaction
        if getattr(context.original_exception, "sqlstate", None) == "25006":
            context.is_disconnect = True


def _connect_sqlite(url: URL, *, writes: bool) -> Store:
    path = Path(url.database or "")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"DATABASE_URL: the folder {path.parent} cannot be made: {error.strerror}"
        ) from None
    os.umask(0o077)  # the file, its -wal and -shm and its copies are the operator's alone

    async def connect() -> aiosqlite.Connection:
        if store.lost:  # SQLite would make an empty file
            raise sqlite3.OperationalError(LOST)
        connector = partial(
            sqlite3.connect,
            path,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        return await _Connection(connector, 64)

    options: dict[str, Any] = {
        "json_serializer": _dumps,
        "json_deserializer": orjson.loads,
        "async_creator": connect,
    }
    writer = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=60, **options)
    reader = create_async_engine(url, pool_size=4, max_overflow=4, **options)
    _on_connect(
        writer,
        "PRAGMA journal_mode = WAL",
        "PRAGMA wal_autocheckpoint = 1000",
        f"PRAGMA journal_size_limit = {LOG_BYTES}",
    )
    _on_connect(reader, "PRAGMA query_only = ON", "PRAGMA wal_autocheckpoint = 0")
    _on_begin(writer, "BEGIN IMMEDIATE")
    _on_begin(reader, "BEGIN")
    store = Store(url, writer if writes else reader, reader)
    return store


class _Connection(aiosqlite.Connection):
    """A connection that rolls back before it closes.

    A task cancelled in the middle of a statement leaves its cursor unread, and SQLite keeps a
    connection closed in that state, with its write lock, until the cursor is collected: nobody
    could write any more.
    """

    def __init__(self, connector: Callable[[], sqlite3.Connection], chunk: int) -> None:
        super().__init__(connector, chunk)
        self._thread.daemon = True  # a process that ends does not wait for it

    async def close(self) -> None:
        """Roll back, then close."""
        self._let_go()
        await super().close()

    def stop(self) -> asyncio.Future[Any] | None:
        """The same without waiting."""
        self._let_go()
        return super().stop()

    def _let_go(self) -> None:
        if self._connection is not None:
            self._tx.put_nowait((None, self._connection.rollback))


def _on_connect(engine: AsyncEngine, *pragmas: str) -> None:
    common = (
        "PRAGMA foreign_keys = ON",
        "PRAGMA synchronous = NORMAL",
        "PRAGMA secure_delete = ON",
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's own
        cursor = connection.cursor()
        for pragma in (*pragmas, *common):
            cursor.execute(pragma)
        cursor.close()


def _on_begin(engine: AsyncEngine, statement: str) -> None:
    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()


_FOLLOWING = (
    "jarchy_following"  # the option by which a writing transaction carries its view of the clock
)
_SQLITE_CLOCK = select(text("CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"))
_CLOCK = select(func.clock_timestamp())


async def db_now(db: Db) -> datetime:
    """The database's clock, which alone rules leases, expiry and pace, whatever replicas' say."""
    sqlite = db.dialect.name == "sqlite"  # unixepoch('subsec') needs 3.42, Debian 12 has 3.40
    asked = boottime()
    value = (await db.execute(_SQLITE_CLOCK if sqlite else _CLOCK)).scalar_one()
    now = value.astimezone(UTC) if isinstance(value, datetime) else EPOCH + int(value) * MICROSECOND
    following = (
        db.sync_connection.get_execution_options().get(_FOLLOWING)
        if db.sync_connection is not None
        else None
    )
    if isinstance(following, Following):
        await following.look(db, now, asked)
    return now


def upsert(db: Db, table: Table) -> SqliteInsert | PostgresInsert:
    """The database's own INSERT … ON CONFLICT; both spell it the same way."""
    return SqliteInsert(table) if db.dialect.name == "sqlite" else PostgresInsert(table)


#: The execution option of a statement whose `rowcount` is read.
COUNTED = {"preserve_rowcount": True}


async def forgettable(db: Db) -> None:
    """Let this transaction's commit not wait for the disk: if a server that dies forgets it, it is
    done again.

    What is committed after it is never there without it.
    """
    if db.dialect.name != "sqlite":
        await db.execute(text("SET LOCAL synchronous_commit = off"))
