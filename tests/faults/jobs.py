"""Jobs for workers, in a module that imports nothing: each worker imports it."""

from __future__ import annotations


def spin() -> None:
    """A job that never ends and never looks up."""
    while True:
        pass


def rest() -> str:
    """A job that is done."""
    return "x"
