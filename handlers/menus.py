"""The menus that Telegram shows: who is offered which commands, and how one is set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.languages import LANGUAGES
from bot.render.help import command_descriptions


def menus(
    scope: Mapping[str, object], names: Sequence[str], language: str
) -> Iterator[dict[str, Any]]:
    """A scope's menu in each language, as `setMyCommands` takes it; others read `language`'s."""
    for code in ("", *LANGUAGES):  # no code: for every language that has no menu of its own
        menu: list[dict[str, str]] = []
        for name, words in command_descriptions(names, code or language):
            menu.append({"command": name, "description": words})
        yield {"commands": menu, "scope": dict(scope), "language_code": code or None}
