"""The bot's place in chats, as people may give it; and what a demonstration begins anew with."""

from __future__ import annotations

import pytest

from bot.emulator import Emulator
from tests.emulator.conftest import AIGUL, BORIS, CHANNEL, CLARA, GROUP, Client


@pytest.mark.parametrize(
    ("chat", "who", "before", "status", "may"),
    [
        (GROUP, CLARA, "left", "administrator", True),
        (GROUP, AIGUL, "left", "administrator", False),
        (GROUP, AIGUL, "left", "member", True),
        (GROUP, AIGUL, "administrator", "member", False),  # that takes its rights
        (GROUP, AIGUL, "member", "kicked", False),
        (GROUP, CLARA, "member", "kicked", True),
        (CHANNEL, CLARA, "left", "administrator", True),
        (CHANNEL, BORIS, "left", "administrator", False),
        (CHANNEL, BORIS, "administrator", "kicked", False),
    ],
)
async def test_who_may_gives_the_bot_its_place(
    client: Client, emulator: Emulator, chat: int, who: int, before: str, status: str, *, may: bool
) -> None:
    """Of a stranger's wish nothing comes, as no client lets them ask for it."""
    emulator.set_bot_status(chat, before, by=CLARA)
    code, _ = await client.do("set_bot_status", chat_id=str(chat), status=status, by=str(who))
    assert code == (200 if may else 400)
    assert emulator.world.chat(chat).bot.status == (status if may else before)


async def test_an_administrator_promotes_only_with_the_right_to(
    client: Client, emulator: Emulator
) -> None:
    emulator.set_bot_status(GROUP, "left", by=CLARA)
    emulator.set_member(GROUP, BORIS, "administrator", {"can_promote_members": False})
    code, _ = await client.do(
        "set_bot_status", chat_id=str(GROUP), status="administrator", by=str(BORIS)
    )
    assert (code, emulator.world.chat(GROUP).bot.status) == (400, "left")


async def test_begun_anew_the_bot_is_where_it_was_at_first(emulator: Emulator) -> None:
    emulator.add_group(-1001000000009, "Street", owner=CLARA, bot_status="left")
    emulator.set_bot_status(-1001000000009, "administrator", by=CLARA)
    emulator.set_bot_status(GROUP, "kicked", by=CLARA)
    emulator.begin_anew()
    assert emulator.world.chat(-1001000000009).bot.status == "left"
    assert emulator.world.chat(GROUP).bot.status == "member"
