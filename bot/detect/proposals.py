"""A rule tried on history before it is saved: what it would have said, and how it would begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.detect.offers import as_level
from bot.detect.rules import initial_state, preview
from bot.errors import UserError
from bot.model.rates import SeenRate, Series
from bot.model.rules import Rule, RuleState


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A rule tried on the past year: what it watches, the history, the days it would have spoken.

    `state` is what is stored of it when it is saved now.
    """

    rule: Rule
    series: Series
    state: RuleState
    history: tuple[SeenRate, ...]
    fired: tuple[date, ...]
    today: date

    @property
    def latest(self) -> SeenRate | None:
        """The last rate of the history: the one to compare a number with."""
        if not self.history:
            return None
        return self.history[-1]


def proposed(
    rule: Rule, series: Series, history: Sequence[SeenRate], *, today: date, bare: bool
) -> Proposal:
    """A rule on the history of the series that it watches, oldest first.

    It takes the kind of its series. A `bare` number (`TypedRule`) becomes a level where it is near
    the latest rate. UserError when its last day is over.
    """
    if rule.until is not None and rule.until < today:
        raise UserError("error.rule.date_past", day=rule.until)
    rule = replace(rule, kind=series.kind)
    if bare and history:
        rule = as_level(rule, history[-1].per_unit)
    return Proposal(
        rule=rule,
        series=series,
        state=initial_state(rule, history),
        history=tuple(history),
        fired=preview(rule, history).dates,
        today=today,
    )
