"""A host that hangs, and many sources on one host: whoever asks another one does not wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

import bot.ingest
import storage.chats
import storage.own_feeds
from bot.addresses import is_own
from bot.fetch import Fetcher, Limits
from bot.ingest.side_by_side import OF_ONE_HOST, POLLS_AT_ONCE, SOURCES_AT_ONCE, SideBySide
from bot.jobs import Key
from bot.model.own_feeds import OwnFeed
from bot.own_feeds import OF_ONE_HOST as OF_A_LINE
from bot.own_feeds import SIDE_BY_SIDE, OwnFeeds
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.db import Store
from storage.schema import own_feed
from tests.factories import chat
from tests.publishers import Publishers, bank_page, rss
from tests.test_fetch import Names
from tests.world import NOW, Here, World, polling

MANY = SOURCES_AT_ONCE + 1
NEWS = ("apples", "Apple harvest begins", "A good year.")


def catalog(url: str) -> Catalog:
    """Many feeds of one host, one of another, and a bank of two documents."""
    feeds = "".join(f'[feeds.s{one}]\nurl = "{url}/slow.xml?{one}"\n' for one in range(MANY))
    elsewhere = url.replace("127.0.0.1", "localhost")
    return parse_catalog(f"""
{feeds}
[feeds.sound]
url = "{elsewhere}/sound.xml"
[rates.nbkr]
name = {{ en = "Bank" }}
urls = ["{url}/daily.xml", "{url}/weekly.xml"]
poll = {{ every = "1h", zone = "Asia/Bishkek" }}
""")


@pytest.fixture
async def world(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Sound documents; `slow.xml` is answered when the test lets it be."""
    monkeypatch.setattr(bot.ingest, "PATIENCE", 0.0)
    async with polling(store, catalog, now=NOW) as made:
        made.publishers.held["/slow.xml"] = asyncio.Event()
        for path in ("/slow.xml", "/sound.xml"):
            made.publishers.put(path, rss(NEWS))
        made.publishers.put("/daily.xml", bank_page(NOW.date(), {"USD": "84,7935"}))
        made.publishers.put("/weekly.xml", bank_page(NOW.date(), {"GEL": "31,2000"}))
        yield made


async def test_F5_however_many_wait_for_a_host_that_hangs_another_is_polled(world: World) -> None:
    """More than may be asked at one time: who waits for its host's turn takes nobody's slot."""
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        slow = [tasks.create_task(world.poll(f"s{number}")) for number in range(MANY)]
        await world.publishers.asked_again("/slow.xml")
        assert (await world.poll("sound")).outcome == "ok"
        assert not any(one.done() for one in slow)
        world.publishers.held["/slow.xml"].set()
    assert {one.result().outcome for one in slow} == {"ok"}


async def test_F5_of_a_host_that_hangs_few_are_begun_and_all_others_pass_them() -> None:
    """Of more than may be under way; when it is well again each of them has its turn, once."""
    done: list[str] = []
    others, well = asyncio.Event(), asyncio.Event()
    beside = [f"other{number}" for number in range(POLLS_AT_ONCE)]

    async def work(key: Key) -> None:
        if key.host == "slow":
            begun.add(key.key)
            await well.wait()
        done.append(key.key)
        if set(beside) <= set(done):
            others.set()

    begun: set[str] = set()
    slow = [f"slow{number}" for number in range(2 * POLLS_AT_ONCE)]
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        polls: SideBySide[Key] = SideBySide(tasks, work, at_once=POLLS_AT_ONCE)
        for name in slow:
            polls.start(Key(name, "slow"))
        for name in beside:
            polls.start(Key(name, name))
        await others.wait()
        assert len(begun) == OF_ONE_HOST
        well.set()
    assert sorted(done) == sorted([*slow, *beside])
    assert not polls.busy


async def test_F5_who_waits_for_the_turn_of_its_next_document_gives_its_slot_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has that turn may wait for this very slot, and neither would ever go on."""
    monkeypatch.setattr(bot.ingest, "SOURCES_AT_ONCE", 1)
    async with polling(store, catalog, now=NOW) as world:
        world.publishers.put("/slow.xml", rss(NEWS))
        world.publishers.put("/daily.xml", bank_page(NOW.date(), {"USD": "84,7935"}))
        world.publishers.put("/weekly.xml", bank_page(NOW.date(), {"GEL": "31,2000"}))
        async with asyncio.timeout(10):
            reports = await asyncio.gather(world.poll("nbkr"), world.poll("s0"))
    assert [one.outcome for one in reports] == ["ok", "ok"]


async def follow(store: Store, reader: int, *urls: str) -> None:
    """Let a reader follow feeds that are due."""
    async with store.writing() as db:
        await storage.chats.add(db, chat(reader), now=NOW)
        for url in urls:
            await storage.own_feeds.add(db, OwnFeed(key=url[-9:], url=url, name="A"), now=NOW)
            await storage.chats.subscribe(db, reader, [f"feed:{url[-9:]}"], now=NOW)


async def test_F5_one_readers_feeds_on_a_host_that_hangs_hold_up_no_other_readers(
    store: Store,
) -> None:
    """However many they are; when it is well again each is asked, one after the other."""
    names = {f"{name}.example": ["127.0.0.1"] for name in ("home", "slow", "sound")}
    limits, resolver = Limits(pause=0), Names(names)
    many = OF_A_LINE * SIDE_BY_SIDE + 1
    async with (
        Publishers() as publishers,
        Fetcher(limits=limits, resolver=resolver, may_connect=is_own) as fetcher,
    ):
        port = publishers.url.rpartition(":")[2]
        publishers.held["/slow.xml"] = asyncio.Event()
        publishers.put("/slow.xml", rss(NEWS))
        publishers.put("/sound.xml", rss(NEWS))
        slow = [f"http://slow.example:{port}/slow.xml?{one:04}" for one in range(many)]
        await follow(store, 1, *slow)
        await follow(store, 2, f"http://sound.example:{port}/sound.xml")
        own = OwnFeeds(
            store=store,
            fetcher=fetcher,
            workers=Here(),
            clock=lambda: NOW,
            found_on=f"http://home.example:{port}/",
        )
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            polled = tasks.create_task(own.poll_due(lambda: None, asyncio.Event()))
            await asyncio.gather(*map(publishers.asked_again, ("/slow.xml", "/sound.xml")))
            assert publishers.asked.count("/slow.xml") == 1
            async with store.reading() as db:
                taken = select(func.count()).where(own_feed.c.next_due_at > NOW)
                assert (await db.execute(taken)).scalar_one() == OF_A_LINE + 1
            publishers.held["/slow.xml"].set()
        assert polled.result() == 0
        assert publishers.asked.count("/slow.xml") == many
