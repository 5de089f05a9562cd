"""Libraries without their documentation, which a running bot keeps for nobody.

What a library's functions and classes say of themselves is in its bytecode, and stays in memory as
long as they do: 5 MB of an idle bot. `python -OO` would leave it out too, but with every assertion,
and with what our own verbs say when they are asked for help.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Collection
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from types import CodeType, ModuleType

SHORT = 64  # letters: what is no longer is left, for it may be a value of the function besides
#: Says since Python 3.13 which functions have a text of their own; before that, all whose first
#: constant is one.
_HAS_TEXT: int | None = getattr(inspect, "CO_HAS_DOCSTRING", None)


def import_without_texts(libraries: Collection[str]) -> None:
    """Let what these libraries say of their functions and classes not stay, from now on."""

    class Loader(SourceFileLoader):
        """Loads a module as ever, and drops its texts if it is of one of the libraries."""

        def get_code(self, fullname: str) -> CodeType | None:
            code = super().get_code(fullname)
            if code is None or not _is_of(fullname):
                return code
            return _without_texts(code)

        def exec_module(self, module: ModuleType) -> None:
            super().exec_module(module)
            if _is_of(module.__name__):
                _forget_texts_of_classes(module)

    def _is_of(name: str) -> bool:
        return name.partition(".")[0] in libraries

    finder = FileFinder.path_hook(
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (Loader, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    )
    sys.path_hooks.insert(0, finder)
    sys.path_importer_cache.clear()  # the finders that were made by another


def _without_texts(code: CodeType) -> CodeType:
    """A module's, class's or function's code, without the texts of all functions in it."""
    constants = list(code.co_consts)
    if _has_text(code):
        constants[0] = None
    for at, one in enumerate(constants):
        if isinstance(one, CodeType):
            constants[at] = _without_texts(one)
    if all(new is old for new, old in zip(constants, code.co_consts, strict=True)):
        return code
    return code.replace(co_consts=tuple(constants))


def _has_text(code: CodeType) -> bool:
    """Whether the first constant of a code is a function's text, and a long one."""
    # a module and a class are no function, and what is between angles has no text
    if not code.co_flags & inspect.CO_OPTIMIZED or code.co_name.startswith("<"):
        return False
    if _HAS_TEXT is not None and not code.co_flags & _HAS_TEXT:
        return False
    first = code.co_consts[0] if code.co_consts else None
    return isinstance(first, str) and len(first) > SHORT


def _forget_texts_of_classes(module: ModuleType) -> None:
    for one in vars(module).values():
        if isinstance(one, type) and one.__module__ == module.__name__ and "__doc__" in vars(one):
            one.__doc__ = None
    module.__doc__ = None
