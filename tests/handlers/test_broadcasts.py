"""/broadcast: asked, shown, confirmed twice, sent to all that were counted, and stopped."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

import storage.alerts
import storage.chats
from bot.alerts.broadcasts import Broadcast, alert
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.i18n import t
from bot.model.alerts import EVERYBODY
from bot.model.chats import ChatKind
from storage.schema import alert as alert_table
from storage.schema import broadcast
from tests.factories import chat
from tests.handlers.conftest import (
    CATALOG,
    GROUP,
    NOW,
    READER,
    RUSSIAN,
    STRANGER,
    World,
    running,
)

pytestmark = pytest.mark.jobs

WORDS = "Tomorrow 😀 I rest: example.org tells why."
MARKS = [
    {"type": "bold", "offset": 0, "length": 8},
    {"type": "text_link", "offset": 12, "length": 6, "url": "https://example.org/"},
]
LANGUAGES = {"en": READER, "ru": RUSSIAN, "ky": STRANGER}
STALE = {t("error.stale", language) for language in LANGUAGES}


async def known(world: World) -> None:
    """Three people and a group; one asked for silence, one follows the economy."""
    async with world.store.writing() as db:
        for language, number in LANGUAGES.items():
            await storage.chats.add(db, chat(number, language=language), now=NOW)
        await storage.chats.add(db, chat(GROUP, kind=ChatKind.GROUP), now=NOW)
        await storage.chats.subscribe(db, RUSSIAN, ["topic:economy"], now=NOW)


@pytest.fixture
async def desk(world: World) -> World:
    """The reader is the operator."""
    await known(world)
    world.bot.services.admins = frozenset({READER})
    return world


def buttons(message: dict[str, Any]) -> dict[str, str]:
    """A message's buttons: data by words."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return {one["text"]: one.get("callback_data", "") for row in rows for one in row}


async def drafted(desk: World, *, operator: int = READER) -> dict[str, Any]:
    """Asked and written; the message with the buttons."""
    asked = await desk.ask("/broadcast", chat=operator)
    assert list(buttons(asked).values()) == ["cast:cancel:1"]
    await desk.emulator.send_text(operator, WORDS, extra={"entities": MARKS})
    return await desk.emulator.wait_message(
        operator, lambda m: "cast:send:1" in buttons(m).values(), timeout=20
    )


async def becomes(desk: World, number: int, *words: str) -> dict[str, Any]:
    """The operator's message once it says all this."""
    return await desk.emulator.wait_message(
        READER,
        lambda m: m["message_id"] == number and all(word in m["text"] for word in words),
        timeout=30,
    )


def got(desk: World, number: int) -> list[dict[str, Any]]:
    """The copies of the broadcast in a chat, whose bot has sent them."""
    ours = desk.emulator.bot.id
    shown = desk.emulator.messages(number)
    return [m for m in shown if m["from"]["id"] == ours and m.get("text") == WORDS]


async def test_a_broadcast_is_shown_confirmed_twice_and_sent_as_it_was_shown(desk: World) -> None:
    """Text and entities as they were written; progress in the message that confirmed it."""
    card = await drafted(desk)
    number = card["message_id"]
    assert "3\u00a0readers, 1\u00a0group" in card["text"]
    (shown,) = got(desk, READER)
    assert shown["message_id"] < number
    await desk.press(READER, number, "cast:send:1")
    sure = await becomes(desk, number, t("broadcast.sure", "en"), "3\u00a0readers, 1\u00a0group")
    assert buttons(sure)["Yes, send to 4\u00a0chats"] == "cast:sure:1"
    assert got(desk, RUSSIAN) == []
    await desk.press(READER, number, "cast:sure:1")
    done = await becomes(desk, number, t("broadcast.done", "en"), "4\u00a0of 4")
    assert buttons(done) == {}
    for chat_id in (RUSSIAN, STRANGER, GROUP):
        (one,) = got(desk, chat_id)
        assert one["entities"] == shown["entities"]
    for data in ("cast:sure:1", "cast:send:1", "cast:stop:1", "cast:back:1", "cast:cancel:1"):
        assert await desk.press(READER, number, data) in STALE, data
    await desk.done()
    assert len(got(desk, RUSSIAN)) == 1


async def test_words_behind_the_command_are_the_broadcasts(desk: World) -> None:
    """With the marks that they have there, also in two lines."""
    lead = "/broadcast\n"
    marks = [{"type": "bot_command", "offset": 0, "length": len("/broadcast")}]
    marks += [{**one, "offset": one["offset"] + len(lead)} for one in MARKS]
    await desk.emulator.send_text(READER, lead + WORDS, extra={"entities": marks})
    card = await desk.emulator.wait_message(
        READER, lambda m: "cast:send:1" in buttons(m).values(), timeout=20
    )
    assert t("broadcast.shown", "en") in card["text"]
    (shown,) = got(desk, READER)
    assert [one for one in MARKS if one not in shown["entities"]] == []


async def test_a_broadcast_may_go_to_a_topics_readers(desk: World) -> None:
    """Chosen by a tap; back from the second step, too."""
    number = (await drafted(desk))["message_id"]
    assert await desk.press(READER, number, "cast:to:1:football") in STALE
    await desk.press(READER, number, "cast:to:1:politics")
    await becomes(desk, number, t("broadcast.nobody", "en"))
    assert await desk.press(READER, number, "cast:send:1") == t("error.broadcast.nobody", "en")
    await desk.press(READER, number, "cast:to:1:economy")
    await becomes(desk, number, "1\u00a0reader")
    await desk.press(READER, number, "cast:send:1")
    await becomes(desk, number, t("broadcast.sure", "en"), t("topic.economy", "en"))
    await desk.press(READER, number, "cast:back:1")
    await becomes(desk, number, t("broadcast.shown", "en"))
    await desk.press(READER, number, "cast:send:1")
    await becomes(desk, number, t("broadcast.sure", "en"))
    await desk.press(READER, number, "cast:sure:1")
    await becomes(desk, number, t("broadcast.done", "en"), "1\u00a0of 1")
    assert [len(got(desk, one)) for one in (RUSSIAN, STRANGER, GROUP)] == [1, 0, 0]


async def test_a_stopped_broadcast_leaves_for_nobody_else(desk: World) -> None:
    """Telegram asks to wait with one chat; Stop ends that too, and who has it has it."""
    flood = Fault.flood(600, method="sendMessage", chat_id=STRANGER)
    number = (await drafted(desk))["message_id"]
    desk.emulator.faults.add(flood)
    await desk.press(READER, number, "cast:send:1")
    await becomes(desk, number, t("broadcast.sure", "en"))
    await desk.press(READER, number, "cast:sure:1")
    under_way = await becomes(desk, number, t("broadcast.under_way", "en"), "3\u00a0of 4")
    assert list(buttons(under_way).values()) == ["cast:stop:1"]
    said = await desk.press(READER, number, "cast:stop:1")
    assert said == t("broadcast.stopping", "en")
    await becomes(desk, number, t("broadcast.stopped", "en"), "3\u00a0of 4")
    desk.emulator.faults.clear()
    await desk.done()
    assert [len(got(desk, one)) for one in (RUSSIAN, STRANGER, GROUP)] == [1, 0, 1]


async def test_who_asked_for_silence_is_left_alone_and_who_blocked_is_named(desk: World) -> None:
    """As with every alert."""
    async with desk.store.writing() as db:
        await storage.chats.stop(db, STRANGER)
    desk.emulator.faults.add(Fault.forbidden("blocked", chat_id=RUSSIAN))
    card = await drafted(desk)
    number = card["message_id"]
    assert "2\u00a0readers, 1\u00a0group" in card["text"]
    await desk.press(READER, number, "cast:send:1")
    await becomes(desk, number, t("broadcast.sure", "en"))
    await desk.press(READER, number, "cast:sure:1")
    await becomes(
        desk, number, t("broadcast.done", "en"), "2\u00a0of 3", "1\u00a0chat could not be reached"
    )
    assert not await desk.active(RUSSIAN)
    assert got(desk, STRANGER) == []


async def test_S9_what_is_forwarded_is_not_taken_and_a_command_stays_one(desk: World) -> None:
    """The question stays open for the operator's own words."""
    await desk.ask("/broadcast")
    origin = {"type": "hidden_user", "date": 1, "sender_user_name": "Somebody"}
    await desk.emulator.send_text(READER, WORDS, extra={"forward_origin": origin})
    await desk.tells(READER, t("error.broadcast.forwarded", "en"))
    assert "USD" in (await desk.ask("/rates USD"))["text"]
    await desk.emulator.send_text(READER, WORDS)
    await desk.emulator.wait_message(
        READER, lambda m: "cast:send:1" in buttons(m).values(), timeout=20
    )
    assert len(got(desk, READER)) == 1


@pytest.mark.parametrize(("language", "number"), LANGUAGES.items())
async def test_S25_a_broadcast_is_its_operators_and_ends(
    desk: World, language: str, number: int
) -> None:
    """In the operator's language; another operator's press is stale, and so is a late one."""
    other = RUSSIAN if number != RUSSIAN else READER
    desk.bot.services.admins = frozenset({number, other})
    card = await drafted(desk, operator=number)
    assert t("broadcast.shown", language) in card["text"]
    assert await desk.press(other, 1, "cast:send:1") in STALE
    assert await desk.press(number, card["message_id"], "cast:sure:1") == t("error.stale", language)
    async with desk.store.writing() as db:
        await db.execute(update(broadcast).values(until_at=NOW - timedelta(days=1)))
    assert await desk.press(number, card["message_id"], "cast:send:1") == t("error.stale", language)
    assert "100" in (await desk.ask("100 usd", chat=number))["text"]


async def test_a_cancelled_broadcast_is_not_sent(desk: World) -> None:
    """Also when its words were written already; the next text is a question like any other."""
    number = (await drafted(desk))["message_id"]
    await desk.press(READER, number, "cast:cancel:1")
    await becomes(desk, number, t("broadcast.cancelled", "en"))
    assert await desk.stored(broadcast) == []
    asked = await desk.ask("/broadcast")
    await desk.press(READER, asked["message_id"], "cast:cancel:2")
    assert "100" in (await desk.ask("100 usd"))["text"]
    assert got(desk, RUSSIAN) == []


async def test_another_operator_hears_that_something_is_sent(desk: World) -> None:
    """By whom, and to how many, without a sound."""
    desk.bot.services.admins = frozenset({READER, RUSSIAN})
    number = (await drafted(desk))["message_id"]
    await desk.press(READER, number, "cast:send:1")
    await becomes(desk, number, t("broadcast.sure", "en"))
    await desk.press(READER, number, "cast:sure:1")
    words = t("notice.broadcast", "ru").format(who="Aigul", count=4)
    await desk.tells(RUSSIAN, words)
    told = [one for one in await desk.stored(alert_table) if one.kind == "notice"]
    assert [one.audience_chat for one in told] == [RUSSIAN]  # and not who sends it


async def test_a_broadcast_goes_on_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its progress too: the program ended while most of it waited; nobody gets it twice."""
    monkeypatch.chdir(tmp_path)
    people = range(2001, 2021)
    async with Emulator(TEST_TOKEN, "jarchy_bot", privacy=False) as telegram:
        for one in (READER, *people):
            telegram.add_private(telegram.add_user(one, f"Reader {one}", "en"))
        async with running(tmp_path, telegram, CATALOG, now=NOW, send_rate=2) as first:
            async with first.store.writing() as db:
                for one in (READER, *people):
                    await storage.chats.add(db, chat(one), now=NOW)
            first.bot.services.admins = frozenset({READER})
            number = (await drafted(first))["message_id"]
            await first.press(READER, number, "cast:send:1")
            await becomes(first, number, t("broadcast.sure", "en"))
            await first.press(READER, number, "cast:sure:1")
            await first.arrived(people[1])
        assert sum(len(got(first, one)) for one in people) < len(people)
        async with running(tmp_path, telegram, CATALOG, now=NOW) as second:
            await becomes(second, number, t("broadcast.done", "en"), "21\u00a0of 21")
            assert [len(got(second, one)) for one in people] == [1] * len(people)


async def test_a_broadcast_never_goes_before_an_alert_that_is_due(world: World) -> None:
    """It has the routine lane, whoever else is told something meanwhile."""
    words = Broadcast(text=WORDS)
    made = alert("1", words, EVERYBODY, now=NOW)
    async with world.store.writing() as db:
        assert await storage.alerts.enqueue(db, made) is not None
        assert await storage.alerts.enqueue(db, made) is None
    (stored,) = await world.alerts("broadcast")
    assert stored.lane == 2
