"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _shared() -> Path | None:
    """The folder of real data beside the project, when it is there; tests that need it skip otherwise."""
    path = Path(os.environ.get("JARCHY_SHARED", ROOT.parent / "shared"))
    return path if (path / "data").is_dir() else None


SHARED = _shared()


@pytest.fixture
def shared() -> Path:
    """The folder of real payloads; skips where it is absent."""
    if SHARED is None:
        pytest.skip("the shared data folder is not here")
    return SHARED
