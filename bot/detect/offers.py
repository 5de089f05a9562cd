"""Rules worth a button near a rate: levels and moves at round figures, and the next ones.

Also what a bare number near a rate means: `as_level`.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from bot.detect.rules import REARM_MARGIN
from bot.errors import UserError
from bot.model.rates import Pair, RateKind
from bot.model.rules import AMOUNT_WIDTH, Condition, Direction, Rule

# of the rate: no official rate moves by a quarter, so a bare number from here on is a level
LEVEL_FROM = Decimal("0.25")
#: How far round figures lie from a rate, and from each other, as a part of the rate.
NEAR, FAR = Decimal("0.005"), Decimal("0.03")
#: Sizes of a move that people say, in percent.
PERCENTS = tuple(map(Decimal, (
    "0.1", "0.2", "0.3", "0.5", "1", "1.5", "2", "2.5", "3", "4", "5", "7", "10", "15", "20", "30",
    "50",
)))  # fmt: skip


def offered(pair: Pair, kind: RateKind, latest: Decimal) -> tuple[tuple[Rule, ...], ...]:
    """Rules worth a button, by rows: round levels near the rate, a day's moves, a week's moves."""
    move = Rule(pair=pair, kind=kind, condition=Condition.PERCENT, amount=Decimal(1))
    level = replace(move, condition=Condition.LEVEL)
    weekly = replace(move, window=7)
    levels = []
    for direction, amount in _round_levels(latest):
        levels.append(replace(level, direction=direction, amount=amount))
    return tuple(levels), _sized(move, 1, 2, 3, 5), _sized(weekly, 3, 5)


def _sized(move: Rule, *percents: int) -> tuple[Rule, ...]:
    return tuple(replace(move, amount=Decimal(percent)) for percent in percents)


def stepped(rule: Rule, *, up: bool) -> Rule | None:
    """The rule at the next larger or smaller round figure; None where there is none."""
    amount: Decimal | None
    if rule.condition is Condition.PERCENT:
        amount = _next_percent(rule.amount, up=up)
    elif rule.condition is Condition.LEVEL:
        amount = _multiple(rule.amount, _round_step(rule.amount * NEAR), up=up)
    else:
        # a move in money is small beside the rate: a tenth of it, where a level goes by NEAR
        amount = _multiple(rule.amount, _round_step(rule.amount / 10), up=up)
    if amount is None or amount <= 0 or len(format(amount, "f")) > AMOUNT_WIDTH:
        return None
    return replace(rule, amount=amount)


def _next_percent(amount: Decimal, *, up: bool) -> Decimal | None:
    """The next size that people say, larger or smaller; None behind the last."""
    if up:
        for size in PERCENTS:
            if size > amount:
                return size
        return None
    for size in reversed(PERCENTS):
        if size < amount:
            return size
    return None


def _round_levels(latest: Decimal) -> list[tuple[Direction, Decimal]]:
    """Two figures below and two above, the far ones at rounder places; never on the rate itself."""
    near, far = _round_step(latest * NEAR), _round_step(latest * FAR)
    # beyond the margin, so that a day's tremble does not reach what was just offered
    margin = latest * REARM_MARGIN / 100
    below = _multiple(latest - margin, near, up=False)
    above = _multiple(latest + margin, near, up=True)
    found = []
    for amount in (_multiple(below, far, up=False), below):
        if amount > 0:
            found.append((Direction.DOWN, amount))
    for amount in (above, _multiple(above, far, up=True)):
        found.append((Direction.UP, amount))
    return found


def _round_step(size: Decimal) -> Decimal:
    """The smallest of …, 0.1, 0.2, 0.5, 1, 2, 5, … that is not less than `size`."""
    power = Decimal(1).scaleb(size.adjusted())
    for factor in (1, 2, 5):
        if power * factor >= size:
            return power * factor
    return power * 10


def _multiple(value: Decimal, step: Decimal, *, up: bool) -> Decimal:
    """The next multiple of `step` strictly beyond `value`, without idle zeros."""
    whole = value // step
    if up:
        whole += 1
    elif value % step == 0:
        whole -= 1
    found = (whole * step).normalize()
    if found == found.to_integral_value():
        return found.quantize(Decimal(1))  # 1E+2 is how a normalized hundred looks
    return found


def as_level(rule: Rule, latest: Decimal) -> Rule:
    """A bare number beside the latest rate: a level from `LEVEL_FROM` of it on, else a move.

    Above the rate (or on it) the level speaks when it is risen past, below it when it is fallen
    past. UserError when it is a level and has a window, which only moves have, or is said to move
    away from it: "rises, 80" of a dollar at 87.
    """
    if rule.amount < latest * LEVEL_FROM:
        return rule
    if rule.window is not None:
        raise UserError("error.rule.level_window")
    direction = Direction.DOWN
    if rule.amount >= latest:
        direction = Direction.UP
    on_it = rule.amount == latest
    if rule.direction not in {Direction.BOTH, direction} and not on_it:
        raise UserError("error.rule.two_sides")
    if rule.direction is not Direction.BOTH:
        direction = rule.direction
    return replace(rule, condition=Condition.LEVEL, direction=direction)
