"""The bot introduces itself: to a reader, to a channel, and where it may not write."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.i18n import t
from bot.languages import LANGUAGES
from bot.model.chats import ChatKind
from bot.model.rates import Rate
from bot.render.numbers import short
from bot.render.phrases import phrase
from bot.render.subscriptions import done_button, switches
from bot.render.text import Button, Message, Rich, bold, lines, message, one_line


def description(language: str) -> str:
    """The bot in a few sentences, for a chat in which nothing was said yet."""
    return t("start.what", language)


def start(
    language: str,
    *,
    currencies: Sequence[str],
    topics: Sequence[str],
    chosen: Collection[str] = (),
    name: str = "",
    rates: Sequence[Rate] = (),
) -> Message:
    """The greeting, with currencies and topics to choose from.

    Data `cur:USD`, `top:security`, `lang:?`, `done`; `chosen` are the data strings already on;
    `name` is what the reader is called; `rates` are today's, the first thing to be useful.
    """
    hello = phrase("start.hello", language)
    if name:
        hello = phrase("start.hello_name", language, name=one_line(name))
    today = None
    if rates:
        said = [f"{rate.pair.base}\u00a0{short(rate.per_unit, language)}" for rate in rates]
        today = "\n" + phrase("start.today", language, rates=" · ".join(said))
    text = lines(
        bold(hello), phrase("start.what", language), today, "\n" + phrase("start.choose", language)
    )
    rows = [*switches(language, currencies, topics, chosen), _others(language)]
    return message(text, [*rows, [done_button(language)]])


def _others(language: str) -> list[Button]:
    """The other languages, each in its own name, so that who reads nothing of the message finds
    the way out of it: data `lang:?`.
    """
    found: list[Button] = []
    for code in LANGUAGES:
        if code != language:
            found.append(Button(t("language.name", code), f"lang:{code}"))
    return found


def group(language: str) -> Message:
    """The greeting of a group: what anybody may ask, and that an administrator sets it up by taps:
    data `set:topics`, `set:back`, `lang:?`.
    """
    ways = [
        Button(t("settings.change_topics", language), "set:topics"),
        Button(t("settings.title", language), "set:back"),
    ]
    text = lines(phrase("group.hello", language), phrase("group.setup", language))
    return message(text, [ways, _others(language)])


def channel_welcome(
    title: str, codes: Sequence[str], language: str, *, setup: int | None = None
) -> Message:
    """The welcome to who made the bot a channel's administrator: the currencies whose moves it
    posts.

    The channel's set-up, where it is theirs, opens by a tap: data `chan:7:open`.
    """
    text = phrase("channel.welcome", language, title=bold(one_line(title)), codes=", ".join(codes))
    return message(text, _way_to(setup, language))


def channel_again(
    title: str, following: Sequence[str], language: str, *, setup: int | None = None
) -> Message:
    """A word to who made the bot post in a channel that has chosen: `following` stays."""
    posts = phrase("channel.follows_nothing", language)
    if following:
        posts = phrase("channel.follows", language, what=", ".join(following))
    return message(lines(_may_post(title, language), posts), _way_to(setup, language))


def channel_of_catalog(title: str, language: str) -> Message:
    """A word to who made the bot post in a channel that the catalog sets up."""
    by_whom = phrase("error.channel.catalog", language, title=one_line(title))
    return message(lines(_may_post(title, language), by_whom))


def _may_post(title: str, language: str) -> Rich:
    return phrase("channel.may_post", language, title=bold(one_line(title)))


def _way_to(setup: int | None, language: str) -> list[list[Button]]:
    if setup is None:
        return []
    return [[Button(t("channel.open", language), f"chan:{setup}:open")]]


def no_right(title: str, language: str, kind: ChatKind) -> Message:
    """The hint to who gave the bot a place in a channel or a group where it may not write."""
    shown = bold(one_line(title))
    if kind is ChatKind.CHANNEL:
        return message(phrase("channel.no_right", language, title=shown))
    return message(phrase("group.no_right", language, title=shown))
