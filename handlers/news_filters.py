"""/mute, /only, *Less of this*: what a chat will not hear of in the news, or all that it will."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from telegram import Update

import storage.alerts
import storage.filters
import storage.stories
from bot.alerts import kind_of
from bot.convert.filters import parse_filters
from bot.detect.filters import less_of
from bot.detect.named_filters import Names, meant
from bot.errors import UserError
from bot.i18n import t
from bot.model.alerts import Approval
from bot.model.filters import Filter, Sense, Trait
from bot.model.subjects import READERS_TOPICS
from bot.render import filters as render
from bot.render.answers import say
from bot.render.settings import BACK
from bot.render.text import Message
from bot.sources.standing import led
from handlers.context import Context
from handlers.numbers import number_of
from storage.db import Db

MOST_FILTERS = 30  # of one chat: each is a line and a button of one message
ALL = "all"
STORY_LASTS = timedelta(days=30)  # a filter of one story, which is over by then


async def mute(_update: Update, context: Context) -> None:
    """/mute football, Osh for 7 days: not to hear of these; alone it lists what is left out."""
    await _change_or_list(context, Sense.NEVER, t("filters.example_mute", context.language))


async def only(_update: Update, context: Context) -> None:
    """/only Osh, Batken: to hear of nothing else; alone it lists likewise."""
    await _change_or_list(context, Sense.ONLY, t("filters.example_only", context.language))


async def omit(context: Context, words: str) -> None:
    """Button `omit:football`: what a sentence asked for is left out from now on."""
    if not context.has_button(f"omit:{words}"):
        raise UserError("error.stale")
    await _keep(context, words, Sense.NEVER, t("filters.example_mute", context.language))
    await context.edit(await shown(context, saved=True))
    await context.answer(say("settings.saved", context.language).text)


async def _change_or_list(context: Context, sense: Sense, example: str) -> None:
    if not context.words:
        await context.reply(await shown(context))
        return
    await _keep(context, " ".join(context.words), sense, example)
    await context.reply(await shown(context, saved=True))


async def _keep(context: Context, said: str, sense: Sense, example: str) -> None:
    """Store the filters that words name; UserError where they name none."""
    services = context.services
    now = services.clock().astimezone(ZoneInfo(context.chat.time_zone))
    items = parse_filters(said, sense, now)
    if not items:
        raise UserError("error.filter.none", example=example)
    names = Names(
        topics=render.topics_by_name(READERS_TOPICS),
        sources=render.sources_by_name(services.catalog.feed_names, context.language),
    )
    by_span: dict[timedelta | None, list[Filter]] = {}
    for item in items:
        if new := meant([item], names):
            by_span.setdefault(item.span, []).extend(new)
    if not by_span:
        raise UserError("error.filter.none", example=example)
    async with services.store.writing() as db:
        for span, filters in by_span.items():
            await _add(db, context.chat.id, filters, span)


async def _add(db: Db, chat: int, new: Sequence[Filter], span: timedelta | None) -> None:
    await storage.filters.add(db, chat, new, span=span)
    # counted when they are there: some may stand in the place of others
    if await storage.filters.count(db, chat) > MOST_FILTERS:
        raise UserError("error.filter.many", most=MOST_FILTERS)


async def shown(context: Context, *, saved: bool = False, back: str = "") -> Message:
    """The chat's filters, with buttons that lift them."""
    async with context.services.store.reading() as db:
        filters = await storage.filters.of_chat(db, context.chat.id)
    zone, now = context.chat.time_zone, context.services.clock()
    return render.listed(filters, context.language, zone=zone, now=now, saved=saved, back=back)


async def lift(context: Context, which: str) -> None:
    """Button `lift:7` or `lift:all`: a filter, or all of them, is gone."""
    pk = None if which == ALL else number_of(which)
    async with context.services.store.writing() as db:
        gone = await storage.filters.lift(db, context.chat.id, pk)
    if not gone:
        raise UserError("error.stale")
    await context.edit(await shown(context, back=BACK if context.has_button(BACK) else ""))
    await context.answer(say("filters.lifted", context.language).text)


# --- less of this ---------------------------------------------------------------------------------


async def less(context: Context, alert: str) -> None:
    """Button `less:8`: what of a story one may hear less of; under the story, or on the way back
    to that.
    """
    message = render.offered(await _offers(context, alert), alert, context.language)
    if context.has_button(f"why:{alert}"):  # it is the story's own, not one of this menu
        await context.answer()
        await context.reply(message, to_it=True)
        return
    await context.edit(message)
    await context.answer()


async def less_of_it(context: Context, alert: str, code: str) -> None:
    """Button `less:8:word-football`: for how long. One story is over by itself. `less:8:cancel`."""
    if code == render.CANCEL:
        await context.edit(say("cancel.done", context.language))
        await context.answer()
        return
    offers = await _offers(context, alert)
    if code not in offers:
        raise UserError("error.stale")
    if offers[code].trait is Trait.STORY:
        await _leave_out(context, offers[code], STORY_LASTS)
        return
    await context.edit(render.spans(offers[code], alert, code, context.language))
    await context.answer()


async def less_for(context: Context, alert: str, code: str, days: str) -> None:
    """Button `less:8:word-football:7`: left out from now on."""
    offers = await _offers(context, alert)
    if code not in offers or days not in {str(one) for one in render.SPANS}:
        raise UserError("error.stale")
    span = timedelta(days=int(days)) if int(days) else None
    await _leave_out(context, offers[code], span)


async def _leave_out(context: Context, one: Filter, span: timedelta | None) -> None:
    async with context.services.store.writing() as db:
        await _add(db, context.chat.id, [one], span)
    await context.edit(await shown(context, saved=True))
    await context.answer(say("settings.saved", context.language).text)


async def _offers(context: Context, alert: str) -> Mapping[str, Filter]:
    """What may be left out of a story's kind. UserError for a story that nobody may see, or that
    no reader was told: anybody can make up an alert's number.
    """
    catalog = context.services.catalog
    async with context.services.store.reading() as db:
        told = await storage.alerts.get(db, number_of(alert))
        if told is None or told.approval not in {None, Approval.APPROVED}:
            raise UserError("error.stale")
        number = kind_of(told).story(told)
        story = None if number is None else await storage.stories.shown(db, number)
    if story is None:
        raise UserError("error.stale")
    names = render.source_names(catalog.feed_names, context.language)
    return less_of(led(story, catalog.news), names, context.language)
