"""The whole at a glance: the outbox by lane and by state, chats, and what waits for a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, or_, select, text

import storage.alerts
import storage.broadcasts
import storage.told
from bot.model.alerts import EVERYBODY, Lane, State
from bot.model.overview import LaneWaits, Overview
from bot.reasons import Reason, read_if
from storage.db import Db, db_now
from storage.held_rates import waiting_rates
from storage.schema import alert, delivery, subscription

#: The states of deliveries that ended unsent by a decision.
LET_GO = tuple(
    state.value for state in (State.EXPIRED, State.SUPERSEDED, State.CANCELLED, State.COLLECTED)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The number of deliveries in one state and lane."""

    state: str
    lane: Lane
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The outbox at a glance; `waiting` and `oldest` are those of its lanes together."""

    counts: tuple[Count, ...]
    open_alerts: int
    waiting: int
    oldest: timedelta | None
    last_sent_at: datetime | None
    last_error: Reason | None


async def overview(db: Db, *, now: datetime) -> Overview:
    """The whole at a glance."""
    subscriptions = await db.execute(select(func.count()).select_from(subscription))
    return Overview(
        lanes=await lanes(db, now=now),
        chats=await storage.broadcasts.reach(db, EVERYBODY),
        subscriptions=int(subscriptions.scalar_one()),
        held=len(await waiting_rates(db)),
        stories=len(await storage.alerts.all_waiting(db)),
    )


async def lanes(db: Db, *, now: datetime) -> tuple[LaneWaits, ...]:
    """The amount that waits in each lane, and since when the alert waits that waits longest.

    It is the number of open deliveries, and one more for each alert whose fan-out is not complete:
    how many chats wait for that is not known yet, but somebody may.
    """
    # alerts first: what is fanned out while we look is then counted twice rather than not at all
    waits = [*await _open_alerts(db), *await _open_deliveries(db)]
    counts = dict.fromkeys(Lane, 0)
    since: dict[Lane, datetime] = {}
    for row in waits:
        lane = Lane(row.lane)
        counts[lane] += int(row.n)  # PostgreSQL's sum of whole numbers is a decimal
        first = now if row.since is None else row.since
        since[lane] = min(since.get(lane, first), first)
    found: list[LaneWaits] = []
    for lane, waiting in counts.items():
        oldest = None
        if lane in since:  # an alert's time is the wall clock's, which may have been set back
            oldest = max(now - since[lane], timedelta(0))
        found.append(LaneWaits(lane=lane, waiting=waiting, oldest=oldest))
    return tuple(found)


async def _open_deliveries(db: Db) -> Sequence[Row[Any]]:
    """The number of open deliveries of each lane, and since when the first of their alerts waits.

    That is not the one of the lowest number: an old alert waits anew since its story grew.
    """
    # as ix_delivery_open says it, or SQLite scans the table
    waits = text("delivery.state IN ('pending', 'leased')")
    # each alert once, or it would be looked up for each of its chats
    counted = (
        select(delivery.c.lane, delivery.c.alert_id, func.count().label("n"))
        .where(waits)
        .group_by(delivery.c.lane, delivery.c.alert_id)
        .subquery()
    )
    since = func.min(storage.told.waits_since()).label("since")
    query = select(counted.c.lane, func.sum(counted.c.n).label("n"), since)
    query = query.outerjoin(alert, alert.c.id == counted.c.alert_id).group_by(counted.c.lane)
    return (await db.execute(query)).all()


async def _open_alerts(db: Db) -> Sequence[Row[Any]]:
    """The number of alerts of each lane that are to be given to chats, and since when they wait."""
    since = func.min(storage.told.waits_since()).label("since")
    query = select(alert.c.lane, func.count().label("n"), since)
    query = query.where(*await storage.told.to_fan_out(db)).group_by(alert.c.lane)
    return (await db.execute(query)).all()


async def let_go(db: Db) -> dict[int, int]:
    """By chat, the deliveries that were taken to be sent and are not to be any more: too late,
    taken back, superseded or said in another message.
    """
    # what is for one chat may be an answer: it was tried before it was left to the outbox
    taken = or_(delivery.c.fence > 0, alert.c.audience_chat.is_not(None))
    query = select(delivery.c.chat_id, func.count().label("n"))
    query = query.join(alert, alert.c.id == delivery.c.alert_id)
    query = query.where(delivery.c.state.in_(LET_GO), taken).group_by(delivery.c.chat_id)
    return {row.chat_id: row.n for row in await db.execute(query)}


async def summary(db: Db, *, now: datetime) -> Summary:
    """Counts by state and lane, age of the oldest, the last error."""
    # first: what is fanned out while we look is then counted once too often rather than not at all
    opened = await db.execute(
        select(func.count()).select_from(alert).where(alert.c.fanned_at.is_(None))
    )
    grouped = select(delivery.c.state, delivery.c.lane, func.count().label("n")).group_by(
        delivery.c.state, delivery.c.lane
    )
    counts: list[Count] = []
    for row in await db.execute(grouped.order_by(delivery.c.state, delivery.c.lane)):
        counts.append(Count(state=row.state, lane=Lane(row.lane), count=row.n))
    waits = await lanes(db, now=now)
    sent = await db.execute(
        select(func.max(delivery.c.finished_at)).where(delivery.c.state == State.SENT.value)
    )
    error = await db.execute(
        select(delivery.c.error)
        .where(delivery.c.error.is_not(None))
        .order_by(delivery.c.id.desc())
        .limit(1)
    )
    last_sent_at: datetime | None = sent.scalar()
    if last_sent_at is not None:  # by the caller's clock: a demonstration has its own
        last_sent_at = now - (await db_now(db) - last_sent_at)
    return Summary(
        counts=tuple(counts),
        open_alerts=int(opened.scalar_one()),
        waiting=sum(one.waiting for one in waits),
        oldest=max((one.oldest for one in waits if one.oldest is not None), default=None),
        last_sent_at=last_sent_at,
        last_error=read_if(error.scalar()),
    )
