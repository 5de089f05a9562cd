"""Keys that ask for a chat: what the server refuses of them, what a client offers, what comes."""

from __future__ import annotations

from typing import Any

import pytest

from bot.emulator import Emulator
from bot.emulator.errors import ScenarioError
from tests.emulator.conftest import AIGUL, CHANNEL, CLARA, FORUM, GROUP, Client

POSTS = {"can_post_messages": True, "can_edit_messages": True}


def asking(**request: Any) -> dict[str, Any]:
    """A keyboard whose only key asks for a chat."""
    return {"keyboard": [[{"text": "Choose", "request_chat": request}]]}


async def ask(client: Client, chat: int = CLARA, **request: Any) -> Any:
    """Show it."""
    return await client.ok("sendMessage", chat_id=chat, text="x", reply_markup=asking(**request))


async def test_a_shared_channel_is_told_and_the_bot_gets_the_rights_it_asked_for(
    client: Client, emulator: Emulator
) -> None:
    """First that it is an administrator, then which chat was chosen."""
    emulator.set_bot_status(CHANNEL, "left", by=CLARA)
    await client.ok("getUpdates", offset=-1)
    await ask(
        client,
        request_id=7,
        chat_is_channel=True,
        request_title=True,
        user_administrator_rights=POSTS,
        bot_administrator_rights=POSTS,
    )
    number = await emulator.share_chat(CLARA, CHANNEL)
    promoted, shared = (await client.ok("getUpdates"))[-2:]
    card = promoted["my_chat_member"]["new_chat_member"]
    assert (card["status"], card["can_edit_messages"]) == ("administrator", True)
    assert shared["message"]["message_id"] == number
    assert shared["message"]["chat_shared"] == {
        "request_id": 7,
        "chat_id": CHANNEL,
        "title": "City news",
    }


async def test_who_may_not_promote_shares_a_channel_without_the_bot(
    client: Client, emulator: Emulator
) -> None:
    """The chat is told, and what the bot may there is not changed by it."""
    emulator.set_bot_status(CHANNEL, "left", by=CLARA)
    emulator.set_member(CHANNEL, AIGUL, "administrator", {"can_promote_members": False})
    await ask(
        client,
        AIGUL,
        request_id=1,
        chat_is_channel=True,
        user_administrator_rights=POSTS,
        bot_administrator_rights=POSTS,
    )
    assert (await client.do("share_chat", chat_id=CHANNEL, user_id=AIGUL))[0] == 200
    assert emulator.world.chat(CHANNEL).bot.status == "left"
    assert (await client.ok("getUpdates"))[-1]["message"]["chat_shared"] == {
        "request_id": 1,
        "chat_id": CHANNEL,
    }


async def test_a_client_offers_only_what_fits(client: Client, emulator: Emulator) -> None:
    """Neither a group for a channel, nor a channel that one does not run, nor without a key."""
    with pytest.raises(ScenarioError, match="no key"):
        await emulator.share_chat(CLARA, CHANNEL)
    wanted = {"request_id": 1, "chat_is_channel": True, "user_administrator_rights": POSTS}
    for person in (AIGUL, CLARA):
        await ask(client, person, **wanted)
    with pytest.raises(ScenarioError, match="another kind"):
        await emulator.share_chat(CLARA, GROUP)
    with pytest.raises(ScenarioError, match="lacks rights"):
        await emulator.share_chat(AIGUL, CHANNEL)


@pytest.mark.parametrize(
    ("request_chat", "words"),
    [
        ({"chat_is_channel": True}, "can't parse keyboard button: can't find field request_id"),
        (
            {"request_id": 1, "bot_administrator_rights": "post"},
            "can't parse keyboard button: ChatAdministratorRights must be an Object",
        ),
        ({"request_id": 1, "bot_administrator_rights": POSTS}, "BUTTON_INVALID"),
        ("channel", "can't parse keyboard button: object expected"),
    ],
)
async def test_a_request_that_the_server_cannot_take_is_refused(
    client: Client, request_chat: Any, words: str
) -> None:
    """So is one whose bot is to have what its user need not have."""
    keyboard = {"keyboard": [[{"text": "Choose", "request_chat": request_chat}]]}
    said = await client.refused("sendMessage", chat_id=CLARA, text="x", reply_markup=keyboard)
    assert said == (400, f"Bad Request: {words}")


async def test_requests_are_for_private_chats_and_have_numbers_of_their_own(client: Client) -> None:
    """As for a location."""
    key = {"text": "Choose", "request_chat": {"request_id": 1, "chat_is_channel": True}}
    said = await client.refused(
        "sendMessage", chat_id=FORUM, text="x", reply_markup={"keyboard": [[key]]}
    )
    assert said == (400, "Bad Request: chats can be requested in private chats only")
    said = await client.refused(
        "sendMessage", chat_id=CLARA, text="x", reply_markup={"keyboard": [[key, key]]}
    )
    assert said == (400, "Bad Request: BUTTON_ID_INVALID")


async def test_a_key_that_goes_with_its_tap_is_folded_after_it(
    client: Client, emulator: Emulator
) -> None:
    """On every page, also one that is opened later; the next keyboard is shown again."""
    markup = asking(request_id=7, chat_is_channel=True) | {"one_time_keyboard": True}
    for folded in (False, True):
        await client.ok("sendMessage", chat_id=CLARA, text="x", reply_markup=markup)
        if folded:
            await emulator.share_chat(CLARA, CHANNEL)
        keyboard = emulator.world.chat(CLARA).keyboard or {}
        assert keyboard.get("used", False) is folded
