"""The answer to words, and to pictures, that we do not understand."""

from __future__ import annotations

from telegram import Update

from bot.convert.commands import speaks_of_chart
from bot.convert.mentions import currencies_in
from bot.convert.rule_tokens import asks_to_be_told, speaks_of_rule
from bot.model.chats import ChatKind
from bot.render.help import unknown as not_understood
from handlers.context import Context


async def unknown(_update: Update, context: Context) -> None:
    """Answer anything that we do not understand, a picture too: it never meets with silence.

    Except for what nobody waits for: an edit of what we had not answered.
    """
    if context.edited and not context.earlier:
        return
    if context.chat.kind is ChatKind.PRIVATE:  # in a group it was not for us
        await context.reply(not_understood(context.language, _about(context)))


def _about(context: Context) -> str:
    """The subject that words hint at: a chart, an alert, or else money."""
    origin = context.incoming.effective_message
    said = "" if origin is None else origin.text or ""
    if speaks_of_chart(said):
        return "chart"
    if asks_to_be_told(said) or (speaks_of_rule(said) and currencies_in(said)):
        return "alert"
    return "money"
