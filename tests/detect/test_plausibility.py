"""Implausible values are held and asked for again; true shocks come through."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.detect.plausibility import Standing, disagree, judge
from bot.model.rates import Move, Rate
from tests.factories import a_reason, rate

LAST = rate(value="84.7935", on="2021-10-20")


def new(value: str, units: int = 1, **changes: object) -> Rate:
    return rate(value=value, on="2021-10-21", units=units, **changes)


def other(value: str, on: str = "2021-10-21") -> Rate:
    return rate(value=value, on=on, source="elsewhere")


@pytest.mark.parametrize("value", ["0", "-84.79", "NaN", "sNaN", "Infinity", "-0"])
def test_R1_what_is_not_a_price_is_refused(value: str) -> None:
    verdict = judge([LAST], new(value), [other(value)])
    assert verdict.standing is Standing.REFUSED
    assert verdict.reasons


@pytest.mark.parametrize(
    "value",
    ["8479.35", "847.935", "8.479", "0.85", "0.0848", "847935", "90000", "9300", "7.6", "78.9e1"],
)
def test_R2_a_decimal_shift_is_held_until_a_second_source_agrees(value: str) -> None:
    shifted = new(value)
    verdict = judge([LAST], shifted)
    assert verdict.standing is Standing.HELD
    assert verdict.needs_source
    assert verdict.reasons[0].code == "shift"
    assert judge([LAST], shifted, [other(value)]).ok


def test_R2_a_nominal_changed_with_its_value_is_no_move() -> None:
    assert judge([LAST], new("8479.35", units=100)).ok


def test_R2_a_nominal_changed_alone_is_held() -> None:
    verdict = judge([LAST], new("84.79", units=100))
    assert verdict.standing is Standing.HELD
    assert a_reason("units", 1, 100) in verdict.reasons


def test_the_true_shock_of_february_2022_passes() -> None:
    """+11.75 % in a day is stored and alerted at once."""
    assert judge(
        [rate(value="84.7811", on="2022-02-25")], rate(value="94.7477", on="2022-02-26")
    ).ok


def test_a_leap_is_held_and_fetching_it_again_may_release_it() -> None:
    """Who counts how often it came is the poll: tests/test_rates_flow.py."""
    verdict = judge([LAST], new("101.5"))
    assert verdict.standing is Standing.HELD
    assert not verdict.needs_source


def test_a_leap_is_released_by_a_second_source_only_if_it_agrees_now() -> None:
    leap = new("101.5")
    assert judge([LAST], leap, [other("102.1")]).ok
    assert not judge([LAST], leap, [other("84.8")]).ok
    assert not judge([LAST], leap, [other("102.1", on="2021-09-21")]).ok
    assert not judge([LAST], leap, [new("101.5")]).ok


def test_R6_swapped_rows_are_held() -> None:
    euro_then = rate("EUR/KGS", "98.8523", "2021-10-20")
    euro_now = rate("EUR/KGS", "84.9", "2021-10-21")
    verdict = judge([LAST], new("98.6"), siblings=[Move(old=euro_then, new=euro_now)])
    assert verdict.standing is Standing.HELD
    assert verdict.reasons[0].code == "swapped"
    honest = Move(old=euro_then, new=rate("EUR/KGS", "98.6", "2021-10-21"))
    assert judge([LAST], new("85.1"), siblings=[honest]).ok


def test_R6_a_new_currency_is_believed() -> None:
    assert judge([], new("84.79")).ok


def test_R8_sources_more_than_two_percent_apart_disagree() -> None:
    assert disagree(new("84"), other("86"))
    assert not disagree(new("84"), other("85.5"))


@given(
    value=st.decimals(min_value=Decimal("0.01"), max_value=Decimal(10000), places=4),
    power=st.integers(1, 4),
)
def test_units_never_change_a_judgement(value: Decimal, power: int) -> None:
    units = 10**power
    plain, scaled = (
        judge([LAST], new(str(value))),
        judge([LAST], new(str(value * units), units=units)),
    )
    assert plain.standing == scaled.standing
    assert plain.needs_source == scaled.needs_source
