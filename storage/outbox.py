"""The outbox: alerts, their deliveries, and who may send them now.

A delivery is taken by a lease that ends by itself: whoever holds it may send
until then, and marks it with the lease's number (fence); a mark with an old
number changes nothing. One delivery of a chat is out at a time, so a chat's
messages keep the order of their alerts within a lane.

Telegram has no idempotency key: an outcome nobody saw may have been a delivery.
Such doubts are counted; when there were more than the lane allows, the row is
dead rather than sent once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    text,
    update,
)

from bot.model.alerts import PAYLOADS, Alert, Approval, Audience, Lane, Payload, RuleFired, Severity, State
from bot.model.chats import ChatKind
from bot.model.rates import Series
from storage.db import Db, db_now, upsert
from storage.schema import alert, chat, delivery, pace, subscription

CHUNK = 4_000  # deliveries a transaction of fan-out or tidying: short enough that replies and marks get in between
SERVER_CHUNK = 10_000  # of fan-out on a server, where others write beside it
CLOSED_AT_ONCE = 2_000  # deliveries closed in one transaction: two writes to indexes for each
PRIVATE_EVERY = timedelta(seconds=1)
GROUP_EVERY = timedelta(seconds=4)  # with the burst 18 in any minute: Telegram allows 20, and slots slip
PRIVATE_BURST = timedelta(seconds=3)
GROUP_BURST = timedelta(seconds=12)
APPROVED_LASTS = timedelta(hours=1)
LEFT = timedelta(minutes=1)  # longer than a transaction of fan-out may take
FARTHEST = timedelta(seconds=10)  # that slots are reserved ahead, by whoever claims slowly: what is beyond is nobody's
STOPPED = "stopped"  # why a chat is inactive whose reader asked for it; all other reasons are Telegram's
STOPPED_AND = f"{STOPPED}, "  # what Telegram's reason begins with where the reader had asked for it before
SHARED = timedelta(seconds=2)  # another sender's slots this old no longer matter to ours


class Claimed(NamedTuple):
    """One delivery to make now, under the lease number `fence`; `thread` is the forum topic to post to.

    A tuple because a thousand a second are made of it. `expires_at` is given when that is before the lease's end.
    `newest` is the newest alert at the claim: what was rendered when there was an older one may be out of date.
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
    kind: ChatKind
    thread: int | None
    home: str
    time_zone: str
    expires_in: timedelta | None
    newest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one claim gave: deliveries, when the first may go, the time between two, and when the lease ends.

    All times are spans from the moment of the claim, because the caller's clock is not the database's. `slots` are
    reserved, one for each delivery and more where others wait. `full` says that no slot was free within the horizon;
    `shared`, that another sender took slots since our last claim; `end` is where the reserved slots end, for the next
    claim; `at` is the moment of the claim on the database's clock.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlert:
    """An alert as the outbox keeps it."""

    id: int
    payload: Payload
    severity: Severity
    reasons: tuple[str, ...]
    created_at: datetime


class Mark(NamedTuple):
    """What became of one claimed delivery. `retry_in` is given for PENDING."""

    id: int
    fence: int
    state: State
    message_id: int | None = None
    error: str | None = None
    retry_in: timedelta | None = None
    doubts: int = 0
    tries: int = 0
    plain: bool = False


async def enqueue(db: Db, new: Alert) -> int | None:
    """Store a decision once. Returns its id, or None when its `dedup_key` was there already.

    `expires_at - created_at` is the time it stays worth sending, counted on the database's clock.
    """
    now = await db_now(db)
    values = {
        "dedup_key": new.dedup_key,
        "kind": new.payload.KIND,
        "payload": new.payload.to_json(),
        "severity": new.severity.value,
        "lane": int(new.lane),
        "reasons": list(new.reasons),
        "audience_key": new.audience.subscription,
        "audience_chat": new.audience.chat,
        "audience_told": new.audience.told,
        "supersede_key": new.supersede_key,
        "approval": Approval.WAITING.value if new.approval else None,
        "created_at": new.created_at,
        "expires_at": now + (new.expires_at - new.created_at),
    }
    statement = upsert(db, alert).values(**values).on_conflict_do_nothing().returning(alert.c.id)
    pk: int | None = (await db.execute(statement)).scalar()
    if pk is not None and new.supersede_key is not None:
        older = select(alert.c.id).where(alert.c.supersede_key == new.supersede_key, alert.c.id < pk)
        await db.execute(
            update(delivery)
            .where(delivery.c.alert_id.in_(older), delivery.c.state == State.PENDING.value)
            .values(state=State.SUPERSEDED.value, finished_at=now)
        )
        await db.execute(update(alert).where(alert.c.id.in_(older), alert.c.fanned_at.is_(None)).values(fanned_at=now))
    return pk


async def by_keys(db: Db, keys: Iterable[str]) -> list[StoredAlert]:
    """The alerts that have one of these `dedup_key`s, oldest first."""
    rows = await db.execute(select(alert).where(alert.c.dedup_key.in_(list(keys))).order_by(alert.c.id))
    return [_stored(row) for row in rows]


async def said_by_rules(db: Db, of: Series, on: date) -> list[StoredAlert]:
    """What chats' own rules said of a day's rate, oldest first; also rules that were changed or deleted since.

    The keys of such alerts begin `rule:NUMBER:DAY`; they are few against the other rows, and asked for only when a day
    is revised.
    """
    like = and_(alert.c.kind == RuleFired.KIND, alert.c.dedup_key.like(f"rule:%:{on}%"))
    found = [_stored(row) for row in await db.execute(select(alert).where(like).order_by(alert.c.id))]
    return [one for one in found if isinstance(one.payload, RuleFired) and one.payload.new.series == of]


_COUNTED = {"preserve_rowcount": True}


async def times_got(db: Db, supersede_key: str) -> int:
    """How many alerts with this `supersede_key` somebody got, or gets at this moment."""
    reached = select(delivery.c.id).where(*_got(delivery, alert.c.id))
    query = select(func.count()).select_from(alert).where(alert.c.supersede_key == supersede_key, reached.exists())
    return int((await db.execute(query)).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """Where an alert stood when it was taken back: whether somebody has it already, or gets it at this moment
    (`reached`), and whether somebody still had to get it (`waiting`)."""

    reached: bool
    waiting: bool


async def withdraw(db: Db, pk: int) -> Withdrawn:
    """Send an alert to nobody else: it says something that is not true any more."""
    now = await db_now(db)
    closing = update(alert).where(alert.c.id == pk, alert.c.fanned_at.is_(None)).values(fanned_at=now)
    waiting = len((await db.execute(closing.returning(alert.c.id))).all())
    unsent = update(delivery).where(delivery.c.alert_id == pk, delivery.c.state == State.PENDING.value)
    taken = unsent.values(state=State.SUPERSEDED.value, finished_at=now)
    waiting += (await db.execute(taken, execution_options=_COUNTED)).rowcount
    reached = (await db.execute(select(delivery.c.id).where(*_got(delivery, pk)).limit(1))).first() is not None
    return Withdrawn(reached=reached, waiting=waiting > 0)


def _got(of: FromClause, pk: int | Column[int]) -> list[ColumnElement[bool]]:
    """The deliveries of an alert that were made, or are being made."""
    return [of.c.alert_id == pk, of.c.state.in_([State.SENT.value, State.LEASED.value])]


async def decide(db: Db, pk: int, *, approve: bool) -> StoredAlert | None:
    """An operator's word on an alert that waits for it, given once; None when it does not wait (any more).

    An approved one stays worth sending for `APPROVED_LASTS` at least.
    """
    now = await db_now(db)
    waits = (alert.c.id == pk, alert.c.approval == Approval.WAITING.value, alert.c.fanned_at.is_(None))
    until = (await db.execute(select(alert.c.expires_at).where(*waits).with_for_update())).scalar()
    if until is None or until <= now:
        return None
    values: dict[str, Any] = {"approval": Approval.REJECTED.value, "fanned_at": now}
    if approve:
        values = {"approval": Approval.APPROVED.value, "expires_at": max(until, now + APPROVED_LASTS)}
    await db.execute(update(alert).where(alert.c.id == pk).values(**values))
    return await get_alert(db, pk)


async def approval_of(db: Db, pk: int) -> Approval | None:
    """Where an alert stands that needed an operator's word; None for any other, and for none."""
    state = (await db.execute(select(alert.c.approval).where(alert.c.id == pk))).scalar()
    return Approval(state) if state else None


def _audience(row: Any, now: datetime) -> tuple[Column[int], list[ColumnElement[bool]], list[ColumnElement[bool]]]:  # noqa: ANN401 - a row
    """Where an alert's readers stand, which of them are meant, and which want it now."""
    if row.audience_told is not None and row.audience_key is None:  # those who got another alert
        return delivery.c.chat_id, _got(delivery, row.audience_told), []
    willing = [
        subscription.c.since_at <= row.created_at,  # nobody is told what was decided before they asked
        or_(subscription.c.snoozed_until.is_(None), subscription.c.snoozed_until <= now),
    ]
    if row.audience_told is not None:
        theirs = delivery.alias("theirs")
        same = select(theirs.c.id).where(*_got(theirs, row.audience_told), theirs.c.chat_id == subscription.c.chat_id)
        willing.append(~same.correlate(subscription).exists())
    return subscription.c.chat_id, [subscription.c.key == row.audience_key], willing


async def fan_out(db: Db, *, chunk: int | None = None) -> int | None:
    """Give the oldest open alert of the first lane its next chunk of deliveries.

    Returns how many, or None when none is open. The cursor moves in the same transaction: a crash repeats or loses
    nothing.
    """
    chunk = chunk or (CHUNK if db.dialect.name == "sqlite" else SERVER_CHUNK)
    await _repeatable(db)
    row = (
        await db.execute(
            select(alert)
            .where(
                alert.c.fanned_at.is_(None),
                or_(alert.c.approval.is_(None), alert.c.approval == Approval.APPROVED.value),
            )
            .order_by(alert.c.lane, alert.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
    ).first()
    if row is None:
        return None
    now = await db_now(db)
    last: int | None = None
    if row.audience_chat is not None:
        members = select(chat.c.id.label("chat_id")).where(chat.c.id == row.audience_chat, chat.c.active)
    else:
        member, among, willing = _audience(row, now)
        if row.fanned_to is not None:
            among.append(member > row.fanned_to)
        last = (await db.execute(select(member).where(*among).order_by(member).offset(chunk - 1).limit(1))).scalar()
        if last is not None:
            among.append(member <= last)
        members = select(member).join(chat, chat.c.id == member).where(*among, *willing, chat.c.active)
        # said of both sides, or PostgreSQL merges from the very first chat, every chunk
        if row.fanned_to is not None:
            members = members.where(chat.c.id > row.fanned_to)
        if last is not None:
            members = members.where(chat.c.id <= last)
    part = members.order_by("chat_id").subquery()
    source = select(
        literal(row.id),
        part.c.chat_id,
        literal(row.lane),
        literal(State.PENDING.value),
        literal(now, delivery.c.not_before.type),
        literal(row.expires_at, delivery.c.expires_at.type),
    )
    columns = ["alert_id", "chat_id", "lane", "state", "not_before", "expires_at"]
    # WHERE true: SQLite cannot otherwise tell ON CONFLICT from a join's ON
    insert = upsert(db, delivery).from_select(columns, source.where(text("true"))).on_conflict_do_nothing()
    size = (await db.execute(insert, execution_options=_COUNTED)).rowcount
    done = last is None
    values = {"fanned_to": row.fanned_to if done else last, "fanned_at": now if done else None}
    await db.execute(update(alert).where(alert.c.id == row.id).values(**values))
    if done and row.fanned_to is not None and db.dialect.name == "sqlite":  # more than a chunk; a server does it itself
        await db.execute(text("PRAGMA analysis_limit = 400"))  # the whole table would take seconds
        await db.execute(text("ANALYZE delivery"))
    return int(size)


async def _repeatable(db: Db) -> None:
    """What this transaction does is done again if a server that dies forgets it: nobody waits for the disk.

    What is committed after it is never there without it.
    """
    if db.dialect.name != "sqlite":
        await db.execute(text("SET LOCAL synchronous_commit = off"))


async def claim(
    db: Db,
    *,
    token: str,
    rate: float,
    horizon: timedelta,
    lease: timedelta,
    limit: int = 500,
    turns: int = 0,
    end: datetime | None = None,
) -> Claim:
    """Take the deliveries that may go within `horizon`, and their slots of the token's pace, in one transaction.

    `turns` more slots are for who waits already at the sender, replies among them: it decides who goes in which. Lanes
    in order, then by age; one delivery a chat at a time; nothing that expired. `end` is the last claim's. The row is
    never moved beyond the horizon, and one that is beyond any sender's horizon is healed.
    """
    now = await db_now(db)
    every = timedelta(seconds=1 / rate)
    row = await _paced(db, token, now)
    shared = row.tat != end and row.tat > now - SHARED
    reach = now + max(horizon, every)
    healed = row.tat if row.tat <= now + FARTHEST else reach
    if healed != row.tat:
        await db.execute(update(pace).where(pace.c.name == token).values(tat=healed))
    start = max(now, healed)
    if row.paused_until is not None and row.paused_until > now:
        first_in = row.paused_until - now
        return Claim(at=now, deliveries=(), first_in=first_in, every=every, lease=lease, shared=shared, end=healed)
    room = int((reach - start) / every)
    rows = await _due(db, now, min(limit, room), lease) if min(limit, room) > 0 else []
    slots = min(len(rows) + turns, max(room, 0))
    tat = start + every * slots
    if slots:
        await db.execute(update(pace).where(pace.c.name == token).values(tat=tat))
    else:
        tat = healed
    top = 0
    if rows:
        await db.execute(_LEASE, {"ids": [row[0] for row in rows], "until": now + lease})
        await _charge_chats(db, rows, now)
        top = (await db.execute(select(func.max(alert.c.id)))).scalar_one()
    return Claim(
        at=now,
        deliveries=tuple(
            Claimed._make(
                (
                    *row[:3],
                    Lane(row[3]),
                    row[4] + 1,
                    *row[5:10],
                    ChatKind(row[10]),
                    *row[11:14],
                    _left(row[14], now),
                    top,
                )
            )
            for row in rows
        ),
        first_in=start - now,
        every=every,
        lease=lease,
        slots=slots,
        full=room <= 0,
        shared=shared,
        end=tat,
    )


async def _paced(db: Db, token: str, now: datetime) -> Row[Any]:
    """The token's pace row, locked: what is not there cannot be, and two first claims would take the same slots."""
    query = select(pace).where(pace.c.name == token).with_for_update()
    row = (await db.execute(query)).first()
    if row is None:
        await db.execute(upsert(db, pace).values(name=token, tat=now - SHARED).on_conflict_do_nothing())
        row = (await db.execute(query)).one()
    return row


def _left(until: datetime | None, now: datetime) -> timedelta | None:
    return None if until is None else until - now


_IDS: BindParameter[list[int]] = bindparam("ids", expanding=True, literal_execute=True)
_LEASE = (
    update(delivery)
    .where(delivery.c.id.in_(_IDS))
    .values(state=State.LEASED.value, lease_until=bindparam("until"), fence=delivery.c.fence + 1)
)
_CHARGE = update(chat).where(chat.c.id.in_(_IDS)).values(tat=bindparam("new_tat"))


def _due_query() -> Select[Any]:
    """Built once: it costs as much to build as to run. Its parameters are `now`, `soon` and `room`."""
    now: BindParameter[datetime] = bindparam("now", type_=delivery.c.not_before.type)
    soon: BindParameter[datetime] = bindparam("soon", type_=delivery.c.not_before.type)
    other = delivery.alias("other")
    waits = (
        select(other.c.id)
        .where(
            other.c.chat_id == delivery.c.chat_id,
            or_(
                and_(
                    other.c.state == State.PENDING.value,
                    or_(
                        other.c.lane < delivery.c.lane,
                        and_(other.c.lane == delivery.c.lane, other.c.id < delivery.c.id),
                    ),
                    other.c.expires_at > now,
                ),
                other.c.state == State.LEASED.value,
            ),
            text("other.state IN ('pending', 'leased')"),  # as ix_delivery_open says it, or SQLite scans the table
        )
        .exists()
    )
    # a chat's own bucket: a short burst, then one a second (private) or fifteen a minute
    room = or_(
        and_(chat.c.kind == ChatKind.PRIVATE.value, chat.c.tat <= bindparam("private_until", type_=chat.c.tat.type)),
        and_(chat.c.kind != ChatKind.PRIVATE.value, chat.c.tat <= bindparam("group_until", type_=chat.c.tat.type)),
    )
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
            chat.c.kind,
            chat.c.thread,
            chat.c.home,
            chat.c.time_zone,
            # times cost more to read than all the rest: only those that matter
            case((delivery.c.expires_at < soon, delivery.c.expires_at), else_=None),
            case((chat.c.tat > now, chat.c.tat), else_=None),
        )
        .join(chat, chat.c.id == delivery.c.chat_id)
        .where(
            delivery.c.state == State.PENDING.value,
            delivery.c.not_before <= now,
            delivery.c.expires_at > now,
            chat.c.active,
            or_(chat.c.tat.is_(None), room),
            ~waits,
        )
        .order_by(delivery.c.lane, delivery.c.id)
        .limit(bindparam("room", type_=Integer()))
        .with_for_update(skip_locked=True, of=delivery)
    )


_DUE = _due_query()
#: What PostgreSQL must not do for a claim. Without fresh statistics it takes these for cheap, and reads all that waits;
#: without these it walks what is due in its index's order and looks up each chat, until there is enough. Nor may it
#: compile the query: before version 18 a price for what is forbidden made that look worth while.
_WALK = text("""
SELECT set_config(way, 'off', true) FROM (VALUES ('enable_seqscan'), ('enable_bitmapscan'), ('enable_hashjoin'),
  ('enable_mergejoin'), ('enable_material'), ('enable_sort'), ('enable_incremental_sort'), ('jit')) AS off(way)
""")


async def _due(db: Db, now: datetime, room: int, lease: timedelta) -> Sequence[Any]:
    if db.dialect.name != "sqlite":
        await db.execute(_WALK)  # until the claim's transaction ends
    until = {"private_until": now + PRIVATE_BURST, "group_until": now + GROUP_BURST}
    found = await db.execute(_DUE, {"now": now, "soon": now + lease, "room": room, **until})
    rows: Sequence[Any] = found.all()
    return rows


async def _charge_chats(db: Db, rows: Sequence[Any], now: datetime) -> None:
    """Move each chat's own bucket on; chats with nothing on theirs, in a broadcast nearly all, by one statement."""
    charged: dict[datetime, list[int]] = {}
    private, group = now + PRIVATE_EVERY, now + GROUP_EVERY
    for _, _, chat_id, *_, kind, _, _, _, _, tat in rows:
        at = private if kind == ChatKind.PRIVATE.value else group
        charged.setdefault(at if tat is None else tat + (at - now), []).append(chat_id)
    for tat, ids in charged.items():
        await db.execute(_CHARGE, {"ids": ids, "new_tat": tat})


async def finish(db: Db, marks: Iterable[Mark]) -> None:
    """Write down what became of claimed deliveries; a mark under an old fence changes nothing.

    One that comes after its lease ended still counts while nobody took the delivery again: it spares a copy.
    """
    now = await db_now(db)
    sent = []
    rows = []
    for mark in marks:
        if mark.state is State.SENT:
            sent.append(f"({mark.id:d},{mark.fence:d},{mark.message_id or 0:d})")
            continue
        rows.append(
            {
                "key": mark.id,
                "its_fence": mark.fence,
                "new_state": mark.state.value,
                "new_error": mark.error,
                "at": None if mark.state is State.PENDING else now,
                "next": now + (mark.retry_in or timedelta(0)),
                "new_doubts": mark.doubts,
                "new_tries": mark.tries,
                "new_plain": mark.plain,
            }
        )
    if sent:
        # numbers written out: binding three parameters a row costs four times what the statement does
        values = ",".join(sent)
        await db.execute(
            text(_SENT.format(values=values)).bindparams(bindparam("now", now, delivery.c.finished_at.type))
        )
    if rows:
        await db.execute(_FINISH, rows)


# VALUES calls its columns column1, column2, … on both databases
_SENT = """
UPDATE delivery SET state = 'sent', message_id = told.column3, finished_at = :now, error = NULL, tries = tries + 1,
  lease_until = NULL
FROM (VALUES {values}) AS told
WHERE delivery.id = told.column1 AND delivery.fence = told.column2 AND delivery.state IN ('leased', 'pending')
"""
_FINISH = (
    update(delivery)
    .where(
        delivery.c.id == bindparam("key"),
        delivery.c.fence == bindparam("its_fence"),
        or_(delivery.c.state == State.LEASED.value, delivery.c.state == State.PENDING.value),
    )
    .values(
        state=bindparam("new_state"),
        error=bindparam("new_error"),
        finished_at=bindparam("at"),
        not_before=bindparam("next"),
        doubts=bindparam("new_doubts"),
        tries=bindparam("new_tries"),
        plain=bindparam("new_plain"),
        lease_until=None,
    )
)


async def tidy(db: Db) -> int:
    """Free leases that ended without a mark, and close questions nobody answered. Returns how many were freed.

    A delivery whose sender vanished may have been made; a crash adds one to the copies a chat may get.
    """
    now = await db_now(db)
    unanswered = (alert.c.fanned_at.is_(None), alert.c.approval == Approval.WAITING.value, alert.c.expires_at <= now)
    await db.execute(update(alert).where(*unanswered).values(approval=Approval.EXPIRED.value, fanned_at=now))
    ended = and_(delivery.c.state == State.LEASED.value, delivery.c.lease_until <= now)
    return await _free(db, ended, now)


async def expire(db: Db, *, chunk: int = CLOSED_AT_ONCE) -> int:
    """Close deliveries that expired, a chunk at a time: after an outage it may be a million. Returns how many.

    Those of chats that were closed while they were made are closed too.
    """
    await _repeatable(db)
    if db.dialect.name != "sqlite":
        await db.execute(_WALK)  # else what was closed is read again for each chunk
    now = await db_now(db)
    late = _pending().where(delivery.c.expires_at <= now)
    closed = await _close(db, late, chunk, state=State.EXPIRED.value, finished_at=now)
    if db.dialect.name != "sqlite":  # where there is one writer at a time
        await _settle_closed(db, now, chunk)
    return closed


def _pending() -> Select[tuple[int]]:
    """The keys of deliveries that wait, in an order in which an index has them."""
    waits = text("delivery.state = 'pending'")  # as the indexes say it, or SQLite scans the table
    return select(delivery.c.id).where(waits)


async def _close(db: Db, which: Select[tuple[int]], chunk: int, **values: object) -> int:
    """Close the first `chunk` of those that wait; what another replica closes just now is left to it. How many."""
    first = which.limit(chunk).with_for_update(skip_locked=True, of=delivery)
    still = (delivery.c.id.in_(first), delivery.c.state == State.PENDING.value)
    done = await db.execute(update(delivery).where(*still).values(**values), execution_options=_COUNTED)
    return done.rowcount


async def _settle_closed(db: Db, now: datetime, chunk: int) -> None:
    """Close what a fan-out gave to a chat while that was closed: on a server neither sees the other's rows."""
    away = (~chat.c.active, chat.c.inactive_at > now - LEFT)
    theirs = _pending().join(chat, chat.c.id == delivery.c.chat_id).where(*away, _AS_OPEN)
    why = select(chat.c.inactive_why).where(chat.c.id == delivery.c.chat_id).scalar_subquery()
    await _close(db, theirs, chunk, state=State.DEAD.value, finished_at=now, error=why)


_AS_OPEN = text("delivery.state IN ('pending', 'leased')")  # as ix_delivery_open says it


async def free_all(db: Db) -> int:
    """Free every lease at once: for a start with the instance lock held, when no other sender can be alive."""
    now = await db_now(db)
    return await _free(db, delivery.c.state == State.LEASED.value, now)


async def _free(db: Db, which: ColumnElement[bool], now: datetime) -> int:
    values = {"state": State.PENDING.value, "lease_until": None, "not_before": now}
    freed = await db.execute(update(delivery).where(which).values(**values).returning(delivery.c.id))
    return len(freed.all())


def unbegun(item: Claimed) -> Mark:
    """The mark that gives a delivery back as it was."""
    return Mark(item.id, item.fence, State.PENDING, tries=item.tries, doubts=item.doubts, plain=item.plain)


async def release(db: Db, claimed: Iterable[Claimed]) -> None:
    """Give back deliveries that were not begun: another sender may take them at once."""
    await finish(db, [unbegun(item) for item in claimed])


async def pause_token(db: Db, token: str, span: timedelta) -> None:
    """Telegram refuses everything: no replica sends until then."""
    now = await db_now(db)
    values = {"paused_until": now + span}
    statement = upsert(db, pace).values(name=token, tat=now, **values)
    await db.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


async def hold_token(db: Db, token: str, span: timedelta) -> None:
    """No replica sends for at least `span`; a longer pause stays as it is."""
    now = await db_now(db)
    row = await _paced(db, token, now)
    if row.paused_until is None or row.paused_until < now + span:
        await db.execute(update(pace).where(pace.c.name == token).values(paused_until=now + span))


async def lift_token(db: Db, token: str, span: timedelta) -> None:
    """End the pause that `hold_token` made with this `span`; a longer one is another's, and stays."""
    now = await db_now(db)
    held = (pace.c.name == token, pace.c.paused_until <= now + span)
    await db.execute(update(pace).where(*held).values(paused_until=None))


async def is_paused(db: Db, token: str) -> bool:
    """Whether no replica may send now."""
    until = (await db.execute(select(pace.c.paused_until).where(pace.c.name == token))).scalar()
    return until is not None and until > await db_now(db)


async def pause_chat(db: Db, chat_id: int, span: timedelta) -> None:
    """Telegram refuses this chat for a while: nothing of it is claimed until then; others go on."""
    now = await db_now(db)
    for kind, burst in (
        (chat.c.kind == ChatKind.PRIVATE.value, PRIVATE_BURST),
        (chat.c.kind != ChatKind.PRIVATE.value, GROUP_BURST),
    ):
        await db.execute(update(chat).where(chat.c.id == chat_id, kind).values(tat=now + span + burst))


async def chat_ahead(db: Db, chat_id: int) -> timedelta:
    """How far a chat's own bucket is filled; locked in a writing transaction, so that it can be charged."""
    tat = (await db.execute(select(chat.c.tat).where(chat.c.id == chat_id).with_for_update())).scalar()
    return timedelta(0) if tat is None else max(tat - await db_now(db), timedelta(0))


async def charge_chat(db: Db, chat_id: int, count: int = 1) -> None:
    """Messages that were no deliveries fill a group's or channel's bucket too."""
    tat = await db_now(db) + await chat_ahead(db, chat_id) + GROUP_EVERY * count
    await db.execute(update(chat).where(chat.c.id == chat_id).values(tat=tat))


async def close_chat(db: Db, chat_id: int, *, why: str) -> None:
    """Stop writing to a chat: it is inactive and what waits for it is dead with the reason, in one commit.

    That its readers had asked for it before is remembered with what Telegram says.
    """
    now = await db_now(db)
    both = case((chat.c.inactive_why == STOPPED, STOPPED_AND + why), else_=why)
    values = {"active": False, "inactive_why": why if why == STOPPED else both, "inactive_at": now}
    await db.execute(update(chat).where(chat.c.id == chat_id).values(**values))
    waiting = and_(delivery.c.chat_id == chat_id, delivery.c.state == State.PENDING.value)
    await db.execute(update(delivery).where(waiting).values(state=State.DEAD.value, finished_at=now, error=why))


async def get_alert(db: Db, pk: int) -> StoredAlert | None:
    """One alert by its id, or None."""
    row = (await db.execute(select(alert).where(alert.c.id == pk))).first()
    return None if row is None else _stored(row)


def _stored(row: Any) -> StoredAlert:  # noqa: ANN401 - a result row
    return StoredAlert(
        id=row.id,
        payload=PAYLOADS[row.kind].from_json(row.payload),
        severity=Severity(row.severity),
        reasons=tuple(row.reasons),
        created_at=row.created_at,
    )


async def audience_of(db: Db, pk: int) -> Audience | None:
    """Whom an alert was for."""
    row = (await db.execute(select(alert.c.audience_key, alert.c.audience_chat).where(alert.c.id == pk))).first()
    return None if row is None else Audience(subscription=row.audience_key, chat=row.audience_chat)


async def message_of(db: Db, alert_pk: int, chat_id: int) -> int | None:
    """The ledger: the Telegram message that carried an alert to a chat."""
    query = select(delivery.c.message_id).where(delivery.c.alert_id == alert_pk, delivery.c.chat_id == chat_id)
    return (await db.execute(query)).scalar()


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many deliveries are in one state and lane."""

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
    last_error: str | None


async def summary(db: Db, *, now: datetime) -> Summary:
    """Counts by state and lane, age of the oldest, the last error."""
    # first: what is fanned out while we look is then counted once too often rather than not at all
    opened = await db.execute(select(func.count()).select_from(alert).where(alert.c.fanned_at.is_(None)))
    grouped = select(delivery.c.state, delivery.c.lane, func.count().label("n")).group_by(
        delivery.c.state, delivery.c.lane
    )
    counts = tuple(
        Count(state=row.state, lane=Lane(row.lane), count=row.n)
        for row in await db.execute(grouped.order_by(delivery.c.state, delivery.c.lane))
    )
    is_open = delivery.c.state.in_([State.PENDING.value, State.LEASED.value])
    oldest = await db.execute(
        select(func.min(alert.c.created_at)).where(
            alert.c.id == select(func.min(delivery.c.alert_id)).where(is_open).scalar_subquery()
        )
    )
    first = oldest.scalar()
    sent = await db.execute(select(func.max(delivery.c.finished_at)).where(delivery.c.state == State.SENT.value))
    error = await db.execute(
        select(delivery.c.error).where(delivery.c.error.is_not(None)).order_by(delivery.c.id.desc()).limit(1)
    )
    return Summary(
        counts=counts,
        open_alerts=int(opened.scalar_one()),
        waiting=sum(item.count for item in counts if item.state in {State.PENDING.value, State.LEASED.value}),
        oldest=None if first is None else max(now - first, timedelta(0)),
        last_sent_at=sent.scalar(),
        last_error=error.scalar(),
    )
