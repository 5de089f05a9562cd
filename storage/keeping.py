"""Copies of either database: one now, one put back, and one of each night.

Those of a file are beside it, those of a server in the folder that the setting BACKUPS names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import URL

import storage.backup
import storage.notes
from bot.errors import BotError, StorageError
from bot.reasons import reason
from storage.address import is_file, parse_url
from storage.backup import copy
from storage.belonging import BOT_MARK
from storage.connecting import must_be_there
from storage.copies import (
    COPIES_KEPT,
    FOLDER,
    Tell,
    make_copies_folder,
    nights,
    refusal_of,
    stamped,
    untold,
)
from storage.db import Store
from storage.ownership import owner_of

OFF = "off"  # the setting's word for no copies
MADE_NOTE = "backed up"  # the note of the last night whose copy was made


@dataclass(frozen=True, slots=True, kw_only=True)
class Nights:
    """The folder of a database's nightly copies, and their names."""

    folder: Path
    stem: str
    ending: str

    def of(self, day: date) -> Path:
        """The copy of one night."""
        return self.folder / f"{self.stem}-{day}.{self.ending}"

    def night_of(self, copy: Path) -> date:
        """The night that a copy is of, by its name."""
        written = copy.name.removeprefix(f"{self.stem}-").removesuffix(f".{self.ending}")
        return date.fromisoformat(written)

    @property
    def made(self) -> list[Path]:
        """The copies of nights that are here, oldest first."""
        return nights(self.folder, self.stem, self.ending)


def nights_of(url: URL, setting: str | None) -> Nights | None:
    """The folder of a database's nightly copies, by the setting BACKUPS; None: there are none.

    Unsaid it is a folder beside the file of a database that is one; a server has no such folder.
    """
    if setting == OFF:
        return None
    if is_file(url):
        path = Path(url.database or "")
        folder = path.parent / FOLDER
        if setting is not None:
            folder = Path(setting)
        return Nights(folder=folder, stem=path.stem, ending="db")
    if setting is None:
        return None
    return Nights(folder=Path(setting), stem=url.database or "jarchy", ending="dump")


def save(text_url: str, file: Path | None, *, tell: Tell = untold) -> Path:
    """A copy of a database in use, made now: in `file`, else beside a file or in this folder."""
    url = parse_url(text_url)
    if is_file(url):
        must_be_there(text_url)
        path = Path(url.database or "")
        if file is not None:
            copy(path, file, tell=tell)
            return file
        target = stamped(path, "backup")
        copy(path, target, owner=owner_of(path), tell=tell)
        return target
    # a program with a file has no need of the driver of servers
    from storage.server_backup import dump

    target = file or stamped(Path(url.database or "jarchy"), "dump")
    dump(url, target, tell=tell)
    return target


def put_back(
    text_url: str, source: Path, setting: str | None, *, force: bool, tell: Tell = untold
) -> tuple[dict[str, int], Path | None]:
    """Put a copy in the place of the database; its rows by table, and where what was there is now:
    beside a file, or in the folder that the setting BACKUPS names for a server.

    It is of the schema that the copy has: opening it for writing brings it to ours.
    """
    url = parse_url(text_url)
    if is_file(url):
        return storage.backup.restore(source, Path(url.database or ""), force=force, tell=tell)
    from storage import server_backup

    nights = nights_of(url, setting)
    aside = source.parent
    if nights is not None:
        aside = nights.folder
    return server_backup.restore(url, source, aside=aside, force=force, tell=tell)


def nights_by_setting(text_url: str, setting: str | None) -> Nights | None:
    """The same as `nights_of`, by the operator's address."""
    return nights_of(parse_url(text_url), setting)


def refusal_of_copies(text_url: str, nights: Nights) -> str | None:
    """The reason that tonight's copy could not be made, with the remedy: of a folder that takes
    none, of a server that has no programs here or is reached through a PgBouncer. None where it
    could, and where a server is away, which is another trouble. Changes nothing.
    """
    if (why := refusal_of(nights.folder)) is not None:
        return f"no copy can be made in {nights.folder}: {why}"
    url = parse_url(text_url)
    if is_file(url):
        return None
    from storage.server_backup import look_at_server
    from storage.server_tools import fitting

    try:
        fitting(look_at_server(url).major)
    except StorageError:
        return None
    except BotError as error:
        return str(error)
    return None


async def back_up(
    store: Store,
    setting: str | None,
    *,
    today: date,
    stop: Callable[[], bool],
) -> Path | None:
    """Tonight's copy of an open database, made beside the loop; None when it is made already.

    Of the replicas on a server one makes it, in the folder of its own machine.
    """
    nights = nights_of(store.url, setting)
    if nights is None or await _is_made(store, nights, today):
        return None
    await asyncio.to_thread(nightly, store.url, nights, today=today, stop=stop)
    await _note(store, today)
    return nights.of(today)


async def _is_made(store: Store, nights: Nights, today: date) -> bool:
    """Whether tonight's copy is noted in the database; BotError where another's has its name.

    One of ours is not noted yet where the program was killed in between, or put back a database of
    before.
    """
    async with store.reading() as db:
        noted = await storage.notes.among(db, [MADE_NOTE, BOT_MARK])
    if noted.get(MADE_NOTE) == today.isoformat():
        return True
    copy = nights.of(today)
    if not copy.exists():
        return False
    if await asyncio.to_thread(_bot_of, store.url, copy) != noted.get(BOT_MARK):
        words = "{target} is another bot's: name a folder for this one alone in BACKUPS"
        raise BotError(reason("copy.anothers", words, target=copy))
    await _note(store, today)
    return True


async def _note(store: Store, night: date) -> None:
    async with store.writing() as db:
        await storage.notes.put(db, MADE_NOTE, night.isoformat())


def _bot_of(url: URL, copy: Path) -> str | None:
    """The bot that a copy of a database belongs to, by its number; None for nobody's."""
    if is_file(url):
        return storage.backup.note_in(copy, BOT_MARK)
    from storage import server_backup

    return server_backup.note_in(url, copy, BOT_MARK)


async def made(store: Store, nights: Nights) -> list[date]:
    """The nights whose copies are in this machine's folder, oldest first.

    Behind the last one that is noted are another database's, of the same name.
    """
    copies = await asyncio.to_thread(lambda: nights.made)
    last = await last_night(store)
    if last is None:
        return []
    return [night for night in map(nights.night_of, copies) if night <= last]


async def last_night(store: Store) -> date | None:
    """The last night whose copy was made, on whichever machine; None before the first."""
    async with store.reading() as db:
        noted = await storage.notes.get(db, MADE_NOTE)
    return None if noted is None else date.fromisoformat(noted)


def nightly(url: URL, nights: Nights, *, today: date, stop: Callable[[], bool]) -> Path:
    """Today's copy; of those before, the last few are kept."""
    target = nights.of(today)
    make_copies_folder(nights.folder)
    if is_file(url):
        copy(Path(url.database or ""), target, stop=stop)
    else:
        from storage.server_backup import dump

        dump(url, target, stop=stop)
    for old in nights.made[:-COPIES_KEPT]:
        old.unlink(missing_ok=True)
    return target
