"""/settings: language, time zone, style and the way to the subscriptions, all in one message that changes in place."""

from __future__ import annotations

from contextlib import suppress
from zoneinfo import ZoneInfo

from telegram import Update

import storage.chats
from bot.errors import UserError
from bot.i18n import clock
from bot.model.chats import LANGUAGES, Style
from bot.render import help as words
from bot.render.text import Message
from handlers import subscriptions
from handlers.context import Context

#: Offered as buttons; any other is written: /settings Europe/Paris.
ZONES = (
    "Asia/Bishkek",
    "Asia/Almaty",
    "Asia/Tashkent",
    "Asia/Dushanbe",
    "Europe/Moscow",
    "Europe/Istanbul",
    "Europe/Berlin",
    "America/New_York",
)
EXAMPLE = "/settings Europe/Paris"


async def settings(_update: Update, context: Context) -> None:
    """/settings: shows them; /settings Europe/Paris sets the time zone."""
    if context.words:
        await _set_zone(context, " ".join(context.words))
        at = clock(context.services.clock(), context.chat.time_zone)
        await context.reply(words.say("zone.set", context.language, zone=context.chat.time_zone, time=at))
    else:
        await context.reply(_shown(context))


async def pressed(context: Context, kind: str, what: str) -> None:
    """Buttons `set:zone`, which lead on, and `lang:ru`, `style:brief`, `zone:Asia/Almaty`, which set."""
    if kind == "set":
        await context.edit(await _submenu(context, what))
        await context.answer()
        return
    await context.must_be_admin()
    if kind == "zone":
        await _set_zone(context, what)
    elif what in (LANGUAGES if kind == "lang" else [one.value for one in Style]):
        await context.change_chat(**{"language" if kind == "lang" else "style": what})
    else:
        raise UserError("error.stale")
    greeted = kind == "lang" and subscriptions.under_greeting(context)
    await context.edit(await subscriptions.greeting(context) if greeted else _shown(context))
    await context.answer(words.say("language.set" if kind == "lang" else "settings.saved", context.language).text)


async def _submenu(context: Context, what: str) -> Message:
    match what:
        case "language":
            return words.language_menu(context.language)
        case "zone":
            return words.zone_menu(context.language, ZONES, chosen=context.chat.time_zone, example=EXAMPLE)
        case "topics":
            return await subscriptions.menu(context)
        case "back":
            return _shown(context)
    raise UserError("error.stale")


async def _set_zone(context: Context, zone: str) -> None:
    """Keep a time zone; the chat's digests move with it, at the same hour of its day."""
    await context.must_be_admin()
    known = None
    with suppress(ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        known = ZoneInfo(zone) if len(zone) <= 40 else None
    if known is None:
        raise UserError("error.zone", text=zone[:40], example=EXAMPLE)
    services, chat = context.services, context.chat
    await context.change_chat(time_zone=zone)
    async with services.store.writing() as db:
        old = [key for key in await storage.chats.subscriptions(db, chat.id) if key.startswith("digest:")]
        await storage.chats.unsubscribe(db, chat.id, old)
        moved = [f"{key.partition('@')[0]}@{zone}" for key in old]
        await storage.chats.subscribe(db, chat.id, moved, now=services.clock())


def _shown(context: Context) -> Message:
    return words.settings(context.language, zone=context.chat.time_zone, style=context.chat.style)
