"""Rates: what a publisher says one unit of a currency costs, and how it moved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

CODE = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, order=True)
class Pair:
    """USD/KGS 84.79 reads: 84.79 som (quote) for one dollar (base)."""

    base: str
    quote: str

    def __post_init__(self) -> None:
        for code in (self.base, self.quote):
            if not CODE.fullmatch(code):
                raise ValueError(f"not a currency code: {code!r}")

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}"

    @classmethod
    def parse(cls, text: str) -> Pair:
        """Read "USD/KGS"; ValueError when it is anything else."""
        base, slash, quote = text.partition("/")
        if not slash:
            raise ValueError(f"not a pair: {text!r}")
        return cls(base, quote)


class RateKind(StrEnum):
    """The origin of a number: a rate without its kind is a rumour."""

    OFFICIAL = "official"  # set by a central bank for the day
    REFERENCE = "reference"  # published for information only (ECB)
    BUY = "buy"  # the dealer buys the base from you
    SELL = "sell"  # the dealer sells the base to you
    MID = "mid"  # our arithmetic between buy and sell
    CROSS = "cross"  # derived by us from two rates against a common currency


class HeldState(StrEnum):
    """The standing of a rate that was not believed when it came; an operator's word comes once."""

    HELD = "held"
    RELEASED = "released"  # another source, or another poll, says the same
    APPROVED = "approved"  # by an operator: its source's next poll makes it a rate
    REJECTED = "rejected"  # by an operator


@dataclass(frozen=True, kw_only=True)
class Rate:
    """`value` quote units for `units` base units ("nominal"), as the source printed it.

    `effective_on` is a day in the source's zone and may be tomorrow.
    """

    source: str
    pair: Pair
    kind: RateKind
    effective_on: date
    value: Decimal
    units: int = 1

    @cached_property
    def per_unit(self) -> Decimal:
        """The price of one base unit; exact for the powers of ten that banks use."""
        if self.units == 1:
            return self.value
        power = str(self.units)
        if power.strip("0") == "1":  # a moved comma keeps every digit; a quotient has 28
            return self.value.scaleb(1 - len(power))
        return self.value / self.units

    @property
    def series(self) -> Series:
        """The line of rates this one belongs to."""
        return Series(self.source, self.pair, self.kind)


@dataclass(frozen=True, order=True)
class Series:
    """One source's rates of one pair and kind over time: what may be compared with itself."""

    source: str
    pair: Pair
    kind: RateKind

    def __str__(self) -> str:
        """The written form by which alerts about it are looked for."""
        return f"{self.source}:{self.pair}:{self.kind}"


@dataclass(frozen=True, kw_only=True)
class SeenRate(Rate):
    """A stored rate: when we first had it, its number among the day's revisions (from 0)."""

    seen_at: datetime
    revision: int = 0


def percent_between(old: Rate, new: Rate) -> Decimal:
    """The change in percent of the old rate, unrounded; independent of the nominals."""
    before = old.per_unit
    return (new.per_unit - before) / before * 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The change between two rates of one series."""

    old: Rate
    new: Rate

    @property
    def percent(self) -> Decimal:
        """Its size: `percent_between` its rates."""
        return percent_between(self.old, self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRow:
    """A currency on a card: its rate on the card's day, the next one announced, the one before."""

    pair: Pair
    today: SeenRate | None = None
    tomorrow: SeenRate | None = None
    previous: SeenRate | None = None  # the fixing before `today`'s, of another day

    @property
    def move(self) -> Move | None:
        """The change shown beside the row: to tomorrow's rate when it is known, else to today's."""
        if self.today is not None and self.tomorrow is not None:
            return Move(old=self.today, new=self.tomorrow)
        if self.previous is not None and self.today is not None:
            return Move(old=self.previous, new=self.today)
        return None


class Freshness(StrEnum):
    """The card's newest rates against the source's own hours."""

    CURRENT = "current"  # today's (or tomorrow's) rate is here, or it is not yet due
    RESTING = "resting"  # weekend or holiday: an earlier day's rate still holds
    LATE = "late"  # the source missed its window


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """Another source's word on a pair of the card, too far off; `names` by language."""

    ours: SeenRate
    theirs: SeenRate
    names: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCard:
    """A source's rates as a reader sees them on the day `on` (in the source's zone).

    `source_names` maps language to name. `seen_at` is when we first had the newest of the rows'
    rates, `holds_from` the effective day of the rates that hold on `on`, `next_on` the day of the
    announced ones. With `LATE`, `expected_by` is the local end of the source's window, when it has
    one.
    """

    source: str
    source_names: dict[str, str]
    zone: str
    kind: RateKind
    quote: str
    on: date
    rows: tuple[CardRow, ...]
    freshness: Freshness = Freshness.CURRENT
    seen_at: datetime | None = None
    holds_from: date | None = None
    next_on: date | None = None
    expected_by: time | None = None
    disputes: tuple[Dispute, ...] = ()  # nothing of these is alerted until the sources agree
    page: str | None = None  # where a reader can check the number


def rate_to_json(rate: Rate) -> dict[str, Any]:
    """A rate as JSON values, decimals as strings."""
    return {
        "source": rate.source,
        "pair": str(rate.pair),
        "kind": rate.kind.value,
        "effective_on": rate.effective_on.isoformat(),
        "value": format(rate.value, "f"),
        "units": rate.units,
    }


def rate_from_json(data: dict[str, Any]) -> Rate:
    """The inverse of `rate_to_json`."""
    return Rate(
        source=data["source"],
        pair=Pair.parse(data["pair"]),
        kind=RateKind(data["kind"]),
        effective_on=date.fromisoformat(data["effective_on"]),
        value=Decimal(data["value"]),
        units=data["units"],
    )
