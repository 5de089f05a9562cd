"""Publishers of rates: a file here is one, its name the catalog's word for its parser.

A file defines `SOURCE`, a `RateSource`; that says what the publisher is asked and what it lacks (a
source without `history` has none that we can read). A file without it is a problem by name, and no
catalog is read (`problems`).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

from bot.sources.base import RateSource

FOLDER = Path(__file__).parent


def _modules() -> dict[str, ModuleType]:
    names = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
    return {name: import_module(f"{__name__}.{name}") for name in names}


def sources_of(modules: Mapping[str, object]) -> dict[str, RateSource]:
    """The publishers among these modules, by their names."""
    found = {name: getattr(module, "SOURCE", None) for name, module in modules.items()}
    return {name: source for name, source in found.items() if isinstance(source, RateSource)}


def problems_of(modules: Mapping[str, object]) -> list[str]:
    """What these modules lack to be publishers, a sentence each."""
    known = sources_of(modules)
    return [
        f"bank {name}: bot/sources/banks/{name}.py lacks SOURCE, a RateSource"
        for name in modules.keys() - known
    ]


SOURCES = sources_of(_modules())


def problems() -> list[str]:
    """What the files here lack, a sentence each."""
    return problems_of(_modules())
