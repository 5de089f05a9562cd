"""Whoever is told, by those who ask for updates or have them posted, how that goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.reasons import Reason

#: Told why no updates come, or None while they do.
Tell = Callable[[Reason | None], None]
#: Told that Telegram gave no answer at all, which nobody else may notice while nothing is sent.
Lost = Callable[[], Awaitable[object]]


def untold(_why: Reason | None) -> None:
    """Tell nobody whether updates come."""


async def unwatched() -> None:
    """Nobody watches for Telegram."""
