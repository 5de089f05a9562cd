"""Whether a database is sound, as `jarchy db check` says it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, inspect, select, text

from storage.db import Store
from storage.schema import metadata
from storage.versions import HEAD

PROBLEMS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What `db check` found: `problems` is empty for a sound database of this program's schema."""

    schema: str | None
    rows: dict[str, int]
    problems: tuple[str, ...]


async def health(store: Store) -> Health:
    """Integrity and foreign keys (SQLite), the schema's revision, and the rows of each table."""
    rows: dict[str, int] = {}
    problems: list[str] = []
    async with store.reading() as db:
        if store.alone:
            verdicts = (
                await db.execute(text(f"PRAGMA integrity_check({PROBLEMS_SHOWN})"))
            ).scalars()
            for verdict in verdicts:
                if verdict != "ok":
                    problems.append(f"integrity: {verdict}")
            broken = (await db.execute(text("PRAGMA foreign_key_check"))).all()
            for table, row, parent, _ in broken[:PROBLEMS_SHOWN]:
                problems.append(f"foreign key: {table} row {row} without its {parent}")
        known = await db.run_sync(
            lambda connection: inspect(connection).has_table("alembic_version")
        )
        schema = None
        if known:
            found = await db.execute(text("SELECT version_num FROM alembic_version"))
            schema = found.scalar()
        if schema != HEAD:
            problems.append(
                f"schema: {schema or 'none'}, this program writes {HEAD}: `jarchy db upgrade` "
                f"migrates"
            )
        else:
            for table in metadata.sorted_tables:
                rows[table.name] = (
                    await db.execute(select(func.count()).select_from(table))
                ).scalar_one()
    return Health(schema=schema, rows=rows, problems=tuple(problems))
