"""The running bot forgets by itself what is too old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from bot.recurring import tidy
from storage.schema import inbox
from tests.handlers.conftest import World


async def test_what_was_written_to_the_bot_yesterday_is_forgotten(world: World) -> None:
    """All of it, and nothing of today."""
    for text in ("/help", "/rates", "/privacy"):
        await world.ask(text)
    await world.bot.inbox._write()
    yesterday = datetime.now(UTC) - timedelta(hours=25)
    async with world.bot.store.writing() as db:
        first = (
            (await db.execute(select(inbox.c.update_id).order_by(inbox.c.update_id).limit(2)))
            .scalars()
            .all()
        )
        await db.execute(
            update(inbox).where(inbox.c.update_id.in_(first)).values(finished_at=yesterday)
        )
    await tidy(world.bot)
    async with world.bot.store.reading() as db:
        kept = (await db.execute(select(inbox.c.body).order_by(inbox.c.update_id))).scalars().all()
    assert [body is None for body in kept] == [True, True, False]
