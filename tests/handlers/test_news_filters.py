"""/mute, /only and *Less of this*: said, listed with what each kept back, lifted; news obeys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

import storage.alerts
import storage.chats
import storage.entries
import storage.filters
import storage.stories
from bot.alerts import stories
from bot.detect.filters import source_code
from bot.i18n import t
from bot.model.alerts import Severity
from bot.model.filters import Filter, Sense, StoredFilter, Trait
from bot.model.news import Verdict
from storage.entries import NewEntry
from tests.factories import entry
from tests.handlers.conftest import (
    CATALOG,
    NOW,
    READER,
    RUSSIAN,
    STRANGER,
    World,
    stood,
)

SOURCE = source_code("agency")
AGENCY = """
[feeds.agency]
name = { en = "Mountain News", ru = "Горные вести" }
url = "http://127.0.0.1:9/rss.xml"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def program(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """With an agency."""
    async with stood(tmp_path_factory.mktemp("scene"), CATALOG + AGENCY) as made:
        yield made


async def stored(world: World, *titles: str, text: str = "", loud: bool = False) -> list[int]:
    """Stories of the agency, each a minute newer than the one before; loud ones break."""
    verdict = Verdict(
        security=loud,
        score=1,
        severity=Severity.NOTABLE if loud else Severity.INFO,
        topics=("security",) if loud else (),
        language="en",
    )
    alerts: list[int] = []
    async with world.bot.store.writing() as db:
        for number, title in enumerate(titles):
            at = NOW - timedelta(hours=1) + timedelta(minutes=number)
            pk = await storage.stories.add_story(db, at=at, verdict=verdict)
            item = entry(
                id=f"{title}{at}", title=title, summary=text, published_at=at, language="en"
            )
            new = NewEntry(
                feed="agency", item=item, at=at, link_key=None, title_key=title, verdict=verdict
            )
            await storage.entries.add_entry(db, new, story_pk=pk, now=NOW)
            story = await storage.stories.get(db, pk)
            if loud and story is not None:
                alert = stories.alert(story, approval=False, now=world.bot.clock())
                alerts.append(await storage.alerts.enqueue(db, alert) or 0)
    world.bot.worker.wake()
    return alerts


async def filters(world: World, chat: int = READER) -> list[StoredFilter]:
    """A chat's filters as they are stored."""
    async with world.bot.store.reading() as db:
        return await storage.filters.of_chat(db, chat)


def data(message: dict[str, Any]) -> list[str]:
    """The data of a message's buttons."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [one["callback_data"] for row in rows for one in row if "callback_data" in one]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("/mute football", [(Sense.NEVER, Trait.WORD, "football")]),
        (
            '/mute football, "Osh", border guards',
            [
                (Sense.NEVER, Trait.WORD, "football"),
                (Sense.NEVER, Trait.WORD, "osh"),
                (Sense.NEVER, Trait.WORD, "border guards"),
            ],
        ),
        (
            "/only Osh, баткен",
            [(Sense.ONLY, Trait.PLACE, "osh"), (Sense.ONLY, Trait.PLACE, "batken")],
        ),
        ("/mute Горные вести", [(Sense.NEVER, Trait.SOURCE, "agency")]),
        ("/mute mountain news", [(Sense.NEVER, Trait.SOURCE, "agency")]),
        ("/mute Экономика", [(Sense.NEVER, Trait.TOPIC, "economy")]),
        (
            "/only +fire !football Osh",
            [
                (Sense.MUST, Trait.WORD, "fire"),
                (Sense.NEVER, Trait.WORD, "football osh"),
            ],
        ),
        (
            "/mute c++, rock'n'roll, ёлка, елка, Café, cafe",
            [
                (Sense.NEVER, Trait.WORD, "c"),
                (Sense.NEVER, Trait.WORD, "rock n roll"),
                (Sense.NEVER, Trait.WORD, "елка"),
                (Sense.NEVER, Trait.WORD, "cafe"),
            ],
        ),
    ],
)
@pytest.mark.cases(keep=4)
async def test_what_is_said_is_read_as_topic_source_place_or_words(
    scene: World, written: str, kept: list[tuple[Sense, Trait, str]]
) -> None:
    await scene.ask(written, fits="Saved")
    assert [(one.sense, one.trait, one.what) for one in await filters(scene)] == kept


@pytest.mark.parametrize(
    ("written", "what", "days"),
    [
        ("/mute football for 7 days", "football", 7),
        ("/mute football 2w", "football", 14),
        ("/mute football for a month", "football", 30),
        ("/mute football на неделю", "football", 7),
        ("/mute футбол на 3 дня", "футбол", 3),
        ("/mute футбол 7 күнгө", "футбол", 7),
        ("/mute футбол бир жумага", "футбол", 7),
        ("/mute good day", "good day", None),
        ("/mute бир күн, күн", "бир кун", None),
    ],
)
@pytest.mark.cases(keep=4)
async def test_a_filter_may_have_an_end_in_any_language(
    scene: World, written: str, what: str, days: int | None
) -> None:
    await scene.ask(written, fits="Saved")
    one, *_ = await filters(scene)
    assert one.what == what
    assert (one.until is not None) is (days is not None)
    if one.until is not None and days is not None:
        async with scene.bot.store.reading() as db:
            left = one.until - await storage.db.db_now(db)
        assert timedelta(days=days) - timedelta(minutes=5) < left <= timedelta(days=days)


async def test_what_cannot_be_a_filter_is_said_so_and_nothing_is_kept(scene: World) -> None:
    """One clear answer, with an example that works."""
    for wrong, words in (
        ("/mute ???", "/mute football"),
        ("/only +, !", "/only Osh"),
        (f"/mute {'x' * 61}", "60"),
        (f"/mute fire {'x' * 41}", "A word has at most 40"),  # no story has such a word
        (
            "/mute \u19b0",
            "Which words? Try: /mute football",
        ),  # nor one of no letters that it is found by
        ("/mute football 400 days", "366"),
        ("/mute football for 9999 days", "366"),
        ("/mute футбол 9999 күн", "366"),
        ("/mute футбол на 5000 недель", "366"),
        ("/mute " + ", ".join(f"word{n}" for n in range(21)), "20"),
    ):
        assert words in (await scene.ask(wrong))["text"], wrong
    assert await filters(scene) == []
    for start in range(0, 30, 10):
        await scene.ask("/mute " + ",".join(f"word{n}" for n in range(start, start + 10)))
    assert "30" in (await scene.ask("/mute another"))["text"]
    assert len(await filters(scene)) == 30
    await scene.ask("/only word1", fits="Saved")  # in the place of one that is there
    assert len(await filters(scene)) == 30


async def test_a_list_of_the_longest_filters_is_one_message(scene: World) -> None:
    """With a button for each."""
    for start in range(0, 30, 10):
        longest = (f"{number:02}{'ш' * 27} {'ш' * 30}" for number in range(start, start + 10))
        await scene.ask("/mute " + ", ".join(longest) + " 7d", fits="Saved")
    listed = await scene.ask("/mute", fits="Left out so far")
    assert len([one for one in data(listed) if one.startswith("lift:")]) == 31


async def test_a_story_that_is_kept_back_is_counted_where_one_looks(scene: World) -> None:
    """In the list and in the settings; lifted, the next one comes again."""
    await scene.ask("/start")
    async with scene.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, ["topic:security"], now=NOW)
    await scene.ask("/mute flood")
    await stored(scene, "Floods in the valley", "A fire in a market", loud=True)
    await scene.tells(READER, "A fire in a market")
    listed = await scene.ask("/mute", fits="flood")
    assert "Left out so far: 1" in listed["text"]
    settings = await scene.ask("/settings", fits="Filters: 1, left out so far: 1")
    await scene.press(READER, settings["message_id"], "set:filters")
    shown = await scene.tells(READER, "Nothing about:")
    (lifting,) = [one for one in data(shown) if one.startswith("lift:")]
    await scene.press(READER, shown["message_id"], lifting)
    await scene.tells(READER, "None: you get all")
    assert await filters(scene) == []
    await stored(scene, "Floods again", loud=True)
    await scene.tells(READER, "Floods again")


async def test_news_and_digest_leave_out_the_same_and_say_so(scene: World) -> None:
    """Pages stay full, and turn in place."""
    await stored(
        scene,
        *(f"Harvest {number}" for number in range(7)),
        *(f"Football {number}" for number in range(6)),
    )
    assert "Football 5" in (await scene.ask("/digest"))["text"]
    assert "Football 5" in (await scene.ask("/news"))["text"]
    await scene.ask("/mute football")
    page = await scene.ask("/news", fits="Harvest 6")
    assert "Football" not in page["text"]
    assert "Harvest 2" in page["text"]
    assert "Left out by your filters: 6" in page["text"]
    await scene.press(READER, page["message_id"], "news:-:1")
    second = await scene.tells(READER, "Harvest 0")
    assert "Left out" not in second["text"]
    digest = await scene.ask("/digest", fits="Harvest 6")
    assert "Left out by your filters: 6" in digest["text"]
    await scene.ask("/only chess")
    empty = await scene.ask("/news", fits="Left out by your filters: 13")
    assert "Harvest" not in empty["text"]


async def test_who_chose_currencies_alone_gets_a_digest_of_rates_alone(scene: World) -> None:
    """With a topic it has that topic's story."""
    await scene.ask("/help")
    async with scene.bot.store.writing() as db:
        mine = await storage.chats.subscriptions(db, READER)
        await storage.chats.unsubscribe(db, READER, mine)
        await storage.chats.subscribe(db, READER, ["pair:USD/KGS"], now=NOW)
    await stored(scene, "Harvest 1", loud=True)
    digest = (await scene.ask("/digest"))["text"]
    assert "Harvest" not in digest
    async with scene.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, ["topic:security"], now=NOW)
    assert "Harvest 1" in (await scene.ask("/digest"))["text"]


async def test_less_of_this_under_a_story(scene: World) -> None:
    """This story, its source, a place, a word; for a day, a week, for good."""
    await scene.ask("/start")
    async with scene.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, ["topic:security"], now=NOW)
    (alert,) = await stored(scene, "Shelling near Batken market", loud=True)
    told = await scene.tells(READER, "Shelling near")
    assert f"less:{alert}" in data(told)
    await scene.press(READER, told["message_id"], f"less:{alert}")
    menu = await scene.tells(READER, "Less of what?")
    assert data(menu) == [
        f"less:{alert}:{code}"
        for code in ("story", SOURCE, "place-batken", "word-shelling", "word-market", "cancel")
    ]
    assert menu["reply_markup"]["inline_keyboard"][0][0]["text"] == "This story"
    await scene.press(READER, menu["message_id"], f"less:{alert}:place-batken")
    asked = await scene.tells(READER, "for how long")
    assert asked["message_id"] == menu["message_id"]
    await scene.press(READER, menu["message_id"], f"less:{alert}")
    await scene.tells(READER, "Less of what?")
    await scene.press(READER, menu["message_id"], f"less:{alert}:word-market:7")
    await scene.tells(READER, "“market” ·\u00a0until")
    (one,) = await filters(scene)
    assert (one.sense, one.trait, one.what) == (Sense.NEVER, Trait.WORD, "market")
    assert one.until is not None
    await scene.press(READER, menu["message_id"], f"less:{alert}:{SOURCE}:0")
    await scene.press(READER, menu["message_id"], f"less:{alert}:story")
    assert [(one.trait, one.until is None) for one in await filters(scene)] == [
        (Trait.WORD, False),
        (Trait.SOURCE, True),
        (Trait.STORY, False),
    ]
    await scene.press(READER, told["message_id"], f"less:{alert}")
    again = await scene.tells(READER, "Less of what?")
    await scene.press(READER, again["message_id"], f"less:{alert}:cancel")
    shown = scene.emulator.messages(READER)
    left = next(one for one in shown if one["message_id"] == again["message_id"])
    assert left["text"] == t("cancel.done", "en")
    assert data(left) == []
    assert len(await filters(scene)) == 3


async def test_what_less_buttons_name_has_to_be_the_storys(scene: World) -> None:
    """Anybody can send any data."""
    (alert,) = await stored(scene, "Shelling near Batken market", loud=True)
    menu = await scene.ask("/start")
    for wrong in (
        "less:999999",
        "less:x",
        f"less:{alert}:word-Osh",
        f"less:{alert}:source7",
        f"less:{alert}:word-market:8",
        f"less:{alert}:word-market:-1",
        "lift:999",
        "lift:all",
        "lift:-",
    ):
        assert await scene.press(READER, menu["message_id"], wrong), wrong
    assert await filters(scene) == []


async def test_filters_speak_the_chats_language(scene: World) -> None:
    assert (
        "Не присылаю про:\n• «футбол»"
        in (await scene.ask("/mute футбол", chat=RUSSIAN, fits="Сохранено"))["text"]
    )
    listed = await scene.ask("/only Ош", chat=STRANGER, fits="Ош")
    assert "Булар тууралуу гана жазам:\n• Ош (жер)" in listed["text"]


async def _ends(world: World) -> list[tuple[str, float | None]]:
    """What each of the reader's filters names, and the hours until its end."""
    found: list[tuple[str, float | None]] = []
    async with world.bot.store.reading() as db:
        now = await storage.db.db_now(db)
        for one in await storage.filters.of_chat(db, READER):
            left = None if one.until is None else round((one.until - now).total_seconds() / 3600)
            found.append((f"{one.trait.value} {one.what}", left))
    async with world.bot.store.writing() as db:
        await storage.filters.lift(db, READER)
    return found


async def test_names_and_ends_are_read_as_they_are_said(scene: World) -> None:
    """What is read as one phrase with them in it would be a phrase that no story has, and /only it
    would silence the chat.
    """
    await scene.ask("/help")
    local = NOW.astimezone(ZoneInfo("Asia/Bishkek"))
    day_ends = 23 - local.hour + (60 - local.minute) / 60
    friday = round(day_ends + 24 * ((4 - local.weekday() - 1) % 7 + 1))
    year_ends = round(day_ends + 24 * (date(local.year, 12, 31) - local.date()).days)
    osh, batken, weeks = "place osh", "place batken", 14 * 24
    for written, understood in (
        ("/only Osh for two weeks", [(osh, weeks)]),
        ("/only Osh for the next two weeks", [(osh, weeks)]),
        ("/only Ош на две недели", [(osh, weeks)]),
        ("/only Ош эки жумага", [(osh, weeks)]),
        ("/only Osh for 24 hours", [(osh, 24)]),
        ("/only Ош 24 саатка", [(osh, 24)]),
        ("/only Osh until Friday", [(osh, friday)]),
        ("/only Ош до пятницы", [(osh, friday)]),
        ("/only Ош жума күнгө чейин", [(osh, friday)]),
        (f"/only Osh until {local.year}-12-31", [(osh, year_ends)]),
        (f"/only Osh until Dec 31, {local.year}", [(osh, year_ends)]),
        ("/only Ош 31-декабрга чейин", [(osh, year_ends)]),
        ("/only Osh and Batken", [(osh, None), (batken, None)]),
        ("/only Ош и Баткен", [(osh, None), (batken, None)]),
        ("/only Ош жана Баткен", [(osh, None), (batken, None)]),
        ("/only Osh for 7 days, Batken", [(osh, 168), (batken, None)]),
        ("/only Osh, Batken for 7 days", [(osh, 168), (batken, 168)]),
        ('/mute "Osh until spring"', [("word osh until spring", None)]),
        ("/mute дорога до Оша", [("word дорога до оша", None)]),
        ("/mute football, 7 days", [("word football", 168)]),
    ):
        await scene.ask(written, fits="Saved")
        assert await _ends(scene) == understood, written
    answer = await scene.ask("/only Osh and Batken until Friday", fits="Saved")
    assert "Osh (place) ·\u00a0until" in answer["text"]
    assert "Batken (place) ·\u00a0until" in answer["text"]


async def test_until_a_day_is_that_day_also_where_the_chat_is_by_now(scene: World) -> None:
    """As its reader was told; what ends after so many days has its moment."""
    await scene.ask("/mute chess for 3 days", fits="Saved")
    (chess,) = await filters(scene)
    async with scene.bot.store.writing() as db:
        now = await storage.db.db_now(db)
        day = now.astimezone(ZoneInfo("Asia/Bishkek")).date() + timedelta(days=20)
        football = Filter(sense=Sense.NEVER, trait=Trait.WORD, what="football", said="football")
        span = end_of(day, "Asia/Bishkek") - now
        await storage.filters.add(db, READER, [football], span=span)
    for place, zone in (("Berlin", "Europe/Berlin"), ("Tokyo", "Asia/Tokyo")):
        await scene.ask(f"/settings {place}")
        still, moved = await filters(scene)
        assert (still.until, moved.until) == (chess.until, end_of(day, zone))


def end_of(day: date, zone: str) -> datetime:
    """The last second of a day where clocks go by a zone."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=ZoneInfo(zone))


async def test_an_end_that_nobody_can_read_is_refused_with_one_that_can_be(scene: World) -> None:
    """Beside a place or a topic; nothing is kept of it."""
    for wrong, words in (
        ("/only Osh until spring", "Osh, Batken for 7 days"),
        ("/only Ош жазга чейин", "quotation marks"),
        ("/only Batken, Osh for some weeks", "Osh, Batken for 7 days"),
        ("/mute economy for many days", "Osh, Batken for 7 days"),
        ("/mute football until 31.02.2027", "31.02.2027"),
        ("/mute football until 2020-01-01", "has passed"),
        ("/mute football for 9000 hours", "366"),
    ):
        assert words in (await scene.ask(wrong))["text"], wrong
    assert await filters(scene) == []
