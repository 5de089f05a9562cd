"""The lifetimes of rows by kind: the store stays as large as what happens in a month.

Rates are kept for ever: they are the history that readers ask for. All else goes in small pieces,
each a transaction of its own, so that replies and marks get in between. The newest story always
stays: SQLite gives the number of the last row again when that row is gone, and an old link must not
lead to a newer story.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Table, and_, delete, func, or_, select, update

import storage.kept_back
import storage.privacy
from storage.alerts import OPEN
from storage.db import Db, db_now
from storage.own_feeds import nobody_follows
from storage.schema import (
    alert,
    broadcast,
    chat,
    clue,
    delivery,
    entry,
    inbox,
    news_filter,
    own_feed,
    story,
    story_topic,
)

BODIES_KEPT = timedelta(hours=24)  # what people wrote
# their numbers, so that none has its effect twice; Telegram repeats for a day
UPDATES_KEPT = timedelta(days=7)
ALERTS_KEPT = timedelta(days=30)  # with their deliveries: what corrections and Why? need
STORIES_KEPT = timedelta(days=180)  # half a year to search through
CLUES_KEPT = timedelta(days=3)  # `bot.detect.stories.NEW_EVENT_HOURS`
# that blocked the bot, are gone, or threw it out: with their settings
CLOSED_CHATS_KEPT = timedelta(days=90)
LEFT_KEPT = timedelta(hours=1)  # a feed that nobody follows: who follows it may be about to
ROWS_AT_ONCE = 2_000  # a transaction: others write in between
CHATS_AT_ONCE = 100  # each with all that was sent to it


async def _bodies(db: Db, _now: datetime, piece: int = ROWS_AT_ONCE) -> int:
    now = await db_now(db)  # as receiving counts
    old = (inbox.c.finished_at < now - BODIES_KEPT, inbox.c.body.is_not(None))
    which = inbox.c.update_id.in_(select(inbox.c.update_id).where(*old).limit(piece))
    return (await db.execute(update(inbox).where(which).values(body=None))).rowcount


async def _updates(db: Db, _now: datetime, piece: int = ROWS_AT_ONCE) -> int:
    old = inbox.c.finished_at < await db_now(db) - UPDATES_KEPT
    return await _delete(db, inbox, inbox.c.update_id, old, piece)


async def _deliveries(db: Db, now: datetime, piece: int = ROWS_AT_ONCE) -> int:
    done = and_(
        delivery.c.alert_id.in_(select(alert.c.id).where(await _told(db, now))),
        delivery.c.state.not_in(OPEN),
    )
    return await _delete(db, delivery, delivery.c.id, done, piece)


async def _alerts(db: Db, now: datetime, piece: int = ROWS_AT_ONCE) -> int:
    empty = ~select(delivery.c.id).where(delivery.c.alert_id == alert.c.id).exists()
    return await _delete(db, alert, alert.c.id, and_(await _told(db, now), empty), piece)


async def _told(db: Db, now: datetime) -> ColumnElement[bool]:
    """Old alerts after their fan-out or never approved in time."""
    over = or_(alert.c.fanned_at.is_not(None), alert.c.expires_at < await db_now(db))
    return and_(alert.c.created_at < now - ALERTS_KEPT, over)


async def _stories(db: Db, now: datetime, piece: int = ROWS_AT_ONCE) -> int:
    newest = select(func.max(story.c.id)).scalar_subquery()
    old = (
        select(story.c.id).where(story.c.at < now - STORIES_KEPT, story.c.id < newest).limit(piece)
    )
    ids = (await db.execute(old)).scalars().all()
    for table, column in (
        (entry, entry.c.story_id),
        (story_topic, story_topic.c.story_id),
        (story, story.c.id),
    ):
        await db.execute(delete(table).where(column.in_(ids)))
    return len(ids)


async def forget_clues(db: Db, now: datetime, piece: int = ROWS_AT_ONCE) -> int:
    """Forget by what old stories are found: three days later it is another event."""
    newest_old = (
        select(entry.c.story_id)
        .where(entry.c.seen_at < now - CLUES_KEPT)
        .order_by(entry.c.seen_at.desc(), entry.c.id.desc())
        .limit(1)
    )
    last: int | None = (await db.execute(newest_old)).scalar()
    if last is None:
        return 0
    # whole stories of the oldest, so that no column but the index's is asked
    some = select(clue.c.story_id).where(clue.c.story_id <= last).order_by(clue.c.story_id)
    upto = (await db.execute(some.offset(piece - 1).limit(1))).scalar()
    old = clue.c.story_id <= (last if upto is None else upto)
    return (await db.execute(delete(clue).where(old))).rowcount


async def _filters(db: Db, _now: datetime, piece: int = ROWS_AT_ONCE) -> int:
    ended = news_filter.c.until_at < await db_now(db)
    return await _delete(db, news_filter, news_filter.c.id, ended, piece)


async def _kept_back(db: Db, _now: datetime, piece: int = ROWS_AT_ONCE) -> int:
    return await storage.kept_back.forget(db, piece)


async def _broadcasts(db: Db, _now: datetime, piece: int = ROWS_AT_ONCE) -> int:
    ended = broadcast.c.until_at < await db_now(db)
    return await _delete(db, broadcast, broadcast.c.id, ended, piece)


async def _own_feeds(db: Db, now: datetime, piece: int = ROWS_AT_ONCE) -> int:
    """Feeds that nobody follows; what the others list no more is forgotten where they are read."""
    old = own_feed.c.created_at < now - LEFT_KEPT
    keys = select(own_feed.c.key).where(old, nobody_follows()).limit(min(piece, CHATS_AT_ONCE))
    # asked of the row again: a server waits for whoever is about to follow it, and then looks
    left = delete(own_feed).where(own_feed.c.key.in_(keys), old)
    return (await db.execute(left)).rowcount


async def _chats(db: Db, now: datetime, piece: int = ROWS_AT_ONCE) -> int:
    """Forget chats away for long, not those that asked for silence, with what was sent to them."""
    away = (
        ~chat.c.active,
        chat.c.inactive_at < now - CLOSED_CHATS_KEPT,
        ~chat.c.stopped,
    )
    some = select(chat.c.id).where(*away).limit(min(piece, CHATS_AT_ONCE))
    # not one that comes back just now
    ids = (await db.execute(some.with_for_update(skip_locked=True))).scalars().all()
    if ids:
        await storage.privacy.erase(db, *ids, before=now - ALERTS_KEPT)
    return len(ids)


async def _delete(
    db: Db, table: Table, key: ColumnElement[int], which: ColumnElement[bool], piece: int
) -> int:
    return (
        await db.execute(delete(table).where(key.in_(select(key).where(which).limit(piece))))
    ).rowcount


#: Each forgets one piece of what is too old at `now`, by the program's clock, and returns how many
#: rows that were; an alert goes after its deliveries.
STEPS = (
    _bodies,
    _updates,
    _deliveries,
    _alerts,
    _stories,
    forget_clues,
    _filters,
    _kept_back,
    _broadcasts,
    _own_feeds,
    _chats,
)
