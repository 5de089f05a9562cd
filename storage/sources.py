"""Sources: how polling each of them went, and what makes the next request conditional."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal, select

from storage.db import Db, upsert
from storage.schema import document, source


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How polling one source went so far; `failures` counts those in a row."""

    key: str
    first_ok_at: datetime | None = None
    last_tried_at: datetime | None = None
    last_ok_at: datetime | None = None
    next_due_at: datetime | None = None
    asked_at: datetime | None = None
    failures: int = 0
    error: str | None = None
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One URL of a source as we last saw it."""

    source: str
    url: str
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None
    moved_to: str | None = None
    moved_seen: int = 0


async def states(db: Db) -> dict[str, SourceState]:
    """Every source that was ever tried or asked for, by key."""
    rows = await db.execute(select(source))
    return {row.key: SourceState(**row._mapping) for row in rows}  # noqa: SLF001 - SQLAlchemy's public name


async def documents(db: Db, key: str) -> dict[str, Document]:
    """What we know of a source's URLs, by URL."""
    rows = await db.execute(select(document).where(document.c.source == key))
    return {row.url: Document(**row._mapping) for row in rows}  # noqa: SLF001 - SQLAlchemy's public name


async def record_success(
    db: Db,
    key: str,
    *,
    now: datetime,
    next_due_at: datetime,
    seen: Iterable[Document],
    error: str | None = None,
) -> None:
    """The poll went well: failures are forgotten, validators kept; what was gone is back.

    With an `error` it went well in part: what of it failed, for the operator.
    """
    statement = upsert(db, source).values(
        key=key,
        first_ok_at=now,
        last_tried_at=now,
        last_ok_at=now,
        next_due_at=next_due_at,
        failures=0,
        error=error,
    )
    await db.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "first_ok_at": func.coalesce(
                    source.c.first_ok_at, literal(now, source.c.first_ok_at.type)
                ),
                "last_tried_at": now,
                "last_ok_at": now,
                "next_due_at": next_due_at,
                "asked_at": None,
                "failures": 0,
                "error": error,
                "gone_at": None,
            },
        )
    )
    for item in seen:
        values = {
            "etag": item.etag,
            "last_modified": item.last_modified,
            "digest": item.digest,
            "moved_to": item.moved_to,
            "moved_seen": item.moved_seen,
        }
        insert = upsert(db, document).values(source=item.source, url=item.url, **values)
        await db.execute(
            insert.on_conflict_do_update(index_elements=["source", "url"], set_=values)
        )


async def record_failure(
    db: Db, key: str, *, now: datetime, next_due_at: datetime, error: str, gone: bool = False
) -> None:
    """Note a failed poll: counted, explained, tried again at `next_due_at`.

    A source that is `gone` (410) is so since it first said it; any other failure ends that.
    """
    gone_at: datetime | None = None
    since: ColumnElement[datetime] | None = None
    if gone:
        gone_at = now
        # since the first time it said so, not the last
        since = func.coalesce(source.c.gone_at, literal(now, source.c.gone_at.type))
    statement = upsert(db, source).values(
        key=key,
        last_tried_at=now,
        next_due_at=next_due_at,
        failures=1,
        error=error,
        gone_at=gone_at,
    )
    await db.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "last_tried_at": now,
                "next_due_at": next_due_at,
                "asked_at": None,
                "failures": source.c.failures + 1,
                "error": error,
                "gone_at": since,
            },
        )
    )


async def ask(db: Db, keys: Iterable[str], *, now: datetime) -> None:
    """Wish that these sources be polled now; the scheduler sees it."""
    for key in keys:
        statement = upsert(db, source).values(key=key, asked_at=now, failures=0)
        await db.execute(
            statement.on_conflict_do_update(index_elements=["key"], set_={"asked_at": now})
        )


def _backfill(key: str) -> str:
    """The name under which a backfill keeps its notes, apart from those of polls."""
    return f"{key}:backfill"


async def backfilled(db: Db, key: str) -> set[str]:
    """The requests of a source's history that were answered and stored, as they were noted."""
    query = select(document.c.url).where(document.c.source == _backfill(key))
    return set((await db.execute(query)).scalars())


async def note_backfilled(db: Db, key: str, note: str) -> None:
    """Remember a request of the history, in the transaction that stores its answer."""
    await db.execute(
        upsert(db, document).values(source=_backfill(key), url=note).on_conflict_do_nothing()
    )
