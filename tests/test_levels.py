"""The gravity that a story must have to be told to a chat: all, important, urgent only. Poll,
store, outbox, Telegram.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

import storage.alerts
import storage.chats
import storage.places
import storage.told
from bot.alerts import KINDS, Kit, Reader
from bot.alerts.stories import Stories
from bot.emulator import TEST_TOKEN, Emulator
from bot.model.alerts import Severity
from bot.model.chats import Style, Wakes
from bot.model.filters import Sense, StoredFilter, Trait
from bot.readers.news import news_page
from bot.sources.catalog import parse_catalog
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.db import Store
from tests.factories import chat as a_chat
from tests.publishers import ATTACK, QUIET
from tests.test_ingest import NOW
from tests.world import READER, SECURITY, Sending, World, polling

pytestmark = pytest.mark.cases  # what is decided, whatever the database

#: Who wants all, what is important (as a new chat does), and urgent stories only.
ALL, IMPORTANT, URGENT = READER, 1002, 1003
PICKPOCKETS = ("Two pickpockets detained at a bazaar", "Police returned eleven telephones.")
BLAST = (
    "Explosion at a market in Osh kills 14, 37 wounded",
    "The bomb went off at 11:20 by the northern gate; police are looking for a grey van.",
)


IN_ENGLISH = Reader(
    chat=ALL, language="en", style=Style.BRIEF, home="KGS", time_zone="Asia/Bishkek"
)
PLACES = """
[places]
osh = { name = { en = "Osh" }, latitude = 40.53, longitude = 72.8 }
uzgen = { within = "osh", name = { en = "Uzgen" }, latitude = 40.77, longitude = 73.3 }
naryn = { name = { en = "Naryn" }, latitude = 41.43, longitude = 75.99 }
kg = { name = { en = "Kyrgyzstan" } }
[hazards.institute]
format = "usgs"
at_least = 4.0
"""


def catalog(url: str) -> Any:
    """Two agencies, an institute and some places."""
    feed = '[feeds.{0}]\nname = {{ en = "{0}" }}\nurl = "{1}/{0}.xml"\nlanguage = "en"\n'
    feeds = "".join(feed.format(key, url) for key in ("one", "two"))
    return parse_catalog(f'{feeds}{PLACES}url = "{url}/institute.xml"\n')


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Three chats that follow security, one of each level; what is decided is sent."""
    async with (
        polling(store, catalog, now=NOW, admins=()) as made,
        Emulator(TEST_TOKEN) as emulator,
        open_session() as session,
    ):
        for reader in (ALL, IMPORTANT, URGENT):
            emulator.add_private(emulator.add_user(reader, f"Reader {reader}", "en"))
        async with store.writing() as db:
            for reader, level in ((ALL, "all"), (IMPORTANT, None), (URGENT, "urgent")):
                await storage.chats.add(db, a_chat(reader), now=NOW)
                if level:
                    await storage.chats.change(db, reader, wakes=Wakes(level))
                await storage.chats.subscribe(db, reader, [SECURITY], now=NOW - timedelta(days=1))
        made.send_through(
            emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN), rate=100.0
        )
        async with Sending(made):
            await made.report("one", QUIET)
            await made.report("two", QUIET)
            yield made
        assert made.told == []


def sent(world: World, chat: int) -> list[Any]:
    """The messages that a chat got, as it sees them now."""
    return world.emulator.messages(chat)


def silent(world: World, chat: int) -> list[bool]:
    """Whether each of them came without sound."""
    return [world.emulator.silent(chat, one["message_id"]) for one in sent(world, chat)]


async def test_who_wants_all_is_told_of_calm_stories_without_sound(world: World) -> None:
    """One message a story, silent; nobody else is told; it is edited as others report it."""
    assert await world.report("one", ("a", *PICKPOCKETS), QUIET) == 1
    told = await world.tells(ALL, PICKPOCKETS[0])
    await world.done()
    assert silent(world, ALL) == [True]
    assert await world.report("two", ("b", *PICKPOCKETS), QUIET) == 0
    after = await world.tells(ALL, "2\u00a0sources")
    assert after["message_id"] == told["message_id"]
    await world.done()
    assert [len(sent(world, chat)) for chat in (ALL, IMPORTANT, URGENT)] == [1, 0, 0]


async def test_a_calm_story_that_gets_grave_is_a_reply_to_who_got_it(world: World) -> None:
    """With sound; to the others it is a message like any other."""
    calm = "Two pickpockets detained at a market in Osh"
    await world.report("one", ("a", calm, "A man is asked about a grey van."), QUIET)
    first = await world.tells(ALL, calm)
    await world.done()
    worse = "Two pickpockets detained at a market in Osh: bomb explosion kills 14"
    await world.report("two", ("b", worse, BLAST[1]), QUIET)
    await world.tells(URGENT, "kills 14")
    await world.done()
    assert silent(world, ALL) == [True, False]
    assert sent(world, ALL)[1]["reply_to_message"]["message_id"] == first["message_id"]
    for chat in (IMPORTANT, URGENT):
        (one,) = sent(world, chat)
        assert "reply_to_message" not in one
    async with world.store.reading() as db:
        of_all = await storage.told.newest(db, most=9)
        graver = next(one for one in of_all if one.severity is Severity.URGENT)
        kit = Kit(db=db, catalog=world.catalog, kinds=KINDS)
        brief = await Stories().brief(kit, graver, IN_ENGLISH)
    # so it is told after quiet hours
    assert brief is not None
    assert brief.line is not None
    assert brief.line.text.startswith(f"❗ {worse}")


async def test_calm_stories_have_no_more_than_the_hour_and_take_no_room(world: World) -> None:
    """Beyond `ALERTS_PER_HOUR` they stand in /news, no operator is asked; what is grave is told."""
    world.ingest = replace(world.ingest, alerts_per_hour=2, admins=(5,))
    thefts = [
        (name, f"Police detain a thief of {what}", f"The {name} man stole {what} at night.")
        for name, what in (("tall", "horses"), ("old", "copper wire"), ("shy", "telephones"))
    ]
    assert await world.report("one", *thefts, QUIET) == 2
    assert await world.report("two", ("blast", *BLAST), QUIET) == 1
    await world.tells(IMPORTANT, BLAST[0])
    await world.done()
    assert len(sent(world, ALL)) == 3
    assert not [row for row in await world.deliveries("notice") if row.chat_id == 5]


FLOOD = ("Mudflow destroys a bridge in Uzgen district", "Rescuers evacuate forty families.")
THEFT = ("Two pickpockets detained at a bazaar in Uzgen", "Police returned eleven telephones.")


async def live_in(world: World, chat: int, *places: str) -> None:
    """A chat chooses places."""
    async with world.store.writing() as db:
        for place in places:
            await storage.places.toggle(db, chat, place)


async def test_what_is_near_is_graver_by_a_level(world: World) -> None:
    """An important story reaches who wants urgent ones only and lives there, or around there; a
    calm one, without sound, who wants important ones. Nobody else hears of more.
    """
    await live_in(world, URGENT, "osh")
    await live_in(world, IMPORTANT, "naryn")
    assert await world.report("one", ("a", *FLOOD), QUIET) == 1
    await world.tells(URGENT, FLOOD[0])
    await world.done()
    assert silent(world, URGENT) == [False]
    assert await world.report("one", ("b", *THEFT), QUIET) == 1
    await world.tells(ALL, THEFT[0])
    await world.done()
    assert [len(sent(world, chat)) for chat in (IMPORTANT, URGENT)] == [1, 1]
    await live_in(world, IMPORTANT, "uzgen")
    far = ("c", "Police detain a thief in Naryn", "The man of forty stole horses.")
    assert await world.report("two", far, QUIET) == 1
    await world.tells(IMPORTANT, far[1])
    await world.done()
    assert silent(world, IMPORTANT) == [False, True]


async def test_a_calm_story_is_told_where_only_who_lives_there_wants_it(world: World) -> None:
    """Also when nobody asked for all; a country that is named alone is no city of it."""
    async with world.store.writing() as db:
        await storage.chats.change(db, ALL, wakes=Wakes.IMPORTANT)
    await live_in(world, IMPORTANT, "osh")
    abroad = ("a", "Police of Kyrgyzstan detain a thief", "The man of forty stole horses.")
    assert await world.report("one", abroad, QUIET) == 0
    assert await world.report("one", ("b", *THEFT), QUIET) == 1
    await world.tells(IMPORTANT, THEFT[0])
    await world.done()
    assert [len(sent(world, chat)) for chat in (ALL, IMPORTANT, URGENT)] == [0, 1, 0]


async def test_an_earthquake_is_near_where_it_is_felt(world: World) -> None:
    """By its size and point, whatever place its institute names it after; also in lists, for who
    wants that place alone.
    """
    await live_in(world, URGENT, "naryn")
    quiet = quakes(("old", 4.1, "far away", 30.0, 10.0))
    world.publishers.put("/institute.xml", quiet, kind="application/json")
    await world.poll("institute")
    felt = quakes(("a", 4.9, "90 km N of Artux, China", 41.0, 75.6))
    world.publishers.put("/institute.xml", felt, kind="application/json")
    assert (await world.poll("institute")).alerts == 1
    await world.tells(URGENT, "Artux")
    far = quakes(("b", 4.9, "9 km W of Khujand, Tajikistan", 40.3, 69.5))
    world.publishers.put("/institute.xml", far, kind="application/json")
    assert (await world.poll("institute")).alerts == 1
    await world.tells(IMPORTANT, "Khujand")
    await world.done()
    assert len(sent(world, URGENT)) == 1
    only = StoredFilter(
        id=1, chat=URGENT, sense=Sense.ONLY, trait=Trait.PLACE, what="naryn", said="Naryn"
    )
    async with world.store.reading() as db:
        page = await news_page(
            db, world.catalog, topic=None, number=0, now=world.now, filters=[only]
        )
    (listed,) = page.stories
    assert "Artux" in listed.lead.entry.title


def quakes(*events: tuple[str, float, str, float, float]) -> bytes:
    """Earthquakes of now as USGS writes them: id, magnitude, place, latitude, longitude."""
    features = []
    for name, size, place, north, east in events:
        told = {"mag": size, "place": place, "time": int(NOW.timestamp() * 1000)}
        point = {"type": "Point", "coordinates": [east, north, 10]}
        features.append({"id": name, "properties": told, "geometry": point})
    return orjson.dumps({"type": "FeatureCollection", "features": features})


async def test_why_says_that_it_is_near(world: World) -> None:
    """By the chat's own places alone, in its language."""
    await live_in(world, URGENT, "osh", "naryn")
    await world.report("one", ("a", *FLOOD), QUIET)
    async with world.store.reading() as db:
        (told,) = await storage.alerts.by_keys(db, ["story:3", "story:2"])
        kit = Kit(db=db, catalog=world.catalog, kinds=KINDS)
        whys = []
        for chat in (IMPORTANT, URGENT):
            whys.append(await Stories().why(kit, told, replace(IN_ENGLISH, chat=chat)))
    far, near = whys
    assert far is not None
    assert near is not None
    assert "near you" not in far.text
    assert "• near you: Osh\n" in near.text


async def test_calm_stories_ask_an_operator_no_more_often_than_they_may_be_told(
    world: World,
) -> None:
    """Stories that wait for a word count too: an hour of thefts is no hundred questions."""
    world.ingest = replace(world.ingest, alerts_per_hour=2, admins=(5,), security_policy="approve")
    thefts = [
        (name, f"Police detain a thief of {what}", f"The {name} man stole {what} at night.")
        for name, what in (("tall", "horses"), ("old", "copper wire"), ("shy", "telephones"))
    ]
    assert await world.report("one", *thefts, QUIET) == 2
    assert await world.report("two", ("blast", *BLAST), QUIET) == 1  # what is grave asks as ever
    assert [row.approval for row in await world.alerts("story")] == ["waiting"] * 3


async def test_nobody_is_asked_for_calm_stories_that_nobody_wants(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No alert is made, nor is it read where it happened; who asks for all later is told of those
    that come then.
    """
    async with world.store.writing() as db:
        await storage.chats.change(db, ALL, wakes=Wakes.IMPORTANT)
    with monkeypatch.context() as patched:
        patched.setattr("bot.readers.looked.near", None)
        assert await world.report("one", ("a", *PICKPOCKETS), QUIET) == 0
    async with world.store.writing() as db:
        await storage.chats.change(db, ALL, wakes=Wakes.ALL)
    assert await world.report("one", ("c", "Police detain a thief", "He is 40."), QUIET) == 1


async def test_what_is_known_to_be_near_later_is_told_then(world: World) -> None:
    """A further report names the place, or its institute finds another: who lives there hears of
    it, once, though the others were told before.
    """
    await live_in(world, URGENT, "osh", "naryn")
    await live_in(world, IMPORTANT, "osh")
    await world.report("one", ATTACK, QUIET)
    await world.tells(IMPORTANT, ATTACK[1])
    await world.done()
    assert sent(world, URGENT) == []
    there = ATTACK[1].replace("border post", "border post near Osh")
    await world.report("two", ("b", there, ATTACK[2]), QUIET)
    await world.tells(URGENT, ATTACK[1])
    far = ("a", 4.9, "9 km W of Khujand, Tajikistan", 40.3, 69.5)
    near = ("a", 4.9, "90 km N of Artux, China", 41.0, 75.6)
    for events in ((), (far,), (near,)):
        world.publishers.put("/institute.xml", quakes(*events), kind="application/json")
        await world.poll("institute")
        await world.done()
    await world.tells(URGENT, "Artux")
    assert [len(sent(world, chat)) for chat in (ALL, IMPORTANT, URGENT)] == [2, 2, 2]
