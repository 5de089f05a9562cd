"""The message that answers a bare command: "/mute", then "football".

Only in a private chat, once, and for some minutes. Each process remembers it for itself: a restart
forgets it, and of several replicas another one neither knows of it nor ends it by a command that it
handles. What the command cannot read, what asks for something else after /mute, and a
bare number after /digest, which may be an amount, is taken as if no command stood before it. A word
that cancels does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import ParamSpec
from zoneinfo import ZoneInfo

from bot.convert import (
    is_courtesy,
    looks_like_question,
    parse_inquiry,
    read_day,
    read_zone,
    says_cancel,
    says_off,
)
from bot.convert.commands import (
    ALL,
    Begun,
    command_begun,
    command_called,
    range_at,
    says_on,
    speaks_of_chart,
)
from bot.convert.mentions import currencies_in
from bot.convert.quiet import parse_quiet, says_clock
from bot.convert.rule_tokens import asks_to_be_told, speaks_of_rule
from bot.errors import UserError
from bot.i18n import t
from bot.languages import LANGUAGES
from bot.languages.letters import fold_typed
from bot.model.chats import Chat, ChatKind
from handlers import charts, digest, news, proposals
from handlers.access import is_second_hand
from handlers.context import Context

P = ParamSpec("P")
LASTS = timedelta(minutes=10)  # later, a word stands for itself
Reads = Callable[[Context, str], Awaitable[bool]]


async def _search(_context: Context, said: str) -> bool:
    return bool(said.strip())


async def _filter(context: Context, said: str) -> bool:
    # "100 usd" is asked for at any time, and would be a strange thing not to hear of
    idle = says_off(said) or says_on(said) or is_courtesy(said)
    return not (idle or _asks(context.chat, said, context.services.clock()))


def _asks(chat: Chat, said: str, now: datetime) -> bool:
    """Whether words ask for an amount, a rate, a chart or an alert, or ask at all."""
    has_figure = any(char.isdigit() for char in said)
    if (has_figure and looks_like_question(said)) or said.rstrip().endswith("?"):
        return True
    if asks_to_be_told(said) or (speaks_of_rule(said) and currencies_in(said)):
        return True
    if speaks_of_chart(said):  # but "график отключений" is none of ours
        return bool(currencies_in(said)) or _reads(charts.parse_chart, said.split(), home=chat.home)
    return _reads_money(chat, said, now)


def _reads_money(chat: Chat, said: str, now: datetime) -> bool:
    today = now.astimezone(ZoneInfo(chat.time_zone)).date()
    return _reads(parse_inquiry, said, language=chat.language, home=chat.home, today=today)


def _reads(reader: Callable[P, object], *args: P.args, **values: P.kwargs) -> bool:
    """Whether a reader finds what it reads."""
    try:
        reader(*args, **values)
    except UserError:
        return False
    return True


async def _rule(context: Context, said: str) -> bool:
    await proposals.read(context, said)
    return True


async def _quiet(_context: Context, said: str) -> bool:
    parse_quiet(said)
    return True


async def _hours(_context: Context, said: str) -> bool:
    # "1500" and "12.50" are amounts, asked for at any time
    return says_off(said) or (says_clock(said) and bool(digest.times_or_off(said)))


async def _hours_named(_context: Context, said: str) -> bool:
    return says_off(said) or bool(digest.times_or_off(said))


async def _chart(context: Context, said: str) -> bool:
    charts.parse_chart(said.split(), home=context.chat.home)
    return True


async def _zone(_context: Context, said: str) -> bool:
    # all cities' names are read the first time
    return bool(await asyncio.to_thread(read_zone, said))


#: Command → whether words that follow it are an answer to it; what raises UserError is none.
READS: dict[str, Reads] = {
    "alert": _rule,
    "chart": _chart,
    "digest": _hours,
    "mute": _filter,
    "only": _filter,
    "quiet": _quiet,
    "search": _search,
    "settings": _zone,
}


async def _as_said(_context: Context, said: str) -> str:
    return said


#: Command → what it is given for those words, where that is something else.
MEANT: dict[str, Callable[[Context, str], Awaitable[str]]] = {"digest": digest.with_more}
#: Command → whether it reads words that stand beside its name: what it is given is nothing else.
READS_AT_ONCE: dict[str, Reads] = {
    "digest": _hours_named,
    "mute": _filter,
    "quiet": _quiet,
    "search": _search,
    "settings": _zone,
}
#: What shows by taps how much a chat hears, to who wants less of all news, or more of something.
CHOICE = "subscribe"
#: The commands that are named here.
NAMED = READS.keys() | MEANT.keys() | READS_AT_ONCE.keys() | {CHOICE, "cancel", "news"}


def note(context: Context, command: str) -> None:
    """A command was written: alone it may be followed by what it asks for, else by nothing."""
    services, chat = context.services, context.chat
    if context.edited or chat.kind is not ChatKind.PRIVATE:
        return
    if command != "cancel":  # which tells whether there was anything
        services.followed_up.pop(chat.id, None)
    if command in READS and not context.words:
        services.followed_up[chat.id] = (command, services.clock() + LASTS)


async def command_of(context: Context, said: str) -> tuple[str, str] | None:
    """The command that these words answer or call by its name ("курсы"), and the words it is to be
    given; None where they stand for themselves.
    """
    answered = await _answered(context, said)
    if answered is not None or context.chat.kind is not ChatKind.PRIVATE:
        return answered  # in a group such a word was said to others
    called = command_called(said)
    if called is None:
        return await _given(context, said)
    note(context, called)
    return called, ""


async def _given(context: Context, said: str) -> tuple[str, str] | None:
    """A command that is called by its name with what it reads beside it: "quiet hours 23-7"."""
    begun, message = command_begun(said), context.incoming.effective_message
    # the headline of a post that is handed on asks for nothing
    if begun is None or (message is not None and is_second_hand(message)):
        return None
    if _reads_money(context.chat, said, context.services.clock()):  # "find the rate of the dollar"
        return None
    behind, inner = begun.behind, command_called(begun.behind)
    if inner is not None and "digest" in {begun.command, inner}:  # "курсы каждое утро"
        return "digest", ""
    if begun.command == "mute" and (inner is not None or _says_all(behind)):  # "no more news"
        return CHOICE, ""
    within = command_begun(behind) if begun.command in {"news", "rates"} else None
    if within is not None and within.command == "digest":  # "news every day at 8"
        return await _read_at_once(context, within)
    return (
        _followed(context, begun)
        or _found(begun)
        or _news_of(context, begun)
        or await _read_at_once(context, begun)
    )


async def _read_at_once(context: Context, begun: Begun) -> tuple[str, str] | None:
    command, behind = begun.command, begun.behind
    if command not in READS_AT_ONCE:
        return None
    if _names_language(begun.name):
        return command, ""  # what may be meant is a tap away there
    with suppress(UserError):
        if await READS_AT_ONCE[command](context, behind):
            if begun.denies and says_off(behind):
                return command, ""
            return command, await MEANT.get(command, _as_said)(context, behind)
    return None


def _followed(context: Context, begun: Begun) -> tuple[str, str] | None:
    """What chooses the currency or the topic that somebody wants to follow."""
    if begun.command != CHOICE:
        return None
    named = _reads(news.topic_of, begun.behind.split(), context.language)
    return (CHOICE, "") if named or currencies_in(begun.behind) else None


def _found(begun: Begun) -> tuple[str, str] | None:
    """What somebody asks to find that is shown without a search, or the words of news to find."""
    if begun.command != "search":
        return None
    shown, within = command_called(begun.behind), command_begun(begun.behind)
    if shown in {"rates", "news", "security"}:  # "find the news"
        return shown, ""
    if within is not None and within.command == "news":  # "find news about the border"
        return "search", within.behind
    return None


def _news_of(context: Context, begun: Begun) -> tuple[str, str] | None:
    """The news of a topic, of all where a day is named, else those in which words are found."""
    about = begun.behind
    if begun.command != "news":
        return None
    if says_off(about) or says_on(about):
        return CHOICE, ""
    today = context.services.clock().astimezone(ZoneInfo(context.chat.time_zone)).date()
    if _reads(news.topic_of, about.split(), context.language):
        return "news", about
    if _reads(read_day, about, today=today):
        return "news", ""
    return "search", about


def _says_all(said: str) -> bool:
    found = range_at(said.lower(), 0)
    return found is not None and found.span == ALL and found.end == len(said)


def _names_language(name: str) -> bool:
    """Whether it has the word for a language: "language Kyrgyz" asks for no time zone."""
    words = {fold_typed(t("settings.change_language", code)) for code in LANGUAGES}
    return not words.isdisjoint(name.split())


async def _answered(context: Context, said: str) -> tuple[str, str] | None:
    if context.edited:
        return None
    command, until = context.services.followed_up.pop(context.chat.id, ("", None))
    if until is None or context.services.clock() > until:
        return None
    if says_cancel(said):
        context.services.followed_up[context.chat.id] = (command, until)  # what /cancel ends
        return "cancel", ""
    with suppress(UserError):
        if await READS[command](context, said):
            return command, await MEANT.get(command, _as_said)(context, said)
    if command_called(said) == "stop":  # what was begun, and not all that ever comes
        context.services.followed_up[context.chat.id] = (command, until)
        return "cancel", ""
    return None
