"""A database that is away for a moment delays an answer and changes nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import storage.chats
from bot.errors import StorageError
from bot.reasons import said
from tests.handlers.conftest import READER, World


async def test_G2_what_was_pressed_while_the_database_was_away_has_its_effect_when_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried again by itself, once it works, before what the chat sent next."""
    menu = await world.ask("/subscribe")
    real, tries = storage.chats.subscribe, 0

    async def away_twice(*args: Any, **values: Any) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise StorageError(said("database is locked"))
        await real(*args, **values)

    monkeypatch.setattr("storage.chats.subscribe", away_twice)
    world.bot.inbox._retries = (0.01, 0.01, 0.01)
    pressing = asyncio.create_task(world.emulator.press(READER, menu["message_id"], "cur:EUR"))
    await asyncio.sleep(0)
    await world.ask("/rates EUR", fits="98.8523")
    await pressing
    methods = [
        call.method
        for call in world.emulator.calls
        if call.method in {"editMessageText", "sendMessage"}
    ]
    assert methods[-2:] == ["editMessageText", "sendMessage"]
    async with world.bot.store.reading() as db:
        assert await storage.chats.subscriptions(db, READER) == ("pair:EUR/KGS",)
    assert tries == 3


async def test_a_question_that_cannot_be_answered_is_regretted_in_words(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database stays away: after a bounded number of tries the reader is told."""
    await world.ask("/rates USD")

    async def away(*_args: Any) -> None:
        raise StorageError(said("disk full"))

    world.bot.inbox._retries = (0.01, 0.01)
    with monkeypatch.context() as patched:
        patched.setattr("storage.chats.subscriptions", away)
        said = await world.ask("/subscribe")
    assert said["text"] == "Something went wrong on my side. Please try again in a minute."
    assert "reply_markup" in await world.ask("/subscribe")
