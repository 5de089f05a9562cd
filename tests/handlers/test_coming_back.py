"""Readers who left and come back are written to again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

import storage.chats
import storage.retention
from bot.recurring import tidy
from bot.telegram.outcomes import BLOCKED
from storage.schema import chat
from tests.handlers.conftest import READER, World


@pytest.mark.parametrize("way", ["start", "unblocked"])
async def test_G7_who_blocked_the_bot_is_written_to_again_after_coming_back(
    scene: World, way: str
) -> None:
    """By /start, or because Telegram says that the block is gone; what was subscribed still is."""
    await scene.ask("/start")
    async with scene.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, ["pair:USD/KGS"], now=scene.bot.clock())
        await storage.chats.close(db, READER, why=BLOCKED.why)
    if way == "start":
        await scene.ask("/start")
    else:
        scene.emulator.block(READER)
        scene.emulator.unblock(READER)
        await scene.ask("/help")  # handled after what came before it
    async with scene.bot.store.reading() as db:
        assert await storage.chats.subscriptions(db, READER) == ("pair:USD/KGS",)
        assert (
            await db.execute(select(chat.c.active).where(chat.c.id == READER))
        ).scalars().all() == [True]


async def test_G7_who_comes_back_after_being_forgotten_is_met_anew(scene: World) -> None:
    """Also by a bot that ran all the time and had them in mind; nothing of the old settings is
    left.
    """
    await scene.ask("/start")
    long_ago = scene.bot.clock() - storage.retention.CLOSED_CHATS_KEPT - timedelta(days=1)
    async with scene.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, ["pair:USD/KGS"], now=scene.bot.clock())
        await storage.chats.close(db, READER, why=BLOCKED.why)
        await db.execute(update(chat).where(chat.c.id == READER).values(inactive_at=long_ago))
    await tidy(scene.bot)
    async with scene.bot.store.reading() as db:
        assert await storage.chats.get(db, READER) is None
    await scene.ask("/start")
    async with scene.bot.store.reading() as db:
        met = await storage.chats.get(db, READER)
        assert met is not None
        assert met.active
        assert await storage.chats.subscriptions(db, READER) == ()
