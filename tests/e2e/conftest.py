"""Tests of the real program leave nothing behind."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.e2e.program import kill_all


@pytest.fixture(autouse=True)
async def no_program_left() -> AsyncIterator[None]:
    """Programs that a failed test started end with it."""
    yield
    await kill_all()
