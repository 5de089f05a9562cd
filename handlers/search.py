"""/search: the archive by its words, paged in place."""

from __future__ import annotations

from telegram import Message as Told
from telegram import Update

import storage.filters
from bot.detect.search import asked
from bot.errors import UserError
from bot.readers.search import found_page
from bot.render import news as render
from bot.render.text import Message
from handlers.context import Context
from handlers.numbers import number_of
from storage.search import SearchTooLongError

LAST_PAGE = 100  # a button of ours never leads there


async def search(_update: Update, context: Context) -> None:
    """/search border guards: the stories with these words, newest first."""
    words = " ".join(context.words)
    if not asked(words):
        raise UserError("error.search")
    await context.reply(await _page(context, words, 0))


async def sought(context: Context, words: str) -> None:
    """Button `seek:border`: the stories with words that were not understood."""
    if not context.has_button(f"seek:{words}"):
        raise UserError("error.stale")
    await context.answer()
    await context.reply(await _page(context, words, 0))


async def turn_page(context: Context, number: str) -> None:
    """Button `find:<number>`: the words stand in the message it is under."""
    query = context.incoming.callback_query
    told = query.message if query is not None else None
    words = render.words_of_found(told.text or "") if isinstance(told, Told) else None
    if words is None:  # under another message there are none
        raise UserError("error.search")
    page = await _page(context, words, number_of(number, most=LAST_PAGE))
    await context.edit(page)
    await context.answer()


async def _page(context: Context, words: str, number: int) -> Message:
    services, language = context.services, context.language
    try:
        async with services.store.reading() as db:
            page = await found_page(
                db,
                services.catalog,
                words,
                language=language,
                number=number,
                filters=await storage.filters.of_chat(db, context.chat.id),
            )
    except SearchTooLongError:
        raise UserError("error.search_long") from None
    return render.found(page, language, zone=context.chat.time_zone, now=services.clock())
