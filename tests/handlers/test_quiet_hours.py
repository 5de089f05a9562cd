"""Quiet hours by a chat: chosen by words and taps, kept, explained; what waited, as it is read."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

import storage.alerts
import storage.chats
import storage.entries
import storage.filters
import storage.rules
import storage.stories
import storage.switch
import storage.told
from bot.alerts import corrections, edits, stories
from bot.alerts.digests import DigestDue
from bot.alerts.feeds import FeedBrought
from bot.alerts.moves import RateMoved
from bot.alerts.rules import RuleFired
from bot.deliver.marks import NOTHING_TO_SAY
from bot.detect.moves import Moved
from bot.model.alerts import About, Alert, Audience, Lane, Payload, Severity
from bot.model.chats import Chat, Post, Sound
from bot.model.filters import Filter, Sense, Trait
from bot.model.news import Verdict
from bot.model.rules import Condition, Direction, Rule, RuleState
from bot.reasons import Reason, read_if
from storage.db import db_now
from storage.entries import NewEntry
from storage.schema import chat, delivery
from tests.factories import entry, rate, seen_rate
from tests.handlers.conftest import GROUP, NOW, READER, RUSSIAN, STRANGER, World

DAY = timedelta(days=1)
FOLLOWED = ["pair:USD/KGS", "topic:security", "feed:1"]
DIGEST = "digest:18:00@Asia/Bishkek"  # which is not due yet
MOVED = Moved(
    baseline=rate(on="2021-10-19"),
    previous=rate(on="2021-10-19"),
    new=rate(value="86.4"),
    rules=("fixing",),
    usual=Decimal("0.1"),
)
LEVEL = Rule(
    pair=rate().pair, condition=Condition.LEVEL, amount=Decimal(86), direction=Direction.UP
)


def data(message: dict[str, Any]) -> list[str]:
    """The data of a message's buttons."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [one["callback_data"] for row in rows for one in row if "callback_data" in one]


async def known(world: World, number: int = READER) -> Chat:
    """A chat as it is stored."""
    async with world.bot.store.reading() as db:
        found = await storage.chats.get(db, number)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("reader", "said", "title", "urgent"),
    [
        (READER, "from 11 pm to 7 am", "Quiet hours ·\u00a023:00–07:00 ·\u00a0Bishkek", "at once"),
        (RUSSIAN, "с 23 до 7", "Тихие часы ·\u00a023:00–07:00 ·\u00a0Бишкек", "сразу"),
        (STRANGER, "23төн 7ге чейин", "Тынч сааттар ·\u00a023:00–07:00 ·\u00a0Бишкек", "дароо"),
    ],
)
async def test_hours_are_set_in_words_and_taken_back(
    patient: World, reader: int, said: str, title: str, urgent: str
) -> None:
    """Shown with taps, also bare; in the settings too."""
    answer = await patient.ask(f"/quiet {said}", chat=reader)
    assert answer["text"].startswith(title)
    assert urgent in answer["text"]
    assert str((await known(patient, reader)).quiet) == "23:00-07:00"
    assert "23:00–07:00" in (await patient.ask("/settings", chat=reader))["text"]
    shown = await patient.ask("/quiet", chat=reader)
    assert {"quiet:2300-0700", "quiet:off", "quiet:wait"} <= set(data(shown))
    await patient.ask("/quiet off", chat=reader)
    assert (await known(patient, reader)).quiet is None
    for wrong in ("25-7", "23-23", "abc", "x" * 300):
        refused = (await patient.ask(f"/quiet {wrong}", chat=reader))["text"]
        assert "/quiet 23:00-07:00" in refused
    assert (await known(patient, reader)).quiet is None
    hint = await patient.ask("/quiet 23:00-07:00", chat=reader)
    assert hint["text"].startswith(title)


async def test_hours_and_sounds_are_tapped_in_the_settings(patient: World) -> None:
    """In one message changed in place, with a way back; what no button offers is refused."""
    shown = await patient.ask("/settings", fits="Settings")
    number = shown["message_id"]

    def now() -> dict[str, Any]:
        return next(m for m in patient.emulator.messages(READER) if m["message_id"] == number)

    await patient.press(READER, number, "set:quiet")
    await patient.press(READER, number, "quiet:2200-0700")
    assert "22:00–07:00" in now()["text"]
    await patient.press(READER, number, "quiet:wait")
    assert "Urgent alerts wait too." in now()["text"]
    assert "set:back" in data(now())
    await patient.press(READER, number, "set:sounds")
    assert {"sound:rates:silent", "sound:digests:off"} <= set(data(now()))
    await patient.press(READER, number, "sound:rates:silent")
    await patient.press(READER, number, "sound:feeds:off")
    assert "sound:rates:off" in data(now())
    await patient.press(READER, number, "set:back")
    assert "Quiet hours: 22:00–07:00" in now()["text"]
    found = await known(patient)
    assert not found.quiet_urgent
    assert found.sounds == {Post.RATES: Sound.SILENT, Post.FEEDS: Sound.OFF}
    await patient.press(READER, number, "sound:rates:sound")  # as usual: nothing is kept of it
    assert (await known(patient)).sounds == {Post.FEEDS: Sound.OFF}
    for stale in ("quiet:0000-2359", "quiet:now", "sound:rates:loud", "sound:boards:off"):
        answer = await patient.emulator.press(READER, number, stale)
        assert answer["show_alert"], stale


async def test_a_groups_hours_are_its_administrators(patient: World) -> None:
    asked = await patient.ask("/quiet", chat=GROUP)
    refused = await patient.emulator.press(
        GROUP, asked["message_id"], "quiet:2300-0700", user_id=STRANGER
    )
    assert refused["show_alert"]
    await patient.emulator.press(GROUP, asked["message_id"], "quiet:2300-0700", user_id=READER)
    assert str((await known(patient, GROUP)).quiet) == "23:00-07:00"


# --- what waited ----------------------------------------------------------------------------------


async def at_night(world: World, reader: int, language: str = "en") -> None:
    """A reader who follows all there is and is in their quiet hours."""
    await world.ask("/start", chat=reader)
    async with world.bot.store.writing() as db:
        await storage.chats.change(db, reader, language=language)
        await storage.chats.subscribe(db, reader, [*FOLLOWED, DIGEST], now=NOW - DAY)
        now = await db_now(db)
        hours = {"quiet_begins_at": now - DAY, "quiet_ends_at": now + DAY}
        await db.execute(
            update(chat).where(chat.c.id == reader).values(quiet="23:00-07:00", **hours)
        )
    world.bot.services.chats.pop(reader, None)


async def morning(world: World, reader: int) -> None:
    """The quiet hours are over: they are taken back, and what was held may come."""
    async with world.bot.store.writing() as db:
        await storage.chats.change(db, reader, quiet=None)
    world.bot.worker.wake()


async def decided(
    world: World, payload: Payload, key: str, audience: Audience, **changes: Any
) -> int:
    """Enqueue one."""
    fields: dict[str, Any] = {
        "dedup_key": key,
        "payload": payload,
        "severity": Severity.NOTABLE,
        "lane": Lane.ALERT,
        "audience": audience,
        "created_at": world.bot.clock(),
        "expires_at": world.bot.clock() + timedelta(hours=6),
    }
    return await enqueued(world, Alert(**{**fields, **changes}))


async def enqueued(world: World, new: Alert) -> int:
    async with world.bot.store.writing() as db:
        pk = await storage.alerts.enqueue(db, new)
    assert pk is not None
    world.bot.worker.wake()
    return pk


async def broke(world: World, title: str, severity: Severity = Severity.NOTABLE) -> int:
    """A story that breaks; its alert."""
    verdict = Verdict(
        security=True, score=1, severity=severity, topics=("security",), language="en"
    )
    async with world.bot.store.writing() as db:
        pk = await storage.stories.add_story(db, at=NOW, verdict=verdict)
    await reported(world, pk, title, verdict=verdict)
    async with world.bot.store.reading() as db:
        story = await storage.stories.get(db, pk)
    assert story is not None
    return await enqueued(world, stories.alert(story, approval=False, now=world.bot.clock()))


async def reported(
    world: World, story: int, title: str, *, feed: str = "agency", verdict: Verdict | None = None
) -> None:
    """One more agency reports a story."""
    verdict = verdict or Verdict(
        security=True, score=1, severity=Severity.NOTABLE, topics=("security",), language="en"
    )
    item = entry(id=f"{feed}{title}", title=title, link=f"https://{feed}.example/{story}")
    new = NewEntry(feed=feed, item=item, at=NOW, link_key=None, title_key=title, verdict=verdict)
    async with world.bot.store.writing() as db:
        await storage.entries.add_entry(db, new, story_pk=story, now=NOW)


async def test_the_night_comes_as_one_message(patient: World) -> None:
    """Moves as a table, stories as headlines with links; over, muted and unfollowed are left out;
    why says so; a correction answers what was told, an edit changes it.
    """
    world = patient
    await at_night(world, READER)
    pair = Audience(subscription=FOLLOWED[0])
    moved = await decided(world, RateMoved(MOVED), "move", pair)
    async with world.bot.store.writing() as db:
        number = await storage.rules.propose(db, READER, rate().series, LEVEL, now=NOW)
        proposed = await storage.rules.get(db, READER, number, pending=True)
        assert proposed is not None
        await storage.rules.save(db, proposed, RuleState())
    fired = RuleFired(number=number, rule=LEVEL, move=MOVED.headline)
    await decided(world, fired, "rule", Audience(chat=READER))
    first = await broke(world, "A bridge is closed")
    await broke(world, "A road is closed")
    await broke(world, "Football riot")
    await reported(world, 2, "The road is open again", feed="other")
    own = FeedBrought(feed="1", name="Mine", title="My headline", text="", link="https://m.example")
    await decided(world, own, "feed", Audience(subscription=FOLLOWED[2]), severity=Severity.INFO)
    await world.done()
    before = len(world.emulator.messages(READER))
    async with world.bot.store.writing() as db:
        muted = Filter(sense=Sense.NEVER, trait=Trait.WORD, what="football", said="football")
        await storage.filters.add(db, READER, [muted])
        await storage.chats.unsubscribe(db, READER, [FOLLOWED[2]])
    await morning(world, READER)
    told = await world.tells(READER, "While it was quiet")
    assert len(world.emulator.messages(READER)) == before + 1
    assert world.emulator.silent(READER, told["message_id"])
    assert told["text"] == (
        "While it was quiet\n\n"
        "USD 84.7935 → 86.4 ▲ +1.9\N{NO-BREAK SPACE}%\n"
        "National Bank, effective 20\u00a0Oct\n\n"
        "• Your alert: USD/KGS > 86\n"
        "• A bridge is closed ·\u00a0agency\n\n"
        "Left out by your filters: 1 ·\u00a0/mute"
    )
    assert any(one.get("url") == "https://agency.example/1" for one in told["entities"])
    await world.done()
    async with world.bot.store.reading() as db:
        heard = await storage.told.heard(db, READER, About(story=1))
    assert heard is not None
    assert heard.message == told["message_id"]
    assert data(told) == [one for one in data(told) if one.startswith("why:")] != []
    await world.press(READER, told["message_id"], data(told)[0])
    why = await world.tells(READER, "waited for your quiet hours")
    assert "A bridge is closed" in why["text"]
    # one more agency: the same message is edited, and stays one about all
    await reported(world, 1, "A bridge is closed", feed="third")
    await enqueued(world, edits.alert(first, "x", now=world.bot.clock(), expires_at=NOW + 99 * DAY))
    edited = await world.emulator.wait_message(
        READER, lambda m: "2\u00a0sources" in m.get("text", ""), timeout=20
    )
    assert edited["message_id"] == told["message_id"]
    assert "86.4" in edited["text"]
    fixed = corrections.alert(
        moved, MOVED.new, seen_rate(value="85.5", revision=1), now=world.bot.clock()
    )
    await enqueued(world, fixed)
    assert "86.4 → 85.5" in (await world.tells(READER, "85.5"))["text"]


@pytest.mark.parametrize(
    ("reader", "language", "title"),
    [
        (RUSSIAN, "ru", "Пока было тихо"),
        (STRANGER, "ky", "Тынч сааттарда келгендер"),
    ],
)
async def test_the_night_is_told_in_the_readers_language(
    patient: World, reader: int, language: str, title: str
) -> None:
    """And a digest of the night comes too, as what it is."""
    world = patient
    await at_night(world, reader, language)
    await decided(world, RateMoved(MOVED), "move", Audience(subscription=FOLLOWED[0]))
    due = DigestDue(day=NOW.date())
    await decided(world, due, "digest", Audience(subscription=DIGEST), lane=Lane.ROUTINE)
    await world.done()
    assert not [m for m in world.emulator.messages(reader) if "86" in m.get("text", "")]
    await morning(world, reader)
    told = await world.tells(reader, title)
    assert "USD 84,7935 → 86,4 ▲ +1,9\N{NO-BREAK SPACE}%" in told["text"]
    digest = await world.tells(reader, "USD 84,79\n")
    assert digest["message_id"] > 0


async def test_what_is_urgent_comes_in_the_night(patient: World) -> None:
    """With sound; where the chat will have it wait, it leads the summary."""
    world = patient
    await at_night(world, READER)
    await broke(world, "An attack", Severity.URGENT)
    await world.tells(READER, "An attack")
    async with world.bot.store.writing() as db:
        await storage.chats.change(db, READER, quiet_urgent=False)
    await broke(world, "A bridge is closed")
    await broke(world, "Another attack", Severity.URGENT)
    await world.done()
    await morning(world, READER)
    told = await world.tells(READER, "While it was quiet")
    assert told["text"].index("❗ Another attack") < told["text"].index("A bridge")


async def test_a_night_of_which_nothing_is_left_says_nothing(patient: World) -> None:
    world = patient
    await at_night(world, READER)
    await broke(world, "A road is closed")
    await reported(world, 1, "The road is open again", feed="other")
    await world.done()
    before = len(world.emulator.messages(READER))
    await morning(world, READER)
    await comes_to(world, "cancelled", NOTHING_TO_SAY)
    assert len(world.emulator.messages(READER)) == before


async def comes_to(world: World, state: str, why: Reason | None) -> None:
    """Wait until a delivery to the reader is in this state."""
    while (state, why) not in await rows(world, READER):  # noqa: ASYNC110 - a commit has no event
        await asyncio.sleep(0.02)


async def rows(world: World, number: int) -> list[tuple[str, Reason | None]]:
    """State of a chat's deliveries, and why."""
    async with world.bot.store.reading() as db:
        found = await db.execute(delivery.select().where(delivery.c.chat_id == number))
        return [(row.state, read_if(row.error)) for row in found]


async def test_a_kind_of_post_is_as_loud_as_the_chat_chose(patient: World) -> None:
    """Silent, with sound where it is usually silent, or not at all."""
    world = patient
    await world.ask("/start")
    async with world.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, [*FOLLOWED, DIGEST], now=NOW - DAY)
        await storage.chats.change(db, READER, sounds="feeds=sound rates=silent stories=off")
    await broke(world, "An attack")
    await decided(world, RateMoved(MOVED), "move", Audience(subscription=FOLLOWED[0]))
    own = FeedBrought(feed="1", name="Mine", title="My headline", text="", link="https://m.example")
    await decided(world, own, "feed", Audience(subscription=FOLLOWED[2]), severity=Severity.INFO)
    for words, silent in (("86.4", True), ("My headline", False)):
        told = await world.tells(READER, words)
        assert world.emulator.silent(READER, told["message_id"]) is silent
    assert not [m for m in world.emulator.messages(READER) if "attack" in m.get("text", "")]


@pytest.mark.parametrize("said", ["/digest off", "/digest 09:00"])
async def test_a_digest_that_was_given_up_in_the_night_does_not_come_in_the_morning(
    patient: World, said: str
) -> None:
    """Nor does one of another hour than the chat wants by then."""
    world = patient
    await at_night(world, READER)
    due = DigestDue(day=NOW.date())
    await decided(world, due, "digest", Audience(subscription=DIGEST), lane=Lane.ROUTINE)
    await world.done()
    await world.ask(said)
    before = len(world.emulator.messages(READER))
    await morning(world, READER)
    await comes_to(world, "cancelled", NOTHING_TO_SAY)
    assert len(world.emulator.messages(READER)) == before


async def test_a_digest_keeps_its_hour_in_another_time_zone(patient: World) -> None:
    world = patient
    await at_night(world, READER)
    due = DigestDue(day=NOW.date())
    await decided(world, due, "digest", Audience(subscription=DIGEST), lane=Lane.ROUTINE)
    await world.done()
    await world.ask("/settings Asia/Almaty")
    await morning(world, READER)
    assert "84.79" in (await world.tells(READER, "84.79\n"))["text"]


async def test_what_a_chat_turned_off_before_it_left_does_not_leave(patient: World) -> None:
    """It stood in the outbox while no alert left: not even with sound."""
    world = patient
    await world.ask("/start")
    token = world.bot.services.settings.token.partition(":")[0]
    async with world.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, [*FOLLOWED], now=NOW - DAY)
        await storage.switch.turn_off(db, token)
    await decided(world, RateMoved(MOVED), "move", Audience(subscription=FOLLOWED[0]))
    await comes_to(world, "pending", None)
    async with world.bot.store.writing() as db:
        await storage.chats.change(db, READER, sounds="rates=off")
        await storage.switch.turn_on(db, token)
    world.bot.worker.wake()
    await comes_to(world, "cancelled", NOTHING_TO_SAY)
    assert not [m for m in world.emulator.messages(READER) if "86.4" in m.get("text", "")]
