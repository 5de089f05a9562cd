"""The clock that replicas share, and the one that a demonstration turns."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from bot.clock import TurnedClock, boottime, pause
from storage import shared_clock
from storage.db import Store, db_now
from storage.shared_clock import SharedClock


async def test_T5_the_shared_clock_is_the_databases_whatever_the_machines_says(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a minute ahead before the first look, right after it, and it runs on between looks."""
    ahead = timedelta(seconds=30)
    real = shared_clock.utc_now
    monkeypatch.setattr(shared_clock, "utc_now", lambda: real() + ahead)
    now = SharedClock()
    async with store.reading() as db:
        assert now() - await db_now(db) > ahead / 2
        await now.look(db)
        first = await between(store, now)
    assert await between(store, now) > first


async def between(store: Store, now: SharedClock) -> datetime:
    """The clock's time, which lies between two of the database's, give or take the way there."""
    near = timedelta(seconds=5)
    async with store.reading() as db:
        before = await db_now(db)
        seen = now()
        assert before - near < seen < await db_now(db) + near
    return seen


async def test_a_demonstrations_database_goes_by_the_turned_clock(store: Store) -> None:
    """Quiet hours and expiry are of its time too, in what reads and in what writes."""
    clock = TurnedClock(timedelta(days=-900))
    store.turned = lambda: clock.ahead
    for ahead in (timedelta(days=-900), timedelta(days=-899, hours=9)):
        clock.ahead = ahead
        for way in (store.writing, store.reading):
            async with way() as db:
                assert abs(await db_now(db) - clock()) < timedelta(seconds=30)


async def test_G21_a_pause_is_kept_to_its_end() -> None:
    """On a loop that wakes up to a millisecond before the end of a sleep."""

    async def lasted_short_of(seconds: float) -> float:
        begun = boottime()
        await pause(seconds)
        return seconds - (boottime() - begun)

    short = await asyncio.gather(*(lasted_short_of(n * 0.00037) for n in range(300)))
    assert max(short) <= 0
