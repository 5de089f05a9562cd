"""/news and /security: the latest stories, paged in place."""

from __future__ import annotations

from telegram import Update

import storage.filters
import storage.stories
from bot.errors import UserError
from bot.languages import LANGUAGES
from bot.model.subjects import READERS_TOPICS
from bot.readers.following import topics_offered
from bot.readers.news import as_told, news_page
from bot.render import news as render
from bot.render.text import Message
from handlers.context import Context
from handlers.numbers import number_of

LAST_PAGE = 1000  # a button of ours never leads there


async def news(_update: Update, context: Context) -> None:
    """/news economy: the latest stories, of one topic or of all."""
    await context.reply(await _page(context, topic_of(context.words, context.language), 0))


async def security(_update: Update, context: Context) -> None:
    """/security: the security stories."""
    await context.reply(await _page(context, "security", 0))


async def opened(context: Context, number: int) -> None:
    """Somebody's link to a story: what it says, who reports it, and the way to pass it on."""
    services, chat = context.services, context.chat
    async with services.store.reading() as db:
        story = await storage.stories.shown(db, number)
    if story is None:
        raise UserError("error.story_gone")
    zone, bot = chat.time_zone, context.bot.username
    story = as_told(story, services.catalog.news)
    names = services.catalog.feed_names
    await context.reply(
        render.story(
            story, chat.style, chat.language, names, zone=zone, now=services.clock(), bot=bot
        )
    )


async def turn_page(context: Context, topic: str, number: str) -> None:
    """Button `news:<topic or ->:<number>`."""
    page = number_of(number, most=LAST_PAGE)
    wanted: str | None = topic
    if topic == "-":
        wanted = None
    elif topic not in READERS_TOPICS:
        raise UserError("error.stale")
    await context.edit(await _page(context, wanted, page))
    await context.answer()


async def _page(context: Context, topic: str | None, number: int) -> Message:
    services, now = context.services, context.services.clock()
    async with services.store.reading() as db:
        filters = await storage.filters.of_chat(db, context.chat.id)
        page = await news_page(
            db, services.catalog, topic=topic, number=number, now=now, filters=filters
        )
    return render.page(
        page, context.language, zone=context.chat.time_zone, now=now, topics=_offered(context)
    )


def _offered(context: Context) -> tuple[str, ...]:
    return topics_offered(context.services.catalog)


def topic_of(words: list[str], language: str) -> str | None:
    """The topic that words name in any language, none without words; UserError for other words."""
    if not words:
        return None
    said = " ".join(words).lower()
    for topic in READERS_TOPICS:
        # in any of our languages: a topic may be typed in another than the chat is answered in
        called = {topic}
        called.update(render.topic_name(topic, one).lower() for one in LANGUAGES)
        if said in called:
            return topic
    names = [render.topic_name(topic, language).lower() for topic in READERS_TOPICS]
    raise UserError("error.topic", topic=said[:30], known=names)
