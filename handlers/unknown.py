"""What is said to words, and to pictures, that we do not understand."""

from __future__ import annotations

from telegram import Update

from bot.model.chats import ChatKind
from bot.render.help import unknown as not_understood
from handlers.context import Context


async def unknown(_update: Update, context: Context) -> None:
    """What we do not understand, a picture too, is never met with silence.

    Except for what nobody waits for: an edit of what we had not answered.
    """
    if context.edited and not context.earlier:
        return
    if context.chat.kind is ChatKind.PRIVATE:  # in a group it was not for us
        await context.reply(not_understood(context.language))
