"""The fan-out: an open alert becomes deliveries, one for each chat of its audience, in chunks.

What a chat's filters keep back is decided in the transaction of its chunk; only chats that have
filters are looked at for it. Where the story has grown meanwhile, one more round goes among those
that it was kept from, and asks again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    Select,
    and_,
    bindparam,
    literal,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError

import storage.chats
import storage.joined
import storage.kept_back
import storage.places
import storage.quiet
import storage.withheld
from bot.errors import NewerError
from bot.model.alerts import EVERYBODY, Severity, State
from bot.model.chats import Post, Sound, Wakes, write_sounds
from bot.model.subjects import SECURITY
from bot.reasons import Reason
from storage.alerts import CLEARED, got, stored_alert
from storage.db import COUNTED, Db, db_now, forgettable, upsert
from storage.due import only_stopped
from storage.kept_back import Sieve
from storage.schema import alert, chat, delivery, subscription
from storage.types import Numbers, is_among
from storage.withheld import Editor

CHUNK = 4_000  # deliveries a transaction makes: short enough that replies and marks get in between
SERVER_CHUNK = 10_000  # on a server, where others write beside it


async def fan_out(
    db: Db,
    *,
    chunk: int | None = None,
    sieve: Sieve | None = None,
    editor: Editor | None = None,
    unread: dict[int, Reason] | None = None,
) -> int | None:
    """Give the oldest open alert of the first lane its next chunk of deliveries.

    None for a chat whose filters keep it back by the `sieve`; that is counted with the filter. That
    of a channel whose policy asks more of a story, as the `editor` knows it, is withheld. An alert
    that the sieve cannot read joins the `unread`, which are left open for a program that can.

    Returns how many, or None when none is open. The cursor moves in the same transaction: a crash
    repeats or loses nothing.
    """
    await forgettable(db)
    oldest = _OLDEST_OPEN
    if unread:
        oldest = oldest.where(alert.c.id.not_in(unread))
    row = (await db.execute(oldest)).first()
    if row is None or await _is_anothers(db, row, unread or ()):
        return None
    now = await db_now(db)
    last: int | None = None
    if row.audience_chat is not None:  # one chat is one chunk
        members = _lone_chat(row)
    else:
        members, last = await _next_chunk(db, row, now, chunk or _chunk(db, row))
        try:
            members = await storage.kept_back.sifted(db, row, members, last, sieve)
        except NewerError as newer:
            if unread is None:
                raise
            unread[row.id] = newer.reason
            return 0  # the next is another's turn
    size = await _deliver(db, row, members, now)
    if size and row.about_story is not None:
        await _settle(db, row, last, editor)
    if storage.joined.is_of_a_rate(row):
        size = await _join(db, row, size, last, now, chunk or _chunk(db, row))
    elif size and row.post is not None:
        await storage.quiet.hold_new(db, [row.id], after=row.fanned_to, last=last)
    if last is not None:
        await _mark(db, row, fanned_to=last)
        return size
    await _end_round(db, row, now)
    return size


#: The alert to go on with. Of several replicas each takes another one.
_OLDEST_OPEN = (
    select(alert)
    .where(
        alert.c.fanned_at.is_(None),
        # what waits for an operator's word is nobody's yet
        CLEARED,
    )
    .order_by(alert.c.lane, alert.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)


async def _is_anothers(
    db: Db,
    row: Any,  # noqa: ANN401 - a row
    left_out: Collection[int],
) -> bool:
    """Whether another replica gives out what goes before an alert for one chat, and it too."""
    alone = row.audience_chat is not None and storage.joined.is_of_a_rate(row)
    return alone and await storage.joined.is_behind(db, row, left_out)


def _lone_chat(row: Any) -> Select[Any]:  # noqa: ANN401 - a row
    """The chat of an alert for one, where it wants that."""
    wants: ColumnElement[bool] = and_(chat.c.active, _is_on(row.post))
    if row.awaited:
        wants = or_(wants, only_stopped())
    return select(chat.c.id.label("chat_id")).where(chat.c.id == row.audience_chat, wants)


def _chunk(db: Db, row: Any) -> int:  # noqa: ANN401 - a row
    chunk = CHUNK if db.dialect.name == "sqlite" else SERVER_CHUNK
    return chunk // 2 if row.among_kept else chunk  # each of these has filters to be asked


async def _next_chunk(
    db: Db,
    row: Any,  # noqa: ANN401 - a row
    now: datetime,
    chunk: int,
) -> tuple[Select[Any], int | None]:
    """The next readers of an alert, and the last one meant; None when no others follow.

    The end is found among those meant, before it is asked who of them wants it: a chunk may come
    out smaller, and never costs more than `chunk` rows of one index.
    """
    member, among, willing = _audience(row, now)
    if row.fanned_to is not None:
        among.append(member > row.fanned_to)
    last: int | None
    if row.among_kept:
        kept = await storage.kept_back.chats(db, row.id, after=row.fanned_to, most=chunk)
        last = kept[-1] if len(kept) == chunk else None
        among.append(is_among(member, kept))
    else:
        end = select(member).where(*among).order_by(member).offset(chunk - 1).limit(1)
        last = (await db.execute(end)).scalar()
    if storage.joined.is_of_a_rate(row):
        after = row.fanned_to
        last = await storage.joined.nearer(db, row, after=after, last=last, chunk=chunk)
    if last is not None:
        among.append(member <= last)
    members = select(member).join(chat, chat.c.id == member)
    members = members.where(*among, *willing, chat.c.active)
    # said of both sides, or PostgreSQL merges from the very first chat, every chunk
    if row.fanned_to is not None:
        members = members.where(chat.c.id > row.fanned_to)
    if last is not None:
        members = members.where(chat.c.id <= last)
    return members, last


async def _deliver(
    db: Db,
    row: Any,  # noqa: ANN401 - a row
    members: Select[Any],
    now: datetime,
) -> int:
    """Make a delivery for each of these readers, by one statement; how many."""
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
    rows = upsert(db, delivery).from_select(columns, source.where(text("true")))
    careful = rows.on_conflict_do_nothing()
    # A server that looks out for conflicts makes each row for trial and confirms it: a third of
    # what a chunk costs. There is one only where a group moved among the chats still to come.
    if db.dialect.name != "sqlite" and row.audience_chat is None:
        with suppress(IntegrityError):
            async with db.begin_nested():
                return await _count(db, rows)
    return await _count(db, careful)


async def _settle(
    db: Db,
    row: Any,  # noqa: ANN401 - a row
    last: int | None,
    editor: Editor | None,
) -> None:
    """With a chunk of a story, what channels' policies and chats' filters make of it."""
    if row.among_kept:  # no channels, which have no filters: what they withheld is as it was
        await storage.kept_back.let_through(db, row.id, after=row.fanned_to, last=last)
    elif editor is not None:
        told = stored_alert(row)
        await storage.withheld.withhold(db, told, editor, after=row.fanned_to, last=last)


async def _join(
    db: Db,
    row: Any,  # noqa: ANN401 - a row
    size: int,
    last: int | None,
    now: datetime,
    chunk: int,
) -> int:
    """With a chunk of an alert about a rate, what else tells its chats that rate; how many in all.

    In the transaction that made the chunk: nothing of it leaves before the rest is there.
    """
    after = row.fanned_to
    if row.audience_chat is not None:  # those for the chats that follow come along
        after = row.audience_chat - 1
        last = await storage.joined.nearer(db, row, after=after, last=None, chunk=chunk)
    beside = await storage.joined.open_beside(db, row, after=after, last=last)
    size += await _deliver_beside(db, beside, now)
    if size:
        new = [row.id, *(one.id for one in beside)]
        await storage.quiet.hold_new(db, new, after=after, last=last)
        await storage.joined.join_beside(db, row, after=after, last=last)
    return size


async def _deliver_beside(db: Db, beside: Sequence[Any], now: datetime) -> int:
    """Make the deliveries of alerts for one chat each, and close them; how many."""
    made = 0
    for post, of_post in groupby(sorted(beside, key=_post_of), key=_post_of):
        mine = [one.id for one in of_post]
        source = (
            select(
                alert.c.id,
                alert.c.audience_chat,
                alert.c.lane,
                literal(State.PENDING.value),
                literal(now, delivery.c.not_before.type),
                alert.c.expires_at,
            )
            .join(chat, chat.c.id == alert.c.audience_chat)
            .where(alert.c.id.op("IN", is_comparison=True)(_IDS), chat.c.active, _is_on(post))
        )
        columns = ["alert_id", "chat_id", "lane", "state", "not_before", "expires_at"]
        rows = upsert(db, delivery).from_select(columns, source).on_conflict_do_nothing()
        made += (await db.execute(rows, {"ids": mine}, execution_options=COUNTED)).rowcount
        closed = update(alert).where(alert.c.id.op("IN", is_comparison=True)(_IDS))
        await db.execute(closed.values(fanned_at=now), {"ids": mine})
    return made


def _post_of(row: Any) -> str:  # noqa: ANN401 - a row
    return row.post or ""


_IDS = bindparam("ids", type_=Numbers(), literal_execute=True)


async def _count(db: Db, insert: Insert) -> int:
    return int((await db.execute(insert, execution_options=COUNTED)).rowcount)


async def _end_round(
    db: Db,
    row: Any,  # noqa: ANN401 - a row
    now: datetime,
) -> None:
    """Close an alert, or go on among those that it is kept from, where its story grew meanwhile."""
    if row.grew_at is not None and not row.among_kept:
        await _mark(db, row, fanned_to=None, among_kept=True)
    else:
        await _mark(db, row, fanned_at=now)
    if row.fanned_to is not None:  # it was more than a chunk
        await _analyze(db)


async def _mark(db: Db, row: Any, **values: object) -> None:  # noqa: ANN401 - a row
    await db.execute(update(alert).where(alert.c.id == row.id).values(**values))


async def _analyze(db: Db) -> None:
    """Tell SQLite that the table has grown; a server does it by itself."""
    if db.dialect.name == "sqlite":
        await db.execute(text("PRAGMA analysis_limit = 400"))  # the whole table would take seconds
        await db.execute(text("ANALYZE delivery"))


def _is_on(post: str | None) -> ColumnElement[bool]:
    """Whether a chat is told of that kind of post at all."""
    if not post:
        return true()
    return ~chat.c.sounds.contains(write_sounds({Post(post): Sound.OFF}))


def _hear_of_calm(near: frozenset[str]) -> ColumnElement[bool]:
    """The readers who may hear of a calm story: who wants all, and who is near."""
    member = subscription.c.chat_id
    all_of_it = member.in_(storage.chats.WANT_ALL)
    return or_(all_of_it, member.in_(storage.places.chats_at(near))) if near else all_of_it


def _audience(
    row: Any,  # noqa: ANN401 - a row
    now: datetime,
) -> tuple[ColumnElement[int], list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """The column of an alert's readers, the conditions on who is meant, and on who wants it now."""
    if row.audience_key == EVERYBODY:
        # another name of the table, because each member is looked up in it
        return chat.alias("everybody").c.id.label("chat_id"), [], [_is_on(row.post)]
    if row.announces:  # whenever they came, and however grave they want its news
        its = subscription.c.key == row.audience_key
        return subscription.c.chat_id, [its], [_is_on(row.post), storage.chats.awake(now)]
    if row.audience_told is not None and row.audience_key is None:  # those who got another alert
        # once where one message told it with others about the same: that one is followed by it too
        theirs_alone = [*got(delivery, row.audience_told), ~storage.joined.is_carried()]
        return delivery.c.chat_id, theirs_alone, [_is_on(row.post)]
    meant = [subscription.c.key == row.audience_key]
    near = frozenset[str](row.near or ())
    if row.graded and row.severity == Severity.INFO.value:
        # few of the topic's readers: they are looked for by themselves
        meant.append(_hear_of_calm(near))
    willing = [
        _is_on(row.post),
        # nobody is told what was decided before they asked
        subscription.c.since_at <= row.created_at,
        storage.chats.awake(now),
    ]
    if row.audience_key == str(SECURITY) and row.severity != Severity.URGENT.value:
        told = chat.c.wakes != Wakes.URGENT.value
        # what is near is graver by a level: of a calm story those hear who want what is important
        if near and row.severity != Severity.INFO.value:
            told = or_(told, storage.places.is_at(chat.c.id, near))
        willing.append(told)
    if row.audience_told is not None:
        theirs = delivery.alias("theirs")
        same = select(theirs.c.id).where(
            *got(theirs, row.audience_told), theirs.c.chat_id == subscription.c.chat_id
        )
        willing.append(~same.correlate(subscription).exists())
    return subscription.c.chat_id, meant, willing
