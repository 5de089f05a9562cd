"""Claims: which deliveries may be sent now, taken with their slots of the token's pace.

A delivery is taken by a lease that ends by itself: whoever holds it may send
until then, and marks it with the lease's number (fence). What is due is asked
by `storage.due`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import (
    bindparam,
    func,
    select,
    text,
    update,
)

from bot.model.alerts import Lane, State
from bot.model.chats import ChatKind, Post, read_threads, thread_of
from storage.db import Db, db_now
from storage.due import Due, due_now, is_not_left_out
from storage.pace import (
    GROUP_EVERY,
    PRIVATE_EVERY,
    SHARED_LOOKBACK,
    token_row,
)
from storage.schema import alert, chat, delivery, pace
from storage.types import Numbers

SLOTS_HORIZON = timedelta(seconds=10)  # by the slowest sender: slots reserved beyond are nobody's


class Claimed(NamedTuple):
    """One delivery to make now, under the lease number `fence`.

    `thread` is the forum topic to post to. A tuple because a thousand a second are made of it.
    `expires_in` is given when that is before the lease's end. `newest` is the newest alert at the
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
    tables: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The deliveries of one claim, when the first may go, how often one may, the lease's span.

    All times are spans from the moment of the claim, because the caller's clock is not the
    database's. `slots` are reserved, one for each delivery and more where others wait. `full` says
    that no slot was free within the horizon; `shared`, that another sender took slots since our
    last claim; `end` is where the reserved slots end, for the next claim; `at` is the moment of the
    claim on the database's clock; `paused` is how long nobody may send.
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
    paused: timedelta = timedelta(0)


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
    left_out: Collection[int] = (),
) -> Claim:
    """Take the deliveries that may go within `horizon`, and their slots of the token's pace.

    Both in one transaction. `turns` more slots are for who waits already at the sender, replies
    among them: it decides who goes in which. Lanes in order, only those `above` one if it is given,
    then by age; one delivery a chat at a time; nothing that expired. `end` is the last claim's. No
    slot is before `answer_in`: a sender beside others loses those that pass while it waits for this
    answer. The row is never moved beyond the horizon, and one that is beyond any sender's horizon
    is healed. The alerts `left_out` take no slot: the sender cannot read them.
    """
    now = await db_now(db)
    every = timedelta(seconds=1 / rate)
    row = await token_row(db, token, now)
    # moved since our last claim, and not so long ago that it no longer matters
    shared = row.tat != end and row.tat > now - SHARED_LOOKBACK
    # at a slow rate one slot may be longer than the horizon: without it none would ever be free
    reach = now + max(horizon, every)
    healed = row.tat
    if row.tat > now + SLOTS_HORIZON:  # debt that an earlier version left
        healed = reach
        await _move_pace(db, token, healed)
    start = max(now + answer_in, healed)
    claimed = Claim(
        at=now,
        deliveries=(),
        first_in=start - now,
        every=every,
        lease=lease,
        shared=shared,
        end=healed,
    )
    if row.paused_until is not None and row.paused_until > now:
        paused = row.paused_until - now
        return replace(claimed, first_in=paused, paused=paused)
    room = int((reach - start) / every)
    rows: Sequence[Due] = ()
    if min(limit, room) > 0:
        stopped = row.stopped_at is not None
        rows = await due_now(
            db, now, min(limit, room), lease, above, stopped=stopped, left_out=left_out
        )
    slots = min(len(rows) + turns, max(room, 0))
    if slots:
        claimed = replace(claimed, end=start + every * slots)
        await _move_pace(db, token, start + every * slots)
    return replace(
        claimed,
        deliveries=await _leased(db, rows, now, lease),
        slots=slots,
        full=room <= 0,
    )


async def _move_pace(db: Db, token: str, tat: datetime) -> None:
    await db.execute(update(pace).where(pace.c.name == token).values(tat=tat))


async def _leased(
    db: Db, rows: Sequence[Due], now: datetime, lease: timedelta
) -> tuple[Claimed, ...]:
    """The due rows as deliveries of ours, charged to their chats."""
    if not rows:
        return ()
    await db.execute(_LEASE, {"ids": [row.id for row in rows], "until": now + lease})
    await _charge_chats(db, rows, now)
    newest = (await db.execute(select(func.max(alert.c.id)))).scalar_one()
    return tuple(_claimed(row, now, newest) for row in rows)


#: What a look-up costs less than a call of the enumeration, for a thousand rows a second.
_LANES = {lane.value: lane for lane in Lane}
_KINDS = {kind.value: kind for kind in ChatKind}


def _claimed(row: Due, now: datetime, newest: int) -> Claimed:
    expires_in = None
    if row.ends_at is not None:
        expires_in = row.ends_at - now
    return Claimed(
        id=row.id,
        alert=row.alert,
        chat=row.chat,
        lane=_LANES[row.lane],
        fence=row.fence + 1,
        tries=row.tries,
        doubts=row.doubts,
        plain=row.plain,
        language=row.language,
        style=row.style,
        sounds=row.sounds,
        kind=_KINDS[row.kind],
        thread=_thread(row),
        home=row.home,
        time_zone=row.time_zone,
        expires_in=expires_in,
        newest=newest,
        tables=row.tables,
    )


def _thread(row: Due) -> int | None:
    if not row.threads:  # nearly always
        return None
    return thread_of(read_threads(row.threads), None if row.post is None else Post(row.post))


_IDS = bindparam("ids", type_=Numbers(), literal_execute=True)
_LEASE = (
    update(delivery)
    .where(delivery.c.id.op("IN", is_comparison=True)(_IDS))
    .values(state=State.LEASED.value, lease_until=bindparam("until"), fence=delivery.c.fence + 1)
)
_CHARGE = (
    update(chat)
    .where(chat.c.id.op("IN", is_comparison=True)(_IDS))
    .values(tat=bindparam("new_tat"))
)


async def _charge_chats(db: Db, rows: Sequence[Due], now: datetime) -> None:
    """Charge each chat's own bucket; empty ones, in a broadcast nearly all, by one statement."""
    charged: dict[datetime, list[int]] = {}
    private, group = now + PRIVATE_EVERY, now + GROUP_EVERY
    for row in rows:
        tat = group
        if row.kind == ChatKind.PRIVATE.value:
            tat = private
        if row.tat is not None:  # it is not empty: so much later
            tat += row.tat - now
        charged.setdefault(tat, []).append(row.chat)
    for tat, ids in charged.items():
        await db.execute(_CHARGE, {"ids": ids, "new_tat": tat})


async def outranked(
    db: Db, claimed: Sequence[Claimed], above: Lane, left_out: Collection[int] = ()
) -> set[int]:
    """The chats of claimed deliveries, not begun, for which one of a lane `above` is due.

    It waits as long as they are leased. The alerts `left_out` go before nobody.
    """
    now = await db_now(db)
    found = await db.execute(
        select(delivery.c.chat_id).where(
            delivery.c.chat_id.op("IN", is_comparison=True)(_IDS),
            delivery.c.state == State.PENDING.value,
            # as ix_delivery_open says it, or SQLite scans the table
            text("delivery.state IN ('pending', 'leased')"),
            delivery.c.lane < above,
            delivery.c.not_before <= now,
            delivery.c.expires_at > now,
            *([is_not_left_out(delivery)] if left_out else []),
        ),
        {"ids": [item.chat for item in claimed], "left_out": sorted(left_out)},
    )
    return set(found.scalars())
