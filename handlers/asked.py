"""Commands asked for in a sentence of a private chat: "show me the settings", "news about floods",
"дайджест каждый день в 8".

What changes something is done only where it cannot mean anything else, and offered for a tap where
it can: "hide football" and "hide your phone" are built alike.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.convert import is_courtesy, read_day, says_off
from bot.convert.commands import ALL, Begun, command_begun, command_called, range_at, says_on
from bot.convert.mentions import currencies_in
from bot.convert.quiet import parse_quiet, says_clock, says_span
from bot.errors import UserError
from bot.i18n import t
from bot.languages import LANGUAGES
from bot.languages.letters import fold_typed
from bot.model.chats import ChatKind
from handlers import digest, follow_up, news, rates
from handlers.access import is_second_hand
from handlers.context import Context
from handlers.follow_up import MEANT, READS, Reads, as_said, reads, reads_money
from handlers.unknown import LONGEST_WORDS

MOST_WORDS_OF_HOURS = 2  # of a text that says when, and nothing else


async def _omitted(context: Context, said: str) -> bool:
    """Whether it is a filter that fits on a button."""
    fits = len(said.encode()) <= LONGEST_WORDS and ":" not in said
    return fits and await READS["mute"](context, said)


async def _hours(_context: Context, said: str) -> bool:
    """Whether it says hours; behind the digest's name "8" is one."""
    return says_off(said) or bool(digest.times_or_off(said))


#: Command → whether it reads words that stand beside its name: what it is given is nothing else.
READS_AT_ONCE: dict[str, Reads] = {
    **{name: READS[name] for name in ("quiet", "search", "settings")},
    "digest": _hours,
    "mute": _omitted,
}
#: What shows by taps how much a chat hears, to who wants less of all news, or more of something.
CHOICE = "subscribe"
#: The commands that are named for what is written without a slash, by the module that does.
NAMED = {
    "follow_up": follow_up.NAMED,
    "asked": READS_AT_ONCE.keys() | {CHOICE, "alerts", "news", "rates", "security", "stop"},
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that is asked for in words, and those that it is to be given."""

    command: str
    words: str = ""
    offered: bool = False  # for a tap: who wrote it may have meant something else


async def command_of(context: Context, said: str) -> Asked | None:
    """The command that these words answer, call by its name ("курсы"), or ask for in a sentence;
    None where they stand for themselves.
    """
    answer = await follow_up.answered(context, said)
    if answer is not None:
        return Asked(*answer)
    message = context.incoming.effective_message
    # in a group such a word was said to others, and who hands on a post asks for nothing by it
    if context.chat.kind is not ChatKind.PRIVATE or (message and is_second_hand(message)):
        return None
    called = command_called(said)
    if called is not None:
        follow_up.note(context, called)
        return Asked(called)
    begun = None if is_courtesy(said) else command_begun(said)  # "thanks for the news"
    # "find the rate of the dollar" is money's
    if begun is None or reads_money(context.chat, said, context.services.clock()):
        return None
    return (
        _digest_of(begun)
        or _silent(begun)
        or _less_of(begun)
        or await _digest_at(context, begun)
        or _rates_of(context, begun)
        or _alerts_of(begun)
        or _followed(context, begun)
        or _found(begun)
        or _news_of(context, begun)
        or await _read_at_once(context, begun)
    )


def _digest_of(begun: Begun) -> Asked | None:
    """The digest of today, where rates or news are asked for every morning, or none any more."""
    inner = command_called(begun.behind)
    if "digest" not in {begun.command, inner}:
        return None
    if _ends(begun, inner):
        return Asked("digest", digest.OFF)
    return Asked("digest") if inner is not None else None


async def _digest_at(context: Context, begun: Begun) -> Asked | None:
    """The hours of a digest: "news every day at 8", "rates at 8 every day"."""
    within = command_begun(begun.behind)
    if within is None or "digest" not in {begun.command, within.command}:
        return None
    if {"news", "rates"}.isdisjoint({begun.command, within.command}):
        return None
    hours = Begun(command="digest", name=begun.name, behind=within.behind)
    return await _read_at_once(context, hours)


def _less_of(begun: Begun) -> Asked | None:
    """What shows how much a chat hears, to who wants less of all: "no more news"."""
    if begun.command != "mute":
        return None
    if not begun.is_verb:  # "filter football" may mean either
        return Asked("mute")
    less_of_all = command_called(begun.behind) is not None or _says_all(begun.behind)
    return Asked(CHOICE) if less_of_all else None


def _ends(begun: Begun, inner: str | None) -> bool:
    """Whether a digest is to come no more: "stop the digest", "don't send the digest"."""
    if inner == "digest":
        return begun.command == "stop" or (begun.command == "mute" and begun.is_verb)
    return says_off(begun.behind)


def _silent(begun: Begun) -> Asked | None:
    """Quiet hours that somebody asks for by what is not to come then: "don't write at night"."""
    if begun.command not in {"mute", "stop", "quiet", CHOICE}:
        return None
    behind = begun.behind
    if reads(parse_quiet, behind) and says_span(behind) and not says_off(behind):
        return Asked("quiet", behind)
    # a part of the day may be what a headline is about: "quiet night in Osh"
    few = len(behind.split()) <= MOST_WORDS_OF_HOURS
    return Asked("quiet") if few and says_clock(behind) else None


def _alerts_of(begun: Begun) -> Asked | None:
    """The list in which an alert is deleted by a tap: "delete alert 1"."""
    return Asked("alerts") if begun.command == "alerts" and " " in begun.name else None


def _rates_of(context: Context, begun: Begun) -> Asked | None:
    """The rates of currencies, asked for in other words than an amount: "лучший курс доллара"."""
    behind = begun.behind
    if begun.command != "rates" or not currencies_in(behind):
        return None
    today = context.services.clock().astimezone(ZoneInfo(context.chat.time_zone)).date()
    with suppress(UserError):
        codes, _ = rates.parse_rates_request(behind.split(), today=today, home=context.chat.home)
        if set(codes) <= set(currencies_in(behind)):
            return Asked("rates", behind)
    return None


async def _read_at_once(context: Context, begun: Begun) -> Asked | None:
    command, behind = begun.command, begun.behind
    if command not in READS_AT_ONCE:
        return None
    if command == "settings" and not _names_zone(begun.name):
        # what may be meant is a tap away there
        named = _names_language(begun.name) and len(behind.split()) == 1
        return Asked(command) if named else None
    with suppress(UserError):
        if await READS_AT_ONCE[command](context, behind):
            if begun.denies and says_off(behind):
                return Asked(command)
            meant = await MEANT.get(command, as_said)(context, behind)
            return Asked(command, meant, offered=command == "mute")
    return None


def _followed(context: Context, begun: Begun) -> Asked | None:
    """What chooses the currency or the topic that somebody wants to follow."""
    if begun.command != CHOICE:
        return None
    named = reads(news.topic_of, begun.behind.split(), context.language)
    return Asked(CHOICE) if named or currencies_in(begun.behind) else None


def _found(begun: Begun) -> Asked | None:
    """What somebody asks to find that is shown without a search, or the words of news to find."""
    if begun.command != "search":
        return None
    shown, within = command_called(begun.behind), command_begun(begun.behind)
    if shown in {"rates", "news", "security"}:  # "find the news"
        return Asked(shown)
    if within is not None and within.command == "news":  # "find news about the border"
        return Asked("search", within.behind)
    return None


def _news_of(context: Context, begun: Begun) -> Asked | None:
    """The news of a topic, of all where a day is named, else those in which words are found."""
    about = begun.behind
    if begun.command != "news":
        return None
    if says_off(about) or says_on(about):
        return Asked(CHOICE)
    today = context.services.clock().astimezone(ZoneInfo(context.chat.time_zone)).date()
    if reads(news.topic_of, about.split(), context.language):
        return Asked("news", about)
    if reads(read_day, about, today=today):
        return Asked("news")
    return Asked("search", about)


def _says_all(said: str) -> bool:
    found = range_at(said.lower(), 0)
    return found is not None and found.span == ALL and found.end == len(said)


def _names_zone(name: str) -> bool:
    """Whether it is one for the time zone: "settings Osh" asks for none."""
    joined = name.replace(" ", "")
    zones = {fold_typed(t("settings.change_zone", code)).replace(" ", "") for code in LANGUAGES}
    return any(zone in joined for zone in zones)


def _names_language(name: str) -> bool:
    """Whether it has the word for a language: "language Kyrgyz" asks for no time zone."""
    words = {fold_typed(t("settings.change_language", code)) for code in LANGUAGES}
    return not words.isdisjoint(name.split())
