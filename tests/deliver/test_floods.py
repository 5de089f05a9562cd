"""429 on everything: no replica sends until then, nothing is lost by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from sqlalchemy import select

import storage.chats
import storage.claims
from bot.deliver.troubles import FLOODS_FOR_ALL
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.db import Store, db_now
from storage.schema import pace
from tests.waiting import pauses
from tests.world import SECURITY, Sending, World

READERS = range(3001, 3013)
MANY = range(3013, 3041)
RATE = 10.0

# only on a server are there replicas
pytestmark = pytest.mark.parametrize(
    "migrated_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
async def replicas(store: Store) -> AsyncIterator[tuple[World, World]]:
    """Two senders of one store and one token."""
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(Emulator(open_chats=True))
        api = Api(
            await stack.enter_async_context(open_session()), url=emulator.api_url, token=TEST_TOKEN
        )
        one, two = World(store), World(store)
        for sender in (one, two):
            sender.send_through(emulator, api, rate=RATE)
        for number in READERS:
            emulator.add_private(emulator.add_user(number, "R", "en"))
            await one.reader(number)
        yield one, two


async def paused(store: Store) -> timedelta | None:
    """For how much longer no replica may send."""
    async with store.reading() as db:
        until = (await db.execute(select(pace.c.paused_until))).scalar_one_or_none()
        return None if until is None else until - await db_now(db)


async def states(bench: World) -> list[str]:
    """The states of every delivery."""
    return [state for number in READERS for state, _ in await bench.rows(number)]


@pytest.mark.parametrize("seconds", [30, 3600])
async def test_G4_when_every_call_is_refused_all_replicas_are_silent_until_then(
    replicas: tuple[World, World], seconds: int
) -> None:
    """Calls in flight are refused too, then nobody asks; the queue is whole."""
    one, two = replicas
    for number in MANY:  # more than leave while the pause is being stored
        one.emulator.add_private(one.emulator.add_user(number, "R", "en"))
        await one.reader(number)
    one.emulator.faults.add(Fault.flood(seconds, method="sendMessage"))
    await one.alert()
    async with Sending(one), Sending(two):
        async with asyncio.timeout(20):
            for pause in pauses():  # a commit makes no event here
                if (left := await paused(one.store)) is not None:
                    break
                await asyncio.sleep(pause)
        assert left is not None
        asked = len(one.emulator.calls.of("sendMessage"))
    assert timedelta(seconds=seconds - 20) < left <= timedelta(seconds=seconds)
    assert FLOODS_FOR_ALL <= asked < len(READERS) + len(MANY)
    assert len(one.emulator.calls.of("sendMessage")) <= asked + 2 * FLOODS_FOR_ALL
    async with one.store.writing() as db:  # as any other replica asks
        claim = await storage.claims.claim(
            db, token="t", rate=RATE, horizon=timedelta(seconds=1), lease=timedelta(seconds=30)
        )
    assert claim.deliveries == ()
    assert claim.first_in > timedelta(seconds=seconds - 20)
    assert await states(one) == ["pending"] * len(READERS)


@pytest.mark.parametrize("seconds", [1, None])
async def test_G4_after_a_pause_everybody_is_told_once(
    replicas: tuple[World, World], seconds: int | None
) -> None:
    """Also when the answer does not say for how long: then it is some seconds."""
    one, two = replicas
    one.emulator.faults.add(Fault.flood(seconds, method="sendMessage", times=FLOODS_FOR_ALL))
    await one.alert()
    async with Sending(one), Sending(two):
        for number in READERS:
            await one.arrived(number, timeout=30)
    assert await states(one) == ["sent"] * len(READERS)
    assert [one.accepted(number) for number in READERS] == [1] * len(READERS)


async def test_G4_chats_refused_each_for_its_own_time_do_not_silence_the_others(
    replicas: tuple[World, World],
) -> None:
    """Three in a row, with nobody told in between: the next one is told all the same."""
    one, _ = replicas
    refused = dict(zip(READERS, (30, 300, 3600), strict=False))
    for number, seconds in refused.items():
        one.emulator.faults.add(Fault.flood(seconds, chat_id=number))
    others = [number for number in READERS if number not in refused]
    async with one.store.writing() as db:
        for number in others:
            await storage.chats.unsubscribe(db, number, [SECURITY])
    await one.alert()
    async with Sending(one):
        for number in refused:
            await one.asked(number)
        for number in others:
            await one.reader(number)
        await one.alert()
        for number in others:
            await one.arrived(number)
    assert await paused(one.store) is None
