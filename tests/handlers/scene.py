"""One program for the tests of a file that ask and set: made as new after each, which costs a
twentieth of a start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import UTC, datetime

from sqlalchemy import delete, exists, select, text

from bot.emulator import Emulator
from storage.db import Store
from storage.schema import metadata, rate, series
from tests.world import READER, World

GROUP, STRANGER, RUSSIAN = -1002000000001, 1002, 1003
#: What the running program keeps of itself, and the sample's rates.
KEPT = {"inbox", "mark", "lease", "pace", "source", "document", "rate", "series"}
EMPTIED = [table for table in reversed(metadata.sorted_tables) if table.name not in KEPT]
NOW = datetime(2021, 10, 20, 4, 0, tzinfo=UTC)
SAMPLE = 3  # series of one rate each: what is behind them a test has added


def introduce(telegram: Emulator) -> None:
    """The readers of three languages, and a group that the English one administers."""
    telegram.add_private(telegram.add_user(READER, "Aigul", "en"))
    telegram.add_private(telegram.add_user(STRANGER, "Bakyt", "ky"))
    telegram.add_private(telegram.add_user(RUSSIAN, "Vera", "ru"))
    telegram.add_group(GROUP, "Market", members=[STRANGER], admins=[READER])


@asynccontextmanager
async def as_new(world: World) -> AsyncIterator[None]:
    """Let nothing be left of what is asked, set, stored or replaced in the block, here and at
    Telegram. Alerts are let go: those on their way are to have arrived.
    """
    services = world.bot.services
    parts = {one.name: getattr(services, one.name) for one in fields(services)}
    yield
    for name, part in parts.items():
        setattr(services, name, part)
    world.now = NOW
    await _make_as_new(world)


async def _make_as_new(world: World) -> None:
    while under_way := set(world.bot.inbox._tasks):
        await asyncio.wait(under_way)
    await _empty(world.store)
    services = world.bot.services
    for known in (
        *(services.chats, services.buckets, services.followed_up, services.questions._given),
        *(services.feed_tries, services.feeds_listed),
        *(services.drawn.file_ids, services.drawn.names),
    ):
        known.clear()
    services.cards.forget()
    composer = world.worker.composer  # whose alerts' numbers come again
    for made in (composer._made, composer._news):
        made.clear()
    quiet = services.quiet
    quiet._until.clear()
    quiet._asked.clear()
    quiet._all_until = quiet._all_stored_at = 0.0
    telegram = world.emulator
    telegram.faults.clear()
    telegram.calls.clear()
    there = telegram.world
    for seen in (there.chats, there.users, there.names, there.silent, there.foreign_posts):
        seen.clear()
    there.users[there.bot.id] = there.bot
    introduce(telegram)


async def _empty(store: Store) -> None:
    async with store.writing() as db:
        asked = [exists(select(table)).label(table.name) for table in EMPTIED]
        held = (await db.execute(select(*asked))).one()._mapping
        for table in EMPTIED:
            if held[table.name]:
                await db.execute(delete(table))
        is_samples = (
            (rate.c.series_id <= SAMPLE)
            & (rate.c.effective_on == NOW.date())
            & (rate.c.revision == 0)
        )
        await db.execute(delete(rate).where(~is_samples))
        await db.execute(delete(series).where(series.c.id > SAMPLE))
        await db.execute(text("DELETE FROM sqlite_sequence"))
