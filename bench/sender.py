"""One replica that sends, for as long as nobody tells it to stop: `python -m bench.sender DATABASE
API RATE`.

It waits for its database, as a supervisor would start it again, and says on stderr what goes wrong,
which nothing should: what a trouble does to it, it has to take as it comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

import uvloop
from sqlalchemy.exc import DBAPIError

from bench.replicas import replica
from bot import log
from bot.alerts.notices import Notice
from bot.errors import BotError
from bot.reasons import Reason
from bot.telegram.session import open_session
from storage.db import Store
from storage.opening import open_store


async def _trouble(_told: Notice, *_why: Reason) -> None:
    """The operators' chat is nobody's here."""


async def _opened(database_url: str) -> Store:
    """The store, once it is there: a supervisor would start a program again."""
    while True:
        try:
            return await open_store(database_url)
        except (BotError, DBAPIError):
            await asyncio.sleep(0.2)


async def _send(database_url: str, url: str, rate: float) -> None:
    """One replica, until SIGTERM."""
    store = await _opened(database_url)
    async with open_session() as session:
        worker = replica(store, session, url, rate, on_trouble=_trouble)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
        await worker.run()
    await store.close()


if __name__ == "__main__":
    log.set_up("json", "error")
    database, api, pace = sys.argv[1:]
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_send(database, api, float(pace)))
