"""The stops of the demonstration's time: its world's moments, and whatever is due for a chat."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import cast

import pytest
from yarl import URL

import storage.chats
import storage.quiet
from bot.demo.foresight import DIGEST, QUIET_ENDS, foresee
from bot.demo.gauge import Gauge
from bot.demo.hands import time_hands
from bot.demo.keeper import Keeper, State
from bot.demo.travel import Travel
from bot.demo.world import World
from bot.emulator import Emulator
from bot.model.quiet import QuietHours
from bot.model.subjects import DigestSubject
from storage.db import Store, db_now
from tests.factories import chat as a_chat
from tests.publishers import Publishers

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


class Asked(Keeper):
    """A bot that has a question to answer."""

    async def foresee(self) -> tuple[datetime, str] | None:
        """Nothing is due."""
        self.unanswered = 1
        return None


class Shown(Emulator):
    """An emulator whose page shows something new."""

    new: asyncio.Event

    def refresh(self) -> None:
        """Somebody may look."""
        self.new.set()


async def test_a_question_that_waits_for_its_answer_is_in_the_queue() -> None:
    """Beside what each lane has: where nothing is in it, what was tried counts as lost."""
    async with Publishers() as server:
        waiting = b'jarchy_deliveries_waiting{lane="%s"} 2.0\n'
        server.put("/metrics", waiting % b"urgent" + waiting % b"alert", kind="text/plain")
        gauge = Gauge(Asked(ahead=timedelta, state=State.AWAKE, port=URL(server.url).port or 0))
        emulator = Shown(readings=gauge.readings)
        emulator.new = asyncio.Event()
        looking = asyncio.create_task(gauge.run(emulator))
        async with asyncio.timeout(20):
            await emulator.new.wait()
        looking.cancel()
        await asyncio.wait([looking])
        (queue,) = gauge.readings()
        assert queue.value == 5
        assert emulator.tally is not None
        assert emulator.tally.lost == 0
