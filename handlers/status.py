"""/status: how fresh each source is, how long the queue."""

from __future__ import annotations

from telegram import Update

from bot.readers.status import current_status
from bot.render import status as render
from handlers.context import Context


async def status(_update: Update, context: Context) -> None:
    """/status: the same for everybody."""
    services = context.services
    async with services.store.reading() as db:
        found = await current_status(
            db, services.catalog, token=services.settings.token_name, now=services.clock()
        )
    await context.reply(render.status(found, context.language))
