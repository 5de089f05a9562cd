"""Requests that nobody answers: connections that break without a word, during an outage and after
it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

import storage.chats
from bot.deliver import reach
from bot.deliver.flights import DEAD_AFTER, HANGING
from bot.deliver.reach import Reach
from bot.deliver.worker import IN_FLIGHT
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.log import name_ids, telling
from bot.model.alerts import Lane
from bot.telegram.api import Api
from bot.telegram.outcomes import Ambiguous, Outcome
from bot.telegram.session import open_session
from storage.db import Store
from storage.schema import delivery
from tests.waiting import until
from tests.world import Sending, World

FIRST = 3001
LONG = 300.0  # seconds that these requests would wait for an answer


@asynccontextmanager
async def desk(store: Store, readers: int) -> AsyncIterator[World]:
    """A desk with `readers` readers, whose requests have the patience of five minutes."""
    async with Emulator(open_chats=True) as emulator, open_session() as session:
        world = World(store)
        world.send_through(
            emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN, seconds=LONG)
        )
        for number in range(FIRST, FIRST + readers):
            await world.reader(number)
        yield world


@pytest.mark.parametrize("lane", [Lane.URGENT, Lane.ROUTINE, Lane.ALERT])
@pytest.mark.cases(keep=1)
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


class Relay:
    """A way to Telegram whose connections can break without a word: new ones work."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._broken: set[asyncio.StreamWriter] = set()
        self._ours: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self._ours.add(writer)
        there, back = await asyncio.open_connection("127.0.0.1", self._port)

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError):
                while more := await source.read(65536):
                    if writer not in self._broken:
                        sink.write(more)
            sink.close()

        await asyncio.gather(copy(reader, back), copy(there, writer))
        self._ours.discard(writer)

    def break_all(self) -> None:
        """Let nothing more come through the connections that are open; they stay open."""
        self._broken |= self._ours


@pytest.mark.cases
@pytest.mark.slow
async def test_G15_idle_connections_that_broke_without_a_word_are_not_tried_one_by_one(
    store: Store,
) -> None:
    """A router forgot them all, and Telegram is there: an alert to one reader finds that out once.

    It is sent again by a new connection, as is the question whether Telegram is there.
    """
    many = 20
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(Emulator(open_chats=True))
        session = await stack.enter_async_context(open_session())
        relay = Relay(emulator.port)
        server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
        stack.callback(server.close)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        world = World(store)
        world.send_through(emulator, Api(session, url=url, token=TEST_TOKEN, seconds=LONG))
        for number in range(FIRST, FIRST + many):
            await world.reader(number)
        emulator.faults.add(Fault.slow(0.5, method="sendMessage", times=many))
        logs = stack.enter_context(capture_logs())
        async with Sending(world):
            await world.alert(Lane.URGENT)  # side by side, as nobody is answered at once
            await world.done()
            async with store.writing() as db:
                for number in range(FIRST + 1, FIRST + many):
                    await storage.chats.unsubscribe(db, number)
            relay.break_all()
            await world.alert(Lane.URGENT)
            await world.arrived(FIRST, 2, timeout=60)
            await world.done()
        assert world.accepted(FIRST) == 2
        assert [one for one in logs if one["event"] == "telegram is away"] == []


class Mute(Api):
    """A way to Telegram that answers nothing, and counts how often it was to begin anew."""

    def __init__(self) -> None:
        self.anew = 0

    async def call(self, method: str, **parameters: Any) -> Outcome:  # noqa: ARG002 - as its parent
        """For ever."""
        return await asyncio.Future()

    def forget_idle(self) -> None:
        """One more time."""
        self.anew += 1


async def test_G15_a_question_that_nobody_answered_is_asked_again_by_another_connection(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the trouble was noticed: by a refusal, too."""
    monkeypatch.setattr(reach, "QUESTION_SECONDS", 0.01)
    monkeypatch.setattr(reach, "QUESTION_EVERY", 0.01)
    mute = Mute()
    asking = Reach(store, mute, "t", "a", lambda _since: None)
    assert await asking.lost()
    await until(lambda: mute.anew >= 3)
    await asking.close()


@pytest.mark.cases
async def test_the_end_of_an_outage_is_no_line_about_the_delivery_that_found_it_out(
    store: Store,
) -> None:
    """Whoever looks for an alert by its number would take it for that one's."""
    async with desk(store, 1) as world:
        world.emulator.faults.add(Fault.server_error(503))
        with capture_logs(processors=[name_ids]) as logs:
            with telling(alert=7):
                assert await world.worker.reach.lost()
            world.emulator.faults.clear()
            await until(lambda: not world.worker.reach.away)
        told = [(one["event"], one.get("alert")) for one in logs]
        assert told == [("telegram is away", 7), ("telegram is back", None)]
