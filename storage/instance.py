"""One process a SQLite file: the lock that says whose it is."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import ConfigError
from storage.ownership import give, owner_of


@contextmanager
def only_instance(path: Path) -> Iterator[Callable[[], None]]:
    """The lock of the one process that may have a SQLite file, by whatever path; yields `hold`.

    Two would send everything twice: ConfigError when another has it. The lock lies on the file
    itself, and beside it for as long as there is none; call `hold` once the file is there. Keep the
    lock until the file is closed: closing any handle of a file drops the locks that SQLite has on
    it. Ours is of another kind (flock), that SQLite's do not see.
    """
    held: dict[Path, int] = {}

    def hold(*, strictly: bool = True) -> None:
        file = path.resolve()
        beside = _beside(file)
        for one, flags in ((beside, os.O_WRONLY | os.O_CREAT), (file, os.O_RDONLY)):
            if one in held:
                continue
            try:
                held[one] = os.open(one, flags | os.O_CLOEXEC, 0o600)
                give(beside, owner_of(file))
                fcntl.flock(held[one], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigError(
                    f"another Jarchy is using {path}: stop it first, or use PostgreSQL"
                ) from None
            except OSError as error:
                if strictly:
                    raise ConfigError(
                        f"DATABASE_URL: {one} cannot be locked: {error.strerror}"
                    ) from None

    try:
        # the file itself may not be there yet: `hold` is called again once it is
        hold(strictly=False)
        yield hold
    finally:
        for handle in held.values():
            os.close(handle)


def is_held(path: Path) -> bool:
    """Whether some process has a SQLite file: another one, or this one by `only_instance`.

    The lock beside the file is asked, because closing the file would drop SQLite's own. It is ours
    for the moment of the question, in which a start would be refused: ask only where you must.
    """
    try:
        handle = os.open(_beside(path.resolve()), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # nobody ever ran on it
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _beside(file: Path) -> Path:
    return file.with_name(file.name + ".lock")
