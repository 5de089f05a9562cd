"""Whose the files of a database are: one user's, whoever made them.

Under systemd's DynamicUser restoring is root's work. What root left there as its own the bot, a
user of its own, could not write: the next start was refused.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Owner(NamedTuple):
    """A user and a group, by number."""

    user: int
    group: int


def owner_of(database: Path) -> Owner | None:
    """The owner of a database's file, or of its folder while there is none.

    None for who is not root: only root can give files away, and only root has to.
    """
    if os.geteuid() != 0:
        return None
    for place in (database, database.absolute().parent):
        with suppress(OSError):
            found = place.stat()
            return Owner(found.st_uid, found.st_gid)
    return None


def give(path: Path, owner: Owner | None) -> None:
    """Give a file to its owner, where it is not theirs yet.

    What is a link or has a second name stays as it is: whose folder it is might have put it there,
    to be given what it names. So does all where a container took root's right to give away. The
    file is not opened: closing it would drop the locks that SQLite has on it.
    """
    if owner is None:
        return
    with suppress(OSError):
        found = path.lstat()
        if (found.st_uid, found.st_gid) == owner:
            return
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            os.chown(path, *owner, follow_symlinks=False)


def make_folder(folder: Path) -> None:
    """Make a folder where there is none, and those that it is in, for its owner alone; OSError
    where it cannot be.

    What root makes belongs to the owner of the folder that it is made in.
    """
    folder = folder.absolute()
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    owner = owner_of(new[-1]) if new else None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for one in new:
        give_folder(one, owner)


def give_folder(path: Path, owner: Owner | None) -> None:
    """Give a folder that was made just now to its owner; a link that took its place stays."""
    if owner is None:
        return
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchown(handle, *owner)
        finally:
            os.close(handle)
