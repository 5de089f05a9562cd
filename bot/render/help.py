"""Conversation: greeting, help, errors, and short answers to what was set.

An error's words are the catalog's; its values become words here, by their type.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, time, timedelta
from decimal import Decimal

from bot.errors import UserError
from bot.i18n import ago, city, clock, day, known, name_of, number, span, t, tn, zone_name
from bot.languages import LANGUAGES
from bot.model.chats import ChatKind, Style
from bot.model.rates import RateKind
from bot.model.status import SourceStatus, Status
from bot.render.news import rows_of, topic_name
from bot.render.rates import kind_name
from bot.render.text import Button, Message, Rich, bold, code, fill, join, lines, message, one_line

CHOSEN = "✓"
SHOWN_SOURCES = 40  # a status of a hundred feeds would not fit a message

# What `say` can say, with the values each needs.
ANSWERS: dict[str, frozenset[str]] = {
    "cancel.done": frozenset(),
    "delete.done": frozenset(),
    "digest.off": frozenset(),
    "digest.time_set": frozenset({"time"}),
    "held.approved": frozenset({"source", "rate"}),
    "held.rejected": frozenset({"source", "rate"}),
    "language.set": frozenset(),
    "mute.done": frozenset({"what"}),
    "mydata.ready": frozenset(),
    "rule.deleted": frozenset({"rule"}),
    "rule.paused": frozenset({"rule"}),
    "rule.resumed": frozenset({"rule"}),
    "rule.saved": frozenset({"rule"}),
    "rule.saved_asleep": frozenset({"rule"}),
    "settings.saved": frozenset(),
    "snooze.done": frozenset({"time"}),
    "snooze.undone": frozenset(),
    "stop.done": frozenset(),
    "story.approved": frozenset({"title"}),
    "story.rejected": frozenset({"title"}),
    "zone.ask": frozenset(),
    "zone.set": frozenset({"zone", "time"}),
}
# What a UserError can carry to the reader, likewise.
ERRORS: dict[str, frozenset[str]] = {
    "error.admins_only": frozenset(),
    "error.arguments": frozenset({"example"}),
    "error.chart.same": frozenset({"code", "example"}),
    "error.chart.word": frozenset({"word", "example"}),
    "error.convert.amount": frozenset({"amount"}),
    "error.convert.currency": frozenset(),
    "error.convert.digits": frozenset({"limit"}),
    "error.convert.empty": frozenset(),
    "error.convert.large": frozenset({"limit"}),
    "error.convert.long": frozenset({"limit"}),
    "error.convert.percent": frozenset(),
    "error.convert.same": frozenset({"code"}),
    "error.convert.unclear": frozenset(),
    "error.convert.word": frozenset({"word"}),
    "error.convert.zero": frozenset(),
    "error.currency": frozenset({"code", "known"}),
    "error.date": frozenset({"text", "example"}),
    "error.date_future": frozenset({"day"}),
    "error.link": frozenset(),
    "error.mydata_anonymous": frozenset(),
    "error.mydata_private": frozenset({"bot"}),
    "error.story_gone": frozenset(),
    "error.no_chart": frozenset({"pair"}),
    "error.no_conversion": frozenset({"base", "quote"}),
    "error.no_rates": frozenset(),
    "error.no_rates_on": frozenset({"day", "nearest"}),
    "error.private_only": frozenset(),
    "error.rule.amount": frozenset(),
    "error.rule.date": frozenset({"part"}),
    "error.rule.date_past": frozenset({"day"}),
    "error.rule.kind": frozenset({"pair", "kind", "known"}),
    "error.rule.level_window": frozenset(),
    "error.rule.no_amount": frozenset(),
    "error.rule.no_currency": frozenset(),
    "error.rule.pair": frozenset({"pair", "known"}),
    "error.rule.percent_side": frozenset(),
    "error.rule.same_currency": frozenset({"code"}),
    "error.rule.too_small": frozenset({"smallest"}),
    "error.rule.two_amounts": frozenset({"part"}),
    "error.rule.two_currencies": frozenset({"first", "second"}),
    "error.rule.two_sides": frozenset(),
    "error.rule.unclear": frozenset({"part"}),
    "error.rule.window": frozenset({"longest"}),
    "error.stale": frozenset(),
    "error.story_approved": frozenset(),
    "error.story_expired": frozenset(),
    "error.story_rejected": frozenset(),
    "error.throttled": frozenset({"wait"}),
    "error.time": frozenset({"text", "example"}),
    "error.too_many": frozenset({"limit"}),
    "error.topic": frozenset({"topic", "known"}),
    "error.unexpected": frozenset(),
    "error.place": frozenset({"example"}),
    "error.zone": frozenset({"text", "example"}),
}


def command_descriptions(names: Sequence[str], language: str) -> tuple[tuple[str, str], ...]:
    """(command, one line) for Telegram's menu, in the order given; a command without words raises
    KeyError.
    """
    return tuple((name, t(f"command.{name}", language)) for name in names)


def description(language: str) -> str:
    """What the bot is, for a chat in which nothing was said yet."""
    return t("start.what", language)


def start(
    language: str,
    *,
    currencies: Sequence[str],
    topics: Sequence[str],
    chosen: Collection[str] = (),
    name: str = "",
) -> Message:
    """The greeting, with currencies and topics to choose from: data `cur:USD`, `top:security`,
    `lang:?`, `done`.

    `chosen` are the data strings already on; `name` is what the reader is called.
    """
    hello = (
        fill(t("start.hello_name", language), name=one_line(name))
        if name
        else fill(t("start.hello", language))
    )
    text = lines(
        bold(hello), fill(t("start.what", language)), "\n" + fill(t("start.choose", language))
    )
    languages = [
        Button(t("language.name", code), f"lang:{code}") for code in LANGUAGES if code != language
    ]
    return message(
        text, [*_toggles(language, currencies, topics, chosen), languages, [_done(language)]]
    )


def subscribe(
    language: str, *, currencies: Sequence[str], topics: Sequence[str], chosen: Collection[str] = ()
) -> Message:
    """The menu of subscriptions: a tap switches one on or off, what is on carries ✓."""
    text = fill(t("subscribe.choose", language))
    return message(text, [*_toggles(language, currencies, topics, chosen), [_done(language)]])


def subscribed(language: str, currencies: Sequence[str], topics: Sequence[str]) -> Message:
    """What the chat gets from now on, after `done`."""
    kept = [*currencies, *(topic_name(topic, language) for topic in topics)]
    if not kept:
        return message(fill(t("subscribe.nothing", language)))
    return message(fill(t("subscribe.saved", language), what=bold(", ".join(kept))))


def help(names: Sequence[str], language: str) -> Message:  # noqa: A001 - the command's name
    """The commands that exist here, one line each, and that one may simply write."""
    rows = [f"/{name} – {line}" for name, line in command_descriptions(names, language)]
    return message(
        lines(bold(t("help.title", language)), *rows, "\n" + fill(t("help.free", language)))
    )


def language_menu(language: str) -> Message:
    """The languages, each in its own name, and back: data `lang:ru`, `set:back`."""
    return message(
        fill(t("language.choose", language)),
        [
            *(
                [_toggle(t("language.name", one), f"lang:{one}", on=one == language)]
                for one in LANGUAGES
            ),
            [_back(language)],
        ],
    )


def error(error: UserError, language: str, *, today: date | None = None) -> Message:
    """A wrong question, answered: what is wrong and an example that works. Never an id, whatever
    the error.

    Dates are written with their year unless it is `today`'s.
    """
    if not known(error.msgid):
        return message(fill(t("error.unexpected", language)))
    wanted = ERRORS.get(error.msgid, error.values.keys())
    return say(
        error.msgid, language, today=today, **{k: v for k, v in error.values.items() if k in wanted}
    )


def say(msgid: str, language: str, *, today: date | None = None, **values: object) -> Message:
    """A short answer from the catalog, with values made into words as in an error."""
    words = {
        name: _value(name, value, language, today or date.min) for name, value in values.items()
    }
    return message(fill(t(msgid, language), **words))


def status(status: Status, language: str) -> Message:
    """How fresh each source is, how long the queue, when the last message went out."""
    sources = [_source(source, status, language) for source in status.sources]
    hidden = len(sources) - SHOWN_SOURCES
    queue = fill(tn("status.waiting", status.waiting, language), n=status.waiting)
    if status.oldest is not None and status.waiting:
        queue = join(
            ", ", [queue, fill(t("status.oldest", language), age=span(status.oldest, language))]
        )
    sent = (
        fill(t("status.sent", language), ago=ago(status.now - status.last_sent_at, language))
        if status.last_sent_at
        else fill(t("status.sent_nothing", language))
    )
    rest = fill(tn("status.more", hidden, language), n=hidden) if hidden > 0 else None
    empty = fill(t("status.no_sources", language)) if not sources else None
    return message(
        lines(
            bold(t("status.title", language)),
            *sources[:SHOWN_SOURCES],
            rest,
            empty,
            "\n" + queue,
            sent,
        )
    )


def channel_welcome(title: str, codes: Sequence[str], language: str) -> Message:
    """To the one who made the bot an administrator of a channel, with the currencies whose moves it
    posts there.
    """
    return message(
        fill(t("channel.welcome", language), title=bold(one_line(title)), codes=", ".join(codes))
    )


def no_right(title: str, language: str, kind: ChatKind) -> Message:
    """To the one who gave the bot a place in a channel or a group where it may not write."""
    msgid = "channel.no_right" if kind is ChatKind.CHANNEL else "group.no_right"
    return message(fill(t(msgid, language), title=bold(one_line(title))))


def unknown(language: str) -> Message:
    """To text that is neither a command nor a conversion."""
    return message(fill(t("unknown.text", language), example=code("100 usd")))


def settings(language: str, *, zone: str, style: Style) -> Message:
    """What the chat has chosen; a button for each thing to change: data `set:language`, `set:zone`,
    `style:brief`.
    """
    rows = [
        fill(t("settings.language", language), language=t("language.name", language)),
        fill(t("settings.zone", language), zone=zone_name(zone)),
        fill(t("settings.style", language), style=t(f"style.{style.value}", language)),
    ]
    styles = [
        _toggle(t(f"style.{one.value}", language), f"style:{one.value}", on=one is style)
        for one in Style
    ]
    other = [
        Button(t("settings.change_language", language), "set:language"),
        Button(t("settings.change_zone", language), "set:zone"),
    ]
    topics = [Button(t("settings.change_topics", language), "set:topics")]
    return message(lines(bold(t("settings.title", language)), *rows), [styles, other, topics])


def zone_menu(
    language: str, zones: Sequence[str], *, chosen: str, example: str, place: bool = False
) -> Message:
    """Time zones by their cities: data `zone:Asia/Bishkek`; `example` is how to write any other.

    Where a location can be sent (`place`), it may be found by that: data `set:place`.
    """
    other = fill(t("zone.other", language), example=code(example))
    text = lines(fill(t("settings.zone", language), zone=zone_name(chosen)), other)
    cities = [_toggle(city(one, language), f"zone:{one}", on=one == chosen) for one in zones]
    placed = [[Button(t("zone.place", language), "set:place")]] if place else []
    return message(text, [*rows_of(cities, 2), *placed, [_back(language)]])


def zone_choice(language: str, zones: Sequence[str]) -> Message:
    """The time zones of a country that has several, by their cities: data `zone:Asia/Omsk`."""
    cities = [Button(city(one, language), f"zone:{one}") for one in zones]
    return message(t("zone.which", language), rows_of(cities, 2))


def privacy(
    language: str, *, written: timedelta, sent: timedelta, away: timedelta, copies: timedelta
) -> Message:
    """What is stored and how to get or erase it.

    And for how long: what people `written`, what was `sent`, a chat that went `away`, `copies` of
    the database.
    """
    text = fill(
        t("privacy.text", language),
        hours=str(written // timedelta(hours=1)),
        sent=str(sent.days),
        away=str(away.days),
        copies=str(copies.days),
    )
    return message(lines(bold(t("privacy.title", language)), text))


def delete_question(language: str) -> Message:
    """Asks before everything about a chat is erased: data `delete:yes`, `delete:no`."""
    return message(
        fill(t("delete.question", language)),
        [
            [
                Button(t("delete.yes", language), "delete:yes"),
                Button(t("delete.no", language), "delete:no"),
            ]
        ],
    )


def _toggles(
    language: str, currencies: Sequence[str], topics: Sequence[str], chosen: Collection[str]
) -> list[list[Button]]:
    money = [_toggle(one, f"cur:{one}", on=f"cur:{one}" in chosen) for one in currencies]
    news = [
        _toggle(topic_name(one, language), f"top:{one}", on=f"top:{one}" in chosen)
        for one in topics
    ]
    return [*rows_of(money, 4), *rows_of(news, 2)]


def _toggle(text: str, data: str, *, on: bool) -> Button:
    return Button(f"{CHOSEN} {text}" if on else text, data)


def _back(language: str) -> Button:
    return Button(t("button.back", language), "set:back")


def _done(language: str) -> Button:
    return Button(t("button.done", language), "done")


def _source(source: SourceStatus, status: Status, language: str) -> Rich:
    name = name_of(source.names, language) or source.key
    seen = (
        ago(status.now - source.last_ok_at, language)
        if source.last_ok_at
        else t("status.never", language)
    )
    stuck = None
    if source.stuck_on is not None:
        stuck = fill(
            t("status.stuck", language), day=day(source.stuck_on, language, today=status.now.date())
        )
    partly = (
        t("status.partly", language) if source.error is not None and not source.failures else None
    )
    if not source.failures and stuck is None and partly is None:
        return Rich(
            f"🟢 {one_line(name)} – {seen}"
            if source.last_ok_at
            else f"⚪ {one_line(name)} – {seen}"
        )
    trouble = (
        fill(tn("status.failures", source.failures, language), n=source.failures)
        if source.failures
        else None
    )
    return join(" · ", [f"🟠 {one_line(name)} – {seen}", trouble, partly, stuck])


def _value(name: str, value: object, language: str, today: date) -> Rich | str:
    """A value in words: examples can be tapped to copy; dates, hours and numbers as the language
    writes them.
    """
    words: Rich | str
    match value:
        case _ if name == "example":
            words = code(str(value))
        case Rich():
            words = value
        case date():
            words = day(value, language, today=today)
        case time():
            words = clock(value)
        case timedelta():
            words = span(value, language)
        case Decimal() | int():
            words = number(value, language)
        case list() | tuple() | set() | frozenset():
            words = join(", ", [_value("", one, language, today) for one in value])
        case RateKind():
            words = kind_name(value, language)
        case _:
            words = str(value)
    return words
