"""What feeds have brought: the keys that entries are recognised by, without their words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, tuple_, union_all

from storage.db import Db
from storage.schema import entry

NAMESAKES = 200  # entries of a feed beyond those asked for, that have a key of theirs
PAIRS = 300  # pairs of a feed and an id that one statement asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a stored entry is recognised by; `text_key` is None where it was stored without."""

    pk: int
    guid: str
    link: str | None
    link_key: str | None
    title_key: str
    text_key: str | None
    published_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What entries of a feed are looked for by: any of these."""

    guids: Collection[str] = ()
    link_keys: Collection[str] = ()
    title_keys: Collection[str] = ()
    text_keys: Collection[str] = ()


async def by_keys(db: Db, feed: str, keys: Keys) -> list[Brought]:
    """The entries of a feed with one of these keys, each once; of a key that too many have the
    latest. One statement, however many are asked for.
    """
    parts: list[Select[Any]] = []
    for column, wanted in (
        (entry.c.guid, keys.guids),
        (entry.c.link_key, keys.link_keys),
        (entry.c.title_key, keys.title_keys),
        (entry.c.text_key, keys.text_keys),
    ):
        if wanted:
            query = select(*_RECOGNISED).where(entry.c.feed == feed, column.in_(list(wanted)))
            some = query.order_by(entry.c.id.desc()).limit(2 * len(wanted) + NAMESAKES)
            parts.append(select(some.subquery()))
    if not parts:
        return []
    found: dict[int, Brought] = {}
    for row in await db.execute(union_all(*parts)):
        found[row.id] = Brought(
            pk=row.id,
            guid=row.guid,
            link=row.link,
            link_key=row.link_key,
            title_key=row.title_key,
            text_key=row.text_key,
            published_at=row.published_at,
        )
    return list(found.values())


_RECOGNISED = (
    entry.c.id,
    entry.c.guid,
    entry.c.link,
    entry.c.link_key,
    entry.c.title_key,
    entry.c.text_key,
    entry.c.published_at,
)


async def among(db: Db, ids: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (feed, id) are stored."""
    found: set[tuple[str, str]] = set()
    for start in range(0, len(ids), PAIRS):
        some = ids[start : start + PAIRS]
        query = select(entry.c.feed, entry.c.guid).where(
            tuple_(entry.c.feed, entry.c.guid).in_(some)
        )
        found.update((row.feed, row.guid) for row in await db.execute(query))
    return found
