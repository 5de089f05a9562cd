"""The whole at a glance: the outbox by lane and by state, chats, and what waits for a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text

import storage.alerts
import storage.broadcasts
from bot.model.alerts import EVERYBODY, Lane, State
from bot.model.overview import LaneWaits, Overview
from bot.reasons import Reason, read_if
from storage.db import Db, db_now
from storage.held_rates import waiting_rates
from storage.schema import alert, delivery, subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The number of deliveries in one state and lane."""

    state: str
    lane: Lane
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The outbox at a glance; `oldest` is the age of the oldest open delivery's alert."""

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
    """The number of open deliveries of each lane, and the age of the oldest one's alert."""
    # as ix_delivery_open says it, or SQLite scans the table
    waits = text("delivery.state IN ('pending', 'leased')")
    grouped = select(
        delivery.c.lane, func.count().label("n"), func.min(delivery.c.alert_id).label("first")
    )
    rows = {row.lane: row for row in await db.execute(grouped.where(waits).group_by("lane"))}
    firsts = [row.first for row in rows.values()]
    decided = select(alert.c.id, alert.c.created_at).where(alert.c.id.in_(firsts))
    at = {row.id: row.created_at for row in await db.execute(decided)}
    found: list[LaneWaits] = []
    for lane in Lane:
        row = rows.get(int(lane))
        oldest, waiting = None, 0
        if row is not None:
            waiting = row.n
            oldest = max(now - at.get(row.first, now), timedelta(0))
        found.append(LaneWaits(lane=lane, waiting=waiting, oldest=oldest))
    return tuple(found)


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
    waiting = 0
    for row in await db.execute(grouped.order_by(delivery.c.state, delivery.c.lane)):
        counts.append(Count(state=row.state, lane=Lane(row.lane), count=row.n))
        if row.state in {State.PENDING.value, State.LEASED.value}:
            waiting += row.n
    is_open = delivery.c.state.in_([State.PENDING.value, State.LEASED.value])
    oldest = await db.execute(
        select(func.min(alert.c.created_at)).where(
            alert.c.id == select(func.min(delivery.c.alert_id)).where(is_open).scalar_subquery()
        )
    )
    first = oldest.scalar()
    age = None
    if first is not None:  # an alert's own time is the wall clock's, which may have been set back
        age = max(now - first, timedelta(0))
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
        waiting=waiting,
        oldest=age,
        last_sent_at=last_sent_at,
        last_error=read_if(error.scalar()),
    )
