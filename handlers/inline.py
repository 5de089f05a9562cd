"""`@bot 100 usd` in any chat: a conversion, the card, the latest stories, or what words find.

Inline queries come letter by letter from chats we are not in: they are answered from the store,
kept by Telegram for a short time, and never with an error.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from telegram import Update

import storage.chats
import storage.filters
from bot.convert import looks_like_question
from bot.detect.search import asked
from bot.errors import UserError
from bot.i18n import currency_name, t
from bot.languages import client_language
from bot.model.chats import Chat, ChatKind, Style
from bot.model.news import FoundPage, NewsPage, Story
from bot.model.subjects import usual_in
from bot.readers.news import news_page
from bot.readers.rates import local_day, rate_card
from bot.readers.search import found_page
from bot.render import news
from bot.render import rates as render
from bot.render.buttons import copy_button
from bot.render.text import Message
from bot.render.wire import to_api
from handlers.answers import Answer
from handlers.convert import converted
from handlers.numbers import number_of
from handlers.outgoing import Outgoing
from handlers.services import Services
from storage.search import SearchTooLongError

ANSWER_CACHED = 30  # seconds Telegram may repeat an answer
LAST_PAGE = 20  # of what words find: who scrolls further than a hundred stories types one more word
DESCRIBED = 120  # letters of a description: two lines of a phone


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineQuestion:
    """The words that somebody typed after our name, and the page of results that is wanted."""

    reader: Chat
    words: str
    page: int
    now: datetime


async def inline(services: Services, update: Update) -> None:
    """Results to send, for a question about money the conversion first."""
    query = update.inline_query
    if query is None:
        return
    reader = await _reader(services, query.from_user.id, query.from_user.language_code)
    # the library takes what comes for what should
    words, offset = str(query.query or ""), str(query.offset or "")
    page = 0
    with suppress(UserError):  # what we gave for the next page comes back
        page = min(number_of(offset), LAST_PAGE)
    said = InlineQuestion(reader=reader, words=words.strip(), page=page, now=services.clock())
    results, onward = await _results(services, said)
    answer = Answer(
        method="answerInlineQuery",
        parameters={
            "inline_query_id": query.id,
            "results": results,
            "cache_time": ANSWER_CACHED,
            "is_personal": True,  # in the reader's own language and currency
            "next_offset": onward,
        },
    )
    await Outgoing(services, reader.id, reader.language).send(answer)


async def _reader(services: Services, user: int, language_code: str | None) -> Chat:
    """The reader's own settings; somebody we never met is not stored for looking."""
    # a person's number is that of their private chat with us
    async with services.store.reading() as db:
        known = services.chats.get(user) or await storage.chats.get(db, user)
    return known or Chat(
        id=user,
        kind=ChatKind.PRIVATE,
        language=client_language(language_code, services.settings.default_language),
        time_zone=services.settings.time_zone,
        home=services.settings.home_currency,
    )


async def _results(services: Services, said: InlineQuestion) -> tuple[list[dict[str, Any]], str]:
    """The results, and the offset at which they go on: empty at their end."""
    if conversion := await _conversion(services, said):
        return [*conversion, *await _card(services, said)], ""
    stories = await _stories(services, said)
    onward = ""
    if stories.more and stories.number < LAST_PAGE:
        onward = str(stories.number + 1)
    results = [_told(story, stories, said) for story in stories.stories]
    # rates where nothing was typed, and rather than nothing
    if stories.number == 0 and (not said.words or not results):
        results = [*await _card(services, said), *results]
    left_out = news.left_out(stories.left_out, said.reader.language)
    if results and left_out is not None:  # above all, where the reader alone sees it
        described = f"{left_out.text}\n{results[0]['description']}"
        results[0] = results[0] | {"description": described[:DESCRIBED]}
    return results, onward


async def _conversion(services: Services, said: InlineQuestion) -> list[dict[str, Any]]:
    if not looks_like_question(said.words):
        return []
    try:
        answer = await converted(services, said.words, said.reader)
    except UserError:
        return []
    shown = answer.said
    if answer.figure is not None:
        shown = replace(shown, buttons=((copy_button(answer.figure, said.reader.language),),))
    first, second, *_ = [*shown.text.split("\n"), ""]  # an equation alone has nothing below it
    return [_article("convert", first, second, shown)]


async def _card(services: Services, said: InlineQuestion) -> list[dict[str, Any]]:
    language, home = said.reader.language, said.reader.home
    usual = usual_in(said.reader.currencies, home)
    try:
        async with services.store.reading() as db:
            card = await rate_card(db, services.catalog, home=home, now=said.now, usual=usual)
    except UserError:
        return []
    today = local_day(services.catalog, card.source, said.now)
    title = f"{t('inline.card', language)} · {currency_name(card.quote, language)}"
    values = ", ".join(row.pair.base for row in card.rows)
    # a press on a button of ours under a message sent to others would reach us from nowhere
    shown = replace(render.card(card, language, today=today), buttons=())
    return [_article("card", title, values, shown)]


async def _stories(services: Services, said: InlineQuestion) -> NewsPage | FoundPage:
    """A page of what the words find, of the latest where there are none; the reader's filters hold
    for it.
    """
    catalog = services.catalog
    async with services.store.reading() as db:
        filters = await storage.filters.of_chat(db, said.reader.id)
        if not said.words:
            return await news_page(
                db, catalog, topic=None, number=said.page, now=said.now, filters=filters
            )
        if asked(said.words):
            try:
                return await found_page(
                    db,
                    catalog,
                    said.words,
                    language=said.reader.language,
                    number=said.page,
                    filters=filters,
                )
            except SearchTooLongError:
                pass
    return FoundPage(stories=(), words=said.words, number=0, more=False, feed_names={})


def _told(story: Story, page: NewsPage | FoundPage, said: InlineQuestion) -> dict[str, Any]:
    reader = said.reader
    shown = news.story(
        story, Style.BRIEF, reader.language, page.feed_names, zone=reader.time_zone, now=said.now
    )
    in_words = story.told_in(reader.language)
    foot = shown.text.rpartition("\n")[2]
    return _article(f"story{story.pk}", news.title(in_words, reader.language), foot, shown)


def _article(key: str, title: str, description: str, shown: Message) -> dict[str, Any]:
    body = to_api(shown)
    content: dict[str, object] = {
        "message_text": body["text"],
        "link_preview_options": body["link_preview_options"],
    }
    if "entities" in body:
        content["entities"] = body["entities"]
    article: dict[str, object] = {
        "type": "article",
        "id": key,
        "title": title,
        "description": description[:DESCRIBED],
        "input_message_content": content,
    }
    if "reply_markup" in body:
        article["reply_markup"] = body["reply_markup"]
    return article
