"""A series of rates, one an effective day and oldest first, cut at a day.

Both cuts look from the end: what is asked of a series is nearly always its last days, and ten
thousand rules may read one history.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.model.rates import Rate


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
