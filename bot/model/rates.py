"""Rates: what a publisher says one unit of a currency costs, and how it moved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

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
    """Whose number it is: a rate without its kind is a rumour."""

    OFFICIAL = "official"  # set by a central bank for the day
    REFERENCE = "reference"  # published for information only (ECB)
    BUY = "buy"  # the dealer buys the base from you
    SELL = "sell"  # the dealer sells the base to you
    MID = "mid"  # our arithmetic between buy and sell
    CROSS = "cross"  # derived by us from two rates against a common currency


@dataclass(frozen=True, kw_only=True)
class Rate:
    """`value` quote units for `units` base units ("nominal"), as the source printed it, effective on a calendar day.

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
        if power.strip("0") == "1":
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


@dataclass(frozen=True, kw_only=True)
class SeenRate(Rate):
    """A stored rate: when we first had it, and which revision of that day's value it is (0 is the first)."""

    seen_at: datetime
    revision: int = 0


@dataclass(frozen=True, kw_only=True)
class Move:
    """The change between two rates of one series."""

    old: Rate
    new: Rate

    @cached_property
    def percent(self) -> Decimal:
        """The change in percent of the old rate, unrounded; independent of the nominals."""
        return (self.new.per_unit - self.old.per_unit) / self.old.per_unit * 100
