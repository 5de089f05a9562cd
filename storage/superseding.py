"""Alerts in the place of older ones: a newer move, a graver story, other words."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, bindparam, or_, select, update

import storage.joined
from bot.model.alerts import Approval, State
from storage.db import Db
from storage.schema import alert, delivery

# nobody has it, and it may still be taken back
UNSENT = (State.PENDING.value, State.HELD.value, State.WITHHELD.value)


class Place(NamedTuple):
    """What says in whose place an alert is given out; `waits` is whether for an operator's word."""

    key: str
    kind: str
    series: str | None
    own: bool
    waits: bool


_PLACE = select(
    alert.c.supersede_key, alert.c.kind, alert.c.about_series, alert.c.audience_chat
).where(alert.c.id == bindparam("pk"))
_OLDER = select(alert.c.id).where(
    alert.c.supersede_key == bindparam("key"),
    alert.c.kind == bindparam("of_kind"),
    alert.c.id < bindparam("pk"),
)
_OLDER_QUESTIONS = _OLDER.where(alert.c.approval == Approval.WAITING.value)


async def supersede(db: Db, pk: int, mine: Place, now: datetime) -> None:
    """Give this alert to whoever has not got an older one yet, in its place.

    One that waits for an operator's word takes the place of those that do as well, and of the
    others when it is approved: nobody knows whether it will ever be sent.
    """
    query = _OLDER_QUESTIONS if mine.waits else _OLDER
    same = {"key": mine.key, "of_kind": mine.kind}
    older = list((await db.execute(query, {**same, "pk": pk})).scalars())
    if not older:
        return
    parted: Collection[int] = ()
    series = mine.series
    if series is not None:
        parted = await storage.joined.part(db, series, older, own=mine.own)
    # In this order: a fan-out that is at it ends first, and what it made is found below.
    await db.execute(
        update(alert)
        .where(alert.c.id.in_(older), alert.c.fanned_at.is_(None))
        .values(fanned_at=now)
    )
    await db.execute(
        update(delivery)
        .where(delivery.c.alert_id.in_(older), delivery.c.state.in_(UNSENT))
        .values(state=State.SUPERSEDED.value, finished_at=now)
    )
    if series is not None:
        await storage.joined.rejoin(db, series, parted)


async def approved(db: Db, pk: int, now: datetime) -> None:
    """Give an alert that an operator let through to whoever has not got an older one yet."""
    row = (await db.execute(_PLACE, {"pk": pk})).one()
    if row.supersede_key is not None:
        own = row.audience_chat is not None
        mine = Place(row.supersede_key, row.kind, row.about_series, own, waits=False)
        await supersede(db, pk, mine, now)


async def is_overtaken(db: Db, pk: int) -> bool:
    """Whether a later alert was decided to take this one's place, or it was taken back while it
    waited for an operator's word.
    """
    later = alert.alias("later")
    same = (later.c.supersede_key == alert.c.supersede_key, later.c.kind == alert.c.kind)
    taken = select(later.c.id).where(*same, later.c.id > pk).exists()
    closed = and_(alert.c.approval == Approval.WAITING.value, alert.c.fanned_at.is_not(None))
    query = select(alert.c.id).where(alert.c.id == pk, or_(taken, closed))
    return (await db.execute(query)).first() is not None
