"""What the tables of all subjects are made with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, MetaData, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def partial_index(name: str | None, *columns: Column[Any], where: str) -> None:
    """An index of some rows of a table, on both databases: it stays small where few are open."""
    condition = text(where)
    Index(name, *columns, sqlite_where=condition, postgresql_where=condition)
