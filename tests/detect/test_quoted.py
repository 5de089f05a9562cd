"""The series that a rule watches or a chart draws, and the words where nobody gives such a rate."""

from __future__ import annotations

from datetime import date

import pytest

from bot.convert.rules import parse_rule
from bot.detect.quoted import drawable, followable, held_on, watchable, watched
from bot.errors import UserError
from bot.model.rates import Pair, RateKind, Series
from tests.factories import rate

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


def test_of_many_pairs_the_first_by_name_are_named() -> None:
    """A message has an end."""
    known = [of("nbkr", f"{letter}AA/KGS") for letter in "NMLKJIHGFEDCBA"]
    with pytest.raises(UserError) as told:
        watched(parse_rule("NAA/AAA 1%", home="KGS"), [*known, of("x", "AAA/EUR")], leader=None)
    assert told.value.msgid == "error.rule.pair"
    assert told.value.values["known"] == "AAA/EUR, AAA/KGS, NAA/KGS"
    with pytest.raises(UserError) as told:
        watched(parse_rule("EUR/KGS 1%", home="KGS"), [*known, of("x", "AAA/EUR")], leader=None)
    assert told.value.values["known"] == ", ".join(f"{letter}AA" for letter in "ABCDEFGHIJKL")


def test_without_any_rate_it_is_said_that_there_are_none() -> None:
    with pytest.raises(UserError) as told:
        watched(parse_rule("USD > 90", home="KGS"), [], leader=None)
    assert told.value.msgid == "error.no_rates"


def test_what_can_be_watched_at_home_begins_with_the_usual() -> None:
    """Only what has a rate for everybody, be it a reference rate."""
    known = [*KNOWN, of("nbkr", "CHF/KGS"), of("bank", "AED/KGS", BUY)]
    assert watchable("KGS", known, usual=("USD", "RUB", "EUR")) == ["USD", "EUR", "CHF"]
    assert watchable("USD", known, usual=("EUR",)) == ["EUR"]


DRAWN = [
    of("bank", "USD/KGS", SELL),
    of("other", "USD/KGS"),
    of("gone", "USD/KGS"),
    of("nbkr", "EUR/KGS"),
    of("nbkr", "USD/KGS", RateKind.CROSS),
]


def test_a_chart_is_drawn_of_the_leader_then_of_the_most_official_kind() -> None:
    """Of sources that are enabled."""
    enabled = {"bank", "other", "nbkr"}
    pair = Pair("USD", "KGS")
    nbkr, official, sold = DRAWN[4], DRAWN[1], DRAWN[0]
    assert drawable(pair, DRAWN, sources=enabled, leader="nbkr") == [nbkr, official, sold]
    assert drawable(pair, DRAWN, sources=enabled, leader=None) == [official, sold, nbkr]


TODAY = date(2021, 10, 20)


def test_of_each_series_the_rate_that_held_on_a_day_is_told() -> None:
    """Of tomorrow, where it is announced."""
    held, announced = rate(on="2021-10-20"), rate(on="2021-10-21")
    assert held_on([held, announced], TODAY, latest=TODAY) == [held]
    assert held_on([held, announced], date(2021, 10, 21), latest=TODAY) == [announced]


@pytest.mark.parametrize(
    ("days", "day", "msgid", "values"),
    [
        ((), TODAY, "error.no_rates", {}),
        ((20,), date(2021, 10, 21), "error.date_future", {"day": date(2021, 10, 21)}),
        ((), date(2021, 10, 21), "error.date_future", {"day": date(2021, 10, 21)}),
        (
            (18, 20),
            date(2021, 10, 15),
            "error.no_rates_on",
            {"day": date(2021, 10, 15), "nearest": date(2021, 10, 18)},
        ),
    ],
)
def test_a_day_without_a_rate_is_said_to_be_one(
    days: tuple[int, ...], day: date, msgid: str, values: dict[str, date]
) -> None:
    with pytest.raises(UserError) as refused:
        held_on([rate(on=f"2021-10-{one}") for one in days], day, latest=TODAY)
    assert (refused.value.msgid, refused.value.values) == (msgid, values)


def test_currencies_to_follow_are_those_that_are_brought_the_usual_ones_first() -> None:
    """Before anything was brought the usual ones, and always what is followed already."""
    usual = ("USD", "EUR", "KGS")
    assert followable("KGS", [], usual=usual) == ("USD", "EUR")
    assert followable("KGS", ["AED", "EUR"], usual=usual, chosen=["TRY", "EUR"]) == ("EUR", "TRY")
    brought = ["AED", "BGN", "CAD", "DKK"]
    assert followable("KGS", brought, usual=usual) == ("AED", "BGN", "CAD")
