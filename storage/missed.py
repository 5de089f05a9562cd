"""The alerts that reached nobody and that nobody waits for any more, until they were told of.

What still waits is told by `storage.told`: here every delivery has ended, and none by a message.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ScalarSelect, case, func, or_, select

import storage.notes
from bot.model.alerts import Lane, State
from bot.reasons import Reason, read_if, reason
from storage.belonging import UNMET
from storage.db import Db, db_now
from storage.schema import alert, chat, delivery
from storage.told import BLOCKED, waits_since
from storage.types import is_among

#: As long as any alert that cannot wait is worth sending: what was decided earlier is no news.
LOOKBACK = timedelta(days=2)
ENDED_LATELY = timedelta(hours=6)
TOLD = "missed alerts told"  # the note of those that are settled, by their numbers
TOO_LATE = reason("delivery.late", "its time was over before it could be sent")
#: What somebody has, or may still get: by this delivery, or by the newer alert in its place.
_NOT_OVER = sorted({one.value for one in State} - BLOCKED - {State.CANCELLED.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """An alert that no chat has or waits for; `why` is the last trouble with it.

    `chats` could be written to and should have had it. Where there are none, all of those that are
    `away` blocked the bot, left or asked for silence, which is no fault of ours.
    """

    alert: int
    chats: int
    away: int
    why: Reason


async def missed(
    db: Db, kinds: Collection[str], *, now: datetime, after: timedelta
) -> Sequence[Missed]:
    """The alerts of these kinds that were decided `after` ago, cannot wait, reached nobody and
    ended lately, oldest first; none that was settled.

    Not of one chat that is away: its reader's word is no operator's affair. Nor does what a
    channel's policy kept back until it was too late count as meant for it.
    """
    over = await _over(db, kinds, now=now, after=after)
    if not over:  # nearly always
        return []
    reachable = func.sum(case((chat.c.active, 1), else_=0))
    query = (
        select(
            alert.c.id,
            reachable.label("chats"),
            func.count().label("n"),
            _last_trouble().label("why"),
        )
        .join(delivery, delivery.c.alert_id == alert.c.id)
        .outerjoin(chat, chat.c.id == delivery.c.chat_id)
        .where(
            is_among(alert.c.id, over),
            delivery.c.state.in_(BLOCKED),
            delivery.c.demand.is_(None),
            or_(delivery.c.error.is_(None), delivery.c.error != UNMET),  # another bot's
        )
        .group_by(alert.c.id, alert.c.audience_chat)
        .having(
            func.max(delivery.c.finished_at) > await db_now(db) - ENDED_LATELY,
            or_(reachable > 0, alert.c.audience_chat.is_(None)),
        )
        .order_by(alert.c.id)
    )
    found: list[Missed] = []
    for row in await db.execute(query):
        why = read_if(row.why) or TOO_LATE
        found.append(Missed(alert=row.id, chats=row.chats, away=row.n - row.chats, why=why))
    return found


def _last_trouble() -> ScalarSelect[str]:
    """What an alert ended by in the last chat that could be written to, of those that say why."""
    last, its = delivery.alias("last"), chat.alias("its")
    return (
        select(last.c.error)
        .join_from(last, its, its.c.id == last.c.chat_id)
        .where(
            last.c.alert_id == alert.c.id,
            last.c.state.in_(BLOCKED),
            last.c.demand.is_(None),
            last.c.error.is_not(None),
            its.c.active,
        )
        .order_by(last.c.finished_at.desc(), last.c.id.desc())
        .limit(1)
        .correlate(alert)
        .scalar_subquery()
    )


async def _over(
    db: Db, kinds: Collection[str], *, now: datetime, after: timedelta
) -> Collection[int]:
    """The alerts whose deliveries, if any, have ended, none by a message; without those settled.

    A statement of its own: in one that groups, SQLite goes through all alerts there are.
    """
    # somebody has it or may get it: nearly always who was given it first
    goes = select(delivery.c.id).where(
        delivery.c.alert_id == alert.c.id, delivery.c.state.in_(_NOT_OVER)
    )
    query = select(alert.c.id).where(
        alert.c.kind.in_(list(kinds)),
        alert.c.created_at > now - LOOKBACK,
        waits_since() <= now - after,
        alert.c.lane <= int(Lane.ALERT),
        alert.c.fanned_at.is_not(None),
        ~goes.exists(),
    )
    return set((await db.execute(query)).scalars()) - set(await _settled(db))


async def settle(db: Db, alerts: Collection[int], *, now: datetime) -> None:
    """Find these no more: they were told of, or it was meant that nobody gets them."""
    settled = {*await _settled(db), *alerts}
    # the others are found no more anyway
    recent = select(alert.c.id).where(
        is_among(alert.c.id, settled), alert.c.created_at > now - LOOKBACK
    )
    kept = sorted((await db.execute(recent)).scalars())
    await storage.notes.put(db, TOLD, " ".join(map(str, kept)))


async def _settled(db: Db) -> Collection[int]:
    noted = await storage.notes.get(db, TOLD)
    return {int(number) for number in (noted or "").split()}
