"""Whether two sources contradict each other about a pair.

Banks date the same market differently: what agrees with a new rate, or with the rate that held on
its own day, is no contradiction.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar

from bot.detect.plausibility import disagree
from bot.model.rates import Rate, RateKind

# whose word on a pair is for everybody
ANSWERABLE = frozenset({RateKind.OFFICIAL, RateKind.REFERENCE})
COMPARED_FOR = timedelta(days=7)  # older rates of another source dispute nothing

AnyRate = TypeVar("AnyRate", bound=Rate)


def may_contradict(new: Rate, other: Rate) -> bool:
    """Whether another source's rate is of a kind and a day to be heard, and too far away."""
    near = new.effective_on - other.effective_on <= COMPARED_FOR
    return near and other.kind in ANSWERABLE and disagree(new, other)


def rivals(new: Rate, others: Iterable[AnyRate]) -> list[AnyRate]:
    """The other sources' rates that may contradict the new one, in their order."""
    return [other for other in others if may_contradict(new, other)]


def contradicting(new: Rate, held: Iterable[tuple[AnyRate, Rate | None]]) -> AnyRate | None:
    """The first of the rivals that does; each comes with the rate that held on its own day."""
    for other, ours in held:
        if contradicted(new, other, ours):
            return other
    return None


def contradicted(new: Rate, other: Rate, held: Rate | None) -> bool:
    """Whether `other` contradicts the series of `new`; `held` is its rate on the day of `other`."""
    return may_contradict(new, other) and held is not None and disagree(held, other)
