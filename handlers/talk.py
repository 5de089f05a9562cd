"""/help, /status, /privacy, and what is said to words we do not understand."""

from __future__ import annotations

from telegram import Update

import storage.backup
import storage.retention
from bot.model.chats import ChatKind
from bot.readers.status import current_status
from bot.render import help as words
from handlers.context import Context


async def help(_update: Update, context: Context) -> None:  # noqa: A001 - the command's name
    """/help: the commands that exist."""
    from handlers import COMMANDS

    await context.reply(words.help(tuple(COMMANDS), context.language))


async def status(_update: Update, context: Context) -> None:
    """/status: how fresh each source is, how long the queue."""
    services = context.services
    async with services.store.reading() as db:
        found = await current_status(db, services.catalog, now=services.clock())
    await context.reply(words.status(found, context.language))


async def privacy(_update: Update, context: Context) -> None:
    """/privacy: what is stored."""
    kept = storage.retention
    await context.reply(
        words.privacy(
            context.language,
            written=kept.BODIES,
            sent=kept.ALERTS,
            away=kept.CHATS,
            copies=storage.backup.KEEP_ASIDE,
        )
    )


async def unknown(_update: Update, context: Context) -> None:
    """What we do not understand, a picture too, is never met with silence, except in a group: it
    was not for us.
    """
    if context.chat.kind is ChatKind.PRIVATE:
        await context.reply(words.unknown(context.language))
