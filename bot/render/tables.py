"""Tables: figures in columns, as values, and how they stand in a monospaced block.

Whoever has figures to show makes one of these; the words of a message (`bot.render.layout`) and
Telegram's own tables (`bot.render.blocks`) both come from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Align(StrEnum):
    """The alignment of a column's cells in a monospaced block."""

    LEFT = "left"  # what the rows are about
    RIGHT = "right"
    MARK = "mark"  # with their decimal marks one below the other, whatever digits each has
    LAST = "last"  # not padded: behind it spaces would only make the block wider


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its title, and what stands `before` its cells in words.

    One that is `named` says its title behind each cell where a row is a line of words.
    """

    title: str = ""
    align: Align = Align.RIGHT
    before: str = "  "
    named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells, one for each column; `mark` is the decimal mark of its language."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    mark: str = "."


def aligned(table: Table, *, headed: bool = True) -> str:
    """The table for a monospaced block; its titles on the first line where it is `headed`."""
    columns: list[list[str]] = []
    for index, column in enumerate(table.columns):
        cells = [row[index] for row in table.rows]
        if column.align is Align.MARK:
            cells = _at_the_mark(cells, table.mark)
        if headed:
            cells.insert(0, column.title)
        columns.append(_padded(cells, column.align))
    between = ["", *(column.before for column in table.columns[1:])]
    shown: list[str] = []
    for row in zip(*columns, strict=True):
        line = "".join(gap + cell for gap, cell in zip(between, row, strict=True))
        shown.append(line.rstrip())
    return "\n".join(shown)


def _padded(cells: Sequence[str], align: Align) -> list[str]:
    """The cells as wide as the widest."""
    width = max(map(len, cells), default=0)
    if align is Align.LAST:
        return list(cells)
    if align is Align.LEFT:
        return [cell.ljust(width) for cell in cells]
    return [cell.rjust(width) for cell in cells]


def _at_the_mark(cells: Sequence[str], mark: str) -> list[str]:
    tails: dict[str, int] = {}
    for cell in cells:
        if cell[:1].isdigit():  # "no rate" has no mark to align, and stands at the right
            tails[cell] = len(cell) - (cell + mark).index(mark)
    longest = max(tails.values(), default=0)
    return [cell + " " * (longest - tails.get(cell, longest)) for cell in cells]
