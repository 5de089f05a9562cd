"""One event told by an institute, four feeds and a channel in three languages: one message that
grows, sounds again once as a reply when it gets worse, and ends.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import storage.chats
import storage.stories
from bot.emulator import TEST_TOKEN, Emulator
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.db import Store
from tests.factories import chat as a_chat
from tests.sources.test_hazards import feature, summary
from tests.sources.test_posts import post, preview, words
from tests.world import SECURITY, Sending, World, polling

READERS = {"en": 3001, "ru": 3002, "ky": 3003}
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


def catalog(url: str) -> Catalog:
    languages = {"first": "en", "second": "en", "russian": "ru", "kyrgyz": "ky"}
    feeds = "".join(
        f'[feeds.{key}]\nname = {{ en = "{key.title()}" }}\nurl = "{url}/{key}.xml"\n'
        f'language = "{language}"\n'
        for key, language in languages.items()
    )
    return parse_catalog(
        f'[hazards.usgs]\nname = {{ en = "USGS" }}\nurl = "{url}/usgs"\nformat = "usgs"\n'
        "near = { latitude = 42.87, longitude = 74.59, radius_km = 600 }\nat_least = 4.5\n"
        f'[telegram.mchs]\nname = {{ en = "Ministry" }}\nchannel = "border"\n'
        f'url = "{url}/s/border"\nlanguage = "ru"\n'
        f"{feeds}"
    )


async def quiet(world: World) -> None:
    """All sources polled once, so that what follows is news."""
    world.serve("usgs", summary())
    world.serve("mchs", preview(post(1, words("Сегодня ясно."))))
    for key in ("usgs", "mchs"):
        assert (await world.poll(key)).error is None
    for key in REPORTS:
        await world.report(key, (f"{key} 0", f"Weather of {key}", "Warm."))


@pytest.mark.cases
async def test_it_is_one_message_that_grows_sounds_again_once_and_ends(store: Store) -> None:
    async with (
        polling(store, catalog, now=datetime.now(UTC)) as world,
        Emulator(TEST_TOKEN) as emulator,
        open_session() as session,
    ):
        await quiet(world)
        for language, number in READERS.items():
            emulator.add_private(emulator.add_user(number, "Reader", language))
            async with store.writing() as db:
                await storage.chats.add(db, a_chat(number, language=language), now=world.now)
                await storage.chats.subscribe(db, number, [SECURITY], now=world.now)
        world.send_through(emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN))
        async with Sending(world):
            await _told_once(world)
            await _gets_worse(world)
            await _ends(world)
    assert [world.accepted(number) for number in READERS.values()] == [2, 2, 2]


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
