"""The SQLite file while the program runs: its log grows, it is taken away, a second program wants
it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from contextlib import closing, suppress
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bot.emulator import Emulator, Fault
from bot.errors import ConfigError, StorageError
from bot.i18n import t
from bot.telegram.outcomes import Outcome, Sent
from bot.watch import StoreWatch, left_to_watch
from storage.backup import rescue
from storage.db import LOG_BYTES, Store
from storage.instance import only_instance
from storage.opening import open_store
from tests.e2e.program import READER, Program, Publishers
from tests.faults.test_replicas import catalog
from tests.world import migrated_copy

OPERATOR = READER
LONG = (  # a statement that takes a while
    "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 500000)"
    " SELECT count(*) FROM n"
)


class Quiet:
    """A Telegram that takes all."""

    async def call(self, method: str, **parameters: Any) -> Outcome:  # noqa: ARG002 - the protocol's
        """Sent."""
        return Sent(1)


class Hearing(Quiet):
    """The same, and what it was sent."""

    def __init__(self) -> None:
        self.words: list[str] = []

    async def call(self, method: str, **parameters: Any) -> Outcome:
        """Sent."""
        self.words.append(parameters["text"])
        return await super().call(method)


async def opened(path: Path) -> Store:
    """A new database whose file is held already by whoever writes."""
    store = await open_store(migrated_copy(path))
    async with store.writing() as db:
        await db.execute(text("SELECT 1"))
    return store


async def test_P20_a_log_that_a_long_reader_held_is_cut_back_while_the_program_runs(
    tmp_path: Path,
) -> None:
    """It grows as long as somebody reads what was; writes go on meanwhile, and soon after it is
    small again.
    """
    path = tmp_path / "jarchy.db"
    wal = path.with_name("jarchy.db-wal")
    store = await opened(path)
    watch = StoreWatch(store, Quiet(), [], "en")
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM mark").fetchone()
            for number in range(1_000):
                async with store.writing() as db:
                    statement = text("INSERT INTO mark (name, value) VALUES (:name, :value)")
                    await db.execute(statement, {"name": f"{number}", "value": "x" * 8_000})
            async with asyncio.timeout(10):  # a look while it is read waits for nobody
                await watch.look()
            assert wal.stat().st_size > 2 * LOG_BYTES
            assert reader.execute(
                "SELECT count(*) FROM mark WHERE length(value) = 8000"
            ).fetchone() == (0,)
        await watch.look()
        assert wal.stat().st_size <= LOG_BYTES
        async with store.reading() as db:
            assert (
                await db.execute(text("SELECT count(*) FROM mark WHERE length(value) = 8000"))
            ).scalar() == 1_000
        async with store.writing() as db:
            await db.execute(text("UPDATE mark SET value = 'short'"))
    finally:
        await store.close()


async def test_P20_a_log_that_one_large_commit_made_is_cut_back(tmp_path: Path) -> None:
    """Without any reader, by what follows."""
    path = tmp_path / "jarchy.db"
    store = await opened(path)
    try:
        async with store.writing() as db:
            for number in range(1_200):
                statement = text("INSERT INTO mark (name, value) VALUES (:name, :value)")
                await db.execute(statement, {"name": f"{number}", "value": "x" * 8_000})
        await StoreWatch(store, Quiet(), [], "en").look()
        assert path.with_name("jarchy.db-wal").stat().st_size <= LOG_BYTES
    finally:
        await store.close()


def removed(path: Path) -> None:
    """`rm jarchy.db*`."""
    for one in path.parent.glob("jarchy.db*"):
        one.unlink()


def file_removed(path: Path) -> None:
    """`rm jarchy.db`: the log stays."""
    path.unlink()


def moved(path: Path) -> None:
    """`mv jarchy.db elsewhere`."""
    path.rename(path.with_name("elsewhere"))


def replaced(path: Path) -> None:
    """`mv other jarchy.db`."""
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.parametrize("lose", [removed, file_removed, replaced, moved])
@pytest.mark.cases(keep=2)
async def test_P21_a_file_that_is_lost_is_noticed_told_and_saved(
    tmp_path: Path, emulator: Emulator, publishers: Publishers, lose: Any
) -> None:
    """The operator hears it straight away, nothing else is sent, and what was open is in a sound
    file beside it.
    """
    path = tmp_path / "jarchy.db"
    program = Program(tmp_path, emulator, catalog(publishers.url), ADMIN_IDS=str(OPERATOR))
    await program.start()
    asked = await emulator.send_text(READER, "/start")
    await emulator.wait_message(READER, lambda m: "reply_markup" in m, after=asked, timeout=20)
    inode = path.stat().st_ino
    lose(path)
    notice = await emulator.wait_message(
        OPERATOR, lambda m: "jarchy.db.rescued-" in m.get("text", ""), timeout=20
    )
    assert str(path) in notice["text"]
    assert await program.end(None) == 78, "".join(program.log)[-4000:]
    (saved,) = tmp_path.glob("jarchy.db.rescued-*")
    assert str(saved) in notice["text"]
    with closing(sqlite3.connect(saved)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT id FROM chat").fetchall() == [(READER,)]
    assert lose is replaced or not path.exists(), "no empty one in its place"
    assert not path.exists() or path.stat().st_ino != inode
    said = "".join(program.log)
    assert "Traceback" not in said
    if lose is not replaced:
        await program.start(ready=False)
        assert await program.end(None) == 78
        assert f"db restore {saved}`" in "".join(program.log)


async def cut_off_in_a_write(store: Store) -> None:
    """End a writing task in the middle of its statement, as a stop does: the driver's connection
    is closed, for nobody knows what state it is in.
    """
    begun = asyncio.Event()

    async def write() -> None:
        async with store.writing() as db:
            begun.set()
            await db.execute(text(LONG))

    task = asyncio.create_task(write())
    await begun.wait()
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_P21_a_lost_file_is_saved_through_a_reader_where_the_writer_was_cut_off(
    tmp_path: Path,
) -> None:
    """And the reader stays one that cannot write."""
    path = tmp_path / "jarchy.db"
    store = await opened(path)
    try:
        async with store.writing() as db:
            await db.execute(text("INSERT INTO mark (name, value) VALUES ('a', 'b')"))
        async with store.reading() as db:
            await db.execute(text("SELECT count(*) FROM mark"))
        removed(path)
        await cut_off_in_a_write(store)
        saved = await rescue(store)
        async with store.reading() as db:
            with pytest.raises(OperationalError, match="readonly"):
                await db.execute(text("INSERT INTO mark (name, value) VALUES ('c', 'd')"))
    finally:
        await store.close()
    with closing(sqlite3.connect(saved)) as copy:
        assert copy.execute("SELECT value FROM mark WHERE name = 'a'").fetchall() == [("b",)]


async def test_P21_a_lost_file_that_nobody_holds_any_more_is_said_to_be(tmp_path: Path) -> None:
    """By an error in one line, which is no crash of the program."""
    path = tmp_path / "jarchy.db"
    store = await open_store(f"sqlite:///{path}")
    try:
        removed(path)
        await cut_off_in_a_write(store)
        async with asyncio.timeout(10):
            await store.trim()
        with pytest.raises(StorageError) as told:
            await rescue(store)
        assert len(str(told.value).splitlines()) == 1
    finally:
        await store.close()


@pytest.mark.parametrize("language", ["en", "ru", "ky"])
async def test_P21_operators_are_told_in_their_language_why_nothing_could_be_saved(
    tmp_path: Path, language: str
) -> None:
    """And the program ends as it does with what was saved."""
    path = tmp_path / "jarchy.db"
    store, heard = await open_store(f"sqlite:///{path}"), Hearing()
    try:
        removed(path)
        await cut_off_in_a_write(store)
        async with asyncio.timeout(10):
            await store.trim()
        with pytest.raises(ConfigError):
            await StoreWatch(store, heard, [OPERATOR], language).look()
    finally:
        await store.close()
    (words,) = heard.words
    assert words.startswith(t("notice.lost_unsaved", language).partition("{file}")[0])
    # SQLite says of it what the system does
    known = ("broken_disk", "unopened", "malformed")
    assert [
        one for one in known if t(f"reason.database.{one}", language).partition("{")[0] in words
    ]


async def test_P21_no_delivery_is_begun_once_the_file_is_known_to_be_lost(tmp_path: Path) -> None:
    """A message sent then could not be noted: sending ends before anything is saved or told."""
    path = tmp_path / "jarchy.db"
    store, heard = await opened(path), Hearing()
    begun: list[tuple[list[str], list[Path]]] = []

    def stop() -> None:
        begun.append((list(heard.words), list(tmp_path.glob("*.rescued-*"))))

    try:
        removed(path)
        with pytest.raises(ConfigError):
            await StoreWatch(store, heard, [OPERATOR], "en", stop).look()
    finally:
        await store.close()
    assert begun == [([], [])]
    assert len(heard.words) == 1


async def test_P21_whoever_meets_a_lost_file_first_leaves_the_end_to_the_watch(
    tmp_path: Path,
) -> None:
    """Else a supervisor would take it for a crash, and the operators would hear nothing."""
    path = tmp_path / "jarchy.db"
    store = await opened(path)
    broken_off = asyncio.Event()

    async def write() -> None:
        async with store.writing():
            pass

    async def work() -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(write())
        finally:
            broken_off.set()

    async def watch() -> None:
        await broken_off.wait()
        await StoreWatch(store, Quiet(), [], "en").look()

    try:
        removed(path)
        await cut_off_in_a_write(store)
        with pytest.raises(ExceptionGroup) as told:
            async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
                left = left_to_watch(work(), store=store, stopping=asyncio.Event())
                tasks.create_task(left)
                tasks.create_task(watch())
        assert [type(error) for error in told.value.exceptions] == [ConfigError]
    finally:
        await store.close()


async def test_P21_G20_the_last_word_is_tried_again_when_telegram_refuses_it(
    tmp_path: Path, emulator: Emulator, publishers: Publishers
) -> None:
    """The program ends after it."""
    program = Program(tmp_path, emulator, catalog(publishers.url), ADMIN_IDS=str(OPERATOR))
    await program.start()
    for fault in (Fault.server_error, Fault.reset, partial(Fault.flood, 2)):
        emulator.faults.add(fault(method="sendMessage", times=1))
    removed(tmp_path / "jarchy.db")
    await emulator.wait_message(
        OPERATOR, lambda m: "jarchy.db.rescued-" in m.get("text", ""), timeout=30
    )
    assert await program.end(None) == 78
    first, second, third, last = emulator.calls.of("sendMessage", OPERATOR)
    assert {first.code, third.code} | {second.code} >= {502, 429}
    assert last.at - third.at >= (2 if third.code == 429 else 0)


def itself(path: Path) -> Path:
    """The same path, the lock file deleted."""
    path.with_name("jarchy.db.lock").unlink()
    return path


def linked(path: Path) -> Path:
    """A symbolic link in another folder."""
    other = path.parent / "other"
    other.mkdir(exist_ok=True)
    name = other / f"{len(list(other.iterdir()))}.db"
    name.symlink_to(path)
    return name


def linked_without_lock(path: Path) -> Path:
    """Both."""
    path.with_name("jarchy.db.lock").unlink(missing_ok=True)
    return linked(path)


def folder_linked(path: Path) -> Path:
    """By a link to its folder."""
    (path.parent / "way").symlink_to(path.parent, target_is_directory=True)
    return path.parent / "way" / path.name


def hard_linked(path: Path) -> Path:
    """A second name of the file."""
    os.link(path, path.with_name("second.db"))
    return path.with_name("second.db")


async def test_P22_a_second_program_is_refused_by_whatever_path(
    tmp_path: Path, emulator: Emulator, publishers: Publishers
) -> None:
    """78 and a line that says why; the first one goes on."""
    path = tmp_path / "jarchy.db"
    first = Program(tmp_path, emulator, catalog(publishers.url))
    await first.start()
    for other in (linked, folder_linked, hard_linked, itself, linked_without_lock):
        folder = tmp_path / other.__name__
        folder.mkdir()
        way = f"sqlite:///{other(path)}"
        second = Program(folder, emulator, catalog(publishers.url), DATABASE_URL=way)
        await second.start(ready=False)
        assert await second.end(None) == 78, way
        assert "another Jarchy is using" in "".join(second.log), way
    asked = await emulator.send_text(READER, "/help")
    await emulator.wait_message(READER, lambda _: True, after=asked, timeout=20)
    assert await first.end(signal.SIGTERM) == 0
    await second.start()
    assert await second.end(signal.SIGTERM) == 0


def test_P22_before_there_is_a_file_the_lock_beside_it_counts_by_whatever_path(
    tmp_path: Path,
) -> None:
    """Two first starts at one moment, one of them by a link to what is not there yet."""
    path = tmp_path / "jarchy.db"
    ways = [path, linked(path), folder_linked(path)]
    for first, second in product(ways, ways):
        refused = pytest.raises(ConfigError, match="another Jarchy")
        with only_instance(first), refused, only_instance(second):
            pass
        path.with_name("jarchy.db.lock").unlink()
    assert not path.exists()


async def test_P22_our_lock_leaves_those_of_the_database_alone(tmp_path: Path) -> None:
    """Another process still sees that somebody writes, and can write when nobody does."""
    path = tmp_path / "jarchy.db"
    code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"

    async def writes() -> int:
        process = await asyncio.create_subprocess_exec(
            "python3", "-c", code, str(path), stderr=asyncio.subprocess.DEVNULL
        )
        return await process.wait()

    with only_instance(path) as hold:
        store = await open_store(f"sqlite:///{path}")
        hold()
        with pytest.raises(ConfigError, match="another Jarchy"), only_instance(path):
            pass  # its handles are closed again
        async with store.writing() as db:
            await db.execute(text("INSERT INTO mark (name, value) VALUES ('a', 'b')"))
            assert await writes() == 1
        assert await writes() == 0
        await store.close()
    with only_instance(path):
        pass
