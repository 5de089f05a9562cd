"""Opening a database, by what for: to run on it, to write to it, or only to look at it.

Above everything else in this folder: what opens a database checks its file, copies and migrates it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from storage import migrate
from storage.address import is_file, parse_url
from storage.connecting import connect, connect_for_writing
from storage.db import Store
from storage.instance import only_instance
from storage.ownership import give, owner_of


async def open_store(text_url: str) -> Store:
    """The database, its schema brought up to date (after a backup copy), checked to be sound.

    ConfigError when it is newer than this program, damaged, read-only or cannot be reached, and
    when somebody runs on it who may not be able to use the schema that it would be brought to.
    """
    return await _opened(text_url, sparing=True)


async def _opened(text_url: str, *, sparing: bool) -> Store:
    store = connect_for_writing(text_url)
    made = store.alone and not _is_there(store.database_file)
    try:
        await migrate.bring_up(store, sparing=sparing)
        if made:
            _give_to_the_folders_owner(store.database_file)
        store.settle()
    except BaseException:
        await store.close()
        raise
    return store


@asynccontextmanager
async def held_store(text_url: str, *, sparing: bool = True) -> AsyncIterator[Store]:
    """The database of a program that runs on it: a file is this process's alone until it is closed.

    ConfigError as with `open_store`, and when another process has the file. A replica that takes
    the place of an older one is not `sparing`: the older ones notice, and end.
    """
    url = parse_url(text_url)
    async with AsyncExitStack() as stack:
        if is_file(url):
            hold = stack.enter_context(only_instance(Path(url.database or "")))
            store = await _opened(text_url, sparing=False)  # nobody else has it
            stack.push_async_callback(store.close)
            hold()
        else:
            store = await _opened(text_url, sparing=sparing)
            stack.push_async_callback(store.close)
        yield store


@asynccontextmanager
async def trial_store(text_url: str) -> AsyncIterator[Store]:
    """A database as `held_store`, for what is rolled back: one whose file is not there yet stands
    elsewhere, and goes.
    """
    url = parse_url(text_url)
    if not is_file(url) or _is_there(Path(url.database or "")):
        async with held_store(text_url) as store:
            yield store
        return
    with TemporaryDirectory(prefix="jarchy-trial-") as folder:
        async with held_store(f"sqlite:///{folder}/jarchy.db") as store:
            yield store


def _is_there(path: Path) -> bool:
    return path.exists()


def _give_to_the_folders_owner(path: Path) -> None:
    owner = owner_of(path.absolute().parent)
    for suffix in ("", "-wal", "-shm"):
        give(path.with_name(path.name + suffix), owner)


async def look_at(text_url: str) -> Store:
    """The database for reading alone, neither made nor migrated.

    ConfigError where there is none or a start would refuse it, StorageError when its schema is
    still to be made.
    """
    store = connect(text_url)
    try:
        await migrate.must_be_current(store)
    except BaseException:
        await store.close()
        raise
    return store
