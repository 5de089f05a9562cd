"""Events of an institute, known by its own numbers, which nobody weighs.

Words and values of two events may be the same, as of a flood warning a week later, and those of one
event are revised; its number stays, or the next one names it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import storage.brought
import storage.entries
from bot.detect.identity import headline_key, text_key
from bot.ingest.found import Recognised
from bot.ingest.recognising import in_turns
from bot.model.news import Entry
from bot.sources.listed import Listed, Numbered
from bot.sources.specs import NewsSpec
from storage.brought import Brought
from storage.db import Db

SHOWN = timedelta(minutes=1)  # readers are told the minute of an event


async def recognise_numbered(
    db: Db, spec: NewsSpec, listed: Listed, numbered: Numbered
) -> Recognised:
    """The entries of a document that are new, and the stored ones that it revises or withdraws."""
    numbers: set[str] = set(numbered.withdrawn)
    for item in (*listed.entries, *numbered.revised):
        numbers.update((item.id, *numbered.also.get(item.id, ())))
    found = await storage.brought.by_ids(db, [(spec.key, number) for number in sorted(numbers)])
    stored = {row.guid: row for _, row in found}
    unknown: list[Entry] = []
    changed: dict[int, Entry] = {}
    current: set[int] = set()
    async for item in in_turns([*listed.entries, *numbered.revised]):
        row = _row(item, numbered, stored)
        if row is None:
            unknown.append(item)
        elif row.pk not in current:
            current.add(row.pk)
            if _says_otherwise(item, row):
                changed[row.pk] = replace(item, id=row.guid)
    gone = [stored[number].pk for number in numbered.withdrawn if number in stored]
    words = await storage.entries.words(db, [pk for pk in gone if pk not in current])
    for pk, item in words.items():
        if (withdrawn := spec.taken_back(item)) != item:
            changed[pk] = withdrawn
    new = set(listed.entries)
    return Recognised(
        unknown=[item for item in unknown if item in new], reworded=list(changed.values())
    )


def _says_otherwise(item: Entry, row: Brought) -> bool:
    """Whether the values are others than are stored, or the time by as much as is shown."""
    if (row.title_key, row.text_key) != (headline_key(item), text_key(item)):
        return True
    if row.published_at is None or item.published_at is None:
        return False
    return abs(item.published_at - row.published_at) >= SHOWN


def _row(item: Entry, numbered: Numbered, stored: dict[str, Brought]) -> Brought | None:
    for number in (item.id, *numbered.also.get(item.id, ())):
        if number in stored:
            return stored[number]
    return None
