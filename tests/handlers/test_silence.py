"""Readers who said /stop are left alone until /start, whatever Telegram says in between."""

from __future__ import annotations

import asyncio
from itertools import permutations

import pytest

import storage.chats
from bot.model.chats import ChatKind
from bot.recurring import look_again
from bot.telegram.outcomes import KICKED
from tests.factories import chat as a_chat
from tests.handlers.conftest import GROUP, READER, STRANGER, World

KINDS = {GROUP: ChatKind.GROUP, READER: ChatKind.PRIVATE}
MUTED = {"can_send_messages": False}
IN_A_GROUP = [list(order) for order in permutations(("mute", "let in", "refuse"))]
IN_A_GROUP += [["kick", "mute", "let in", "kick"], ["kick", "kick", "refuse"]]
IN_PRIVATE = [["block", "unblock"] * 2, ["refuse", "block", "unblock"], ["block", "refuse"]]


async def _happens(world: World, chat: int, what: str) -> None:
    emulator = world.emulator
    if what == "mute":
        emulator.set_bot_status(chat, "restricted", by=STRANGER, rights=MUTED)
    elif what == "kick":
        emulator.set_bot_status(chat, "kicked", by=STRANGER)
    elif what == "let in":
        emulator.set_bot_status(chat, "member", by=STRANGER)
    elif what == "block":
        emulator.block(chat)
    elif what == "unblock":
        emulator.unblock(chat)
    else:  # what the sender writes down when Telegram refuses a message for good
        async with world.bot.store.writing() as db:
            await storage.chats.close(db, chat, why=KICKED.why)
    world.bot.services.buckets.clear()
    await world.ask("/privacy", chat=STRANGER)  # received after all that
    while tasks := set(world.bot.inbox._tasks):
        await asyncio.wait(tasks)


@pytest.mark.parametrize(
    ("chat", "steps"),
    [
        *((GROUP, [*order, "let in"]) for order in IN_A_GROUP),
        *((READER, order) for order in IN_PRIVATE),
    ],
    ids=str,
)
@pytest.mark.cases(keep=3)
async def test_G19_who_said_stop_is_left_alone_until_start_whatever_happens_in_between(
    world: World, chat: int, steps: list[str]
) -> None:
    """Refusals, rights, blocks and kicks in any order, and the daily look; settings are kept."""
    key = "pair:USD/KGS"
    async with world.bot.store.writing() as db:
        await storage.chats.add(db, a_chat(chat, kind=KINDS[chat]), now=world.now)
        await storage.chats.subscribe(db, chat, [key], now=world.now)
    await _says(world, chat, "/stop")
    for step in steps:
        await _happens(world, chat, step)
        assert not await _is_active(world, chat), step
    await look_again(world.bot)
    assert not await _is_active(world, chat)
    await _happens(world, chat, "unblock" if chat == READER else "let in")
    await _says(world, chat, "/start")
    assert await _is_active(world, chat)
    async with world.bot.store.reading() as db:
        assert await storage.chats.subscriptions(db, chat) == (key,)


@pytest.mark.parametrize("who", [READER, STRANGER], ids=["administrator", "member"])
async def test_G19_a_start_in_the_new_group_before_its_move_is_told_ends_the_old_ones_stop(
    world: World, who: int
) -> None:
    """If an administrator said it: to whoever else says it there nothing was asked of them."""
    old, new = -4100, -1004000004100
    emulator = world.emulator
    emulator.add_group(old, "Family", type="group", members=[STRANGER], admins=[READER])
    await _says(world, old, "/stop")
    emulator.add_group(new, "Family", members=[STRANGER], admins=[READER])
    await _says(world, new, "/start", who)
    for number, told in ((new, {"migrate_from_chat_id": old}), (old, {"migrate_to_chat_id": new})):
        message = emulator.world.add_message(
            emulator.world.chat(number), {"from": emulator.world.bot_json, **told}
        )
        emulator.push_update({"message": message})
    await _happens(world, new, "let in")
    assert await _is_active(world, new) is (who == READER)


async def _says(world: World, chat: int, words: str, who: int = READER) -> None:
    """The reader, who is an administrator of the group, or another; they are answered."""
    world.bot.services.buckets.clear()
    asked = await world.emulator.send_text(chat, words, user_id=who)
    await world.emulator.wait_message(chat, lambda m: m["from"]["is_bot"], after=asked, timeout=20)


async def _is_active(world: World, number: int) -> bool:
    async with world.bot.store.reading() as db:
        stored = await storage.chats.get(db, number)
    assert stored is not None
    return stored.active
