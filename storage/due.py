"""The deliveries that are due, asked by one statement that is built once.

One delivery of a chat is out at a time, so a chat's messages keep the order of their alerts within
a lane.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    FromClause,
    Integer,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    exists,
    literal_column,
    or_,
    select,
    text,
)

import storage.quiet
from bot.model.alerts import Lane, State
from bot.model.chats import ChatKind
from bot.reasons import reason, written
from storage.chats import STOPPED
from storage.db import Db
from storage.pace import (
    GROUP_BURST,
    PRIVATE_BURST,
)
from storage.schema import alert, chat, delivery
from storage.types import Numbers

#: Why a delivery waits that no program beside the database could read yet: with it, it holds up
#: nobody. Without a figure, so that it is one text.
UNREAD = reason("delivery.unread", "this version of the program cannot read the alert")
_UNREAD = written(UNREAD)
_LEFT_OUT = bindparam("left_out", type_=Numbers(), literal_execute=True)


class Due(NamedTuple):
    """One delivery that may leave now, and what its chat wants.

    Times cost more to read than all the rest: `ends_at` is given where the delivery expires before
    a lease would end, `tat` where the chat's bucket is not empty. `threads` and `post` are empty
    where the chat chose no forum topics. A tuple because a thousand a second are read of it: the
    names of a result's row are looked up each time.
    """

    id: int
    alert: int
    chat: int
    lane: int
    fence: int
    tries: int
    doubts: int
    plain: bool
    language: str
    style: str
    sounds: str
    kind: str
    threads: str
    tables: bool
    post: str | None
    home: str
    time_zone: str
    ends_at: datetime | None
    tat: datetime | None


def _waits_for_another(
    now: BindParameter[datetime], *, stopped: bool, leaving_out: bool
) -> ColumnElement[bool]:
    """Whether another delivery of the chat is out, or goes before this one.

    While all is `stopped` only what passes that goes before: the others wait themselves. So does
    what cannot be read: it may wait for days, and the chat's order is lost with it alone.
    """
    other = delivery.alias("other")
    goes_before = or_(
        other.c.lane < delivery.c.lane,
        and_(other.c.lane == delivery.c.lane, other.c.id < delivery.c.id),
    )
    is_due = and_(other.c.state == State.PENDING.value, goes_before, other.c.expires_at > now)
    is_due = and_(is_due, or_(other.c.error.is_(None), other.c.error != _UNREAD))
    if leaving_out:
        is_due = and_(is_due, is_not_left_out(other))
    if stopped:
        is_due = and_(is_due, _has(other, alert.c.passes_stop))
    return (
        select(other.c.id)
        .where(
            other.c.chat_id == delivery.c.chat_id,
            or_(is_due, other.c.state == State.LEASED.value),
            # as ix_delivery_open says it, or SQLite scans the table
            text("other.state IN ('pending', 'leased')"),
        )
        .exists()
    )


def is_not_left_out(one: FromClause) -> ColumnElement[bool]:
    """Whether a delivery's alert is none of those that are left out."""
    is_kept: ColumnElement[bool] = one.c.alert_id.op("NOT IN", is_comparison=True)(_LEFT_OUT)
    return is_kept


def only_stopped() -> ColumnElement[bool]:
    """Whether a chat is left alone by its own wish and not by Telegram's: answers may go there."""
    return and_(chat.c.stopped, chat.c.inactive_why == STOPPED)


def is_awaited() -> ColumnElement[bool]:
    """Whether somebody asked for what a delivery brings."""
    return _has(delivery, alert.c.awaited)


def _has(one: FromClause, term: Column[bool]) -> ColumnElement[bool]:
    """Whether a delivery's alert goes out on a term; asked for each, or a server reads all alerts
    for it.
    """
    return select(term).where(alert.c.id == one.c.alert_id).scalar_subquery()


def _is_passing(now: BindParameter[datetime]) -> ColumnElement[bool]:
    """Whether a delivery's alert is one that leaves while all else is stopped."""
    # as ix_alert_passing says it
    passing = select(alert.c.id).where(text("alert.passes_stop"))
    return delivery.c.alert_id.in_(passing.where(alert.c.expires_at > now))


def _post() -> ScalarSelect[Any]:
    """The kind of post of a delivery's alert; asked only for chats in their quiet hours, and for
    those that chose forum topics.
    """
    return select(alert.c.post).where(alert.c.id == delivery.c.alert_id).scalar_subquery()


def _chat_has_room() -> ColumnElement[bool]:
    """A condition on a chat's bucket: a burst, then one a second (private) or fifteen a minute."""
    private = and_(
        chat.c.kind == ChatKind.PRIVATE.value,
        chat.c.tat <= bindparam("private_until", type_=chat.c.tat.type),
    )
    group = and_(
        chat.c.kind != ChatKind.PRIVATE.value,
        chat.c.tat <= bindparam("group_until", type_=chat.c.tat.type),
    )
    return or_(chat.c.tat.is_(None), or_(private, group))


_OF_THE_CHAT = ("language", "style", "sounds", "kind", "threads", "tables", "home", "time_zone")


def _due_query(*, stopped: bool, leaving_out: bool = False) -> Select[Any]:
    """The query, built once: building costs as much as running.

    It takes `now`, `soon`, `room`, and the lane to stay `above`; where it is `leaving_out` alerts,
    also their numbers. While all is `stopped` only alerts that pass that are due, and these are
    looked for instead of walking all that waits.
    """
    now: BindParameter[datetime] = bindparam("now", type_=delivery.c.not_before.type)
    soon: BindParameter[datetime] = bindparam("soon", type_=delivery.c.not_before.type)
    lane: ColumnElement[int] = delivery.c.lane
    if stopped:  # few: their order shall be no reason to walk the lanes in an index
        lane = lane + literal_column("0")
    columns: dict[str, ColumnElement[Any]] = {
        **{name: delivery.c[name] for name in ("id", "lane", "fence", "tries", "doubts", "plain")},
        **{name: chat.c[name] for name in _OF_THE_CHAT},
        "alert": delivery.c.alert_id,
        "chat": delivery.c.chat_id,
        "post": case((chat.c.threads != "", _post()), else_=None),
        "ends_at": case((delivery.c.expires_at < soon, delivery.c.expires_at), else_=None),
        "tat": case((chat.c.tat > now, chat.c.tat), else_=None),
    }
    return (
        select(*(columns[name] for name in Due._fields))
        .join(chat, chat.c.id == delivery.c.chat_id)
        .where(
            delivery.c.state == State.PENDING.value,
            delivery.c.lane < bindparam("above"),
            delivery.c.not_before <= now,
            delivery.c.expires_at > now,
            or_(chat.c.active, and_(only_stopped(), is_awaited())),
            or_(
                chat.c.quiet_begins_at.is_(None),
                chat.c.quiet_begins_at > now,
                storage.quiet.passes(_post()),
            ),
            _chat_has_room(),
            ~_waits_for_another(now, stopped=stopped, leaving_out=leaving_out),
            *([_is_passing(now)] if stopped else []),
            *([is_not_left_out(delivery)] if leaving_out else []),
        )
        .order_by(lane, delivery.c.id)
        .limit(bindparam("room", type_=Integer()))
        .with_for_update(skip_locked=True, of=delivery)
    )


#: By whether an operator lets no alert leave, and whether some alerts are left out.
_DUE = {
    (stopped, leaving_out): _due_query(stopped=stopped, leaving_out=leaving_out)
    for stopped in (False, True)
    for leaving_out in (False, True)
}
#: What PostgreSQL must not do for a claim. Without fresh statistics it takes these for cheap, and
#: reads all that waits; without these it walks what is due in its index's order and looks up each
#: chat, until there is enough. Nor may it compile the query: before version 18 a price for what is
#: forbidden made that look worth while.
WALK = text("""
SELECT set_config(way, 'off', true)
FROM (VALUES ('enable_seqscan'), ('enable_bitmapscan'), ('enable_hashjoin'), ('enable_mergejoin'),
  ('enable_material'), ('enable_sort'), ('enable_incremental_sort'), ('jit')) AS off(way)
""")


async def due_now(
    db: Db,
    now: datetime,
    room: int,
    lease: timedelta,
    above: Lane | None,
    *,
    stopped: bool,
    left_out: Collection[int] = (),
) -> list[Due]:
    """The deliveries to make now, locked, `room` of them at most.

    While an operator has `stopped` all alerts, only what passes that is due. The alerts `left_out`
    stand in nobody's way.
    """
    if db.dialect.name != "sqlite":
        await db.execute(WALK)  # until the claim's transaction ends
    until = {"private_until": now + PRIVATE_BURST, "group_until": now + GROUP_BURST}
    # a lane that nothing has: the same statement serves both
    below_all = max(Lane) + 1
    given: dict[str, Any] = {
        "now": now,
        "soon": now + lease,
        "room": room,
        "above": below_all if above is None else above,
    }
    if left_out:
        given["left_out"] = sorted(left_out)
    due = _DUE[stopped, bool(left_out)]
    found = await db.execute(due, {**given, **until})
    return [Due._make(row) for row in found.all()]


async def is_nothing_open(db: Db) -> bool:
    """Whether no delivery waits for anything, and no alert for its deliveries."""
    # each as a partial index says it, or SQLite scans the table
    looks = [
        select(delivery.c.id).where(text("delivery.state IN ('pending', 'leased')")),
        select(delivery.c.id).where(text("delivery.state = 'held'")),
        select(delivery.c.id).where(text("delivery.state = 'withheld'")),
        select(alert.c.id).where(text("alert.fanned_at IS NULL")),
    ]
    return not (await db.execute(select(or_(*map(exists, looks))))).scalar_one()
