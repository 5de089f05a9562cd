"""Reasons: why something was decided, or went wrong, as a code and its figures.

What a reader is told is the text `reason.CODE` of their language, filled with the figures by name
(`bot.render.reasons`). The English `words` stand where the reason is given: they are for whoever
runs the bot, in log lines and verbs, and are not stored. So one reason more is a call of `reason`
where it is decided, and its text in `bot/languages`.

A figure is said by its type alone. What operators are told of (`bot.alerts.notices`) is made of
the same figures.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

SAID = "said"  # the code of what somebody else said
LONGEST_TEXT = 200  # characters of a foreign text that are kept


class Percent(Decimal):
    """A change in percent, said with its sign."""

    __slots__ = ()


class Share(Decimal):
    """A share in percent, said without a sign."""

    __slots__ = ()


class Printed(Decimal):
    """A rate, said with the digits that its source printed."""

    __slots__ = ()


class Since(date):
    """The day on which something began that lasts, said as it stands after "since"."""

    __slots__ = ()


class SourceKey(str):
    """A source by its key, said by its name."""

    __slots__ = ()


class ChatNumber(int):
    """A chat by its number, said by its title."""

    __slots__ = ()


class Term(str):
    """A word of ours by the key of its text, said by that."""

    __slots__ = ()


class Quote(str):
    """A publisher's words, said as they are; what a reason found is looked for in them."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """A code, and its figures by name; two with the same are the same, whatever their English."""

    code: str
    figures: Figures = ()
    words: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        """The reason in English; of one that was stored, the code and its figures."""
        shown = {name: plain(figure) for name, figure in self.figures}
        if self.words:
            return self.words.format(**shown)
        return " ".join([self.code, *(f"{name}={value}" for name, value in shown.items())])

    def figure(self, name: str) -> Figure:
        """The figure of a name."""
        return dict(self.figures)[name]


#: A text as it is (a name, a code, foreign words), a whole number said without marks between
#: thousands, a decimal one, a day, a reason behind this one; or one of their types above.
Figure = str | int | Decimal | date | Reason | tuple["Figure", ...]
Figures = tuple[tuple[str, Figure], ...]


def reason(code: str, words: str = "", /, **figures: object) -> Reason:
    """A reason with its figures; what is no figure by its type is text, long ones cut."""
    found = tuple((name, _figure(value)) for name, value in figures.items())
    return Reason(code, found, words)


def said(words: str) -> Reason:
    """Somebody else's words as a reason: shown to operators as they came."""
    return reason("said", "{words}", words=words)


def _figure(value: object) -> Figure:
    match value:
        case Reason() | Decimal() | date():
            return value
        case bool():
            raise TypeError(value)
        case int():
            return Decimal(value)
        case float():
            return Decimal(f"{value:g}")
        case tuple() | list():
            return tuple(value)
        case _:
            return str(value)[:LONGEST_TEXT]


def plain(figure: Figure) -> str:
    """A figure for whoever reads a log, in no language."""
    if isinstance(figure, tuple):
        return between(figure).join(map(plain, figure))
    if isinstance(figure, Decimal):
        return format(figure, "+f" if isinstance(figure, Percent) else "f")
    return str(figure)


def between(figures: Sequence[Figure]) -> str:
    """The mark between several figures: sentences are further apart than names."""
    if any(isinstance(one, Reason) for one in figures):
        return "; "
    return ", "


# --- the stored form ------------------------------------------------------------------------------

#: The types that are stored with their name; text and whole numbers are themselves.
_TYPES: Mapping[str, type[Decimal | date | str | int]] = {
    "number": Decimal,
    "percent": Percent,
    "share": Share,
    "printed": Printed,
    "day": date,
    "since": Since,
    "source": SourceKey,
    "chat": ChatNumber,
    "term": Term,
    "quote": Quote,
}
_NAMES = {type_: name for name, type_ in _TYPES.items()}


def reasons_to_json(reasons: Iterable[Reason]) -> dict[str, Any]:
    """Version 2 of the stored form: each a code and its figures by name."""
    return {"v": 2, "reasons": [_to_json(one) for one in reasons]}


def reasons_from_json(data: Mapping[str, Any]) -> tuple[Reason, ...]:
    """Read any version we ever wrote."""
    if data["v"] == 1:
        return tuple(_of_version_1(code, values) for code, *values in data["reasons"])
    return tuple(map(_from_json, data["reasons"]))


def written(reason: Reason) -> str:
    """One reason as text, for a column that holds one."""
    return json.dumps(_to_json(reason), ensure_ascii=False)


#: How a chat stands with us, where that is why: stored by its bare name, which queries look for.
_STANDINGS = {
    "stopped": reason("stopped", "the chat asked for silence"),
    "unmet": reason("unmet", "this bot has not met the chat yet"),
}


def read(text: str) -> Reason:
    """The reason that `written` wrote, or how a chat stands; a sentence of an earlier version
    counts as somebody else's words.
    """
    if text.startswith('["'):
        return _from_json(json.loads(text))
    return _STANDINGS.get(text) or said(text)


def written_if(reason: Reason | None) -> str | None:
    """The stored form of a reason, where there is one."""
    return None if reason is None else written(reason)


def read_if(text: str | None) -> Reason | None:
    """The reason of a stored form, where there is one."""
    return None if text is None else read(text)


def _to_json(reason: Reason) -> list[Any]:
    if not reason.figures:
        return [reason.code]
    return [reason.code, {name: figure_to_json(figure) for name, figure in reason.figures}]


def figures_to_json(figures: Figures) -> list[list[object]]:
    """The stored form of figures by name, in their order, which no object has in a database."""
    return [[name, figure_to_json(figure)] for name, figure in figures]


def figures_from_json(stored: Iterable[Sequence[Any]]) -> Figures:
    """The figures by name of a stored form."""
    return tuple((name, figure_from_json(one)) for name, one in stored)


def figure_to_json(figure: Figure) -> object:
    """The stored form of a figure."""
    if isinstance(figure, Reason):
        return {"reason": _to_json(figure)}
    if isinstance(figure, tuple):
        return _several_to_json(figure)
    name = _NAMES.get(type(figure))
    if name is None:
        return figure
    return {name: str(figure)}


def _several_to_json(figures: Sequence[Figure]) -> object:
    """The stored form of several figures; of reasons as it was before there were others."""
    reasons = [one for one in figures if isinstance(one, Reason)]
    if len(reasons) == len(figures):
        return {"reasons": list(map(_to_json, reasons))}
    return {"several": list(map(figure_to_json, figures))}


def _from_json(data: Sequence[Any]) -> Reason:
    code, *rest = data
    found: list[tuple[str, Figure]] = []
    if rest:
        for name, stored in rest[0].items():
            found.append((name, figure_from_json(stored)))
    return _as_read(code, found)


def _as_read(code: str, figures: Sequence[tuple[str, Figure]]) -> Reason:
    """A reason out of the store, without its English; what somebody said has no other words."""
    words = ""
    if code == SAID:
        words = "{words}"
    return Reason(code, tuple(figures), words)


def figure_from_json(stored: str | int | Mapping[str, Any]) -> Figure:
    """The figure of a stored form."""
    if isinstance(stored, str | int):
        return stored
    ((kind, value),) = stored.items()
    if kind == "reason":
        return _from_json(value)
    if kind == "reasons":
        return tuple(map(_from_json, value))
    if kind == "several":
        return tuple(map(figure_from_json, value))
    type_ = _TYPES[kind]
    if issubclass(type_, date):
        return type_.fromisoformat(value)
    return type_(value)


# --- version 1: values in the order of their code -------------------------------------------------

#: The codes of version 1, closed since: the names of their values, and what they are if no text.
_VERSION_1: Mapping[str, tuple[tuple[str, type[Decimal | date] | None], ...]] = {
    "dead": (("n", Decimal),),
    "found": (("kind", None), ("pattern", None)),
    "against": (("kind", None), ("pattern", None)),
    "fixing": (("change", None), ("day", date)),
    "drift": (("change", None), ("day", date)),
    "drift_first": (("change", None), ("day", date)),
    "high": (("days", Decimal),),
    "low": (("days", Decimal),),
    "usual": (("usual", Decimal),),
    "revised": (("source", None),),
    "above": (("level", Decimal), ("was", Decimal)),
    "below": (("level", Decimal), ("was", Decimal)),
    "since": (("change", None), ("day", date)),
    "far_day": (("day", date),),
    "no_price": (("value", Decimal), ("units", Decimal)),
    "agrees": (("source", None),),
    "shift": (("times", Decimal), ("day", date)),
    "units": (("old", Decimal), ("new", Decimal)),
    "swapped": (("pair", None),),
    "leap": (("percent", Percent), ("day", date), ("most", Share)),
    "said": (("words", None),),
}


def _of_version_1(code: str, values: Sequence[str]) -> Reason:
    found: list[tuple[str, Figure]] = []
    for (name, type_), value in zip(_VERSION_1.get(code, ()), values, strict=True):
        figure: Figure = value
        if type_ is date:
            figure = date.fromisoformat(value)
        elif type_ is not None and issubclass(type_, Decimal):
            figure = type_(value)
        found.append((name, figure))
    return _as_read(code, found)
