"""What every test of the real program leaves behind: nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.e2e.program import kill_all


@pytest.fixture(autouse=True)
async def no_program_left() -> AsyncIterator[None]:
    """What a failed test started ends with it."""
    yield
    await kill_all()
