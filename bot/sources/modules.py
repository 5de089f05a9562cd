"""Files that are found by their place: one file more in a folder is one thing more."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType


def modules_of(package: str, folder: Path) -> dict[str, ModuleType]:
    """A package's modules by their names; a name that begins with _ is the package's own.

    In place of one that gives its thing a part which there is not (`reed=read`) an empty one
    stands, with what is `wrong` with it.
    """
    modules: dict[str, ModuleType] = {}
    for path in sorted(folder.glob("[!_]*.py")):
        name = f"{package}.{path.stem}"
        try:
            modules[path.stem] = import_module(name)
        except TypeError as error:
            modules[path.stem] = _Unmade(name, str(error))
    return modules


class _Unmade(ModuleType):
    """A module that could not be read to its end."""

    def __init__(self, name: str, wrong: str) -> None:
        super().__init__(name, wrong)
        self.wrong = wrong


def wrong_with(module: object) -> str:
    """Why a module does not bring its thing, to be said behind a sentence; "" where it just does
    not.
    """
    wrong = getattr(module, "wrong", "")
    return f": {wrong}" if wrong else ""
