"""Feeds and channels that readers added: who follows which, and what each has brought.

One address is one row and is polled once, however many chats follow it; nobody learns who else
does. What it says is not kept: only hashes, by which its new entries are known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, update

from bot.model.own_feeds import FollowedFeed, OwnFeed
from bot.model.subjects import FeedSubject
from storage.db import Db, upsert
from storage.schema import own_entry, own_feed, subscription

EVERY = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=24)  # between two tries of a feed that fails
AT_ONCE = 500  # hashes that one statement names
#: So long a chat's pause lasts that has no end: a subscription rests until a time.
PAUSE = timedelta(days=36_500)


def _is_followed_as() -> ColumnElement[bool]:
    return subscription.c.key == literal(f"{FeedSubject.KIND}:").concat(own_feed.c.key)


async def add(db: Db, new: OwnFeed, *, now: datetime) -> None:
    """Know an address from now on. One that somebody follows stays as it is; one that nobody does
    begins anew: what it brought meanwhile is news to nobody.
    """
    values: dict[str, Any] = {
        "key": new.key,
        "url": new.url,
        "channel": new.channel,
        "name": new.name,
        "created_at": now,
        "next_due_at": now,
    }
    await db.execute(upsert(db, own_feed).values(**values).on_conflict_do_nothing())
    begun = {"created_at": now, "next_due_at": now, "last_ok_at": None, "failures": 0}
    left = (own_feed.c.key == new.key, nobody_follows())
    await db.execute(update(own_feed).where(*left).values(**begun))


async def get(db: Db, key: str) -> OwnFeed | None:
    """One feed by its key."""
    row = (await db.execute(select(own_feed).where(own_feed.c.key == key))).first()
    return None if row is None else _stored(row)


async def of_chat(db: Db, chat_id: int, *, now: datetime) -> list[FollowedFeed]:
    """The feeds that a chat follows, in the order of following."""
    query = (
        select(own_feed, subscription.c.snoozed_until)
        .join(subscription, _is_followed_as())
        .where(subscription.c.chat_id == chat_id)
        .order_by(subscription.c.since_at, own_feed.c.key)
    )
    found: list[FollowedFeed] = []
    for row in await db.execute(query):
        # a nap of some hours is no pause
        paused = row.snoozed_until is not None and row.snoozed_until > now + PAUSE / 2
        found.append(FollowedFeed(feed=_stored(row), paused=paused))
    return found


async def count(db: Db, chat_id: int) -> int:
    """How many feeds a chat follows."""
    query = select(func.count()).select_from(own_feed).join(subscription, _is_followed_as())
    return int((await db.execute(query.where(subscription.c.chat_id == chat_id))).scalar_one())


async def take_due(db: Db, *, now: datetime, most: int) -> list[OwnFeed]:
    """Feeds to poll now, of those that somebody follows; no other replica gets them meanwhile."""
    followed = select(subscription.c.key).where(_is_followed_as()).exists()
    query = (
        select(own_feed)
        .where(own_feed.c.next_due_at <= now, followed)
        .order_by(own_feed.c.next_due_at, own_feed.c.key)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    feeds = [_stored(row) for row in await db.execute(query)]
    if feeds:
        keys = [one.key for one in feeds]
        taken = update(own_feed).where(own_feed.c.key.in_(keys)).values(next_due_at=now + EVERY)
        await db.execute(taken)
    return feeds


async def record_failure(db: Db, feed: OwnFeed, *, now: datetime) -> None:
    """A poll failed: the next ones come ever later."""
    failures = feed.failures + 1
    pause = min(EVERY * 2 ** min(failures, 10), LONGEST_PAUSE)
    values: dict[str, Any] = {"failures": failures, "next_due_at": now + pause}
    await db.execute(update(own_feed).where(own_feed.c.key == feed.key).values(**values))


async def record_ok(
    db: Db,
    feed: OwnFeed,
    *,
    now: datetime,
    etag: str | None,
    last_modified: str | None,
    digest: str | None,
) -> None:
    """A poll succeeded, with what makes the next one conditional."""
    values: dict[str, Any] = {
        "last_ok_at": now,
        "failures": 0,
        "etag": etag,
        "last_modified": last_modified,
        "digest": digest,
    }
    await db.execute(update(own_feed).where(own_feed.c.key == feed.key).values(**values))


async def note_entries(db: Db, key: str, entries: Collection[str], *, now: datetime) -> set[str]:
    """Note what a feed lists now; which of it is new."""
    new: set[str] = set()
    hashes = list(entries)
    for start in range(0, len(hashes), AT_ONCE):
        some = hashes[start : start + AT_ONCE]
        mine = (own_entry.c.feed == key, own_entry.c.entry.in_(some))
        known = set((await db.execute(select(own_entry.c.entry).where(*mine))).scalars())
        await db.execute(update(own_entry).where(*mine).values(seen_at=now))
        rows = _rows(key, (one for one in some if one not in known), now)
        if rows:
            await db.execute(upsert(db, own_entry).on_conflict_do_nothing(), rows)
        new.update(row["entry"] for row in rows)
    return new


def _rows(key: str, entries: Iterable[str], now: datetime) -> list[dict[str, Any]]:
    return [{"feed": key, "entry": one, "seen_at": now} for one in entries]


def follows(chat_id: int) -> ColumnElement[bool]:
    """Which feeds a chat follows."""
    mine = select(subscription.c.key).where(_is_followed_as(), subscription.c.chat_id == chat_id)
    return mine.exists()


def nobody_follows() -> ColumnElement[bool]:
    """Which feeds nobody follows any more."""
    return ~select(subscription.c.key).where(_is_followed_as()).exists()


def _stored(row: Any) -> OwnFeed:  # noqa: ANN401 - a result row
    return OwnFeed(
        key=row.key,
        url=row.url,
        name=row.name,
        channel=row.channel,
        last_ok_at=row.last_ok_at,
        failures=row.failures,
        etag=row.etag,
        last_modified=row.last_modified,
        digest=row.digest,
    )
