"""The routing table: which update goes to which handler. Rights are checked when a command arrives, not by the menu."""

from __future__ import annotations

import time

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
from bot.render import help as words
from handlers import charts, convert, digest, held, membership, news, rates, rules, subscriptions, talk
from handlers.context import App, Context, Handler, Services, load_chat

log = structlog.get_logger(__name__)

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
    "settings": subscriptions.language,
    "status": talk.status,
    "privacy": talk.privacy,
    "stop": subscriptions.stop,
    "help": talk.help,
    "start": subscriptions.start,
}


async def press(_update: Update, context: Context) -> None:
    """Every button, by the first word of its data; anybody can send any data, so nothing in it is believed."""
    query = context.incoming.callback_query
    verb, *rest = (query.data if query is not None and query.data else "-").split(":")
    match verb, rest:
        case "news", [topic, number]:
            await news.turn_page(context, topic, number)
        case ("cur" | "top") as kind, [what]:
            await subscriptions.toggle(context, kind, what)
        case "lang", [code]:
            await subscriptions.set_language(context, code)
        case "done", []:
            await subscriptions.done(context)
        case "chart", [pair, span]:
            await charts.pressed(context, pair, span)
        case "rule", [what, rule]:
            await rules.pressed(context, what, rule)
        case ("snooze" | "mute") as what, [alert] if await rules.is_own(context, alert):
            await rules.silence(context, what, alert)
        case "held", [what, number]:
            await held.pressed(context, what, number)
        case "why", [alert]:
            await subscriptions.why(context, alert)
        case "snooze", [alert]:
            await subscriptions.snooze(context, alert)
        case "mute", [alert]:
            await subscriptions.mute(context, alert)
        case _:
            raise UserError("error.stale")


def route(application: App, services: Services) -> None:
    """Register everything with python-telegram-bot."""
    application.bot_data["drawn"] = charts.Drawn()
    for name, handler in COMMANDS.items():
        application.add_handler(CommandHandler(name, _served(handler, services)))
    application.add_handler(CallbackQueryHandler(_served(press, services)))
    member = _served(membership.changed, services, counted=False)
    application.add_handler(ChatMemberHandler(member, ChatMemberHandler.MY_CHAT_MEMBER))
    moved = _served(membership.migrated, services, counted=False)
    application.add_handler(MessageHandler(filters.StatusUpdate.MIGRATE, moved))
    text = filters.TEXT & filters.UpdateType.MESSAGE & (filters.ChatType.PRIVATE | convert.Mentioned())
    application.add_handler(MessageHandler(text, _served(convert.text, services)))

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
        context.chat = await load_chat(services, origin, user.language_code if user is not None else None)
        try:
            if not counted or services.allow(origin.id):
                await handler(update, context)
        except UserError as error:
            await _explain(context, error)
        metrics.REPLY.observe(time.perf_counter() - begun)

    return serve


async def _explain(context: Context, error: UserError) -> None:
    message = words.error(error, context.language)
    if context.incoming.callback_query is not None:
        await context.answer(message.text, alert=True)
    else:
        await context.reply(message)


async def failed(update: object, context: Context) -> None:
    """A handler broke: logged whole, told to the user in general words; the others go on."""
    log.error("handler failed", exc_info=context.error)
    if isinstance(update, Update) and update.effective_chat is not None and hasattr(context, "chat"):
        await _explain(context, UserError("error.unexpected"))
    raise context.error or RuntimeError("a handler failed without an error")


__all__ = ["COMMANDS", "App", "Application", "Context", "Services", "failed", "route"]
