"""Rates of a series, one an effective day and oldest first, cut at a day: what holds, what begins.

`before` and `in_force_since` look from the end: what is asked of a series is nearly always its last
days, and ten thousand rules may read one history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TypeVar

from bot.model.rates import Rate, Series

AnyRate = TypeVar("AnyRate", bound=Rate)


def before(series: Sequence[Rate], day: date) -> Sequence[Rate]:
    """The rates effective before `day`."""
    end = len(series)
    while end and series[end - 1].effective_on >= day:
        end -= 1
    if end == len(series):  # nearly always: then nothing has to be copied
        return series
    return series[:end]


def in_force_since(series: Sequence[Rate], day: date) -> Sequence[Rate]:
    """The rates that held from `day` on: those that began later, and the one that held then."""
    start = len(series)
    while start and series[start - 1].effective_on > day:
        start -= 1
    return series[max(start - 1, 0) :]


def cut_at(rates: Iterable[AnyRate], day: date) -> tuple[list[AnyRate], list[AnyRate]]:
    """The rates that have begun by a day, and those that begin later, each in their order.

    Of one series, oldest first: the last one that has begun holds on the day.
    """
    begun: list[AnyRate] = []
    later: list[AnyRate] = []
    for rate in rates:
        if rate.effective_on <= day:
            begun.append(rate)
        else:
            later.append(rate)
    return begun, later


def holding(rates: Iterable[AnyRate], day: date) -> dict[Series, AnyRate]:
    """The rate of each series that holds on a day; the rates of one series are oldest first."""
    begun, _ = cut_at(rates, day)
    return {rate.series: rate for rate in begun}


def nearest_day(rates: Iterable[Rate], day: date) -> date:
    """The day, of those on which these rates begin, that lies nearest; at least one does."""
    return min({rate.effective_on for rate in rates}, key=lambda one: (abs(one - day), one))
