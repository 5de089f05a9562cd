"""Big moves: what alerts, what rests, and the figures we promise on real and made-up series."""

from __future__ import annotations

import csv
import itertools
import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts.moves import RateMoved
from bot.detect.moves import Baseline, BigMove, MovePolicy, big_move, may_be_big, replay
from bot.model.alerts import Severity
from bot.model.rates import Pair, Rate, RateKind

START = date(2021, 1, 4)


def line(
    values: Iterable[str | float | Decimal], *, pair: str = "USD/KGS", units: int = 1
) -> list[Rate]:
    """A series of one value a day from `START`."""
    return [
        Rate(
            source="nbkr",
            pair=Pair.parse(pair),
            kind=RateKind.OFFICIAL,
            effective_on=START + timedelta(days=day),
            value=Decimal(str(value)) * units,
            units=units,
        )
        for day, value in enumerate(values)
    ]


def wobble(days: int, *, around: float = 80, percent: float = 0.5) -> list[float]:
    """A pair that goes up and down by `percent` every day."""
    return [around * (1 + percent / 100 * (day % 2)) for day in range(days)]


def judge(
    values: list[float],
    new: float,
    *,
    baseline: Baseline | None = None,
    policy: MovePolicy | None = None,
) -> BigMove | None:
    """The decision about `new`, the day after the last of `values`."""
    *history, rate = line([*values, new])
    return big_move(history, rate, baseline, policy or MovePolicy(), now=noon(rate.effective_on))


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def test_three_percent_in_a_day_is_heard_whatever_is_usual() -> None:
    for percent in (0, 0.01, 0.5, 1.5):
        move = judge(wobble(121, percent=percent), 83)
        assert move is not None
        assert move.severity is Severity.NOTABLE
        assert move.moved.rules[0] == "fixing"
        assert move.moved.headline.percent > 3


def test_a_slow_drift_is_noticed_the_day_it_passes_three_percent() -> None:
    moves = list(replay(line(80 * (1 + 0.0005 * day) for day in range(130))))
    assert [move.moved.rules[0] for move in moves] == ["drift", "drift"]
    first = moves[0]
    assert first.moved.new.effective_on == START + timedelta(days=60)
    assert first.moved.baseline.effective_on == START
    assert moves[1].moved.baseline == first.moved.new


def test_a_wobble_around_the_alerted_value_says_nothing() -> None:
    assert list(replay(line(80 + (day % 5 - 2) * 0.4 for day in range(700)))) == []


def test_a_pair_that_stood_still_for_a_year_does_not_alert_at_a_trifle() -> None:
    assert judge([84.79] * 300 + [84.80, 84.79] * 40, 84.84) is None


def test_what_is_ordinary_for_a_lively_pair_does_not_alert() -> None:
    assert judge(wobble(120, percent=0.5), 80.8) is None


def test_the_rest_after_an_alert_silences_what_is_only_remarkable() -> None:
    values = wobble(120, percent=0.3)
    told = line(values)[-10]
    remarkable = judge(values, values[-1] * 1.02)
    assert remarkable is not None
    assert remarkable.severity is Severity.INFO
    assert (
        judge(values, values[-1] * 1.02, baseline=Baseline(rate=told, severity=Severity.NOTABLE))
        is None
    )


def test_carried_forward_weekends_are_not_fixings() -> None:
    week = [80, 80.4, 80.4, 80.4, 80, 80.3, 80.1]
    move = judge(week * 20, 83)
    assert move is not None
    assert move.moved.usual > Decimal("0.2")
    assert judge([80] * 5, 80) is None


def test_a_second_value_for_the_day_alerts_only_when_severity_rises() -> None:
    *history, told = line([*wobble(120), 83])
    baseline = Baseline(rate=told, severity=Severity.NOTABLE)
    again = Rate(**{**vars_of(told), "value": Decimal(78)})
    assert big_move([*history, told], again, baseline, now=noon(told.effective_on)) is None
    far = Rate(**{**vars_of(told), "value": Decimal(92)})
    louder = big_move([*history, told], far, baseline, now=noon(told.effective_on))
    assert louder is not None
    assert louder.severity is Severity.URGENT


def test_the_day_after_an_alert_may_alert() -> None:
    values = [*wobble(120), 83]
    told = Baseline(rate=line(values)[-1], severity=Severity.NOTABLE)
    assert judge(values, 86, baseline=told) is not None


def test_without_any_alert_drift_is_measured_from_the_first_rate_known() -> None:
    move = judge([80, 81, 82, 82.2], 82.5)
    assert move is not None
    assert move.moved.rules[0] == "drift"
    assert move.moved.baseline.value == 80
    assert move.reasons[0].code == "drift_first"


def test_an_old_rate_is_history_and_not_news() -> None:
    *history, rate = line([*wobble(120), 90])
    late = noon(rate.effective_on + timedelta(days=6))
    assert big_move(history, rate, None, now=late) is None
    assert big_move(history, rate, None, now=late - timedelta(days=5)) is not None


def test_a_rate_from_before_the_last_alert_does_not_alert() -> None:
    rates = line([*wobble(120), 90, 90.1])
    baseline = Baseline(rate=rates[-1], severity=Severity.NOTABLE)
    assert big_move(rates[:-2], rates[-2], baseline, now=noon(rates[-1].effective_on)) is None


def test_the_day_of_the_last_comparable_move_is_named() -> None:
    values = [*wobble(60), 84, *wobble(60, around=84), 87]
    *history, rate = line(values)
    move = big_move(
        history,
        rate,
        Baseline(rate=history[60], severity=Severity.NOTABLE),
        now=noon(rate.effective_on),
    )
    assert move is not None
    assert move.moved.extreme_since == START + timedelta(days=60)
    largest = judge(wobble(60), 90)
    assert largest is not None
    assert largest.moved.extreme_since is None


def test_a_drift_names_the_last_day_the_level_was_seen() -> None:
    values = [83.1, 83, 80, *wobble(80, around=80, percent=0.2), 81, 82]
    *history, rate = line([*values, 82.9])
    told = Baseline(rate=history[50], severity=Severity.NOTABLE)
    move = big_move(history, rate, told, now=noon(rate.effective_on))
    assert move is not None
    assert move.moved.rules[0] == "drift"
    assert move.moved.extreme_since == START + timedelta(days=1)


def test_a_new_high_is_told_quietly_and_only_of_a_lively_pair() -> None:
    for percent, told in ((0.3, True), (0.05, False)):
        values = [*wobble(120, percent=percent), 80.6, 81.2]
        move = judge(values, 81.8)
        assert (move is not None) is told
        if move is not None:
            assert (move.moved.rules[0], move.severity) == ("high", Severity.INFO)


def test_reasons_name_the_size_the_day_and_what_is_usual() -> None:
    move = judge(wobble(121), 90)
    assert move is not None
    assert move.severity is Severity.URGENT
    text = " · ".join(map(str, move.reasons))
    assert "+12.50 % against the fixing of 2021-05-04" in text
    assert "highest in 90 days" in text
    assert "a usual day moves 0.50 %" in text
    payload = RateMoved(move.moved)
    assert RateMoved.from_json(payload.to_json()) == payload


@settings(max_examples=30)
@given(
    steps=st.lists(st.integers(min_value=-600, max_value=600), min_size=30, max_size=80),
    units=st.sampled_from([10, 100, 1000]),
)
def test_the_nominal_never_changes_a_decision(steps: list[int], units: int) -> None:
    values, value = [], Decimal(80)
    for step in steps:
        value *= 1 + Decimal(step) / 10000
        values.append(round(value, 4))
    plain, scaled = list(replay(line(values))), list(replay(line(values, units=units)))
    assert [(m.severity, m.reasons, m.moved.extreme_since) for m in plain] == [
        (m.severity, m.reasons, m.moved.extreme_since) for m in scaled
    ]


@settings(max_examples=30)
@given(steps=st.lists(st.integers(min_value=-400, max_value=400), min_size=2, max_size=200))
def test_nothing_of_three_percent_goes_untold(steps: list[int]) -> None:
    """Each day, either an alert, or both the fixing and the drift since the last alert are under 3
    %.
    """
    values, value = [Decimal(80)], Decimal(80)
    for step in steps:
        value *= 1 + Decimal(step) / 10000
        values.append(round(value, 4))
    rates = line(values)
    told = {move.moved.new.effective_on for move in replay(rates)}
    assert_nothing_untold(rates, told)


def assert_nothing_untold(rates: list[Rate], told: set[date]) -> None:
    base = rates[0].value
    for old, new in itertools.pairwise(rates):
        if new.effective_on in told:
            base = new.value
            continue
        assert abs(new.value / old.value - 1) < Decimal("0.03"), new
        assert abs(new.value / base - 1) < Decimal("0.03"), new


def vars_of(rate: Rate) -> dict[str, object]:
    return {
        name: getattr(rate, name)
        for name in ("source", "pair", "kind", "effective_on", "value", "units")
    }


def recorded(path: Path, code: str) -> list[Rate]:
    with path.open(newline="") as file:
        return [
            Rate(
                source="nbkr",
                pair=Pair(code, "KGS"),
                kind=RateKind.OFFICIAL,
                effective_on=date.fromisoformat(row["date"]),
                value=Decimal(row[code]),
            )
            for row in csv.DictReader(file)
            if row[code]
        ]


def stories(rates: list[Rate]) -> list[BigMove]:
    """Every alert of a series, after the promises that hold for any series were checked.

    Each day of 3 % alerts that day, each drift of 3 % since the last alert on the fixing that
    passes it; one alert a day; in 365 days that stand still (19 in 20 moves under 0.3 %) two, or
    what is certain and one courtesy.
    """
    moves = list(replay(rates))
    days = [move.moved.new.effective_on for move in moves]
    assert_nothing_untold(rates, set(days))
    assert len(days) == len(set(days))
    sizes = [abs(new.per_unit / old.per_unit - 1) * 100 for old, new in itertools.pairwise(rates)]
    certain = {move.moved.new.effective_on for move in moves if move.severity is not Severity.INFO}
    for start in range(0, len(sizes) - 364, 7):
        if sorted(sizes[start : start + 365])[346] < Decimal("0.3"):
            first, last = rates[start + 1].effective_on, rates[start + 365].effective_on
            most = max(2, sum(first <= day <= last for day in certain) + 1)
            assert sum(first <= day <= last for day in days) <= most, first
    return moves


def walk(steps: Iterable[float], *, around: float = 80) -> list[Rate]:
    """A series by its daily changes in percent, printed with four decimals, still at weekends."""
    values = [around]
    for step in steps:
        still = (START + timedelta(days=len(values))).weekday() in (
            6,
            0,
        )  # as the National Bank's effective days
        values.append(values[-1] * (1 if still else 1 + step / 100))
    return line(f"{value:.4f}" for value in values)


def still_years(luck: random.Random) -> Iterator[float]:
    """Four years of a pair that hardly moves, with a jump now and then, and perhaps a slow
    drift.
    """
    size, drift, jumps = (
        luck.choice([0.02, 0.05, 0.1, 0.2]),
        luck.choice([0, 0, 0.004, -0.01]),
        luck.choice([0, 1, 3]),
    )
    steady = luck.random() < 0.5
    for _ in range(1460):
        yield (
            (luck.choice([-size, size]) if steady else luck.gauss(0, size))
            + drift
            + jump(luck, jumps)
        )


def jump(luck: random.Random, a_year: float) -> float:
    """A day's change: `a_year` times a year from a trifle to nearly a certain jump, up or down."""
    return luck.choice([-1, 1]) * luck.uniform(0.3, 2.9) if luck.random() < a_year / 260 else 0


def crises(luck: random.Random) -> Iterator[float]:
    """Four years whose liveliness comes and goes, from nothing to five percent a day."""
    size = 0.2
    for _ in range(1460):
        size = min(5.0, max(0.02, size * math.exp(luck.gauss(0, 0.15))))
        yield luck.gauss(0, size)


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.cases(keep=8)
def test_any_year_alerts_as_promised(seed: int) -> None:
    """Still years, crises and what lies between, made up; a courtesy keeps its distance from the
    alert before it.
    """
    luck = random.Random(seed)
    steps = still_years(luck) if seed % 2 else crises(luck)
    moves = stories(walk(steps, around=luck.choice([0.2, 1.2, 80, 12000])))
    for told in (one.moved for one in moves):  # what the poll reads the year for
        assert may_be_big(told.previous, told.new, Baseline(rate=told.baseline))
    for earlier, later in itertools.pairwise(moves):
        if later.severity is Severity.INFO:
            apart = later.moved.new.effective_on - earlier.moved.new.effective_on
            assert apart >= timedelta(days=MovePolicy().rest)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.cases(keep=4)
def test_a_pair_that_stands_still_is_told_at_most_one_courtesy_a_year(seed: int) -> None:
    """Nothing certain in it: a tremble of any steadiness with jumps under 3 % is one message in any
    365 days.
    """
    luck = random.Random(seed)
    size = luck.choice([0.02, 0.1, 0.25])
    value, values = 80.0, [80.0]
    for _ in range(1460):
        away = (value / 80 - 1) * 100  # what jumps comes back, so that nothing drifts away
        back = -away if abs(away) > 1 else math.copysign(size, -away)
        step = luck.choice([-size, size]) if abs(away) < 0.4 else back
        value *= 1 + (1.7 if abs(away) < 0.4 and luck.random() < 0.012 else step) / 100
        values.append(value)
    moves = list(replay(line(f"{each:.4f}" for each in values)))
    assert {move.severity for move in moves} <= {Severity.INFO}
    days = [move.moved.new.effective_on for move in moves]
    assert days
    assert all((later - earlier).days >= 365 for earlier, later in itertools.pairwise(days))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.cases(keep=2)
def test_a_second_alert_for_a_day_is_always_louder(seed: int) -> None:
    """However often a day's value is revised, and however far."""
    luck = random.Random(seed)
    history: list[Rate] = []
    baseline: Baseline | None = None
    loudness: dict[date, list[int]] = {}
    for rate in walk(crises(luck))[:500]:
        for value in [
            rate.value,
            *(rate.value * Decimal(luck.uniform(0.9, 1.1)) for _ in range(luck.randint(0, 3))),
        ]:
            new = replace(rate, value=round(value, 4))
            move = big_move(history, new, baseline, now=noon(new.effective_on))
            baseline = baseline or Baseline(rate=new)
            if move is not None:
                baseline = move.baseline
                loudness.setdefault(new.effective_on, []).append(move.severity.rank)
        history.append(new)
    assert loudness
    assert all(ranks == sorted(set(ranks)) for ranks in loudness.values())


CODES = ("USD", "EUR", "RUB", "KZT")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.cases(keep=1)
def test_variants_of_the_national_banks_years_alert_as_promised(shared: Path, code: str) -> None:
    """Moved in time, against other currencies, thinned, with holes, calmer and wilder: nothing
    hangs on those years.
    """
    rates = recorded(shared / "data/rates/kgs_nbkr_2021-07-03_2023-12-31.csv", code)
    luck = random.Random(code)
    plain = [move.moved.new.effective_on for move in stories(rates)]
    moved = [replace(rate, effective_on=rate.effective_on - timedelta(days=3653)) for rate in rates]
    assert [
        day + timedelta(days=3653) for day in (m.moved.new.effective_on for m in stories(moved))
    ] == plain
    hundred = [replace(rate, value=rate.value * 100, units=100) for rate in rates]
    assert [move.moved.new.effective_on for move in stories(hundred)] == plain
    for other in CODES:
        if other != code:
            against = recorded(shared / "data/rates/kgs_nbkr_2021-07-03_2023-12-31.csv", other)
            both = zip(rates, against, strict=True)
            stories([replace(one, value=round(one.value / two.value, 6)) for one, two in both])
    stories([replace(rate, value=round(1 / rate.value, 8)) for rate in rates])
    stories(rates[::2])
    stories(rates[::7])
    holes = {luck.randrange(len(rates)) + day for day in range(9) for _ in range(9)}
    stories([rate for number, rate in enumerate(rates) if number not in holes])
    steps = [float(new.value / old.value - 1) * 100 for old, new in itertools.pairwise(rates)]
    for factor in (0.1, 0.3, 2):
        stories(walk(step * factor for step in steps))


@pytest.mark.parametrize("code", CODES)
def test_the_national_banks_years_alert_as_promised(shared: Path, code: str) -> None:
    """Nothing of 3 % untold, at most two alerts in a quiet year, RUB at most forty a year outside
    2022.
    """
    rates = recorded(shared / "data/rates/kgs_nbkr_2021-07-03_2023-12-31.csv", code)
    days = [move.moved.new.effective_on for move in replay(rates)]
    assert_nothing_untold(rates, set(days))
    assert len(days) == len(set(days))
    for year in (2021, 2023):
        assert sum(day.year == year for day in days) <= 40
    sizes = [abs(new.value / old.value - 1) * 100 for old, new in itertools.pairwise(rates)]
    for start in range(len(sizes) - 364):
        if sorted(sizes[start : start + 365])[346] < Decimal("0.3"):
            first, last = rates[start + 1].effective_on, rates[start + 365].effective_on
            assert sum(first <= day <= last for day in days) <= 2, first
