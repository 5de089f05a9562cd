"""A channel's post that waits for a word, in a program that is killed at the worst moments."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.emulator import TEST_TOKEN, Emulator, Fault
from tests.e2e.program import READER, Program
from tests.publishers import ATTACK, QUIET, Publishers, agency_at, rss

CHANNEL = -1001234567890


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """A Telegram with one reader, who has a channel."""
    telegram = Emulator(TEST_TOKEN, "jarchy_bot")
    await telegram.start()
    telegram.add_private(telegram.add_user(READER, "Aigul", "en"))
    telegram.add_channel(CHANNEL, "News", owner=READER, bot_status="left")
    yield telegram
    await telegram.stop()


def data(message: dict[str, Any]) -> list[str]:
    """The data of the buttons under a message."""
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [one.get("callback_data", "") for row in rows for one in row]


async def button(emulator: Emulator, chat: int, part: str, after: int = 0) -> tuple[int, str]:
    """The message with a button whose data contains this, and the data."""
    found = await emulator.wait_message(
        chat, lambda m: any(part in one for one in data(m)), after=after, timeout=60
    )
    (pressed,) = [one for one in data(found) if part in one]
    return int(found["message_id"]), pressed


def posted(emulator: Emulator) -> int:
    """The number of times that the channel has the story."""
    return sum("border post" in one.get("text", "") for one in emulator.messages(CHANNEL))


async def test_P1_sigkill_around_an_owners_word_loses_nothing_and_posts_once(
    tmp_path: Path, emulator: Emulator
) -> None:
    """Before the question was sent, between it and the word, between the word and the post."""
    async with Publishers() as agencies:
        agencies.put("/feed.xml", rss(QUIET))
        program = Program(tmp_path, emulator, agency_at(agencies.url))
        await program.start()
        await program.said(lambda line: '"source": "test"' in line and '"event": "polled"' in line)
        asked = await emulator.send_text(READER, "/channel")
        await emulator.wait_message(READER, lambda m: m["from"]["is_bot"], after=asked, timeout=60)
        await emulator.share_chat(READER, CHANNEL)
        message, policy = await button(emulator, READER, ":policy", asked)
        chosen = policy + ":approve"
        await emulator.press(READER, message, chosen, user_id=READER, timeout=60)
        emulator.faults.add(Fault.server_error(503, method="sendMessage"))
        agencies.put("/feed.xml", rss(ATTACK, QUIET))
        await program.said(lambda line: '"kind": "asked"' in line)
        await program.end(signal.SIGKILL)
        emulator.faults.clear()
        await program.start()
        message, send = await button(emulator, READER, "post:send", message)
        await program.end(signal.SIGKILL)
        assert posted(emulator) == 0
        await program.start()
        emulator.faults.add(Fault.server_error(503, method="sendMessage"))
        await emulator.press(READER, message, send, user_id=READER, timeout=60)
        await program.end(signal.SIGKILL)
        emulator.faults.clear()
        await program.start()
        await emulator.wait_message(
            CHANNEL, lambda m: "border post" in m.get("text", ""), timeout=60
        )
        await agencies.asked_again("/feed.xml", 2)
        assert posted(emulator) == 1
        questions = [one for one in emulator.messages(READER) if "border post" in str(one)]
        assert len(questions) == 1
        assert await program.end() == 0
