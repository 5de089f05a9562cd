"""The entries that feeds have brought, by the keys that recognise them; without their words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    CompoundSelect,
    Integer,
    Select,
    bindparam,
    select,
    tuple_,
    union_all,
)

from storage.db import Db
from storage.schema import alert, entry

NAMESAKES = 200  # entries of a feed beyond those asked for, that have a key of theirs
PAIRS = 300  # pairs of a feed and an id that one statement asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A stored entry's keys, by which it is recognised again; `text_key` is None in old rows."""

    pk: int
    guid: str
    link: str | None
    link_key: str | None
    title_key: str
    text_key: str | None
    published_at: datetime | None
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Keys by which a feed's entries are looked for; an entry with any one of them is meant."""

    guids: Collection[str] = ()
    link_keys: Collection[str] = ()
    title_keys: Collection[str] = ()
    text_keys: Collection[str] = ()

    def name(self, one: Brought) -> bool:
        """Whether an entry is among those looked for."""
        return (
            one.guid in self.guids
            or one.link_key in self.link_keys
            or one.title_key in self.title_keys
            or one.text_key in self.text_keys
        )


async def by_keys(db: Db, wanted: Sequence[tuple[str, Keys]]) -> list[list[Brought]]:
    """For each (feed, keys) the feed's entries with one of these keys, each once; of a key that too
    many have the latest. One statement, however many feeds are asked; where one feed has so many
    that they leave no room for another's, one for each.
    """
    feeds = {feed for feed, _ in wanted}
    asked: dict[str, Any] = {"feeds": list(feeds)}
    # without a limit, unlike the keys below: a feed has each id once
    asked["ids"] = list({(feed, guid) for feed, keys in wanted for guid in keys.guids})
    for name in _KEYS:
        some = {key for _, keys in wanted for key in getattr(keys, name)}
        asked[name] = list(some)
        asked[f"most_{name}"] = 2 * len(some) + NAMESAKES * len(feeds)
    rows: dict[str, dict[int, Brought]] = {}
    for row in await db.execute(_BY_KEYS, asked):
        rows.setdefault(row.feed, {})[row.id] = _brought(row)
    if len(feeds) > 1 and _cut_short(asked, [one for of in rows.values() for one in of.values()]):
        return [(await by_keys(db, [one]))[0] for one in wanted]
    found: list[list[Brought]] = []
    for feed, keys in wanted:
        found.append([one for one in rows.get(feed, {}).values() if keys.name(one)])
    return found


def _cut_short(asked: Mapping[str, Any], rows: Collection[Brought]) -> bool:
    """Whether there may be more entries with keys of a kind than were read."""
    for name, column in _KEYS.items():
        some = set(asked[name])
        if sum(getattr(one, column.key) in some for one in rows) >= asked[f"most_{name}"]:
            return True
    return False


async def having(db: Db, feeds: Collection[str]) -> set[str]:
    """The feeds among these that have brought anything; meant for such as hardly did."""
    if not feeds:
        return set()
    return set((await db.execute(_HAVING, {"feeds": list(feeds)})).scalars())


async def anything(db: Db, feed: str) -> bool:
    """Whether a feed has brought anything, however much."""
    return (await db.execute(_ANYTHING, {"feed": feed})).first() is not None


async def by_ids(db: Db, ids: Sequence[tuple[str, str]]) -> list[tuple[str, Brought]]:
    """The stored entries among these (feed, id), each with its feed; in no order."""
    found: list[tuple[str, Brought]] = []
    for start in range(0, len(ids), PAIRS):
        some = ids[start : start + PAIRS]
        found += [(row.feed, _brought(row)) for row in await db.execute(_BY_IDS, {"ids": some})]
    return found


async def told(db: Db, pks: Collection[int]) -> set[int]:
    """The entries among these whose stories alerts told, as long as those are kept."""
    if not pks:
        return set()
    alerts = select(alert.c.id).where(alert.c.about_story == entry.c.story_id)
    query = select(entry.c.id).where(entry.c.id.in_(list(pks)), alerts.exists())
    return set((await db.execute(query)).scalars())


def _brought(row: Any) -> Brought:  # noqa: ANN401 - a result row
    return Brought(
        pk=row.id,
        guid=row.guid,
        link=row.link,
        link_key=row.link_key,
        title_key=row.title_key,
        text_key=row.text_key,
        published_at=row.published_at,
        seen_at=row.seen_at,
    )


_RECOGNISED = (
    entry.c.feed,
    entry.c.id,
    entry.c.guid,
    entry.c.link,
    entry.c.link_key,
    entry.c.title_key,
    entry.c.text_key,
    entry.c.published_at,
    entry.c.seen_at,
)
#: The kinds of keys besides ids, with the column of each.
_KEYS: Mapping[str, Column[Any]] = {
    "link_keys": entry.c.link_key,
    "title_keys": entry.c.title_key,
    "text_keys": entry.c.text_key,
}


def _by_keys() -> CompoundSelect[Any]:
    """The statement of `by_keys`, made once: making it costs more than what it finds."""
    pairs = tuple_(entry.c.feed, entry.c.guid).in_(bindparam("ids", expanding=True))
    parts: list[Select[Any]] = [select(*_RECOGNISED).where(pairs)]
    for name, column in _KEYS.items():
        # not by the index of feeds and ids, which has all of a feed's entries
        feed = entry.c.feed.concat("").in_(bindparam("feeds", expanding=True))
        query = select(*_RECOGNISED).where(column.in_(bindparam(name, expanding=True)), feed)
        most = bindparam(f"most_{name}", type_=Integer)
        parts.append(select(query.order_by(entry.c.id.desc()).limit(most).subquery()))
    return union_all(*parts)


_BY_KEYS = _by_keys()
_BY_IDS = select(*_RECOGNISED).where(
    tuple_(entry.c.feed, entry.c.guid).in_(bindparam("ids", expanding=True))
)


_AMONG = _BY_IDS.with_only_columns(entry.c.feed, entry.c.guid)
_HAVING = (
    select(entry.c.feed).where(entry.c.feed.in_(bindparam("feeds", expanding=True))).distinct()
)

_ANYTHING = select(entry.c.id).where(entry.c.feed == bindparam("feed")).limit(1)


async def among(db: Db, ids: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """The stored ones among these (feed, id)."""
    found: set[tuple[str, str]] = set()
    for start in range(0, len(ids), PAIRS):
        some = ids[start : start + PAIRS]
        found.update((row.feed, row.guid) for row in await db.execute(_AMONG, {"ids": some}))
    return found
