"""The files of a language's folder: one that nothing reads, and one that is still another's.

A folder begins as another's copy. What was not made its own would be said and understood all the
same, and nobody would be told that it is English.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from bot.found import nearest

#: How the names begin of what Python and editors leave, and of modules that only parts import.
NOT_OURS = ("_", ".")


def unread(folder: Path, known: Collection[str]) -> Iterator[str]:
    """Each file of a language that nothing reads, to be said behind its folder: a misspelt name is
    as good as no file where a language may do without.
    """
    for name in sorted(path.name for path in folder.iterdir()):
        if name not in known and not name.startswith(NOT_OURS):
            yield f"/{name} is read by nothing{nearest(name, known)}"


def same(folder: Path, other: Path, names: Sequence[str]) -> list[str]:
    """The files that are one and the same in two folders, to the byte."""
    found: list[str] = []
    for name in names:
        ours, theirs = folder / name, other / name
        # sizes first: most differ, and whoever starts the bot waits for this
        if not ours.is_file() or not theirs.is_file():
            continue
        if (
            ours.stat().st_size == theirs.stat().st_size
            and ours.read_bytes() == theirs.read_bytes()
        ):
            found.append(name)
    return found


def has_rows(table: Path) -> bool:
    """Whether a table has anything beside comments, whatever that is."""
    return any(line and not line.startswith(b"#") for line in table.read_bytes().splitlines())
