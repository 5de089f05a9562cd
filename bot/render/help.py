"""What the bot can be asked: the list of commands, and a hint to who wrote something else."""

from __future__ import annotations

from collections.abc import Sequence

from bot.i18n import t
from bot.render.phrases import phrase
from bot.render.text import Message, bold, code, lines, message


def command_descriptions(names: Sequence[str], language: str) -> tuple[tuple[str, str], ...]:
    """(command, one line) for Telegram's menu; a command without words raises KeyError."""
    return tuple((name, t(f"command.{name}", language)) for name in names)


def commands(names: Sequence[str], language: str) -> Message:
    """The commands that exist here, one line each, and that one may simply write."""
    title = bold(t("help.title", language))
    rows = [f"/{name} – {line}" for name, line in command_descriptions(names, language)]
    return message(lines(title, *rows, "\n" + phrase("help.free", language)))


def unknown(language: str) -> Message:
    """To text that is neither a command nor a conversion."""
    return message(phrase("unknown.text", language, example=code("100 usd")))
