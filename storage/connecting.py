"""Connections to the database: the one file of SQLite, or a server."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
import orjson
from sqlalchemy import URL, event
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.errors import ConfigError
from bot.typed import typed
from storage.address import absent, is_file, parse_url
from storage.advice import POOL_SECONDS
from storage.db import BUSY_SECONDS, LOG_BYTES, LOST, SERVER_OPTIONS, Store
from storage.driver import FileConnection
from storage.ownership import make_folder
from storage.timing import time_statements

#: The server ends a transaction of ours that stands still for so long: a frozen replica must not
#: keep the rows it locked, the pace of all among them. Shorter than any lease.
IDLE_SECONDS = 5.0
#: KiB of a file's pages that each reading connection keeps, of SQLite's usual 2,000. It throws them
#: away whenever something was written, and the system has them all; up to eight read at once. The
#: writer's stay as many as usual: with half of them a large transaction took three times as long.
READER_KIB = 256
#: Statements that each connection keeps ready, of Python's usual 128. One of ours takes tens of
#: kilobytes, and nine connections fill up with the seldom ones for hours.
STATEMENTS = 24


def connect_for_writing(text_url: str) -> Store:
    """The database as it is, to read and write: not checked, not migrated (`open_store` does)."""
    return _connect(parse_url(text_url))


def connect(text_url: str) -> Store:
    """The database as it is, to read alone: not checked, not migrated, not made."""
    must_be_there(text_url)
    return _connect(parse_url(text_url), writes=False)


def must_be_there(text_url: str) -> None:
    """ConfigError where an address names a file that is not there."""
    if (path := absent(parse_url(text_url))) is not None:
        makers = f"`{typed('db upgrade')}` (or `{typed('run')}`)"
        raise ConfigError(f"DATABASE_URL: {path} does not exist: {makers} makes it")


def _connect(url: URL, *, writes: bool = True) -> Store:
    if is_file(url):
        return _connect_sqlite(url, writes=writes)
    engine = create_async_engine(
        url,
        # autocommit: the driver begins nothing, we do, below
        connect_args={**SERVER_OPTIONS, "autocommit": True},
        pool_size=5,
        max_overflow=5,
        pool_timeout=POOL_SECONDS,
        # a connection that a restarted server closed is found out before it is used
        pool_pre_ping=True,
        hide_parameters=True,  # what people wrote stands in no traceback
        use_native_hstore=False,  # none of ours: it would be looked for at each start
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
    )
    time_statements(engine)
    _leave_a_demoted_server(engine)
    _leave_out_details(engine)
    # said in each transaction: of a session's own settings PgBouncer in transaction mode keeps
    # none. Together with its BEGIN, because by itself it took a quarter of a short one's time, and
    # one more way there and back
    begin = "BEGIN" if writes else "BEGIN READ ONLY"
    begin += f"; SET LOCAL idle_in_transaction_session_timeout = {round(IDLE_SECONDS * 1000)}"
    _begin(engine, lambda connection: connection.exec_driver_sql(begin))
    _send_no_pipelines(engine)
    return Store(url, engine, engine)


def _send_no_pipelines(engine: AsyncEngine) -> None:
    """Send a statement with many rows row by row: the driver would send a pipeline, and while the
    server waits for the rest of one, it does not count how long the transaction stands still.

    A row costs 0.2 ms of processor so, and 0.03 in a pipeline.
    """

    @event.listens_for(engine.sync_engine, "do_executemany")
    def each(cursor: DBAPICursor, statement: str, rows: Sequence[Any], _context: object) -> bool:
        for row in rows:
            cursor.execute(statement, row)
        return True


def _leave_a_demoted_server(engine: AsyncEngine) -> None:
    """Drop the connections to a server that only reads now: next ones find the new primary."""

    @event.listens_for(engine.sync_engine, "handle_error")
    def look(context: ExceptionContext) -> None:
        # read_only_sql_transaction
        if getattr(context.original_exception, "sqlstate", None) == "25006":
            context.is_disconnect = True


def _leave_out_details(engine: AsyncEngine) -> None:
    """Let an error say what is wrong, and not of which words: a server shows the row or the key
    besides (DETAIL), which no `hide_parameters` keeps it from.
    """

    @event.listens_for(engine.sync_engine, "handle_error")
    def leave_out(context: ExceptionContext) -> None:
        error, shown = context.original_exception, context.sqlalchemy_exception
        alone = getattr(getattr(error, "diag", None), "message_primary", None)
        if alone is None:  # it is not the server that says it
            return
        whole, error.args = str(error), (alone,)
        if shown is not None:
            shown.args = (str(shown.args[0]).replace(whole, alone), *shown.args[1:])


def _connect_sqlite(url: URL, *, writes: bool) -> Store:
    path = Path(url.database or "")
    try:
        make_folder(path.parent)
    except OSError as error:
        raise ConfigError(
            f"DATABASE_URL: the folder {path.parent} cannot be made: {error.strerror}"
        ) from None
    os.umask(0o077)  # the file, its -wal and -shm and its copies are the operator's alone

    def opens(*pragmas: str) -> Callable[[], Awaitable[aiosqlite.Connection]]:
        async def connect() -> aiosqlite.Connection:
            if store.lost:  # SQLite would make an empty file
                raise sqlite3.OperationalError(LOST)
            return await FileConnection(partial(_opened, path, pragmas), 64)

        return connect

    options: dict[str, Any] = {
        "json_serializer": _dumps,
        "json_deserializer": orjson.loads,
        "hide_parameters": True,  # as above
    }
    writer = create_async_engine(
        url,
        pool_size=1,
        max_overflow=0,
        pool_timeout=60,
        async_creator=opens(
            "PRAGMA journal_mode = WAL",
            "PRAGMA wal_autocheckpoint = 1000",
            f"PRAGMA journal_size_limit = {LOG_BYTES}",
        ),
        **options,
    )
    reader = create_async_engine(
        url,
        pool_size=4,
        max_overflow=4,
        async_creator=opens(
            "PRAGMA query_only = ON",
            # the writer's checkpoints are the only ones: `storage.db` says what two at once may do
            "PRAGMA wal_autocheckpoint = 0",
            f"PRAGMA cache_size = -{READER_KIB}",
        ),
        **options,
    )
    for engine in (writer, reader):
        time_statements(engine)
        _begin(engine, partial(_begin_with_the_next, writes=engine is writer))
    store = Store(url, reader, reader)  # for a verb that only looks
    if writes:
        store = Store(url, writer, reader)
    return store


def _opened(path: Path, pragmas: Sequence[str]) -> sqlite3.Connection:
    """An open file, ready to be asked; on the connection's own thread, by one way to it."""
    connection = sqlite3.connect(
        path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS,
    )
    try:
        for pragma in (*pragmas, *_OF_EACH):
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise
    return connection


_OF_EACH = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = NORMAL",
    # what a chat erased is overwritten, and not left in a free page of the file
    "PRAGMA secure_delete = ON",
)


def _begin(engine: AsyncEngine, begin: Callable[[Connection], object]) -> None:
    event.listen(engine.sync_engine, "begin", begin)


def _begin_with_the_next(connection: Connection, *, writes: bool) -> None:
    _driver_of(connection).begin_with_the_next(writes=writes)


def _driver_of(connection: Connection) -> FileConnection:
    driver = connection.connection.driver_connection
    if not isinstance(driver, FileConnection):
        raise TypeError("a file is opened by its own driver")
    return driver


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()
