"""The bot's membership: added, promoted, demoted, restricted, removed; in groups and channels."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

import storage.chats
from bot.i18n import t
from bot.model.chats import Chat
from handlers import membership
from storage.schema import chat as chat_table
from tests.handlers.conftest import GROUP, READER, RUSSIAN, STRANGER, World

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
    """It is written to as a member too, and no greeting comes of it."""
    await world.ask("/help", chat=GROUP)
    for status in ("administrator", "member", "administrator"):
        world.emulator.set_bot_status(GROUP, status, by=READER)
        chat = await known(world, GROUP)
        assert chat is not None
        assert chat.active, status
    assert await world.alerts("greeting") == []


NEW_GROUP, MOVED = -4200, -1004000004200


def data(message: dict[str, Any]) -> list[str]:
    """What the buttons under a message send."""
    rows = message["reply_markup"]["inline_keyboard"]
    return [one.get("callback_data", "") for row in rows for one in row]


async def let_in(world: World, by: int, status: str = "member", **rights: bool) -> None:
    """Somebody adds the bot to a group that it never met."""
    world.emulator.add_group(NEW_GROUP, "Yard", admins=[by], bot_status="left")
    world.emulator.set_bot_status(NEW_GROUP, status, by=by, rights=rights or None)


@pytest.mark.parametrize("who", [READER, RUSSIAN, STRANGER])
async def test_a_group_that_lets_the_bot_in_is_greeted_once(world: World, who: int) -> None:
    """In the language of who did it, with what to tap; not when the bot is made its administrator,
    nor when it is let in again on that day.
    """
    language = {READER: "en", RUSSIAN: "ru", STRANGER: "ky"}[who]
    await let_in(world, who)
    hello = await world.tells(NEW_GROUP, t("group.hello", language))
    assert hello["text"].endswith(t("group.setup", language))
    assert data(hello)[:2] == ["set:topics", "set:back"]
    for status in ("administrator", "left", "member"):
        world.emulator.set_bot_status(NEW_GROUP, status, by=who)
    await known(world, NEW_GROUP)
    assert len(await world.alerts("greeting")) == 1
    await world.emulator.press(NEW_GROUP, hello["message_id"], "set:topics", user_id=who)
    assert "cur:USD" in data(world.emulator.world.chat(NEW_GROUP).messages[hello["message_id"]])


async def test_a_group_in_which_the_bot_may_not_write_is_not_greeted(world: World) -> None:
    """Nor one whose readers said /stop."""
    await world.ask("/help", chat=GROUP)
    await let_in(world, READER, "restricted", can_send_messages=False)
    await known(world, NEW_GROUP)
    async with world.bot.store.writing() as db:
        await storage.chats.stop(db, GROUP)
    for status in ("left", "member"):
        world.emulator.set_bot_status(GROUP, status, by=READER)
    await known(world, GROUP)
    assert await world.alerts("greeting") == []


@pytest.mark.parametrize("first", ["let in", "moved"])
async def test_G19_a_group_that_became_a_supergroup_is_not_greeted(
    world: World, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Of that Telegram tells as if the bot were let in, before or after it says what it was."""
    monkeypatch.setattr(membership, "SETTLES", 1.0)
    await let_in(world, READER)
    await world.tells(NEW_GROUP, t("group.hello", "en"))
    async with world.bot.store.writing() as db:  # that was long ago
        long_ago = world.now - timedelta(days=30)
        mine = chat_table.c.id == NEW_GROUP
        await db.execute(update(chat_table).where(mine).values(created_at=long_ago))
    if first == "moved":
        world.emulator.migrate(NEW_GROUP, MOVED)
        await known(world, MOVED)
        world.emulator.world.chat(MOVED).bot.status = "left"
        world.emulator.set_bot_status(MOVED, "member", by=READER)
    else:
        world.emulator.add_group(MOVED, "Yard", admins=[READER], bot_status="left")
        world.emulator.set_bot_status(MOVED, "member", by=READER)
        while True:  # until that is looked at
            async with world.bot.store.reading() as db:
                if await storage.chats.get(db, MOVED) is not None:
                    break
            await asyncio.sleep(0.01)
        world.emulator.push_update(
            {
                "message": {
                    "message_id": 9,
                    "date": int(world.now.timestamp()),
                    "chat": {"id": NEW_GROUP, "type": "group", "title": "Yard"},
                    "migrate_to_chat_id": MOVED,
                }
            }
        )
    await known(world, MOVED)
    assert len(await world.alerts("greeting")) == 1, "the old group's"
    assert await known(world, NEW_GROUP) is None


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
