"""Bringing a database up to this program's schema, or refusing it by name.

The version is read with one plain statement, so that Alembic is only imported
when there is something to do: a start with a migrated database is quick.
"""

from __future__ import annotations

import asyncio
import errno
import glob
import os
import sqlite3
from pathlib import Path
from traceback import extract_tb

import structlog
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.errors import AwayError, BotError, ConfigError, StorageError
from bot.reasons import reason
from bot.typed import typed
from storage.address import is_to_blame
from storage.advice import advised
from storage.backup import copy
from storage.copies import (
    FOLDER,
    NoRoomError,
    nights,
    read_only_disk,
    refusal_of,
    stamped,
)
from storage.db import Db, Store, upsert
from storage.highwater import beside
from storage.ownership import owner_of
from storage.replicas import HEART_STOPPED, runs
from storage.schema import note
from storage.versions import HEAD, MIN_READER, REVISIONS, SCRIPTS, may_use, problems

# seconds a migration may think between two statements: a slow machine loads its libraries meanwhile
PATIENCE = 60
#: Of SQLite's troubles those that pass: another writes, the disk has no room, or fails.
PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
PASSING_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EIO}  # and of the system's the same
FIRST_BYTE = 0xFF  # of a code: the others say it more precisely
log = structlog.get_logger(__name__)


class DamagedError(ConfigError):
    """A file that cannot be used as a database. In words it is the bot's own, to be mended."""

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"DATABASE_URL: {path} is damaged ({why}): {_remedy(path)}")


async def schema_of(store: Store) -> str | None:
    """The schema of a database this program may use, None of an empty one; else ConfigError."""
    if store.alone:
        _check_file(store.database_file)
    try:
        async with store.reading() as db:
            version = await _version(db)
        if version is not None and version not in REVISIONS:
            await _must_be_readable(store, version)
    except StorageError as error:
        raise _refusal(error) from error
    return version


def awaits(version: str | None) -> str | None:
    """The words for what the next start does to a database of this schema, or None."""
    if version is None:
        return f"no schema yet: {_which_migrates()} makes {HEAD}"
    if version == HEAD or version not in REVISIONS:
        return None
    return f"schema {version}: {_which_migrates()} brings it to {HEAD}"


def _which_migrates() -> str:
    return f"`{typed('db upgrade')}` (or `{typed('run')}`)"


async def must_be_current(store: Store) -> None:
    """StorageError with the remedy where the next start has something to do first: for lookers."""
    if (words := awaits(await schema_of(store))) is not None:
        raise StorageError(reason("database.schema", "the database has {words}", words=words))


async def must_be_ours(store: Store) -> None:
    """ConfigError where a newer program's schema has what this one would leave behind: for those
    who copy table by table. And as for lookers.
    """
    await must_be_current(store)
    if (version := await schema_of(store)) not in REVISIONS:
        raise ConfigError(
            f"the database has schema {version}, newer than this program knows ({HEAD}): move it "
            f"with the newer program, which knows all that is there"
        )


async def must_stay_readable(store: Store) -> None:
    """ConfigError where a newer program has changed the database under this one, which runs on it,
    so that it may not use it any more.
    """
    async with store.reading() as db:
        version = (await db.execute(text("SELECT version_num FROM alembic_version"))).scalar()
    if version is not None and version not in REVISIONS and version != store.allowed:
        await _must_be_readable(store, version)


async def bring_up(store: Store, *, sparing: bool = False) -> None:
    """Check the file, copy what was there, migrate in one transaction; ConfigError if refused.

    When `sparing`, a change is refused by which somebody who runs on the database might be ended.
    """
    version = await schema_of(store)
    if awaits(version) is None:
        return
    if wrong := problems():
        raise ConfigError(wrong)
    if sparing and version is not None and version < MIN_READER:
        await _must_end_nobody(store, version)
    try:
        if store.alone and version is not None:
            await asyncio.to_thread(_keep_copy, store.database_file)
        if not store.alone:
            await _make_version_table(store)
        async with store.writing() as db:
            if not store.alone:
                await db.execute(
                    text(f"SET LOCAL idle_in_transaction_session_timeout = '{PATIENCE}s'")
                )
                await db.execute(text("LOCK TABLE alembic_version IN EXCLUSIVE MODE"))
                version = await _version(db)
            if version != HEAD:  # else another replica was quicker
                await db.run_sync(_upgrade)
                statement = upsert(db, note).values(name="min_reader", value=MIN_READER)
                await db.execute(
                    statement.on_conflict_do_update(
                        index_elements=["name"], set_={"value": MIN_READER}
                    )
                )
    except StorageError as error:
        raise _refusal(error) from error
    log.info("database migrated", version=HEAD, was=version)


def _refusal(error: StorageError) -> ConfigError:
    """The error that ends a start over its database's trouble: AwayError, which is tried again,
    unless the settings are wrong.
    """
    words = f"DATABASE_URL: {error}"
    cause = error.__cause__
    trouble = cause.orig if isinstance(cause, DBAPIError) else None
    if isinstance(trouble, sqlite3.Error):
        return _refused_file(words, trouble)
    state = getattr(trouble, "sqlstate", None) or ""
    if is_to_blame(words, state):
        return ConfigError(words)
    return AwayError(f"{words}: is the server up, and the address right?")


def _refused_file(words: str, trouble: sqlite3.Error) -> ConfigError:
    return AwayError(words) if _passes(trouble) else ConfigError(words)


def _passes(trouble: BaseException | None) -> bool:
    """Whether a file's trouble is such that nobody has to mend a setting."""
    if isinstance(trouble, OSError):
        return trouble.errno in PASSING_ERRORS
    return getattr(trouble, "sqlite_errorcode", 0) & FIRST_BYTE in PASSING


async def _must_be_readable(store: Store, version: str) -> None:
    """Refuse a database of a newer program, unless that one said that this one may read it."""
    async with store.reading() as db:
        oldest = (
            await db.execute(select(note.c.value).where(note.c.name == "min_reader"))
        ).scalar()
    if not may_use(version, oldest):
        raise ConfigError(
            f"the database has schema {version}, newer than this program knows ({HEAD}): start the "
            f"newer program, or"
            f" `{typed('db restore')}` the copy made before it was migrated (….before-{version}-…)"
        )
    store.allowed = version
    log.warning(
        "the database is newer than this program, which may use it", schema=version, known=HEAD
    )


async def _must_end_nobody(store: Store, version: str) -> None:
    """ConfigError while a process runs on a database whose next schema its program may not use."""
    remedy = "stop it first"
    if not store.alone:
        remedy += (
            ", or leave this to the first replica that you restart "
            f"(one that was killed counts for {HEART_STOPPED.seconds} seconds)"
        )
    if await runs(store):
        raise ConfigError(
            f"a Jarchy is running on the database (schema {version}), and may not be able to use "
            f"schema {HEAD}: {remedy}"
        )


def _keep_copy(path: Path) -> None:
    try:
        copy(path, stamped(path, f"before-{HEAD}"), owner=owner_of(path))
    except BotError as error:
        why = str(error)
        if isinstance(error, NoRoomError):
            why = f"{error.lack}: free some space"
        words = f"DATABASE_URL: no copy before the migration, so nothing was changed: {why}"
        if isinstance(error, NoRoomError) or _passes(error.__cause__):
            raise AwayError(words) from error
        raise ConfigError(words) from error


def _check_file(path: Path) -> None:
    """Sound, ours to write, or not there yet."""
    if not path.exists():
        if saved := sorted(path.parent.glob(f"{glob.escape(path.name)}.rescued-*")):
            raise ConfigError(
                f"DATABASE_URL: {path} is gone, it was removed while the bot ran: "
                f"`{typed('db restore')} {saved[-1]}` puts"
                " back what was in it (or move that file away to begin anew)"
            )
        must_be_makeable(path)
        return
    if not path.stat().st_size and beside(path).exists():
        raise DamagedError(path, "it is empty, and was not")
    if not os.access(path, os.R_OK | os.W_OK):  # SQLite would open it for reading and fail later
        why = read_only_disk(path) or "it must belong to the user who runs the bot"
        raise ConfigError(f"DATABASE_URL: {path} cannot be written: {why}")
    try:
        with sqlite3.connect(f"file:{path}?mode=rw", uri=True) as connection:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        connection.close()
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return  # another process writes: the instance lock says so better
        why = read_only_disk(path) or str(advised(str(error)))
        raise _refused_file(f"DATABASE_URL: {path} cannot be written: {why}", error) from error
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        raise DamagedError(path, verdict)


def must_be_makeable(path: Path) -> None:
    """ConfigError when a database that is not there could not be made."""
    if (why := refusal_of(path.absolute().parent)) is not None:
        raise ConfigError(f"DATABASE_URL: {path} cannot be made: {why}")


def _remedy(path: Path) -> str:
    copies = nights(path.parent / FOLDER, path.stem, "db")
    backup, *_ = [*reversed(copies), "BACKUP"]
    return f"`{typed('db restore')} {backup} --force` puts a backup in its place"


async def _make_version_table(store: Store) -> None:
    """The table whose lock lets one of several starting replicas migrate while the others wait.

    No advisory lock: those are lost behind PgBouncer.
    """
    statement = text(
        "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT "
        "alembic_version_pkc PRIMARY KEY (version_num))"
    )
    for last in (False, True):
        try:
            async with store.writing() as db:
                await db.execute(statement)
        except StorageError:  # IF NOT EXISTS does not save two that begin at the same moment
            if last:
                raise
        else:
            return


async def _version(db: Db) -> str | None:
    if not await db.run_sync(lambda connection: inspect(connection).has_table("alembic_version")):
        return None
    return (await db.execute(text("SELECT version_num FROM alembic_version"))).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except (BotError, SQLAlchemyError):
        raise
    except Exception as error:  # whatever a file does wrong, the database is left as it was
        raise ConfigError(_mistake(error)) from error


def _mistake(error: Exception) -> str:
    """The mistake of a migration, with file and line: the last of our own frames under way."""
    ours = [
        at for at in extract_tb(error.__traceback__) if Path(at.filename).parent.name == "versions"
    ]
    line = ", ".join(f"{Path(at.filename).name}, line {at.lineno}" for at in ours[-1:])
    return f"a migration cannot be run: {line}: {type(error).__name__}: {error}"
