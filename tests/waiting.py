"""Waiting for what makes no event here: another process, a request that is in no log yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE = 60.0  # seconds, beside busy processes


async def until(so: Callable[[], bool]) -> None:
    """Return when it is so; TimeoutError where it does not come to be."""
    async with asyncio.timeout(PATIENCE):
        while not so():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.01)
