"""One event told by an institute, four feeds and a channel in three languages: one message that
grows, sounds again once as a reply when it gets worse, and ends; but not to who muted its word.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import storage.chats
import storage.sources
import storage.stories
from bot import recurring
from bot.emulator import TEST_TOKEN, Emulator
from handlers.services import Services
from tests.publishers import Publishers, rss
from tests.sources.test_hazards import feature, summary
from tests.sources.test_posts import post, preview, words
from tests.world import SECURITY, World, running

READERS = {"en": 3001, "ru": 3002, "ky": 3003}
MUTED = 3004
SOURCES = ("usgs", "mchs", "first", "second", "russian", "kyrgyz")
SEARCHES = {"en": "earthquake", "ru": "землетрясение", "ky": "жер титирөө"}
REPORTS = {
    "first": ("Quake of magnitude 5.4 shakes Issyk-Kul", "Residents of Kaji-Say left their homes."),
    "second": ("Earthquake of magnitude 5.4 felt at Issyk-Kul", "Nobody was hurt, rescuers say."),
    "russian": ("Землетрясение магнитудой 5,4 произошло на Иссык-Куле", "Жители вышли на улицы."),
    "kyrgyz": ("Ысык-Көлдө магнитудасы 5,4 болгон жер титирөө болду", "Эл үйлөрүнөн чыкты."),
}
GRAVE = (
    "Earthquake of magnitude 5.4 at Issyk-Kul kills 140, thousands are evacuated",
    "Houses collapsed in Kaji-Say, 140 people were killed and thousands are being evacuated.",
)


def catalog(url: str) -> str:
    languages = {"first": "en", "second": "en", "russian": "ru", "kyrgyz": "ky"}
    feeds = "".join(
        f'[feeds.{key}]\nname = {{ en = "{key.title()}" }}\nurl = "{url}/{key}.xml"\n'
        f'language = "{language}"\n'
        for key, language in languages.items()
    )
    return (
        f'[hazards.usgs]\nname = {{ en = "USGS" }}\nurl = "{url}/usgs"\nformat = "usgs"\n'
        "near = { latitude = 42.87, longitude = 74.59, radius_km = 600 }\nat_least = 4.5\n"
        f'[telegram.mchs]\nname = {{ en = "Ministry" }}\nchannel = "border"\n'
        f'url = "{url}/s/border"\nlanguage = "ru"\n'
        f"{feeds}"
    )


def quiet(publishers: Publishers) -> None:
    """What all sources serve at their first poll, so that what follows is news."""
    publishers.put("/usgs", summary())
    publishers.put("/s/border", preview(post(1, words("Сегодня ясно."))))
    for key in REPORTS:
        publishers.put(f"/{key}.xml", rss((f"{key} 0", f"Weather of {key}", "Warm.")))


@pytest.mark.cases
async def test_it_is_one_message_that_grows_sounds_again_once_and_ends(
    migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the whole program, which polls each source once by itself; the muted word is counted
    in /settings, and each reader finds the event by a word of their language.
    """
    monkeypatch.setattr(Services, "allow", lambda *_args, **_options: True)
    now = datetime.now(UTC)
    async with Publishers() as publishers, Emulator(TEST_TOKEN, "jarchy_bot") as emulator:
        quiet(publishers)
        people = {**{number: language for language, number in READERS.items()}, MUTED: "en"}
        for number, language in people.items():
            emulator.add_private(emulator.add_user(number, "Reader", language))
        url = {"database_url": migrated_url}
        address = catalog(publishers.url)
        async with running(
            tmp_path, emulator, address, now=now, introduces=False, send_rate=30, **url
        ) as world:
            world.publishers = publishers
            await _polled(world)
            for number in people:
                await world.ask("/start", chat=number)
                async with world.store.writing() as db:
                    await storage.chats.subscribe(db, number, [SECURITY], now=world.now)
            await world.ask("/mute earthquake", chat=MUTED)
            before = {number: world.accepted(number) for number in people}
            await _told_once(world)
            await _gets_worse(world)
            await _ends(world)
            after = {number: world.accepted(number) - before[number] for number in people}
            assert after == {**dict.fromkeys(READERS.values(), 2), MUTED: 0}
            assert "left out so far: 2" in (await world.ask("/settings", chat=MUTED))["text"]
            await recurring.index(world.bot)  # as every five seconds
            for language, number in READERS.items():
                found = await world.ask(f"/search {SEARCHES[language]}", chat=number)
                assert "5.4" in found["text"].replace(",", "."), language


async def _polled(world: World) -> None:
    """All sources have been read once."""
    async with asyncio.timeout(60):
        while True:
            async with world.store.reading() as db:
                states = await storage.sources.states(db)
            if sum(one.last_ok_at is not None for one in states.values()) == len(SOURCES):
                return
            world.now += timedelta(seconds=1)  # of one host four have their turn in a look
            await asyncio.sleep(0.05)  # nobody is told of it


async def _told_once(world: World) -> None:
    """The institute is first; agencies and the channel make its message grow."""
    at = int((world.now - timedelta(minutes=5)).timestamp()) * 1000
    world.serve("usgs", summary(feature("us1", time=at)))
    assert (await world.poll("usgs")).alerts == 1
    await world.done()
    for key, report in REPORTS.items():
        assert await world.report(key, (f"{key} 1", *report)) == 0
    text = "Землетрясение магнитудой 5,4 произошло на Иссык-Куле. Спасатели выехали."
    world.serve("mchs", preview(post(2, words(text), at=world.now.isoformat())))
    assert (await world.poll("mchs")).alerts == 0
    await world.done()
    for number in READERS.values():
        await world.tells(number, "6\u00a0")
    async with world.store.reading() as db:
        (told,) = await storage.stories.latest(db, topics=["security"])
    assert len(told.entries) == 6
    assert told.languages == {"en", "ru", "ky"}


async def _gets_worse(world: World) -> None:
    """Said once, as a reply, with a sound; by whoever says it again, not."""
    assert await world.report("first", ("grave", *GRAVE)) == 1
    for number in READERS.values():
        rise = await world.tells(number, "❗")
        assert rise["reply_to_message"]["message_id"] < rise["message_id"]
        assert not world.emulator.silent(number, rise["message_id"])
    await world.done()
    assert await world.report("second", ("grave too", *GRAVE)) == 0


async def _ends(world: World) -> None:
    """Both messages say so, in silence."""
    over = (
        "Issyk-Kul is back to normal after the earthquake of magnitude 5.4",
        "Roads are clear and electricity was restored in Kaji-Say, the emergencies ministry said.",
    )
    assert await world.report("second", ("over", *over)) == 0
    for number in READERS.values():
        await world.tells(number, "✔")
    await world.done()
