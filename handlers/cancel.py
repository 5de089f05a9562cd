"""/cancel: ends whatever this chat has half begun, and says so, or that nothing was begun."""

from __future__ import annotations

from telegram import Update

import storage.broadcasts
import storage.rules
from bot.model.chats import ChatKind
from bot.render.answers import say
from bot.render.wire import NO_KEYS
from handlers import desk
from handlers.context import Context


async def cancel(update: Update, context: Context) -> None:
    """A rule that waits for its Save, words for a broadcast or its two taps, a new headline, and
    what a bare command asks for.

    A keyboard that asks for the chat's place goes too, whether it is there or not.
    """
    chat = context.chat
    async with context.services.store.writing() as db:
        ended = await storage.rules.drop_proposed(db, chat.id)
        ended = await storage.broadcasts.drop_unsent(db, chat.id) or ended
    ended = ended or desk.asks_headline(update.effective_message)
    ended = context.services.followed_up.pop(chat.id, None) is not None or ended
    said = "cancel.done" if ended else "cancel.nothing"
    below = NO_KEYS if chat.kind is ChatKind.PRIVATE else None
    await context.reply(say(said, context.language), below=below)
