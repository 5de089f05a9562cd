"""The panel beside the chats: the demonstration's buttons, the days they ask for, its figures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date

from bot.emulator.errors import Json, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class DayField:
    """A day that a button asks for, between two that there are; it may be left open."""

    id: str
    label: Words
    earliest: date
    latest: date

    def json(self) -> Json:
        """The field for the page."""
        return {
            "id": self.id,
            "label": self.label,
            "earliest": self.earliest.isoformat(),
            "latest": self.latest.isoformat(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A button of the demonstration; `run` returns what to show as its result.

    `group` is the heading it stands below. One that is `pressed` or not is a switch; one that is
    not `usable` now says so. `hint` is what it would do just now. What is chosen for its `days`,
    YYYY-MM-DD or nothing, is given to `run` by their ids.
    """

    id: str
    label: Words
    run: Callable[..., Awaitable[Words]]
    group: Words = ""
    pressed: Callable[[], bool] | None = None
    usable: Callable[[], bool] | None = None
    hint: Callable[[], Words] | None = None
    days: Sequence[DayField] = ()

    def json(self) -> Json:
        """Its state now, for the page."""
        shown: Json = {"id": self.id, "label": self.label, "group": self.group}
        for name in ("pressed", "usable", "hint"):
            if (ask := getattr(self, name)) is not None:
                shown[name] = ask()
        if self.days:
            shown["days"] = [day.json() for day in self.days]
        return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A figure of the demonstration; None where nobody knows it now."""

    id: str
    label: Words
    value: int | None
