"""One fact once: what several alerts tell a chat of one day's rate leaves in one message.

The first of those that are for this chat alone, a rule's, carries the rest: their deliveries are
collected within its own, as those that waited for the end of quiet hours are within a summary.
Nobody has them yet: they part again when the one that carries them is taken back or held.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    bindparam,
    func,
    or_,
    select,
    text,
    update,
)

from bot.model.alerts import State
from bot.model.chats import Post
from storage.db import Db, db_now
from storage.schema import alert, delivery
from storage.types import Numbers

_IDS = bindparam("ids", type_=Numbers(), literal_execute=True)
_WAITS = (State.PENDING.value, State.HELD.value)


def tells_a_rate(of: FromClause) -> ColumnElement[bool]:
    """Whether an alert tells a day's rate; a correction answers what told one, by itself."""
    return of.c.about_series.is_not(None) & (
        of.c.audience_told.is_(None) | of.c.audience_key.is_not(None)
    )


def is_of_a_rate(row: Any) -> bool:  # noqa: ANN401 - a row
    """Whether an alert at hand tells a day's rate, as `tells_a_rate` asks the store."""
    about = row.about_series is not None
    return about and (row.audience_told is None or row.audience_key is not None)


async def is_behind(
    db: Db,
    row: Any,  # noqa: ANN401 - a row
    left_out: Collection[int],
) -> bool:
    """Whether an elder alert about the rate of this one is open: another replica is at it, and
    gives this one out as well. Those `left_out` are waited for by nobody.
    """
    which = [alert.c.id < row.id, alert.c.fanned_at.is_(None)]
    if left_out:
        which.append(alert.c.id.not_in(left_out))
    query = select(alert.c.id).where(*_about(row.about_series, row.about_day), *which).limit(1)
    return (await db.execute(query)).first() is not None


async def nearer(
    db: Db,
    row: Any,  # noqa: ANN401 - a row
    *,
    after: int | None,
    last: int | None,
    chunk: int,
) -> int | None:
    """The last chat of a chunk, a nearer one where more open alerts for one chat come with it."""
    query = (
        select(alert.c.audience_chat)
        .where(*_open_beside(row, after, last))
        .order_by(alert.c.audience_chat)
        .offset(chunk - 1)
        .limit(1)
    )
    found: int | None = (await db.execute(query)).scalar()
    return last if found is None else found


def _open_beside(
    row: Any,  # noqa: ANN401 - a row
    after: int | None,
    last: int | None,
) -> list[ColumnElement[bool]]:
    return [
        *_about(row.about_series, row.about_day),
        *_chats(after, last),
        alert.c.id != row.id,
        alert.c.fanned_at.is_(None),
    ]


async def open_beside(
    db: Db,
    row: Any,  # noqa: ANN401 - a row
    *,
    after: int | None,
    last: int | None,
) -> Sequence[Any]:
    """The open alerts about the rate of this one that are for one chat of those it goes to now."""
    query = (
        select(alert.c.id, alert.c.post)
        .where(*_open_beside(row, after, last))
        .order_by(alert.c.id)
        # one that is being taken back at this moment is told to nobody
        .with_for_update(skip_locked=True)
    )
    return (await db.execute(query)).all()


def _about(series: str, day: date) -> list[ColumnElement[bool]]:
    return [alert.c.about_series == series, alert.c.about_day == day, tells_a_rate(alert)]


def _chats(after: int | None, last: int | None) -> list[ColumnElement[bool]]:
    """The condition on alerts for one chat each, of chats between these."""
    found: list[ColumnElement[bool]] = [alert.c.audience_chat.is_not(None)]
    if after is not None:
        found.append(alert.c.audience_chat > after)
    if last is not None:
        found.append(alert.c.audience_chat <= last)
    return found


async def join_beside(
    db: Db,
    row: Any,  # noqa: ANN401 - a row
    *,
    after: int | None,
    last: int | None,
) -> None:
    """Let what tells a chat the rate of this alert leave together; for chats it goes to now."""
    await _join(db, _about(row.about_series, row.about_day), _chats(after, last))


async def _join(
    db: Db, about: Sequence[ColumnElement[bool]], whose: Sequence[ColumnElement[bool]]
) -> None:
    """Give what waits for a chat to the first delivery of an alert for it alone, those of `whose`.

    All of it held is told together anyway. Where some of it is due now, all is.
    """
    now = await db_now(db)
    collected: list[str] = []
    passed: list[dict[str, Any]] = []
    urged: list[dict[str, Any]] = []
    for mine in await _of_chats(db, about, whose):
        own = next(one for one in mine if one.audience_chat is not None)
        due = [one for one in mine if one.state == State.PENDING.value]
        if not due or len(mine) == 1:
            continue
        # together they leave as early as the most urgent of them would have by itself
        lane = min(one.lane for one in due)
        if own not in due or lane < own.lane:
            urged.append({"key": own.id, "as_early": lane, "now": now})
        others = [one for one in mine if one is not own]
        collected += [f"({one.id:d},{own.alert_id:d})" for one in others]
        # one that failed and comes back may carry some itself
        carriers = [one.alert_id for one in others if one.audience_chat is not None]
        passed += [{"inner": one, "whose": own.chat_id, "told": own.alert_id} for one in carriers]
    if urged:
        await db.execute(_URGE, urged)
    if collected:
        statement = text(_COLLECT.format(values=",".join(collected)))
        at = bindparam("now", now, delivery.c.finished_at.type)
        await db.execute(statement.bindparams(at))
    if passed:
        await db.execute(_PASS_ON, passed)


async def _of_chats(
    db: Db, about: Sequence[ColumnElement[bool]], whose: Sequence[ColumnElement[bool]]
) -> list[list[Any]]:
    """The deliveries that wait for chats which have one of an alert for them alone, locked; a
    chat's of one day together, oldest first.
    """
    waiting = (
        select(
            delivery.c.id,
            delivery.c.alert_id,
            delivery.c.chat_id,
            delivery.c.state,
            delivery.c.lane,
            alert.c.audience_chat,
            alert.c.about_day,
        )
        .join(alert, alert.c.id == delivery.c.alert_id)
        .where(*about, delivery.c.state.in_(_WAITS))
        .with_for_update(skip_locked=True, of=delivery)
    )
    # asked by itself: else each chat would be looked up with each alert
    theirs = waiting.where(*whose, delivery.c.chat_id == alert.c.audience_chat)
    rows = list(await db.execute(theirs))
    own = {(one.chat_id, one.about_day) for one in rows}
    if not own:
        return []
    among = delivery.c.chat_id.op("IN", is_comparison=True)(_IDS)
    of_all = waiting.where(alert.c.audience_chat.is_(None), among)
    rows += list(await db.execute(of_all, {"ids": sorted({chat for chat, _ in own})}))
    rows.sort(key=lambda one: (one.chat_id, one.about_day, one.alert_id))
    groups = groupby(rows, key=lambda one: (one.chat_id, one.about_day))
    return [list(mine) for key, mine in groups if key in own]


_URGE = (
    update(delivery)
    .where(delivery.c.id == bindparam("key"))
    .values(state=State.PENDING.value, lane=bindparam("as_early"), not_before=bindparam("now"))
)
# numbers written out, as where deliveries are marked: a statement for each costs ten times that;
# VALUES calls its columns column1, column2, … on both databases
_COLLECT = """
UPDATE delivery SET state = 'collected', within = told.column2, finished_at = :now
FROM (VALUES {values}) AS told
WHERE delivery.id = told.column1
"""
_PASS_ON = (
    update(delivery)
    .where(delivery.c.within == bindparam("inner"), delivery.c.chat_id == bindparam("whose"))
    .values(within=bindparam("told"))
)


async def part(db: Db, series: str, alerts: Sequence[int], *, own: bool) -> Collection[int]:
    """Let these alerts stand by themselves again where a message that nobody has yet would tell
    them with others, or others with them; of which chats. Afterwards `rejoin` what is left.

    `own` ones are for one chat each, and only such carry others.
    """
    carrier, told = delivery.alias("carrier"), alert.alias("told")
    query = (
        select(delivery.c.id, delivery.c.chat_id)
        .select_from(told)
        .join(carrier, carrier.c.alert_id == told.c.id)
        .join(
            delivery,
            (delivery.c.within == carrier.c.alert_id) & (delivery.c.chat_id == carrier.c.chat_id),
        )
        .where(
            told.c.about_series == series,
            told.c.audience_chat.is_not(None),
            told.c.expires_at > await db_now(db),
            carrier.c.state.in_(_WAITS),
            delivery.c.state == State.COLLECTED.value,
        )
        # whichever is taken by a sender at this moment is told
        .with_for_update(skip_locked=True, of=[carrier, delivery])
    )
    within = query.where(delivery.c.alert_id.in_(alerts))
    if own:  # of few: asked from that side, or each of many rules reads all of its day
        mine = select(delivery.c.within).where(
            delivery.c.alert_id.in_(alerts), delivery.c.within.is_not(None)
        )
        within = within.where(told.c.id.in_(mine))
    rows = list(await db.execute(within))
    if own:
        rows += list(await db.execute(query.where(told.c.id.in_(alerts))))
    if rows:
        await db.execute(_PART, {"ids": [one.id for one in rows]})
    return {one.chat_id for one in rows}


_PART = (
    update(delivery)
    .where(delivery.c.id.op("IN", is_comparison=True)(_IDS))
    .values(state=State.PENDING.value, within=None, finished_at=None)
)


async def rejoin(db: Db, series: str, chats: Collection[int]) -> None:
    """Let what is left of parted alerts leave together, each day's by itself."""
    if chats:
        about = [alert.c.about_series == series, tells_a_rate(alert)]
        await _join(db, about, [alert.c.audience_chat.in_(chats)])


async def part_held(db: Db, chat_id: int) -> None:
    """Hold each delivery that a held one of this chat carries by itself: a summary asks of each
    part whether it is still wanted.
    """
    theirs = delivery.alias("theirs")
    held = select(theirs.c.alert_id).where(
        theirs.c.chat_id == chat_id, text("theirs.state = 'held'")
    )
    await db.execute(
        update(delivery)
        .where(
            delivery.c.chat_id == chat_id,
            delivery.c.state == State.COLLECTED.value,
            delivery.c.within.in_(held),
        )
        .values(state=State.HELD.value, within=None, finished_at=None)
    )


async def parts(db: Db, pk: int, chat_id: int) -> list[int]:
    """The alerts that an alert about a rate tells a chat with it, as they were decided."""
    carrier = alert.alias("carrier")
    query = (
        select(delivery.c.alert_id)
        .join(carrier, carrier.c.id == delivery.c.within)
        .where(
            delivery.c.within == pk,
            delivery.c.chat_id == chat_id,
            carrier.c.about_series.is_not(None),
        )
        .order_by(delivery.c.alert_id)
    )
    return list((await db.execute(query)).scalars())


async def carrier(db: Db, pk: int, chat_id: int) -> int:
    """The alert under whose number a chat was told this one: another one's, or its own."""
    its = (delivery.c.alert_id == pk, delivery.c.chat_id == chat_id)
    within: int | None = (await db.execute(select(delivery.c.within).where(*its))).scalar()
    return within or pk


async def rules_beside(db: Db, pk: int, chat_id: int) -> bool:
    """Whether one message told a chat this alert of a rate and others that are for it alone."""
    first = await carrier(db, pk, chat_id)
    told = [first, *await parts(db, first, chat_id)]
    own = select(func.count()).where(alert.c.id.in_(told), alert.c.audience_chat == chat_id)
    return (await db.execute(own)).scalar_one() > 1


def is_carried() -> ColumnElement[bool]:
    """Whether a delivery's alert was told within another one about its rate, or in one summary
    behind another about it: what follows that one is enough for both.
    """
    told = alert.alias("told")
    carried = select(told.c.id).where(
        told.c.id == delivery.c.within, told.c.about_series.is_not(None)
    )
    mine, first, other = alert.alias("mine"), delivery.alias("first"), alert.alias("other")
    summary = alert.alias("summary")  # one chat's, so that few are within it
    behind = (
        select(first.c.id)
        .join(summary, summary.c.id == first.c.within)
        .join(other, other.c.id == first.c.alert_id)
        .join(mine, mine.c.id == delivery.c.alert_id)
        .where(
            summary.c.id == delivery.c.within,
            summary.c.about_series.is_(None),
            first.c.chat_id == delivery.c.chat_id,
            first.c.alert_id < delivery.c.alert_id,
            other.c.about_series == mine.c.about_series,
            other.c.about_day == mine.c.about_day,
        )
    )
    return or_(carried.exists(), behind.exists())


async def posts(db: Db, pk: int, chat_id: int) -> list[Post]:
    """The kinds of post of all that an alert tells a chat with it."""
    told = select(alert.c.post).where(
        alert.c.id.in_(await parts(db, pk, chat_id)), alert.c.post.is_not(None)
    )
    return [Post(one) for one in (await db.execute(told)).scalars()]
