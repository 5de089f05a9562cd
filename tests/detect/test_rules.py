"""A chat's own rules: read as people write them, spoken once for each time they come true."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.convert import currency_at
from bot.convert.rule_links import from_link, to_link
from bot.convert.rules import code_at, parse_rule
from bot.detect.offers import offered, stepped
from bot.detect.rules import REARM_MARGIN, evaluate, initial_state, preview, replay_rule
from bot.errors import UserError
from bot.model.rates import Pair, Rate, RateKind
from bot.model.rules import Condition, Direction, Rule, RuleState
from tests.factories import a_reason

START = date(2023, 1, 2)


def read(text: str) -> Rule:
    return parse_rule(
        text, home="KGS", currency=lambda text, at: currency_at(text, at) or code_at(text, at)
    )


def line(values: list[str], pair: str = "USD/KGS", units: int = 1) -> list[Rate]:
    return [
        Rate(
            source="nbkr",
            pair=Pair.parse(pair),
            kind=RateKind.OFFICIAL,
            effective_on=START + timedelta(days=day),
            value=Decimal(value) * units,
            units=units,
        )
        for day, value in enumerate(values)
    ]


def days(text: str, values: list[str], pair: str = "USD/KGS") -> list[int]:
    """The days (0 is the first) the rule speaks on."""
    return [
        (fired.move.new.effective_on - START).days
        for fired in replay_rule(read(text), line(values, pair))
    ]


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("RUB < 1", "RUB/KGS < 1"),
        ("rub<1", "RUB/KGS < 1"),
        ("RUB ниже 1", "RUB/KGS < 1"),
        ("RUB 1ден төмөн", "RUB/KGS < 1"),
        ("USD 90дон жогору", "USD/KGS > 90"),
        ("USD ≥ 90,5", "USD/KGS >= 90.5"),
        ("USD <= 87.25", "USD/KGS <= 87.25"),
        ("UZS > 0,0071", "UZS/KGS > 0.0071"),
        ("USD/UZS > 12,5к", "USD/UZS > 12500"),
        ("USD/UZS > 12.5K", "USD/UZS > 12500"),
        ("USD/UZS > 12 тыс. once", "USD/UZS > 12000 once"),
        ("USD/UZS 12миңден жогору", "USD/UZS > 12000"),
        ("USD/UZS > 12 thousand", "USD/UZS > 12000"),
        ("XAU > 1.5 млн", "XAU/KGS > 1500000"),
        ("доллар 85 к рублю", "USD/RUB 85"),
        ("USD/UZS > 12 500", "USD/UZS > 12500"),
        ("USD 1%", "USD/KGS 1%"),
        ("USD 0,5 %", "USD/KGS 0.5%"),
        ("USD +2%", "USD/KGS +2%"),
        ("usd −2%", "USD/KGS -2%"),
        ("EUR 3% 7d", "EUR/KGS 3% 7d"),
        ("EUR 3% за 7 дней", "EUR/KGS 3% 7d"),
        ("EUR 3% 2 апта", "EUR/KGS 3% 14d"),
        ("EUR 3 процента за 1 месяц", "EUR/KGS 3% 30d"),
        ("USD 0.5", "USD/KGS 0.5"),
        ("USD > 90 once", "USD/KGS > 90 once"),
        ("USD выше 90 один раз", "USD/KGS > 90 once"),
        ("USD 90дон жогору бир жолу", "USD/KGS > 90 once"),
        ("sell USD < 87", "sell USD/KGS < 87"),
        ("продажа USD ниже 87", "sell USD/KGS < 87"),
        ("USD сатып алуу > 86", "buy USD/KGS > 86"),
        ("USD > 90 until 2026-12-31", "USD/KGS > 90 until 2026-12-31"),
        ("USD > 90 до 31.12.2026", "USD/KGS > 90 until 2026-12-31"),
        ("доллар дороже 90 сом", "USD/KGS > 90"),
        ("USD rises to 90", "USD/KGS > 90"),
        ("USD falls to 20 until 2026-12-31", "USD/KGS < 20 until 2026-12-31"),
        ("USD falls by 60", "USD/KGS -60"),
        ("USD falls by more than 2", "USD/KGS -2"),
        ("USD to RUB falls to 70", "USD/RUB < 70"),
        ("доллар вырастет до 90", "USD/KGS > 90"),
        ("рубль вырос на 1", "RUB/KGS +1"),
        ("доллар дороже на 2", "USD/KGS +2"),
        ("доллар упадёт до 80 до 31.12.2026", "USD/KGS < 80 until 2026-12-31"),
        ("доллар 90го чейин көтөрүлсө", "USD/KGS > 90"),
        ("доллар 80 сомго чейин түшсө", "USD/KGS < 80"),
        ("$ > 90", "USD/KGS > 90"),
    ],
)
def test_a_rule_is_read_as_people_write_it(text: str, canonical: str) -> None:
    assert str(read(text)) == canonical


@pytest.mark.parametrize(
    ("text", "msgid"),
    [
        ("", "no_currency"),
        ("< 1", "no_currency"),
        ("USD", "no_amount"),
        ("USD <", "no_amount"),
        ("USD < 0", "amount"),
        ("USD > -5", "amount"),
        ("USD 0.01%", "too_small"),
        ("USD 3% 0d", "window"),
        ("USD 3% 400d", "window"),
        ("USD EUR 3%", "two_currencies"),
        ("KGS < 1", "same_currency"),
        ("USD < 1 > 2", "two_sides"),
        ("USD rises below 80", "two_sides"),
        ("доллар упадёт выше 90", "two_sides"),
        ("доллар 80ден төмөн көтөрүлсө", "two_sides"),
        ("USD falls by less than 2", "two_sides"),
        ("USD 1 2", "two_amounts"),
        ("USD > 90 7d", "level_window"),
        ("USD < 1%", "percent_side"),
        ("USD > 90 until 31.02.2026", "date"),
        ("USD 87 до", "date"),
        ("USD > 90 banana", "unclear"),
        ("USD @ 90", "unclear"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, msgid: str) -> None:
    with pytest.raises(UserError) as caught:
        read(text)
    assert caught.value.msgid == f"error.rule.{msgid}"


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    condition = draw(st.sampled_from(Condition))
    level = condition is Condition.LEVEL
    low = "0.1" if condition is Condition.PERCENT else "0.0001"
    return Rule(
        pair=draw(st.sampled_from([Pair("USD", "KGS"), Pair("EUR", "UZS"), Pair("KZT", "RUB")])),
        kind=draw(st.sampled_from(RateKind)),
        condition=condition,
        amount=draw(st.decimals(min_value=Decimal(low), max_value=Decimal(99999), places=4)),
        direction=draw(
            st.sampled_from([Direction.UP, Direction.DOWN] if level else list(Direction))
        ),
        inclusive=level and draw(st.booleans()),
        window=None if level else draw(st.none() | st.integers(1, 366)),
        once=draw(st.booleans()),
        until=draw(st.none() | st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31))),
    )


@given(rule=rules())
def test_a_rule_survives_being_written_and_read(rule: Rule) -> None:
    assert parse_rule(str(rule), home="KGS") == rule
    assert Rule.from_json(rule.to_json()) == rule


@given(text=st.text(max_size=40))
def test_any_text_is_a_rule_or_a_plain_answer(text: str) -> None:
    problem: UserError | None = None
    try:
        parse_rule(text, home="KGS")
    except UserError as error:
        problem = error
    assert problem is None or problem.msgid.startswith("error.rule.")


def test_a_level_speaks_when_crossed_and_once_while_it_holds() -> None:
    assert days("USD > 90", ["89", "90", "90.1", "91", "90.5", "90.1"]) == [2]
    assert days("USD >= 90", ["89", "90", "90.1"]) == [1]


def test_a_level_that_trembles_is_one_message_until_it_was_left() -> None:
    assert days("RUB < 1", ["1.1", "0.999", "1.001", "0.999", "1.002", "0.998"], "RUB/KGS") == [1]
    assert days("RUB < 1", ["1.1", "0.999", "1.003", "0.999"], "RUB/KGS") == [1, 3]


def test_a_level_already_reached_has_to_be_left_first() -> None:
    rate = line(["0.9"], "RUB/KGS")
    assert not initial_state(read("RUB < 1"), rate).armed
    assert days("RUB < 1", ["0.9", "0.95", "1.1", "0.99"], "RUB/KGS") == [3]


def test_a_move_is_a_fixing_or_a_drift_since_the_rule_last_spoke() -> None:
    assert days("USD 1%", ["100", "100.4", "100.8", "101.1", "101.5", "101", "99.9", "100.1"]) == [
        3,
        6,
    ]
    assert days("USD 1%", ["100", "99.1", "100.2"]) == [2]


def test_a_direction_hears_only_its_own() -> None:
    values = ["100", "102", "100", "98"]
    assert days("USD +1%", values) == [1]
    assert days("USD -1%", values) == [2, 3]


def test_half_a_som_is_half_a_som() -> None:
    assert days("USD 0.5", ["87", "87.4", "87.5", "87.9", "88"]) == [2, 4]


def test_a_window_measures_from_anything_within_its_days() -> None:
    slow = [str(100 + Decimal(day) / 4) for day in range(20)]
    assert days("USD 3% 7d", slow) == []
    assert days("USD 1.5% 7d", slow)[0] == 6
    assert days("USD 3% 7d", ["100", "99", "98", "99", "101", "101", "101"]) == [4]


def test_a_window_does_not_count_the_same_move_twice() -> None:
    assert days("USD 3% 7d", ["100", "103.5", "103.6", "103.4", "103.5", "103.6"]) == [1]


def test_once_is_once_and_expired_is_silent() -> None:
    values = ["89", "91", "89", "91"]
    assert days("USD > 90", values) == [1, 3]
    assert days("USD > 90 once", values) == [1]
    assert days(f"USD > 90 until {START + timedelta(days=2)}", values) == [1]


def test_a_second_value_of_one_day_does_not_speak_again() -> None:
    rule, rates = read("USD 1%"), line(["100", "102"])
    fired, state = evaluate(
        rule, initial_state(rule, rates[:1]), rates[:1], rates[1], now=noon(START)
    )
    assert fired is not None
    revised = line(["100", "105"])[1]
    assert evaluate(rule, state, rates, revised, now=noon(START)) == (None, state)


def test_what_fired_names_the_move_it_was_measured_by() -> None:
    fired = replay_rule(read("USD 1%"), line(["100", "100.5", "98.9"]))[0]
    assert fired.reasons == (a_reason("since", "−1.59", "2023-01-03"),)
    assert (fired.move.old.value, fired.move.new.value) == (Decimal("100.5"), Decimal("98.9"))


def test_a_preview_counts_the_days_of_history() -> None:
    found = preview(read("USD > 90"), line(["89", "91", "89", "91"]))
    assert found.count == 2
    assert found.dates == (START + timedelta(days=1), START + timedelta(days=3))
    assert preview(read("USD > 90"), []).count == 0


def test_the_state_survives_the_store() -> None:
    rule, rates = read("USD 1%"), line(["100", "102"])
    _, state = evaluate(rule, initial_state(rule, rates[:1]), rates[:1], rates[1], now=noon(START))
    assert RuleState.from_json(state.to_json()) == state
    assert RuleState.from_json(RuleState().to_json()) == RuleState()


PRICES = st.lists(
    st.decimals(min_value=Decimal(98), max_value=Decimal(102), places=2), min_size=2, max_size=60
)


@given(values=PRICES, side=st.sampled_from("<>"))
def test_a_level_never_speaks_twice_without_being_left_in_between(
    values: list[Decimal], side: str
) -> None:
    rates = line([str(value) for value in values])
    spoken = [fired.move.new.effective_on for fired in replay_rule(read(f"USD {side} 100"), rates)]
    margin = REARM_MARGIN  # of a level of 100
    for first, second in itertools.pairwise(spoken):
        between = [rate.value for rate in rates if first < rate.effective_on < second]
        assert any(
            value <= 100 - margin if side == ">" else value >= 100 + margin for value in between
        )


@given(
    values=PRICES,
    text=st.sampled_from(["USD 1%", "USD +1%", "USD 0.5", "USD 1% 5d", "USD > 100", "USD <= 99"]),
)
def test_the_nominal_never_changes_what_a_rule_says(values: list[Decimal], text: str) -> None:
    plain, per_hundred = (line([str(value) for value in values], units=units) for units in (1, 100))
    assert preview(read(text), plain) == preview(read(text), per_hundred)


@given(
    values=st.lists(st.decimals(min_value=80, max_value=90, places=2), min_size=3, max_size=20),
    days=st.integers(1, 9),
)
def test_a_window_tells_the_largest_of_all_its_moves(values: list[Decimal], days: int) -> None:
    """Whatever rate of the window it was measured from."""
    history = line([str(value) for value in values])
    new, state = history[-1], RuleState(anchor=history[0])
    fired, _ = evaluate(
        read(f"USD 0.5% {days}d"), state, history[:-1], new, now=noon(new.effective_on)
    )
    moves = [abs((values[-1] - old) / old * 100) for old in values[-1 - days : -1]]
    assert (abs(fired.move.percent) if fired else None) == (
        max(moves) if max(moves) >= Decimal("0.5") else None
    )


LINK_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


@given(rule=rules())
def test_S12_a_rule_fits_a_link_and_comes_back_the_same(rule: Rule) -> None:
    link = to_link(rule)
    assert len("rule_" + link) <= 64
    assert set(link) <= set(LINK_SIGNS)
    assert from_link(link) == rule


@given(text=st.text(LINK_SIGNS, max_size=64) | st.text(max_size=64))
def test_S12_any_payload_is_a_rule_or_refused_in_words(text: str) -> None:
    try:
        rule = from_link(text)
    except UserError:
        return
    assert from_link(to_link(rule)) == rule


@given(latest=st.decimals(min_value=Decimal("0.001"), max_value=Decimal(20000), places=4))
def test_offered_levels_lie_on_both_sides_of_the_rate_and_are_not_reached(latest: Decimal) -> None:
    levels, *moves = offered(Pair("USD", "KGS"), RateKind.OFFICIAL, latest)
    assert [rule.amount for rule in levels] == sorted({rule.amount for rule in levels})
    for rule in levels:
        assert (rule.amount < latest) == (rule.direction is Direction.DOWN)
    assert [str(rule) for row in moves for rule in row] == [
        f"USD/KGS {size}" for size in ("1%", "2%", "3%", "5%", "3% 7d", "5% 7d")
    ]


@given(rule=rules())
def test_a_step_leads_to_another_rule_that_can_be_read(rule: Rule) -> None:
    for up in (True, False):
        found = stepped(rule, up=up)
        if found is not None:
            assert (found.amount > rule.amount) == up
            assert parse_rule(str(found), home="KGS") == found
