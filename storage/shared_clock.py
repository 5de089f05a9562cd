"""The time that replicas share: the database's, whatever the clock of a machine says.

Somebody who subscribed by one replica is told what another decided a second later, and a source is
due for all at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.clock import boottime, utc_now
from storage.db import Db, Store, db_now


class SharedClock:
    """The database's time since the last look at it; before the first look the wall clock's."""

    def __init__(self) -> None:
        self._seen, self._at = utc_now(), boottime()

    def __call__(self) -> datetime:
        """The database's time now, by what passed here since the look."""
        return self._seen + timedelta(seconds=boottime() - self._at)

    async def look(self, db: Db) -> None:
        """Ask the database for its time, which counts as that of the question's middle."""
        asked = boottime()
        seen = await db_now(db)
        self._seen, self._at = seen, (asked + boottime()) / 2


async def shared_clock(store: Store) -> SharedClock:
    """A clock that has looked at the database once: replicas keep to it, their own may differ."""
    clock = SharedClock()
    async with store.reading() as db:
        await clock.look(db)
    return clock
