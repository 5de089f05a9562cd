"""Commands of one member of a group whose answers nobody else there sees."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

import storage.privacy
from bot.emulator import Fault
from bot.i18n import t
from bot.languages import LANGUAGES as SPOKEN
from bot.presence import introduce
from handlers import PERSONAL
from storage.schema import inbox
from tests.handlers.conftest import GROUP, READER, STRANGER, World


@pytest.fixture
async def world(world: World) -> World:
    """One whose menus are set."""
    await introduce(world.bot.api, "en")
    return world


async def asked(world: World, command: str, who: int, **odd: object) -> dict[str, Any]:
    """The bot's answer to a command that somebody sends from the group's menu."""
    number = await world.emulator.send_text(GROUP, command, user_id=who, extra=odd)
    written = next(m for m in world.emulator.messages(GROUP) if m["message_id"] == number)
    assert written["ephemeral_message_id"], "the menu offers it so"
    return await world.emulator.wait_message(
        GROUP, lambda m: m.get("from", {}).get("is_bot", False), after=number, timeout=20
    )


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("command", sorted(PERSONAL))
async def test_what_a_member_asks_for_themselves_is_answered_to_them_alone(
    world: World, command: str, language: str
) -> None:
    world.emulator.set_language(READER, language)
    answer = await asked(world, f"/{command}", READER)
    assert answer["receiver_user"]["id"] == READER
    if command == "mydata":  # told by the file that came in private
        assert "jarchy.json" in str(world.emulator.messages(READER))


async def test_S22_a_groups_file_holds_nothing_that_a_member_asked_unseen(world: World) -> None:
    """Nor the press under such an answer; what all could read is in it."""
    answer = await asked(world, "/status", STRANGER)
    await world.ask("/rates USD", chat=GROUP)
    where = {"message_id": 0, "ephemeral_message_id": answer["ephemeral_message_id"], "date": 1}
    chat = {"id": GROUP, "type": "supergroup", "title": "Market"}
    press = {"id": "1", "chat_instance": "1", "data": "x:1", "message": {**where, "chat": chat}}
    who = {"id": STRANGER, "is_bot": False, "first_name": "Bakyt"}
    world.emulator.push_update({"callback_query": {**press, "from": who}})
    await world.ask("/rates EUR", chat=GROUP)
    await world.bot.inbox.close()  # which writes down what it has
    assert Counter(row.kind for row in await world.stored(inbox)) == {
        "message": 3,
        "callback_query": 1,
    }
    async with world.store.reading() as db:
        given = await storage.privacy.export(db, GROUP)
    told = [str(row["body"]) for row in given.tables["inbox"]]
    assert sorted("/rates" in body for body in told) == [True, True]
    assert not any("ephemeral" in body for body in told)


async def test_other_commands_are_everybodys(world: World) -> None:
    answer = await world.ask("/rates USD", chat=GROUP)
    assert "receiver_user" not in answer


async def test_a_client_without_ephemeral_messages_is_answered_as_ever(world: World) -> None:
    """Its command comes to the whole group, and an answer to nobody else would not be seen."""
    world.emulator.profile.menus.clear()
    answer = await world.ask("/help", chat=GROUP)
    assert "receiver_user" not in answer


async def test_why_not_is_told_to_them_alone(world: World) -> None:
    """As to whoever is no administrator any more, in a client that still shows the old menu."""
    seen_by_us = {"ephemeral_message_id": 700, "receiver_user": world.emulator.bot.json()}
    number = await world.emulator.send_text(GROUP, "/mydata", user_id=STRANGER, extra=seen_by_us)
    answer = await world.emulator.wait_message(
        GROUP, lambda m: m.get("from", {}).get("is_bot", False), after=number, timeout=20
    )
    assert answer["text"] in {t("error.admins_only", code) for code in SPOKEN}
    assert answer["receiver_user"]["id"] == STRANGER


async def test_two_in_a_row_are_two_answers(world: World) -> None:
    """They have no numbers, by which the second would be the first one's edit."""
    first, second = await asked(world, "/help", STRANGER), await asked(world, "/privacy", STRANGER)
    shown = [
        m
        for m in world.emulator.messages(GROUP)
        if m.get("receiver_user", {}).get("id") == STRANGER
    ]
    assert [m["text"] for m in shown] == [first["text"], second["text"]]


async def test_one_that_lacks_what_nobody_reads_is_answered_to_them_alone(world: World) -> None:
    answer = await asked(world, "/help", STRANGER, sticker={"lacks": "the rest"})
    assert answer["receiver_user"]["id"] == STRANGER


async def test_G20_one_that_telegram_refuses_comes_to_all(world: World) -> None:
    """And stays: what is asked for alone after it is no edit of it."""
    world.emulator.faults.add(Fault.bad_request("x", method="sendMessage", chat_id=GROUP, times=1))
    answer = await asked(world, "/help", STRANGER)
    assert "/rates" in answer["text"]
    assert "receiver_user" not in answer
    await asked(world, "/privacy", STRANGER)
    assert answer in world.emulator.messages(GROUP)


async def test_G21_one_that_has_to_wait_comes_to_all(world: World) -> None:
    """When it comes nobody looks at what they asked any more, and Telegram takes no reply to it."""
    world.emulator.faults.add(Fault.flood(3600, method="sendMessage", chat_id=GROUP, times=1))
    await world.emulator.send_text(GROUP, "/help", user_id=STRANGER)
    while not (waiting := await world.alerts()):  # noqa: ASYNC110 - an alert makes no event here
        await asyncio.sleep(0.02)
    [late] = waiting
    assert "/rates" in str(late.payload)
    assert "ephemeral" not in str(late.payload)
