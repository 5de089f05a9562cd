"""Which series a rule watches, and what is said where nobody gives such a rate."""

from __future__ import annotations

import pytest

from bot.convert.rules import parse_rule
from bot.detect.quoted import watchable, watched
from bot.errors import UserError
from bot.model.rates import Pair, RateKind, Series

OFFICIAL, REFERENCE, BUY, SELL = (
    RateKind.OFFICIAL,
    RateKind.REFERENCE,
    RateKind.BUY,
    RateKind.SELL,
)


def of(source: str, pair: str, kind: RateKind = OFFICIAL) -> Series:
    return Series(source, Pair.parse(pair), kind)


KNOWN = [
    of("bank", "USD/KGS", SELL),
    of("cbr", "USD/RUB"),
    of("other", "USD/KGS"),
    of("nbkr", "USD/KGS"),
    of("nbkr", "EUR/KGS"),
    of("ecb", "EUR/USD", REFERENCE),
    of("ecb", "EUR/JPY", REFERENCE),
]


@pytest.mark.parametrize(
    ("rule", "leader", "series"),
    [
        ("USD > 90", "nbkr", of("nbkr", "USD/KGS")),
        ("USD > 90", None, of("other", "USD/KGS")),
        ("USD > 90", "cbr", of("other", "USD/KGS")),
        ("sell USD > 90", "nbkr", of("bank", "USD/KGS", SELL)),
        ("EUR/USD 1%", None, of("ecb", "EUR/USD", REFERENCE)),
    ],
)
def test_a_rule_watches_the_leading_source_else_the_first(
    rule: str, leader: str | None, series: Series
) -> None:
    """Without an official rate, the reference rate."""
    assert watched(parse_rule(rule, home="KGS"), KNOWN, leader=leader) == series


@pytest.mark.parametrize(
    ("rule", "msgid", "values"),
    [
        ("KGS/USD 85", "error.rule.turned", {"pair": "KGS/USD", "example": "/alert USD/KGS 1%"}),
        ("USD/EUR 1%", "error.rule.turned", {"pair": "USD/EUR", "example": "/alert EUR/USD 1%"}),
        ("RUB 1%", "error.rule.pair", {"pair": "RUB/KGS", "known": "EUR, USD"}),
        (
            "KGS/EUR 1%",
            "error.rule.turned",
            {"pair": "KGS/EUR", "example": "/alert EUR/KGS 1%"},
        ),
        ("RUB/JPY 1%", "error.rule.pair", {"pair": "RUB/JPY", "known": "EUR"}),
        (
            "JPY/EUR 1%",
            "error.rule.turned",
            {"pair": "JPY/EUR", "example": "/alert EUR/JPY 1%"},
        ),
        (
            "RUB/EUR 1%",
            "error.rule.pair",
            {"pair": "RUB/EUR", "known": "EUR/JPY, EUR/KGS, EUR/USD, USD/RUB"},
        ),
        ("CHF 1%", "error.currency", {"code": "CHF", "known": "EUR, USD"}),
        (
            "buy USD > 90",
            "error.rule.kind",
            {"pair": "USD/KGS", "kind": BUY, "known": (SELL, OFFICIAL)},
        ),
    ],
)
def test_who_asks_for_a_rate_that_nobody_gives_is_told_what_there_is(
    rule: str, msgid: str, values: dict[str, object]
) -> None:
    """Never an empty list: the pair the other way round, its neighbours, or others' pairs."""
    with pytest.raises(UserError) as told:
        watched(parse_rule(rule, home="KGS"), KNOWN, leader="nbkr")
    assert (told.value.msgid, told.value.values) == (msgid, values)


def test_without_any_rate_it_is_said_that_there_are_none() -> None:
    with pytest.raises(UserError) as told:
        watched(parse_rule("USD > 90", home="KGS"), [], leader=None)
    assert told.value.msgid == "error.no_rates"


def test_what_can_be_watched_at_home_begins_with_the_usual() -> None:
    """Only what has a rate for everybody."""
    known = [*KNOWN, of("nbkr", "CHF/KGS"), of("bank", "AED/KGS", BUY)]
    assert watchable("KGS", known, usual=("USD", "RUB", "EUR")) == ["USD", "EUR", "CHF"]
