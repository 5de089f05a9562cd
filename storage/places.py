"""The places that chats chose as near to them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, delete, func, select, update

from storage.db import Db, unless_there
from storage.schema import chat_place


async def of_chat(db: Db, chat_id: int) -> list[str]:
    """A chat's places, sorted."""
    query = select(chat_place.c.place).where(chat_place.c.chat_id == chat_id)
    return list((await db.execute(query.order_by(chat_place.c.place))).scalars())


async def toggle(db: Db, chat_id: int, place: str) -> None:
    """Choose a place that the chat has not, or give up one that it has."""
    mine = (chat_place.c.chat_id == chat_id, chat_place.c.place == place)
    gone = delete(chat_place).where(*mine).returning(chat_place.c.place)
    if (await db.execute(gone)).first() is None:
        await db.execute(unless_there(db, chat_place), {"chat_id": chat_id, "place": place})


async def count(db: Db, chat_id: int) -> int:
    """The number of places that a chat has chosen."""
    query = select(func.count()).where(chat_place.c.chat_id == chat_id)
    return int((await db.execute(query)).scalar_one())


async def anybody(db: Db) -> bool:
    """Whether some chat chose any place."""
    return (await db.execute(select(select(chat_place.c.chat_id).exists()))).scalar() is True


async def anybody_at(db: Db, places: Collection[str]) -> bool:
    """Whether some chat chose one of these places."""
    return (await db.execute(select(chats_at(places).exists()))).scalar() is True


def chats_at(places: Collection[str]) -> Select[tuple[int]]:
    """The chats that chose one of these places."""
    return select(chat_place.c.chat_id).where(chat_place.c.place.in_(sorted(places)))


def is_at(chat: ColumnElement[int], places: Collection[str]) -> ColumnElement[bool]:
    """Whether that chat chose one of these places."""
    mine = chats_at(places).where(chat_place.c.chat_id == chat)
    return mine.correlate_except(chat_place).exists()


async def migrate(db: Db, old: int, new: int) -> None:
    """Let a group's places go with it to its new number."""
    theirs = chat_place.alias("theirs")
    twin = select(theirs.c.place).where(theirs.c.chat_id == new)
    await db.execute(
        delete(chat_place).where(chat_place.c.chat_id == old, chat_place.c.place.in_(twin))
    )
    await db.execute(update(chat_place).where(chat_place.c.chat_id == old).values(chat_id=new))
