"""The people who set up channels, and what they were told of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update

from bot.model.channels import Setup
from storage.db import Db, db_now, upsert
from storage.schema import setup


async def adopt(db: Db, chat_id: int, owner: int) -> Setup:
    """Somebody let us into a channel: it is theirs, unless it is somebody's already."""
    new = upsert(db, setup).values(chat_id=chat_id, owner_id=owner)
    await db.execute(new.on_conflict_do_nothing(index_elements=[setup.c.chat_id]))
    return await _of_chat(db, chat_id)


async def take(db: Db, chat_id: int, owner: int) -> Setup:
    """Make somebody a channel's owner from now on, in a message that is still to be sent."""
    shown_at = await db_now(db)
    values = {"owner_id": owner, "message_id": None, "shown_at": shown_at, "told_at": None}
    new = upsert(db, setup).values(chat_id=chat_id, **values)
    await db.execute(new.on_conflict_do_update(index_elements=[setup.c.chat_id], set_=values))
    return await _of_chat(db, chat_id)


async def _of_chat(db: Db, chat_id: int) -> Setup:
    """The set-up of a channel that has one."""
    return _setup((await db.execute(select(setup).where(setup.c.chat_id == chat_id))).one())


async def mine(db: Db, pk: int, owner: int) -> Setup | None:
    """This person's set-up of that number; None when it is another's, or over."""
    return await _one(db, setup.c.id == pk, setup.c.owner_id == owner)


async def of_owner(db: Db, owner: int) -> list[Setup]:
    """The channels that somebody set up, oldest first."""
    rows = await db.execute(select(setup).where(setup.c.owner_id == owner).order_by(setup.c.id))
    return [_setup(row) for row in rows]


async def stands_in(db: Db, pk: int, message: int | None) -> None:
    """Let a set-up stand in a message: buttons under another one are out of date."""
    await db.execute(update(setup).where(setup.c.id == pk).values(message_id=message))


async def was_shown(db: Db, chat_id: int, owner: int, *, within: timedelta) -> bool:
    """Whether somebody took a channel's set-up this while ago, and is shown it."""
    is_it = (setup.c.chat_id == chat_id, setup.c.owner_id == owner)
    lately = setup.c.shown_at > await db_now(db) - within
    return (await db.execute(select(setup.c.id).where(*is_it, lately))).first() is not None


async def shown_no_more(db: Db, chat_id: int) -> None:
    """A channel is lost: whoever lets us in again is told so."""
    await db.execute(update(setup).where(setup.c.chat_id == chat_id).values(shown_at=None))


async def owner_of(db: Db, chat_id: int) -> int | None:
    """The person who set up a channel; None where nobody did."""
    query = select(setup.c.owner_id).where(setup.c.chat_id == chat_id)
    return (await db.execute(query)).scalar()


async def to_be_told(db: Db, chat_id: int) -> int | None:
    """Note that a channel's owner hears of its loss; None where they did, or there is none."""
    untold = (setup.c.chat_id == chat_id, setup.c.told_at.is_(None))
    told = update(setup).where(*untold).values(told_at=await db_now(db))
    owner: int | None = (await db.execute(told.returning(setup.c.owner_id))).scalar()
    return owner


async def found_again(db: Db, chat_id: int) -> None:
    """A channel may be written to: the next loss of it is news."""
    await db.execute(update(setup).where(setup.c.chat_id == chat_id).values(told_at=None))


async def drop(db: Db, pk: int) -> None:
    """Forget who set a channel up."""
    await db.execute(delete(setup).where(setup.c.id == pk))


async def _one(db: Db, *which: ColumnElement[bool]) -> Setup | None:
    row = (await db.execute(select(setup).where(*which))).first()
    return None if row is None else _setup(row)


def _setup(row: Any) -> Setup:  # noqa: ANN401 - a result row
    return Setup(id=row.id, chat=row.chat_id, owner=row.owner_id, message=row.message_id)
