"""Rules worth a button near a rate: levels and moves at round figures, the next larger and smaller
one.

Also what a bare number near a rate means: `as_level`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from bot.detect.rules import MARGIN
from bot.errors import UserError
from bot.model.rates import Pair, RateKind
from bot.model.rules import AMOUNT_WIDTH, Condition, Direction, Rule

# of the rate: no official rate moves by a quarter, so a bare number from here on is a level
LEVEL_FROM = Decimal("0.25")
#: How far round figures lie from a rate, and from each other, as a part of the rate.
NEAR, FAR = Decimal("0.005"), Decimal("0.03")
PERCENTS = tuple(
    Decimal(tenths) / 10
    for tenths in (1, 2, 3, 5, 10, 15, 20, 25, 30, 40, 50, 70, 100, 150, 200, 300, 500)
)


def offered(pair: Pair, kind: RateKind, latest: Decimal) -> tuple[tuple[Rule, ...], ...]:
    """Rules worth a button, by rows: round levels near the rate, a day's moves, a week's moves."""
    levels = [
        Rule(pair=pair, kind=kind, condition=Condition.LEVEL, amount=amount, direction=direction)
        for direction, amount in _round_levels(latest)
    ]

    def moves(sizes: Sequence[int], window: int | None = None) -> tuple[Rule, ...]:
        return tuple(
            Rule(
                pair=pair,
                kind=kind,
                condition=Condition.PERCENT,
                amount=Decimal(size),
                window=window,
            )
            for size in sizes
        )

    return tuple(levels), moves((1, 2, 3, 5)), moves((3, 5), 7)


def stepped(rule: Rule, *, up: bool) -> Rule | None:
    """The rule at the next larger or smaller round figure; None where there is none."""
    if rule.condition is Condition.PERCENT:
        larger = [size for size in PERCENTS if size > rule.amount]
        smaller = [size for size in PERCENTS if size < rule.amount]
        amount = (larger[0] if larger else None) if up else (smaller[-1] if smaller else None)
    else:
        step = _round_step(
            rule.amount * (NEAR if rule.condition is Condition.LEVEL else Decimal("0.1"))
        )
        amount = _multiple(rule.amount, step, up=up)
    if amount is None or amount <= 0 or len(format(amount, "f")) > AMOUNT_WIDTH:
        return None
    return replace(rule, amount=amount)


def _round_levels(latest: Decimal) -> list[tuple[Direction, Decimal]]:
    """Two figures below and two above, the far ones at rounder places; never on the rate itself."""
    near, far = _round_step(latest * NEAR), _round_step(latest * FAR)
    margin = latest * MARGIN / 100
    below, above = (
        _multiple(latest - margin, near, up=False),
        _multiple(latest + margin, near, up=True),
    )
    further = _multiple(below, far, up=False), _multiple(above, far, up=True)
    lows = [amount for amount in (further[0], below) if amount > 0]
    return [(Direction.DOWN, amount) for amount in lows] + [
        (Direction.UP, above),
        (Direction.UP, further[1]),
    ]


def _round_step(size: Decimal) -> Decimal:
    """The smallest of …, 0.1, 0.2, 0.5, 1, 2, 5, … that is not less than `size`."""
    power = Decimal(1).scaleb(size.adjusted())
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= size)


def _multiple(value: Decimal, step: Decimal, *, up: bool) -> Decimal:
    """The next multiple of `step` strictly beyond `value`, without idle zeros."""
    whole = value // step
    times = whole + 1 if up else whole - (value % step == 0)
    found = (times * step).normalize()
    return found.quantize(Decimal(1)) if found == found.to_integral_value() else found


def as_level(rule: Rule, latest: Decimal) -> Rule:
    """A bare number beside the latest rate: a level when it is at least `LEVEL_FROM` of it, else
    the move it was.

    Above the rate (or on it) the level speaks when it is risen past, below it when it is fallen
    past. UserError when it is a level and has a window, which only moves have.
    """
    if rule.amount < latest * LEVEL_FROM:
        return rule
    if rule.window is not None:
        raise UserError("error.rule.level_window")
    direction = Direction.UP if rule.amount >= latest else Direction.DOWN
    return replace(rule, condition=Condition.LEVEL, direction=direction)
