"""The routing table: which update goes to which handler, and who may use it.

Rights are checked here, once, when a command or a press arrives (`handlers.access`); the menus
follow from the same table and prove nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

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
from bot.errors import ConfigError, UserError
from bot.i18n import known
from bot.render.answers import explain
from bot.render.help import commands
from bot.render.text import to_api
from handlers import (
    alerts,
    charts,
    convert,
    digest,
    held,
    membership,
    news,
    privacy,
    rates,
    rules,
    settings,
    status,
    subscriptions,
    unknown,
)
from handlers.access import (
    Commanded,
    ForUs,
    Mentioned,
    Route,
    Who,
    always_looking,
    is_anothers,
    looking_or_changing,
)
from handlers.context import App, Context, Handler
from handlers.outgoing import Answer, Outgoing
from handlers.services import SECONDS_A_COMMAND, SECONDS_A_TAP, Services, load_chat

log = structlog.get_logger(__name__)

LONGEST_QUERY_ID = 32  # digits; the numbers of today, of 64 bits, have twenty
QUERY_ID = re.compile(rf"[0-9]{{1,{LONGEST_QUERY_ID}}}")
Press = Callable[..., Awaitable[None]]


async def show_help(_update: Update, context: Context) -> None:
    """/help: the commands of the table below."""
    await context.reply(commands(tuple(COMMANDS), context.language))


#: Command → what handles it and who may use it, in the order of the menu.
COMMANDS: dict[str, Route[Handler]] = {
    "rates": Route(rates.rates, Who.ANYBODY),
    "convert": Route(convert.convert, Who.ANYBODY),
    "chart": Route(charts.chart, Who.ANYBODY),
    "news": Route(news.news, Who.ANYBODY),
    "security": Route(news.security, Who.ANYBODY),
    "alert": Route(rules.alert, Who.ADMINISTRATOR),
    "alerts": Route(rules.alerts, Who.ANYBODY),
    "digest": Route(digest.digest, looking_or_changing, offered=Who.ANYBODY),
    "subscribe": Route(subscriptions.subscribe, always_looking, offered=Who.ADMINISTRATOR),
    "unsubscribe": Route(subscriptions.subscribe, always_looking, offered=Who.ADMINISTRATOR),
    "settings": Route(settings.settings, looking_or_changing, offered=Who.ADMINISTRATOR),
    "status": Route(status.status, Who.ANYBODY),
    "privacy": Route(privacy.privacy, Who.ANYBODY),
    "mydata": Route(privacy.mydata, Who.ADMINISTRATOR),
    "delete": Route(privacy.delete, Who.ADMINISTRATOR),
    "stop": Route(subscriptions.stop, Who.ADMINISTRATOR),
    "help": Route(show_help, Who.ANYBODY),
    "start": Route(subscriptions.start, subscriptions.waking_or_looking, offered=Who.ADMINISTRATOR),
}

#: What a group's members are not offered: all of it changes the group, or leads to what does.
ADMINISTRATORS = frozenset(name for name, one in COMMANDS.items() if one.menu is not Who.ANYBODY)
#: Scope of Telegram's menus → commands; where nothing else fits, the first.
MENUS: dict[str, tuple[str, ...]] = {
    "default": tuple(COMMANDS),
    "all_private_chats": tuple(COMMANDS),
    "all_group_chats": tuple(name for name in COMMANDS if name not in ADMINISTRATORS),
    "all_chat_administrators": tuple(COMMANDS),
}


def _with(pressed: Press, what: str) -> Press:
    """A button whose first word is itself what it is about."""

    async def press_one(context: Context, *rest: str) -> None:
        await pressed(context, what, *rest)

    return press_one


#: A button's first word and how many words follow it → what it does and who may press it.
BUTTONS: dict[tuple[str, int], Route[Press]] = {
    ("news", 2): Route(news.turn_page, Who.ANYBODY),
    ("cur", 1): Route(_with(subscriptions.toggle, "cur"), Who.ADMINISTRATOR),
    ("top", 1): Route(_with(subscriptions.toggle, "top"), Who.ADMINISTRATOR),
    ("lang", 1): Route(_with(settings.pressed, "lang"), Who.ADMINISTRATOR),
    ("style", 1): Route(_with(settings.pressed, "style"), Who.ADMINISTRATOR),
    ("zone", 1): Route(_with(settings.pressed, "zone"), Who.ADMINISTRATOR),
    ("set", 1): Route(_with(settings.pressed, "set"), Who.ADMINISTRATOR),
    ("delete", 1): Route(privacy.pressed, Who.ADMINISTRATOR),
    ("done", 0): Route(subscriptions.done, Who.ADMINISTRATOR),
    ("chart", 2): Route(charts.pressed, Who.ANYBODY),
    ("chart", 3): Route(charts.pressed, Who.ANYBODY),
    ("amounts", 1): Route(convert.amounts, Who.ANYBODY),
    ("new", 1): Route(rules.chosen, Who.ADMINISTRATOR),
    ("rule", 2): Route(rules.pressed, Who.ADMINISTRATOR),
    ("held", 2): Route(held.pressed, Who.OPERATOR),
    ("story", 2): Route(held.story_pressed, Who.OPERATOR),
    ("why", 1): Route(alerts.why, Who.ANYBODY),
    ("snooze", 1): Route(alerts.snooze, Who.ADMINISTRATOR),
    ("unsnooze", 1): Route(alerts.unsnooze, Who.ADMINISTRATOR),
    ("mute", 1): Route(alerts.mute, Who.ADMINISTRATOR),
    ("unmute", 1): Route(alerts.unmute, Who.ADMINISTRATOR),
}


def _command(to: Route[Handler]) -> Handler:
    """A command that asks first who wrote it."""

    async def serve(update: Update, context: Context) -> None:
        await to.require(context)
        await to.handler(update, context)

    return serve


async def press(_update: Update, context: Context) -> None:
    """Every button, by the first word of its data; anybody can send any, so none is believed."""
    query = context.incoming.callback_query
    if query is None or not query.data:  # the button of a game has a name in place of data
        raise UserError("error.stale")
    verb, *rest = query.data.split(":")
    pressed = BUTTONS.get((verb, len(rest)))
    if pressed is None:
        raise UserError("error.stale")
    await pressed.require(context)
    await pressed.handler(context, *rest)


def lacking(commands: Mapping[str, Route[Handler]]) -> list[str]:
    """What commands lack to be offered and explained, a sentence each."""
    found: list[str] = []
    for name, one in commands.items():
        if not isinstance(one.who, Who) and one.offered is None:
            found.append(f"command /{name}: its route lacks `offered`, whom the menu shows it to")
        if not known(f"command.{name}"):
            found.append(
                f"command /{name}: the texts lack command.{name}, what the menu says of it"
            )
    return found


def route(application: App, services: Services) -> None:
    """Register everything with python-telegram-bot. ConfigError names what a command lacks.

    Of a group's handlers the first that fits takes the update: commands before text, text before
    what nobody understands.
    """
    if problems := lacking(COMMANDS):
        raise ConfigError(problems)
    application.bot_data["services"] = services
    # MESSAGE leaves out edited messages, business messages and channels' posts.
    written = filters.UpdateType.MESSAGE & ForUs()
    for name, to in COMMANDS.items():
        application.add_handler(
            CommandHandler(name, _served(_command(to), services), filters=written & Commanded())
        )
    application.add_handler(CallbackQueryHandler(_served(press, services)))
    member = _served(membership.changed, services, counted=False)
    application.add_handler(ChatMemberHandler(member, ChatMemberHandler.MY_CHAT_MEMBER))

    async def moved(update: Update, _context: Context) -> None:
        # without loading the chat: the old one is not there any more
        await membership.migrated(update, services)

    application.add_handler(MessageHandler(filters.StatusUpdate.MIGRATE, moved))
    text = filters.TEXT & written & (filters.ChatType.PRIVATE | Mentioned())
    application.add_handler(MessageHandler(text, _served(convert.text, services)))
    place = filters.LOCATION & written & filters.ChatType.PRIVATE
    application.add_handler(MessageHandler(place, _served(settings.placed, services)))
    wordless = written & filters.ChatType.PRIVATE & ~filters.StatusUpdate.ALL
    application.add_handler(MessageHandler(wordless, _served(unknown.unknown, services)))

    async def inline(update: Update, _context: Context) -> None:
        await convert.inline(services, update)

    application.add_handler(InlineQueryHandler(inline))


def _served(handler: Handler, services: Services, *, counted: bool = True) -> Handler:
    """Load the chat, keep to its pace, answer mistakes of the user in words."""

    async def serve(update: Update, context: Context) -> None:
        begun = time.perf_counter()
        origin = update.effective_chat
        if origin is None:
            await _nowhere(services, update)
            return
        user = update.effective_user
        context.services, context.incoming = services, update
        if update.callback_query is not None and is_anothers(update):
            await _stop_spinning(services, update)
            return
        # Its pace comes before the chat is loaded: a flood shall not cost a query each.
        hurry: UserError | None = None
        if counted:
            cost = SECONDS_A_COMMAND
            if update.callback_query is not None:
                cost = SECONDS_A_TAP
            try:
                allowed = services.allow(origin.id, cost)
            except UserError as error:
                allowed, hurry = True, error  # told once, in the chat's language
            if not allowed:
                await _stop_spinning(services, update)
                return
        spoken = None
        if user is not None:
            spoken = user.language_code
        context.chat = await load_chat(services, origin, spoken)
        try:
            if hurry is not None:
                raise hurry
            await handler(update, context)
        except UserError as error:
            await _explain(context, error)
        metrics.REPLY.observe(time.perf_counter() - begun)

    return serve


async def _nowhere(services: Services, update: Update) -> None:
    """A button under no message of a chat's is out of date: our inline results have none."""
    query = update.callback_query
    if query is None:
        return
    try:
        if not services.allow(query.from_user.id, SECONDS_A_TAP):
            await _stop_spinning(services, update)
            return
        stale = UserError("error.stale")
    except UserError as error:
        stale = error
    language = services.language_for(query.from_user.id, query.from_user.language_code)
    said = explain(stale, language).text
    # the Bot API takes 200 characters there
    words = {"callback_query_id": query.id, "text": said[:200], "show_alert": True}
    answer = Answer(method="answerCallbackQuery", parameters=words)
    await Outgoing(services, query.from_user.id, language).send(answer)


async def _stop_spinning(services: Services, update: Update) -> None:
    """A press is let go without words, in a flood or by a stranger.

    Neither is the store asked nor a chat named.
    """
    query = update.callback_query
    if query is not None:
        await _let_go(services, query.from_user.id, query.id)


async def _let_go(services: Services, presser: int, number: str) -> None:
    answer = Answer(method="answerCallbackQuery", parameters={"callback_query_id": number})
    await Outgoing(services, presser, services.settings.default_language).send(answer)


async def _explain(context: Context, error: UserError) -> None:
    today = context.services.clock().astimezone(ZoneInfo(context.chat.time_zone)).date()
    message = explain(error, context.language, today=today)
    if context.incoming.callback_query is not None:
        await context.answer(message.text, alert=True)
    else:
        await context.reply(message)


async def let_go(services: Services, raw: Mapping[str, Any]) -> None:
    """A button's press that nobody can read is at least let go."""
    query = raw.get("callback_query")
    if not isinstance(query, Mapping):
        return
    # The update was unreadable, so its number may be anything too: only digits go back.
    match query.get("id"):
        case str(number) if QUERY_ID.fullmatch(number):
            await _let_go(services, 0, number)  # whose it is cannot be read either


async def sorry(services: Services, update: Update) -> None:
    """Tell whoever waits for an answer that there will be none, in general words.

    Who speaks to somebody else waits for none.
    """
    query, origin, user = update.callback_query, update.effective_chat, update.effective_user
    if origin is None or (update.message is None and query is None):
        return
    spoken = None
    if user is not None:
        spoken = user.language_code
    # not from the store, which may be what failed
    language = services.language_for(origin.id, spoken)
    message = explain(UserError("error.unexpected"), language)
    if query is not None:
        words = {"callback_query_id": query.id, "text": message.text, "show_alert": True}
        answer = Answer(method="answerCallbackQuery", parameters=words)
    else:
        answer = Answer(method="sendMessage", parameters={"chat_id": origin.id, **to_api(message)})
    await Outgoing(services, origin.id, language).send(answer)


__all__ = [
    "COMMANDS",
    "MENUS",
    "App",
    "Application",
    "Context",
    "Services",
    "let_go",
    "route",
    "sorry",
]
