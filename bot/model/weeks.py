"""A week: where a currency began, where it ended, and between what it moved; what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from bot.model.news import Story
from bot.model.rates import Move, SeenRate

DAYS = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyWeek:
    """A currency's week: what held before it and every rate that began in it, oldest first; `past`
    are the days before, for a picture.
    """

    rates: tuple[SeenRate, ...]
    past: tuple[SeenRate, ...] = ()

    @property
    def move(self) -> Move:
        """The move from the rate that held when it began to the one that held when it ended."""
        return Move(old=self.rates[0], new=self.rates[-1])

    @property
    def points(self) -> list[tuple[date, Decimal]]:
        """The days and values of its picture, oldest first."""
        found: list[tuple[date, Decimal]] = []
        for rate in (*self.past, *self.rates):
            found.append((rate.effective_on, rate.per_unit))
        return found

    @property
    def lowest(self) -> SeenRate:
        """The lowest rate that held in the week."""
        return min(self.rates, key=lambda rate: rate.per_unit)

    @property
    def highest(self) -> SeenRate:
        """The highest rate that held in the week."""
        return max(self.rates, key=lambda rate: rate.per_unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekSummary:
    """The facts of the week that begins on `first`: the source and each currency's week, the
    stories most worth telling of how many, and how many the chat's filters keep back.
    """

    first: date
    source: str | None
    currencies: tuple[CurrencyWeek, ...]
    stories: tuple[Story, ...] | None = None  # None where nobody asked for news
    count: int = 0
    left_out: int = 0

    @property
    def last(self) -> date:
        """Its Sunday."""
        return self.first + DAYS - timedelta(days=1)


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())
