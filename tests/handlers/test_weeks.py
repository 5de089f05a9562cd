"""The summary of a week: chosen by a tap, told on Monday once, with a picture or without."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import storage.chats
from bot.deliver.pictures import Pictures
from bot.demo.foresight import next_week
from bot.digests import due_week, enqueue_digests
from bot.emulator.faults import Fault, Kind
from bot.errors import BotError
from bot.i18n import NO_BREAK, day, t
from bot.languages import LANGUAGES
from bot.model.subjects import SECURITY, WeekSubject, weeks_of
from bot.render.phrases import phrase
from tests.handlers.conftest import GROUP, NOW, READER, RUSSIAN, STRANGER, World, days
from tests.handlers.test_boards import told
from tests.handlers.test_channels import CHANNEL, set_up
from tests.handlers.test_quiet_hours import at_night, morning
from tests.handlers.test_tables import data
from tests.handlers.test_tables import now as shown

READERS = {"en": READER, "ru": RUSSIAN, "ky": STRANGER}
MONDAY = datetime(2021, 10, 25, 3, 0, tzinfo=UTC)  # 09:00 in Bishkek
NINE = "week:09:00@Asia/Bishkek"
USD = [f"84.{cents}" for cents in (10, 20, 50, 40, 30, 25, 35)]
RUB = ["1.19", "1.19", "1.20", "1.25", "1.22", "1.21", "1.18"]


async def week(world: World, *chats: int) -> None:
    """A week of rates and two stories, for chats that follow two currencies and security since the
    week before; it is Monday, nine o'clock.
    """
    last = date(2021, 10, 23)
    await world.keep([*days("USD/KGS", USD, last=last), *days("RUB/KGS", RUB, last=last)])
    await told(world, "A bridge is closed")
    await told(world, "A fire in a market")
    keys = ["pair:USD/KGS", "pair:RUB/KGS", str(SECURITY), NINE]
    async with world.bot.store.writing() as db:
        for chat in chats:
            await storage.chats.subscribe(db, chat, keys, now=NOW - timedelta(days=9))
    world.now = MONDAY


async def summary(world: World, chat: int, *, after: int = 0) -> dict[str, Any]:
    """The summary that comes to a chat."""
    await enqueue_digests(world.bot.store, now=world.now)
    world.bot.worker.wake()
    return await world.emulator.wait_message(
        chat,
        lambda m: m["from"]["is_bot"] and "bridge" in (m.get("caption") or m.get("text", "")),
        after=after,
        timeout=20,
    )


async def follows(world: World, chat: int) -> list[str]:
    """The summaries of weeks that a chat asked for."""
    async with world.bot.store.reading() as db:
        return list(map(str, weeks_of(await storage.chats.subscriptions(db, chat))))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_week_comes_on_monday_with_a_picture(scene: World, language: str) -> None:
    """From what to what, in per cent, between what where that is more; how many stories, and their
    headlines; in the reader's language.
    """
    chat = READERS[language]
    await scene.ask("/start", chat=chat)
    await week(scene, chat)
    said = await summary(scene, chat)
    assert "photo" in said
    mark = "." if language == "en" else ","
    lines = said["caption"].replace(NO_BREAK, " ").split("\n")
    monday, sunday = (day(date(2021, 10, on), language) for on in (18, 24))
    title = phrase("week.title", language, days=f"{monday} – {sunday}").text
    assert lines[0] == title.replace(NO_BREAK, " ")
    # what held when the week began was of the Sunday before it
    assert lines[1] == f"USD 84{mark}10 → 84{mark}35 ▲ +0{mark}30 %"
    between = phrase("week.between", language, low=f"84{mark}10", high=f"84{mark}7935")
    assert lines[2] == between.text
    assert lines[3] == f"RUB 1{mark}19 → 1{mark}18 ▼ −0{mark}84 %"
    assert "A fire in a market" in said["caption"]


async def test_a_week_is_told_once_whatever_the_hour_becomes(scene: World) -> None:
    """Two replicas decide, the hour moves, the zone moves: the same week comes once."""
    await scene.ask("/start")
    await week(scene, READER)
    await summary(scene, READER)
    assert await enqueue_digests(scene.bot.store, now=scene.now) == 0
    await scene.ask("/digest 9:30", fits="09:30")
    assert await follows(scene, READER) == ["week:09:30@Asia/Bishkek"]
    scene.now = MONDAY + timedelta(hours=1)
    assert await enqueue_digests(scene.bot.store, now=scene.now)
    scene.bot.worker.wake()
    await scene.done()
    weeks = await scene.deliveries("week")
    assert sorted(one.state for one in weeks) == ["cancelled", "sent"]


async def test_a_picture_that_cannot_be_drawn_or_is_refused_leaves_the_words(
    scene: World,
) -> None:
    """They are what matters, also in a group that wants no pictures."""

    async def draw(*_job: object, **_options: object) -> bytes:
        raise BotError("no worker")

    drawing = scene.bot.worker.composer.pictures
    scene.bot.worker.composer.pictures = Pictures(draw)
    for chat in (READER, RUSSIAN, GROUP):
        await scene.ask("/start", chat=chat)
    await week(scene, READER)
    alone = await summary(scene, READER)
    assert "photo" not in alone
    scene.bot.worker.composer.pictures = drawing
    fault = Fault(
        kind=Kind.ERROR,
        code=400,
        description="Bad Request: IMAGE_PROCESS_FAILED",
        method="sendPhoto",
        chat_id=RUSSIAN,
        times=1,
    )
    scene.emulator.faults.add(fault)
    scene.emulator.set_bot_status(
        GROUP, "restricted", by=READER, rights={"can_send_messages": True}
    )
    async with scene.bot.store.writing() as db:
        for chat in (RUSSIAN, GROUP):
            await storage.chats.subscribe(
                db, chat, [str(SECURITY), "week:09:10@Asia/Bishkek"], now=NOW
            )
    scene.now = MONDAY + timedelta(minutes=10)
    for chat in (RUSSIAN, GROUP):
        refused = await summary(scene, chat)
        assert "photo" not in refused
    assert fault.hits == 1
    assert await scene.active(GROUP)


async def test_one_picture_is_uploaded_once(scene: World) -> None:
    """The next chat with the same currencies gets it by its file id."""
    await scene.ask("/start")
    await week(scene, READER)
    first = await summary(scene, READER)
    scene.emulator.add_private(scene.emulator.add_user(77, "Asel", "en"))
    await scene.ask("/start", chat=77)
    await week(scene, 77)
    async with scene.bot.store.writing() as db:
        await storage.chats.unsubscribe(db, 77, [NINE])
        keys = ["week:09:20@Asia/Bishkek"]
        await storage.chats.subscribe(db, 77, keys, now=NOW)
    scene.now = MONDAY + timedelta(minutes=20)
    again = await summary(scene, 77)
    assert again["photo"] == first["photo"]


async def test_a_week_that_falls_into_quiet_hours_comes_after_them_as_it_is(
    scene: World,
) -> None:
    """With its picture, and beside what else waited, once; /alerts names it."""
    await at_night(scene, READER)
    await week(scene, READER)
    await enqueue_digests(scene.bot.store, now=scene.now)
    scene.bot.worker.wake()
    listed = await scene.ask("/alerts")
    assert phrase("settings.week", "en", time="09:00").text in listed["text"]
    await scene.done()
    assert [one.state for one in await scene.deliveries("week")] == ["held"]
    await morning(scene, READER)
    said = await summary(scene, READER)
    assert "photo" in said
    await scene.done()
    assert [one.state for one in await scene.deliveries("week")] == ["sent"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_week_is_switched_by_a_tap_and_keeps_to_the_digests(
    scene: World, language: str
) -> None:
    """Off until then; at the first hour of the digests, at nine without one, in the chat's zone;
    the settings say so.
    """
    chat = READERS[language]
    number = (await scene.ask("/settings", chat=chat))["message_id"]
    await scene.press(chat, number, "set:digest")
    assert "week:on" in data(shown(scene, chat, number))
    await scene.press(chat, number, "week:on")
    assert await follows(scene, chat) == [NINE]
    assert (
        phrase("settings.week", language, time="09:00").text in shown(scene, chat, number)["text"]
    )
    for tap, key in (
        ("at:0800", "week:08:00@Asia/Bishkek"),
        ("at:0700", "week:07:00@Asia/Bishkek"),
        ("zone:Europe/Moscow", "week:07:00@Europe/Moscow"),
    ):
        await scene.press(chat, number, tap)
        assert await follows(scene, chat) == [key], tap
    assert (
        phrase("settings.week", language, time="07:00").text in shown(scene, chat, number)["text"]
    )
    assert await scene.press(chat, number, "week:maybe") == t("error.stale", language)
    await scene.press(chat, number, "week:off")
    assert await follows(scene, chat) == []


async def test_a_channel_has_its_week_by_its_set_up(scene: World) -> None:
    """With its own hours."""
    setup = await set_up(scene)
    await setup.press("digest")
    await setup.press("week:on")
    assert await follows(scene, CHANNEL) == [NINE]
    await setup.press("hour:1800")
    assert await follows(scene, CHANNEL) == ["week:18:00@Asia/Bishkek"]


def test_the_demonstration_stops_at_the_next_monday() -> None:
    """At its hour, today's where that is to come."""
    nine = WeekSubject.read("09:00@Asia/Bishkek")
    assert next_week(nine, now=MONDAY - timedelta(minutes=1)) == MONDAY
    assert next_week(nine, now=MONDAY) == MONDAY + timedelta(days=7)


@pytest.mark.parametrize(
    ("key", "now", "due"),
    [
        (NINE, "2021-10-25T02:59", False),
        (NINE, "2021-10-25T03:00", True),
        (NINE, "2021-10-26T02:59", True),  # a day late, after an outage
        (NINE, "2021-10-26T03:00", False),
        (NINE, "2021-10-24T03:00", False),  # Sunday
        # where Monday begins in another week's UTC
        ("week:07:00@Pacific/Auckland", "2021-10-24T18:00", True),
        # the night in which clocks are turned, on a Sunday: Monday is a plain day after it
        ("week:02:30@Europe/Berlin", "2021-11-01T01:30", True),
        ("week:02:30@Europe/Berlin", "2021-11-01T01:29", False),
        # where they are turned at the midnight before a Monday, at the first moment that there is
        ("week:00:30@Asia/Tehran", "2021-03-21T20:30", True),
        ("week:00:30@Asia/Tehran", "2021-03-21T20:29", False),
    ],
)
def test_a_week_is_due_on_monday_at_its_hour(key: str, now: str, due: bool) -> None:
    """Of its zone, for a day; it tells of the seven days before."""
    subject = WeekSubject.read(key.removeprefix("week:"))
    found = due_week(subject, now=datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert (found is not None) is due
    if found is not None:
        told = date.fromisoformat(found.payload.to_json()["first"])
        assert told.weekday() == 0
        assert 7 <= (datetime.fromisoformat(now).date() - told).days + 1 <= 9
