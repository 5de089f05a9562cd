"""The rates of a currency that make its week."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.model.rates import SeenRate
from bot.model.weeks import DAYS, CurrencyWeek


def currency_week(history: Sequence[SeenRate], first: date) -> CurrencyWeek | None:
    """The week that begins on the day `first`, of one series, oldest first; None where nothing held
    in it. Before the first rate of all there is nothing to compare with: it begins with that.
    """
    past = [rate for rate in history if rate.effective_on < first]
    begun = [rate for rate in history if first <= rate.effective_on < first + DAYS]
    within = [*past[-1:], *begun]
    if not within:
        return None
    return CurrencyWeek(rates=tuple(within), past=tuple(past[:-1]))
