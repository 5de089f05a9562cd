"""Short answers to what was set or pressed, and to a question that went wrong.

An error's words are the catalog's; its values become words here, by their type.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal

from bot.errors import UserError
from bot.i18n import clock, day, known, number, span, t
from bot.model.rates import RateKind
from bot.render.phrases import phrase
from bot.render.rates import kind_name
from bot.render.text import Message, Rich, code, join, message, places


def explain(error: UserError, language: str, *, today: date | None = None) -> Message:
    """A wrong question, answered: what is wrong and an example that works. Never an id, whatever
    the error.

    Dates are written with their year unless it is `today`'s.
    """
    if not known(error.msgid):
        return message(phrase("error.unexpected", language))
    wanted = places(t(error.msgid, language))
    values = {name: value for name, value in error.values.items() if name in wanted}
    return say(error.msgid, language, today=today, **values)


def say(msgid: str, language: str, *, today: date | None = None, **values: object) -> Message:
    """A short answer from the catalog, with values made into words as in an error."""
    words = {
        name: _value(name, value, language, today or date.min) for name, value in values.items()
    }
    return message(phrase(msgid, language, **words))


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
