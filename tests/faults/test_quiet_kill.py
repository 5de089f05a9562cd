"""Killed between collecting what quiet hours held and sending it: neither lost nor told twice."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest
from sqlalchemy import select, update

import storage.quiet
from bot.alerts import waited
from storage.db import db_now
from storage.opening import open_store
from storage.schema import alert, chat, delivery
from tests import forkserver
from tests.conftest import ROOT
from tests.storage.test_deliveries import claim, fan_all, sent, told
from tests.storage.test_quiet import brought, people, quiet

#: Ends the hours that are over and dies, before the commit or right after it.
CHILD = """
import asyncio, os, signal, sys
import storage.quiet
from bot.alerts import waited
from storage.opening import open_store

def die():
    os.kill(os.getpid(), signal.SIGKILL)

async def main(url, when):
    store = await open_store(url)
    async with store.writing() as db:
        assert await storage.quiet.end(db, waited.alert) == 1
        if when == "before":
            die()
    die()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.cases
async def test_killed_while_the_night_is_collected(migrated_url: str, when: str) -> None:
    """The next process tells it, once, whichever side of the commit it was."""
    store = await open_store(migrated_url)
    async with store.writing() as db:
        await people(db, 1)
        await quiet(db, 1)
        first = await brought(db, "a")
        second = await brought(db, "b")
        over = await db_now(db) - timedelta(seconds=1)
        await db.execute(update(chat).values(quiet_ends_at=over))
        await db.execute(update(delivery).values(not_before=over))
    await store.close()
    done = forkserver.run("-c", CHILD, migrated_url, when, cwd=ROOT, env=forkserver.PLAIN)
    assert done.returncode == -signal.SIGKILL
    store = await open_store(migrated_url)
    async with store.writing() as db:
        assert await storage.quiet.end(db, waited.alert) == (when == "before")
        await fan_all(db)
        (summary,) = await db.execute(select(alert).where(alert.c.kind == "waited"))
        assert await storage.quiet.collected(db, summary.id, 1) == [first, second]
        got = await claim(db)
        assert [one.alert for one in got.deliveries] == [summary.id]
        await sent(db, got)
        assert await storage.quiet.end(db, waited.alert) == 0
        assert [state for _, state in await told(db)] == ["collected", "collected", "sent"]
    await store.close()
