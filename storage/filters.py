"""Chats' filters: what each will not hear of in the news, or all that it will; until they end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, delete, func, literal, null, or_, select, update

from bot.model.filters import Filter, Sense, StoredFilter, Trait
from bot.model.local_time import last_instant
from storage.db import COUNTED, Db, db_now, upsert
from storage.schema import news_filter

AT_ONCE = 500  # filters that one statement names
END_OF_DAY = time(23, 59, 59)


async def of_chat(db: Db, chat_id: int) -> list[StoredFilter]:
    """A chat's filters that have not ended, the oldest first."""
    query = select(news_filter).where(news_filter.c.chat_id == chat_id, await _holds(db))
    return _read(await db.execute(query.order_by(news_filter.c.id)))


async def add(
    db: Db, chat_id: int, new: Iterable[Filter], *, span: timedelta | None = None
) -> None:
    """Add filters, for a while or for good, by the database's clock.

    One that knows stories by the same takes the place of the old one, and goes on counting.
    """
    now = await db_now(db)
    until = None if span is None else now + span
    for one in new:
        values: dict[str, Any] = {"sense": one.sense.value, "said": one.said, "until_at": until}
        row = {**values, "chat_id": chat_id, "mark": one.trait.value, "what": one.what}
        same = ("chat_id", "mark", "what")
        statement = upsert(db, news_filter).values(**row, created_at=now)
        await db.execute(statement.on_conflict_do_update(index_elements=same, set_=values))


async def move(db: Db, chat_id: int, was: str, zone: str) -> None:
    """Let a chat's filters that last to the end of a day last to its end in a time zone that is not
    what it `was`; those for so many hours or days have their moment.
    """
    for one in await of_chat(db, chat_id):
        if (day := one.last_day(was)) is not None:
            end = last_instant(datetime.combine(day, END_OF_DAY), ZoneInfo(zone))
            moved = update(news_filter).where(news_filter.c.id == one.id).values(until_at=end)
            await db.execute(moved)


async def lift(db: Db, chat_id: int, pk: int | None = None) -> int:
    """Forget one of a chat's filters, or all; how many these were."""
    mine = [news_filter.c.chat_id == chat_id]
    if pk is not None:
        mine.append(news_filter.c.id == pk)
    return (await db.execute(delete(news_filter).where(*mine), execution_options=COUNTED)).rowcount


async def among(
    db: Db, members: Select[Any], *, after: int | None, last: int | None
) -> list[StoredFilter]:
    """The filters of these chats, those of one chat side by side.

    The chats are between `after` and `last`; where none of those has a filter, they are not looked
    for.
    """
    part: list[ColumnElement[bool]] = [await _holds(db)]
    if after is not None:
        part.append(news_filter.c.chat_id > after)
    if last is not None:
        part.append(news_filter.c.chat_id <= last)
    if (await db.execute(select(news_filter.c.id).where(*part).limit(1))).first() is None:
        return []
    query = select(*_ASKED).where(*part, news_filter.c.chat_id.in_(members))
    query = query.order_by(news_filter.c.chat_id, news_filter.c.id)
    rows = (await db.execute(query)).all()
    found: list[StoredFilter] = []
    for start in range(0, len(rows), AT_ONCE):
        found += _read(rows[start : start + AT_ONCE])
        await asyncio.sleep(0)  # there may be a hundred thousand
    return found


#: What a fan-out asks of a filter; it may read thousands.
_ASKED = (
    news_filter.c.id,
    news_filter.c.chat_id,
    news_filter.c.sense,
    news_filter.c.mark,
    news_filter.c.what,
    literal("").label("said"),
    null().label("until_at"),
    literal(0).label("kept"),
)


async def count(db: Db, chat_id: int) -> int:
    """The number of a chat's filters that are in force."""
    query = select(func.count()).where(news_filter.c.chat_id == chat_id, await _holds(db))
    return int((await db.execute(query)).scalar_one())


async def migrate(db: Db, old: int, new: int) -> None:
    """A group's filters go with it; of two by the same the new one stays."""
    theirs = news_filter.alias("theirs")
    twin = select(theirs.c.id).where(
        theirs.c.chat_id == new,
        theirs.c.mark == news_filter.c.mark,
        theirs.c.what == news_filter.c.what,
    )
    await db.execute(delete(news_filter).where(news_filter.c.chat_id == old, twin.exists()))
    await db.execute(update(news_filter).where(news_filter.c.chat_id == old).values(chat_id=new))


async def _holds(db: Db) -> ColumnElement[bool]:
    now = await db_now(db)
    return or_(news_filter.c.until_at.is_(None), news_filter.c.until_at > now)


def _read(rows: Iterable[Any]) -> list[StoredFilter]:
    found: list[StoredFilter] = []
    for row in rows:
        # what a newer program wrote must not hide what this one can read
        with suppress(ValueError):
            found.append(_stored(row))
    return found


def _stored(row: Any) -> StoredFilter:  # noqa: ANN401 - a result row
    return StoredFilter(
        id=row.id,
        chat=row.chat_id,
        sense=Sense(row.sense),
        trait=Trait(row.mark),
        what=row.what,
        said=row.said,
        until=row.until_at,
        kept=row.kept,
    )
