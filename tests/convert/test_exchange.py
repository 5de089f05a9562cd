"""Arithmetic with published rates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.convert import convert
from bot.model.rates import RateKind
from tests.factories import rate

USD = rate()
EUR = rate("EUR/KGS", "98.8523")
RUB = rate("RUB/KGS", "1.1948")
UZS = rate("UZS/KGS", "0.7926", units=100)
CBR = rate("USD/RUB", "71.0555", source="cbr")
ECB = rate("EUR/USD", "1.1623", source="ecb", kind=RateKind.REFERENCE)


def test_a_published_pair_is_used_as_it_is() -> None:
    """100 dollars are a hundred times the published rate, exactly."""
    answer = convert(Decimal(100), "USD", "KGS", [USD])
    assert answer is not None
    assert (answer.result, answer.rate, answer.path, answer.cross) == (
        Decimal("8479.35"),
        Decimal("84.7935"),
        (USD,),
        False,
    )


def test_a_published_pair_is_turned_round() -> None:
    """Som to dollars divides by the same rate."""
    answer = convert(Decimal("84.7935"), "KGS", "USD", [USD])
    assert answer is not None
    assert (answer.result, answer.path) == (1, (USD,))


def test_the_nominal_is_heeded() -> None:
    """A rate for 100 sum is not a rate for one."""
    answer = convert(Decimal(1000), "UZS", "KGS", [UZS])
    assert answer is not None
    assert answer.result == Decimal("7.926")


def test_a_cross_is_one_sources_and_says_so() -> None:
    """Without a published pair two rates of one source are crossed, in order, and marked as
    ours.
    """
    answer = convert(Decimal(1), "EUR", "RUB", [USD, EUR, RUB])
    assert answer is not None
    assert (answer.path, answer.cross) == ((EUR, RUB), True)
    assert answer.result == pytest.approx(
        Decimal("98.8523") / Decimal("1.1948"), abs=Decimal("1e-20")
    )


def test_two_sources_are_never_mixed() -> None:
    """EUR/USD of one bank and USD/KGS of another are no EUR/KGS."""
    assert convert(Decimal(1), "EUR", "KGS", [ECB, USD]) is None


def test_two_kinds_are_never_mixed() -> None:
    """An official rate is not crossed with a dealer's."""
    dealer = rate("RUB/KGS", "1.19", kind=RateKind.SELL)
    assert convert(Decimal(1), "USD", "RUB", [USD, dealer]) is None


def test_a_published_number_comes_before_our_cross() -> None:
    """The Bank of Russia's own USD/RUB beats a cross of the National Bank's rates."""
    answer = convert(Decimal(1), "USD", "RUB", [USD, RUB, CBR])
    assert answer is not None
    assert answer.path == (CBR,)


@pytest.mark.parametrize(("home", "source"), [("KGS", "nbkr"), ("RUB", "cbr")])
def test_the_home_currencys_source_is_preferred(home: str, source: str) -> None:
    """Of two equal ways the one by the reader's own central bank is taken."""
    theirs = [rate("KGS/RUB", "0.8379", source="cbr"), CBR]
    for rates in ([USD, RUB, *theirs], [*theirs, RUB, USD]):
        answer = convert(Decimal(1), "RUB", "KGS", rates, home)
        assert answer is not None
        assert {rate.source for rate in answer.path} == {source}


def test_a_dealers_two_sides_hold_in_one_direction_each() -> None:
    """A seller of dollars gets the buying price, a buyer pays the selling price."""
    buy = rate(value="84.5", source="shop", kind=RateKind.BUY)
    sell = rate(value="85", source="shop", kind=RateKind.SELL)
    there = convert(Decimal(1), "USD", "KGS", [sell, buy])
    back = convert(Decimal(85), "KGS", "USD", [sell, buy])
    assert there is not None
    assert back is not None
    assert (there.path, there.result) == ((buy,), Decimal("84.5"))
    assert (back.path, back.result) == ((sell,), 1)
    assert convert(Decimal(1), "USD", "KGS", [sell]) is None


def test_an_official_rate_comes_before_a_dealers() -> None:
    """Nobody asked what a particular shop pays."""
    shop = rate(value="84.5", source="akbank", kind=RateKind.BUY)
    answer = convert(Decimal(1), "USD", "KGS", [shop, USD])
    assert answer is not None
    assert answer.path == (USD,)


def test_of_two_days_the_later_is_used_and_the_older_of_a_cross_is_told() -> None:
    """An answer is as fresh as the oldest rate in it."""
    earlier = rate(value="84.70", on="2021-10-19")
    newest = convert(Decimal(1), "USD", "KGS", [USD, earlier])
    crossed = convert(Decimal(1), "RUB", "USD", [RUB, earlier])
    assert newest is not None
    assert crossed is not None
    assert (newest.path, crossed.effective_on) == ((USD,), date(2021, 10, 19))


@pytest.mark.parametrize("value", ["0", "-84.79"])
def test_a_rate_that_is_no_price_is_passed_over(value: str) -> None:
    """Nothing is divided by zero."""
    assert convert(Decimal(1), "KGS", "USD", [rate(value=value)]) is None


def test_no_way_is_none() -> None:
    """An unknown currency has no answer, not a wrong one."""
    assert convert(Decimal(1), "USD", "JPY", [USD, EUR]) is None
    assert convert(Decimal(1), "USD", "KGS", []) is None


def test_a_currency_is_worth_itself() -> None:
    """No rate is needed for that."""
    answer = convert(Decimal("5.5"), "USD", "USD", [])
    assert answer is not None
    assert (answer.result, answer.rate, answer.path, answer.effective_on) == (
        Decimal("5.5"),
        1,
        (),
        None,
    )


@given(
    amount=st.decimals(min_value=Decimal("0.01"), max_value=10**15, places=2),
    prices=st.tuples(*[st.decimals(min_value=Decimal("0.0001"), max_value=10**4, places=4)] * 2),
    pair=st.sampled_from([("USD", "KGS"), ("KGS", "RUB"), ("USD", "RUB")]),
)
def test_there_and_back_is_where_we_began(
    amount: Decimal, prices: tuple[Decimal, Decimal], pair: tuple[str, str]
) -> None:
    """Direct, inverse or cross: converting back gives the amount again, to 30 digits."""
    rates = [rate(value=str(prices[0])), rate("RUB/KGS", str(prices[1]), units=10)]
    there = convert(amount, *pair, rates)
    assert there is not None
    back = convert(there.result, *reversed(pair), rates)
    assert back is not None
    assert abs(Fraction(back.result) / Fraction(amount) - 1) < Fraction(1, 10**30)
    assert back.path == there.path[::-1]
