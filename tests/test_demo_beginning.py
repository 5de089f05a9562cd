"""The demonstration begins anew: meanwhile there is one bot, and nobody's hand comes between."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest_asyncio

from bot.demo.beginning import Beginning
from bot.demo.hands import Hold, bot_hands, time_hands
from bot.demo.keeper import Keeper, State
from bot.demo.travel import Travel
from bot.demo.world import World
from bot.emulator import Control, Emulator
from tests.emulator.conftest import Client
from tests.waiting import until
from tests.world import migrated_copy

#: A bot that is ready once the file that it is given is there, and ends with the demonstration; it
#: notes its number first.
SUBJECT = """
import os, sys, time
folder = sys.argv[1]
open(f"{folder}/began", "a").write(f"{os.getpid()}\\n")
if os.path.exists(f"{folder}/broken"):
    sys.exit(1)
while not os.path.exists(f"{folder}/ready"):
    time.sleep(0.01)
print('{"ready": 1}', flush=True)
sys.stdin.read()
"""


class Demo(NamedTuple):
    """A demonstration whose bot is a small program, and its panel over HTTP."""

    folder: Path
    keeper: Keeper
    beginning: Beginning
    client: Client

    async def press(self, name: str) -> tuple[int, Any]:
        """Press a button of the panel: the status, and what it says."""
        status, said = await self.client.do("control", id=name)
        return status, said.get("result", said)

    async def usable(self) -> set[str]:
        """The buttons that may be pressed now."""
        shown = (await self.client.get("state"))[1]["controls"]
        return {one["id"] for one in shown if one.get("usable", True)}

    def alive(self) -> list[int]:
        """The numbers of the bots that run."""
        began = (self.folder / "began").read_text().split()
        return [int(one) for one in began if _runs(int(one))]


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


@pytest_asyncio.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demo]:
    async with _demo(tmp_path) as running:
        await running.beginning.first()
        yield running


@asynccontextmanager
async def _demo(folder: Path) -> AsyncIterator[Demo]:
    for number in (1, 2, 3):
        migrated_copy(folder / f"demo{number}.db")
    world, hold = World(date(2021, 7, 6)), Hold()
    command = (sys.executable, "-S", "-c", SUBJECT, str(folder))
    keeper = Keeper(ahead=lambda: world.ahead, command=command)
    travel = Travel(world, keeper)
    controls: list[Control] = [*time_hands(travel), *bot_hands(keeper, hold)]
    async with Emulator(controls=controls) as emulator, aiohttp.ClientSession() as session:
        keeper.on_change = emulator.refresh
        beginning = Beginning(
            emulator=emulator, world=world, keeper=keeper, travel=travel, hold=hold, folder=folder
        )
        controls += beginning.hands()
        await world.start()
        (folder / "ready").touch()
        try:
            yield Demo(folder, keeper, beginning, Client(emulator, session))
        finally:
            await keeper.stop()
            await world.stop()


async def begun(demo: Demo, count: int) -> None:
    """Wait until so many bots have been started."""
    await until(lambda: len((demo.folder / "began").read_text().split()) == count)


async def test_while_it_begins_anew_no_bot_may_be_started_or_killed(demo: Demo) -> None:
    """From the press to the new bot's readiness; by HTTP such a press is refused."""
    (old,) = demo.alive()
    (demo.folder / "ready").unlink()
    looks: list[tuple[bool, State]] = []
    demo.keeper.on_change = lambda: looks.append((demo.keeper.replaced, demo.keeper.state))
    beginning = asyncio.create_task(demo.press("begin-storm"))
    await begun(demo, 2)
    assert await demo.usable() == set()
    for name in ("start", "kill", "freeze", "lock", "next-day", "begin-rouble"):
        status, said = await demo.press(name)
        assert (status, said) == (400, {"error": f"the control {name} is not usable now"})
    (demo.folder / "ready").touch()
    assert (await beginning)[0] == 200
    assert {state for replaced, state in looks if replaced} == {State.WAKING, State.AWAKE}
    (new,) = demo.alive()
    assert new != old
    assert "start" not in await demo.usable()
    assert (await demo.press("kill"))[0] == 200
    assert (demo.alive(), demo.keeper.state) == ([], State.ASLEEP)


async def test_who_closes_the_page_ends_no_beginning(demo: Demo) -> None:
    """The bot comes up all the same."""
    (demo.folder / "ready").unlink()
    beginning = asyncio.create_task(demo.press("begin-storm"))
    await until(lambda: demo.keeper.replaced)
    beginning.cancel()
    await asyncio.wait([beginning])
    await begun(demo, 2)
    (demo.folder / "ready").touch()
    await until(lambda: demo.keeper.state is State.AWAKE)
    assert len(demo.alive()) == 1


async def test_a_demonstration_that_ends_meanwhile_starts_no_other_bot(demo: Demo) -> None:
    """The new beginning waited for a journey that was under way."""
    async with demo.beginning.travel.nobody():
        beginning = asyncio.create_task(demo.press("begin-storm"))
        await until(lambda: demo.keeper.replaced)
        await demo.beginning.emulator.end_controls()
        await demo.keeper.stop()
    await asyncio.wait([beginning])
    assert demo.alive() == []


async def test_a_bot_that_ends_at_its_start_may_be_started_again(demo: Demo) -> None:
    """The button says so, instead of the server's own trouble."""
    (demo.folder / "broken").touch()
    status, said = await demo.press("begin-storm")
    assert (status, said["en"]) == (200, "It cannot start now")
    assert "start" in await demo.usable()
    (demo.folder / "broken").unlink()
    assert (await demo.press("start"))[1]["en"] == "The bot is back"
