"""Own feeds in the store, on every database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

import pytest
from sqlalchemy import select, update

import storage.chats
import storage.own_feeds
import storage.retention
from bot.fetch import Fetched, Fetcher
from bot.model.own_feeds import OwnFeed
from bot.own_feeds import OwnFeeds
from bot.sources.own import OwnDocument
from bot.workers import Workers
from storage.db import Db, Store
from storage.own_feeds import ENDLESS_PAUSE, EVERY, LONGEST_PAUSE, UNLISTED_KEPT
from storage.schema import own_entry, own_feed
from tests.factories import NOW, chat, entry

ONE = OwnFeed(key="a1", url="https://example.org/a", name="A")
TWO = OwnFeed(key="b2", url="https://example.org/b", name="B")


async def test_only_what_somebody_follows_is_due_and_to_one_replica(store: Store) -> None:
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
        await storage.own_feeds.add(db, ONE, now=NOW)
        await storage.own_feeds.add(db, TWO, now=NOW)
        await storage.chats.subscribe(db, 1, ["feed:a1"], now=NOW)
        due = await storage.own_feeds.take_due(db, now=NOW, hosts=10, of_host=10)
        assert [one.key for one in due] == ["a1"]
        assert await storage.own_feeds.take_due(db, now=NOW, hosts=10, of_host=10) == []
        later = await storage.own_feeds.take_due(db, now=NOW + EVERY, hosts=10, of_host=10)
        assert [one.key for one in later] == ["a1"]


async def test_of_each_host_few_are_taken_and_of_some_none(store: Store) -> None:
    """By the host alone: its port, or an address in another's path, is no other host."""
    urls = [
        "https://[2001:db8::1]/x",
        *(f"https://example.org/{number}" for number in range(3)),
        "https://example.org:8443/x",
        "https://other.example/1",
        "https://third.example/https://other.example/",
    ]

    async def taken(hosts: int, *besides: str) -> list[int]:
        async with store.writing() as db:
            await db.execute(update(own_feed).values(next_due_at=NOW))
            due = await storage.own_feeds.take_due(
                db, now=NOW, hosts=hosts, of_host=2, besides=besides
            )
        return sorted(urls.index(one.url) for one in due)

    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
        for number, url in enumerate(urls):
            await storage.own_feeds.add(db, OwnFeed(key=f"k{number}", url=url, name="A"), now=NOW)
            await storage.chats.subscribe(db, 1, [f"feed:k{number}"], now=NOW)
    assert await taken(9) == [0, 1, 2, 5, 6]
    assert await taken(1) == [0]
    assert await taken(1, "2001:db8::1") == [1, 2]
    assert await taken(9, "example.org") == [0, 5, 6]
    assert await taken(9, "example.org", "third.example", "2001:db8::1") == [5]


async def test_a_feed_that_nobody_followed_begins_anew(store: Store) -> None:
    """Its backlog is no news to who follows it now; where somebody else does it goes on."""
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
        await storage.own_feeds.add(db, ONE, now=NOW)
        await storage.chats.subscribe(db, 1, ["feed:a1"], now=NOW)
        await storage.own_feeds.record_ok(db, replace(ONE, digest="d"), now=NOW)
        await storage.own_feeds.add(db, ONE, now=NOW + EVERY)
        stored = await storage.own_feeds.get(db, "a1")
        assert stored is not None
        assert stored.last_ok_at == NOW
        await storage.chats.unsubscribe(db, 1, ["feed:a1"])
        await storage.own_feeds.add(db, ONE, now=NOW + EVERY)
        stored = await storage.own_feeds.get(db, "a1")
        assert stored is not None
        assert stored.last_ok_at is None


async def test_a_feed_that_is_left_and_followed_again_is_asked_no_more_often(store: Store) -> None:
    """Nor less often after failures, when it would be asked in a day."""
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
        await storage.own_feeds.add(db, ONE, now=NOW)
        await storage.chats.subscribe(db, 1, ["feed:a1"], now=NOW)
        assert await storage.own_feeds.take_due(db, now=NOW, hosts=9, of_host=9)

        async def due_again(now: datetime) -> bool:
            await storage.chats.unsubscribe(db, 1)
            await storage.own_feeds.add(db, ONE, now=now)
            await storage.chats.subscribe(db, 1, ["feed:a1"], now=now)
            return bool(await storage.own_feeds.take_due(db, now=now, hosts=9, of_host=9))

        assert not await due_again(NOW)
        assert not await due_again(NOW + EVERY / 2)
        assert await due_again(NOW + 2 * EVERY)
        await storage.own_feeds.record_failure(db, replace(ONE, failures=9), now=NOW + 2 * EVERY)
        assert not await due_again(NOW + 2 * EVERY)
        assert await due_again(NOW + 3 * EVERY)


async def test_a_feed_that_fails_is_asked_ever_less_often_and_as_before_once_it_is_well(
    store: Store,
) -> None:
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
        await storage.own_feeds.add(db, ONE, now=NOW)
        await storage.chats.subscribe(db, 1, ["feed:a1"], now=NOW)
        now, pauses = NOW, []
        for _ in range(9):
            (due,) = await storage.own_feeds.take_due(db, now=now, hosts=1, of_host=1)
            await storage.own_feeds.record_failure(db, due, now=now)
            next_at = (await db.execute(select(own_feed.c.next_due_at))).scalar_one()
            pauses.append(next_at - now)
            now = next_at
        assert pauses[:3] == [2 * EVERY, 4 * EVERY, 8 * EVERY]
        assert pauses[-2:] == [LONGEST_PAUSE, LONGEST_PAUSE]
        (due,) = await storage.own_feeds.take_due(db, now=now, hosts=1, of_host=1)
        await storage.own_feeds.record_ok(db, due, now=now)
        (well,) = await storage.own_feeds.take_due(db, now=now + EVERY, hosts=1, of_host=1)
        assert well.failures == 0


async def test_what_a_feed_listed_is_known(store: Store) -> None:
    async with store.writing() as db:
        await storage.own_feeds.add(db, ONE, now=NOW)
        many = [f"h{number}" for number in range(1200)]
        assert await storage.own_feeds.known(db, "a1", many) == set()
        await lists(db, "a1", many, now=NOW)
        assert await storage.own_feeds.known(db, "a1", [*many, "x"]) == set(many)


async def test_a_poll_asks_once_which_entries_it_knows(store: Store) -> None:
    """The note of them follows from the same answer."""
    own = OwnFeeds(
        store=store,
        fetcher=cast("Fetcher", None),
        workers=cast("Workers", None),
        clock=lambda: NOW,
    )
    brought = OwnDocument(name="A", entries=[entry(id=f"e{number}") for number in range(3)])
    answer = Fetched(status=200, body=b"x", url=ONE.url)
    async with store.writing() as db:
        await storage.own_feeds.add(db, ONE, now=NOW)
    asked: list[str] = []
    real = storage.own_feeds.known

    async def known(db: Db, key: str, hashes: Collection[str]) -> set[str]:
        asked.append(key)
        return await real(db, key, hashes)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("storage.own_feeds.known", known)
        await own.keep(ONE, brought, answer, "d")
        assert await own.keep(replace(ONE, last_ok_at=NOW), brought, answer, "e") == 0
    assert asked == ["a1", "a1"]


async def test_a_feed_that_lists_ever_others_does_not_fill_the_store(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The latest of its hashes are kept, and what it lists now is all of it."""
    monkeypatch.setattr(storage.own_feeds, "MOST_KEPT", 30)
    async with store.writing() as db:
        await storage.own_feeds.add(db, ONE, now=NOW)
        await storage.own_feeds.add(db, TWO, now=NOW)
        await lists(db, "b2", ["theirs"], now=NOW)
        for poll in range(9):
            some = [f"h{poll}.{number}" for number in range(20)]
            await lists(db, "a1", some, now=NOW + poll * EVERY)
        rows = (await db.execute(select(own_entry.c.entry))).scalars().all()
    assert set(some) | {"theirs"} <= set(rows)
    assert len(rows) <= 41


async def test_a_pause_has_no_end_and_a_nap_is_no_pause(store: Store) -> None:
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
        for feed, span in ((ONE, ENDLESS_PAUSE), (TWO, timedelta(hours=8))):
            await storage.own_feeds.add(db, feed, now=NOW)
            await storage.chats.subscribe(db, 1, [f"feed:{feed.key}"], now=NOW)
            await storage.chats.snooze(db, 1, f"feed:{feed.key}", span=span)
        found = await storage.own_feeds.of_chat(db, 1, now=NOW)
    assert {one.feed.key: one.paused for one in found} == {"a1": True, "b2": False}


async def test_what_nobody_follows_is_forgotten_with_what_it_brought(store: Store) -> None:
    """Not at once: who follows it may be about to."""
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
        await storage.own_feeds.add(db, ONE, now=NOW)
        await storage.own_feeds.add(db, TWO, now=NOW)
        await storage.chats.subscribe(db, 1, ["feed:a1"], now=NOW)
        for key in ("a1", "b2"):
            await lists(db, key, ["old"], now=NOW)
        await _tidy(db, NOW)
        assert len((await db.execute(select(own_feed))).all()) == 2
        await _tidy(db, NOW + timedelta(days=1))
        assert (await db.execute(select(own_feed.c.key))).scalars().all() == ["a1"]
        assert (await db.execute(select(own_entry.c.feed))).scalars().all() == ["a1"]


async def test_what_a_feed_lists_no_more_is_forgotten_when_it_is_read_and_not_before(
    store: Store,
) -> None:
    """A document that stays the same for months lists what it listed, and nobody notes it."""
    later = NOW + UNLISTED_KEPT + timedelta(days=1)
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
        for one in (ONE, TWO):
            await storage.own_feeds.add(db, one, now=NOW)
            await storage.chats.subscribe(db, 1, [f"feed:{one.key}"], now=NOW)
            await lists(db, one.key, ["gone", "old"], now=NOW)
        await _tidy(db, later)
        await lists(db, "a1", [], now=later)  # it did not change
        assert await storage.own_feeds.known(db, "a1", ["gone", "old"]) == {"gone", "old"}
        await lists(db, "a1", ["old", "new"], now=later)
        assert await storage.own_feeds.known(db, "a1", ["gone", "old", "new"]) == {"old", "new"}
        assert await storage.own_feeds.known(db, "b2", ["gone", "old"]) == {"gone", "old"}


async def lists(db: Db, key: str, hashes: Collection[str], *, now: datetime) -> None:
    """A feed lists this, as a poll notes it."""
    before = await storage.own_feeds.known(db, key, hashes)
    await storage.own_feeds.note_entries(db, key, hashes, before=before, now=now)


async def _tidy(db: Db, now: datetime) -> None:
    for step in storage.retention.STEPS:
        if step.__name__ == "_own_feeds":
            while await step(db, now):
                pass
