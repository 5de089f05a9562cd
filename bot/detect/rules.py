"""A chat's own rules, decided: whether a rule speaks of a new rate, and when it would have.

A level rule speaks when the level is crossed, then rests until the rate has come back by
`REARM_MARGIN`: a rate that trembles on the level is one message. A move rule is measured from where
it last spoke, so it re-arms itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from bot.detect.series import before, in_force_since
from bot.model.rates import Move, Rate
from bot.model.rules import Condition, Direction, Rule, RuleStanding, RuleState
from bot.reasons import Reason, reason

# percent of the level: more than an official rate's tremble, less than anybody's interest
REARM_MARGIN = Decimal("0.25")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A rule's condition came true with `move.new`; `move.old` is what it was measured from."""

    rule: Rule
    move: Move
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The days a rule would have spoken on, oldest first."""

    dates: tuple[date, ...]

    @property
    def count(self) -> int:
        """The number of times that the rule would have spoken."""
        return len(self.dates)


def initial_state(rule: Rule, history: Sequence[Rate]) -> RuleState:
    """A new rule's state: moves count from the latest rate; a level reached is to be left first."""
    if not history:
        return RuleState()
    latest = history[-1]
    return RuleState(armed=not rule.reached_by(latest.per_unit), anchor=latest)


def standing(rule: Rule, state: RuleState, *, paused: bool, today: date) -> RuleStanding:
    """The standing of a saved rule on a day: its end goes before its pause."""
    if rule.until is not None and rule.until < today:
        return RuleStanding.EXPIRED
    if rule.once and state.fired_on is not None:
        return RuleStanding.DONE
    if paused:
        return RuleStanding.PAUSED
    return RuleStanding.ON


def evaluate(
    rule: Rule, state: RuleState, history: Sequence[Rate], new: Rate, *, now: datetime
) -> tuple[Fired | None, RuleState]:
    """Decide about `new` and say what to remember; speaks at most once an effective day.

    `history` is the same series oldest first; rates from `new`'s day on are ignored. A finished or
    expired rule says nothing and remembers what it knew.
    """
    finished = rule.once and state.fired_on is not None
    # tomorrow's rate is known today: it is past an end that is today's
    expired = rule.until is not None and max(now.date(), new.effective_on) > rule.until
    told = state.fired_on is not None and new.effective_on <= state.fired_on
    if finished or expired or told:
        return None, state
    past = before(history, new.effective_on)
    if state.anchor is None:  # the rule was made before its series had a rate
        if not past:
            return None, replace(initial_state(rule, [new]), fired_on=state.fired_on)
        state = replace(initial_state(rule, past[:1]), fired_on=state.fired_on)
    if rule.condition is Condition.LEVEL:
        return _evaluate_level(rule, state, past, new)
    return _evaluate_move(rule, state, past, new)


def preview(rule: Rule, history: Sequence[Rate]) -> Preview:
    """The days of `history` (oldest first, one series) on which the rule would have spoken."""
    # without its end, which may lie before the days that it is tried on
    fired = replay_rule(replace(rule, until=None), history)
    return Preview(dates=tuple(each.move.new.effective_on for each in fired))


def replay_rule(rule: Rule, rates: Sequence[Rate]) -> list[Fired]:
    """Each time the rule speaks when `rates` come one after another."""
    if not rates:
        return []
    state = initial_state(rule, rates[:1])
    found: list[Fired] = []
    for at in range(1, len(rates)):
        # no more than the rule can look back: a slice of all would copy a year for each day
        start = max(0, at - (rule.window or 1) - 1)
        now = datetime.combine(rates[at].effective_on, time(12), tzinfo=UTC)
        fired, state = evaluate(rule, state, rates[start:at], rates[at], now=now)
        if fired is not None:
            found.append(fired)
    return found


def _left(rule: Rule, rate: Rate) -> bool:
    """Whether the rate has come back past the level by the margin."""
    margin = rule.amount * REARM_MARGIN / 100
    if rule.direction is Direction.UP:
        return rate.per_unit <= rule.amount - margin
    return rate.per_unit >= rule.amount + margin


def _evaluate_level(
    rule: Rule, state: RuleState, past: Sequence[Rate], new: Rate
) -> tuple[Fired | None, RuleState]:
    if not state.armed:
        return None, replace(state, armed=_left(rule, new))
    if not rule.reached_by(new.per_unit):
        return None, state
    old = state.anchor or new
    if past:
        old = past[-1]
    crossed = reason("below", "below {level}, was {was}", level=rule.amount, was=old.per_unit)
    if rule.direction is Direction.UP:
        crossed = reason("above", "above {level}, was {was}", level=rule.amount, was=old.per_unit)
    fired = Fired(rule=rule, move=Move(old=old, new=new), reasons=(crossed,))
    return fired, RuleState(armed=False, anchor=new, fired_on=new.effective_on)


def _evaluate_move(
    rule: Rule, state: RuleState, past: Sequence[Rate], new: Rate
) -> tuple[Fired | None, RuleState]:
    olds = list(past[-1:])
    if rule.window is not None:
        olds = _window(rule.window, state, past, new)
    elif state.anchor is not None:
        olds.insert(0, state.anchor)
    if not olds:
        return None, state
    # The largest move is from the lowest or the highest of them; a year's window is a year of
    # rates, and the move of each would be counted for nothing.
    lowest = min(olds, key=lambda old: old.per_unit)
    highest = max(olds, key=lambda old: old.per_unit)
    large: list[Move] = []
    for old in sorted((lowest, highest), key=lambda old: old.effective_on):
        move = Move(old=old, new=new)
        if _large(rule, move):
            large.append(move)
    if not large:
        return None, state
    move = max(large, key=lambda move: abs(move.percent))
    change = f"{move.percent:+.2f}".replace("-", "−")
    since = reason("since", "{change} % since {day}", change=change, day=move.old.effective_on)
    fired = Fired(rule=rule, move=move, reasons=(since,))
    return fired, RuleState(armed=True, anchor=new, fired_on=new.effective_on)


def _window(days: int, state: RuleState, past: Sequence[Rate], new: Rate) -> list[Rate]:
    """The rates in force within the window, but nothing from before the rule last spoke."""
    start = new.effective_on - timedelta(days=days)
    if state.fired_on is not None:  # else the same move would be told on each day of the window
        start = max(start, state.fired_on)
    return list(in_force_since(past, start))


def _large(rule: Rule, move: Move) -> bool:
    change = move.new.per_unit - move.old.per_unit
    if rule.condition is Condition.PERCENT:
        change = move.percent
    if rule.direction is Direction.UP:
        return change >= rule.amount
    if rule.direction is Direction.DOWN:
        return -change >= rule.amount
    return abs(change) >= rule.amount
