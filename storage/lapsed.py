"""Deliveries whose time is over: leases that ended unmarked, and what is not worth sending."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    select,
    text,
    update,
)

import storage.withheld
from bot.model.alerts import Approval, State
from storage.clock import leapt
from storage.db import COUNTED, Db, db_now, forgettable, once
from storage.due import WALK, is_awaited, only_stopped
from storage.schema import alert, chat, delivery

CLOSED_AT_ONCE = 2_000  # deliveries closed in one transaction: two writes to indexes for each
CLOSED_CHAT_LOOKBACK = timedelta(minutes=1)  # longer than a transaction of fan-out may take


async def tidy(db: Db, *, lease: timedelta, in_hand: Collection[int] = ()) -> int:
    """Free leases that ended without a mark, and close questions nobody answered.

    Returns how many were freed. A delivery whose sender vanished may have been made; a crash adds
    one to the copies a chat may get. `in_hand` is what the caller still has, whatever a clock
    says; `lease` is how long leases are: others are not judged sooner after the clock was set.
    """
    now = await db_now(db)
    unanswered = (
        alert.c.fanned_at.is_(None),
        alert.c.approval == Approval.WAITING.value,
        alert.c.expires_at <= now,
    )
    await db.execute(
        update(alert).where(*unanswered).values(approval=Approval.EXPIRED.value, fanned_at=now)
    )
    if await leapt(db, now, lease):
        return 0
    ended = and_(delivery.c.state == State.LEASED.value, delivery.c.lease_until <= now)
    found = set((await db.execute(select(delivery.c.id).where(ended))).scalars()) - set(in_hand)
    if not found:  # nearly always
        return 0
    return await _free(db, and_(ended, delivery.c.id.in_(found)), now)


async def expire(db: Db, *, chunk: int = CLOSED_AT_ONCE) -> int:
    """Close deliveries that expired, a chunk at a time: after an outage it may be a million.

    Returns how many of those there are more of, if it is a chunk. Those of chats that were closed
    while they were made are closed too.
    """
    await forgettable(db)
    if db.dialect.name != "sqlite":
        await db.execute(WALK)  # else what was closed is read again for each chunk
    now = await db_now(db)
    late = _pending().where(delivery.c.expires_at <= now)
    closed = await _close(db, late, chunk, state=State.EXPIRED.value, finished_at=now)
    # the larger of the two: the caller goes on while either was a whole chunk
    closed = max(closed, await storage.withheld.expire(db, chunk=chunk))
    if db.dialect.name != "sqlite":  # where there is one writer at a time
        await _settle_closed(db, now, chunk)
    return closed


def _pending() -> Select[tuple[int]]:
    """The keys of deliveries that wait, in an order in which an index has them."""
    waits = text("delivery.state = 'pending'")  # as the indexes say it, or SQLite scans the table
    return select(delivery.c.id).where(waits)


async def _close(db: Db, which: Select[tuple[int]], chunk: int, **values: object) -> int:
    """Close the first `chunk` waiting; what another replica closes now is left to it. How many."""
    first = which.limit(chunk).with_for_update(skip_locked=True, of=delivery)
    still = (delivery.c.id.in_(once(db, first)), delivery.c.state == State.PENDING.value)
    done = await db.execute(
        update(delivery).where(*still).values(**values), execution_options=COUNTED
    )
    return done.rowcount


async def _settle_closed(db: Db, now: datetime, chunk: int) -> None:
    """Close deliveries given to a chat while it was closed: servers hide others' open rows."""
    away = (~chat.c.active, chat.c.inactive_at > now - CLOSED_CHAT_LOOKBACK)
    theirs = _pending().join(chat, chat.c.id == delivery.c.chat_id).where(*away, _AS_OPEN)
    theirs = theirs.where(~and_(only_stopped(), is_awaited()))
    why = select(chat.c.inactive_why).where(chat.c.id == delivery.c.chat_id).scalar_subquery()
    await _close(db, theirs, chunk, state=State.DEAD.value, finished_at=now, error=why)


_AS_OPEN = text("delivery.state IN ('pending', 'leased')")  # as ix_delivery_open says it


async def free_all(db: Db) -> int:
    """Free every lease at once: for a start under the instance lock, with no sender alive."""
    now = await db_now(db)
    return await _free(db, delivery.c.state == State.LEASED.value, now)


async def _free(db: Db, which: ColumnElement[bool], now: datetime) -> int:
    values = {"state": State.PENDING.value, "lease_until": None, "not_before": now}
    freed = await db.execute(
        update(delivery).where(which).values(**values).returning(delivery.c.id)
    )
    return len(freed.all())
