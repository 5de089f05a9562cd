"""The spread between banks: only rates of these days, of banks that really have them."""

from __future__ import annotations

from datetime import date, timedelta

from bot.detect.spreads import spreads
from bot.model.rates import RateKind
from tests.factories import seen_rate

TODAY = date(2023, 1, 10)


def test_the_two_that_differ_most_are_named_in_the_order_asked_for() -> None:
    rates = [
        seen_rate(source="a", value="85.2", effective_on=TODAY),
        seen_rate(source="b", value="85.9", effective_on=TODAY),
        seen_rate(source="c", value="84.1", effective_on=TODAY - timedelta(days=4)),
        seen_rate(source="a", pair="EUR/KGS", value="90", effective_on=TODAY),
        seen_rate(source="b", pair="EUR/KGS", value="91", effective_on=TODAY),
    ]
    found = spreads(rates, home="KGS", codes=["EUR", "USD", "CHF"], today=TODAY)
    assert [(one.lowest.source, one.highest.source) for one in found] == [("a", "b"), ("c", "b")]


def test_two_that_agree_differ_from_the_third() -> None:
    """Their names settle which of the two is told: an unchanged board would be edited otherwise."""
    for values, named in (
        (("85.2", "85.2", "85.9"), ("a", "c")),
        (("85.9", "85.2", "85.9"), ("b", "c")),
    ):
        rates = []
        for source, value in zip("abc", values, strict=True):
            rates.append(seen_rate(source=source, value=value, effective_on=TODAY))
        (found,) = spreads(reversed(rates), home="KGS", codes=["USD"], today=TODAY)
        assert (found.lowest.source, found.highest.source) == named


def test_what_is_no_difference_between_banks_is_left_out() -> None:
    """An old rate, our own arithmetic, another currency's, one bank alone, two that agree."""
    rates = [
        seen_rate(source="a", value="85", effective_on=TODAY),
        seen_rate(source="a", value="86", effective_on=TODAY, kind=RateKind.SELL),
        seen_rate(source="b", value="80", effective_on=TODAY - timedelta(days=5)),
        seen_rate(source="c", value="81", effective_on=TODAY, kind=RateKind.CROSS),
        seen_rate(source="d", pair="USD/RUB", value="82", effective_on=TODAY),
        seen_rate(source="a", pair="EUR/KGS", value="90", effective_on=TODAY),
        seen_rate(source="b", pair="EUR/KGS", value="90", effective_on=TODAY),
    ]
    assert spreads(rates, home="KGS", codes=["USD", "EUR"], today=TODAY) == ()
