"""A stretch of the bank's history that is played again, and how somebody chooses one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bot.demo.words import Words, filled, words
from bot.emulator import DayField
from bot.errors import BotError
from bot.languages import FALLBACK


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days from `first` to `last`, with which the replay stops; None: it has no end."""

    first: date
    last: date | None = None


class ChoiceError(BotError):
    """A choice of days that cannot be, and why, in the words of whoever chose."""

    def __init__(self, why: Words) -> None:
        super().__init__(why[FALLBACK])
        self.words = why


def written_day(day: date) -> str:
    """A day for people: "15.08.2023"."""
    return f"{day:%d.%m.%Y}"


def day_fields(known: tuple[date, date]) -> list[DayField]:
    """The two days that are asked for, between the first and the last of the `known` ones."""
    labels = {"first": words("demo.first_day"), "last": words("demo.last_day")}
    return [
        DayField(id=name, label=label, earliest=known[0], latest=known[1])
        for name, label in labels.items()
    ]


def read_stretch(first: str, last: str, *, known: tuple[date, date]) -> Stretch:
    """The stretch between two days, YYYY-MM-DD; the last one may be empty.

    ChoiceError where the bank's rates of a day are not known, or the last is before the first.
    """
    begins_on = _read_day(first, known)
    ends_on = _read_day(last, known) if last else None
    if ends_on is not None and ends_on < begins_on:
        raise ChoiceError(words("demo.backwards"))
    return Stretch(begins_on, ends_on)


def _read_day(text: str, known: tuple[date, date]) -> date:
    earliest, latest = known
    try:
        day = date.fromisoformat(text)
    except ValueError:  # also an empty one
        day = None
    if day is None or not earliest <= day <= latest:
        between = {"first": written_day(earliest), "last": written_day(latest)}
        raise ChoiceError(filled("demo.no_day", **between))
    return day
