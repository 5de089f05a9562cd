"""What is kept back from chats: which alerts from whom, and by which filter; or by none, where a
story turns out to be near to their places after it was told.

Such a row lasts while its alert is worth sending. When the alert's story grows, these chats alone
are asked about it again, by one more round of its fan-out (`among_kept`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

import storage.filters
from bot.model.alerts import Approval
from bot.model.filters import StoredFilter
from storage.alerts import CLEARED, StoredAlert, stored_alert
from storage.db import COUNTED, Db, db_now, upsert
from storage.schema import alert, chat, chat_place, delivery, kept_back, news_filter
from storage.types import is_among

NO_FILTER = 0  # in the place of a filter's number: the story was not near
#: Of some chats' filters those that keep an alert back, one of each chat at most.
Sift = Callable[[Sequence[StoredFilter]], Awaitable[Collection[int]]]
#: How filters are asked about an alert; None of one that they say nothing about.
Sieve = Callable[[Db, StoredAlert], Awaitable[Sift | None]]


async def sifted(
    db: Db,
    row: Any,  # noqa: ANN401 - a row
    members: Select[Any],
    last: int | None,
    sieve: Sieve | None,
) -> Select[Any]:
    """The readers of a chunk whose filters let the alert through."""
    sift = None if sieve is None else await sieve(db, stored_alert(row))
    if row.among_kept:
        return await _through(db, row, members, last, sift)
    if sift is None:
        return members
    filters = await storage.filters.among(db, members, after=row.fanned_to, last=last)
    kept = await sift(filters) if filters else ()
    if not kept:
        return members
    # an edit that is kept back is no message that somebody misses
    counted = row.audience_told is None
    await _keep(db, kept, row.id, counted=counted)
    return members.where(~_is_from(chat.c.id, row.id))


async def _through(
    db: Db,
    row: Any,  # noqa: ANN401 - a row
    members: Select[Any],
    last: int | None,
    sift: Sift | None,
) -> Select[Any]:
    """The readers of a chunk whose filters kept the alert back, and let it through now."""
    if sift is None or await _is_overtaken(db, row):
        return members.where(false())
    filters = await storage.filters.among(db, members, after=row.fanned_to, last=last)
    kept = set(await sift(filters))
    still = {one.chat for one in filters if one.id in kept}
    through = set((await db.execute(members)).scalars()) - still
    return select(chat.c.id.label("chat_id")).where(is_among(chat.c.id, through))


async def _is_overtaken(db: Db, row: Any) -> bool:  # noqa: ANN401 - a row
    """Whether another alert has told the story of this one since: it goes to the same readers."""
    later = (alert.c.about_story == row.about_story, alert.c.id > row.id, CLEARED)
    return (await db.execute(select(alert.c.id).where(*later).limit(1))).first() is not None


async def _keep(db: Db, pks: Collection[int], told: int, *, counted: bool) -> None:
    """Note the filters that keep an alert back, one of each chat; where it is `counted`, as one
    message more.
    """
    which = is_among(news_filter.c.id, pks)
    source = select(literal(told), news_filter.c.chat_id, news_filter.c.id).where(which)
    rows = upsert(db, kept_back).from_select(["alert_id", "chat_id", "filter_id"], source)
    await db.execute(rows.on_conflict_do_nothing())
    if counted:
        await _count(db, which, 1)


async def _count(db: Db, which: ColumnElement[bool], more: int) -> None:
    if db.dialect.name != "sqlite":
        # two fan-outs that count with the same filters take them in one order
        held = select(news_filter.c.id).where(which).order_by(news_filter.c.id)
        await db.execute(held.with_for_update())
    counted = update(news_filter).where(which)
    await db.execute(counted.values(kept=news_filter.c.kept + more))


def _is_from(whom: ColumnElement[int], told: int) -> ColumnElement[bool]:
    """Whether a filter of this chat keeps the alert back."""
    mine = (kept_back.c.chat_id == whom, kept_back.c.alert_id == told)
    return select(kept_back.c.chat_id).where(*mine).exists()


async def chats(db: Db, told: int, *, after: int | None = None, most: int) -> Sequence[int]:
    """The first chats behind `after` that an alert is kept back from, sorted."""
    mine = [kept_back.c.alert_id == told]
    if after is not None:
        mine.append(kept_back.c.chat_id > after)
    query = select(kept_back.c.chat_id).where(*mine).order_by(kept_back.c.chat_id)
    return (await db.execute(query.limit(most))).scalars().all()


# --- asked again ----------------------------------------------------------------------------------


#: The places that a story is near to, as its reports and its measurement say by now.
Nearness = Callable[[], Awaitable[Collection[str]]]


async def _nowhere() -> Collection[str]:
    return ()


async def ask_again(db: Db, story: int, *, now: datetime, near: Nearness = _nowhere) -> None:
    """Let those whom a story was kept from be asked about it again, since it says more now: by a
    round of its alert's fan-out among the chats whose filters kept it back, and those of places
    that it is `near` to and was not before; behind the first round.

    Of its last alert that needed no word of an operator, or has it; not of one that is not worth
    sending any more. One that waits for a word will be for those places, too.
    """
    its = alert.c.about_story == story
    newest = select(func.max(alert.c.id)).where(its, CLEARED).scalar_subquery()
    waits = and_(alert.c.approval == Approval.WAITING.value, alert.c.fanned_at.is_(None))
    live = select(alert).where(its, or_(alert.c.id == newest, waits))
    # the one that waits first, as whoever decides about it takes them
    live = live.where(alert.c.expires_at > await db_now(db)).order_by(alert.c.id.desc())
    # behind a fan-out that is at it: only a question that begins then sees whom it was kept from
    rows = (await db.execute(live.with_for_update())).all()
    places = frozenset(await near()) if rows else frozenset[str]()
    for row in rows:
        more = places.difference(row.near or ())
        if more:
            wider = sorted(places.union(row.near or ()))
            await db.execute(update(alert).where(alert.c.id == row.id).values(near=wider))
        if row.approval != Approval.WAITING.value:
            await _ask_again(db, row, more, now)


async def _ask_again(
    db: Db,
    row: Any,  # noqa: ANN401 - a row
    more: Collection[str],
    now: datetime,
) -> None:
    first_is_over = row.among_kept or row.fanned_at is not None
    if more and (first_is_over or row.fanned_to is not None):
        await _keep_from_places(db, row.id, more, last=None if first_is_over else row.fanned_to)
    if not await chats(db, row.id, most=1):
        return
    values: dict[str, Any] = {"grew_at": now, "among_kept": first_is_over, "fanned_at": None}
    if first_is_over:
        values["fanned_to"] = None
    await db.execute(update(alert).where(alert.c.id == row.id).values(**values))


async def _keep_from_places(
    db: Db, told: int, places: Collection[str], *, last: int | None
) -> None:
    """Note the chats of these places that were not given an alert, up to the `last` that was looked
    at; no filter counts it.
    """
    theirs = chat_place.c.chat_id
    given = select(delivery.c.id).where(delivery.c.alert_id == told, delivery.c.chat_id == theirs)
    source = select(literal(told), theirs, literal(NO_FILTER)).distinct()
    source = source.where(chat_place.c.place.in_(sorted(places)), ~given.exists())
    if last is not None:
        source = source.where(theirs <= last)
    rows = upsert(db, kept_back).from_select(["alert_id", "chat_id", "filter_id"], source)
    await db.execute(rows.on_conflict_do_nothing())


async def let_through(db: Db, told: int, *, after: int | None, last: int | None) -> None:
    """Forget that an alert was kept from chats which have a delivery of it now: nor is it counted
    any more. The chats are between `after` and `last`.
    """
    theirs = select(delivery.c.id).where(
        delivery.c.alert_id == told, delivery.c.chat_id == kept_back.c.chat_id
    )
    mine: list[ColumnElement[bool]] = [kept_back.c.alert_id == told, theirs.exists()]
    if after is not None:
        mine.append(kept_back.c.chat_id > after)
    if last is not None:
        mine.append(kept_back.c.chat_id <= last)
    counted_by = select(kept_back.c.filter_id).where(*mine)
    await _count(db, news_filter.c.id.in_(counted_by), -1)
    await db.execute(delete(kept_back).where(*mine))


# --- its end --------------------------------------------------------------------------------------


async def migrate(db: Db, old: int, new: int) -> None:
    """A group's go with it to its new number."""
    theirs = kept_back.alias("theirs")
    twin = select(theirs.c.alert_id).where(theirs.c.chat_id == new)
    mine = kept_back.c.chat_id == old
    await db.execute(delete(kept_back).where(mine, kept_back.c.alert_id.in_(twin)))
    await db.execute(update(kept_back).where(mine).values(chat_id=new))


async def forget(db: Db, piece: int) -> int:
    """Forget some of what was kept back of alerts that are not worth sending any more; how many."""
    live = select(alert.c.id).where(
        alert.c.id == kept_back.c.alert_id, alert.c.expires_at > await db_now(db)
    )
    columns = (kept_back.c.alert_id, kept_back.c.chat_id)
    old = select(*columns).where(~live.exists()).limit(piece)
    gone = delete(kept_back).where(tuple_(*columns).in_(old))
    return (await db.execute(gone, execution_options=COUNTED)).rowcount
