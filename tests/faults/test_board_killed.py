"""The process is killed while it makes, pins or edits a channel's board, and started again."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

import storage.boards
import storage.chats
from bot.emulator import TEST_TOKEN, Emulator
from bot.model.channels import Board
from bot.model.chats import ChatKind
from storage.opening import open_store
from tests.conftest import ROOT
from tests.factories import NOW, chat
from tests.world import migrated_copy

POINTS = 14  # times seven steps: as many as a board takes
FIRST = -1_004_000_000_000


async def channel(folder: Path, number: int) -> None:
    """A database with one channel that is to have a board."""
    store = await open_store(migrated_copy(folder / f"{number}.db"))
    async with store.writing() as db:
        await storage.chats.add(db, chat(number, kind=ChatKind.CHANNEL, language="en"), now=NOW)
        await storage.boards.begin(db, number)
    await store.close()


async def stored(folder: Path, number: int) -> Board:
    """A channel's board as it is stored afterwards."""
    store = await open_store(f"sqlite:///{folder / f'{number}.db'}")
    async with store.reading() as db:
        found = await storage.boards.get(db, number)
    await store.close()
    assert found is not None
    return found


@pytest.mark.timeout(480)
@pytest.mark.slow
async def test_G27_a_kill_at_any_step_leaves_one_board_that_is_pinned_and_kept(
    tmp_path: Path,
) -> None:
    """At most one message more, by a kill between Telegram's acceptance and its mark; that one is
    neither pinned nor edited.
    """
    numbers = [FIRST - place for place in range(POINTS + 1)]
    async with Emulator(TEST_TOKEN) as telegram:
        for number in numbers:
            telegram.add_channel(number, "News")
            await channel(tmp_path, number)
        with (tmp_path / "log").open("wb") as log:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.faults.board_child"),
                *(telegram.api_url, str(tmp_path), *map(str, numbers)),
                cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
            said, _ = await child.communicate()
        assert child.returncode == 0, (tmp_path / "log").read_text()
        assert int(said) > POINTS // 3  # the others came to their end before their step
        for number in numbers:
            board = await stored(tmp_path, number)
            texts = [one for one in telegram.messages(number) if "text" in one]
            assert board.trouble is None
            assert telegram.world.chat(number).pinned == [board.message]
            (kept,) = [one for one in texts if one["message_id"] == board.message]
            assert "85.1" in kept["text"]
            assert [one for one in texts if "edit_date" in one] == [kept]
            assert len(texts) <= 2
