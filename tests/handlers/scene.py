"""One program for the tests of a file that ask and set: made as new after each, which costs a
twentieth of a start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, exists, insert, select, text, update

from bot.deliver.worker import Worker
from bot.emulator import Emulator
from bot.telegram.quiet import Quiet
from handlers.signs import Signs
from storage.db import Db
from storage.schema import metadata, note, pace, rate, series
from tests.world import READER, World

GROUP, STRANGER, RUSSIAN = -1002000000001, 1002, 1003
#: Tables with rows of the running program's own, and the sample's.
KEPT = {"inbox", "lease", "mark", "pace", "rate", "series"}
EMPTIED = [table for table in reversed(metadata.sorted_tables) if table.name not in KEPT]
NOW = datetime(2021, 10, 20, 4, 0, tzinfo=UTC)


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

    What goes on as in any program that runs for longer: the numbers of messages and updates, the
    updates received, leases, the token's pace, what is known of whether hosts and Telegram answer.
    """
    services = world.bot.services
    parts = {one.name: getattr(services, one.name) for one in fields(services)}
    shown = services.signs.after, services.signs.again
    async with world.store.reading() as db:
        own = await _Own.of(db)
    yield
    for name, part in parts.items():
        setattr(services, name, part)
    services.signs = Signs()
    services.signs.after, services.signs.again = shown
    world.now = NOW
    await _make_as_new(world, own)


@dataclass(frozen=True, slots=True)
class _Own:
    """The names of the program's notes, the sample's series and rates."""

    notes: list[str]
    series: list[dict[str, Any]]
    rates: list[dict[str, Any]]

    @classmethod
    async def of(cls, db: Db, most: int | None = None) -> _Own:
        """All that is there, or the first `most` of each."""
        notes = await db.execute(select(note.c.name).order_by(note.c.name).limit(most))
        of_series = await db.execute(select(series).order_by(series.c.id).limit(most))
        rates = await db.execute(select(rate).order_by(*rate.primary_key).limit(most))
        return cls(
            list(notes.scalars()),
            [dict(one) for one in of_series.mappings()],
            [dict(one) for one in rates.mappings()],
        )

    async def put_back(self, db: Db) -> None:
        """Let there be no others, and each as it was."""
        most = max(len(self.notes), len(self.series), len(self.rates))
        now = await _Own.of(db, most + 1)
        if now.notes != self.notes:
            await db.execute(delete(note).where(note.c.name.not_in(self.notes)))
        if (now.series, now.rates) != (self.series, self.rates):
            for table, rows in ((rate, []), (series, self.series), (rate, self.rates)):
                await db.execute(delete(table))
                if rows:
                    await db.execute(insert(table), rows)


async def _make_as_new(world: World, own: _Own) -> None:
    drawing = world.worker.composer.pictures._drawing
    while under_way := {*world.bot.inbox._tasks, *drawing.values()}:
        await asyncio.wait(under_way)
    async with world.store.writing() as db:
        await _empty(db, world.worker.token_name)
        await own.put_back(db)
    bot, services = world.bot, world.bot.services
    for known in (
        *(services.chats, services.buckets, services.followed_up, services.questions._given),
        *(services.feed_tries, services.feeds_listed),
        *(services.drawn.file_ids, services.drawn.names),
        *(bot.met, bot.ingest._read),  # sources
        bot.looks,  # at broadcasts, whose numbers come again
    ):
        known.clear()
    services.cards.forget()
    _let_forget(world.worker)
    _let_speak(services.quiet)
    telegram = world.emulator
    telegram.faults.clear()
    telegram.calls.clear()
    there = telegram.world
    for seen in (there.chats, there.users, there.names, there.silent, there.foreign_posts):
        seen.clear()
    there.users[there.bot.id] = there.bot
    introduce(telegram)


def _let_forget(worker: Worker) -> None:
    """Empty what it knows of chats, and of alerts and deliveries, whose numbers come again."""
    composer, reactions, unread = worker.composer, worker._reactions, worker.unread
    for known in (
        *(composer._made, composer._news, composer._answers),
        *(composer.pictures._made, composer.pictures._file_ids),
        *(reactions._contradicted, reactions._misplaced),
        *(unread.alerts, unread._told),
        worker.chats._until,
    ):
        known.clear()


def _let_speak(quiet: Quiet) -> None:
    """Let Telegram want silence nowhere."""
    quiet._until.clear()
    quiet._asked.clear()
    quiet._all_until = quiet._all_stored_at = 0.0


async def _empty(db: Db, token: str) -> None:
    """Delete all but the rows that the program and the sample have; nothing is held or paused."""
    asked = [exists(select(table)).label(table.name) for table in EMPTIED]
    held = (await db.execute(select(*asked))).one()._mapping
    for table in EMPTIED:
        if held[table.name]:
            await db.execute(delete(table))
    await db.execute(delete(pace).where(pace.c.name != token))
    stopped = pace.c.paused_until.is_not(None) | pace.c.stopped_at.is_not(None)
    await db.execute(update(pace).where(stopped).values(paused_until=None, stopped_at=None))
    await db.execute(text("DELETE FROM sqlite_sequence"))
