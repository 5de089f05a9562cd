"""The version of this program."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


@cache
def version() -> str:
    """The version that is installed; "unknown" of a folder that was only copied."""
    try:
        return installed("jarchy")
    except PackageNotFoundError:
        return "unknown"
