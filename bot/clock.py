"""The clocks of this machine: the wall's, and the one that nobody sets."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

#: Seconds since boot, asleep or awake.
boottime: Callable[[], float] = time.monotonic
if hasattr(time, "CLOCK_BOOTTIME"):  # Linux, whose monotonic clock stands still while it sleeps
    boottime = partial(time.clock_gettime, time.CLOCK_BOOTTIME)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)
