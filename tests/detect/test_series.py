"""The rates that hold on a day, and the nearest day that has one."""

from __future__ import annotations

from datetime import date

import pytest

from bot.detect.amounts import round_amounts
from bot.detect.digests import rates_of_day
from bot.detect.series import before, cut_at, holding, in_force_since, nearest_day
from bot.model.rates import Rate, RateKind
from tests.factories import rate

DAY = date(2021, 10, 20)
EARLY, OLD, NOW, NEXT = (rate(on=f"2021-10-{day}") for day in (18, 19, 20, 21))
EURO = rate("EUR/KGS", "98.1", on="2021-10-15")


def test_the_rate_that_began_last_holds_until_the_next_begins() -> None:
    """Each series by itself, however long ago; one that has not begun holds nothing."""
    later = rate("RUB/KGS", "1.19", on="2021-10-21")
    found = holding([OLD, NOW, NEXT, EURO, later], DAY)
    assert found == {NOW.series: NOW, EURO.series: EURO}


def test_a_cut_keeps_every_rate_on_one_side() -> None:
    assert cut_at([OLD, NOW, NEXT], DAY) == ([OLD, NOW], [NEXT])
    assert cut_at([NEXT], DAY) == ([], [NEXT])


@pytest.mark.parametrize(
    ("series", "past"),
    [
        ([EARLY, OLD, NOW, NEXT], [EARLY, OLD]),
        ([EARLY, OLD, NOW], [EARLY, OLD]),  # the day's own is none of them
        ([EARLY, OLD], [EARLY, OLD]),
        ([NOW, NEXT], []),
        ([], []),
    ],
)
def test_before_a_day_are_the_rates_that_began_earlier(
    series: list[Rate], past: list[Rate]
) -> None:
    assert before(series, DAY) == past


@pytest.mark.parametrize(
    ("series", "held"),
    [
        ([EARLY, OLD, NOW, NEXT], [NOW, NEXT]),  # what began on the day held on it
        ([EARLY, OLD, NEXT], [OLD, NEXT]),
        ([EARLY, OLD], [OLD]),
        ([NEXT], [NEXT]),
        ([], []),
    ],
)
def test_from_a_day_on_hold_the_rate_that_held_then_and_those_that_began_later(
    series: list[Rate], held: list[Rate]
) -> None:
    """Only the later ones where none held yet."""
    assert in_force_since(series, DAY) == held


def test_the_nearest_day_may_lie_on_either_side() -> None:
    """The earlier of two that lie as near."""
    far, near = rate(on="2021-10-01"), rate(on="2021-10-22")
    assert nearest_day([far, near], DAY) == date(2021, 10, 22)
    assert nearest_day([near, rate(on="2021-10-18")], DAY) == date(2021, 10, 18)


def test_a_digest_tells_what_holds_at_home_and_what_begins_the_day_after() -> None:
    """Nothing of another currency's home, nor our own arithmetic, nor what begins later."""
    abroad = rate("USD/RUB", "71.1", on="2021-10-20")
    cross = rate("EUR/KGS", "99", on="2021-10-20", kind=RateKind.CROSS)
    late = rate("EUR/KGS", "98.2", on="2021-10-22")
    held, following = rates_of_day([OLD, NOW, NEXT, EURO, late, abroad, cross], DAY, home="KGS")
    assert held == {"USD": NOW, "EUR": EURO}
    assert following == {"USD": NEXT}


def test_round_amounts_are_those_that_people_send() -> None:
    """Worth five hundred of the home currency at least; a coin without worth ends somewhere."""
    assert [int(one) for one in round_amounts(NOW.per_unit)] == [10, 50, 100, 500, 1000]
    assert int(round_amounts(rate("RUB/KGS", "0.5").per_unit)[0]) == 1000
    assert int(round_amounts(rate("XXX/KGS", "0.0000000000001").per_unit)[0]) == 10**11
