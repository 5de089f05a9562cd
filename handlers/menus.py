"""The menus that Telegram shows: who is offered which commands, and how one is set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

from bot.languages import LANGUAGES
from bot.render.help import command_descriptions


class MenuLine(TypedDict):
    """A command, and what the menu says of it."""

    command: str
    description: str


class Menu(TypedDict):
    """What `setMyCommands` takes: one language's menu of a scope, None for all other languages."""

    commands: list[MenuLine]
    scope: Mapping[str, object]
    language_code: str | None


def menus(scope: Mapping[str, object], names: Sequence[str], language: str) -> Iterator[Menu]:
    """A scope's menu in each language, as `setMyCommands` takes it; others read `language`'s."""
    for code in ("", *LANGUAGES):  # no code: for every language that has no menu of its own
        menu: list[MenuLine] = []
        for name, words in command_descriptions(names, code or language):
            menu.append({"command": name, "description": words})
        yield {"commands": menu, "scope": dict(scope), "language_code": code or None}
