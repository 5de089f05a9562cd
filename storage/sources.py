"""Sources: how polling each of them went, and what makes the next request conditional."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Row,
    bindparam,
    case,
    func,
    literal,
    null,
    select,
    update,
)

from bot.errors import StorageError
from bot.reasons import Reason, read_if, written, written_if
from storage.advice import is_its_own
from storage.db import Db, insertion, upsert
from storage.schema import document, source


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """The past of polling one source; `failures` counts those in a row.

    `pause` is the seconds between its polls, where that is not simply the catalog's.
    """

    key: str
    first_ok_at: datetime | None = None
    last_tried_at: datetime | None = None
    last_ok_at: datetime | None = None
    next_due_at: datetime | None = None
    asked_at: datetime | None = None
    failures: int = 0
    error: Reason | None = None
    gone_at: datetime | None = None
    pause: int | None = None
    paused_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One URL of a source as we last saw it; `listed` is what its reader knows it by again.

    `moved_seen` is how often it was seen at `moved_to`; less than zero while the place that it
    moved from is to be asked, since the new one failed.
    """

    source: str
    url: str
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None
    listed: bytes | None = None
    moved_to: str | None = None
    moved_seen: int = 0


# built once, not for each poll
_STATES = select(source).where(source.c.key.in_(bindparam("keys", expanding=True)))
_DOCUMENTS = select(document).where(document.c.source.in_(bindparam("keys", expanding=True)))


async def states(db: Db, keys: Collection[str] | None = None) -> dict[str, SourceState]:
    """Sources that were ever tried or asked for, by key: of these `keys`, or all."""
    if keys is None:
        return _states(await db.execute(select(source)))
    return _states(await db.execute(_STATES, {"keys": list(keys)}))


async def due(
    db: Db, *, now: datetime, known: Container[str], most: int = 2_000
) -> dict[str, SourceState]:
    """The `known` sources that somebody wishes polled, or whose time has come, by key.

    Of more than `most` those that wait longest: reading ten thousand would hold the loop, and as
    they are polled the next look has the others.
    """
    running = source.c.paused_at.is_(None)
    wished = await db.execute(select(source).where(source.c.asked_at.is_not(None), running))
    found = _states(row for row in wished if row.key in known)
    late = select(source).where(source.c.next_due_at <= now, running)
    # by the key too: pages of an uncertain order would pass a source over
    late = late.order_by(source.c.next_due_at, source.c.key).limit(most)
    skipped, full = 0, True
    while full and len(found) < most:  # what an earlier catalog had may be due for ever
        page = await db.execute(late.offset(skipped))
        rows = page.all()
        found |= _states(row for row in rows if row.key in known)
        skipped += most
        full = len(rows) == most
    return found


async def first_due(db: Db, *, after: datetime) -> datetime | None:
    """The first moment after that one at which the time of any source comes; None: of none."""
    running = source.c.paused_at.is_(None)
    query = select(func.min(source.c.next_due_at)).where(source.c.next_due_at > after, running)
    first: datetime | None = (await db.execute(query)).scalar()
    return first


def _states(rows: Iterable[Row[Any]]) -> dict[str, SourceState]:
    found: dict[str, SourceState] = {}
    for row in rows:
        values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
        values["error"] = read_if(values["error"])
        found[row.key] = SourceState(**values)
    return found


async def last_ok_at(db: Db, keys: Collection[str] | None = None) -> datetime | None:
    """The last time that any source was read, or any of these."""
    query = select(func.max(source.c.last_ok_at))
    if keys is not None:
        query = query.where(source.c.key.in_(list(keys)))
    latest: datetime | None = (await db.execute(query)).scalar()
    return latest


async def last_read(db: Db) -> tuple[datetime | None, int]:
    """The last time that any source was read, and the most failures in a row of one since."""
    query = select(
        func.max(source.c.last_ok_at).label("at"), func.max(source.c.failures).label("failures")
    )
    row = (await db.execute(query)).one()
    return row.at, row.failures or 0


async def failing(db: Db, keys: Container[str]) -> dict[str, int]:
    """The failures in a row of each of these sources that fails and is not paused, by its key."""
    query = select(source.c.key, source.c.failures).where(
        source.c.failures > 0, source.c.paused_at.is_(None)
    )
    return {row.key: row.failures for row in await db.execute(query) if row.key in keys}


async def documents(db: Db, keys: Collection[str]) -> dict[str, dict[str, Document]]:
    """The documents of these sources as last seen, by the source's key and the address."""
    found: dict[str, dict[str, Document]] = {}
    for row in await db.execute(_DOCUMENTS, {"keys": list(keys)}):
        known = Document(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
        found.setdefault(known.source, {})[known.url] = known
    return found


def is_away(error: BaseException) -> bool:
    """Whether an error is the database's own trouble, and not that of what was asked of it."""
    return isinstance(error, StorageError) and is_its_own(error.__cause__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """A poll that went well: when the next is due, what to remember of its documents.

    With an `error` it went well in part: what of it failed, for the operator. `pause` is the
    source's own, in seconds. It fulfils the wish of `asked_at`, the one that was known when the
    source was asked: what a hub or an operator wished meanwhile may be of a later change.
    """

    key: str
    next_due_at: datetime
    seen: Sequence[Document] = ()
    error: Reason | None = None
    pause: int | None = None
    asked_at: datetime | None = None


def _wish_left(fulfilled: ColumnElement[datetime]) -> ColumnElement[datetime]:
    """The wish that a source be polled, unless it is the one that a poll fulfilled."""
    wished = source.c.asked_at
    return case((wished == fulfilled, null()), else_=wished)


async def record_success(db: Db, polls: Sequence[Good], *, now: datetime) -> None:
    """Polls that went well, by one statement: failures are forgotten; what was gone is back."""
    if not polls:
        return
    rows: list[dict[str, object]] = []
    seen: list[Document] = []
    # in one order for all replicas: none waits for a row of one that waits for it
    for poll in sorted(polls, key=lambda poll: poll.key):
        rows.append(
            {
                "key": poll.key,
                "first_ok_at": now,
                "last_tried_at": now,
                "last_ok_at": now,
                "next_due_at": poll.next_due_at,
                "failures": 0,
                "error": written_if(poll.error),
                "pause": poll.pause,
                "asked_at": poll.asked_at,
            }
        )
        seen += poll.seen
    await db.execute(_success(db.dialect.name), rows)
    await _remember(db, seen)


async def _remember(db: Db, seen: Sequence[Document]) -> None:
    if seen:
        await db.execute(_remembering(db.dialect.name), [asdict(item) for item in seen])


@cache
def _success(dialect: str) -> Executable:
    statement = insertion(dialect, source)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "first_ok_at": func.coalesce(source.c.first_ok_at, new.first_ok_at),
            "last_tried_at": new.last_tried_at,
            "last_ok_at": new.last_ok_at,
            "next_due_at": new.next_due_at,
            "asked_at": _wish_left(new.asked_at),
            "failures": 0,
            "error": new.error,
            "gone_at": None,
            "pause": new.pause,
        },
    )


@cache
def _remembering(dialect: str) -> Executable:
    statement = insertion(dialect, document)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["source", "url"],
        set_={
            "etag": new.etag,
            "last_modified": new.last_modified,
            "digest": new.digest,
            "listed": new.listed,
            "moved_to": new.moved_to,
            "moved_seen": new.moved_seen,
        },
    )


async def bring_forward(db: Db, latest: Mapping[str, datetime]) -> None:
    """Let sources be asked at these times at the latest."""
    due = source.c.next_due_at
    statement = (
        update(source)
        .where(source.c.key == bindparam("of"), due > bindparam("at", type_=due.type))
        .values(next_due_at=bindparam("at", type_=due.type))
    )
    await db.execute(statement, [{"of": key, "at": at} for key, at in sorted(latest.items())])


async def record_failure(
    db: Db,
    key: str,
    *,
    now: datetime,
    next_due_at: datetime,
    error: Reason,
    gone: bool = False,
    asked_at: datetime | None = None,
    seen: Sequence[Document] = (),
) -> None:
    """Note a failed poll: counted, explained, tried again at `next_due_at`; `asked_at` and `seen`
    see `Good`.

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
        error=written(error),
        gone_at=gone_at,
    )
    await db.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "last_tried_at": now,
                "next_due_at": next_due_at,
                "asked_at": _wish_left(literal(asked_at, source.c.asked_at.type)),
                "failures": source.c.failures + 1,
                "error": written(error),
                "gone_at": since,
            },
        )
    )
    await _remember(db, seen)


async def ask(db: Db, keys: Iterable[str], *, now: datetime) -> None:
    """Wish that these sources be polled now; the scheduler sees it."""
    for key in keys:
        statement = upsert(db, source).values(key=key, asked_at=now, failures=0)
        await db.execute(
            statement.on_conflict_do_update(index_elements=["key"], set_={"asked_at": now})
        )


async def pause(db: Db, key: str, *, paused: bool, now: datetime) -> None:
    """Poll a source no more, or again, when it is due."""
    since = now if paused else None
    statement = upsert(db, source).values(key=key, paused_at=since, failures=0)
    await db.execute(
        statement.on_conflict_do_update(index_elements=["key"], set_={"paused_at": since})
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
