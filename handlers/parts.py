"""The parts that lines of the routing table must bring: one that lacks any is told by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from telegram.ext import filters

from bot.fitting import is_awaited, takes
from bot.found import nearest
from bot.i18n import known
from bot.languages import languages
from bot.model.chats import ChatKind
from handlers.access import Route, Where, Who
from handlers.context import Context, Handler

Press = Callable[..., Awaitable[None]]
#: What Telegram takes as a command's name.
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
#: What handlers of several tables begin with, by the names of the types.
TAKEN = {"Update", "Context", "Services", "str"}
LONGEST_DATA = 64  # bytes that a button can send


@dataclass(frozen=True, slots=True)
class With:
    """A button's action whose first word is also its first argument."""

    pressed: Press
    what: str

    async def __call__(self, context: Context, *rest: str) -> None:
        """Do it, with that word before the rest."""
        await self.pressed(context, self.what, *rest)


def is_route(line: object) -> bool:
    """Whether a line of the table is one: a function alone says of nobody that they may."""
    return isinstance(line, Route)


def is_used_in(kind: ChatKind, line: object) -> bool:
    """Whether a route is used in chats of a kind; half a line, of which the start tells, is not."""
    where = getattr(line, "where", None)
    return isinstance(where, Where) and kind in where.value


def lacking(commands: Mapping[str, Route[Handler]]) -> list[str]:
    """The parts that commands lack to be offered and explained, a sentence each."""
    found: list[str] = []
    for name, one in commands.items():
        if not is_route(one):  # told as a route
            continue
        if not COMMAND.fullmatch(name):
            found.append(f"command /{name}: its name is not 1 to 32 of a-z, 0-9 and _")
        if callable(one.who) and one.offered is None:
            found.append(f"command /{name}: its route lacks `offered`, whom the menu shows it to")
        if not known(f"command.{name}"):
            found.append(
                f"command /{name}: the texts lack command.{name}, what the menu says of it"
            )
    return found


def misnamed(commands: Collection[str], named: Mapping[str, Iterable[str]]) -> list[str]:
    """The names in languages' words for commands, and those `named` in modules of handlers, that no
    command has, a sentence each: whoever said such words would hear of a fault of ours, or nothing.
    """
    found: list[str] = []
    for module, names in named.items():
        for name in sorted(set(names).difference(commands)):
            wrong = f"{name} is no command{nearest(name, commands)}"
            found.append(f"handlers/{module}.py: {wrong}")
    for spoken in languages():
        place = f"language {spoken.code}: bot/languages/{spoken.code}/commands.py"
        words = spoken.commands
        for field, names in (
            ("called", words.called),
            ("given", words.given),
            ("given_last", words.given_last),
        ):
            for name in names:
                if name not in commands:
                    wrong = f"{name} is no command{nearest(name, commands)}"
                    found.append(f"{place}: {field}: {wrong}")
    return found


def unusable(routes: Mapping[str, Route[Any]]) -> list[str]:
    """The parts that routes lack to be used at all, a sentence each."""
    found: list[str] = []
    for name, one in routes.items():
        if not is_route(one):
            found.append(f"{name}: its line is no Route")
            continue
        # which may be anything where it was written without a check
        who, where, offered = cast("tuple[object, ...]", (one.who, one.where, one.offered))
        heard, names = cast("tuple[object, ...]", (one.heard, one.names))
        if not callable(one.handler):
            found.append(f"{name}: its route lacks a handler")
        elif not _is_awaited(one.handler):
            found.append(f"{name}: its handler is no coroutine function")
        if not isinstance(who, Who) and not is_awaited(who):
            found.append(f"{name}: its route lacks `who`, who may use it")
        elif callable(who) and not _fits(who, ["Context"]):
            found.append(f"{name}: `who` of its route, {_called(who)}, should take (Context)")
        if not isinstance(where, Where):
            found.append(f"{name}: its route lacks `where`, in which chats it is used")
        if one.elsewhere and (where is Where.ANYWHERE or not known(one.elsewhere)):
            found.append(f"{name}: `elsewhere` of its route is no text for where it is not used")
        if not isinstance(heard, filters.BaseFilter):
            found.append(f"{name}: its route lacks `heard`, a filter of what is written")
        if (who is Who.POSTER) != is_awaited(names):
            found.append(f"{name}: a poster's route has `names`, which finds the channel, no other")
        if not isinstance(offered, Who | None):
            found.append(f"{name}: `offered` of its route is no Who, whom the menu shows it to")
    return found


def unmeant(words: Mapping[str, Route[Handler]]) -> list[str]:
    """The routes of what is written that take all of it, a sentence each: no line behind such a one
    would ever be tried.
    """
    found: list[str] = []
    for name, one in words.items():
        if is_route(one) and one.heard is filters.ALL:
            found.append(f"what is written, {name}: its route lacks `heard`, which part is meant")
    return found


def _is_awaited(handler: object) -> bool:
    """Whether it is a coroutine function, or a button's that calls one."""
    if isinstance(handler, With):
        handler = handler.pressed
    return is_awaited(handler)


def _called(function: object) -> str:
    return str(getattr(function, "__name__", function))


def _fits(function: object, types: Sequence[str]) -> bool:
    """Whether a function takes these, as far as it says.

    Their number alone says little: what a button does may take two values, as a command does.
    """
    if not takes(function, len(types)):
        return False
    taken = inspect.signature(cast("Callable[..., object]", function)).parameters.values()
    for one, wanted in zip(taken, types, strict=False):
        said = getattr(one.annotation, "__name__", one.annotation)
        if said in TAKEN - {wanted} and one.kind is not one.VAR_POSITIONAL:
            return False
    return True


def paired(
    buttons: Mapping[tuple[str, int], Route[Press]],
) -> tuple[dict[tuple[str, int], Route[Press]], list[str]]:
    """The buttons whose keys are pairs, and a sentence for each other: a key may be anything where
    it was written without a check.
    """
    pairs, others = {}, []
    for key, one in buttons.items():
        match cast("object", key):
            case (str(), int()):
                pairs[key] = one
            case _:
                others.append(f"button {key!r}: its key is not (first word, how many follow)")
    return pairs, others


def unreachable(buttons: Mapping[tuple[str, int], Route[Press]]) -> list[str]:
    """The buttons that nobody could ever press, a sentence each."""
    found: list[str] = []
    for verb, count in buttons:
        if not verb or ":" in verb:
            found.append(f"button {verb} with {count} words: its first word is one without a colon")
        # a colon before each word that follows
        elif count < 0 or len(verb.encode()) + count > LONGEST_DATA:
            found.append(f"button {verb} with {count} words: so much data no button can send")
    return found


def unfit(routes: Mapping[str, Route[Any]], *types: str) -> list[str]:
    """The routes whose handlers take something else than these, a sentence each."""
    found: list[str] = []
    for name, one in routes.items():
        # what is no route, or without a handler, is told elsewhere
        if is_route(one) and callable(one.handler) and not _fits(one.handler, types):
            shown = _called(one.handler)
            found.append(f"{name}: its handler, {shown}, should take ({', '.join(types)})")
    return found


def misfitting(buttons: Mapping[tuple[str, int], Route[Press]]) -> list[str]:
    """The buttons whose handlers take something else than so many words, a sentence each."""
    found: list[str] = []
    for (verb, count), one in buttons.items():
        if not is_route(one):  # told as a route
            continue
        handler: Any = one.handler
        types = ["Context", *["str"] * count]
        if isinstance(handler, With):
            handler, types = handler.pressed, [*types, "str"]
        if callable(handler) and not _fits(handler, types):  # else told as a route
            should = f"{_called(handler)} should take ({', '.join(types)})"
            found.append(f"button {verb} with {count} words: {should}")
    return found
