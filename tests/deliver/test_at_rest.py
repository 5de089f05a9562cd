"""A sender at rest leaves the database alone, and misses nothing for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select, update

import storage.chats
import storage.claims
from bot.deliver import claims
from bot.deliver.upkeep import Upkeep
from bot.deliver.worker import Worker
from bot.emulator.faults import Fault
from storage.connecting import connect_for_writing
from storage.db import db_now
from storage.schema import chat
from tests.deliver.test_worker import ONE, bench  # noqa: F401 - a fixture
from tests.world import Sending, World


class Rest:
    """The times that a sender was spared its look, and those that it claimed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.spared = asyncio.Event()
        self.claims = 0
        spare, claim = Upkeep.spare, storage.claims.claim

        def spared(upkeep: Upkeep, now: float) -> None:
            spare(upkeep, now)
            self.spared.set()

        async def claimed(*given: Any, **named: Any) -> Any:
            self.claims += 1
            return await claim(*given, **named)

        monkeypatch.setattr(Upkeep, "spare", spared)
        monkeypatch.setattr(storage.claims, "claim", claimed)
        monkeypatch.setattr(claims, "IDLE", 0.01)

    async def again(self) -> int:
        """Wait until the sender is spared a look from now on; the claims until then."""
        self.spared.clear()
        async with asyncio.timeout(60):
            await self.spared.wait()
        return self.claims


@pytest.fixture
async def rest(bench: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rest]:  # noqa: F811
    """A sender with nothing to send, at work."""
    await bench.reader(ONE)
    rest = Rest(monkeypatch)
    async with Sending(bench):
        yield rest


async def test_an_empty_outbox_is_asked_no_more_until_another_process_fills_it(
    bench: World,  # noqa: F811
    rest: Rest,
) -> None:
    """A verb in a process of its own rings no bell."""
    made = await rest.again()
    assert [await rest.again() for _ in range(5)] == [made] * 5
    other = World(connect_for_writing(bench.store.url.render_as_string()))
    other.worker = cast("Worker", SimpleNamespace(wake=lambda: None))
    await other.alert()
    await other.store.close()
    await bench.arrived(ONE)


async def test_quiet_hours_end_though_nobody_writes(bench: World, rest: Rest) -> None:  # noqa: F811
    """What was held by then is told, and what comes later is not held any more."""
    async with bench.store.writing() as db:
        await storage.chats.change(db, ONE, quiet="01:00-02:00")
        ends_at = await db_now(db) + timedelta(seconds=0.3)
        await db.execute(update(chat).values(quiet_begins_at=ends_at, quiet_ends_at=ends_at))
    await rest.again()
    async with asyncio.timeout(60):
        while True:
            async with bench.store.reading() as db:
                if (await db.execute(select(chat.c.quiet_ends_at))).scalar_one() != ends_at:
                    break
            await asyncio.sleep(0.02)


async def test_what_waits_for_its_time_is_looked_for_all_the_while(
    bench: World,  # noqa: F811
    rest: Rest,
) -> None:
    """A delivery that failed comes back by time alone."""
    await rest.again()
    bench.emulator.faults.add(Fault.server_error(500, method="sendMessage", times=1))
    await bench.alert()
    await bench.arrived(ONE)
