"""Who left and comes back is written to again."""

from __future__ import annotations

import pytest
from sqlalchemy import select

import storage.chats
import storage.outbox
from storage.schema import chat
from tests.handlers.conftest import READER, World


@pytest.mark.parametrize("way", ["start", "unblocked"])
async def test_G7_who_blocked_the_bot_is_written_to_again_after_coming_back(world: World, way: str) -> None:
    """By /start, or because Telegram says that the block is gone; what was subscribed still is."""
    await world.ask("/start")
    async with world.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, ["pair:USD/KGS"], now=world.bot.clock())
        await storage.outbox.close_chat(db, READER, why="blocked")
    if way == "start":
        await world.ask("/start")
    else:
        world.emulator.block(READER)
        world.emulator.unblock(READER)
        await world.ask("/help")  # handled after what came before it
    async with world.bot.store.reading() as db:
        assert await storage.chats.subscriptions(db, READER) == ("pair:USD/KGS",)
        assert (await db.execute(select(chat.c.active).where(chat.c.id == READER))).scalars().all() == [True]
