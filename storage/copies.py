"""The files of backups: their names, how long they are kept, and how they reach the disk."""

from __future__ import annotations

import errno
import glob
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bot.errors import BotError
from bot.reasons import Reason, reason, said
from storage.ownership import Owner, give, make_folder

#: Told what a long copy is at, for whoever watches a terminal; often, and in a few words.
Tell = Callable[[str], None]

FOLDER = "backups"
COPIES_KEPT = 7  # nightly copies
# copies of any kind: what a chat erased must age out of them
KEEP_ASIDE = timedelta(days=30)
MEGABYTE = 1 << 20


def untold(words: str) -> None:
    """Tell nobody of the progress."""


def never() -> bool:
    """False: nobody asks for a stop."""
    return False


def stamped(path: Path, word: str) -> Path:
    """A name beside `path` that sorts by time and is not taken."""
    target = path.with_name(f"{path.name}.{word}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    return target.with_name(target.name[:-3])


def nights(folder: Path, stem: str, ending: str) -> list[Path]:
    """The nightly copies of a database, oldest first.

    A folder of such a name is somebody's own, as is a file whose name has no day.
    """
    named = re.compile(rf"{re.escape(stem)}-(\d{{4}}-\d\d-\d\d)\.{re.escape(ending)}", re.ASCII)
    found = []
    for one in folder.glob("*"):
        name = named.fullmatch(one.name)
        if name is not None and _is_day(name[1]) and one.is_file():
            found.append(one)
    return sorted(found)


def _is_day(written: str) -> bool:
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True


def must_be_file(path: Path) -> None:
    """BotError that says what a path is, where it is no file."""
    if path.is_file():
        return
    if path.is_dir():
        raise BotError(reason("copy.is_folder", "{path} is a folder: name a file", path=path))
    if path.exists():
        raise BotError(reason("copy.no_file", "{path} is no file: name one", path=path))
    raise BotError(reason("copy.missing", "{path} does not exist", path=path))


def make_copies_folder(folder: Path) -> None:
    """Make a folder for copies, its owner's alone, where there is none; BotError where it cannot
    be.
    """
    try:
        make_folder(folder)
    except OSError as error:
        raise BotError(no_folder(folder.absolute(), cause_of(error))) from error


def refusal_of(folder: Path) -> str | None:
    """The reason that a folder takes no file of ours, with the remedy; None where it does. One that
    is not there yet is what the folder is that it would be made in.
    """
    folder = folder.absolute()
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir():
        return f"{there} is no folder: name another place"
    if not os.access(there, os.W_OK | os.X_OK):
        return read_only_disk(there) or f"{there} must belong to the user who runs the bot"
    return None


def read_only_disk(path: Path) -> str | None:
    """The remedy for a file or folder on a disk that is mounted read-only; None for any other."""
    if not os.statvfs(path).f_flag & os.ST_RDONLY:
        return None
    return "its disk is mounted read-only: mount it for writing, or name another place"


@contextmanager
def in_place(source: str, target: Path, *, owner: Owner | None = None) -> Iterator[Path]:
    """A file to write a copy into: afterwards it is whole, on the disk, under its own name, its
    owner's where one is named.

    When the block raises nothing of it is left. BotError where the name is taken, or the folder
    takes no file.
    """
    if target.exists():
        raise BotError(
            reason("copy.exists", "{target} exists already: name another file", target=target)
        )
    half = target.with_name(f".{target.name}.{os.getpid()}.half")
    before = os.umask(0o077)
    try:
        _forget_halves(target)
        yield half
        give(half, owner)
        flush(half)
        half.rename(target)
        flush(target.parent)
    except OSError as error:
        raise BotError(not_copied(source, target, cause_of(error))) from error
    finally:
        os.umask(before)
        with suppress(OSError):  # a disk that takes nothing has nothing of it, and has been told
            half.unlink(missing_ok=True)


def _forget_halves(target: Path) -> None:
    """Remove what processes that were killed left of copies of this name."""
    for half in target.parent.glob(f".{glob.escape(target.name)}.*.half*"):  # with its journal
        pid = half.name.rsplit(".", 2)[1]
        # of a process that lives: another copy of this name is being made now
        if pid.isdigit() and int(pid) != os.getpid() and _lives(int(pid)):
            continue
        half.unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


class NoRoomError(BotError):
    """A folder's disk has no room for a copy: `lack` says so without a remedy."""

    def __init__(self, folder: Path, *, free: int, size: int) -> None:
        self.lack = f"{folder} has {free} MB free, and the copy takes about {size} MB"
        words = (
            "{folder} has {free} MB free, and the copy takes about {size} MB: "
            "free some space, or name a file elsewhere"
        )
        super().__init__(reason("copy.no_room", words, folder=folder, free=free, size=size))


def must_fit(folder: Path, size: int) -> None:
    """NoRoomError when a folder's disk has no room for a copy of about this size."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise BotError(no_folder(folder, cause_of(error))) from error
    if free < size:
        raise NoRoomError(folder, free=free // MEGABYTE, size=size // MEGABYTE + 1)


def flush(path: Path) -> None:
    """Write a file, or a folder's entries, to the disk: a renamed file is safe only then."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def not_copied(source: object, target: Path, why: Reason) -> Reason:
    """The reason to say where a copy could not be made."""
    words = "cannot copy {source} to {target}: {why}"
    return reason("copy.failed", words, source=source, target=target, why=why)


def no_folder(folder: Path, why: Reason) -> Reason:
    """The reason to say where a folder takes no copy."""
    return reason("copy.folder", "{folder}: {why}", folder=folder, why=why)


def cause_of(error: Exception) -> Reason:
    """An error's cause with its remedy, without the file's name, which the line around it has
    already.
    """
    if isinstance(error, OSError):
        if error.errno == errno.EROFS:
            return reason(
                "copy.read_only",
                "its disk is mounted read-only: mount it for writing, or name another place",
            )
        return said(error.strerror or type(error).__name__)
    return said(str(error))
