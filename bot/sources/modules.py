"""Files that are found by their place: one file more in a folder is one thing more."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType


def modules_of(package: str, folder: Path) -> dict[str, ModuleType]:
    """A package's modules by their names; a name that begins with _ is the package's own."""
    modules: dict[str, ModuleType] = {}
    for path in sorted(folder.glob("[!_]*.py")):
        modules[path.stem] = import_module(f"{package}.{path.stem}")
    return modules
