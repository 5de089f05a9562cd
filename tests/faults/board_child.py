"""A channel's board, kept in a process that kills itself at the K-th step.

`python -m tests.faults.board_child TELEGRAM FOLDER CHANNEL…` keeps the board of each channel in the
database `FOLDER/CHANNEL.db`: of the first in this very process to the end, for what that imported
and compiled the forks inherit; of the others in a fork that dies at step 1 for the second channel,
1 + `STRIDE` for the third and so on; then again, to the end. It prints how many of the runs that
were to die were killed.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import storage.boards
import storage.lapsed
import storage.rates
from bot import log
from bot.alerts.notices import Notice
from bot.boards import keep_boards
from bot.deliver import claims, slots, upkeep
from bot.deliver.compose import Composer
from bot.deliver.editor import ChannelEditor
from bot.deliver.unread import UnreadAlerts
from bot.deliver.worker import Worker
from bot.emulator import TEST_TOKEN
from bot.reasons import Reason
from bot.running import process_name
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from bot.telegram.session import open_session
from storage.db import Store
from storage.opening import open_store
from tests.factories import NOW, rate
from tests.faults.crash_child import DyingApi, Steps
from tests.statements import compile_each_once

STRIDE = 7
LONGEST = 60  # seconds; a run that takes longer is ended by SIGALRM
LOOK = 0.01  # seconds between looks whether a step is done
CATALOG = """
[rates.nbkr]
name = { en = "National Bank" }
urls = ["http://127.0.0.1:9/daily.xml"]
kind = "official"
"""


async def flow(database: str, telegram: str, channel: int, die_at: int) -> None:
    """Made, pinned, and edited for a new rate, until nothing is to be done."""
    steps = Steps(die_at)
    store = await open_store(database)
    steps.watch(store)
    for room in (claims, slots, upkeep):
        room.IDLE = 0.2
    upkeep.TIDY = 0.2
    catalog = parse_catalog(CATALOG)
    async with open_session() as session:
        async with store.writing() as db:
            await storage.lapsed.free_all(db)  # as every start with the instance lock held
        api = DyingApi(session, url=telegram, token=TEST_TOKEN)
        api.steps = steps
        worker = Worker(
            store=store,
            api=api,
            composer=Composer(store, catalog),
            editor=ChannelEditor(feeds=catalog.news),
            unread=UnreadAlerts(_trouble),
            token_name=TEST_TOKEN.partition(":")[0],
            holder=process_name(),
            rate=100.0,
            on_trouble=_trouble,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.run())
            for day in (rate(), rate(value="85.1", on="2021-10-21")):
                async with store.writing() as db:
                    await storage.rates.add_history(db, [day], seen_at=NOW)
                await _settle(store, catalog, worker, channel)
            worker.stop()
    await store.close()


async def _settle(store: Store, catalog: Catalog, worker: Worker, channel: int) -> None:
    """Return when the board stands, and nothing about it is to be done or under way."""
    while True:
        if await keep_boards(store, catalog, lambda: NOW + timedelta(hours=1)):
            worker.wake()
            continue
        async with store.reading() as db:
            kept = await storage.boards.get(db, channel)
        if kept is not None and kept.message and not kept.pinned_by and not kept.edited_by:
            return
        await asyncio.sleep(LOOK)


async def _trouble(told: Notice, *_why: Reason) -> None:
    raise AssertionError(told)


def _forked(database: str, telegram: str, channel: int, die_at: int) -> int:
    """The status of a run in a fork, as `os.waitpid` gives it."""
    child = os.fork()
    if child == 0:
        signal.alarm(LONGEST)
        try:
            asyncio.run(flow(database, telegram, channel, die_at))
        except BaseException as error:  # noqa: BLE001 - told on standard error, the parent sees the exit code
            sys.stderr.write(f"{error!r}\n")
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def main(telegram: str, folder: str, *channels: str) -> None:
    """Each channel: a run that dies, and one that ends."""
    log.set_up("json", "warning")
    compile_each_once()
    killed = 0
    for number, channel in enumerate(channels, -1):
        place = (f"sqlite:///{Path(folder) / channel}.db", telegram, int(channel))
        if number < 0:
            asyncio.run(flow(*place, 0))
            gc.freeze()  # or the first collection of each fork copies every page
            continue
        ended = _forked(*place, 1 + number * STRIDE)
        killed += os.WIFSIGNALED(ended) and os.WTERMSIG(ended) == signal.SIGKILL
        if os.waitstatus_to_exitcode(ended) not in {0, -signal.SIGKILL}:
            raise SystemExit(f"{channel}: {ended}")
        if ended := _forked(*place, 0):
            raise SystemExit(f"{channel}, again: {ended}")
    sys.stdout.write(f"{killed}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
