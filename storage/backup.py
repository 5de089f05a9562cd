"""Copies of a SQLite database, putting one back, and saying whether a database is sound.

A copy is made by `VACUUM INTO` beside its final name, opened and checked, and only then renamed:
the file alone, without its WAL, misses the last commits and passes every check. PostgreSQL has
`pg_dump`, which does this better than we could.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, inspect, select, text

from bot.errors import BotError
from storage.db import BUSY_SECONDS, Store
from storage.instance import only_instance
from storage.schema import metadata
from storage.versions import HEAD, REVISIONS

#: Any row in one of these, and a database is somebody's.
USED = ("chat", "alert", "rate", "entry", "inbox")
PROBLEMS_SHOWN = 20
FOLDER = "backups"
RESCUED = "rescued"
COPIES_KEPT = 7  # nightly copies
# copies made before a migration or a restore: what a chat erased must age out of them
KEEP_ASIDE = timedelta(days=30)
STEPS_BETWEEN_LOOKS = 5_000  # steps of SQLite between looks whether to go on


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What `db check` found: `problems` is empty for a sound database of this program's schema."""

    schema: str | None
    rows: dict[str, int]
    problems: tuple[str, ...]


def stamped(path: Path, word: str) -> Path:
    """A name beside `path` that sorts by time and is not taken."""
    target = path.with_name(f"{path.name}.{word}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    return target.with_name(target.name[:-3])


def nightly(path: Path, *, today: date, now: datetime, stop: Callable[[], bool]) -> Path | None:
    """Today's copy, with the oldest forgotten; None when it is there or `stop` ended it."""
    folder = path.parent / FOLDER
    target = folder / f"{path.stem}-{today}.db"
    if target.exists():
        return None
    folder.mkdir(mode=0o700, exist_ok=True)
    copy(path, target, stop=stop)
    for old in copies(path)[:-COPIES_KEPT]:
        old.unlink()
    for old in path.parent.glob(f"{path.name}.before-*"):
        if datetime.fromtimestamp(old.stat().st_mtime, UTC) < now - KEEP_ASIDE:
            old.unlink()
    return target


async def back_up(
    store: Store, *, today: date, now: datetime, stop: Callable[[], bool]
) -> Path | None:
    """Today's copy of an open SQLite database, made beside the loop; None when it is there."""
    path = store.database_file
    return await asyncio.to_thread(nightly, path, today=today, now=now, stop=stop)


def copies(path: Path) -> list[Path]:
    """The nightly copies of a database, oldest first."""
    return sorted((path.parent / FOLDER).glob(f"{path.stem}-????-??-??.db"))


def copy(source: Path, target: Path, *, stop: Callable[[], bool] = lambda: False) -> None:
    """A consistent, checked copy for its owner alone, whole or not there; of a database in use."""
    if not source.is_file():
        raise BotError(f"{source} does not exist")
    if target.exists():
        raise BotError(f"{target} exists already: name another file")
    half = target.with_name(f".{target.name}.{os.getpid()}.half")
    before = os.umask(0o077)
    try:
        half.unlink(missing_ok=True)
        with closing(_read_only(source)) as connection:
            connection.set_progress_handler(stop, STEPS_BETWEEN_LOOKS)
            connection.execute("VACUUM INTO ?", (str(half),))
        _sound(half, stop=stop)
        _flush(half)
        half.rename(target)
        _flush(target.parent)
    except (sqlite3.Error, OSError) as error:
        raise BotError(f"cannot copy {source} to {target}: {_words(error)}") from error
    finally:
        os.umask(before)
        half.unlink(missing_ok=True)


async def rescue(store: Store) -> Path:
    """What a lost database file still holds, beside where it was; called again, later changes too.

    BotError when nothing can be written there.
    """
    path = store.database_file
    target = store.rescued or stamped(path, RESCUED)
    half = target.with_name(f".{target.name}.half")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        half.unlink(missing_ok=True)
        await store.save_into(half)
        half.replace(target)
    except OSError as error:
        raise BotError(f"cannot save {path} to {target}: {_words(error)}") from error
    store.rescued = target
    return target


def restore(source: Path, target: Path, *, force: bool) -> tuple[dict[str, int], Path | None]:
    """Put a backup in the place of the database; its rows by table, and where the old one is now.

    The backup is checked first. A database that was used is only replaced by `force`, and kept
    beside it. ConfigError while another process has the file.
    """
    rows = _sound(source)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with only_instance(target):
        if target.exists() and not force and (why := _used(target)):
            raise BotError(f"{target} {why}: --force replaces it and keeps a copy beside it")
        fresh = stamped(target, "restoring")
        copy(source, fresh)
        kept = None
        if target.exists():
            kept = _put_aside(target)
        # A log left behind would be played into the file that takes the old one's name.
        _forget_log(target)
        fresh.replace(target)
        _flush(target.parent)
    return rows, kept


async def health(store: Store) -> Health:
    """Integrity and foreign keys (SQLite), the schema's revision, and the rows of each table."""
    rows: dict[str, int] = {}
    problems: list[str] = []
    async with store.reading() as db:
        if store.alone:
            verdicts = (
                await db.execute(text(f"PRAGMA integrity_check({PROBLEMS_SHOWN})"))
            ).scalars()
            for verdict in verdicts:
                if verdict != "ok":
                    problems.append(f"integrity: {verdict}")
            broken = (await db.execute(text("PRAGMA foreign_key_check"))).all()
            for table, row, parent, _ in broken[:PROBLEMS_SHOWN]:
                problems.append(f"foreign key: {table} row {row} without its {parent}")
        known = await db.run_sync(
            lambda connection: inspect(connection).has_table("alembic_version")
        )
        schema = None
        if known:
            found = await db.execute(text("SELECT version_num FROM alembic_version"))
            schema = found.scalar()
        if schema != HEAD:
            problems.append(
                f"schema: {schema or 'none'}, this program writes {HEAD}: `jarchy db upgrade` "
                f"migrates"
            )
        else:
            for table in metadata.sorted_tables:
                rows[table.name] = (
                    await db.execute(select(func.count()).select_from(table))
                ).scalar_one()
    return Health(schema=schema, rows=rows, problems=tuple(problems))


def _read_only(path: Path) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _tables(connection: sqlite3.Connection) -> set[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in found}


def _sound(path: Path, *, stop: Callable[[], bool] = lambda: False) -> dict[str, int]:
    """The rows of a backup by table; BotError when it is none, damaged, or newer than we are."""
    if not path.is_file():
        raise BotError(f"{path} does not exist")
    try:
        with closing(_read_only(path)) as connection:
            connection.set_progress_handler(stop, STEPS_BETWEEN_LOOKS)
            verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            broken = connection.execute("PRAGMA foreign_key_check").fetchone()
            tables = _tables(connection)
            if not {"alembic_version", "chat", "alert"} <= tables:
                raise BotError(f"{path} is no database of this program")
            (schema,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            rows: dict[str, int] = {}
            for name in sorted(tables.intersection(metadata.tables)):
                counted = connection.execute(f'SELECT count(*) FROM "{name}"')  # noqa: S608 - ours
                (rows[name],) = counted.fetchone()
    except (sqlite3.Error, TypeError) as error:
        raise BotError(f"{path} is no sound backup: {_words(error)}") from error
    if verdict != "ok":
        raise BotError(f"{path} is no sound backup: {verdict}")
    if broken:
        raise BotError(f"{path} is no sound backup: rows without what they refer to")
    if schema not in REVISIONS:
        raise BotError(
            f"{path} has schema {schema}, newer than this program knows ({HEAD}): use the newer "
            f"program"
        )
    return rows


def _used(path: Path) -> str | None:
    """Why a database may not be replaced just so; None for an empty one."""
    try:
        with closing(_read_only(path)) as connection:
            tables = _tables(connection)
            if tables and "chat" not in tables:
                return "is something else's"
            for name in tables.intersection(USED):
                if connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone():  # noqa: S608 - our own names
                    return "is in use"
    except sqlite3.Error as error:
        return f"cannot be read ({_words(error)})"
    return None


def _put_aside(path: Path) -> Path:
    """A copy of the database that is about to go; a damaged one as it lies, with its log."""
    kept = stamped(path, "before-restore")
    try:
        copy(path, kept)
    except BotError:
        for suffix in ("-wal", "-shm", ""):
            old = path.with_name(path.name + suffix)
            if old.exists():
                old.rename(kept.with_name(kept.name + suffix))
    return kept


def _forget_log(path: Path) -> None:
    """Empty the old database's log into it, then remove it: the new one must never read it."""
    if path.exists():
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Write a folder's entries to the disk: a renamed file is safe only then."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _words(error: Exception) -> str:
    if isinstance(error, OSError):  # its text would name the file a second time
        return error.strerror or type(error).__name__
    return str(error)
