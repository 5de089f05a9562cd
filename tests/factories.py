"""Valid objects with one thing overridden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from bot.alerts.notices import Notice
from bot.model.chats import Chat, ChatKind, Style
from bot.model.news import Entry
from bot.model.rates import Pair, Rate, RateKind, SeenRate
from bot.reasons import SAID, Reason, plain, read_if, reasons_from_json, written
from bot.render.reasons import in_english

NO_VALUES: Mapping[str, str] = {}
NOW = datetime(2021, 10, 20, 10, 0, tzinfo=UTC)


def rate(
    pair: str = "USD/KGS", value: str = "84.7935", on: str = "2021-10-20", **changes: Any
) -> Rate:
    """The National Bank's dollar of 2021-10-20."""
    fields: dict[str, Any] = {
        "source": "nbkr",
        "pair": Pair.parse(pair),
        "kind": RateKind.OFFICIAL,
        "effective_on": date.fromisoformat(on),
        "value": Decimal(value),
        "units": 1,
    }
    return Rate(**{**fields, **changes})


def seen_rate(
    pair: str = "USD/KGS", value: str = "84.7935", on: str = "2021-10-20", **changes: Any
) -> SeenRate:
    """The same, as stored."""
    plain = rate(pair, value, on)
    fields: dict[str, Any] = {
        "source": plain.source,
        "pair": plain.pair,
        "kind": plain.kind,
        "effective_on": plain.effective_on,
        "value": plain.value,
        "units": plain.units,
        "seen_at": NOW,
        "revision": 0,
    }
    return SeenRate(**{**fields, **changes})


def entry(**changes: Any) -> Entry:
    """A quiet story of our own writing."""
    fields: dict[str, Any] = {
        "id": "e1",
        "title": "Apple harvest begins in Issyk-Kul",
        "link": "https://news.example/apples",
        "published_at": NOW,
        "summary": "Growers around the lake expect a good year.",
        "language": "en",
    }
    return Entry(**{**fields, **changes})


def chat(id: int = 1001, **changes: Any) -> Chat:  # noqa: A002 - the field's name
    """A person who reads English."""
    fields: dict[str, Any] = {
        "id": id,
        "kind": ChatKind.PRIVATE,
        "language": "en",
        "time_zone": "Asia/Bishkek",
        "home": "KGS",
        "style": Style.BRIEF,
    }
    return Chat(**{**fields, **changes})


def a_reason(code: str, *values: object) -> Reason:
    """A reason with its figures in the order in which version 1 of the stored form had them."""
    (found,) = reasons_from_json({"v": 1, "reasons": [[code, *map(str, values)]]})
    return found


def a_notice(msgid: str, values: Mapping[str, str] = NO_VALUES) -> Notice:
    """A notice to operators with its figures as text, whatever they mean: read as version 1."""
    return Notice.from_json({"v": 1, "msgid": msgid, "values": [*values.items()]})


def carried(told: Notice, why: Sequence[Reason] = ()) -> dict[str, str]:
    """The figures of a notice as plain text, by name."""
    shown = {name: plain(figure) for name, figure in told.values}
    for name, figure in told.values:
        if isinstance(figure, Reason):
            shown[name] = _said(figure)
    if told.held is not None:
        shown["held"] = str(told.held)
    if told.severity is not None:
        shown["severity"] = told.severity.value
    if why:
        shown["why"] = "; ".join(map(_said, why))
    return shown


def _said(why: Reason) -> str:
    return str(why) if why.words else str(in_words(written(why)))


def in_words(stored: str | None) -> str | None:
    """The English of a reason that a column holds; what somebody said, as they said it."""
    why = read_if(stored)
    if why is not None and why.code == SAID:
        return str(why)
    return in_english(why)
