"""Requests that nobody answers: connections that break without a word, during an outage and after
it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select

from bot.deliver.flights import DEAD_AFTER, HANGING
from bot.deliver.worker import IN_FLIGHT
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.model.alerts import Lane
from bot.telegram.api import Api
from bot.telegram.outcomes import Ambiguous
from bot.telegram.session import open_session
from storage.db import Store
from storage.schema import delivery
from tests.waiting import until
from tests.world import Sending, World

FIRST = 3001
LONG = 300.0  # seconds that these requests would wait for an answer


@asynccontextmanager
async def desk(store: Store, readers: int) -> AsyncIterator[World]:
    """So many readers, and requests that have the patience of five minutes."""
    async with Emulator(open_chats=True) as emulator, open_session() as session:
        world = World(store)
        world.send_through(
            emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN, seconds=LONG)
        )
        for number in range(FIRST, FIRST + readers):
            await world.reader(number)
        yield world


@pytest.mark.parametrize("lane", [Lane.URGENT, Lane.ROUTINE, Lane.ALERT])
@pytest.mark.cases(keep=2)
async def test_G15_dead_connections_keep_nobody_elses_place(store: Store, lane: Lane) -> None:
    """All places are taken by requests without an answer, while Telegram is there: the next leave
    soon.
    """
    async with desk(store, IN_FLIGHT + 5) as world:
        hang = world.emulator.faults.add(Fault.hang(method="sendMessage", times=IN_FLIGHT))
        await world.alert(lane)
        async with Sending(world):
            await until(lambda: hang.hits == IN_FLIGHT)
            for number in range(FIRST + IN_FLIGHT, FIRST + IN_FLIGHT + 5):
                await world.arrived(number, timeout=60)
            if lane is not Lane.ROUTINE:  # that may not be sent twice: it waits for its answer
                for number in range(FIRST, FIRST + IN_FLIGHT):
                    await world.arrived(number, timeout=60)
            world.emulator.faults.clear()
            await world.emulator.stop()  # the rest ends too


@pytest.mark.cases
async def test_G15_what_may_not_be_sent_twice_is_waited_for_to_the_end_of_its_time(
    store: Store,
) -> None:
    """Telegram is only slow: the answer comes when an alert would be on its way again."""
    slow = HANGING + DEAD_AFTER + 2.5
    async with desk(store, 2) as world:
        world.emulator.faults.add(Fault.slow(slow, method="sendMessage"))
        await world.alert(Lane.ROUTINE)
        async with Sending(world):
            await world.done()
        for number in (FIRST, FIRST + 1):
            assert await world.rows(number) == [("sent", None)]
            assert world.accepted(number) == 1


@pytest.mark.slow
async def test_G15_where_only_messages_hang_no_alert_is_given_up(store: Store) -> None:
    """Telegram says that it is there, and takes no message: none is lost, however long that lasts,
    and none comes more than twice.
    """
    async with desk(store, 8) as world:
        hang = world.emulator.faults.add(Fault.hang(method="send*"))
        await world.alert(Lane.URGENT)
        async with Sending(world):
            await until(lambda: hang.hits >= 8 + 3)  # three have asked for all
            world.emulator.faults.clear()
            for number in range(FIRST, FIRST + 8):
                await world.arrived(number, timeout=60)
        assert world.told == []


@pytest.mark.cases
async def test_G15_an_outage_in_which_requests_hang_is_noticed_and_over_when_it_is(
    store: Store,
) -> None:
    """Nothing is waited for that was asked before: each gets its one copy, and no try is
    counted.
    """
    async with desk(store, 100) as world:
        hang = world.emulator.faults.add(Fault.hang())
        await world.alert(Lane.URGENT)
        async with Sending(world):
            await until(lambda: hang.hits > 0 and world.worker.reach.away)
            world.emulator.faults.clear()
            for number in range(FIRST, FIRST + 100):
                await world.arrived(number, timeout=60)
        assert {world.accepted(number) for number in range(FIRST, FIRST + 100)} == {1}
        async with store.reading() as db:
            assert set((await db.execute(select(delivery.c.tries))).scalars()) == {1}


@pytest.mark.cases
async def test_G15_at_the_end_of_an_outage_other_requests_that_hang_are_given_up(
    store: Store,
) -> None:
    """Asking for updates, answering: a bot whose alerts go again is not deaf to questions for half
    a minute.
    """
    async with desk(store, 1) as world, open_session() as session:
        other = Api(session, url=world.emulator.api_url, token=TEST_TOKEN, seconds=LONG)
        world.worker.others = (other,)
        hang = world.emulator.faults.add(Fault.hang())
        asking = asyncio.create_task(other.call("getUpdates", timeout=20))
        await until(lambda: hang.hits > 0)
        await world.alert(Lane.URGENT)
        async with Sending(world):
            await until(lambda: world.worker.reach.away)
            world.emulator.faults.clear()
            await world.arrived(FIRST, timeout=60)
            async with asyncio.timeout(60):
                assert isinstance(await asking, Ambiguous)
