"""The rows of a card of rates: which currencies, which rate of each, and of when it is.

A line is all that one source says of one currency around the card's day, oldest first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from bot.detect.series import cut_at
from bot.errors import UserError
from bot.model.rates import CardRow, SeenRate

CURRENCIES_SHOWN = 5  # of a source that quotes none of the usual ones
RESTING_DAYS = 4  # a rate announced for later than after a long weekend is none of the next days


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The rates of a card that hold on its day, and those announced beside them."""

    held: tuple[SeenRate, ...]
    announced: tuple[SeenRate, ...]

    @property
    def newest(self) -> SeenRate | None:
        """The rate that counts from the latest day; None of an empty card."""
        # what is announced is of a later day than all that holds
        return max(self.announced or self.held, key=_effective_on, default=None)

    @property
    def holds_from(self) -> date | None:
        """The day since when the latest of what holds has held."""
        return max(map(_effective_on, self.held), default=None)

    @property
    def next_on(self) -> date | None:
        """The day on which the first announced row begins."""
        return next(map(_effective_on, self.announced), None)


def shown(rows: Sequence[CardRow]) -> Shown:
    """The rates in the rows of a card."""
    held: list[SeenRate] = []
    announced: list[SeenRate] = []
    for row in rows:
        if row.today is not None:
            held.append(row.today)
        if row.tomorrow is not None:
            announced.append(row.tomorrow)
    return Shown(held=tuple(held), announced=tuple(announced))


def chosen(
    codes: Sequence[str], lines: Mapping[str, Sequence[SeenRate]], *, usual: Sequence[str]
) -> Sequence[str]:
    """The currencies of a card: those asked for, else the usual ones, else a few of what there is.

    UserError for one that nobody has a rate of, or when there is none at all.
    """
    if not lines:
        raise UserError("error.no_rates")
    for code in codes:
        if code not in lines:
            raise UserError("error.currency", code=code, known=", ".join(sorted(lines)))
    if codes:
        return codes
    found = [code for code in usual if code in lines]
    return found or sorted(lines)[:CURRENCIES_SHOWN]


def row(line: Sequence[SeenRate], day: date, *, past: bool) -> CardRow:
    """The rate that holds on a day, the one before it, and the one announced for the next days.

    Beside a `past` day nothing is announced: it is known by now what came.
    """
    begun, later = cut_at(line, day)
    found = CardRow(pair=line[0].pair)
    if begun:
        found = replace(found, today=begun[-1])
    if len(begun) > 1:
        found = replace(found, previous=begun[-2])
    if later and not past and (later[0].effective_on - day).days <= RESTING_DAYS:
        found = replace(found, tomorrow=later[0])
    return found


def seen_as_published(newest: SeenRate, zone: ZoneInfo) -> bool:
    """Whether a rate came to us when it was published, and not by a backfill or our first poll."""
    return newest.seen_at.astimezone(zone).date() <= newest.effective_on


def _effective_on(rate: SeenRate) -> date:
    return rate.effective_on
