"""The parts that all tables share: `metadata`, the column of a chat, partial indexes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, MetaData, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def of_chat(*, primary_key: bool = False, unique: bool | None = None) -> Column[Any]:
    """The chat that a row belongs to: the row follows it to another number, and goes with it."""
    kept_by = ForeignKey("chat.id", onupdate="CASCADE", ondelete="CASCADE")
    return Column(
        "chat_id", BigInteger, kept_by, primary_key=primary_key, nullable=False, unique=unique
    )


def partial_index(name: str | None, *columns: Column[Any], where: str) -> None:
    """An index of some rows of a table, on both databases: it stays small where few are open.

    Migrations make it, and give PostgreSQL the same condition: said here too, it would import that
    dialect on SQLite (2 MB).
    """
    Index(name, *columns, sqlite_where=text(where))
