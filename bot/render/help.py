"""The help: the list of commands, and a hint to who wrote something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.i18n import t
from bot.render.phrases import phrase
from bot.render.text import Button, Message, Rich, bold, code, join, lines, message

REST = "help.settings"
#: The groups of /help, most used first, and in each its commands likewise.
GROUPS = {
    "help.rates": ("rates", "chart", "convert"),
    "help.news": ("news", "security", "search", "digest", "mute", "only", "feed", "feeds"),
    "help.alerts": ("alert", "alerts"),
    REST: ("subscribe", "settings", "quiet", "channel", "status", "stop"),
}
#: Commands about what is stored, on one line.
DATA = dict.fromkeys(("privacy", "mydata", "delete"))
#: What whoever reads this has found already, and a second name of /subscribe.
UNLISTED = frozenset({"help", "start", "unsubscribe"})


def command_descriptions(names: Sequence[str], language: str) -> tuple[tuple[str, str], ...]:
    """(command, one line) for Telegram's menu; a command without words raises KeyError."""
    return tuple((name, t(f"command.{name}", language)) for name in names)


def commands(names: Sequence[str], language: str) -> Message:
    """Examples of what one may simply write, then the commands that exist here, in groups."""
    groups = [phrase("help.free", language)]
    for head, members in _grouped(names):
        rows: list[Rich | str] = [bold(t(head, language))]
        for name in members:
            rows.append(f"/{name} – {_continued(t(f'command.{name}', language))}")
        if head == REST:
            data = [f"/{name}" for name in DATA if name in names]
            rows.append(f"{' '.join(data)} – {t('help.data', language)}")
        groups.append(lines(*rows))
    return message(join("\n\n", groups))


def _continued(said: str) -> str:
    """A line of the menu as it goes on behind a dash: with a small letter, but "RUB < 1"."""
    return said if said[1:2].isupper() else said[:1].lower() + said[1:]


def _grouped(names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The commands by group; what stands in none is among the settings."""
    listed = {name for members in GROUPS.values() for name in members}
    found: list[tuple[str, list[str]]] = []
    for head, members in GROUPS.items():
        here = [name for name in members if name in names]
        if head == REST:
            here += [name for name in names if name not in listed | UNLISTED | DATA.keys()]
        found.append((head, here))
    return found


def greeted(language: str) -> Message:
    """The answer to a greeting: the same, and what can be asked."""
    return message(phrase("greeting.back", language, example=code("100 usd")))


#: What words that were not understood speak of → what is said, with an example that works.
NOT_UNDERSTOOD = {
    "money": ("unknown.text", "100 usd"),
    "alert": ("unknown.alert", "/alert USD > 90"),
    "chart": ("unknown.chart", "/chart USD 30d"),
}


def unknown(language: str, about: str = "money", *, seek: str = "") -> Message:
    """The answer to text that is no command and no conversion; `about` is a key of that table,
    `seek` are words to look for in the news.
    """
    msgid, example = NOT_UNDERSTOOD[about]
    said = message(phrase(msgid, language, example=code(example)))
    if not seek:
        return said
    return replace(said, buttons=((Button(t("button.search_news", language), f"seek:{seek}"),),))
