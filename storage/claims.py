"""Claims: which deliveries may be sent now, taken with their slots of the token's pace.

A delivery is taken by a lease that ends by itself: whoever holds it may send
until then, and marks it with the lease's number (fence). One delivery of a chat
is out at a time, so a chat's messages keep the order of their alerts within a
lane.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Integer,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)

import storage.quiet
from bot.model.alerts import ANSWER, NOTICE, Lane, State
from bot.model.chats import ChatKind, Post, read_threads, thread_of
from storage.chats import STOPPED
from storage.db import Db, db_now
from storage.pace import (
    GROUP_BURST,
    GROUP_EVERY,
    PRIVATE_BURST,
    PRIVATE_EVERY,
    SHARED_LOOKBACK,
    token_row,
)
from storage.schema import alert, chat, delivery, pace

#: Kinds of alerts; None is all.
Kinds = Collection[str] | None

SLOTS_HORIZON = timedelta(seconds=10)  # by the slowest sender: slots reserved beyond are nobody's


class Claimed(NamedTuple):
    """One delivery to make now, under the lease number `fence`.

    `thread` is the forum topic to post to. A tuple because a thousand a second are made of it.
    `expires_at` is given when that is before the lease's end. `newest` is the newest alert at the
    claim: what was rendered when there was an older one may be out of date.
    """

    id: int
    alert: int
    chat: int
    lane: Lane
    fence: int
    tries: int
    doubts: int
    plain: bool
    language: str
    style: str
    sounds: str
    kind: ChatKind
    thread: int | None
    home: str
    time_zone: str
    expires_in: timedelta | None
    newest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one claim gave: deliveries, when the first may go, how often one may, the lease's span.

    All times are spans from the moment of the claim, because the caller's clock is not the
    database's. `slots` are reserved, one for each delivery and more where others wait. `full` says
    that no slot was free within the horizon; `shared`, that another sender took slots since our
    last claim; `end` is where the reserved slots end, for the next claim; `at` is the moment of the
    claim on the database's clock.
    """

    at: datetime

    deliveries: tuple[Claimed, ...]
    first_in: timedelta
    every: timedelta
    lease: timedelta
    slots: int = 0
    full: bool = False
    shared: bool = False
    end: datetime | None = None


async def claim(
    db: Db,
    *,
    token: str,
    rate: float,
    horizon: timedelta,
    lease: timedelta,
    limit: int = 500,
    turns: int = 0,
    above: Lane | None = None,
    end: datetime | None = None,
    answer_in: timedelta = timedelta(0),
) -> Claim:
    """Take the deliveries that may go within `horizon`, and their slots of the token's pace.

    Both in one transaction. `turns` more slots are for who waits already at the sender, replies
    among them: it decides who goes in which. Lanes in order, only those `above` one if it is given,
    then by age; one delivery a chat at a time; nothing that expired. `end` is the last claim's. No
    slot is before `answer_in`: a sender beside others loses those that pass while it waits for this
    answer. The row is never moved beyond the horizon, and one that is beyond any sender's horizon
    is healed.
    """
    now = await db_now(db)
    every = timedelta(seconds=1 / rate)
    row = await token_row(db, token, now)
    shared = row.tat != end and row.tat > now - SHARED_LOOKBACK
    reach = now + max(horizon, every)
    healed = row.tat
    if row.tat > now + SLOTS_HORIZON:  # debt that an earlier version left
        healed = reach
        await _move_pace(db, token, healed)
    start = max(now + answer_in, healed)
    if row.paused_until is not None and row.paused_until > now:
        first_in = row.paused_until - now
        return Claim(
            at=now,
            deliveries=(),
            first_in=first_in,
            every=every,
            lease=lease,
            shared=shared,
            end=healed,
        )
    room = int((reach - start) / every)
    rows: Sequence[Any] = ()
    if min(limit, room) > 0:
        due = _DUE if row.stopped_at is None else _DUE_WHILE_STOPPED
        rows = await _due(db, due, now, min(limit, room), lease, above)
    slots = min(len(rows) + turns, max(room, 0))
    tat = start + every * slots
    if slots:
        await _move_pace(db, token, tat)
    else:
        tat = healed
    return Claim(
        at=now,
        deliveries=await _leased(db, rows, now, lease),
        first_in=start - now,
        every=every,
        lease=lease,
        slots=slots,
        full=room <= 0,
        shared=shared,
        end=tat,
    )


async def _move_pace(db: Db, token: str, tat: datetime) -> None:
    await db.execute(update(pace).where(pace.c.name == token).values(tat=tat))


async def _leased(
    db: Db, rows: Sequence[Any], now: datetime, lease: timedelta
) -> tuple[Claimed, ...]:
    """The due rows as deliveries of ours, charged to their chats."""
    if not rows:
        return ()
    await db.execute(_LEASE, {"ids": [row.id for row in rows], "until": now + lease})
    await _charge_chats(db, rows, now)
    newest = (await db.execute(select(func.max(alert.c.id)))).scalar_one()
    return tuple(_claimed(row, now, newest) for row in rows)


def _claimed(row: Any, now: datetime, newest: int) -> Claimed:  # noqa: ANN401 - a result row
    expires_in = None
    if row.ends_at is not None:
        expires_in = row.ends_at - now
    return Claimed(
        id=row.id,
        alert=row.alert_id,
        chat=row.chat_id,
        lane=Lane(row.lane),
        fence=row.fence + 1,
        tries=row.tries,
        doubts=row.doubts,
        plain=row.plain,
        language=row.language,
        style=row.style,
        sounds=row.sounds,
        kind=ChatKind(row.kind),
        thread=_thread(row),
        home=row.home,
        time_zone=row.time_zone,
        expires_in=expires_in,
        newest=newest,
    )


def _thread(row: Any) -> int | None:  # noqa: ANN401 - a result row
    if not row.threads:  # nearly always
        return None
    return thread_of(read_threads(row.threads), None if row.post is None else Post(row.post))


_IDS: BindParameter[list[int]] = bindparam("ids", expanding=True, literal_execute=True)
_LEASE = (
    update(delivery)
    .where(delivery.c.id.in_(_IDS))
    .values(state=State.LEASED.value, lease_until=bindparam("until"), fence=delivery.c.fence + 1)
)
_CHARGE = update(chat).where(chat.c.id.in_(_IDS)).values(tat=bindparam("new_tat"))


def _waits_for_another(now: BindParameter[datetime], kinds: Kinds = None) -> ColumnElement[bool]:
    """Whether another delivery of the chat is out, or goes before this one.

    With `kinds` only such go before: the others wait themselves.
    """
    other = delivery.alias("other")
    goes_before = or_(
        other.c.lane < delivery.c.lane,
        and_(other.c.lane == delivery.c.lane, other.c.id < delivery.c.id),
    )
    is_due = and_(other.c.state == State.PENDING.value, goes_before, other.c.expires_at > now)
    if kinds is not None:
        is_due = and_(is_due, _is_of(other, kinds))
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


def only_stopped() -> ColumnElement[bool]:
    """Whether a chat is left alone by its own wish and not by Telegram's: answers are no alerts."""
    return and_(chat.c.stopped, chat.c.inactive_why == STOPPED)


def is_answer() -> ColumnElement[bool]:
    """Whether a delivery is of an answer; asked for each, or a server reads all alerts for it."""
    kind = select(alert.c.kind).where(alert.c.id == delivery.c.alert_id).scalar_subquery()
    return kind == ANSWER


def _is_of(one: FromClause, kinds: Collection[str]) -> ColumnElement[bool]:
    """Whether a delivery's alert is of one of these kinds; asked for each, as above."""
    kind = select(alert.c.kind).where(alert.c.id == one.c.alert_id).scalar_subquery()
    return kind.in_(list(kinds))


def _is_passing(now: BindParameter[datetime]) -> ColumnElement[bool]:
    """Whether a delivery's alert is one that leaves while all else is stopped."""
    # as ix_alert_passing says it
    passing = select(alert.c.id).where(text("kind IN ('answer', 'notice')"))
    return delivery.c.alert_id.in_(passing.where(alert.c.expires_at > now))


def _post() -> ScalarSelect[Any]:
    """What kind of post a delivery is; asked for those of chats in their quiet hours, and of those
    that chose forum topics, alone.
    """
    return select(alert.c.post).where(alert.c.id == delivery.c.alert_id).scalar_subquery()


def _chat_has_room() -> ColumnElement[bool]:
    """By a chat's own bucket: a short burst, then one a second (private) or fifteen a minute."""
    private = and_(
        chat.c.kind == ChatKind.PRIVATE.value,
        chat.c.tat <= bindparam("private_until", type_=chat.c.tat.type),
    )
    group = and_(
        chat.c.kind != ChatKind.PRIVATE.value,
        chat.c.tat <= bindparam("group_until", type_=chat.c.tat.type),
    )
    return or_(chat.c.tat.is_(None), or_(private, group))


def _due_query(kinds: Kinds = None) -> Select[Any]:
    """The query, built once: building costs as much as running.

    It takes `now`, `soon`, `room`, and the lane to stay `above`. With `kinds` only alerts of those
    are due, and these are looked for instead of walking all that waits.
    """
    now: BindParameter[datetime] = bindparam("now", type_=delivery.c.not_before.type)
    soon: BindParameter[datetime] = bindparam("soon", type_=delivery.c.not_before.type)
    lane: ColumnElement[int] = delivery.c.lane
    if kinds is not None:  # few: their order shall be no reason to walk the lanes in an index
        lane = lane + literal_column("0")
    return (
        select(
            delivery.c.id,
            delivery.c.alert_id,
            delivery.c.chat_id,
            delivery.c.lane,
            delivery.c.fence,
            delivery.c.tries,
            delivery.c.doubts,
            delivery.c.plain,
            chat.c.language,
            chat.c.style,
            chat.c.sounds,
            chat.c.kind,
            chat.c.threads,
            case((chat.c.threads != "", _post()), else_=None).label("post"),
            chat.c.home,
            chat.c.time_zone,
            # times cost more to read than all the rest: only those that matter
            case((delivery.c.expires_at < soon, delivery.c.expires_at), else_=None).label(
                "ends_at"
            ),
            case((chat.c.tat > now, chat.c.tat), else_=None).label("tat"),
        )
        .join(chat, chat.c.id == delivery.c.chat_id)
        .where(
            delivery.c.state == State.PENDING.value,
            delivery.c.lane < bindparam("above"),
            delivery.c.not_before <= now,
            delivery.c.expires_at > now,
            or_(chat.c.active, and_(only_stopped(), is_answer())),
            or_(
                chat.c.quiet_begins_at.is_(None),
                chat.c.quiet_begins_at > now,
                storage.quiet.passes(_post()),
            ),
            _chat_has_room(),
            ~_waits_for_another(now, kinds),
            *([] if kinds is None else [_is_passing(now)]),
        )
        .order_by(lane, delivery.c.id)
        .limit(bindparam("room", type_=Integer()))
        .with_for_update(skip_locked=True, of=delivery)
    )


_DUE = _due_query()
#: While an operator lets no alert leave: answers, and words to operators.
_DUE_WHILE_STOPPED = _due_query((ANSWER, NOTICE))
#: What PostgreSQL must not do for a claim. Without fresh statistics it takes these for cheap, and
#: reads all that waits; without these it walks what is due in its index's order and looks up each
#: chat, until there is enough. Nor may it compile the query: before version 18 a price for what is
#: forbidden made that look worth while.
WALK = text("""
SELECT set_config(way, 'off', true)
FROM (VALUES ('enable_seqscan'), ('enable_bitmapscan'), ('enable_hashjoin'), ('enable_mergejoin'),
  ('enable_material'), ('enable_sort'), ('enable_incremental_sort'), ('jit')) AS off(way)
""")


async def _due(
    db: Db, due: Select[Any], now: datetime, room: int, lease: timedelta, above: Lane | None
) -> Sequence[Any]:
    """The deliveries to make now, locked, `room` of them at most."""
    if db.dialect.name != "sqlite":
        await db.execute(WALK)  # until the claim's transaction ends
    until = {"private_until": now + PRIVATE_BURST, "group_until": now + GROUP_BURST}
    below_all = max(Lane) + 1
    given = {
        "now": now,
        "soon": now + lease,
        "room": room,
        "above": below_all if above is None else above,
    }
    found = await db.execute(due, {**given, **until})
    rows: Sequence[Any] = found.all()
    return rows


async def _charge_chats(db: Db, rows: Sequence[Any], now: datetime) -> None:
    """Charge each chat's own bucket; empty ones, in a broadcast nearly all, by one statement."""
    charged: dict[datetime, list[int]] = {}
    private, group = now + PRIVATE_EVERY, now + GROUP_EVERY
    for row in rows:
        tat = group
        if row.kind == ChatKind.PRIVATE.value:
            tat = private
        if row.tat is not None:  # it is not empty: so much later
            tat += row.tat - now
        charged.setdefault(tat, []).append(row.chat_id)
    for tat, ids in charged.items():
        await db.execute(_CHARGE, {"ids": ids, "new_tat": tat})


async def outranked(db: Db, claimed: Sequence[Claimed], above: Lane) -> set[int]:
    """The chats of claimed deliveries, not begun, for which one of a lane `above` is due.

    It waits as long as they are leased.
    """
    now = await db_now(db)
    found = await db.execute(
        select(delivery.c.chat_id).where(
            delivery.c.chat_id.in_(_IDS),
            delivery.c.state == State.PENDING.value,
            # as ix_delivery_open says it, or SQLite scans the table
            text("delivery.state IN ('pending', 'leased')"),
            delivery.c.lane < above,
            delivery.c.not_before <= now,
            delivery.c.expires_at > now,
        ),
        {"ids": [item.chat for item in claimed]},
    )
    return set(found.scalars())
