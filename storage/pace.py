"""Paces: how fast the token may send, shared by all replicas, and how fast a chat is written to.

Each is a bucket of one moment (`tat`, the theoretical arrival time) on the database's clock; a
pause is a moment until which nothing goes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from storage.db import Db, db_now, upsert
from storage.schema import chat, pace

# Telegram's FAQ: "avoid sending more than one message per second" in a single chat
PRIVATE_EVERY = timedelta(seconds=1)
# with the burst 18 in any minute: Telegram allows 20, and slots slip
GROUP_EVERY = timedelta(seconds=4)
PRIVATE_BURST = timedelta(seconds=3)
GROUP_BURST = timedelta(seconds=12)
# another sender's slots older than this no longer matter to ours
SHARED_LOOKBACK = timedelta(seconds=2)


_TOKEN = select(pace).where(pace.c.name == bindparam("token")).with_for_update()  # of every claim


async def token_row(db: Db, token: str, now: datetime) -> Row[Any]:
    """The token's pace row, made if need be, and locked: two claims must not share a slot."""
    row = (await db.execute(_TOKEN, {"token": token})).first()
    if row is None:
        await db.execute(
            # so long ago that the first claim does not take the row for another sender's
            upsert(db, pace).values(name=token, tat=now - SHARED_LOOKBACK).on_conflict_do_nothing()
        )
        row = (await db.execute(_TOKEN, {"token": token})).one()
    return row


async def paused_until(db: Db, token: str) -> datetime | None:
    """The end of the time in which Telegram wants nothing of us; None where it takes what comes."""
    query = select(pace.c.paused_until).where(pace.c.name == token)
    until: datetime | None = (await db.execute(query)).scalar()
    if until is None or until <= await db_now(db):
        return None
    return until


async def pause_token(db: Db, token: str, span: timedelta) -> None:
    """Telegram refuses everything: no replica sends until then."""
    now = await db_now(db)
    values = {"paused_until": now + span}
    statement = upsert(db, pace).values(name=token, tat=now, **values)
    await db.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


async def hold_token(db: Db, token: str, span: timedelta) -> None:
    """No replica sends for at least `span`; a longer pause stays as it is."""
    now = await db_now(db)
    row = await token_row(db, token, now)
    if row.paused_until is None or row.paused_until < now + span:
        await db.execute(update(pace).where(pace.c.name == token).values(paused_until=now + span))


async def lift_token(db: Db, token: str, span: timedelta) -> None:
    """End the pause that `hold_token` made with this `span`; a longer one is another's."""
    now = await db_now(db)
    held = (pace.c.name == token, pace.c.paused_until <= now + span)
    await db.execute(update(pace).where(*held).values(paused_until=None))


async def is_paused(db: Db, token: str) -> bool:
    """Whether no replica may send now."""
    until = (await db.execute(select(pace.c.paused_until).where(pace.c.name == token))).scalar()
    return until is not None and until > await db_now(db)


async def chat_ahead(db: Db, chat_id: int) -> timedelta:
    """The time by which a chat's bucket is filled ahead; locked when writing, to be charged."""
    locked = select(chat.c.tat).where(chat.c.id == chat_id).with_for_update()
    tat: datetime | None = (await db.execute(locked)).scalar()
    if tat is None:
        return timedelta(0)
    return max(tat - await db_now(db), timedelta(0))


async def silence_left(db: Db, chat_id: int) -> timedelta:
    """The time for which Telegram still wants no message in a private chat; 0 when it takes them.

    Alerts alone fill the bucket by no more than one beyond its burst: that is no silence.
    """
    tat: datetime | None = (
        await db.execute(select(chat.c.tat).where(chat.c.id == chat_id))
    ).scalar()
    if tat is None:
        return timedelta(0)
    left = tat - await db_now(db) - PRIVATE_BURST
    return left if left > PRIVATE_EVERY else timedelta(0)


async def charge_chat(db: Db, chat_id: int, count: int = 1) -> None:
    """Messages that were no deliveries fill a group's or channel's bucket too."""
    tat = await db_now(db) + await chat_ahead(db, chat_id) + GROUP_EVERY * count
    await db.execute(update(chat).where(chat.c.id == chat_id).values(tat=tat))
