"""Short answers to what was set or pressed, and to a question that went wrong.

An error's words are the catalog's; its values become words here, by their type.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal

from bot.errors import UserError
from bot.i18n import clock, day, known, number, span, t
from bot.model.rates import RateKind
from bot.render.rates import kind_name
from bot.render.text import Message, Rich, code, fill, join, message

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


def explain(error: UserError, language: str, *, today: date | None = None) -> Message:
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
