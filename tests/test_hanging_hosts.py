"""A host that hangs, and many sources on one host: whoever asks another one does not wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

import bot.ingest
from bot.ingest.side_by_side import OF_ONE_HOST, POLLS_AT_ONCE, SOURCES_AT_ONCE, SideBySide
from bot.jobs import Key
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.db import Store
from tests.publishers import bank_page, rss
from tests.world import NOW, World, polling

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
