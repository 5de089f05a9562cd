"""The demonstration begins anew, on any day of the bank's history: meanwhile there is one bot, and
nobody's hand comes between.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from bot.config import Settings
from bot.demo.beginning import Beginning
from bot.demo.guide import Guide
from bot.demo.hands import Hold, bot_hands, time_hands
from bot.demo.keeper import Keeper, State
from bot.demo.subject import settings_of
from bot.demo.travel import Travel
from bot.demo.world import ZONE, World
from bot.emulator import TEST_TOKEN, Control, Emulator
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

    async def press(self, name: str, **days: str) -> tuple[int, Any]:
        """Press a button of the panel: the status, and what it says."""
        status, said = await self.client.do("control", id=name, **days)
        return status, said.get("result", said)

    async def button(self, name: str) -> dict[str, Any]:
        """A button of the panel as it is now."""
        shown: list[dict[str, Any]] = (await self.client.get("state"))[1]["controls"]
        return next(one for one in shown if one["id"] == name)

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
            emulator=emulator,
            world=world,
            keeper=keeper,
            travel=travel,
            guide=Guide(travel),
            hold=hold,
            folder=folder,
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


def test_a_real_bots_settings_beside_are_none_of_the_demonstrations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would tell that one's dead man's switch that all is well, and copy itself beside it."""
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:9/real")
    first = {"token": TEST_TOKEN, "api_url": "http://127.0.0.1:1", "port": 0}
    settings = settings_of({**first, "database_url": "sqlite:////tmp/demo.db"})
    said = {"bot_token", "bot_api_url", "database_url", "ops_listen", "poll_every"}
    assert settings.model_fields_set == said


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


async def test_what_arrives_while_the_bot_stands_still_or_has_no_database_is_not_noted(
    demo: Demo,
) -> None:
    """From the press of the button until a moment after the other press."""
    for name, hindrance in (
        ("freeze", demo.keeper.stands),
        ("lock", demo.beginning.hold.hindrance),
    ):
        before = time.monotonic()
        assert hindrance.noted(before) == before
        await demo.press(name)
        began, later = time.monotonic(), time.monotonic() + 60
        assert before <= hindrance.noted(later) <= began
        await demo.press(name)
        ended, later = time.monotonic(), time.monotonic() + 60
        assert (hindrance.noted(ended) <= began, hindrance.noted(later)) == (True, later)


async def test_a_bot_that_ends_at_its_start_may_be_started_again(demo: Demo) -> None:
    """The button says so, instead of the server's own trouble."""
    (demo.folder / "broken").touch()
    status, said = await demo.press("begin-storm")
    assert (status, said["en"]) == (200, "It cannot start now")
    assert "start" in await demo.usable()
    (demo.folder / "broken").unlink()
    assert (await demo.press("start"))[1]["en"] == "The bot is back"


async def test_a_replay_stops_by_itself_at_the_end_of_its_last_day(demo: Demo) -> None:
    """And goes on from there when it is told to."""
    world = demo.beginning.world
    assert (await demo.press("begin", first="2021-07-07", last="2021-07-09"))[0] == 200
    assert world.now().isoformat(timespec="minutes") == "2021-07-07T16:00+06:00"
    await demo.press("kill")  # nobody waits for a bot that is gone
    await demo.press("play-fastest")
    playing = await demo.button("play-fastest")
    assert (playing["pressed"], playing["hint"]["ru"]) == (True, "до 09.07.2021")
    await until(lambda: demo.beginning.travel.speed is None)
    last_minute = datetime(2021, 7, 9, 23, 59, tzinfo=ZONE)
    assert timedelta(0) <= world.now() - last_minute < timedelta(minutes=1)
    await demo.press("play-fastest")
    assert (await demo.button("play-fastest"))["hint"] == {}
    await until(lambda: world.now() > last_minute + timedelta(days=1))


async def test_a_day_that_is_not_there_is_refused_in_words(demo: Demo) -> None:
    """In the reader's language, by which days there are; nothing is forgotten for it."""
    began, bots = demo.beginning.world.now(), demo.alive()
    known = "Курсы банка известны с 03.07.2021 по 30.12.2023"
    for first, last, why in (
        ("2021-07-02", "", known),
        ("2023-12-31", "", known),
        ("", "", known),
        ("30.02.2022", "", known),
        ("2022-02-21", "2024-01-01", known),
        ("2022-02-21", "2022-02-20", "Последний день раньше первого"),
    ):
        assert (await demo.press("begin", first=first, last=last))[1]["ru"] == why
    assert demo.beginning.world.now() - began < timedelta(hours=1)
    assert demo.alive() == bots


async def test_the_spring_of_2022_is_a_stretch_with_an_end(demo: Demo) -> None:
    """Its bounds are those of the days that may be chosen."""
    world = demo.beginning.world
    asked = (await demo.button("begin"))["days"]
    assert [(day["id"], day["earliest"], day["latest"]) for day in asked] == [
        ("first", "2021-07-03", "2023-12-30"),
        ("last", "2021-07-03", "2023-12-30"),
    ]
    await demo.press("begin-spring")
    assert (world.now().date(), world.ends_at) == (
        date(2022, 2, 1),
        datetime(2022, 4, 30, 23, 59, tzinfo=ZONE),
    )
    # and the first of the known days, when no rate has moved yet, begins one that has none
    assert (await demo.press("begin", first="2021-07-03", last=""))[0] == 200
    assert (world.now().date(), world.ends_at) == (date(2021, 7, 3), None)
