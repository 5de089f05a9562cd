"""The clocks of this machine: the wall's, and the one that nobody sets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

#: Seconds since boot, asleep or awake.
boottime: Callable[[], float] = time.monotonic
if hasattr(time, "CLOCK_BOOTTIME"):  # Linux, whose monotonic clock stands still while it sleeps
    boottime = partial(time.clock_gettime, time.CLOCK_BOOTTIME)


async def pause(seconds: float) -> None:
    """The time until at least so many seconds have passed: an event loop may wake up to a
    millisecond before the end of a sleep, and what somebody asked us to wait is kept whole.
    """
    end = boottime() + seconds
    while (left := end - boottime()) > 0:  # noqa: ASYNC110 - it waits for the clock alone
        await asyncio.sleep(left)


def utc_now() -> datetime:
    """The wall clock's time, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class TurnedClock:
    """The wall clock set ahead, or back: the time of a demonstration, which somebody turns."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        """The time as it is turned, in UTC."""
        return utc_now() + self.ahead
