"""The database's high-water mark, said in it and beside it.

A file put back from an old copy, or robbed of its log, is sound and cannot know what it lacks; the
small file beside it does. Both hold the time, on the database's clock, until which everything
committed is there.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from storage.db import Store, db_now, on_commit, upsert
from storage.ownership import give, owner_of
from storage.schema import note

NOTE_NAME = "written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The database ends at `until` (None: it has nothing), yet it had reached `reached`."""

    until: datetime | None
    reached: datetime


def beside(path: Path) -> Path:
    """The file that says how far a database had come."""
    return path.with_name(f"{path.name}.{NOTE_NAME}")


async def advance(store: Store) -> int | None:
    """Say that all up to now is there: in the database and, once committed, beside it.

    The version of the store with that, and with nothing that was written after it.
    """
    versions: list[int | None] = []
    async with store.writing() as db:
        reached = (await db_now(db)).isoformat()
        statement = upsert(db, note).values(name=NOTE_NAME, value=reached)
        await db.execute(
            statement.on_conflict_do_update(index_elements=["name"], set_={"value": reached})
        )
        on_commit(db, lambda: versions.append(store.version()))
    # Beside it only now: it must never say more than the database has.
    if store.alone:
        target = beside(store.database_file)
        half = target.with_name(target.name + ".half")
        with suppress(OSError):  # a full disk: the old file still says less than is true
            half.write_text(reached)
            give(half, owner_of(store.database_file))
            half.replace(target)
    return versions[0]


async def missing(store: Store) -> Missing | None:
    """The part of its last known state that the database lacks; None: nothing, or unknown."""
    if not store.alone:
        return None
    try:
        reached = datetime.fromisoformat(beside(store.database_file).read_text())
    except (OSError, ValueError):
        return None
    async with store.reading() as db:
        value = (await db.execute(select(note.c.value).where(note.c.name == NOTE_NAME))).scalar()
    until = None
    if value:
        until = datetime.fromisoformat(value)
        if until >= reached:
            return None
    return Missing(until=until, reached=reached)
