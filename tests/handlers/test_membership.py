"""The bot's membership: added, promoted, demoted, restricted, removed; in groups and channels."""

from __future__ import annotations

import asyncio

import pytest

import storage.chats
from bot.model.chats import Chat
from tests.handlers.conftest import GROUP, READER, STRANGER, World

CHANNEL = -1001234567890
DEFAULTS = {"topic:security", "pair:USD/KGS", "pair:EUR/KGS", "pair:RUB/KGS"}


async def known(world: World, number: int) -> Chat | None:
    """A chat as stored, after everything that was sent has had its effect."""
    await world.ask("/privacy", chat=READER)  # received after all that
    while tasks := set(world.bot.inbox._tasks):
        await asyncio.wait(tasks)
    async with world.bot.store.reading() as db:
        return await storage.chats.get(db, number)


async def follows(world: World, number: int) -> set[str]:
    """The subscriptions of a chat."""
    async with world.bot.store.reading() as db:
        return set(await storage.chats.subscriptions(db, number))


@pytest.mark.parametrize(
    ("status", "rights", "writes"),
    [
        ("member", None, True),
        ("administrator", None, True),
        ("restricted", {"can_send_messages": True}, True),
        ("restricted", {"can_send_messages": False}, False),
        ("left", None, False),
        ("kicked", None, False),
    ],
)
async def test_G7_a_group_is_written_to_while_the_bot_may_write_in_it(
    world: World, status: str, rights: dict[str, bool] | None, *, writes: bool
) -> None:
    """Whatever it was before; what the group follows stays, and nobody is greeted unasked."""
    menu = await world.ask("/subscribe", chat=GROUP)
    await world.emulator.press(GROUP, menu["message_id"], "cur:USD", user_id=READER)
    before = len(world.emulator.messages(READER))
    for earlier in ("kicked", "member") if writes else ("member",):
        world.emulator.set_bot_status(GROUP, earlier, by=STRANGER)
    world.emulator.set_bot_status(GROUP, status, by=STRANGER, rights=rights)
    chat = await known(world, GROUP)
    assert chat is not None
    assert chat.active == writes
    assert await follows(world, GROUP) == {"pair:USD/KGS"}
    # the question asked above and its answer
    assert len(world.emulator.messages(READER)) == before + 2


async def test_G9_a_promotion_and_a_demotion_change_nothing_in_a_group(world: World) -> None:
    """It is written to as a member too."""
    await world.ask("/help", chat=GROUP)
    for status in ("administrator", "member", "administrator"):
        world.emulator.set_bot_status(GROUP, status, by=READER)
        chat = await known(world, GROUP)
        assert chat is not None
        assert chat.active, status


@pytest.mark.parametrize("who", [READER, STRANGER], ids=["operator", "somebody"])
async def test_a_channel_follows_something_once_the_bot_is_its_administrator(
    world: World, who: int
) -> None:
    """Whoever made it that, operator or not, is told in private, in their language."""
    world.bot.services.admins = frozenset({READER})
    world.emulator.add_channel(CHANNEL, "News", owner=who, bot_status="left")
    await world.ask("/privacy", chat=who)
    world.emulator.set_bot_status(
        CHANNEL, "administrator", by=who, rights={"can_post_messages": True}
    )
    await world.emulator.wait_message(who, lambda m: "News" in m.get("text", ""), timeout=40)
    chat = await known(world, CHANNEL)
    assert chat is not None
    assert chat.active
    assert await follows(world, CHANNEL) == DEFAULTS


@pytest.mark.parametrize("status", ["member", "left", "kicked"])
async def test_G9_a_channel_is_left_alone_once_the_bot_is_no_administrator(
    world: World, status: str
) -> None:
    """And written to again when it is; what it follows by then is its own, not the beginner's
    choice again.
    """
    world.emulator.add_channel(CHANNEL, "News", owner=READER, bot_status="left")
    world.emulator.set_bot_status(CHANNEL, "administrator", by=READER)
    await world.emulator.wait_message(READER, lambda m: "News" in m.get("text", ""), timeout=40)
    async with world.bot.store.writing() as db:
        await storage.chats.unsubscribe(db, CHANNEL, ["pair:EUR/KGS"])
    world.emulator.set_bot_status(CHANNEL, status, by=READER)
    chat = await known(world, CHANNEL)
    assert chat is not None
    assert not chat.active
    world.emulator.set_bot_status(CHANNEL, "administrator", by=STRANGER)
    chat = await known(world, CHANNEL)
    assert chat is not None
    assert chat.active
    assert await follows(world, CHANNEL) == DEFAULTS - {"pair:EUR/KGS"}
