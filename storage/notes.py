"""Notes: small facts about the whole that outlive the process, by name."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select

from storage.db import Db, upsert
from storage.schema import note

#: The notes of the daily look at what was given up: of the last that ended, of the chats that it
#: left open, by number, and of the last that a replica began.
LOOK_ENDED = "standing looked at"
LOOK_UNANSWERED = "standing not answered"
LOOK_BEGUN = "standing look begun"
OF_A_LOOK = (LOOK_ENDED, LOOK_UNANSWERED, LOOK_BEGUN)
#: By which folding the archive's words are indexed, and the newest entry that was not looked at for
#: it yet; 0 after the last.
FOLDING = "archive folded"
#: What one replica does at a time: deciding, where stories and alerts are compared with what is
#: there, and putting into the queue what waits there once.
DECIDING, PUTTING = "deciding", "putting a job"


def stale(source: str) -> str:
    """The note that says a source brings nothing new since a day; polling sets and removes it."""
    return f"stale:{source}"


def flood(source: str) -> str:
    """The note that says how many new entries a source's poll began to store in pieces."""
    return f"flood:{source}"


def rewriting(source: str) -> str:
    """The note that says how many entries in other words a source's poll began to store so."""
    return f"rewriting:{source}"


# built once, not for each poll
_ONE = select(note.c.value).where(note.c.name == bindparam("called"))
_SOME = select(note.c.name, note.c.value).where(
    note.c.name.in_(bindparam("called", expanding=True))
)


async def get(db: Db, name: str) -> str | None:
    """The value noted under a name; None where nothing is."""
    value: str | None = (await db.execute(_ONE, {"called": name})).scalar()
    return value


async def put(db: Db, name: str, value: str) -> None:
    """Note something; what was there is replaced."""
    statement = upsert(db, note).values(name=name, value=value)
    await db.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": value})
    )


async def alone(db: Db, name: str) -> None:
    """Wait until no other replica is at something; they wait until this transaction ends.

    A locked row and no advisory lock, as for leases; on SQLite there is one writer anyway.
    """
    if db.dialect.name != "sqlite":
        await put(db, name, "")


async def drop(db: Db, name: str) -> None:
    """Forget a note."""
    await db.execute(delete(note).where(note.c.name == name))


async def among(db: Db, names: Sequence[str]) -> dict[str, str]:
    """The values noted under these names, by name; one without a note is not there."""
    rows = await db.execute(_SOME, {"called": list(names)})
    return {row.name: row.value for row in rows}
