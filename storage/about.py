"""The database itself, as an operator asks about it: what it is, how large, how it is copied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from storage.db import Db, Store
from storage.keeping import last_night, made, nights_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The open database: its kind and version in its own words, bytes, the schema's revision."""

    kind: str
    version: str
    size: int
    schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backups:
    """The nightly copies: how many are on this machine, and the last night that any replica
    copied.
    """

    count: int
    newest_on: date | None


async def database(db: Db) -> Database:
    """The open database."""
    schema = (await db.execute(text("SELECT version_num FROM alembic_version"))).scalar()
    if db.dialect.name == "sqlite":
        # pages, not the file's size: what is still in its WAL alone belongs to it too
        version = (await db.execute(text("SELECT sqlite_version()"))).scalar()
        pages = (await db.execute(text("PRAGMA page_count"))).scalar_one()
        size = pages * (await db.execute(text("PRAGMA page_size"))).scalar_one()
        kind = "SQLite"
    else:
        version = (await db.execute(text("SHOW server_version"))).scalar()
        size = (await db.execute(text("SELECT pg_database_size(current_database())"))).scalar_one()
        kind = "PostgreSQL"
    return Database(kind=kind, version=str(version), size=int(size), schema=str(schema))


async def backups(store: Store, setting: str | None) -> Backups | None:
    """The nightly copies by the setting BACKUPS; None: none are made."""
    nights = nights_of(store.url, setting)
    if nights is None:
        return None
    copies = await made(store, nights)
    return Backups(count=len(copies), newest_on=await last_night(store))
