"""Reasons: why a decision was made, as a code and its figures.

Their words are a reader's own (`bot.render.reasons`). The English ones (`str`) are for whoever
runs the bot: log lines, the verbs of the command line, notices.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

#: The code of a reason → its English words, filled with its values in order. A code that is not
#: here is no reason.
ENGLISH = {
    # a story
    "grave": "grave",
    "danger": "danger",
    "near": "near",
    "dead": "{} dead",
    "calm": "not happening now",
    "found": "{}: {}",  # the kind of a word, and the pattern that found it
    "against": "−{}: {}",
    "worded": "worded like security news",
    "worded_otherwise": "worded like other news",
    "official": "official source",
    "aggregators": "only aggregators",
    # a move
    "fixing": "{} % against the fixing of {}",
    "drift": "{} % since the alert of {}",
    "drift_first": "{} % since the first rate of {}",
    "high": "highest in {} days",
    "low": "lowest in {} days",
    "usual": "a usual day moves {} %",
    "revised": "{} revised its rate",
    # a chat's own rule
    "above": "above {}, was {}",
    "below": "below {}, was {}",
    "since": "{} % since {}",
    # an implausible rate
    "far_day": "effective on {}, far from the days it publishes for",
    "no_price": "{} for {} is not a price",
    "agrees": "{} agrees",
    "shift": "decimal shift: {} times the rate of {}",
    "units": "units changed from {} to {}",
    "swapped": "took the value of {}, which took this one's: rows swapped",
    "leap": "{} % against {}, more than {} %",
    # a sentence of an earlier version that means none of these: kept, and shown to no reader
    "said": "{}",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a decision was made: one of the codes of `ENGLISH`, and its figures as text."""

    code: str
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """A reason without words would be shown to nobody, and nobody would notice."""
        if self.code not in ENGLISH or ENGLISH[self.code].count("{}") != len(self.values):
            raise ValueError(f"no reason: {self.code}{self.values}")

    def __str__(self) -> str:
        """The reason in English."""
        return ENGLISH[self.code].format(*self.values)


def reason(code: str, *values: object) -> Reason:
    """A reason with its figures as they are written: decimals plain, days as YYYY-MM-DD."""
    return Reason(code, tuple(str(value) for value in values))


def reasons_to_json(reasons: Iterable[Reason]) -> dict[str, Any]:
    """Version 1 of the stored form."""
    return {"v": 1, "reasons": [[one.code, *one.values] for one in reasons]}


def reasons_from_json(data: dict[str, Any]) -> tuple[Reason, ...]:
    """The inverse of `reasons_to_json`."""
    return tuple(Reason(code, tuple(values)) for code, *values in data["reasons"])
