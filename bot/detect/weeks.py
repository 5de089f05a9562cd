"""The rates of a currency that make its week."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from bot.detect.series import cut_at
from bot.model.rates import SeenRate
from bot.model.weeks import DAYS, CurrencyWeek


def currency_week(history: Sequence[SeenRate], first: date) -> CurrencyWeek | None:
    """The week that begins on the day `first`, of one series, oldest first; None where nothing held
    in it. Before the first rate of all there is nothing to compare with: it begins with that.
    """
    past, later = cut_at(history, first - timedelta(days=1))
    begun, _ = cut_at(later, first + DAYS - timedelta(days=1))
    within = [*past[-1:], *begun]
    if not within:
        return None
    return CurrencyWeek(rates=tuple(within), past=tuple(past[:-1]))
