"""/board: the pinned board of a group, on and off; a channel's is switched in its set-up."""

from __future__ import annotations

from telegram import Update

import storage.boards
from bot.convert.commands import says_off, says_on
from bot.errors import UserError
from bot.model.channels import Board
from bot.render import board as render
from bot.render.answers import say
from handlers.context import Context
from handlers.posting import ask_telegram


async def board(_update: Update, context: Context) -> None:
    """/board on · /board off; alone it says how the group's board is."""
    said = " ".join(context.words)
    if not said:
        await _say_how_it_is(context)
    elif says_on(said):
        await switch(context, context.chat.id, on=True)
        await context.reply(say("board.begun", context.language))
    elif says_off(said):
        await switch(context, context.chat.id, on=False)
        await _say_how_it_is(context)
    else:
        raise UserError("error.board")


async def switch(context: Context, chat_id: int, *, on: bool) -> None:
    """On, a job makes a chat's board within seconds; off, it is unpinned, and stays as it is."""
    async with context.services.store.writing() as db:
        if on:
            await storage.boards.begin(db, chat_id)
            return
        ended = await storage.boards.end(db, chat_id)
    await unpin(context, ended)


async def unpin(context: Context, ended: Board | None) -> None:
    """Unpin a board that ended: nobody keeps it up to date any more."""
    if ended is not None and ended.message is not None:
        await ask_telegram(
            context, "unpinChatMessage", chat_id=ended.chat, message_id=ended.message
        )


async def _say_how_it_is(context: Context) -> None:
    async with context.services.store.reading() as db:
        kept = await storage.boards.get(db, context.chat.id)
    await context.reply(render.state(kept, context.language))
