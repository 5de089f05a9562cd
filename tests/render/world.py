"""The day the golden messages speak of: Wednesday 20 October 2021, 16:00 in Bishkek."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.detect.moves import Moved
from bot.model.alerts import Severity
from bot.model.chats import Style
from bot.model.news import NewsPage, StoredEntry, Story
from bot.model.rates import CardRow, Pair, RateCard, RateKind
from bot.model.status import SourceStatus, Status
from bot.render.text import Message
from tests.factories import NOW, entry, rate, seen_rate

ZONE = "Asia/Bishkek"
TODAY = date(2021, 10, 20)
BANK = {"en": "National Bank", "ru": "Национальный банк", "ky": "Улуттук банк"}
FEEDS = {
    "24kg": {"en": "24.kg"},
    "kaktus": {"en": "Kaktus"},
    "aki": {"en": "AKIpress"},
    "kabar": {"en": "Kabar"},
}


def row(
    code: str, today: str | None, tomorrow: str | None = None, previous: str | None = None
) -> CardRow:
    pair = f"{code}/KGS"
    return CardRow(
        pair=Pair.parse(pair),
        today=seen_rate(pair, today) if today else None,
        tomorrow=seen_rate(pair, tomorrow, "2021-10-21") if tomorrow else None,
        previous=seen_rate(pair, previous, "2021-10-19") if previous else None,
    )


def rate_card(*rows: CardRow, **changes: Any) -> RateCard:
    """The National Bank's card on a weekday evening, with tomorrow's rates."""
    fields: dict[str, Any] = {
        "source": "nbkr",
        "source_names": BANK,
        "zone": ZONE,
        "kind": RateKind.OFFICIAL,
        "quote": "KGS",
        "on": TODAY,
        "rows": rows
        or (
            row("USD", "84.7935", "84.8100"),
            row("EUR", "98.8523", "98.6010"),
            row("RUB", "1.1948", "1.1902"),
        ),
        "seen_at": datetime(2021, 10, 20, 9, 12, tzinfo=UTC),
        "next_on": None if rows else date(2021, 10, 21),
        "holds_from": TODAY,
        "page": "https://bank.example/rates",
    }
    return RateCard(**{**fields, **changes})


def drifted(**changes: Any) -> Moved:
    """The rouble slid for a week."""
    fields: dict[str, Any] = {
        "baseline": rate("RUB/KGS", "1.1948", "2021-10-14"),
        "previous": rate("RUB/KGS", "1.1800", "2021-10-20"),
        "new": rate("RUB/KGS", "1.1661", "2021-10-21"),
        "rules": ("drift", "low"),
        "usual": Decimal("0.51"),
        "extreme_since": date(2021, 3, 3),
    }
    return Moved(**{**fields, **changes})


def jumped(**changes: Any) -> Moved:
    """The rouble fell in a day, after it had already slid."""
    return drifted(
        **{
            "baseline": rate("RUB/KGS", "1.2948", "2021-10-14"),
            "previous": rate("RUB/KGS", "1.1948", "2021-10-20"),
            "rules": ("fixing", "drift"),
            "extreme_since": date(2020, 3, 3),
            **changes,
        }
    )


def story(
    pk: int = 1,
    feeds: tuple[str, ...] = ("24kg",),
    severity: Severity = Severity.INFO,
    **changes: Any,
) -> Story:
    """Told by one feed or several, the first leading."""
    told = (
        StoredEntry(
            pk=place, feed=feed, entry=entry(**changes), seen_at=NOW, story=pk, style=Style.FULL
        )
        for place, feed in enumerate(feeds)
    )
    return Story(pk=pk, entries=tuple(told), topics=("security",), severity=severity)


def news_page(**changes: Any) -> NewsPage:
    """The second of three pages."""
    urgent = story(
        2,
        ("24kg", "kaktus", "aki", "kabar"),
        Severity.URGENT,
        title="Border post at the pass closed",
    )
    fields: dict[str, Any] = {
        "stories": (story(), urgent),
        "topic": "security",
        "number": 1,
        "more": True,
        "feed_names": FEEDS,
    }
    return NewsPage(**{**fields, **changes})


def bot_status(**changes: Any) -> Status:
    """One source fresh, one never heard, one in trouble; five messages waiting."""

    def source(
        key: str, age: timedelta | None, failures: int, names: dict[str, str]
    ) -> SourceStatus:
        seen = NOW - age if age is not None else None
        return SourceStatus(
            key=key, names=names, last_ok_at=seen, next_due_at=None, failures=failures, error=None
        )

    fields: dict[str, Any] = {
        "now": NOW,
        "sources": (
            source("nbkr", timedelta(minutes=5), 0, BANK),
            source("ecb", None, 0, {"en": "ECB"}),
            source("24kg", timedelta(hours=3), 3, {"en": "24.kg"}),
        ),
        "waiting": 5,
        "oldest": timedelta(minutes=2),
        "last_sent_at": NOW - timedelta(seconds=30),
    }
    return Status(**{**fields, **changes})


def marked(message: Message, *types: str) -> list[str]:
    """The parts that a reader sees as bold, linked and so on, in UTF-16 as Telegram counts."""
    raw = message.text.encode("utf-16-le")
    return [
        raw[e.offset * 2 : e.end * 2].decode("utf-16-le")
        for e in message.entities
        if e.type in types
    ]


def data(message: Message) -> list[list[str]]:
    """The data of the buttons, row by row."""
    return [[button.data or button.url or "" for button in row] for row in message.buttons]


def labels(message: Message) -> list[list[str]]:
    """The words on the buttons, row by row."""
    return [[button.text for button in row] for row in message.buttons]
