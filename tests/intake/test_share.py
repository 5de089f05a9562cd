"""Beside other replicas: what a replica has is kept, and what lost its holder is taken."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

import storage.inbox
from bot.intake import inbox as intake
from bot.intake.inbox import UPDATE_LEASE, Inbox
from storage.db import Store, db_now
from storage.schema import inbox as table

UPDATE = {"update_id": 1, "message": {"message_id": 1, "chat": {"id": 7}, "text": "hello"}}


@pytest.mark.parametrize("handled", [False, True], ids=["under way", "had its effect"])
async def test_G1_what_a_replica_has_not_written_down_yet_is_nobody_elses(
    store: Store, monkeypatch: pytest.MonkeyPatch, *, handled: bool
) -> None:
    """Neither what it is at nor what had its effect, where the database was away since: another
    would answer it a second time.
    """
    monkeypatch.setattr(intake, "ORPHANS_LOOK", 0.01)
    begun, go = asyncio.Event(), asyncio.Event()

    async def handle(_raw: dict[str, Any]) -> None:
        begun.set()
        await go.wait()

    mine = Inbox(store, handle, holder="a")  # nobody writes its outcomes down
    await mine.receive([UPDATE])
    await begun.wait()
    if handled:
        go.set()
        await asyncio.gather(*mine._tasks)
    async with store.writing() as db:
        await db.execute(update(table).values(lease_until=await db_now(db) + timedelta(seconds=5)))
    sharing = asyncio.create_task(mine.share())
    kept = timedelta()
    async with asyncio.timeout(20):
        while kept < UPDATE_LEASE / 2:
            await asyncio.sleep(0.01)
            async with store.reading() as db:
                row = (await db.execute(select(table.c.lease_until, table.c.tries))).one()
                kept = row.lease_until - await db_now(db)
    assert row.tries == 0, "prolonged, and not taken as an orphan"
    async with store.writing() as db:
        assert await storage.inbox.take_over(db, holder="b", lease=UPDATE_LEASE) == []
    sharing.cancel()
    go.set()
    await mine.close()
