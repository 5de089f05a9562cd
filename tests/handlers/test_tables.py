"""Rates as Telegram's tables: off until they are chosen, tried on the spot, and in words wherever
Telegram refuses them.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

import storage.chats
from bot.alerts.digests import DigestDue
from bot.alerts.moves import RateMoved
from bot.emulator import Fault
from bot.emulator.faults import Kind
from bot.emulator.rich import words_in
from bot.i18n import t
from bot.model.alerts import Audience
from tests.factories import rate
from tests.handlers.conftest import GROUP, NOW, READER, RUSSIAN, STRANGER, World
from tests.handlers.test_boards import shown as posts
from tests.handlers.test_boards import turns
from tests.handlers.test_channels import set_up
from tests.handlers.test_membership import CHANNEL
from tests.handlers.test_quiet_hours import MOVED, at_night, data, decided, morning

pytestmark = pytest.mark.timeout(240)

LANGUAGES = {READER: "en", RUSSIAN: "ru", STRANGER: "ky"}
EACH = pytest.mark.parametrize(("chat", "language"), LANGUAGES.items(), ids=LANGUAGES.values())


def rows(message: dict[str, Any]) -> list[list[str]]:
    """The cells of a message's table, row by row."""
    (table,) = [one for one in message["rich_message"]["blocks"] if one["type"] == "table"]
    cell = {"type": "table", "cells": []}
    found: list[list[str]] = []
    for row in table["cells"]:
        texts = [words_in({"rich_message": {"blocks": [{**cell, **one}]}}) for one in row]
        found.append([text.strip().replace("\xa0", " ") for text in texts])
    return found


async def chosen(world: World, chat: int, *, tables: bool = True) -> None:
    """A chat that wants tables, or no more."""
    await world.ask("/start", chat=chat)
    async with world.bot.store.writing() as db:
        await storage.chats.change(db, chat, tables=tables)
    world.bot.services.chats.pop(chat, None)


async def arrived(world: World, chat: int, words: str, *, after: int = 0) -> dict[str, Any]:
    """The chat's message that says so, in whatever form."""
    return await world.emulator.wait_message(
        chat, lambda m: words in words_in(m), after=after, timeout=20
    )


def now(world: World, chat: int, number: int) -> dict[str, Any]:
    """A message as it stands."""
    return world.emulator.world.chat(chat).messages[number]


@EACH
async def test_rates_come_in_words_until_tables_are_chosen(
    scene: World, chat: int, language: str
) -> None:
    """By taps in the settings; a sample comes at once, and leads back in one tap."""
    in_words = await scene.ask("/rates", chat=chat)
    assert scene.emulator.calls.of("sendRichMessage") == []
    menu = await scene.ask("/settings", chat=chat)
    assert t("settings.tables_off", language) in menu["text"]
    number = menu["message_id"]
    await scene.press(chat, number, "set:tables")
    assert t("tables.what", language) in now(scene, chat, number)["text"]
    await scene.press(chat, number, "tables:on")
    assert t("settings.tables_on", language) in now(scene, chat, number)["text"]
    sample = await arrived(scene, chat, t("tables.sample", language), after=number)
    assert rows(sample) == [["✓", t("tables.sample", language)]]
    assert data(sample) == ["tables:off"]

    table = await scene.ask("/rates", chat=chat)
    assert "text" not in table
    assert table["reply_markup"] == in_words["reply_markup"]
    mark = "." if language == "en" else ","
    assert rows(table) == [
        ["", t("rates.today", language), ""],
        ["USD", f"84{mark}7935", ""],
        ["EUR", f"98{mark}8523", ""],
        ["RUB", f"1{mark}1948", ""],
    ]
    assert "text" in await scene.ask("/help", chat=chat)

    await scene.press(chat, sample["message_id"], "tables:off")
    assert t("settings.tables_off", language) in now(scene, chat, sample["message_id"])["text"]
    assert (await scene.ask("/rates", chat=chat))["text"] == in_words["text"]


@EACH
async def test_a_table_that_telegram_refuses_comes_in_words(
    scene: World, chat: int, language: str
) -> None:
    """As they always were: marks, buttons and all."""
    in_words = await scene.ask("/rates", chat=chat)
    await chosen(scene, chat)
    for code, refusal in (
        (400, "Bad Request: can't parse InputRichMessage: x"),
        (400, "Bad Request: something nobody has seen"),
        (404, "Not Found: method not found"),  # an older server of one's own
    ):
        fault = Fault(
            kind=Kind.ERROR,
            code=code,
            description=refusal,
            method="sendRichMessage",
            chat_id=chat,
            times=1,
        )
        scene.emulator.faults.add(fault)
        answer = await scene.ask("/rates", chat=chat)
        assert fault.hits == 1
        same = ("text", "entities", "reply_markup")
        assert [answer[one] for one in same] == [in_words[one] for one in same]
    assert t("rates.today", language) in answer["text"]


async def test_an_edited_question_turns_a_table_into_words_and_back(scene: World) -> None:
    """In its place; where Telegram refuses the table there, its words stand there."""
    await chosen(scene, READER)
    asked = await scene.emulator.send_text(READER, "/rates USD")
    table = await arrived(scene, READER, "84.7935", after=asked)
    number = table["message_id"]

    async def edited(text: str, words: str) -> dict[str, Any]:
        await scene.emulator.edit_text(READER, asked, text)
        async with asyncio.timeout(20):
            while words not in words_in(now(scene, READER, number)):
                await scene.emulator.world.changed(READER)
        return now(scene, READER, number)

    assert rows(await edited("/rates EUR", "98.8523"))[1] == ["EUR", "98.8523", ""]
    assert "rich_message" not in await edited("/quiet", t("quiet.title", "en"))
    assert rows(await edited("/rates RUB", "1.1948"))[1] == ["RUB", "1.1948", ""]
    scene.emulator.faults.add(
        Fault.bad_request("can't parse x", method="editMessageText", chat_id=READER, times=1)
    )
    assert "98.8523" in (await edited("/rates EUR", "98.8523"))["text"]


async def test_a_group_has_what_its_administrators_chose(scene: World) -> None:
    """In the group alone; its members change nothing."""
    menu = await scene.ask("/settings@jarchy_bot", chat=GROUP)
    number = menu["message_id"]
    press = scene.emulator.press
    assert (await press(GROUP, number, "tables:on", user_id=STRANGER))["show_alert"]
    await scene.ask("/rates@jarchy_bot", chat=GROUP, fits="84")
    await press(GROUP, number, "tables:on", user_id=READER)
    await scene.emulator.wait_message(
        GROUP, lambda m: data(m) == ["tables:off"], after=number, timeout=20
    )
    asked = await scene.emulator.send_text(GROUP, "/rates@jarchy_bot", user_id=STRANGER)
    assert rows(await arrived(scene, GROUP, "1948", after=asked))[1][0] == "USD"
    assert "84.7935" in (await scene.ask("/rates"))["text"]
    assert (await press(GROUP, number, "tables:maybe", user_id=READER))["show_alert"]


async def test_amounts_and_the_digest_are_tables_too(scene: World) -> None:
    """Answers; a digest that comes by itself is one as well, and says the same."""
    await chosen(scene, READER)
    converted = await scene.ask("USD")
    await scene.press(READER, converted["message_id"], "amounts:USD")
    amounts = await arrived(scene, READER, "USD → KGS", after=converted["message_id"])
    assert rows(amounts)[0][:2] == ["USD", "KGS"]
    asked = await scene.ask("/digest")
    assert ["USD", "84.79"] in rows(asked)
    due = DigestDue(day=NOW.date())
    await decided(scene, due, "digest:1", Audience(chat=READER))
    scene.bot.worker.wake()
    told = await arrived(scene, READER, "84.79", after=asked["message_id"])
    assert told["rich_message"] == asked["rich_message"]


@EACH
@pytest.mark.parametrize("refused", [False, True], ids=["taken", "refused"])
@pytest.mark.cases(keep=2)
async def test_what_waited_for_the_morning_is_a_table_or_words(
    scene: World, chat: int, language: str, *, refused: bool
) -> None:
    """From what to what each rate moved, below titles that say so; refused, it comes in words."""
    await at_night(scene, chat, language)
    await chosen(scene, chat)
    await decided(scene, RateMoved(MOVED), "move", Audience(subscription="pair:USD/KGS"))
    await scene.done()
    fault = Fault.bad_request("can't parse x", method="sendRichMessage", chat_id=chat)
    if refused:
        scene.emulator.faults.add(fault)
    await morning(scene, chat)
    told = await arrived(scene, chat, t("waited.title", language))
    mark = "." if language == "en" else ","
    old, new = f"84{mark}7935", f"86{mark}4"
    assert fault.hits == refused
    if refused:
        assert f"USD {old} → " in told["text"]
    else:
        titles = [t("waited.before", language), t("waited.after", language)]
        assert rows(told)[0] == ["", *titles, ""]
        assert rows(told)[1][:3] == ["USD", old, new]


async def test_a_channels_board_is_turned_into_a_table_where_it_stands(scene: World) -> None:
    """Tried in private by who set the channel up, whose own chat goes on in words; the sample leads
    back, and the set-up goes on in its place.
    """
    found = await set_up(scene)
    await found.press("board:on")
    await turns(scene)
    (board,) = posts(scene)
    assert "84.7935" in board["text"]
    await found.press("tables")
    assert "News" in found.shown["text"]
    await found.press("tables:on")
    assert t("settings.tables_on", "en") in found.shown["text"]
    sample = await arrived(scene, READER, t("tables.sample", "en"), after=found.message)
    assert data(sample) == [f"chan:{found.number}:tables:off"]
    await turns(scene)
    as_table = now(scene, CHANNEL, board["message_id"])
    assert rows(as_table)[1] == ["USD", "84.7935", ""]
    assert await only_posts(scene) == [board["message_id"]]
    await found.press("preview")
    assert rows(await arrived(scene, READER, "84.79", after=sample["message_id"]))
    assert "text" in await scene.ask("/rates")

    found.message = sample["message_id"]
    await found.press("tables:off")
    assert t("settings.tables_off", "en") in found.shown["text"]
    await found.press("topics")
    assert any(":top:" in one for one in data(found.shown))
    await turns(scene)
    assert "84.7935" in now(scene, CHANNEL, board["message_id"])["text"]
    assert await only_posts(scene) == [board["message_id"]]


async def only_posts(world: World) -> list[int]:
    """The numbers of what a channel shows, service messages aside."""
    return [one["message_id"] for one in world.emulator.messages(CHANNEL) if words_in(one)]


@pytest.mark.parametrize("refusal", ["can't parse x", "message text is empty"])
async def test_a_boards_table_that_is_refused_is_its_words(scene: World, refusal: str) -> None:
    """The board stays up to date whatever Telegram says, and where a server of one's own is too old
    to know what a rich message is.
    """
    found = await set_up(scene)
    await found.press("board:on")
    await turns(scene)
    (board,) = posts(scene)
    fault = Fault.bad_request(refusal, method="editMessageText", chat_id=CHANNEL, times=1)
    scene.emulator.faults.add(fault)
    await found.press("tables:on")
    await scene.keep([rate(value="85.0001", on=str(NOW.date() + timedelta(days=1)))])
    await turns(scene)
    assert fault.hits == 1
    assert "85.0001" in now(scene, CHANNEL, board["message_id"])["text"]


@pytest.mark.usefixtures("impatient")
async def test_an_answer_that_has_to_wait_comes_in_words(patient: World) -> None:
    """The outbox keeps what it says, in the form that is refused by nobody."""
    await chosen(patient, READER)
    fault = Fault.flood(3, method="sendRichMessage", chat_id=READER, times=1)
    patient.emulator.faults.add(fault)
    answer = await patient.ask("/rates USD")
    assert fault.hits == 1
    assert "84.7935" in answer["text"]
    assert data(answer)
