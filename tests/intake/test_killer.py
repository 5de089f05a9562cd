"""An update that ends the process each time it is handled, and those that were there with it."""

from __future__ import annotations

import signal
from asyncio.subprocess import PIPE
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select

from bot.intake.inbox import MOST_TRIES
from storage.opening import open_store
from storage.schema import inbox as table
from tests import forkserver
from tests.conftest import ROOT
from tests.intake.test_resume import update
from tests.world import migrated_copy

KILLER = 50
#: One process: takes up what was left, receives what Telegram still has, says what it handled and
#: confirmed.
CHILD = """
import asyncio, os, signal, sys
import orjson
from bot.intake.inbox import Inbox
from storage.opening import open_store

async def main(url, alone, killer, updates):
    store = await open_store(url)

    async def handle(raw):
        if raw["update_id"] == killer:
            os.kill(os.getpid(), signal.SIGKILL)
        print("handled", raw["update_id"], flush=True)

    async def tell(db, count, last):
        print("told", last, flush=True)
        return True

    inbox = Inbox(store, handle, holder=str(os.getpid()), alone=alone, tell=tell)
    marking = asyncio.create_task(inbox.run())
    await inbox.resume()
    if updates:
        await inbox.receive(updates)
        print("confirmed", flush=True)
    while inbox._tasks:
        await asyncio.wait(set(inbox._tasks))
    marking.cancel()
    await asyncio.wait([marking])
    await inbox.close()
    await store.close()

asyncio.run(main(sys.argv[1], sys.argv[2] == "alone", int(sys.argv[3]), orjson.loads(sys.argv[4])))
"""


async def start(
    url: str, how: str, killer: int, updates: list[dict[str, object]]
) -> tuple[int, list[list[str]]]:
    """Run the child to its end; its exit code and what it said."""
    words = (url, how, str(killer), orjson.dumps(updates).decode())
    child = await forkserver.start("-c", CHILD, *words, cwd=ROOT, env=forkserver.PLAIN, stdout=PIPE)
    said, _ = await child.communicate()
    return child.returncode or 0, [line.split() for line in said.decode().splitlines()]


@pytest.mark.parametrize("how", ["alone", "stored first"])
async def test_G25_an_update_that_ends_the_program_each_time_is_set_aside(
    tmp_path: Path, how: str
) -> None:
    """After a few starts; before and behind it others are handled, each once, and the operator
    hears of it.
    """
    url = migrated_copy(tmp_path / "jarchy.db")
    waiting = [update(number, number % 5) for number in range(KILLER - 20, KILLER + 20)]
    said: list[list[str]] = []
    for _ in range(MOST_TRIES + 4):
        code, words = await start(url, how, KILLER, waiting)
        said += words
        if ["confirmed"] in words:  # else Telegram has them still
            waiting = []
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert code == 0
    assert said.count(["told", str(KILLER)]) == 1
    assert {int(line[1]) for line in said if line[0] == "handled"} == set(
        range(KILLER - 20, KILLER + 20)
    ) - {KILLER}
    store = await open_store(url)
    async with store.reading() as db:
        rows = {row.update_id: row.outcome for row in await db.execute(select(table))}
    await store.close()
    assert rows.pop(KILLER) == "unreadable"
    assert set(rows.values()) == {"done"}


async def test_G25_kills_by_somebody_else_set_nothing_aside(tmp_path: Path) -> None:
    """Those that were only there each time are handled at last."""
    url = migrated_copy(tmp_path / "jarchy.db")
    updates = [update(number, number) for number in range(10, 30)]
    await start(url, "stored first", 10, updates)  # ends over the first
    for number in range(11, 11 + 2 * MOST_TRIES):  # and each time over another
        await start(url, "stored first", number, [])
    code, _ = await start(url, "stored first", -1, [])
    assert code == 0
    store = await open_store(url)
    async with store.reading() as db:
        outcomes = {row.update_id: row.outcome for row in await db.execute(select(table))}
    await store.close()
    assert {outcomes[number] for number in range(20, 30)} == {"done"}
