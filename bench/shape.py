"""The shape of the house, each figure beside its goal: `python -m bench.shape [FOLDER …]`.

Read from the sources alone, in a second or two; says `over` and exits 1 where a goal is missed. A
circle of imports, and who may import whom, is import-linter's to see (`make check`).
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figure import Figure, Goal, table

ROOMS = ("bot", "handlers", "storage")
COLUMNS = 100
SHORT = 25  # lines; nine functions of ten have fewer
LONGEST_FILE = 400
MOST_WIDE = 0.5  # none at all; a table shows no goal of nothing
# words to a checker at the end of a line, and what explains them, may stand beyond the last column
_PRAGMA = re.compile(r"  # (noqa|type: ignore|fmt|isort)\b.*")
_DIRECTIVE = re.compile(_PRAGMA.pattern.strip())
_DENSE = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp)
# one revision of the schema is one function, however many tables it makes
_MIGRATIONS = "migrations/versions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The counts: lines of files and functions by name, and the rest as sums."""

    files: dict[str, int]
    functions: dict[str, int]
    statements: int
    dense: int
    comments: int
    directives: int  # those of the comments that are words to a checker
    wide: Sequence[str]


def shape_of(paths: Iterable[Path]) -> Shape:
    """The shape of these files."""
    files: dict[str, int] = {}
    functions: dict[str, int] = {}
    statements = dense = comments = directives = 0
    wide: list[str] = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        files[str(path)] = len(lines)
        for number, line in enumerate(lines, 1):
            if len(_PRAGMA.sub("", line)) > COLUMNS:
                wide.append(f"{path}:{number}")
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                comments += 1
                directives += _DIRECTIVE.match(token.string) is not None
        for node in ast.walk(ast.parse(text)):
            statements += isinstance(node, ast.stmt)
            dense += isinstance(node, _DENSE)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                functions[f"{path}:{node.lineno} {node.name}"] = length
    return Shape(
        files=files,
        functions=functions,
        statements=statements,
        dense=dense,
        comments=comments,
        directives=directives,
        wide=wide,
    )


def figures(shape: Shape) -> list[Figure]:
    """The figures of a shape, with the worst by name."""
    longest = max(shape.files, key=lambda name: shape.files[name])
    own = {name: size for name, size in shape.functions.items() if _MIGRATIONS not in name}
    short = 100 * sum(size < SHORT for size in own.values()) / len(own)
    worst = max(own, key=lambda name: own[name])
    dense = 100 * shape.dense / shape.statements
    lines = sum(shape.files.values())
    comments = 100 * shape.comments / lines
    said = 100 * (shape.comments - shape.directives) / lines
    return [
        Figure(
            name="longest file",
            value=shape.files[longest],
            unit="lines",
            goal=Goal(of="figure", most=LONGEST_FILE),
            note=longest,
        ),
        Figure(
            name=f"functions under {SHORT} lines",
            value=short,
            unit="%",
            goal=Goal(of="figure", least=90),
            note=f"longest: {worst}, {own[worst]}",
        ),
        Figure(
            name="comprehensions, conditional expressions",
            value=dense,
            unit="per 100 statements",
            goal=Goal(of="figure", most=4),
        ),
        Figure(
            name="comments",
            value=comments,
            unit="per 100 lines",
            goal=Goal(of="figure", least=4, most=8),
            note=f"without the {shape.directives} words to checkers: {said:.2f}",
        ),
        Figure(
            name=f"lines above {COLUMNS} columns",
            value=len(shape.wide),
            unit="lines",
            goal=Goal(of="figure", most=MOST_WIDE),
            note=" ".join(shape.wide[:3]),
        ),
    ]


def main() -> int:
    """Count the folders that were named, or the program."""
    rooms = sys.argv[1:] or ROOMS
    shape = shape_of(sorted(path for room in rooms for path in Path(room).rglob("*.py")))
    found = figures(shape)
    print(table(found))
    return int(any(one.verdict == "over" for one in found))


if __name__ == "__main__":
    sys.exit(main())
