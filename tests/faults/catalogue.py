"""The catalogue of faults beside the tests that are named after its rows.

`python -m tests.faults.catalogue` writes the column "tested in" of docs/faults.md.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "faults.md"
NOT_YET = "not yet: "
_ROW = re.compile(r"^\| ([A-Z]\d+) \| (.*) \| (.*) \|(.*)\|$", re.MULTILINE)
_TEST = re.compile(r"def test_((?:[A-Z]\d+_)+)")


def rows() -> dict[str, str]:
    """Code → what the column "tested in" says, in the order of the page."""
    return {row[1]: row[4].strip() for row in _ROW.finditer(PAGE.read_text(encoding="utf-8"))}


def files_by_code() -> dict[str, list[str]]:
    """Code → the files with tests named after it, as the column has them."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for names in _TEST.findall(path.read_text(encoding="utf-8")):
            for code in names.strip("_").split("_"):
                found.setdefault(code, set()).add(_shown(path))
    return {code: sorted(files) for code, files in found.items()}


def _shown(path: Path) -> str:
    return f"`{path.relative_to(ROOT / 'tests')}`"


def write() -> None:
    """Put the names of the files into the column; "not yet" stays where there is no test."""
    files = files_by_code()

    def row(found: re.Match[str]) -> str:
        where = ", ".join(files[found[1]]) if found[1] in files else found[4].strip()
        return f"| {found[1]} | {found[2]} | {found[3]} | {where} |"

    PAGE.write_text(_ROW.sub(row, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
