"""The answer to words, and to pictures, that we do not understand."""

from __future__ import annotations

from telegram import Update

from bot.convert.commands import says_off, says_on, speaks_of_chart
from bot.convert.mentions import currencies_in
from bot.convert.rule_tokens import asks_to_be_told, speaks_of_rule
from bot.detect.search import searched
from bot.model.chats import ChatKind
from bot.render import help as render
from handlers.context import Context

MONEY = "money"
MOST_WORDS = 4  # of a text that may be words to look for
LONGEST_WORDS = 59  # bytes of them, which a button brings back


async def unknown(_update: Update, context: Context) -> None:
    """Answer anything that we do not understand, a picture too: it never meets with silence.

    Except for what nobody waits for: an edit of what we had not answered.
    """
    if context.edited and not context.earlier:
        return
    if context.chat.kind is ChatKind.PRIVATE:  # in a group it was not for us
        about = _about(context.written)
        seek = _sought(context.written) if about == MONEY else ""
        await context.reply(render.unknown(context.language, about, seek=seek))


def _sought(said: str) -> str:
    """The words that may be looked for in the news, if they are few and no question of figures."""
    words = searched(said.strip(" .,!?…"))
    few = 0 < len(words.split()) <= MOST_WORDS and len(words.encode()) <= LONGEST_WORDS
    idle = says_off(words) or says_on(words)
    if not few or idle or ":" in words or any(map(str.isdigit, words)):
        return ""
    return words


def _about(said: str) -> str:
    """The subject that words hint at: a chart, an alert, or else money."""
    if speaks_of_chart(said):
        return "chart"
    if asks_to_be_told(said) or (speaks_of_rule(said) and currencies_in(said)):
        return "alert"
    return MONEY
