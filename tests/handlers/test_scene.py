"""A program that the tests of a file share is to each as if it were its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, update

import storage.notes
import storage.pace
from bot.reasons import said
from bot.render.panels import Panels
from storage.schema import document, note, pace, rate, series, source
from tests.handlers.conftest import NOW, READER, World
from tests.handlers.scene import as_new

DAY = NOW.date()
PICTURE = Panels(title="", source="", panels=(), first=DAY, last=DAY, marked=DAY, days=())


async def left(world: World) -> list[Any]:
    """What a test may have left, in the store and beside it."""
    services, worker = world.bot.services, world.bot.worker
    return [
        sorted(one.name for one in await world.stored(note)),
        [(one.name, one.paused_until, one.stopped_at) for one in await world.stored(pace)],
        *[await world.stored(table) for table in (source, document, series, rate)],
        (services.signs.after, services.signs.again, services.signs.quiet.left(READER)),
        (services.quiet.left(READER), worker.chats.knows(READER), dict(worker.unread.alerts)),
        dict(worker.composer.pictures._file_ids),
        set(world.bot.met),
    ]


async def test_nothing_that_a_test_leaves_is_there_for_the_next(scene: World) -> None:
    await scene.ask("/start")  # the row of the token's pace is there
    before = await left(scene)
    async with as_new(scene):
        token, bot = scene.worker.token_name, scene.bot
        async with scene.store.writing() as db:
            await storage.notes.put(db, "told:notice.unreadable", "x")
            await storage.pace.pause_token(db, token, storage.pace.GROUP_EVERY)
            await db.execute(insert(source).values(key="nbkr", first_ok_at=NOW))
            await db.execute(insert(document).values(source="nbkr", url="x", digest="x"))
            await db.execute(update(series).values(alerted_at=NOW))
            await db.execute(update(rate).values(units=100))
        bot.services.signs.after = bot.services.signs.again = 0.0
        for quiet in (bot.services.quiet, bot.services.signs.quiet):
            quiet.keep(READER, 60.0)
        bot.worker.chats.meet(READER, 60.0)
        bot.worker.unread.alerts[1] = said("x")
        bot.worker.composer.pictures._file_ids[PICTURE] = "x"
        bot.met.add("nbkr")
        changed = await left(scene)
    assert all(one != was for one, was in zip(changed, before, strict=True))
    assert await left(scene) == before
