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
    read_zone,
    says_cancel,
    says_off,
)
from bot.convert.commands import (
    command_called,
    says_on,
    speaks_of_chart,
)
from bot.convert.mentions import currencies_in
from bot.convert.quiet import parse_quiet, says_clock
from bot.convert.rule_tokens import asks_to_be_told, speaks_of_rule
from bot.errors import UserError
from bot.model.chats import Chat, ChatKind
from handlers import charts, digest, proposals
from handlers.context import Context

P = ParamSpec("P")
LASTS = timedelta(minutes=10)  # later, a word stands for itself
MOST_WORDS_OF_HOURS = 2  # of a text that says when, and nothing else
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
        return bool(currencies_in(said)) or reads(charts.parse_chart, said.split(), home=chat.home)
    return reads_money(chat, said, now)


def reads_money(chat: Chat, said: str, now: datetime) -> bool:
    """Whether words are a question about money, of any day."""
    today = now.astimezone(ZoneInfo(chat.time_zone)).date()
    return reads(parse_inquiry, said, language=chat.language, home=chat.home, today=today)


def reads(reader: Callable[P, object], *args: P.args, **values: P.kwargs) -> bool:
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


async def as_said(_context: Context, said: str) -> str:
    """The words as they are, for a command that reads them itself."""
    return said


#: Command → what it is given for those words, where that is something else.
MEANT: dict[str, Callable[[Context, str], Awaitable[str]]] = {"digest": digest.with_more}
#: The commands that are named here.
NAMED = READS.keys() | MEANT.keys() | {"cancel", "stop"}


def note(context: Context, command: str) -> None:
    """A command was written: alone it may be followed by what it asks for, else by nothing."""
    services, chat = context.services, context.chat
    if context.edited or chat.kind is not ChatKind.PRIVATE:
        return
    if command != "cancel":  # which tells whether there was anything
        services.followed_up.pop(chat.id, None)
    if command in READS and not context.words:
        services.followed_up[chat.id] = (command, services.clock() + LASTS)


async def answered(context: Context, said: str) -> tuple[str, str] | None:
    """The command that these words answer, and those that it is to be given; None where none waits,
    or not for them.
    """
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
            return command, await MEANT.get(command, as_said)(context, said)
    if command_called(said) == "stop":  # what was begun, and not all that ever comes
        context.services.followed_up[context.chat.id] = (command, until)
        return "cancel", ""
    return None
