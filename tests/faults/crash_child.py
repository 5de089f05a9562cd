"""The program's flow in a process that kills itself at the K-th step: statements, commits, requests
to Telegram.

`python -m tests.faults.crash_child` reads jobs from standard input (a JSON object a line: `folder`,
`database`, `telegram`, `publishers`, `die_at`) and answers each with a line of JSON (`{"signal",
"exit", "steps"}`). It forks for every job but the first, which runs in this very process to the
end: what that imported and loaded the forks inherit, where a fresh interpreter for each would take
two seconds.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import json
import os
import signal
import sqlite3
import ssl
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import event

import storage.deliveries
import storage.lapsed
from bot import log
from bot.alerts.notices import Notice
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
from bot.telegram.api import Api
from bot.telegram.outcomes import Outcome
from bot.telegram.session import open_session
from storage.db import Store
from storage.opening import open_store
from tests.statements import compile_each_once
from tests.world import loopback_fetcher, poll_flow

TLS = ssl.create_default_context()  # loading the system's certificates takes a tenth of a second

RATE = 100.0
# seconds, on a server: there a start must not free what another sender may hold, it waits for the
# end
LEASE = 0.9
LONGEST = 20  # seconds; a run that takes longer is ended by SIGALRM
LOOK = 0.01  # seconds between looks whether all is done; through a connection that counts no steps
_OPEN = """
SELECT (SELECT count(*) FROM alert WHERE fanned_at IS NULL)
     + (SELECT count(*) FROM delivery WHERE state IN ('pending', 'leased'))
"""


def catalog(url: str) -> Catalog:
    """One bank, one agency."""
    return parse_catalog(f"""
[rates.nbkr]
name = {{ en = "National Bank" }}
urls = ["{url}/daily.xml"]
kind = "official"
[feeds.test]
name = {{ en = "Test agency" }}
url = "{url}/feed.xml"
language = "en"
""")


class Steps:
    """Counts, and dies at the wanted one; 0 is never."""

    def __init__(self, die_at: int) -> None:
        self.count = 0
        self._die_at = die_at

    def step(self, *_event: object) -> None:
        """One more: the process may end here, as if the machine had lost its power."""
        self.count += 1
        if self.count == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, store: Store) -> None:
        """Count every statement and every commit of the store."""
        for engine in {store._writer.sync_engine, store._reader.sync_engine}:
            event.listen(engine, "before_cursor_execute", self.step)
            event.listen(engine, "commit", self.step)


class DyingApi(Api):
    """The real transport; the process may die right before a request leaves and right after its
    answer came.
    """

    steps: Steps

    async def post(self, method: str, body: bytes) -> Outcome:
        """Step, send, step."""
        self.steps.step()
        outcome = await super().post(method, body)
        self.steps.step()
        return outcome


async def flow(*, database: str, telegram: str, publishers: str, die_at: int) -> int:
    """poll → detect → enqueue → fan out → claim → send → mark, until nothing is open; how many
    steps that took.
    """
    steps = Steps(die_at)
    store = await open_store(database)
    steps.watch(store)
    for room in (claims, slots, upkeep):
        room.IDLE = 0.2
    upkeep.TIDY = upkeep.EXPIRE = 0.2  # or each run waits ten seconds for the one that has expired
    async with open_session() as session, loopback_fetcher(TLS) as fetcher:
        if not store.alone:
            claims.LEASE, claims.LEASE_MARGIN = timedelta(seconds=LEASE), LEASE / 3
        else:
            async with store.writing() as db:
                await storage.lapsed.free_all(db)  # as every start with the instance lock held
        specs = catalog(publishers)
        ingest = poll_flow(store, fetcher)
        for spec in specs.polled:
            report = await ingest.poll(spec)
            assert report.error is None, report
        api = DyingApi(session, url=telegram, token=TEST_TOKEN)
        api.steps = steps
        worker = Worker(
            store=store,
            api=api,
            composer=Composer(store, specs),
            editor=ChannelEditor(feeds=specs.news),
            unread=UnreadAlerts(_trouble),
            token_name=TEST_TOKEN.partition(":")[0],
            holder=process_name(),
            rate=RATE,
            on_trouble=_trouble,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.run())
            await _all_done(database)
            worker.stop()
    await store.close()
    return steps.count


async def _trouble(told: Notice, *_why: Reason) -> None:
    raise AssertionError(told)


async def _all_done(database: str) -> None:
    with closing(connected(database)) as connection:
        while connection.execute(_OPEN).fetchone()[0]:  # noqa: ASYNC110 - a commit of the worker's makes no event here
            await asyncio.sleep(LOOK)


def connected(database: str) -> Any:
    """A plain connection of either driver: both have `execute` and `close`."""
    if database.startswith("sqlite"):
        return sqlite3.connect(f"file:{database.removeprefix('sqlite:///')}?mode=ro", uri=True)
    return psycopg.connect(database, autocommit=True)


def _run(job: dict[str, Any]) -> int:
    """Run the flow, leave the number of its steps behind; the exit code."""
    folder = Path(job.pop("folder"))
    try:
        steps = asyncio.run(flow(**job))
    except BaseException as error:  # noqa: BLE001 - told on standard error, the parent sees the exit code
        sys.stderr.write(f"{error!r}\n")
        sys.stderr.flush()
        return 1
    (folder / "steps").write_text(str(steps))
    return 0


def _forked(job: dict[str, Any]) -> dict[str, int | None]:
    child = os.fork()
    if child == 0:
        faulthandler.register(signal.SIGALRM, chain=True)  # where it stands, then the end
        signal.alarm(LONGEST)
        os._exit(_run(job))
    _, status = os.waitpid(child, 0)
    return {
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
    }


def main() -> None:
    """One job for each line of standard input."""
    log.set_up("json", "warning")
    compile_each_once()
    for number, line in enumerate(sys.stdin):
        job = json.loads(line)
        steps = Path(job["folder"]) / "steps"
        steps.unlink(missing_ok=True)
        ended = _forked(job) if number else {"signal": None, "exit": _run(job)}
        gc.freeze()  # or the first collection of each fork copies every page
        answer = {**ended, "steps": int(steps.read_text()) if steps.exists() else None}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
