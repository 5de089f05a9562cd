"""The driver of the one file: a thread a connection, asked once a statement."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any, ParamSpec, Self, TypeVar

import aiosqlite
from aiosqlite.context import contextmanager

T = TypeVar("T")
P = ParamSpec("P")


class FileCursor(aiosqlite.Cursor):
    """A cursor that executes a statement and reads its rows by one way to the thread and back.

    aiosqlite goes there four times: to make the cursor, to execute, to read, to close. For a
    statement of a few rows that is most of what it costs.
    """

    def __init__(self, connection: aiosqlite.Connection, cursor: sqlite3.Cursor) -> None:
        super().__init__(connection, cursor)
        self._rows: list[Any] = []

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> Self:
        """Execute a statement, and read its rows."""
        on_its_thread: Callable[..., Awaitable[list[Any]]] = self._execute
        self._rows = await on_its_thread(self._run, sql, parameters or ())
        return self

    def _run(self, sql: str, parameters: Any) -> list[Any]:  # noqa: ANN401 - the driver's own
        return self._cursor.execute(sql, parameters).fetchall()

    async def fetchall(self) -> list[Any]:
        """The rows, which are here."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is left to close: SQLite lets a statement go when its rows are read."""


def _until_nobody_waits(work: Callable[[], None]) -> None:
    """A thread's work, to its end or the end of the loop that is told of each thing done: one that
    could not be opened, or was left while it was, is told of after nobody waits for it.
    """
    with suppress(RuntimeError):  # "Event loop is closed"; all else is an answer
        work()


class FileConnection(aiosqlite.Connection):
    """A connection that goes to its thread for nothing but SQLite's work, and rolls back before it
    closes.

    A transaction begins on the way of its first statement, and where none is open there is nothing
    to end: half of the ways of one that asks for a row.

    A task cancelled in the middle of a statement leaves its cursor unread, and SQLite keeps a
    connection closed in that state, with its write lock, until the cursor is collected: nobody
    could write any more.
    """

    def __init__(self, connector: Callable[[], sqlite3.Connection], chunk: int) -> None:
        super().__init__(connector, chunk)
        # a process that ends does not wait for it
        self._thread = Thread(target=partial(_until_nobody_waits, self._thread.run), daemon=True)
        self._begins: str | None = None
        self._writes = self._left = False  # the transaction, and one that nobody waits for
        self._cut = False  # a statement was left, and may still be at work

    def begin_with_the_next(self, *, writes: bool) -> None:
        """Let a transaction begin with the next statement: nothing is looked at before that."""
        self._begins = "BEGIN IMMEDIATE" if writes else "BEGIN"
        self._writes = writes

    async def commit(self) -> None:
        """Commit what is open; where nothing was written, without waiting for the end of it."""
        if self._is_none_open():
            return
        if self._writes or self._cut:
            await super().commit()
        else:
            self._left = True
            self._tx.put_nowait((None, self._conn.rollback))

    async def rollback(self) -> None:
        """Take back what is open."""
        if not self._is_none_open():
            await super().rollback()
            self._cut, self._begins = False, None

    def _is_none_open(self) -> bool:
        begins, self._begins = self._begins, None
        nothing = begins is not None or self._left
        return nothing or not (self._cut or self._conn.in_transaction)

    async def _execute(self, fn: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        job = partial(fn, *args, **options)
        if (begin := self._begins) is not None:
            self._begins, self._left = None, False
            job = partial(self._begun, begin, job)
        on_its_thread: Callable[[Callable[[], T]], Awaitable[T]] = super()._execute
        try:
            return await on_its_thread(job)
        except asyncio.CancelledError:
            self._cut = True
            raise

    def _begun(self, begin: str, first: Callable[[], T]) -> T:
        try:
            self._conn.execute(begin)
        except sqlite3.Error:  # or whoever goes on would write without a transaction
            self._begins = begin
            raise
        return first()

    @contextmanager
    async def cursor(self) -> aiosqlite.Cursor:
        """A cursor of which each statement is one way to the thread."""
        return FileCursor(self, self._conn.cursor())

    async def close(self) -> None:
        """Roll back, then close."""
        self._let_go()
        await super().close()

    def stop(self) -> asyncio.Future[Any] | None:
        """Roll back, then close, without waiting for the thread."""
        self._let_go()
        return super().stop()

    def _let_go(self) -> None:
        if self._connection is not None:
            self._tx.put_nowait((None, self._connection.rollback))
