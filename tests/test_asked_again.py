"""A story that filters kept back and that grows into what a chat wants. Poll, store, outbox,
Telegram.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import storage.filters
from bot.emulator import TEST_TOKEN, Emulator
from bot.model.filters import Filter, Sense, Trait
from bot.sources.catalog import parse_catalog
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.db import Store
from tests.publishers import ATTACK, QUIET, rss
from tests.test_ingest import NOW
from tests.world import READER, Sending, World, polling

pytestmark = pytest.mark.cases  # what is decided, whatever the database

MUTED, ONLY = 1002, 1003


def catalog(url: str) -> Any:
    """Three agencies."""
    feed = '[feeds.{0}]\nname = {{ en = "{1}" }}\nurl = "{2}/{0}.xml"\nlanguage = "en"\n'
    names = {"one": "First News", "two": "Second News", "three": "Third News"}
    return parse_catalog("".join(feed.format(key, name, url) for key, name in names.items()))


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Three chats that follow security: one has no filters, one muted the first agency, one wants
    helicopters alone.
    """
    async with (
        polling(store, catalog, now=NOW, admins=()) as made,
        Emulator(TEST_TOKEN) as emulator,
        open_session() as session,
    ):
        for number in (READER, MUTED, ONLY):
            emulator.add_private(emulator.add_user(number, f"Reader {number}", "en"))
            await made.reader(number)
        muted = Filter(sense=Sense.NEVER, trait=Trait.SOURCE, what="one", said="First News")
        only = Filter(sense=Sense.ONLY, trait=Trait.WORD, what="helicopter", said="helicopter")
        async with store.writing() as db:
            await storage.filters.add(db, MUTED, [muted])
            await storage.filters.add(db, ONLY, [only])
        made.send_through(emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN))
        async with Sending(made):
            for key in ("one", "two"):
                await made.report(key, QUIET)
            yield made
        assert made.told == []


async def kept(world: World) -> list[int]:
    """The number of messages that the filters of both kept back."""
    async with world.store.reading() as db:
        found = [await storage.filters.of_chat(db, number) for number in (MUTED, ONLY)]
    return [sum(one.kept for one in mine) for mine in found]


def got(world: World) -> list[int]:
    """The number of messages of each chat."""
    return [len(world.emulator.messages(number)) for number in (READER, MUTED, ONLY)]


async def test_who_muted_the_first_agency_hears_of_it_from_the_second(world: World) -> None:
    """Once, of the story as it is by then; what is reported later edits that message as any."""
    assert await world.report("one", ATTACK, QUIET) == 1
    await world.tells(READER, "border post")
    await world.done()
    assert (got(world), await kept(world)) == ([1, 0, 0], [1, 1])
    assert await world.report("two", ("more", ATTACK[1], "It happened at dawn."), QUIET) == 0
    told = await world.tells(MUTED, "Second News")
    assert "First News" in told["text"]
    await world.done()
    assert (got(world), await kept(world)) == ([1, 1, 0], [0, 1])
    await world.report("three", QUIET)
    await world.report("three", ("last", ATTACK[1], "A helicopter is on its way."), QUIET)
    for number in (READER, MUTED, ONLY):
        await world.tells(number, "3\u00a0sources")
    await world.done()
    assert (got(world), await kept(world)) == ([1, 1, 1], [0, 0])


async def test_words_that_an_agency_changes_are_asked_about_again(world: World) -> None:
    """As if another one had reported them; its first poll asks nobody."""
    assert await world.report("one", ATTACK, QUIET) == 1
    await world.report("three", ("calm", ATTACK[1], "A helicopter is on its way."), QUIET)
    await world.done()
    assert (got(world), await kept(world)) == ([1, 0, 0], [1, 1])
    key, title, text = ATTACK
    await world.report("one", (key, f"{title}; helicopter on its way", text), QUIET)
    await world.tells(ONLY, "helicopter on its way")
    await world.done()
    assert (got(world), await kept(world)) == ([1, 1, 1], [0, 0])


async def test_it_comes_as_late_as_the_report_that_let_it_through_is_old(world: World) -> None:
    """To the operators' figures: before that there was nothing to tell this chat."""
    hour = 3600.0
    early = datetime.now(UTC) - timedelta(hours=2)
    date = early.strftime("<pubDate>%a, %d %b %Y %H:%M:%S +0000</pubDate>").encode()
    world.serve("one", re.sub(rb"<pubDate>.*?</pubDate>", date, rss(ATTACK, QUIET)))
    assert (await world.poll("one")).alerts == 1
    await world.tells(READER, "border post")
    (told,) = await world.alerts("story")
    assert (world.worker.composer.age(told.id) or ("", 0.0))[1] > hour
    world.now = datetime.now(UTC) + timedelta(minutes=1)
    await world.report("two", ("more", ATTACK[1], "It happened at dawn."), QUIET)
    await world.tells(MUTED, "Second News")
    assert (world.worker.composer.age(told.id) or ("", hour))[1] < hour
