"""A chat's own rule as a value: its condition on a series of rates, its memory, its stored forms.

How people write a rule is read in `bot.convert.rules`; when it speaks is decided in
`bot.detect.rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from bot.model.rates import Pair, Rate, RateKind, rate_from_json, rate_to_json
from bot.model.versions import must_read

VERSION = 1  # the newest of a stored rule, and of its state

# Characters of a rule's amount: no rate needs more, and a link has no room for more.
AMOUNT_WIDTH = 16


class Condition(StrEnum):
    """The comparison of a rule: the rate with a level, or its change in percent or in money."""

    LEVEL = "level"
    PERCENT = "percent"
    ABSOLUTE = "absolute"


class Direction(StrEnum):
    """The way that counts; a level is always one of the first two."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


class RuleStanding(StrEnum):
    """The standing of a saved rule: in force, paused by its chat, done after one alert, over."""

    ON = "on"
    PAUSED = "paused"
    DONE = "done"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of one chat.

    `amount` is a rate, percent, or quote units for one base unit; `window` is days. `inclusive`: a
    level counts as reached when touched (`≤`, `≥`). `until` is the last day it is in force.
    """

    pair: Pair
    kind: RateKind = RateKind.OFFICIAL
    condition: Condition
    amount: Decimal
    direction: Direction = Direction.BOTH
    inclusive: bool = False
    window: int | None = None
    once: bool = False
    until: date | None = None

    @property
    def level(self) -> Decimal | None:
        """The rate that has to be passed, when that is the condition."""
        if self.condition is Condition.LEVEL:
            return self.amount
        return None

    def reached_by(self, rate: Decimal) -> bool:
        """Whether a rate is past the level; of a move there is none."""
        if self.condition is not Condition.LEVEL:
            return False
        if rate == self.amount:
            return self.inclusive
        return (rate > self.amount) is (self.direction is Direction.UP)

    def __str__(self) -> str:
        """The words as a person would type them; `parse_rule` reads them back as the same rule."""
        words = [str(self.pair), self._condition_typed()]
        if self.kind is not RateKind.OFFICIAL:
            words.insert(0, str(self.kind))
        if self.window and self.condition is Condition.ABSOLUTE:
            words.append("in")  # "1 100d" would be read as a thousand
        if self.window:
            words.append(f"{self.window}d")
        if self.once:
            words.append("once")
        if self.until:
            words.append(f"until {self.until}")
        return " ".join(words)

    def _condition_typed(self) -> str:
        """The condition alone: "< 1", "+3%", "0.5"."""
        # "f": a normalized hundred would write itself as 1E+2, which nobody reads back
        amount = format(self.amount, "f")
        if self.condition is Condition.LEVEL:
            sign = "<"
            if self.direction is Direction.UP:
                sign = ">"
            if self.inclusive:
                sign += "="
            return f"{sign} {amount}"
        sign = {Direction.UP: "+", Direction.DOWN: "-", Direction.BOTH: ""}[self.direction]
        if self.condition is Condition.PERCENT:
            amount += "%"
        return sign + amount

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {
            "v": VERSION,
            "pair": str(self.pair),
            "kind": self.kind.value,
            "condition": self.condition.value,
            # as text: JSON has floats, and 0.1 is none of them
            "amount": format(self.amount, "f"),
            "direction": self.direction.value,
            "inclusive": self.inclusive,
            "window": self.window,
            "once": self.once,
            "until": _written(self.until),
            "paused": False,  # a program before this one reads it; whether a rule rests is a column
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read any version we ever wrote; NewerError for one that we did not."""
        must_read("rule", {"v": 1, **data}, VERSION)
        return cls(
            pair=Pair.parse(data["pair"]),
            kind=RateKind(data["kind"]),
            condition=Condition(data["condition"]),
            amount=Decimal(data["amount"]),
            direction=Direction(data["direction"]),
            inclusive=data["inclusive"],
            window=data["window"],
            once=data["once"],
            until=_day(data["until"]),
        )


def _written(day: date | None) -> str | None:
    if day is None:
        return None
    return day.isoformat()


def _day(written: str | None) -> date | None:
    if written is None:
        return None
    return date.fromisoformat(written)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """A rule's memory: whether it may speak, and the rate it last spoke of (or began with)."""

    armed: bool = True
    anchor: Rate | None = None
    fired_on: date | None = None

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        anchor = None
        if self.anchor is not None:
            anchor = rate_to_json(self.anchor)
        fired_on = _written(self.fired_on)
        return {"v": VERSION, "armed": self.armed, "anchor": anchor, "fired_on": fired_on}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read any version we ever wrote; NewerError for one that we did not."""
        must_read("rule's state", {"v": 1, **data}, VERSION)
        anchor = None
        if data["anchor"] is not None:
            anchor = rate_from_json(data["anchor"])
        return cls(armed=data["armed"], anchor=anchor, fired_on=_day(data["fired_on"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRule:
    """A rule as it was typed; `bare`: its number stood there alone, without a sign or a side;
    `named_first`: behind its currency, "dollar 90", where "90 dollars" are an amount of money.
    """

    rule: Rule
    bare: bool
    named_first: bool = False
