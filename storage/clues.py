"""The index of clues: which stories have a clue, so that few are compared with a new entry.

A clue keeps at most `SLOTS` stories, each in the slot that its number says, and a later one takes
an earlier one's: what is in every report of these days costs no more than what is in three, and
the table does not grow with it. Statements are written out, clues and stories being numbers: bound
one by one they would cost more than the databases' own work.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import delete

from storage.db import Db
from storage.schema import clue

SLOTS = 32  # stories that one clue may lead to
AT_ONCE = 1_000  # clues a statement names


async def add(db: Db, clues: Iterable[tuple[int, int]]) -> None:
    """Note for each clue that a story has it."""
    slots: dict[tuple[int, int], int] = {}
    for number, story in clues:
        slots[number, story % SLOTS] = story
    rows = sorted(slots.items())  # in one order, whoever else writes
    for start in range(0, len(rows), AT_ONCE):
        values = ",".join(
            f"({number:d},{slot:d},{story:d})"
            for (number, slot), story in rows[start : start + AT_ONCE]
        )
        await db.exec_driver_sql(_ADD.format(values=values))


async def join(db: Db, story: int, *, into: int) -> None:
    """Give a story's clues to the one that it became a part of, so that they find that one."""
    gone = delete(clue).where(clue.c.story_id == story).returning(clue.c.hash)
    hashes = (await db.execute(gone)).scalars().all()
    await add(db, [(one, into) for one in hashes])


async def stories(db: Db, clues: Collection[int]) -> dict[int, list[int]]:
    """The stories that have each of these clues, where one has."""
    found: dict[int, list[int]] = {}
    wanted = sorted(clues)
    together = _TOGETHER[db.dialect.name]
    for start in range(0, len(wanted), AT_ONCE):
        some = ",".join(f"{number:d}" for number in wanted[start : start + AT_ONCE])
        rows = await db.exec_driver_sql(_FIND.format(clues=some, together=together))
        for row in rows.all():
            found[row.hash] = [int(story) for story in row.stories.split(",")]
    return found


_ADD = """
INSERT INTO clue (hash, slot, story_id) VALUES {values}
ON CONFLICT (hash, slot) DO UPDATE SET story_id = excluded.story_id
"""
#: A row for each clue and not for each of its stories: reading hundreds costs more than finding
#: them.
_FIND = "SELECT hash, {together} AS stories FROM clue WHERE hash IN ({clues}) GROUP BY hash"
_TOGETHER = {
    "sqlite": "group_concat(story_id)",
    "postgresql": "string_agg(CAST(story_id AS text), ',')",
}
