"""Short answers to what was set or pressed, and to a question that went wrong.

An error's words are the catalog's; its values become words here, by their type.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal

from bot.errors import UserError
from bot.i18n import clock, day, known, number, share, span, t
from bot.model.rates import RateKind
from bot.render.phrases import phrase
from bot.render.rates import kind_name
from bot.render.text import Message, Rich, code, join, message, placeholders


def explain(error: UserError, language: str, *, today: date | None = None) -> Message:
    """A wrong question, answered: what is wrong and an example that works, never a text's id.

    Dates are written with their year unless it is `today`'s.
    """
    if not known(error.msgid):
        return message(phrase("error.unexpected", language))
    # who raises an error gives what is known there; a text says of that what helps its reader
    values = {}
    for name in placeholders(t(error.msgid, language)) & error.values.keys():
        values[name] = error.values[name]
    return say(error.msgid, language, today=today, **values)


def say(msgid: str, language: str, *, today: date | None = None, **values: object) -> Message:
    """A short answer from the catalog, with values made into words as in an error."""
    words = {}
    for name, value in values.items():
        # date.min is nobody's year: without a `today` every date carries its own
        words[name] = _value(name, value, language, today or date.min)
    return message(phrase(msgid, language, **words))


def _value(name: str, value: object, language: str, today: date) -> Rich | str:
    """A value in words: an example as what a tap copies, the rest as the language writes it."""
    words: Rich | str
    match value:
        case _ if name == "example":
            words = code(str(value))
        case Decimal() if name == "smallest":  # a change
            words = share(value, language)
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
