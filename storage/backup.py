"""Copies of a SQLite database, and putting one back.

A copy is made by `VACUUM INTO` beside its final name, opened and checked, and only then renamed:
the file alone, without its WAL, misses the last commits and passes every check. A server has tools
of its own: `server_backup`.
"""

from __future__ import annotations

import glob
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from bot.errors import BotError
from bot.reasons import Reason, reason, said
from storage.advice import advised
from storage.copies import (
    Tell,
    cause_of,
    flush,
    in_place,
    must_be_file,
    must_fit,
    never,
    not_copied,
    stamped,
    untold,
)
from storage.db import BUSY_SECONDS, Store
from storage.instance import only_instance
from storage.ownership import Owner, make_folder, owner_of
from storage.schema import metadata, note
from storage.versions import HEAD, may_use

#: Any row in one of these, and a database is somebody's.
USED = ("chat", "alert", "rate", "entry", "inbox")
RESCUED, RESTORING = "rescued", "restoring"  # words in names of files beside the database
STEPS_BETWEEN_LOOKS = 5_000  # steps of SQLite between looks whether to go on


def copy(
    source: Path,
    target: Path,
    *,
    owner: Owner | None = None,
    stop: Callable[[], bool] = never,
    tell: Tell = untold,
) -> None:
    """A consistent, checked copy for its owner alone, whole or not there; of a database in use."""
    must_be_file(source)
    with in_place(str(source), target, owner=owner) as half:
        try:
            with closing(_read_only(source)) as connection:
                size = _size_of(connection)
                must_fit(target.absolute().parent, size)

                def look() -> bool:
                    if half.exists():
                        tell(f"copied {min(half.stat().st_size * 100 // size, 100)} %")
                    return stop()

                half.touch()  # a folder that takes none says so better than SQLite
                connection.set_progress_handler(look, STEPS_BETWEEN_LOOKS)
                connection.execute("VACUUM INTO ?", (str(half),))
            tell("checking the copy")
            _sound(half, called=source, stop=stop)
        except sqlite3.Error as error:
            raise BotError(not_copied(source, target, advised(str(error)))) from error


def _size_of(connection: sqlite3.Connection) -> int:
    """Bytes that a copy of a file takes: its pages without the free ones."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return max(int((pages - free) * size), 1)


async def rescue(store: Store) -> Path:
    """Save the contents of a lost database file beside where it was; where they are now.

    Called again, it replaces that copy by one with later changes. BotError when nothing can be
    written there.
    """
    path = store.database_file
    target = store.rescued or stamped(path, RESCUED)
    half = target.with_name(f".{target.name}.half")
    try:
        # whole before it has its name: whoever looks for what was rescued must not find a half
        make_folder(path.parent)
        half.unlink(missing_ok=True)
        await store.save_into(half)
        half.replace(target)
    except OSError as error:
        words = "cannot save {path} to {target}: {why}"
        raise BotError(
            reason("copy.rescue", words, path=path, target=target, why=cause_of(error))
        ) from error
    store.rescued = target
    return target


def restore(
    source: Path, target: Path, *, force: bool, tell: Tell = untold
) -> tuple[dict[str, int], Path | None]:
    """Put a backup in the place of the database; its rows by table, and where the old one is now.

    The backup is checked first. A database that was used is only replaced by `force`, and kept
    beside it; the new file belongs to whom the old one did, and lies where a link leads.
    ConfigError while another process has the file.
    """
    rows = _sound(source)
    if target.is_symlink():  # a file in the link's place would fill another disk
        target = target.resolve()
    make_folder(target.parent)
    with only_instance(target):
        if target.exists() and not force and (why := _used(target)):
            raise BotError(f"{target} {why}: --force replaces it and keeps a copy beside it")
        _forget_unfinished(target)
        # copied under another name first: a restore that fails half-way leaves the old one
        fresh = stamped(target, RESTORING)
        copy(source, fresh, owner=owner_of(target), tell=tell)
        kept = None
        if target.exists():
            kept = _put_aside(target)
        # A log left behind would be played into the file that takes the old one's name.
        _forget_log(target)
        fresh.replace(target)
        flush(target.parent)
    return rows, kept


def note_in(path: Path, name: str) -> str | None:
    """The value of a note in a copy; None where it has none, and where the file is no database."""
    with suppress(sqlite3.Error), closing(_read_only(path)) as connection:
        return _note_of(connection, name)
    return None


def _note_of(connection: sqlite3.Connection, name: str) -> str | None:
    found = connection.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
    return None if found is None else str(found[0])


def _read_only(path: Path) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _tables(connection: sqlite3.Connection) -> set[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in found}


def unsound(path: object, why: Reason) -> Reason:
    """The reason to say where a copy is not to be relied on."""
    return reason("copy.unsound", "{path} is no sound backup: {why}", path=path, why=why)


def _sound(
    path: Path, *, called: Path | None = None, stop: Callable[[], bool] = never
) -> dict[str, int]:
    """The rows of a backup by table; BotError when it is none, damaged, or of a newer program that
    does not let this one use it.

    An error calls it as whoever asked knows it.
    """
    shown = called or path
    must_be_file(path)
    try:
        with closing(_read_only(path)) as connection:
            connection.set_progress_handler(stop, STEPS_BETWEEN_LOOKS)
            verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            broken = connection.execute("PRAGMA foreign_key_check").fetchone()
            tables = _tables(connection)
            if not {"alembic_version", "chat", "alert"} <= tables:
                raise BotError(
                    reason("copy.foreign", "{path} is no database of this program", path=shown)
                )
            (schema,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            oldest = _note_of(connection, "min_reader") if note.name in tables else None
            rows: dict[str, int] = {}
            for name in sorted(tables.intersection(metadata.tables)):
                counted = connection.execute(f'SELECT count(*) FROM "{name}"')  # noqa: S608 - ours
                (rows[name],) = counted.fetchone()
    except (sqlite3.Error, TypeError) as error:
        raise BotError(unsound(shown, cause_of(error))) from error
    if verdict != "ok":
        raise BotError(unsound(shown, said(verdict)))
    if broken:
        raise BotError(unsound(shown, reason("copy.orphans", "rows without what they refer to")))
    if not may_use(schema, oldest):
        words = (
            "{path} has schema {schema}, newer than this program knows ({head}): "
            "use the newer program"
        )
        raise BotError(reason("copy.newer", words, path=shown, schema=str(schema), head=HEAD))
    return rows


def _used(path: Path) -> str | None:
    """The reason that a database may not be replaced just so; None for an empty one."""
    try:
        with closing(_read_only(path)) as connection:
            tables = _tables(connection)
            if tables and "chat" not in tables:
                return "is something else's"
            for name in tables.intersection(USED):
                if connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone():  # noqa: S608 - our own names
                    return "is in use"
    except sqlite3.Error as error:
        return f"cannot be read ({cause_of(error)})"
    return None


def _put_aside(path: Path) -> Path:
    """A copy of the database that is about to go; a damaged one as it lies, with its log."""
    kept = stamped(path, "before-restore")
    try:
        copy(path, kept, owner=owner_of(path))
    except BotError:
        for suffix in ("-wal", "-shm", ""):
            old = path.with_name(path.name + suffix)
            if old.exists():
                old.rename(kept.with_name(kept.name + suffix))
    return kept


def _forget_unfinished(target: Path) -> None:
    """Remove what a restore that was killed left beside the database; nobody else is at it now."""
    called = glob.escape(target.name)
    for name in (f"{called}.{RESTORING}-*", f".{called}.{RESTORING}-*.half*"):
        for left in target.parent.glob(name):
            left.unlink(missing_ok=True)


def _forget_log(path: Path) -> None:
    """Empty the old database's log into it, then remove it: the new one must never read it."""
    if path.exists():
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
