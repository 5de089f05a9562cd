"""Chats, members, menus and what the bot says about itself."""

from __future__ import annotations

import pytest

from bot.emulator import Emulator
from tests.emulator.conftest import AIGUL, BORIS, CHANNEL, CLARA, GROUP, Client


async def test_get_me(client: Client) -> None:
    """The bot knows its name and number."""
    me = await client.ok("getMe")
    assert (me["id"], me["username"], me["is_bot"]) == (123456789, "jarchy_bot", True)


async def test_get_chat_by_number_and_by_name(client: Client) -> None:
    """A public chat answers to both."""
    by_name = await client.ok("getChat", chat_id="@City_News")
    assert by_name == await client.ok("getChat", chat_id=CHANNEL)
    assert (by_name["type"], by_name["title"]) == ("channel", "City news")


async def test_members_have_their_places(client: Client, emulator: Emulator) -> None:
    """Owner, member, stranger, the bot; administrators are listed."""
    places = {
        user: (await client.ok("getChatMember", chat_id=GROUP, user_id=user))["status"]
        for user in (CLARA, AIGUL, emulator.bot.id)
    }
    assert places == {CLARA: "creator", AIGUL: "member", emulator.bot.id: "member"}
    emulator.add_user(50, "Stranger")
    assert (await client.ok("getChatMember", chat_id=GROUP, user_id=50))["status"] == "left"
    assert (await client.refused("getChatMember", chat_id=GROUP, user_id=51))[0] == 400
    emulator.set_member(GROUP, BORIS, "administrator")
    running = await client.ok("getChatAdministrators", chat_id=GROUP)
    assert [(m["user"]["id"], m["status"]) for m in running] == [
        (BORIS, "administrator"),
        (CLARA, "creator"),
    ]
    assert await client.ok("getChatMemberCount", chat_id=GROUP) == 4


async def test_leaving_ends_seeing(client: Client, emulator: Emulator) -> None:
    """After leaveChat the chat is closed to the bot, and it is told."""
    assert await client.ok("leaveChat", chat_id=GROUP) is True
    assert (await client.refused("getChat", chat_id=GROUP))[0] == 403
    assert emulator.updates.pending[-1]["my_chat_member"]["new_chat_member"]["status"] == "left"


async def test_the_narrowest_menu_in_the_users_language_wins(
    client: Client, emulator: Emulator
) -> None:
    """Scope first, then language, as clients choose."""

    async def menu(scope: dict[str, object], word: str, language: str = "") -> None:
        commands = [{"command": word, "description": word}]
        await client.ok("setMyCommands", commands=commands, scope=scope, language_code=language)

    async def shown(chat_id: int, user_id: int) -> str:
        _, body = await client.do("menu", chat_id=str(chat_id), user_id=str(user_id))
        return str(body["result"][0]["command"])

    await menu({"type": "default"}, "plain")
    await menu({"type": "default"}, "kyrgyz", "ky")
    assert (await shown(AIGUL, AIGUL), await shown(CLARA, CLARA)) == ("kyrgyz", "plain")
    await menu({"type": "all_private_chats"}, "private")
    assert await shown(AIGUL, AIGUL) == "private"
    await menu({"type": "all_group_chats"}, "group")
    await menu({"type": "all_chat_administrators"}, "boss")
    assert (await shown(GROUP, AIGUL), await shown(GROUP, CLARA)) == ("group", "boss")
    await menu({"type": "chat", "chat_id": AIGUL}, "own")
    assert await shown(AIGUL, AIGUL) == "own"
    await client.ok("deleteMyCommands", scope={"type": "chat", "chat_id": AIGUL})
    assert await shown(AIGUL, AIGUL) == "private"
    assert (await client.ok("getMyCommands", language_code="ky"))[0]["command"] == "kyrgyz"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ({"command": "Rates", "description": "x"}, "BOT_COMMAND_INVALID"),
        ({"command": "rates", "description": ""}, "BOT_COMMAND_DESCRIPTION_INVALID"),
    ],
)
async def test_bad_commands_are_refused(
    client: Client, command: dict[str, str], words: str
) -> None:
    """Upper case and missing descriptions do not make a menu."""
    assert await client.refused("setMyCommands", commands=[command]) == (
        400,
        f"Bad Request: {words}",
    )


async def test_names_and_descriptions_per_language(client: Client) -> None:
    """A language without its own text gets the common one."""
    await client.ok("setMyDescription", description="Rates and news")
    await client.ok("setMyDescription", description="Курсы и новости", language_code="ru")
    texts = [
        (await client.ok("getMyDescription", language_code=c))["description"] for c in ("ru", "ky")
    ]
    assert texts == ["Курсы и новости", "Rates and news"]
    assert (await client.ok("getMyName"))["name"] == "Jarchy"
    assert (await client.refused("setMyShortDescription", short_description="x" * 121))[0] == 400


async def test_menu_buttons_and_actions(client: Client) -> None:
    """Small things that answer True."""
    await client.ok("setChatMenuButton", menu_button={"type": "commands"})
    assert await client.ok("getChatMenuButton", chat_id=AIGUL) == {"type": "commands"}
    assert await client.ok("sendChatAction", chat_id=AIGUL, action="typing") is True
    assert (await client.refused("sendChatAction", chat_id=AIGUL, action="juggling"))[0] == 400
    assert await client.ok("close") is True
    assert await client.ok("logOut") is True
