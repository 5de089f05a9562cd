"""The database's trouble in one line: what it says, and what the operator can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.errors import StorageError
from bot.reasons import Reason, reason, said
from bot.typed import typed

POOL_SECONDS = 10  # a caller waits so long for a free connection, then is told
TOO_MUCH = "54"  # begins PostgreSQL's codes for what is beyond its limits


@cache
def _advice() -> Mapping[str, Reason]:
    """What SQLite says, and the same with what the operator can do about it."""
    known = (
        reason(
            "database.full",
            # what waits in a running bot happens then by itself, and of a verb nothing does
            "database or disk is full: free some space",
        ),
        reason("database.locked", "database is locked: another program holds it: end that one"),
        reason(
            "database.readonly",
            "attempt to write a readonly database: "
            "give the file and its folder to the user who runs the bot",
        ),
        reason(
            "database.unopened",
            "unable to open database file: give its folder to the user who runs the bot",
        ),
        reason(
            "database.broken_disk",
            "disk I/O error: its disk is full or broken, see the system's log",
        ),
        reason(
            "database.malformed",
            "database disk image is malformed: stop the bot, then `{restore} BACKUP --force`",
            restore=typed("db restore"),
        ),
        reason(
            "database.none",
            "file is not a database: stop the bot, then `{restore} BACKUP --force`",
            restore=typed("db restore"),
        ),
    )
    return {one.words.partition(":")[0]: one for one in known}


def storage_error(error: DBAPIError | PoolTimeoutError) -> StorageError:
    """The database's trouble in one line, without statement and parameters, and its remedy."""
    if isinstance(error, PoolTimeoutError):
        return StorageError(
            reason(
                "database.no_connection",
                "no free connection for {seconds} s",
                seconds=POOL_SECONDS,
            )
        )
    if error.orig is None:
        return StorageError(said(type(error).__name__))
    return StorageError(advised(str(error.orig).strip().splitlines()[0]))


def is_its_own(error: BaseException | None) -> bool:
    """Whether an error is the database's own trouble, and not that of what was asked of it.

    PostgreSQL calls a value that is too long for an index an operational error.
    """
    if isinstance(error, DataError | IntegrityError):
        return False
    state = ""
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
    return not state.startswith(TOO_MUCH)


def advised(words: str) -> Reason:
    """SQLite's message, with its remedy where one is known."""
    return _advice().get(words) or said(words)
