"""The program's log of one question and of one alert, from their beginning to the last message."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.emulator import TEST_TOKEN, Emulator, Fault
from tests.e2e.program import READER, Program
from tests.publishers import ATTACK, QUIET, Publishers, agency_at, rss

OTHER = 1002


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """A Telegram with two readers."""
    async with Emulator(TEST_TOKEN, "jarchy_bot") as telegram:
        for number, name in ((READER, "Aigul"), (OTHER, "Bakyt")):
            telegram.add_private(telegram.add_user(number, name, "en"))
        yield telegram


@pytest.fixture
async def publishers() -> AsyncIterator[Publishers]:
    """A feed in which nothing happens yet."""
    async with Publishers() as server:
        server.put("/feed.xml", rss(QUIET))
        yield server


def lines(program: Program, event: str, **values: Any) -> list[dict[str, Any]]:
    """The log's lines of an event that have these values."""
    found = []
    for line in program.log:
        if line.startswith("{"):
            one = json.loads(line)
            if one["event"] == event and values.items() <= one.items():
                found.append(one)
    return found


async def test_an_id_leads_from_the_question_and_from_the_alert_to_each_message(
    tmp_path: Path, emulator: Emulator, publishers: Publishers
) -> None:
    """Each question is a line with the number of its update, and so is an answer that Telegram did
    not take, to its last try; a story has its alert's, and each message one of its own.
    """
    program = Program(tmp_path, emulator, agency_at(publishers.url), LOG_LEVEL="debug")
    await program.start()
    await program.said(lambda line: '"event": "polled"' in line)
    for number in (READER, OTHER):
        asked = await emulator.send_text(number, "/subscribe security")
        menu = await emulator.wait_message(number, lambda m: "reply_markup" in m, after=asked)
        await emulator.press(number, menu["message_id"], "top:security")
    publishers.put("/feed.xml", rss(ATTACK, QUIET))
    for number in (READER, OTHER):
        await emulator.wait_message(number, lambda m: "border" in m.get("text", ""), timeout=60)
    emulator.faults.add(Fault.flood(1, method="sendMessage", chat_id=READER, times=1))
    await emulator.send_text(READER, "100 usd to Aigul")
    emulator.faults.add(Fault.flood(11, method="sendMessage", chat_id=OTHER, times=1))
    asked = await emulator.send_text(OTHER, "/privacy")
    await emulator.wait_message(OTHER, lambda m: "24 hours" in m["text"], after=asked, timeout=60)
    assert await program.end() == 0
    handled = lines(program, "handled")
    assert sorted((one["asked"], one["ended"], one["calls"]) for one in handled) == [
        ("/privacy", "postponed", 1),
        ("/subscribe", "sent", 1),
        ("/subscribe", "sent", 1),
        ("button top", "edited", 2),
        ("button top", "edited", 2),
        ("text", "sent", 2),
    ]
    assert len({one["update_id"] for one in handled}) == len(handled)
    assert all(one["ms"] >= 0 for one in handled)
    assert "Aigul" not in "".join(program.log)
    (story,) = lines(program, "decided", kind="story")
    told = lines(program, "sent", alert=story["alert"], outcome="Sent")
    assert len({line["delivery"] for line in told}) == 2
    (late,) = lines(program, "decided", kind="answer")
    (waits,) = lines(program, "an answer waits", update_id=late["update_id"])
    assert waits["method"] == "sendMessage"
    (sent,) = lines(program, "sent", update_id=late["update_id"])  # by another hand
    assert (sent["level"], sent["alert"], sent["outcome"]) == ("info", late["alert"], "Sent")
