"""The clock that replicas share."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

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
