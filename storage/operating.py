"""What operators look at: the outbox by lane, chats, what waits for their word."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, text

import storage.alerts
import storage.broadcasts
from bot.model.alerts import EVERYBODY, Lane
from bot.model.overview import LaneWaits, Overview
from storage.db import Db
from storage.held_rates import waiting_rates
from storage.schema import alert, delivery, subscription


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
    """How many deliveries of each lane are open, and how old the oldest one's alert is."""
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
