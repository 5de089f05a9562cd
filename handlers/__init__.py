"""The routing table: which update goes to which handler. Rights are checked when a command arrives, not by the menu."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import structlog
from telegram import Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    ChatMemberHandler,
    CommandHandler,
    InlineQueryHandler,
    MessageHandler,
    filters,
)

from bot import metrics
from bot.errors import UserError
from bot.model.chats import client_language
from bot.render import help as words
from bot.render.text import to_api
from handlers import (
    charts,
    convert,
    digest,
    held,
    membership,
    news,
    pictures,
    privacy,
    rates,
    rules,
    settings,
    subscriptions,
    talk,
)
from handlers.context import EVERY, TAP, App, Context, Handler, Services, load_chat

log = structlog.get_logger(__name__)

Button = Callable[..., Awaitable[None]]

#: Command → handler, in the order of the menu.
COMMANDS: dict[str, Handler] = {
    "rates": rates.rates,
    "convert": convert.convert,
    "chart": charts.chart,
    "news": news.news,
    "security": news.security,
    "alert": rules.alert,
    "alerts": rules.alerts,
    "digest": digest.digest,
    "subscribe": subscriptions.subscribe,
    "unsubscribe": subscriptions.subscribe,
    "settings": settings.settings,
    "status": talk.status,
    "privacy": talk.privacy,
    "mydata": privacy.mydata,
    "delete": privacy.delete,
    "stop": subscriptions.stop,
    "help": talk.help,
    "start": subscriptions.start,
}

#: What only administrators of a group may use, so that its other members are not offered it.
ADMINISTRATORS = frozenset({"alert", "subscribe", "unsubscribe", "settings", "mydata", "delete", "stop", "start"})
#: Scope of Telegram's menus → commands; where nothing else fits, the first.
MENUS: dict[str, tuple[str, ...]] = {
    "default": tuple(COMMANDS),
    "all_private_chats": tuple(COMMANDS),
    "all_group_chats": tuple(name for name in COMMANDS if name not in ADMINISTRATORS),
    "all_chat_administrators": tuple(COMMANDS),
}


def _with(pressed: Button, what: str) -> Button:
    """A button whose first word is itself what it is about."""

    async def press_one(context: Context, *rest: str) -> None:
        await pressed(context, what, *rest)

    return press_one


def _under_alert(told: Button, own: Button) -> Button:
    """Why?, Snooze and Mute: under what a subscription brought, or under what a chat's own rule said."""

    async def press_one(context: Context, alert: str) -> None:
        await (own if await rules.is_own(context, alert) else told)(context, alert)

    return press_one


#: A button's first word and how many words follow it → what it does.
BUTTONS: dict[tuple[str, int], Button] = {
    ("news", 2): news.turn_page,
    **{(kind, 1): _with(subscriptions.toggle, kind) for kind in ("cur", "top")},
    **{(kind, 1): _with(settings.pressed, kind) for kind in ("lang", "style", "zone", "set")},
    ("delete", 1): privacy.pressed,
    ("done", 0): subscriptions.done,
    ("chart", 2): charts.pressed,
    ("chart", 3): charts.pressed,
    ("amounts", 1): convert.amounts,
    ("new", 1): rules.chosen,
    ("rule", 2): rules.pressed,
    ("held", 2): held.pressed,
    ("story", 2): held.story_pressed,
    ("why", 1): _under_alert(subscriptions.why, rules.why),
    ("snooze", 1): _under_alert(subscriptions.snooze, rules.snooze),
    ("unsnooze", 1): _under_alert(subscriptions.unsnooze, rules.unsnooze),
    ("mute", 1): _under_alert(subscriptions.mute, rules.mute),
    ("unmute", 1): _under_alert(subscriptions.unmute, rules.unmute),
}


async def press(_update: Update, context: Context) -> None:
    """Every button, by the first word of its data; anybody can send any data, so nothing in it is believed."""
    query = context.incoming.callback_query
    verb, *rest = (query.data if query is not None and query.data else "-").split(":")
    pressed = BUTTONS.get((verb, len(rest)))
    if pressed is None:
        raise UserError("error.stale")
    await pressed(context, *rest)


def route(application: App, services: Services) -> None:
    """Register everything with python-telegram-bot."""
    application.bot_data["drawn"] = pictures.Drawn()
    application.bot_data["services"] = services
    for name, handler in COMMANDS.items():
        application.add_handler(CommandHandler(name, _served(handler, services)))
    application.add_handler(CallbackQueryHandler(_served(press, services)))
    member = _served(membership.changed, services, counted=False)
    application.add_handler(ChatMemberHandler(member, ChatMemberHandler.MY_CHAT_MEMBER))
    moved = _served(membership.migrated, services, counted=False)
    application.add_handler(MessageHandler(filters.StatusUpdate.MIGRATE, moved))
    text = filters.TEXT & filters.UpdateType.MESSAGE & (filters.ChatType.PRIVATE | convert.Mentioned())
    application.add_handler(MessageHandler(text, _served(convert.text, services)))
    place = filters.LOCATION & filters.UpdateType.MESSAGE & filters.ChatType.PRIVATE
    application.add_handler(MessageHandler(place, _served(settings.placed, services)))
    wordless = filters.UpdateType.MESSAGE & filters.ChatType.PRIVATE & ~filters.StatusUpdate.ALL
    application.add_handler(MessageHandler(wordless, _served(talk.unknown, services)))

    async def inline(update: Update, _context: Context) -> None:
        await convert.inline(services, update)

    application.add_handler(InlineQueryHandler(inline))


def _served(handler: Handler, services: Services, *, counted: bool = True) -> Handler:
    """Load the chat, keep to its pace, answer mistakes of the user in words."""

    async def serve(update: Update, context: Context) -> None:
        begun = time.perf_counter()
        origin = update.effective_chat
        if origin is None:
            return
        user = update.effective_user
        context.services, context.incoming = services, update
        try:
            if counted and not services.allow(origin.id, EVERY if update.callback_query is None else TAP):
                await _stop_spinning(services, update)
                return
            hurry = None
        except UserError as error:
            hurry = error
        context.chat = await load_chat(services, origin, user.language_code if user is not None else None)
        try:
            if hurry is not None:
                raise hurry
            await handler(update, context)
        except UserError as error:
            await _explain(context, error)
        metrics.REPLY.observe(time.perf_counter() - begun)

    return serve


async def _stop_spinning(services: Services, update: Update) -> None:
    """The only answer in a flood: a button pressed is let go. Neither the store is asked nor a broadcast delayed."""
    if update.callback_query is not None:
        await services.api.call("answerCallbackQuery", callback_query_id=update.callback_query.id)


async def _explain(context: Context, error: UserError) -> None:
    message = words.error(error, context.language)
    if context.incoming.callback_query is not None:
        await context.answer(message.text, alert=True)
    else:
        await context.reply(message)


async def failed(update: object, context: Context) -> None:
    """A handler broke: kept for whoever processes updates, since python-telegram-bot keeps errors to itself."""
    error = context.error or RuntimeError("a handler failed without an error")
    if not isinstance(update, Update) or not isinstance(error, Exception):
        raise error
    services: Services = context.bot_data["services"]
    services.broken[update.update_id] = error


async def sorry(services: Services, update: Update) -> None:
    """Tell whoever waits for an answer that there will be none, in general words."""
    query, origin, user = update.callback_query, update.effective_chat, update.effective_user
    if origin is None or (update.message is None and query is None):
        return
    known = services.chats.get(origin.id)
    guess = client_language(user.language_code if user else None, services.default_language)
    message = words.error(UserError("error.unexpected"), known.language if known is not None else guess)
    if query is not None:
        await services.api.call("answerCallbackQuery", callback_query_id=query.id, text=message.text, show_alert=True)
    else:
        await services.turn(origin.id)
        await services.api.call("sendMessage", chat_id=origin.id, **to_api(message))


__all__ = ["COMMANDS", "MENUS", "App", "Application", "Context", "Services", "failed", "route", "sorry"]
