"""The driver of the one file (`storage.driver`)."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import text

from storage.connecting import connect_for_writing
from storage.db import Store
from storage.driver import FileConnection

COUNT = text("SELECT count(*) FROM number")
ADD = text("INSERT INTO number VALUES (1), (2) RETURNING value")


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Store]:
    """A file with a table, whose connections are open."""
    store = connect_for_writing(f"sqlite:///{tmp_path / 'a.db'}")
    async with store.writing() as db:
        await db.execute(text("CREATE TABLE number (value INTEGER)"))
    async with store.reading() as db:
        await db.execute(COUNT)
    yield store
    await store.close()


@pytest.fixture
def went(file: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ways to a connection's thread from now on, each by what was done there."""
    ways: list[str] = []
    go: Any = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, function: Any, *words: Any, **named: Any) -> Any:
        ways.append(getattr(function, "func", function).__name__)
        return await go(self, function, *words, **named)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    return ways


async def test_a_statement_is_one_way_to_the_files_thread(file: Store, went: list[str]) -> None:
    async with file.writing() as db:
        went.clear()
        assert (await db.execute(ADD)).scalars().all() == [1, 2]
        assert len(went) == 1
        every = await db.execute(
            text("SELECT value FROM number WHERE value > :least"), {"least": 0}
        )
        assert every.keys() == ["value"]
        assert every.scalars().all() == [1, 2]
        assert len(went) == 2
        changed = await db.execute(
            text("UPDATE number SET value = 3"), execution_options={"preserve_rowcount": True}
        )
        assert changed.rowcount == 2
        assert len(went) == 3


async def test_a_transaction_goes_there_for_no_begin_and_no_end_of_nothing(
    file: Store, went: list[str]
) -> None:
    """It begins with its first statement, nobody waits for the end of one that only read, and what
    is ended is not ended again.
    """
    async with file.reading() as db:
        await db.execute(COUNT)
    assert went == ["_begun"]
    went.clear()
    async with file.reading():
        pass
    assert went == []
    async with file.writing() as db:
        await db.execute(ADD)
    assert went == ["_begun", "commit"]
    went.clear()
    with pytest.raises(ZeroDivisionError):
        async with file.writing() as db:
            await db.execute(ADD)
            raise ZeroDivisionError
    assert went == ["_begun", "rollback"]
    async with file.reading() as db:
        assert (await db.execute(COUNT)).scalar() == 2


async def test_what_is_read_in_one_transaction_is_of_one_moment(file: Store) -> None:
    """From its first statement on, whatever is written meanwhile."""
    async with file.reading() as db:
        assert (await db.execute(COUNT)).scalar() == 0
        async with file.writing() as other:
            await other.execute(ADD)
        assert (await db.execute(COUNT)).scalar() == 0
    async with file.reading() as db:
        assert (await db.execute(COUNT)).scalar() == 2


async def test_who_writes_keeps_others_from_it_from_the_first_statement_on(tmp_path: Path) -> None:
    """Also when that one only reads: a read that became a write might find another's before it."""
    opened = partial(sqlite3.connect, tmp_path / "a.db", isolation_level=None)
    connection = FileConnection(partial(opened, check_same_thread=False), 64)
    await connection
    connection.begin_with_the_next(writes=True)
    await connection.execute("SELECT 1")
    with closing(opened(timeout=0)) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        await connection.commit()
        other.execute("BEGIN IMMEDIATE")
    await connection.close()


async def test_who_goes_on_when_nothing_could_begin_writes_nothing_for_good(tmp_path: Path) -> None:
    opened = partial(sqlite3.connect, tmp_path / "a.db", isolation_level=None)
    connection = FileConnection(partial(opened, timeout=0, check_same_thread=False), 64)
    await connection
    with closing(opened()) as holder:
        holder.execute("CREATE TABLE number (value INTEGER)")
        holder.execute("BEGIN IMMEDIATE")
        connection.begin_with_the_next(writes=True)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await connection.execute("SELECT 1")
        holder.execute("ROLLBACK")
        await connection.execute("INSERT INTO number VALUES (1)")
        await connection.rollback()
        assert holder.execute("SELECT count(*) FROM number").fetchone() == (0,)
    await connection.close()


async def test_what_was_left_in_the_midst_is_waited_for_and_taken_back(tmp_path: Path) -> None:
    """It may begin a transaction after nobody asks for it any more."""
    opened = partial(sqlite3.connect, tmp_path / "a.db", isolation_level=None)
    holder = opened()
    holder.execute("BEGIN IMMEDIATE")
    connection = await FileConnection(partial(opened, timeout=60, check_same_thread=False), 64)
    waits = asyncio.create_task(connection.execute("BEGIN IMMEDIATE"))
    await asyncio.sleep(0)
    while not connection._tx.empty():  # noqa: ASYNC110 - a queue of another thread
        await asyncio.sleep(0)
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
    taken_back = asyncio.create_task(connection.rollback())
    await asyncio.sleep(0)
    holder.close()
    await taken_back
    await connection.execute("SELECT 1")  # behind all that was asked before
    assert not connection.in_transaction
    await connection.close()


async def test_what_asked_for_nothing_leaves_no_beginning_behind(tmp_path: Path) -> None:
    """The next statement may be one that no transaction may have around it."""
    opened = partial(sqlite3.connect, tmp_path / "a.db", isolation_level=None)
    connection = FileConnection(partial(opened, check_same_thread=False), 64)
    await connection
    for end, writes in product((connection.commit, connection.rollback), (True, False)):
        connection.begin_with_the_next(writes=writes)
        await end()
        await connection.execute("VACUUM")
    await connection.close()


@pytest.mark.parametrize("opens", [True, False])
def test_a_file_opened_after_the_loop_ended_is_no_trouble(*, opens: bool) -> None:
    """A verb that finds no database ends at once; its thread comes to tell of it, and nobody is
    there. What a thread did not expect would stand on stderr, behind the one line of a verb.
    """
    begun, goes_on = threading.Event(), threading.Event()

    def opened() -> sqlite3.Connection:
        begun.set()
        goes_on.wait()
        if not opens:
            raise sqlite3.DatabaseError("file is not a database")
        return sqlite3.connect(":memory:", check_same_thread=False)

    async def left() -> threading.Thread:
        connection = FileConnection(opened, 64)
        opening = asyncio.ensure_future(connection)
        await asyncio.to_thread(begun.wait)
        opening.cancel()
        return connection._thread

    thread = asyncio.run(left())
    goes_on.set()
    thread.join()
    gc.collect()
