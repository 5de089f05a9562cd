"""Feeds and channels that readers added: who follows which, and what each has brought.

One address is one row and is polled once, however many chats follow it; nobody learns who else
does. What it says is not kept: only hashes, by which its new entries are known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, literal, select, update

from bot.model.own_feeds import FollowedFeed, OwnFeed
from bot.model.subjects import FeedSubject
from storage.db import Db, unless_there
from storage.schema import own_entry, own_feed, subscription

EVERY = timedelta(minutes=15)  # one address asks another's server, however many follow it
LONGEST_PAUSE = timedelta(hours=24)  # between two tries of a feed that fails
AT_ONCE = 500  # hashes that one statement names
UNLISTED_KEPT = timedelta(days=60)  # hashes of what a feed does not list any more
MOST_KEPT = 10_000  # hashes of one feed, whatever it lists: three or four are of an entry
#: So long a chat's pause lasts that has no end: a subscription rests until a time.
ENDLESS_PAUSE = timedelta(days=36_500)


def _is_followed_as() -> ColumnElement[bool]:
    return subscription.c.key == literal(FeedSubject.begins()).concat(own_feed.c.key)


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
    await db.execute(unless_there(db, own_feed), values)
    # left and followed again, it is asked no more often, however little it answered
    due = own_feed.c.next_due_at
    soon = literal(now + EVERY, due.type)  # without its type SQLite would write it as text
    begun: dict[str, Any] = {
        "created_at": now,
        "next_due_at": case((due > soon, soon), else_=due),
        "last_ok_at": None,
        "failures": 0,
    }
    left = (own_feed.c.key == new.key, nobody_follows())
    await db.execute(update(own_feed).where(*left).values(**begun))


async def call(db: Db, feed: OwnFeed, chat_id: int, *, plain: str) -> None:
    """Call a feed as a chat does that alone follows it; where others do, it is called `plain`: what
    one chat says is nothing that another should read.
    """
    mine = own_feed.c.key == feed.key
    others = select(subscription.c.key).where(_is_followed_as(), subscription.c.chat_id != chat_id)
    alone = update(own_feed).where(mine, ~others.exists()).values(name=feed.name)
    await db.execute(alone)
    # its document says its own name, and is read again for that
    afresh: dict[str, Any] = {"name": plain, "digest": None, "etag": None, "last_modified": None}
    strange = (mine, own_feed.c.name != plain, others.exists())
    await db.execute(update(own_feed).where(*strange).values(**afresh))


async def get(db: Db, key: str, *, lock: bool = False) -> OwnFeed | None:
    """One feed by its key; with `lock` nobody changes it before the transaction ends."""
    query = select(own_feed).where(own_feed.c.key == key)
    if lock:
        query = query.with_for_update()
    row = (await db.execute(query)).first()
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
        paused = row.snoozed_until is not None and row.snoozed_until > now + ENDLESS_PAUSE / 2
        found.append(FollowedFeed(feed=_stored(row), paused=paused))
    return found


async def count(db: Db, chat_id: int) -> int:
    """The number of own feeds that a chat follows."""
    query = select(func.count()).select_from(own_feed).join(subscription, _is_followed_as())
    return int((await db.execute(query.where(subscription.c.chat_id == chat_id))).scalar_one())


async def take_due(
    db: Db, *, now: datetime, hosts: int, of_host: int, besides: Collection[str] = ()
) -> list[OwnFeed]:
    """Feeds to poll now, of those that somebody follows; no other replica gets them meanwhile.

    They are of so many `hosts` at most, `of_host` of each, and of none that is named in `besides`.
    """
    followed = select(subscription.c.key).where(_is_followed_as()).exists()
    query = (
        select(own_feed)
        .where(own_feed.c.next_due_at <= now, followed, *(~_asks(host) for host in besides))
        .order_by(own_feed.c.next_due_at, own_feed.c.key)
        .limit(hosts * of_host)
        .with_for_update(skip_locked=True)
    )
    feeds: list[OwnFeed] = []
    taken_of = Counter[str]()
    for row in await db.execute(query):
        one = _stored(row)
        met = one.host in taken_of or len(taken_of) < hosts
        if met and taken_of[one.host] < of_host and one.host not in besides:
            taken_of[one.host] += 1
            feeds.append(one)
    if feeds:
        keys = [one.key for one in feeds]
        taken = update(own_feed).where(own_feed.c.key.in_(keys)).values(next_due_at=now + EVERY)
        await db.execute(taken)
    return feeds


async def record_failure(
    db: Db, feed: OwnFeed, *, now: datetime, wait: float | None = None
) -> None:
    """A poll failed: the next ones come ever later, and not before the `wait`, in seconds, that the
    server asked for.
    """
    failures = feed.failures + 1
    # the power is bounded: LONGEST_PAUSE comes long before it, and a timedelta overflows
    pause = min(EVERY * 2 ** min(failures, 10), LONGEST_PAUSE)
    if wait is not None:
        pause = max(pause, timedelta(seconds=wait))
    values: dict[str, Any] = {"failures": failures, "next_due_at": now + pause}
    await db.execute(update(own_feed).where(own_feed.c.key == feed.key).values(**values))


async def record_ok(db: Db, read: OwnFeed, *, now: datetime) -> None:
    """A poll succeeded, with what the feed is called and what makes the next one conditional."""
    values: dict[str, Any] = {
        "name": read.name,
        "last_ok_at": now,
        "failures": 0,
        "etag": read.etag,
        "last_modified": read.last_modified,
        "digest": read.digest,
    }
    await db.execute(update(own_feed).where(own_feed.c.key == read.key).values(**values))


async def known(db: Db, key: str, hashes: Collection[str]) -> set[str]:
    """The hashes among these that a feed has listed before."""
    found: set[str] = set()
    for some in _pieces(hashes):
        mine = (own_entry.c.feed == key, own_entry.c.entry.in_(some))
        found.update((await db.execute(select(own_entry.c.entry).where(*mine))).scalars())
    return found


async def note_entries(
    db: Db, key: str, hashes: Collection[str], *, before: Collection[str], now: datetime
) -> None:
    """Note what a feed lists now, and forget what it lists no more since long; of a feed that
    lists ever others the latest alone are kept. `before` are those of them that were `known`.

    Nothing is forgotten but here: while a document stays the same nobody notes that it lists what
    it listed.
    """
    for some in _pieces(before):
        mine = (own_entry.c.feed == key, own_entry.c.entry.in_(some))
        await db.execute(update(own_entry).where(*mine).values(seen_at=now))
    if hashes:
        unlisted = (own_entry.c.feed == key, own_entry.c.seen_at < now - UNLISTED_KEPT)
        await db.execute(delete(own_entry).where(*unlisted))
    rows = [{"feed": key, "entry": one, "seen_at": now} for one in hashes if one not in before]
    if not rows:
        return
    await db.execute(unless_there(db, own_entry), rows)
    times = select(own_entry.c.seen_at).where(own_entry.c.feed == key)
    last = times.order_by(own_entry.c.seen_at.desc()).offset(MOST_KEPT).limit(1)
    older = own_entry.c.seen_at < last.scalar_subquery()
    await db.execute(delete(own_entry).where(own_entry.c.feed == key, older))


def _asks(host: str) -> ColumnElement[bool]:
    """The condition on feeds of a host, whatever its port; one that names it elsewhere meets it."""
    name = f"[{host}]" if ":" in host else host
    whole = own_feed.c.url.contains(f"://{name}/", autoescape=True)
    return whole | own_feed.c.url.contains(f"://{name}:", autoescape=True)


def _pieces(hashes: Collection[str]) -> Iterable[list[str]]:
    every = list(hashes)
    for start in range(0, len(every), AT_ONCE):
        yield every[start : start + AT_ONCE]


def follows(chat_id: int) -> ColumnElement[bool]:
    """The condition on feeds that a chat follows."""
    mine = select(subscription.c.key).where(_is_followed_as(), subscription.c.chat_id == chat_id)
    return mine.exists()


def nobody_follows() -> ColumnElement[bool]:
    """The condition on feeds that nobody follows any more."""
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
