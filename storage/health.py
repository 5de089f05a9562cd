"""Whether a database is sound, as `jarchy db check` says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, inspect, select, text

import storage.notes
from bot.errors import StorageError
from bot.typed import typed
from storage.db import Store
from storage.schema import metadata, note
from storage.versions import HEAD, REVISIONS, may_use

PROBLEMS_SHOWN = 20  # of a kind: one torn page may break a thousand rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The findings of `db check`; no `problems` in a sound database whose schema this program may
    use.
    """

    schema: str | None
    rows: dict[str, int]
    problems: tuple[str, ...]


async def health(store: Store) -> Health:
    """Integrity and foreign keys (SQLite), the schema's revision, and the rows of each table.

    What cannot be read is a problem of its own, and hides nothing else.
    """
    rows: dict[str, int] = {}
    problems: list[str] = []
    schema = None
    if store.alone:
        with _told(problems, "integrity"):
            problems += await _unsound(store)
    with _told(problems, "schema"):
        schema, tables = await _schema(store)
        other = [*_other_schema(schema, await _oldest(store, tables))]
        problems += other
        # another revision may rightly lack tables and columns that this one has
        if not other:
            for table in metadata.sorted_tables:
                if table.name not in tables:
                    problems.append(f"{table.name}: the table is not there")
                    continue
                for name in sorted(set(table.columns.keys()) - tables[table.name]):
                    problems.append(f"{table.name}: the column {name} is not there")
                with _told(problems, table.name):
                    rows[table.name] = await _count(store, table)
    return Health(schema=schema, rows=rows, problems=tuple(problems))


@contextmanager
def _told(problems: list[str], about: str) -> Iterator[None]:
    try:
        yield
    except StorageError as error:
        problems.append(f"{about}: {error}")


async def _unsound(store: Store) -> list[str]:
    """SQLite's own findings about its file, a sentence each; none for a sound one."""
    found: list[str] = []
    async with store.reading() as db:
        check = text(f"PRAGMA integrity_check({PROBLEMS_SHOWN})")
        for verdict in (await db.execute(check)).scalars():
            if verdict != "ok":
                found.append(f"integrity: {verdict}")
        broken = (await db.execute(text("PRAGMA foreign_key_check"))).all()
        for table, row, parent, _ in broken[:PROBLEMS_SHOWN]:
            found.append(f"foreign key: {table} row {row} without its {parent}")
    return found


async def _schema(store: Store) -> tuple[str | None, Mapping[str, set[str]]]:
    """The schema's revision, None of an empty database, and the tables that are there with their
    columns.
    """
    async with store.reading() as db:
        tables = await db.run_sync(_tables)
        schema: str | None = None
        if "alembic_version" in tables:
            found = await db.execute(text("SELECT version_num FROM alembic_version"))
            schema = found.scalar()
    return schema, tables


def _tables(connection: Connection) -> dict[str, set[str]]:
    found = inspect(connection)
    return {
        name: {column["name"] for column in found.get_columns(name)}
        for name in found.get_table_names()
    }


async def _oldest(store: Store, tables: Mapping[str, set[str]]) -> str | None:
    """The oldest program that may use the schema, where it is noted."""
    if note.name not in tables:
        return None
    async with store.reading() as db:
        return await storage.notes.get(db, "min_reader")


def _other_schema(schema: str | None, oldest: str | None) -> Iterator[str]:
    if schema is not None and schema not in REVISIONS:
        if not may_use(schema, oldest):
            yield (
                f"schema: {schema}, newer than this program knows ({HEAD}): start the newer program"
            )
    elif schema != HEAD:
        was = schema or "none"
        yield f"schema: {was}, this program writes {HEAD}: `{typed('db upgrade')}` migrates"


async def _count(store: Store, table: Table) -> int:
    async with store.reading() as db:
        return (await db.execute(select(func.count()).select_from(table))).scalar_one()
