"""Messages that one member of a group alone sees, and what cannot be done with them."""

from __future__ import annotations

from typing import Any

import pytest

from bot.emulator import Emulator
from tests.emulator.conftest import AIGUL, BORIS, CHANNEL, GROUP, SMALL_GROUP, Client

ALONE = {"receiver_user_id": AIGUL}


@pytest.fixture
async def asked(client: Client, emulator: Emulator) -> dict[str, Any]:
    """A command that somebody sent from the menu, as the bot hears of it."""
    menu = [{"command": "help", "description": "Help", "is_ephemeral": True}]
    await client.ok("setMyCommands", commands=menu, scope={"type": "all_group_chats"})
    await emulator.send_text(GROUP, "/help", user_id=AIGUL)
    [update] = await client.ok("getUpdates")
    message: dict[str, Any] = update["message"]
    return message


@pytest.mark.parametrize("group", [GROUP, SMALL_GROUP])
async def test_an_ephemeral_message_says_who_sees_it_and_has_no_number(
    client: Client, group: int
) -> None:
    sent = await client.ok(
        "sendMessage", chat_id=group, text="psst", ephemeral_message_parameters=ALONE
    )
    assert (sent["message_id"], sent["receiver_user"]["id"]) == (0, AIGUL)
    assert sent["ephemeral_message_id"]


async def test_a_command_that_the_menu_calls_ephemeral_comes_so(asked: dict[str, Any]) -> None:
    assert asked["message_id"] == 0
    assert asked["ephemeral_message_id"]


async def test_it_is_replied_to_alone_and_soon(
    client: Client, emulator: Emulator, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = {"reply_parameters": {"ephemeral_message_id": asked["ephemeral_message_id"]}}
    alone = {"ephemeral_message_parameters": ALONE}
    await client.ok("sendMessage", chat_id=GROUP, text="in time", **reply, **alone)
    assert await client.refused("sendMessage", chat_id=GROUP, text="to all", **reply)
    later = emulator.world.now() + 16
    monkeypatch.setattr(emulator.world, "clock", lambda: float(later))
    assert await client.refused("sendMessage", chat_id=GROUP, text="late", **reply, **alone)


@pytest.mark.parametrize("chat", [AIGUL, CHANNEL])
async def test_there_are_none_but_in_groups(client: Client, chat: int) -> None:
    assert await client.refused(
        "sendMessage", chat_id=chat, text="psst", ephemeral_message_parameters=ALONE
    )


async def test_who_is_not_there_gets_none(client: Client, emulator: Emulator) -> None:
    emulator.set_member(GROUP, BORIS, "left")
    for nobody in (BORIS, 999, emulator.bot.id):
        alone = {"receiver_user_id": nobody}
        assert await client.refused(
            "sendMessage", chat_id=GROUP, text="psst", ephemeral_message_parameters=alone
        )


async def test_calls_for_other_messages_do_not_find_it(client: Client, emulator: Emulator) -> None:
    """Neither by the number that it shows nor by the one under which the page has it."""
    await client.ok("sendMessage", chat_id=GROUP, text="psst", ephemeral_message_parameters=ALONE)
    for number in (0, emulator.messages(GROUP)[-1]["message_id"]):
        for method in ("editMessageText", "deleteMessage", "pinChatMessage"):
            assert await client.refused(method, chat_id=GROUP, message_id=number, text="x")
