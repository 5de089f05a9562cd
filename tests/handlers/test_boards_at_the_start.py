"""The whole program, started with a catalog that asks for a channel's board, on either database."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import storage.boards
import storage.chats
from bot.emulator import TEST_TOKEN, Emulator
from tests.factories import rate
from tests.handlers.conftest import CATALOG, GROUP, NOW, READER, World
from tests.handlers.test_boards import kept, pinned, shown, turns
from tests.handlers.test_membership import CHANNEL
from tests.world import running

pytestmark = pytest.mark.timeout(240)


async def begun(world: World, number: int) -> None:
    """Return when a chat is to have a board."""
    while True:
        async with world.bot.store.reading() as db:
            if number in await storage.boards.kept(db):
                return
        await asyncio.sleep(0.01)


@pytest.mark.cases
async def test_a_channel_and_a_group_keep_their_boards_over_starts(
    migrated_url: str, tmp_path: Path
) -> None:
    """Each is one message, made once, pinned, and edited with what is new after a start; a
    channel's currencies stand in the catalog's order.
    """
    async with Emulator(TEST_TOKEN, "jarchy_bot", privacy=False) as telegram:
        telegram.add_private(telegram.add_user(READER, "Aigul", "en"))
        telegram.add_channel(CHANNEL, "News", owner=READER)
        telegram.add_group(GROUP, "Market", admins=[READER])
        telegram.set_bot_status(GROUP, "administrator", by=READER)
        catalog = CATALOG + f'[channels."{CHANNEL}"]\nlanguage = "ru"\nboard = true\n'
        catalog += 'pairs = ["USD/KGS", "EUR/KGS", "KZT/KGS", "RUB/KGS"]\n'
        numbers: dict[int, set[int]] = {CHANNEL: set(), GROUP: set()}
        for day, value in (("2021-10-20", "84.7935"), ("2021-10-21", "84.8100")):
            async with running(
                tmp_path, telegram, catalog, now=NOW, database_url=migrated_url
            ) as world:
                await world.keep([rate(value=value, on=day)])
                if not numbers[GROUP]:
                    await telegram.send_text(GROUP, "/board on", user_id=READER)
                for number, made in numbers.items():
                    await begun(world, number)
                    await turns(world, number=number)
                    (board,) = (
                        one
                        for one in shown(world, number)
                        if one["message_id"] in pinned(world, number)
                    )
                    assert (
                        value[:5].replace(".", "," if number == CHANNEL else ".") in board["text"]
                    )
                    made.add(board["message_id"])
                assert (await kept(world)).of_catalog
                assert not (await kept(world, GROUP)).of_catalog
                async with world.bot.store.reading() as db:
                    order = await storage.chats.currency_order(db, CHANNEL)
                assert order == ("USD", "EUR", "KZT", "RUB")
        assert [len(found) for found in numbers.values()] == [1, 1]
