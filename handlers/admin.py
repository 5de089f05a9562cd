"""/admin: the operator's desk, one message that its buttons change where it stands.

Sources (poll now, pause, resume), what waits for a word, what went wrong lately, and the switch of
all alerts, which takes two taps. Only an operator in their own private chat gets here.
"""

from __future__ import annotations

import hashlib

from telegram import Update

import storage.alerts
import storage.held_rates
import storage.overview
import storage.sources
import storage.stories
import storage.switch
from bot.alerts import KINDS, Kit, Reader, edits, kind_of, notices, reads
from bot.alerts.notices import Notice
from bot.alerts.stories import as_asked
from bot.errors import UserError
from bot.i18n import moment
from bot.model.news import Story
from bot.model.status import SourceStatus, Status
from bot.readers.status import current_status
from bot.render import admin as render
from bot.render.answers import say
from bot.render.desk import card, correction
from bot.render.text import Message
from bot.sources.standing import led
from handlers import second
from handlers.access import other_operators
from handlers.context import Context
from handlers.desk import story_of
from handlers.numbers import number_of
from storage.db import Db, db_now


async def admin(_update: Update, context: Context) -> None:
    """/admin: all at a glance."""
    await context.reply(await _desk(context))


async def opened(context: Context, page: str) -> None:
    """Buttons `admin:desk`, `held`, `stories`, `second`, `errors`, `off` and `on`."""
    match page:
        case "desk":
            shown = await _desk(context)
        case "held":
            shown = await _held(context)
        case "stories":
            shown = await _stories(context)
        case "second":
            shown = await _second(context)
        case "errors":
            shown = await _errors(context)
        case "off":
            shown = render.sure_off(context.language)
        case "on":
            shown = render.sure_on(context.language)
        case _:
            raise UserError("error.stale")
    await context.answer()
    await context.edit(shown)


async def pressed(context: Context, what: str, which: str) -> None:
    """Buttons `admin:sources:0`, `admin:source:KEY`, `poll`, `tell:7`, `off:sure`, …"""
    match what, which:
        case "sources", _:
            status, number = await _status(context), number_of(which)
            await context.answer()
            await context.edit(render.sources(status, number, _short, context.language))
        case "source" | "poll" | "pause" | "resume", _:
            await _source(context, what, which)
        case "story", _:
            await _story(context, number_of(which))
        case "tell", _:
            await second.send(context, number_of(which))
            await context.answer()
            await context.edit(await _second(context))
        case "off" | "on", "sure":
            await _switch(context, off=what == "off")
        case _:
            raise UserError("error.stale")


# --- the pages ------------------------------------------------------------------------------------


async def _status(context: Context) -> Status:
    services = context.services
    async with services.store.reading() as db:
        return await current_status(
            db, services.catalog, token=services.settings.token_name, now=services.clock()
        )


async def _desk(context: Context) -> Message:
    status, services = await _status(context), context.services
    async with services.store.reading() as db:
        found = await storage.overview.overview(db, now=status.now)
        alone = await second.waiting(db, services)
    return render.desk(status, found, context.language, second=len(alone))


async def _held(context: Context) -> Message:
    async with context.services.store.reading() as db:
        rates = await storage.held_rates.waiting_rates(db)

    def named(key: str) -> str:
        return context.services.catalog.names(key, context.language)

    return render.held(rates, named, context.language)


async def _stories(context: Context) -> Message:
    waiting: list[tuple[int, Story]] = []
    async with context.services.store.reading() as db:
        for told in await storage.alerts.all_waiting(db):
            number = await story_of(db, told)
            story = None if number is None else await storage.stories.get(db, number)
            if story is not None:
                story = led(story, context.services.catalog.news)
                waiting.append((told.id, as_asked(story, told)))
    return render.stories(waiting, context.language)


async def _second(context: Context) -> Message:
    """The stories that wait for a second source."""
    services, language = context.services, context.language
    async with services.store.reading() as db:
        alone = await second.waiting(db, services)

    def named(key: str) -> str:
        return services.catalog.names(key, language)

    return render.second(alone, named, language)


async def _errors(context: Context) -> Message:
    """The sources' troubles now, and this operator's latest notices, in the words that they had."""
    services, chat = context.services, context.chat
    told: list[tuple[str, str]] = []
    status = await _status(context)
    async with services.store.reading() as db:
        for one in filter(reads, await notices.latest(db, chat.id, most=render.MOST_ERRORS)):
            reader = Reader(
                chat=chat.id,
                language=chat.language,
                style=chat.style,
                home=chat.home,
                time_zone=chat.time_zone,
            )
            kit = Kit(db=db, catalog=services.catalog, kinds=KINDS)
            words = await kind_of(one).words(kit, one, reader)
            at = moment(one.created_at, chat.language, chat.time_zone, now=services.clock())
            if words is not None:
                told.append((at, words.text))
    return render.errors(status, told, chat.language)


# --- one source -----------------------------------------------------------------------------------


def _short(key: str) -> str:
    """A source's key as a button can carry it, whatever its length and letters."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


async def _source(context: Context, what: str, which: str) -> None:
    """Show a source, after what its button does."""
    services = context.services
    one = _named(await _status(context), which)
    async with services.store.writing() as db:
        if what == "poll":
            if one.paused:
                raise UserError("error.stale")
            await storage.sources.ask(db, [one.key], now=services.clock())
        elif what in {"pause", "resume"}:
            await storage.sources.pause(db, one.key, paused=what == "pause", now=services.clock())
    said = say("admin.asked", context.language).text if what == "poll" else ""
    await context.answer(said)
    # anew: the button may have changed it
    status = await _status(context)
    zone = context.chat.time_zone
    one = _named(status, which)
    await context.edit(render.source(one, status, _short, zone, context.language))


def _named(status: Status, which: str) -> SourceStatus:
    for one in status.sources:
        if _short(one.key) == which:
            return one
    raise UserError("error.stale")


# --- a story, and the switch ----------------------------------------------------------------------


async def _story(context: Context, number: int) -> None:
    """The card of a story that waits, as it was shown first."""
    async with context.services.store.reading() as db:
        told = await storage.alerts.waiting(db, number)
        story = None if told is None else await story_of(db, told)
        wording = None if told is None else edits.wording_of(told)
        found = None
        if story is not None:
            found = await storage.stories.get(db, story, unapproved=wording is not None)
    if told is None or found is None:
        raise UserError("error.stale")
    await context.answer()
    catalog, language = context.services.catalog, context.language
    feeds = [catalog.names(key, language) for key in found.feeds]
    for one in found.entries:
        if wording is not None and one.pk == wording.entry:
            feed = catalog.names(one.feed, language)
            changed = wording.put_in(one.entry)
            # a report of its own, by which others are put right
            others = [it for it in led(found, catalog.news).entries if it.pk != one.pk]
            was = others[0] if others and changed == one.entry else one
            await context.reply(correction(number, was, changed, [feed], language))
            return
    asked = as_asked(led(found, catalog.news), told)
    await context.reply(card(number, asked, feeds, language))


async def _switch(context: Context, *, off: bool) -> None:
    """The second tap: alerts stop for all replicas, or leave again."""
    services = context.services
    token = services.settings.token_name
    async with services.store.writing() as db:
        turn = storage.switch.turn_off if off else storage.switch.turn_on
        # of two operators who tap at once, the one that changed it tells
        if await turn(db, token):
            await _tell_others(context, db, off=off)
    services.wake()
    await context.answer()
    await context.edit(await _desk(context))


async def _tell_others(context: Context, db: Db, *, off: bool) -> None:
    """Tell every other operator of it."""
    user, now = context.incoming.effective_user, context.services.clock()
    who = "–" if user is None else user.full_name
    told = Notice.of("notice.alerts_off" if off else "notice.alerts_on", who=who)
    each_time = int((await db_now(db)).timestamp() * 1_000_000)  # anew, and not once a day
    for operator in other_operators(context):
        await storage.alerts.enqueue(db, notices.decided(operator, each_time, told, now=now))
