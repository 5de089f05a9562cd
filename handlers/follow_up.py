"""What is written next after a bare command that asks for something: "/mute", then "football".

Only in a private chat, once, and for some minutes; a restart forgets it, as it forgets what was
answered to what. What the command cannot read, an amount of money after /mute, and a bare number
after /digest, which may be one, is taken as if no command stood before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from bot.convert import is_greeting, looks_like_question, read_zone, says_off
from bot.convert.quiet import parse_quiet, says_clock
from bot.errors import UserError
from bot.model.chats import ChatKind
from handlers import charts, digest, proposals
from handlers.context import Context

LASTS = timedelta(minutes=10)
Reads = Callable[[Context, str], Awaitable[bool]]


async def _search(_context: Context, said: str) -> bool:
    return bool(said.strip())


async def _filter(_context: Context, said: str) -> bool:
    # "100 usd" is asked for at any time, and would be a strange thing not to hear of
    has_figure = any(char.isdigit() for char in said)
    return not (has_figure and looks_like_question(said)) and not is_greeting(said)


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


async def _as_said(_context: Context, said: str) -> str:
    return said


#: Command → what it is given for those words, where that is something else.
MEANT: dict[str, Callable[[Context, str], Awaitable[str]]] = {"digest": digest.with_more}


def note(context: Context, command: str) -> None:
    """A command was written: alone it may be followed by what it asks for, else by nothing."""
    services, chat = context.services, context.chat
    if context.edited or chat.kind is not ChatKind.PRIVATE:
        return
    services.followed_up.pop(chat.id, None)
    if command in READS and not context.words:
        services.followed_up[chat.id] = (command, services.clock() + LASTS)


async def command_of(context: Context, said: str) -> tuple[str, str] | None:
    """The command that these words answer, and the words it is to be given; None where they stand
    for themselves.
    """
    if context.edited:
        return None
    command, until = context.services.followed_up.pop(context.chat.id, ("", None))
    if until is None or context.services.clock() > until:
        return None
    with suppress(UserError):
        if await READS[command](context, said):
            return command, await MEANT.get(command, _as_said)(context, said)
    return None
