"""The stops of the demonstration's time: its world's moments, and whatever is due for a chat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import cast

import aiohttp
import pytest
from yarl import URL

import storage.chats
import storage.quiet
from bot.demo.foresight import DIGEST, QUIET_ENDS, foresee
from bot.demo.gauge import Gauge
from bot.demo.hands import time_hands
from bot.demo.keeper import Keeper, State
from bot.demo.travel import SPEEDS, Pace, Travel
from bot.demo.world import World
from bot.emulator import Emulator, Fault
from bot.model.quiet import QuietHours
from bot.model.subjects import DigestSubject
from storage.db import Store, db_now
from tests.factories import chat as a_chat
from tests.publishers import Publishers
from tests.world import READER

BISHKEK = "Asia/Bishkek"
FIVE_PAST_FOUR = datetime(2023, 8, 14, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "then"),
    [
        ([], None),
        ([time(8, 30)], "2023-08-15T08:30"),
        ([time(8, 30), time(20)], "2023-08-14T20:00"),
        ([time(16, 5)], "2023-08-15T16:05"),  # today's was due this moment
    ],
)
async def test_the_first_of_all_digests_is_foreseen(
    store: Store, hours: list[time], then: str | None
) -> None:
    keys = [str(DigestSubject(hour, BISHKEK)) for hour in hours]
    async with store.writing() as db:
        await storage.chats.add(db, a_chat(), now=FIVE_PAST_FOUR)
        await storage.chats.subscribe(db, a_chat().id, keys, now=FIVE_PAST_FOUR)
    found = await foresee(store, now=FIVE_PAST_FOUR)
    if then is None:
        assert found is None
    else:
        assert found == (datetime.fromisoformat(f"{then}+06:00"), DIGEST)


async def test_the_end_of_quiet_hours_is_foreseen(store: Store) -> None:
    """Those that are over are so no more: what they held is told, and the next ones reckoned."""
    async with store.writing() as db:
        now = await db_now(db)
        night = QuietHours(time(22), time(6))
        await storage.chats.add(db, a_chat(), now=now)
        await storage.chats.change(db, a_chat().id, quiet=str(night))
        await storage.quiet.plan(db, a_chat().id)
        ends_at = await storage.quiet.first_end(db)
    assert ends_at == night.at(now, a_chat().time_zone).ends_at
    assert await foresee(store, now=now) == (ends_at, QUIET_ENDS)
    assert await foresee(store, now=ends_at) is None


class Told(Keeper):
    """A bot that is away, and has said before what is due."""

    due: list[datetime]
    world: World

    async def foresee(self) -> tuple[datetime, str] | None:
        """The first that is ahead."""
        ahead = [moment for moment in self.due if moment > self.world.now()]
        self.foreseen = (min(ahead), DIGEST) if ahead else None
        return self.foreseen


def travelling(due: list[datetime]) -> tuple[World, Travel, list[str]]:
    """A world on its first day, and where its time was turned to."""
    at = datetime(2023, 1, 1, tzinfo=UTC)
    world = World(clock=lambda: at)
    keeper = Told(ahead=lambda: world.ahead)
    keeper.state, keeper.due, keeper.world = State.ASLEEP, due, world
    stops: list[str] = []
    travel = Travel(world, keeper)
    travel.on_turn = lambda: stops.append(f"{world.now():%d %H:%M}")
    return world, travel, stops


async def test_a_readers_own_hours_are_stops_between_the_worlds_moments() -> None:
    """With what is due then on the button, also on the way through a day."""
    _, travel, stops = travelling(
        [
            datetime(2023, 8, 14, 14, tzinfo=UTC),  # 20:00 in Bishkek
            datetime(2023, 8, 15, 2, 30, tzinfo=UTC),
            datetime(2023, 8, 15, 3, tzinfo=UTC),  # as the morning's digest of the channel
        ]
    )
    button = next(hand for hand in time_hands(travel) if hand.id == "next")
    assert button.hint is not None
    await travel.next()
    assert stops == ["14 18:00"]
    await travel.keeper.foresee()
    assert cast("dict[str, str]", button.hint())["ru"] == "20:00 · сводка"
    await travel.day()
    assert stops[1:] == ["14 20:00", "15 08:30", "15 09:00", "15 15:00", "15 16:00", "15 18:00"]
    assert cast("dict[str, str]", button.hint())["ru"] == "09:00 · утренняя сводка"


async def test_what_a_silent_bot_foresaw_and_is_past_stops_nobody() -> None:
    world, travel, stops = travelling([])
    travel.keeper.foreseen = (world.now() - timedelta(hours=1), DIGEST)
    assert travel.upcoming() == (world.upcoming(), None)
    await travel.next()
    assert stops == ["14 18:00"]


def test_the_speed_that_is_reached_is_that_of_the_last_seconds() -> None:
    """Not before there is a second to go by, and of what was earlier it knows nothing."""
    begun, pace = datetime(2022, 2, 1, tzinfo=UTC), Pace()
    assert pace.reached is None
    for at, days, reached in (
        (100.0, 0, None),
        (100.5, 2, None),
        (102.0, 4, 2),
        (104.0, 8, 2),
        (110.0, 11, 0.5),
    ):
        pace.note(at, begun + timedelta(days=days))
        assert pace.reached == (reached and reached * 86400)


async def test_a_speed_that_is_not_reached_is_told_on_its_button() -> None:
    """In days a second, as each language writes figures; what is kept says nothing of itself."""
    world, travel, _ = travelling([])
    hints = {hand.id: hand.hint for hand in time_hands(travel)}
    for name, days, english, russian in (
        ("days", 0.95, None, None),
        ("days", 0.74, "0.7 days a second", "0,7 дн. в секунду"),
        ("fastest", 1.6, "1.6 days a second", "1,6 дн. в секунду"),
    ):
        travel.speed, travel.pace = SPEEDS[name], Pace()
        for at in (0, 1):
            travel.pace.note(at, world.now() + at * timedelta(days=days))
        hint = hints[f"play-{name}"]
        assert hint is not None
        said = cast("dict[str, str]", hint())
        assert (said.get("en"), said.get("ru")) == (english, russian)


class Asked(Keeper):
    """A bot that has questions to answer; something may be tried while it is asked what is due."""

    questions: int = 1
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def foresee(self) -> tuple[datetime, str] | None:
        """Nothing is due."""
        self.unanswered = self.questions
        if self.meanwhile is not None:
            await self.meanwhile()
            self.meanwhile = None
        return None


class Shown(Emulator):
    """An emulator whose page shows something new."""

    new: asyncio.Event

    def refresh(self) -> None:
        """Somebody may look."""
        self.new.set()


WAITING = b'jarchy_deliveries_waiting{lane="%s"} %d.0\n'


@asynccontextmanager
async def gauged(*, waiting: int, questions: int) -> AsyncIterator[tuple[Shown, Asked, Gauge]]:
    """An emulator with one person, a bot in each of whose lanes so much waits, and the gauge that
    looks at both.
    """
    async with Publishers() as server:
        lanes = WAITING % (b"urgent", waiting) + WAITING % (b"alert", waiting)
        server.put("/metrics", lanes, kind="text/plain")
        bot = Asked(ahead=timedelta, state=State.AWAKE, port=URL(server.url).port or 0)
        bot.questions = questions
        gauge = Gauge(bot)
        async with Shown(readings=gauge.readings) as emulator:
            emulator.new = asyncio.Event()
            emulator.add_private(emulator.add_user(READER, "Aigul"))
            yield emulator, bot, gauge


async def lost(emulator: Shown, gauge: Gauge, *counts: int) -> None:
    """The gauge looks, and the page shows so many lost, one count after the other."""
    emulator.new.clear()
    looking = asyncio.create_task(gauge.run(emulator))
    found: list[int] = []
    async with asyncio.timeout(20):
        while len(found) < len(counts):
            await emulator.new.wait()
            emulator.new.clear()
            assert emulator.tally is not None
            found.append(emulator.tally.lost)
    looking.cancel()
    await asyncio.wait([looking])
    assert found == list(counts)


async def tried_in_vain(emulator: Emulator) -> None:
    """A message of the bot's meets a Telegram that is away for that long."""
    emulator.faults.add(Fault.server_error(502, times=1))
    async with aiohttp.ClientSession() as session:
        url = f"{emulator.api_url}/bot{emulator.token}/sendMessage"
        await session.post(url, json={"chat_id": READER, "text": "USD 88.27"})


async def test_a_question_that_waits_for_its_answer_is_in_the_queue() -> None:
    """Beside what each lane has; while anything is in it, nothing that was tried is lost."""
    for waiting, questions in ((2, 1), (0, 1), (2, 0)):
        async with gauged(waiting=waiting, questions=questions) as (emulator, _, gauge):
            await tried_in_vain(emulator)
            await lost(emulator, gauge, 0)
            (queue,) = gauge.readings()
            assert queue.value == 2 * waiting + questions


async def test_what_a_bot_knows_nothing_of_is_lost_once_nothing_keeps_it_from_sending() -> None:
    """Not while Telegram is away, nor what was tried only while the bot was asked."""
    async with gauged(waiting=0, questions=0) as (emulator, bot, gauge):
        away = emulator.faults.add(Fault.server_error(502, method="getFile"))
        await tried_in_vain(emulator)
        await lost(emulator, gauge, 0)
        emulator.faults.remove(away)
        await lost(emulator, gauge, 1)
        emulator.begin_anew()
        bot.meanwhile = partial(tried_in_vain, emulator)
        await lost(emulator, gauge, 0, 1)
