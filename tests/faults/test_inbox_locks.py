"""Rows of the inbox that several transactions change at once."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest
from sqlalchemy import text

import storage.inbox
from storage.db import Store
from storage.inbox import Received
from storage.opening import open_store

LEASE = timedelta(seconds=20)


@pytest.mark.postgres
async def test_P27_prolonging_and_finishing_at_once_never_wait_for_each_other(
    migrated_postgres_url: str,
) -> None:
    """Many chats, two replicas, every transaction in an order of its own: none is broken off as a
    deadlock.
    """
    stores = [await open_store(migrated_postgres_url) for _ in range(2)]
    numbers = list(range(100))
    updates = [
        Received(update_id=number, chat=number % 40, kind="message", body="{}")
        for number in numbers
    ]
    chance = random.Random(27)

    def shuffled() -> list[int]:
        return chance.sample(numbers, len(numbers))

    async def add(store: Store, holder: str) -> None:
        async with store.writing() as db:
            await storage.inbox.add(
                db, [updates[number] for number in shuffled()], holder=holder, lease=LEASE
            )

    async def prolong(store: Store, holder: str) -> None:
        async with store.writing() as db:
            await storage.inbox.prolong(db, shuffled(), holder=holder, lease=LEASE)

    async def finish(store: Store) -> None:
        async with store.writing() as db:
            await storage.inbox.finish(db, [(number, "done") for number in shuffled()])

    async def give_up(store: Store, holder: str) -> None:
        async with store.writing() as db:
            mine = [updates[number] for number in shuffled()]
            await storage.inbox.yield_to_earlier(db, mine, holder=holder)

    async def take(store: Store, holder: str) -> None:
        async with store.writing() as db:
            await storage.inbox.take_over(db, holder=holder, lease=LEASE)

    try:
        async with asyncio.timeout(120):
            for _ in range(5):
                await asyncio.gather(
                    *[add(store, name) for store, name in zip(stores, "ab", strict=True)]
                )
                await asyncio.gather(
                    *[prolong(store, name) for store, name in zip(stores, "ab", strict=True)],
                    *[give_up(store, name) for store, name in zip(stores, "ab", strict=True)],
                    *[take(store, name) for store, name in zip(stores, "ab", strict=True)],
                    *[finish(store) for store in stores],
                    *[finish(store) for store in stores],
                )
                async with stores[0].writing() as db:
                    await db.execute(text("DELETE FROM inbox"))
    finally:
        for store in stores:
            await store.close()
