"""Waiting for what makes no event here: another process, a request that is in no log yet; and the
turns that others have meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

PATIENCE = 60.0  # seconds, beside busy processes
SHORTEST, LONGEST = 0.01, 0.05  # seconds between two looks
SHARE = 0.1  # of the wait so far: whoever waits for long does not work all the while


def pauses() -> Iterator[float]:
    """The seconds from one look to the next, for whoever looks until something is so."""
    begun = time.monotonic()
    while True:
        yield min(LONGEST, max(SHORTEST, SHARE * (time.monotonic() - begun)))


async def until(so: Callable[[], bool]) -> None:
    """Return when it is so; TimeoutError where it does not come to be."""
    async with asyncio.timeout(PATIENCE):
        for pause in pauses():
            if so():
                return
            await asyncio.sleep(pause)


@asynccontextmanager
async def turns_of_others() -> AsyncIterator[Callable[[], int]]:
    """How often another task has had the loop since the block began; asked in it or after it."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    try:
        yield lambda: turns
    finally:
        beside.cancel()
