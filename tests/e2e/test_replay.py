"""The demonstration's history, replayed as fast as the bot does what is due."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from tests.conftest import ROOT

HERALD = -1002021102000  # the channel in English
QUAKE = "Magnitude 5.6 earthquake"  # each Wednesday
FIRST, LAST = "2022-02-01", "2022-03-18"
END = datetime(2022, 3, 18, 17, 59, tzinfo=UTC).timestamp()  # a minute before midnight


@pytest.mark.slow
@pytest.mark.timeout(600)  # as long as the demonstration is given
async def test_six_weeks_are_replayed_in_order_and_each_event_is_one_message() -> None:
    """Also when the same events come again each week; of three agencies in three languages."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "demo", "--port", "0", "--exit-after", "600",
        stdout=PIPE, cwd=ROOT,
    )  # fmt: skip
    assert program.stdout is not None
    address = (await program.stdout.readline()).decode().strip().rstrip("/")
    while b"ready" not in await program.stdout.readline():
        pass
    async with aiohttp.ClientSession(f"{address}/") as session:

        async def press(name: str, **words: str) -> None:
            action = session.post("emulator/do/control", json={"id": name, **words})
            async with action as answer:
                assert answer.status == 200, await answer.text()

        async def seen(what: str, **asked: str) -> Any:
            async with session.get(f"emulator/{what}", params=asked) as answer:
                return await answer.json()

        await press("begin", first=FIRST, last=LAST)
        await press("play-fastest")
        while (now := await seen("state"))["now"] < END:  # noqa: ASYNC110 - another process
            await asyncio.sleep(1)
        told = await seen("messages", chat_id=str(HERALD))
    program.terminate()
    assert await program.wait() == 0
    times = [message["date"] for message in told]
    assert times == sorted(times)
    # a digest, which names it too, has no buttons
    alerts = [one for one in told if QUAKE in one.get("text", "") and "reply_markup" in one]
    quakes = [datetime.fromtimestamp(one["date"], UTC) for one in alerts]
    assert [at.strftime("%d.%m") for at in quakes] == [
        "02.02", "09.02", "16.02", "23.02", "02.03", "09.03", "16.03",
    ]  # fmt: skip
    assert [" ".join(one["text"].split())[-9:] for one in alerts] == ["3 sources"] * 7
    assert {name: now["tally"][name] for name in ("lost", "late")} == {"lost": 0, "late": 0}
