"""The menus that Telegram shows: who is offered which commands, and how one is set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NotRequired, TypedDict

from bot.languages import LANGUAGES
from bot.render.help import command_descriptions


class MenuLine(TypedDict):
    """A command, and what the menu says of it; an ephemeral one is seen by its author alone."""

    command: str
    description: str
    is_ephemeral: NotRequired[bool]


class Menu(TypedDict):
    """The parameters of `setMyCommands`: a menu of a scope in one language, None for all others."""

    commands: list[MenuLine]
    scope: Mapping[str, object]
    language_code: str | None


def menus(
    scope: Mapping[str, object],
    names: Sequence[str],
    language: str,
    personal: Collection[str] = (),
) -> Iterator[Menu]:
    """A scope's menu in each language, as `setMyCommands` takes it; others read `language`'s.

    Those that are `personal` are sent as ephemeral messages.
    """
    for code in ("", *LANGUAGES):  # no code: for every language that has no menu of its own
        menu: list[MenuLine] = []
        for name, words in command_descriptions(names, code or language):
            line: MenuLine = {"command": name, "description": words}
            if name in personal:
                line["is_ephemeral"] = True
            menu.append(line)
        yield {"commands": menu, "scope": dict(scope), "language_code": code or None}
