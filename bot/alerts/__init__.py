"""Alerts, one file a kind: payload with its stored form, key and life, audience, words, why, what
its buttons mute.

A file here is a kind: it defines one subclass of `Kind`, and `KINDS` finds it by its place. A kind
that lacks a part is refused when this is imported, by the name of the part.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from bot.alerts.kind import Desk, Kind, Reader, table
from bot.errors import ConfigError
from storage.alerts import StoredAlert

FOLDER = Path(__file__).parent
NO_KINDS = {"__init__", "kind"}


def kind_in(module: ModuleType) -> type[Kind]:
    """The kind that a file defines; ConfigError when there is not exactly one."""
    kinds = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Kind) and one.__module__ == module.__name__
    ]
    if len(kinds) != 1:
        name = module.__name__
        raise ConfigError(f"{name} should define one kind of alert, and defines {len(kinds)}")
    return kinds[0]


def _kinds() -> Iterator[type[Kind]]:
    for name in sorted({path.stem for path in FOLDER.glob("*.py")} - NO_KINDS):
        yield kind_in(import_module(f"{__name__}.{name}"))


#: The kinds of alert by the name that is stored.
KINDS = table(*_kinds())


def kind_of(told: StoredAlert) -> Kind:
    """The kind of a stored alert."""
    return KINDS[told.payload.kind]


__all__ = ["KINDS", "Desk", "Kind", "Reader", "kind_of"]
