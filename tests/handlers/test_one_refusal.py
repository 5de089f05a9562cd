"""Each call that a handler makes, refused once: it is made again by itself, and has its effect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from bot.emulator import Fault
from tests.handlers.conftest import GROUP, READER, STRANGER, World

CHANNEL = -1001234567890
WAIT = 1  # seconds that Telegram asks for
ONCE: dict[str, Callable[..., Fault]] = {
    "502": Fault.server_error,
    "reset": Fault.reset,
    "429": partial(Fault.flood, WAIT),
}


async def _changes_a_groups_zone(world: World) -> None:
    asked = await world.emulator.send_text(
        GROUP, "/settings@jarchy_bot Asia/Almaty", user_id=READER
    )
    await world.emulator.wait_message(
        GROUP, lambda m: "Almaty" in m["text"] and m["from"]["is_bot"], after=asked, timeout=20
    )


async def _presses_no_button(world: World) -> None:
    """A press that belongs to no message: our inline results have no buttons."""
    _push(world, {"inline_message_id": "abc", "data": "why:1"})


async def _presses_a_strangers_button(world: World) -> None:
    """A press in a private chat of somebody else's."""
    message = {"message_id": 3, "date": 1, "chat": {"id": STRANGER, "type": "private"}}
    _push(world, {"message": message, "data": "why:1"})


async def _presses_what_nobody_can_read(world: World) -> None:
    _push(world, {"data": "why:1", "message": {"message_id": "x", "date": 1, "chat": {"id": 1}}})


def _push(world: World, press: dict[str, Any]) -> None:
    person = {"id": READER, "is_bot": False, "first_name": "Aigul"}
    query = {"id": "4711", "from": person, "chat_instance": "1", **press}
    world.emulator.push_update({"callback_query": query})


async def _makes_it_a_channels_administrator(world: World) -> None:
    world.emulator.add_channel(CHANNEL, "News", owner=READER, bot_status="left")
    world.emulator.set_bot_status(CHANNEL, "administrator", by=READER)
    await world.tells(READER, "now I can post")


async def _asks_in_another_chat(world: World) -> None:
    assert await world.emulator.inline_query(READER, "100 usd")


#: What somebody does, and the call that it takes.
CALLS: dict[str, tuple[str, Callable[[World], Awaitable[None]]]] = {
    "rights": ("getChatMember", _changes_a_groups_zone),
    "a press nowhere": ("answerCallbackQuery", _presses_no_button),
    "a press elsewhere": ("answerCallbackQuery", _presses_a_strangers_button),
    "an odd press": ("answerCallbackQuery", _presses_what_nobody_can_read),
    "a channel": ("sendMessage", _makes_it_a_channels_administrator),
    "inline": ("answerInlineQuery", _asks_in_another_chat),
}


@pytest.mark.parametrize("fault", ONCE)
@pytest.mark.cases(keep=1)
async def test_G20_G21_a_handlers_call_that_fails_once_is_made_again(
    world: World, fault: str
) -> None:
    """At once, or to the second when Telegram says when; nothing else is said in that chat."""
    for method, do in CALLS.values():
        await _fails_once(world, method, do, fault)


async def _fails_once(
    world: World, method: str, do: Callable[[World], Awaitable[None]], fault: str
) -> None:
    calls = world.emulator.calls
    before = calls.total
    world.emulator.faults.add(ONCE[fault](method=method, times=1))
    async with asyncio.timeout(25):
        await do(world)
        world.bot.services.buckets.clear()
    done = await calls.wait(lambda one: one.method == method, after=before, timeout=20)
    again = await calls.wait(lambda one: one.method == method, after=done.number, timeout=20)
    assert not done.accepted
    assert again.accepted or method == "answerCallbackQuery"  # Telegram knows of no such press
    if fault == "429":
        assert again.at - done.at >= WAIT
        meanwhile = [c for c in calls.since(done.number) if c.at < again.at]
        assert not [c for c in meanwhile if c.method.startswith(("send", "edit"))]


async def test_G16_S10_an_administrator_refused_by_mistake_is_one_all_the_same(
    world: World,
) -> None:
    """One 403 is no word about rights."""
    refusal = "bot was kicked from the supergroup chat"
    world.emulator.faults.add(Fault.forbidden(refusal, method="getChatMember", times=1))
    await _changes_a_groups_zone(world)


@pytest.mark.usefixtures("impatient")
async def test_G21_a_long_wait_that_the_question_about_rights_is_told_is_kept(
    world: World,
) -> None:
    """Nothing is said in the group before; then one word why nothing was changed."""
    calls = world.emulator.calls
    world.emulator.faults.add(Fault.flood(3, method="getChatMember", times=1))
    await world.emulator.send_text(GROUP, "/settings@jarchy_bot Asia/Almaty", user_id=READER)
    told = await calls.wait(lambda call: call.method == "getChatMember", timeout=20)
    said = await calls.wait(
        lambda call: call.method == "sendMessage" and call.chat_id == GROUP,
        after=told.number,
        timeout=40,
    )
    assert said.at - told.at >= 3


async def test_G20_an_answer_whose_end_nobody_knows_comes_once_telegram_answers_again(
    world: World,
) -> None:
    """Lost twice, and Telegram does not say either that it is there: the outbox has it then."""
    world.emulator.faults.add(Fault.reset(method="sendMessage", times=2))
    world.emulator.faults.add(Fault.server_error(method="getMe", times=1))
    await world.ask("/privacy")


async def test_G16_a_chat_that_refuses_twice_is_not_asked_a_third_time(world: World) -> None:
    """Once may be a mistake."""
    fault = world.emulator.faults.add(Fault.forbidden(method="sendMessage", chat_id=READER))
    asked = await world.emulator.send_text(READER, "/privacy")
    await world.emulator.calls.wait(lambda call: call.code == 403 and fault.hits >= 2)
    world.emulator.faults.clear()
    await world.ask("/rates usd", fits="84")
    ours = [m for m in world.emulator.messages(READER) if m["message_id"] > asked]
    assert len([m for m in ours if m["from"]["is_bot"]]) == 1
