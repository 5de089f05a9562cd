"""Tables in the words of a message: a monospaced block, or a line for each row."""

from __future__ import annotations

from bot.render.tables import Table, aligned
from bot.render.text import Rich, bold, join, lines, pre, tabled


def block(table: Table, *, headed: bool = True) -> Rich:
    """The table as a monospaced block, whose columns align."""
    return tabled(pre(aligned(table, headed=headed)), table)


def as_lines(table: Table, *, plain: bool = False) -> Rich:
    """A line for each row: what it is about, in bold unless it is to be `plain`, then the cells
    that it has.
    """
    shown: list[Rich] = []
    for first, *cells in table.rows:
        line = Rich(first) if plain else bold(first)
        for column, cell in zip(table.columns[1:], cells, strict=True):
            if cell:
                name = column.title if column.named else None
                line += column.before + join(" ", [cell, name])
        shown.append(line)
    return tabled(lines(*shown), table)
