"""The routing table: which update goes to which handler, who may use it, and where.

All that can reach us stands in one of these tables. Rights are checked once, when an update arrives
(`handlers.access`); the menus follow from the same tables and prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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

from bot.alerts import texts_lacking, texts_unlisted
from bot.at_hand import at_hand
from bot.errors import ConfigError, UserError
from bot.languages import FALLBACK
from bot.model.chats import ChatKind
from bot.model.subjects import SUBJECTS
from bot.render import families
from bot.render.filters import whether_to_omit
from bot.render.help import commands
from handlers import (
    admin,
    alerts,
    asked,
    boards,
    broadcasts,
    cancel,
    channels,
    charts,
    convert,
    desk,
    digest,
    editorial,
    feeds,
    follow_up,
    held,
    here,
    inline,
    membership,
    news,
    news_filters,
    places,
    privacy,
    quiet,
    rates,
    rules,
    search,
    settings,
    status,
    subscriptions,
    unknown,
)
from handlers.access import (
    Commanded,
    ForUs,
    Mentioned,
    Names,
    Route,
    Takes,
    Where,
    Who,
    always_looking,
    guarded,
    looking_or_changing,
    may,
    taken,
)
from handlers.answers import Answer
from handlers.context import App, Context, Handler
from handlers.menus import Menu, menus
from handlers.parts import (
    Press,
    With,
    is_route,
    is_used_in,
    lacking,
    misfitting,
    misnamed,
    paired,
    unfit,
    unmeant,
    unreachable,
    unusable,
)
from handlers.services import Services
from handlers.serving import Chatless, chatless, served
from handlers.shown import unrouted

#: Files that may be lists of feeds, by what they are called.
LISTS = filters.Document.FileExtension("opml") | filters.Document.FileExtension("xml")


async def show_help(_update: Update, context: Context) -> None:
    """/help: the commands of the table below that are used in such a chat."""
    names = COMMANDS if await may(Who.OPERATOR, context) else OFFERED
    here = [name for name in names if is_used_in(context.chat.kind, COMMANDS[name])]
    await context.reply(commands(here, context.language))


async def said(update: Update, context: Context) -> None:
    """Free text: a broadcast's words where awaited, what a bare command asked for, or an amount."""
    # an old message that is edited was not written as a broadcast's words
    if not context.edited and await taken(AWAITED, update, context):
        context.forget()
        return
    answer = await asked.command_of(context, context.written)
    if answer is None:
        await convert.text(update, context)
        return
    at_hand().asked = f"/{answer.command}"
    if answer.offered:
        await context.reply(whether_to_omit(answer.words, context.language))
        return
    context.args = answer.words.split()
    await guarded(COMMANDS[answer.command])(update, context)


def _followed(name: str, to: Route[Handler]) -> Handler:
    """A command's handler; what is written next may be what it asks for."""
    handler = guarded(to)

    async def serve(update: Update, context: Context) -> None:
        follow_up.note(context, name)
        await handler(update, context)

    return serve


async def anything(update: Update, context: Context) -> None:
    """A message without text: an operator who was asked for words hears that, others get a hint."""
    if not await taken(AWAITED, update, context):
        await unknown.unknown(update, context)


def operator_menus(number: int, language: str) -> Iterator[Menu]:
    """The menu of an operator's own chat: what only operators may use stands first."""
    names = (*sorted(OPERATORS), *IN_PRIVATE)
    return menus({"type": "chat", "chat_id": number}, names, language)


async def begin(update: Update, context: Context) -> None:
    """/start; an operator's chat has a menu of its own from then on."""
    await subscriptions.start(update, context)
    if await may(Who.OPERATOR, context):
        for menu in operator_menus(context.chat.id, context.language):
            answer = Answer(method="setMyCommands", parameters=menu, postponable=False)
            await context.send(answer)


#: Command → what handles it, who may use it and, unless anywhere, where; in the order of the menus.
COMMANDS: dict[str, Route[Handler]] = {
    "rates": Route(rates.rates, Who.ANYBODY),
    "convert": Route(convert.convert, Who.ANYBODY),
    "chart": Route(charts.chart, Who.ANYBODY),
    "news": Route(news.news, Who.ANYBODY),
    "security": Route(news.security, Who.ANYBODY),
    "search": Route(search.search, Who.ANYBODY),
    "mute": Route(news_filters.mute, looking_or_changing, offered=Who.ANYBODY),
    "only": Route(news_filters.only, looking_or_changing, offered=Who.ANYBODY),
    "feed": Route(feeds.feed, looking_or_changing, offered=Who.ADMINISTRATOR),
    "feeds": Route(feeds.feeds, Who.ANYBODY),
    "alert": Route(rules.alert, Who.ADMINISTRATOR),
    "alerts": Route(rules.alerts, Who.ANYBODY),
    "digest": Route(digest.digest, looking_or_changing, offered=Who.ANYBODY),
    "quiet": Route(quiet.quiet, looking_or_changing, offered=Who.ANYBODY),
    "here": Route(here.here, Who.ADMINISTRATOR, where=Where.GROUP, elsewhere="error.no_topics"),
    "board": Route(
        *(boards.board, looking_or_changing),
        offered=Who.ADMINISTRATOR,
        where=Where.GROUP,
        elsewhere="error.board_where",
    ),
    "subscribe": Route(subscriptions.subscribe, always_looking, offered=Who.ADMINISTRATOR),
    "unsubscribe": Route(subscriptions.subscribe, always_looking, offered=Who.ADMINISTRATOR),
    "settings": Route(settings.settings, looking_or_changing, offered=Who.ADMINISTRATOR),
    "channel": Route(
        channels.channel, Who.ADMINISTRATOR, where=Where.PRIVATE, elsewhere="error.private_only"
    ),
    "status": Route(status.status, Who.ANYBODY, personal=True),
    "privacy": Route(privacy.privacy, Who.ANYBODY, personal=True),
    "mydata": Route(privacy.mydata, Who.ADMINISTRATOR, personal=True),
    "delete": Route(privacy.delete, Who.ADMINISTRATOR),
    "stop": Route(subscriptions.stop, Who.ADMINISTRATOR),
    "cancel": Route(cancel.cancel, Who.ADMINISTRATOR),
    "help": Route(show_help, Who.ANYBODY, personal=True),
    "start": Route(begin, subscriptions.waking_or_looking, offered=Who.ADMINISTRATOR),
    "admin": Route(admin.admin, Who.OPERATOR, where=Where.PRIVATE),
    "broadcast": Route(broadcasts.broadcast, Who.OPERATOR, where=Where.PRIVATE),
}

#: What exists for operators alone, in their own chats.
OPERATORS = frozenset(
    name for name, one in COMMANDS.items() if is_route(one) and one.menu is Who.OPERATOR
)
#: What everybody else may be offered.
OFFERED = tuple(name for name in COMMANDS if name not in OPERATORS)


def _changes(name: str) -> bool:
    """Whether a command is one that not every member of a group may use."""
    return is_route(COMMANDS[name]) and COMMANDS[name].menu is not Who.ANYBODY


#: And what there is in which chats.
IN_PRIVATE, IN_GROUPS = (
    tuple(name for name in OFFERED if is_used_in(kind, COMMANDS[name]))
    for kind in (ChatKind.PRIVATE, ChatKind.GROUP)
)
PERSONAL = frozenset(name for name in IN_GROUPS if COMMANDS[name].personal)
#: What a group's members are not offered: all of it changes the group, or leads to what does.
ADMINISTRATORS = frozenset(name for name in OFFERED if _changes(name))
#: Scope of Telegram's menus → commands; where nothing else fits, the first.
MENUS: dict[str, tuple[str, ...]] = {
    "default": OFFERED,
    "all_private_chats": IN_PRIVATE,
    "all_group_chats": tuple(name for name in IN_GROUPS if name not in ADMINISTRATORS),
    "all_chat_administrators": IN_GROUPS,
}


def _private(handler: Press, who: Who, names: Names | None = None) -> Route[Press]:
    """A button in private chats alone; of one about a channel, `names` finds which."""
    return Route(handler, who, where=Where.PRIVATE, elsewhere="error.private_only", names=names)


#: A button's first word and how many words follow it → what it does and who may press it.
BUTTONS: dict[tuple[str, int], Route[Press]] = {
    ("news", 2): Route(news.turn_page, Who.ANYBODY),
    ("find", 1): Route(search.turn_page, Who.ANYBODY),
    ("seek", 1): _private(search.sought, Who.ANYBODY),
    ("cur", 1): Route(With(subscriptions.toggle, "cur"), Who.ADMINISTRATOR),
    ("top", 1): Route(With(subscriptions.toggle, "top"), Who.ADMINISTRATOR),
    ("anon", 1): Route(With(settings.pressed, "anon"), Who.ADMINISTRATOR, where=Where.GROUP),
    ("board", 1): Route(
        With(settings.pressed, "board"),
        Who.ADMINISTRATOR,
        where=Where.GROUP,
        elsewhere="error.board_where",
    ),
    ("places", 1): Route(places.opened, Who.ADMINISTRATOR),
    ("place", 2): Route(places.pressed, Who.ADMINISTRATOR),
    **{
        (one, 1): Route(With(settings.pressed, one), Who.ADMINISTRATOR)
        for one in ("set", "lang", "zone", "style", "wakes", "tables")
    },
    ("first", 1): Route(subscriptions.ordered, Who.ADMINISTRATOR),
    ("quiet", 1): Route(quiet.pressed, Who.ADMINISTRATOR),
    ("sound", 2): Route(quiet.sounded, Who.ADMINISTRATOR),
    ("here", 2): Route(here.pressed, Who.ADMINISTRATOR, where=Where.GROUP),
    ("unhere", 1): Route(here.undone, Who.ADMINISTRATOR, where=Where.GROUP),
    ("chan", 2): _private(channels.pressed, Who.POSTER, channels.named),
    ("chan", 3): _private(channels.changed, Who.POSTER, channels.named),
    ("post", 3): _private(editorial.pressed, Who.POSTER, editorial.named),
    ("delete", 1): Route(privacy.pressed, Who.ADMINISTRATOR),
    ("done", 0): Route(subscriptions.done, Who.ADMINISTRATOR),
    ("hour", 1): Route(digest.pressed, Who.ADMINISTRATOR),
    ("digest", 1): Route(digest.opened, Who.ADMINISTRATOR),
    ("at", 1): Route(digest.toggled, Who.ADMINISTRATOR),
    ("week", 1): Route(digest.week_pressed, Who.ADMINISTRATOR),
    **{("chart", words): Route(charts.pressed, Who.ANYBODY) for words in (2, 3)},
    ("amounts", 1): Route(convert.amounts, Who.ANYBODY),
    ("new", 1): Route(rules.chosen, Who.ADMINISTRATOR),
    ("rule", 2): Route(rules.pressed, Who.ADMINISTRATOR),
    ("held", 2): Route(held.pressed, Who.OPERATOR),
    ("story", 2): Route(desk.pressed, Who.OPERATOR),
    ("story", 3): Route(desk.joined, Who.OPERATOR),
    ("admin", 1): Route(admin.opened, Who.OPERATOR),
    ("admin", 2): Route(admin.pressed, Who.OPERATOR),
    ("cast", 2): Route(broadcasts.pressed, Who.OPERATOR),
    ("cast", 3): Route(broadcasts.chosen, Who.OPERATOR),
    ("feeds", 1): Route(feeds.export, Who.ANYBODY),
    ("feed", 2): Route(feeds.pressed, Who.ADMINISTRATOR),
    ("why", 1): Route(alerts.why, Who.ANYBODY),
    ("snooze", 1): Route(alerts.snooze, Who.ADMINISTRATOR),
    ("unsnooze", 1): Route(alerts.unsnooze, Who.ADMINISTRATOR),
    ("lift", 1): Route(news_filters.lift, Who.ADMINISTRATOR),
    ("omit", 1): _private(news_filters.omit, Who.ADMINISTRATOR),
    ("less", 1): Route(news_filters.less, Who.ADMINISTRATOR),
    ("less", 2): Route(news_filters.less_of_it, Who.ADMINISTRATOR),
    ("less", 3): Route(news_filters.less_for, Who.ADMINISTRATOR),
    ("mute", 1): Route(alerts.mute, Who.ADMINISTRATOR),
    ("unmute", 1): Route(alerts.unmute, Who.ADMINISTRATOR),
}


#: What takes something written that was asked for, before any line below does.
AWAITED: Route[Takes] = Route(broadcasts.written, Who.OPERATOR)
#: What is written besides commands, in the order in which it is tried: where it is heard, and who
#: may. In a private chat its owner is the administrator.
WORDS: dict[str, Route[Handler]] = {
    "headline": Route(desk.reworded, Who.OPERATOR, where=Where.PRIVATE, heard=desk.AnswersDesk()),
    "text": Route(said, Who.ANYBODY, heard=filters.TEXT & (filters.ChatType.PRIVATE | Mentioned())),
    "place": Route(settings.placed, Who.ADMINISTRATOR, where=Where.PRIVATE, heard=filters.LOCATION),
    "channel": Route(
        *(channels.shared, Who.ADMINISTRATOR),
        where=Where.PRIVATE,
        heard=filters.StatusUpdate.CHAT_SHARED,
    ),
    "list of feeds": Route(feeds.given, Who.ADMINISTRATOR, where=Where.PRIVATE, heard=LISTS),
    "anything": Route(anything, Who.ANYBODY, where=Where.PRIVATE, heard=~filters.StatusUpdate.ALL),
}
#: What is heard of an edit, too; a location that moves and a file with a new caption say nothing.
EDITABLE = frozenset({"headline", "text"})
#: Where the bot is a member: Telegram says so of itself, whoever did it, and nobody else can.
MEMBERSHIP: Route[Handler] = Route(membership.changed, Who.ANYBODY)
#: A group that moved has two numbers and no chat to load; Telegram says this too of itself.
MOVED: Route[Chatless] = Route(membership.migrated, Who.ANYBODY, heard=filters.StatusUpdate.MIGRATE)
#: Who asks inline does so from a chat that we are not told of.
INLINE: Route[Chatless] = Route(inline.inline, Who.ANYBODY)


async def press(_update: Update, context: Context) -> None:
    """Every button, by the first word of its data; anybody can send any, so none is believed."""
    query = context.incoming.callback_query
    data = "" if query is None else query.data or ""  # a game's button has a name in its place
    verb, *rest = data.split(":")
    pressed = BUTTONS.get((verb, len(rest)))
    if pressed is None:
        raise UserError("error.stale")
    at_hand().asked = f"button {verb}"  # not before: anything may stand there
    await pressed.require(context, *rest)
    await pressed.handler(context, *rest)


def _written() -> dict[str, Route[Any]]:
    """The routes of what comes with a chat, by what a sentence about one calls it."""
    return {
        **{f"command /{name}": one for name, one in COMMANDS.items()},
        **{f"what is written, {name}": one for name, one in WORDS.items()},
        "what is written, asked for": AWAITED,
        "the bot's membership": MEMBERSHIP,
    }


def _nowhere() -> dict[str, Route[Any]]:
    """The routes of what comes without a chat that we have loaded, likewise."""
    return {"a group that moved": MOVED, "what is asked inline": INLINE}


def problems() -> list[str]:
    """The missing parts of routes, subjects, kinds of alerts and their texts, a sentence each."""
    buttons, found = paired(BUTTONS)
    pressed = {f"button {verb} with {count} words": one for (verb, count), one in buttons.items()}
    found += unusable({**_written(), **pressed, **_nowhere()}) + lacking(COMMANDS) + unmeant(WORDS)
    found += unfit(_written(), "Update", "Context") + unfit(_nowhere(), "Services", "Update")
    found += misfitting(buttons) + unreachable(buttons) + unrouted(buttons)
    found += alerts.lacking_subjects(SUBJECTS.values()) + misnamed(COMMANDS, asked.NAMED)
    return found + texts_lacking(FALLBACK) + texts_unlisted() + families.problems()


def route(application: App, services: Services) -> None:
    """Register everything with python-telegram-bot. ConfigError names what is missing.

    Of a group's handlers the first that fits takes the update: commands before text, text before
    what nobody understands.
    """
    if wrong := problems():
        raise ConfigError(wrong)
    # Of all that has a text only messages and their edits are read (handlers.reading).
    edited_too = ForUs()
    written = filters.UpdateType.MESSAGE & edited_too
    for name, to in COMMANDS.items():
        command = served(_followed(name, to), services, f"/{name}")
        # an operator's command is what was written as one, there and then
        heard = written if name in OPERATORS else edited_too
        here = heard & Commanded() & to.listens()
        application.add_handler(CommandHandler(name, command, filters=here))
    application.add_handler(CallbackQueryHandler(served(press, services, "button")))
    member = served(guarded(MEMBERSHIP), services, "membership", counted=False)
    application.add_handler(ChatMemberHandler(member, ChatMemberHandler.MY_CHAT_MEMBER))
    application.add_handler(MessageHandler(MOVED.heard, chatless(MOVED, services, "moved")))
    for name, to in WORDS.items():
        here = (edited_too if name in EDITABLE else written) & to.listens()
        application.add_handler(MessageHandler(here, served(guarded(to), services, name)))
    application.add_handler(InlineQueryHandler(chatless(INLINE, services, "inline")))


__all__ = [
    "COMMANDS",
    "MENUS",
    "App",
    "Application",
    "Context",
    "Services",
    "operator_menus",
    "problems",
    "route",
]
