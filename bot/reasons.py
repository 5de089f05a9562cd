"""Reasons: why something was decided, or went wrong, as a code and its figures.

What a reader is told is the text `reason.CODE` of their language, filled with the figures by name
(`bot.render.reasons`). The English `words` stand where the reason is given: they are for whoever
runs the bot, in log lines and verbs, and are not stored. So one reason more is a call of `reason`
where it is decided, and its text in `bot/languages`.
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


@dataclass(frozen=True, slots=True)
class Reason:
    """A code, and its figures by name; two with the same are the same, whatever their English."""

    code: str
    figures: tuple[tuple[str, Figure], ...] = ()
    words: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        """The reason in English; of one that was stored, the code and its figures."""
        shown = {name: _plain(figure) for name, figure in self.figures}
        if self.words:
            return self.words.format(**shown)
        return " ".join([self.code, *(f"{name}={value}" for name, value in shown.items())])

    def figure(self, name: str) -> Figure:
        """The figure of a name."""
        return dict(self.figures)[name]


#: A text as it is (a name, a code, foreign words), a figure, a day, a reason behind this one.
Figure = str | Decimal | Percent | Share | date | Reason | tuple[Reason, ...]


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


def _plain(figure: Figure) -> str:
    if isinstance(figure, tuple):
        return "; ".join(map(str, figure))
    if isinstance(figure, Decimal):
        return format(figure, "+f" if isinstance(figure, Percent) else "f")
    return str(figure)


# --- the stored form ------------------------------------------------------------------------------

#: The types that are stored with their name; text is itself.
_TYPES: Mapping[str, type[Decimal]] = {"number": Decimal, "percent": Percent, "share": Share}
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
    return [reason.code, {name: _figure_to_json(figure) for name, figure in reason.figures}]


def _figure_to_json(figure: Figure) -> object:
    if isinstance(figure, Decimal):
        return {_NAMES[type(figure)]: str(figure)}
    if isinstance(figure, date):
        return {"day": figure.isoformat()}
    if isinstance(figure, Reason):
        return {"reason": _to_json(figure)}
    if isinstance(figure, tuple):
        return {"reasons": [_to_json(one) for one in figure]}
    return figure


def _from_json(data: Sequence[Any]) -> Reason:
    code, *rest = data
    found: list[tuple[str, Figure]] = []
    if rest:
        for name, stored in rest[0].items():
            found.append((name, _figure_from_json(stored)))
    return _as_read(code, found)


def _as_read(code: str, figures: Sequence[tuple[str, Figure]]) -> Reason:
    """A reason out of the store, without its English; what somebody said has no other words."""
    words = ""
    if code == SAID:
        words = "{words}"
    return Reason(code, tuple(figures), words)


def _figure_from_json(stored: str | Mapping[str, Any]) -> Figure:
    if isinstance(stored, str):
        return stored
    ((kind, value),) = stored.items()
    if kind == "day":
        return date.fromisoformat(value)
    if kind == "reason":
        return _from_json(value)
    if kind == "reasons":
        return tuple(map(_from_json, value))
    return _TYPES[kind](value)


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
