"""The database's statements, compiled once for all stores of a process."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite


def compile_each_once() -> None:
    """Let all stores of this process share their compiled statements.

    Each store has engines of its own, and with each the same statements would be compiled anew: a
    third of what most tests cost. Two dialects of one class are one here, for our stores make them
    with the same options.
    """
    compiled: dict[object, object] = {}

    def same(one: Dialect, other: object) -> bool:
        return type(one) is type(other)

    def of_its_class(one: Dialect) -> int:
        return hash(type(one))

    for kind in (SQLiteDialect_aiosqlite, PGDialectAsync_psycopg):
        kind.__eq__, kind.__hash__ = same, of_its_class  # type: ignore[method-assign, assignment]
        # how a type's values are written and read, which each dialect would find out anew
        kind._type_memos = WeakKeyDictionary()  # type: ignore[assignment]

    @event.listens_for(Engine, "engine_connect")
    def share(connection: Connection) -> None:
        # not of its engine: this connection, often a test's only one, has taken its options already
        connection.execution_options(compiled_cache=compiled)
