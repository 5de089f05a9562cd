"""Quiet hours: what is due within a chat's own is held, and told after them by one alert.

A chat's row says when its quiet hours begin and end, those of now or the next ones. They are over
when they were replaced by the next, in the transaction that decides what becomes of all that was
held: until then nothing of it leaves, and after it nothing is held any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Row, and_, func, or_, select, text, update

import storage.alerts
import storage.joined
from bot.model.alerts import Alert, Lane, State
from bot.model.chats import Post, Sound, read_sounds
from bot.model.quiet import QuietHours
from bot.reasons import reason, written
from storage.db import COUNTED, Db, db_now, on_commit, once
from storage.schema import alert, chat, delivery
from storage.types import is_among

log = structlog.get_logger(__name__)

AT_ONCE = 2_000  # deliveries that one transaction holds
CHATS_AT_ONCE = 100  # whose quiet hours one transaction ends
DIGEST_LIFE = timedelta(hours=6)  # of one that was held, from then on
# why such a delivery was not made
TURNED_OFF = written(reason("delivery.turned_off", "turned off while it was held"))

#: The alert about what was held for a chat: its number, its quiet hours as written if it still has
#: any, the last delivery that was held, and now.
Summary = Callable[[int, str | None, int, datetime], Alert]


def passes(post: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a column, or a question in its place
    """Whether a delivery comes in its chat's quiet hours too: by what it is, or as urgent."""
    return or_(post.is_(None), and_(delivery.c.lane == Lane.URGENT, chat.c.quiet_urgent))


async def hold(db: Db, *, chunk: int = AT_ONCE) -> int:
    """Hold some of what waits for chats that are in their quiet hours; how many deliveries."""
    return await _hold(db, [], chunk)


async def hold_new(db: Db, alerts: Sequence[int], *, after: int | None, last: int | None) -> int:
    """Hold those of alerts' deliveries, just made, for chats in their quiet hours; how many.

    The chats are between `after` and `last`.
    """
    mine: list[ColumnElement[bool]] = [delivery.c.alert_id == alerts[0]]
    if len(alerts) > 1:
        mine = [is_among(delivery.c.alert_id, alerts)]
    if after is not None:
        mine.append(chat.c.id > after)
    if last is not None:
        mine.append(chat.c.id <= last)
    return await _hold(db, mine, None)


async def _hold(db: Db, mine: Sequence[ColumnElement[bool]], chunk: int | None) -> int:
    now = await db_now(db)
    in_them = chat.c.quiet_begins_at <= now
    # most of the day nobody is: one look into a partial index, instead of a join
    if (await db.execute(select(chat.c.id).where(in_them).limit(1))).first() is None:
        return 0
    which = (
        select(delivery.c.id)
        .select_from(chat)
        .join(delivery, delivery.c.chat_id == chat.c.id)
        .join(alert, alert.c.id == delivery.c.alert_id)
        .where(
            in_them,
            delivery.c.state == State.PENDING.value,
            # as ix_delivery_open says it, or SQLite scans the table
            text("delivery.state IN ('pending', 'leased')"),
            delivery.c.expires_at > now,
            ~passes(alert.c.post),
            *mine,
        )
        .limit(chunk)
        .with_for_update(skip_locked=True, of=delivery)
    )
    until = select(chat.c.quiet_ends_at).where(chat.c.id == delivery.c.chat_id).scalar_subquery()
    held = (
        update(delivery)
        .where(delivery.c.id.in_(once(db, which)), delivery.c.state == State.PENDING.value)
        .values(state=State.HELD.value, not_before=until)
    )
    return (await db.execute(held, execution_options=COUNTED)).rowcount


async def plan(db: Db, chat_id: int) -> None:
    """Reckon a chat's quiet hours anew, after it chose others or another time zone.

    What is held waits until the end of those that are now; where there are none, it is told now.
    """
    row = (await db.execute(select(chat).where(chat.c.id == chat_id))).first()
    if row is not None:
        await _set_hours(db, row, await db_now(db))


async def _set_hours(db: Db, row: Row[Any], now: datetime) -> bool:
    """Write down a chat's quiet hours of now, or the next; whether it is within them."""
    begins_at, ends_at = None, None
    if row.quiet is not None:
        begins_at, ends_at = QuietHours.parse(row.quiet).at(now, row.time_zone)
    hours = {"quiet_begins_at": begins_at, "quiet_ends_at": ends_at}
    await db.execute(update(chat).where(chat.c.id == row.id).values(**hours))
    within = begins_at is not None and begins_at <= now
    await db.execute(
        update(delivery)
        .where(delivery.c.chat_id == row.id, _IS_HELD)
        .values(not_before=ends_at if within else now)
    )
    return within


#: As the partial indexes say it: a value would be another condition to the planner.
_IS_HELD = text("delivery.state = 'held'")


async def end(db: Db, summary: Summary, *, chunk: int = CHATS_AT_ONCE) -> int:
    """Let quiet hours that are over be followed by the next, and what they held be told.

    Returns how many chats that were. One chat at a time by whichever replica has its row.
    """
    now = await db_now(db)
    over = select(chat.c.id).where(chat.c.quiet_ends_at <= now).limit(chunk)
    # without quiet hours any more, or held beside the transaction that ended them
    late = select(delivery.c.chat_id).where(_IS_HELD, delivery.c.not_before <= now).limit(chunk)
    due = set((await db.execute(over)).scalars()) | set((await db.execute(late)).scalars())
    if not due:
        return 0
    rows = await db.execute(
        select(chat).where(chat.c.id.in_(due)).order_by(chat.c.id).with_for_update(skip_locked=True)
    )
    ended = rows.all()
    for row in ended:
        if not await _set_hours(db, row, now):
            await _collect(db, row, summary, now)
    return len(ended)


async def first_end(db: Db, *, after: datetime | None = None) -> datetime | None:
    """The first end of a chat's quiet hours, of those that end after a moment; None: nobody's.

    One that is past is of quiet hours that `end` has still to see to.
    """
    query = select(func.min(chat.c.quiet_ends_at)).where(chat.c.quiet_ends_at.is_not(None))
    if after is not None:
        query = query.where(chat.c.quiet_ends_at > after)
    ends: datetime | None = (await db.execute(query)).scalar()
    return ends


async def _collect(db: Db, row: Row[Any], summary: Summary, now: datetime) -> None:
    """Give what was held for a chat to one alert; a digest goes as what it is.

    A kind of post that the chat turned off meanwhile is told in neither way.
    """
    await storage.joined.part_held(db, row.id)
    query = (
        select(delivery.c.id, delivery.c.alert_id, alert.c.post)
        .join(alert, alert.c.id == delivery.c.alert_id)
        .where(delivery.c.chat_id == row.id, _IS_HELD)
        .order_by(delivery.c.id)
        # what is superseded at this moment is not told; the rest of it is looked for again
        .with_for_update(skip_locked=True, of=delivery)
    )
    held = (await db.execute(query)).all()
    sounds = read_sounds(row.sounds)
    off = {post.value for post, sound in sounds.items() if sound is Sound.OFF}
    unwanted, digests, others = [], [], []
    for one in held:
        if one.post in off:
            unwanted.append(one.id)
        elif one.post == Post.DIGESTS.value:
            digests.append(one.id)
        else:
            others.append(one)
    if unwanted:
        values = {"state": State.CANCELLED.value, "finished_at": now}
        await _change(db, unwanted, **values, error=TURNED_OFF)
    if digests:
        values = {"state": State.PENDING.value, "not_before": now}
        await _change(db, digests, **values, expires_at=now + DIGEST_LIFE)
    if not others:
        return
    told = await storage.alerts.enqueue(db, summary(row.id, row.quiet, others[-1].id, now))
    values = {"state": State.COLLECTED.value, "finished_at": now}
    await _change(db, [one.id for one in others], **values, within=told)
    # from each of them its number leads to the message that tells it
    alerts = [one.alert_id for one in others]
    on_commit(db, partial(log.debug, "collected", alert=told, alerts=alerts))


async def _change(db: Db, ids: Sequence[int], **values: object) -> None:
    await db.execute(update(delivery).where(delivery.c.id.in_(ids), _IS_HELD).values(**values))


async def collected(db: Db, told: int, chat_id: int) -> list[int]:
    """The alerts that an alert told a chat together, as they were decided."""
    mine = (delivery.c.within == told, delivery.c.chat_id == chat_id)
    query = select(delivery.c.alert_id).where(*mine).order_by(delivery.c.alert_id)
    return list((await db.execute(query)).scalars())


async def told_within(db: Db, alert_id: int, chat_id: int) -> int | None:
    """The alert that told a chat this one together with others; None where none did."""
    which = (delivery.c.alert_id == alert_id, delivery.c.chat_id == chat_id)
    return (await db.execute(select(delivery.c.within).where(*which))).scalar()
