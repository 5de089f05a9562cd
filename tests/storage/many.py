"""Many rows at once; the program sends a server each by itself, which takes seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, insert, select

from storage.db import Db


async def repeat(db: Db, table: Table, column: str, values: Sequence[Any]) -> None:
    """The rows that are there once more for each value of a column."""
    rows = (await db.execute(select(table))).mappings().all()
    numbered = table.c[column].primary_key or "id" not in table.c  # else the database does it
    kept = [one.name for one in table.c if numbered or one.name != "id"]
    again = [{name: row[name] for name in kept} for row in rows]
    await add_all(db, table, [{**row, column: value} for value in values for row in again])


async def add_all(db: Db, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Rows that have the same columns."""
    statement: Any = insert(table)
    if db.dialect.name != "sqlite":
        statement = statement.returning(*table.primary_key)  # such go in statements of a thousand
    await db.execute(statement, rows)
