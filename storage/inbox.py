"""The inbox: an update is stored before Telegram hears so, and finished after its effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, bindparam, case, null, or_, select, update
from sqlalchemy.sql.dml import ReturningInsert

from storage.clock import leapt
from storage.db import Db, db_now, insertion
from storage.schema import inbox
from storage.types import EPOCH

# the outcome of an unfinished update that is handled alone, for fear that it ends the process
BEGUN = "begun"
# a key of the update, however deep: in text its quotes would be escaped
LOCATION_KEY = '"location"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One update as Telegram sent it; `chat` orders what must not overtake.

    Without a `body` it could not be stored as it came, and only its number is known. `tries` says
    how often a process took it over from one that ended before it was finished; `suspect`, that the
    last one ended over this one.
    """

    update_id: int
    chat: int | None
    kind: str
    body: str | None
    tries: int = 0
    suspect: bool = False


async def add(
    db: Db, updates: Sequence[Received], *, holder: str, lease: timedelta
) -> list[Received]:
    """Store updates for `holder` to handle; returns the new ones: others had their effect."""
    now = await db_now(db)
    fresh: set[int] = set()
    # in one order everywhere, or two wait for each other
    for item in sorted(updates, key=attrgetter("update_id")):
        row = {
            "update_id": item.update_id,
            "chat_id": item.chat,
            "kind": item.kind,
            "body": item.body,
            "fleeting": LOCATION_KEY in (item.body or ""),
            "received_at": now,
            "holder": holder,
            "lease_until": now + lease,
        }
        done = await db.execute(_addition(db.dialect.name), row)
        if done.first() is not None:
            fresh.add(item.update_id)
    return [item for item in updates if item.update_id in fresh]


# built once: building one costs as much as running it, and every reply waits for that
@cache
def _addition(dialect: str) -> ReturningInsert[tuple[int]]:
    statement = insertion(dialect, inbox).on_conflict_do_nothing()
    return statement.returning(inbox.c.update_id)


async def last_received(db: Db) -> datetime | None:
    """The time at which the newest update was stored; None when there is none.

    Numbers grow: Telegram begins anew only after a week of silence, and by then none is left.
    """
    newest = select(inbox.c.received_at).order_by(inbox.c.update_id.desc()).limit(1)
    return (await db.execute(newest)).scalar_one_or_none()


async def yield_to_earlier(db: Db, updates: Sequence[Received], *, holder: str) -> set[int]:
    """Give up the updates of chats of which another replica handles an earlier one; their numbers.

    Nobody holds them then: whoever is free takes them over once the earlier one is finished.
    """
    earlier = inbox.alias("earlier")
    waits = (
        select(earlier.c.update_id)
        .where(
            earlier.c.finished_at.is_(None),
            earlier.c.chat_id == inbox.c.chat_id,
            earlier.c.update_id < inbox.c.update_id,
            or_(earlier.c.holder.is_(None), earlier.c.holder != holder),
        )
        .exists()
    )
    ids = [item.update_id for item in updates]
    await _lock(db, ids)
    statement = (
        update(inbox).where(inbox.c.update_id.in_(ids), waits).values(holder=None, lease_until=None)
    )
    return set((await db.execute(statement.returning(inbox.c.update_id))).scalars())


async def prolong(db: Db, ids: Sequence[int], *, holder: str, lease: timedelta) -> None:
    """Keep updates that wait here for their turn."""
    now = await db_now(db)
    await _lock(db, ids)
    mine = (inbox.c.update_id.in_(ids), inbox.c.holder == holder)
    await db.execute(update(inbox).where(*mine).values(lease_until=now + lease))


async def _lock(db: Db, ids: Sequence[int]) -> None:
    """Take the rows in the order of their numbers, as everybody does.

    Who changes many at once would otherwise take them as they come, and may wait for somebody who
    waits for them. SQLite has one writer at a time and no locks of rows.
    """
    if db.dialect.name == "sqlite":
        return
    rows = select(inbox.c.update_id).where(inbox.c.update_id.in_(ids)).order_by(inbox.c.update_id)
    await db.execute(rows.with_for_update())


async def take_over(
    db: Db,
    *,
    holder: str,
    lease: timedelta,
    everything: bool = False,
    after: int = -1,
    limit: int = 500,
) -> list[Received]:
    """Take unfinished updates beyond number `after` whose holder is gone, oldest first.

    `everything` at an exclusive start: whoever held them is gone. One whose chat has an
    earlier update with a living holder waits for that.
    """
    now = await db_now(db)
    undone = select(inbox).where(inbox.c.finished_at.is_(None), inbox.c.update_id > after)
    undone = undone.order_by(inbox.c.update_id).limit(limit)
    if not everything:
        # just after the clock was set, whoever has a lease is taken to be alive
        judged = EPOCH if await leapt(db, now, lease) else now
        earlier = inbox.alias("earlier")
        alive = (
            earlier.c.finished_at.is_(None),
            earlier.c.chat_id == inbox.c.chat_id,
            earlier.c.update_id < inbox.c.update_id,
            earlier.c.holder != holder,
            earlier.c.lease_until > judged,
        )
        undone = undone.where(
            or_(inbox.c.lease_until.is_(None), inbox.c.lease_until <= judged),
            ~select(earlier.c.update_id).where(*alive).exists(),
        )
    rows = (await db.execute(undone.with_for_update(skip_locked=True, of=inbox))).all()
    ids = [row.update_id for row in rows]
    values = {"holder": holder, "lease_until": now + lease, "tries": inbox.c.tries + 1}
    await db.execute(update(inbox).where(inbox.c.update_id.in_(ids)).values(**values))
    return [_received(row, tries=row.tries + 1) for row in rows]


def _received(row: Row[Any], *, tries: int) -> Received:
    return Received(
        update_id=row.update_id,
        chat=row.chat_id,
        kind=row.kind,
        body=row.body,
        tries=tries,
        suspect=row.outcome == BEGUN,
    )


async def begin(db: Db, update_id: int, *, holder: str) -> None:
    """Note that an update is about to be handled: if the process ends now, it was over this."""
    undone = inbox.c.finished_at.is_(None)
    others = (
        undone,
        inbox.c.outcome == BEGUN,
        inbox.c.holder == holder,
        inbox.c.update_id != update_id,
    )
    await db.execute(update(inbox).where(*others).values(outcome=None))
    await db.execute(
        update(inbox).where(undone, inbox.c.update_id == update_id).values(outcome=BEGUN)
    )


async def unfinished(db: Db, *, after: int, limit: int) -> list[Received]:
    """Unfinished updates above number `after`, oldest first: for who is alone and cannot write."""
    query = select(inbox).where(inbox.c.finished_at.is_(None), inbox.c.update_id > after)
    rows = (await db.execute(query.order_by(inbox.c.update_id).limit(limit))).all()
    return [_received(row, tries=row.tries) for row in rows]


async def latest_ids(db: Db, *, limit: int) -> list[int]:
    """The numbers of the latest updates, oldest first."""
    query = select(inbox.c.update_id).order_by(inbox.c.update_id.desc()).limit(limit)
    return sorted((await db.execute(query)).scalars())


async def finish(db: Db, outcomes: Sequence[tuple[int, str]]) -> None:
    """These updates had their effect (`done`), need none (`ignored`) or cannot have one.

    Those are `failed`, or `unreadable`. What was sent is kept for a day, except a place: where
    somebody is goes at once.
    """
    now = await db_now(db)
    await _lock(db, [update_id for update_id, _ in outcomes])
    rows = [{"numbered": number, "came": outcome, "now": now} for number, outcome in outcomes]
    await db.execute(_FINISHED, rows)


# built once, as above; a place goes
_FINISHED = (
    update(inbox)
    .where(inbox.c.update_id == bindparam("numbered"))
    .values(
        finished_at=bindparam("now"),
        outcome=bindparam("came"),
        body=case((inbox.c.fleeting, null()), else_=inbox.c.body),
    )
)
