"""/settings: language, time zone, style, what wakes the chat, its quiet hours and what it follows,
in one message changed in place.

The time zone may come from a shared location. That is looked at once, in a worker process, and kept
nowhere: what arrived of it is forgotten with the update's end (storage.inbox).
"""

from __future__ import annotations

import asyncio

from telegram import Update

import storage.boards
import storage.chats
import storage.filters
import storage.places
from bot.convert import country_zones, read_zone
from bot.errors import UserError
from bot.i18n import clock, name_of, t, zone_place
from bot.languages import LANGUAGES
from bot.model.chats import ChatKind, Style, Wakes
from bot.model.subjects import digests_of
from bot.places import zone_at
from bot.render import here as render_here
from bot.render import quiet as render_quiet
from bot.render import settings as render
from bot.render.answers import say
from bot.render.text import Message
from bot.render.wire import NO_KEYS, one_key
from bot.workers import WorkerError
from handlers import boards, channels, digest, here, news_filters, places, quiet, subscriptions
from handlers.context import Context

EXAMPLE = "/settings Europe/Paris"
LOOK_UP = 10.0  # seconds a worker has to find a place's zone: starting it is most of that


async def settings(_update: Update, context: Context) -> None:
    """/settings: shows them; with Europe/Paris, Париж or UTC+2 it sets the time zone.

    A country with several is answered with a choice.
    """
    if context.words:
        said = " ".join(context.words)
        # beside the loop, as below
        several = await asyncio.to_thread(country_zones, said, context.services.clock())
        if several:
            await context.reply(render.zone_choice(context.language, several))
            return
        await _set_zone(context, said)
        await context.reply(_zone_set(context))
    else:
        await context.reply(await _shown(context))


async def pressed(context: Context, kind: str, what: str) -> None:
    """Buttons `set:zone`, which lead on; `lang:ru`, `style:brief`, `wakes:urgent`, `zone:…`,
    `anon:on`, `board:on` and `tables:on` set.
    """
    if kind == "set" and what == "place":
        await _ask_place(context)
        return
    if kind == "set" and what == "channels":
        await context.answer()
        await channels.ask(context)
        return
    if kind == "set":
        await context.edit(await _submenu(context, what))
        await context.answer()
        return
    if kind == "lang":
        await _set_language(context, what)
        return
    if kind == "zone":
        await _set_zone(context, what)
    elif kind == "style" and what in set(Style):
        await context.change_chat(style=what)
    elif kind == "anon" and what in {"on", "off"}:
        await context.change_chat(anonymous=what == "on")
    elif kind == "board" and what in {"on", "off"}:
        await boards.switch(context, context.chat.id, on=what == "on")
    elif kind == "tables" and what in {"on", "off"}:
        await context.change_chat(tables=what == "on")
    elif kind == "wakes" and what in set(Wakes):
        await context.change_chat(wakes=what)
    else:
        raise UserError("error.stale")
    await context.edit(await _shown(context))
    await context.answer(say("settings.saved", context.language).text)
    if (kind, what) == ("tables", "on"):
        # a table, so that nobody finds out by a blank message later
        await context.reply(render.sample(context.language, "tables:off"), tables=True)


async def _set_language(context: Context, code: str) -> None:
    """The message whose button was pressed is said again in the new language."""
    if code not in LANGUAGES:
        raise UserError("error.stale")
    await context.change_chat(language=code)
    if subscriptions.under_greeting(context):
        await context.edit(await subscriptions.greeting(context))
    else:
        await context.edit(await _shown(context))
    await context.answer(say("language.set", context.language).text)


async def _ask_place(context: Context) -> None:
    """A button below the field that sends the location, which only a private chat can have."""
    if context.chat.kind is not ChatKind.PRIVATE:
        raise UserError("error.private_only")
    await context.answer()
    key = one_key({"text": t("zone.send", context.language), "request_location": True})
    await context.reply(say("zone.ask", context.language), below=key)


async def placed(_update: Update, context: Context) -> None:
    """A location shared in a private chat: its time zone is set, the place itself forgotten.

    What is near to it is offered, and kept where it is tapped.
    """
    origin = context.incoming.effective_message
    zone = None
    if origin is not None and origin.location is not None:
        zone = await _zone_at(context, origin.location.latitude, origin.location.longitude)
    if zone is None:
        raise UserError("error.place", example=EXAMPLE)
    await _set_zone(context, zone)
    await context.reply(_zone_set(context), below=NO_KEYS)
    if origin is not None and origin.location is not None:
        await places.offer(context, origin.location.latitude, origin.location.longitude)


def _zone_set(context: Context) -> Message:
    zone = context.chat.time_zone
    at = clock(context.services.clock(), zone)
    return say("zone.set", context.language, zone=zone_place(zone, context.language), time=at)


async def _zone_at(context: Context, latitude: float, longitude: float) -> str | None:
    try:
        return await context.services.workers.run(
            zone_at, latitude, longitude, timeout=LOOK_UP, awaited=True
        )
    except WorkerError:  # told like a place without a zone: how to write one
        return None


async def _submenu(context: Context, what: str) -> Message:
    match what:
        case "topics":
            found = await subscriptions.menu(context, back=render.BACK)
        case "order":
            found = await subscriptions.order(context)
        case "digest":
            found = await digest.hours(context, back=render.BACK)
        case "filters":
            found = await news_filters.shown(context, back=render.BACK)
        case "here":
            found = await here.topics(context)
        case "places":
            found = await places.menu(context)
        case "back":
            found = await _shown(context)
        case _:
            found = _of_the_chat(context, what)
    return found


def _of_the_chat(context: Context, what: str) -> Message:
    """The pages about what stands in the chat's own row."""
    chat, language = context.chat, context.language
    match what:
        case "language":
            found = render.language_menu(language)
        case "zone":
            private = chat.kind is ChatKind.PRIVATE
            found = render.zone_menu(
                language, render.ZONES, chosen=chat.time_zone, example=EXAMPLE, place=private
            )
        case "style":
            found = render.styles(chat.style, language)
        case "wakes":
            found = render.levels(chat.wakes, language)
        case "quiet":
            found = quiet.menu(context, back=render.BACK)
        case "tables":
            found = render.table_choice(language, on=chat.tables)
        case "sounds":
            found = render_quiet.sounds(chat.sounds, language, back=render.BACK)
        case _:
            raise UserError("error.stale")
    return found


async def _set_zone(context: Context, said: str) -> None:
    """Keep the time zone that was named; the chat's digests keep their hour of its day, and its
    filters the day that they last to.
    """
    # all cities' names are read the first time
    zone = await asyncio.to_thread(read_zone, said) or ""
    if not zone:
        raise UserError("error.zone", text=said[:40], example=EXAMPLE)
    services, chat = context.services, context.chat
    await context.change_chat(time_zone=zone)
    async with services.store.writing() as db:
        await digest.move(db, chat.id, zone, now=services.clock())
        await storage.filters.move(db, chat.id, chat.time_zone, zone)


async def _shown(context: Context) -> Message:
    chat = context.chat
    async with context.services.store.reading() as db:
        stored = await storage.chats.get(db, chat.id) or chat
        mine = await storage.filters.of_chat(db, chat.id)
        near = await storage.places.of_chat(db, chat.id)
        keys = await storage.chats.subscriptions(db, chat.id)
        board = await storage.boards.get(db, chat.id)
    offered = context.services.catalog.places
    return render.settings(
        context.language,
        zone=chat.time_zone,
        now=context.services.clock(),
        style=chat.style,
        wakes=chat.wakes,
        digests=[one.at for one in digests_of(keys)],
        week=digest.week_of(keys),
        following=subscriptions.names(keys, chat.home, context.language, order=stored.currencies),
        quiet=chat.quiet,
        filters=mine,
        places=bool(offered),
        near=[name_of(offered[key].names, context.language) for key in near if key in offered],
        threads=render_here.said(stored.threads, chat.id, context.language),
        anonymous=chat.anonymous if chat.kind is ChatKind.GROUP else None,
        board=board,
        forum=here.is_forum(context) or bool(stored.threads),
        channels=chat.kind is ChatKind.PRIVATE,
        tables=chat.tables,
    )
