"""The program's own source, parsed once by each process of a run, for the tests that read it."""

from __future__ import annotations

import ast
import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

from tests.conftest import ROOT

N = TypeVar("N", bound=ast.AST)
ROOMS = ("bot", "handlers", "storage")


@cache
def files(*rooms: str) -> Sequence[Path]:
    """The Python files of these rooms of the program, in order."""
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


@cache
def text(path: Path) -> str:
    """What a file of the program says."""
    return path.read_text(encoding="utf-8")


def tree(path: Path) -> ast.Module:
    """A file of the program, parsed; not to be changed."""
    (module,) = nodes(path, ast.Module)
    return module


def nodes(path: Path, kind: type[N]) -> Sequence[N]:
    """All nodes of a kind in a file of the program, the outer before the inner."""
    return cast("Sequence[N]", _by_kind(path).get(kind, ()))


def every(kind: type[N], *rooms: str) -> Iterator[tuple[Path, N]]:
    """All nodes of a kind in these rooms, each with its file."""
    for path in files(*(rooms or ROOMS)):
        for node in nodes(path, kind):
            yield path, node


@cache
def _by_kind(path: Path) -> Mapping[type[ast.AST], Sequence[ast.AST]]:
    found: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
    looked = gc.isenabled()
    gc.disable()  # all that is made here stays
    try:
        reached: list[ast.AST] = [ast.parse(text(path))]
        for node in reached:  # grows meanwhile
            found[type(node)].append(node)
            for part in vars(node).values():
                if isinstance(part, ast.AST):
                    reached.append(part)
                elif isinstance(part, list):
                    reached += [one for one in part if isinstance(one, ast.AST)]
    finally:
        if looked:
            gc.enable()
    return dict(found)
