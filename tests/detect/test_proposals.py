"""A rule tried before it is saved: what a bare number means, and an end that is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bot.convert.rules import parse_typed_rule
from bot.detect.proposals import Proposal, proposed
from bot.errors import UserError
from bot.model.rates import Pair, RateKind, Series
from bot.model.rules import Condition, Direction
from tests.factories import seen_rate

TODAY = date(2023, 1, 10)
SERIES = Series("ecb", Pair("USD", "KGS"), RateKind.REFERENCE)


def tried(said: str, values: list[str]) -> Proposal:
    """A rule as somebody types it, on rates of the days before today."""
    typed = parse_typed_rule(said, home="KGS")
    history = []
    for ago, value in enumerate(reversed(values)):
        on = TODAY - timedelta(days=ago)
        one = seen_rate(value=value, effective_on=on)
        history.insert(0, one)
    return proposed(typed.rule, SERIES, history, today=TODAY, bare=typed.bare)


@pytest.mark.parametrize(
    ("said", "condition", "direction"),
    [
        ("USD 90", Condition.LEVEL, Direction.UP),
        ("USD 80", Condition.LEVEL, Direction.DOWN),  # above all rates but the latest
        ("USD 0.5", Condition.ABSOLUTE, Direction.BOTH),
        ("USD ±80", Condition.ABSOLUTE, Direction.BOTH),
    ],
)
def test_a_bare_number_near_the_latest_rate_is_a_level(
    said: str, condition: Condition, direction: Direction
) -> None:
    """Without a rate to compare it with, it is the move that it says."""
    found = tried(said, ["75.1", "75.2", "85.2"]).rule
    assert (found.condition, found.direction) == (condition, direction)
    assert tried(said, []).rule.condition is Condition.ABSOLUTE


def test_a_proposal_has_the_kind_of_its_series_and_the_days_it_would_have_spoken() -> None:
    found = tried("USD > 90", ["85", "91", "92", "85", "93"])
    assert (found.series, found.today) == (SERIES, TODAY)
    assert found.rule.kind is RateKind.REFERENCE
    assert found.fired == (TODAY - timedelta(days=3), TODAY)
    assert found.latest is not None
    assert found.latest.value == Decimal(93)
    assert not found.state.armed  # it is beyond its level already
    assert tried("USD > 90", []).latest is None


def test_a_rule_whose_last_day_is_over_is_refused() -> None:
    """Its last day itself is not over yet."""
    typed = parse_typed_rule("USD > 90", home="KGS")
    rule = replace(typed.rule, until=TODAY)
    assert proposed(rule, SERIES, [], today=TODAY, bare=False).rule.until == TODAY
    over = replace(rule, until=TODAY - timedelta(days=1))
    with pytest.raises(UserError) as told:
        proposed(over, SERIES, [], today=TODAY, bare=False)
    assert told.value.msgid == "error.rule.date_past"
    assert told.value.values == {"day": over.until}
