"""A sender in a process of its own: `python -m tests.faults.sender_child TELEGRAM DATABASE RATE
LEASE`.

Its lease is shortened, so that a test need not wait for half a minute.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from bot import log
from bot.alerts.notices import Notice
from bot.deliver import claims
from bot.deliver.compose import Composer
from bot.deliver.editor import ChannelEditor
from bot.deliver.unread import UnreadAlerts
from bot.deliver.worker import Worker
from bot.emulator import TEST_TOKEN
from bot.reasons import Reason
from bot.running import process_name
from bot.sources.specs import Catalog
from bot.telegram.api import Api
from bot.telegram.outcomes import Outcome
from bot.telegram.session import open_session
from storage.opening import open_store


class Noting(Api):
    """The real transport; when each request left is noted in the file DEPARTURES, if that is set:
    whoever receives them may be late to look.
    """

    async def post(self, method: str, body: bytes) -> Outcome:
        """Send."""
        if (path := os.environ.get("DEPARTURES")) is not None:
            _note(Path(path))
        return await super().post(method, body)


def _note(departures: Path) -> None:
    with departures.open("ab", buffering=0) as file:
        file.write(b"%.6f\n" % time.monotonic())


async def main(telegram: str, database: str, rate: float, lease: float) -> None:
    """Send until killed."""
    claims.LEASE, claims.LEASE_MARGIN = timedelta(seconds=lease), lease / 3
    store = await open_store(database)
    async with open_session() as session:
        worker = Worker(
            store=store,
            api=Noting(session, url=telegram, token=TEST_TOKEN),
            composer=Composer(store, Catalog()),
            editor=ChannelEditor(feeds={}),
            unread=UnreadAlerts(_trouble),
            token_name="t",
            holder=process_name(),
            rate=rate,
            on_trouble=_trouble,
        )
        await worker.run()


async def _trouble(told: Notice, *_why: Reason) -> None:
    # of a bad network it may be in doubt twice whether a message arrived; nothing else is expected
    if "may have arrived" not in str(dict(told.names).get("why")):
        raise AssertionError(told)


if __name__ == "__main__":
    log.set_up("json", "error")
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])))
