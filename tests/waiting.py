"""Waiting for what makes no event here: another process, a request that is in no log yet; and the
turns that others have meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

PATIENCE = 60.0  # seconds, beside busy processes


async def until(so: Callable[[], bool]) -> None:
    """Return when it is so; TimeoutError where it does not come to be."""
    async with asyncio.timeout(PATIENCE):
        while not so():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.01)


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
