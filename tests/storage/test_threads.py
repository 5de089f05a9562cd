"""Forum topics of kinds of post in the store: chosen, claimed by, left, moved with a group."""

from __future__ import annotations

from dataclasses import replace

import pytest

import storage.alerts
import storage.chats
import storage.supergroups
from bot.alerts.feeds import FeedBrought
from bot.model.alerts import Payload
from bot.model.chats import Chat, ChatKind, Post, read_threads, thread_of, write_threads
from storage.db import Store
from tests.factories import NOW, a_notice
from tests.factories import chat as a_chat
from tests.storage.test_deliveries import an_alert, claim, fan_all, readers

GROUP, MOVED = -100, -1001234567890
BROUGHT = FeedBrought(feed="1", name="Mine", title="Headline", text="Text.")
NOTICE = a_notice("notice.well", {"source": "x"})


def test_what_is_written_is_read() -> None:
    """And what a newer program wrote besides is passed over."""
    threads = {Post.RATES: 7, Post.DIGESTS: 9}
    assert write_threads(threads) == "digests=9 rates=7"
    assert read_threads("digests=9 rates=7 polls=3 stories=x feeds") == threads
    assert read_threads("") == {}


def test_what_has_no_kind_goes_where_all_kinds_go_together() -> None:
    assert thread_of(dict.fromkeys(Post, 7), None) == 7
    assert thread_of({Post.RATES: 7}, None) is None
    assert thread_of({}, None) is None
    assert thread_of({Post.RATES: 7}, Post.RATES) == 7
    assert thread_of({Post.RATES: 7}, Post.FEEDS) is None


async def group(store: Store) -> Chat:
    """One with two topics."""
    async with store.writing() as db:
        await storage.chats.add(db, a_chat(GROUP, kind=ChatKind.GROUP), now=NOW)
        await storage.chats.lead(db, GROUP, [Post.RATES, Post.FEEDS], 7)
        found = await storage.chats.lead(db, GROUP, [Post.DIGESTS], 9)
    assert found is not None
    return found


async def test_kinds_of_post_are_led_one_by_one(store: Store) -> None:
    """The others stay where they are; nobody's are nobody's."""
    found = await group(store)
    assert found.threads == {Post.RATES: 7, Post.FEEDS: 7, Post.DIGESTS: 9}
    async with store.writing() as db:
        found = await storage.chats.lead(db, GROUP, [Post.RATES], None) or found
        assert found.threads == {Post.FEEDS: 7, Post.DIGESTS: 9}
        assert await storage.chats.lead(db, 404, [Post.RATES], 7) is None


async def test_G9_a_topic_is_left_once(store: Store) -> None:
    await group(store)
    async with store.writing() as db:
        assert await storage.chats.leave_thread(db, GROUP, 7) == [Post.RATES, Post.FEEDS]
        assert await storage.chats.leave_thread(db, GROUP, 7) == []
        assert await storage.chats.leave_thread(db, 404, 7) == []
        found = await storage.chats.get(db, GROUP)
    assert found is not None
    assert found.threads == {Post.DIGESTS: 9}


@pytest.mark.parametrize(("payload", "thread"), [(BROUGHT, 7), (NOTICE, None)])
async def test_a_delivery_is_claimed_with_the_topic_of_its_kind(
    store: Store, payload: Payload, thread: int | None
) -> None:
    await group(store)
    async with store.writing() as db:
        await readers(db, 5)  # a chat without topics is told beside it
        told = an_alert("told", payload=payload)
        for number in (GROUP, 5):
            audience = replace(told.audience, chat=number, subscription=None)
            one = replace(told, dedup_key=f"to {number}", audience=audience)
            await storage.alerts.enqueue(db, one)
        await fan_all(db)
        claimed = {one.chat: one.thread for one in (await claim(db)).deliveries}
    assert claimed == {GROUP: thread, 5: None}


async def test_G19_topics_move_with_a_group_that_becomes_a_supergroup(store: Store) -> None:
    await group(store)
    async with store.writing() as db:
        await storage.supergroups.migrate(db, GROUP, MOVED)
        found = await storage.chats.get(db, MOVED)
    assert found is not None
    assert found.threads == {Post.RATES: 7, Post.FEEDS: 7, Post.DIGESTS: 9}
