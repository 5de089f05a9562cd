"""Leases: a role that exactly one process has, until it ends or gives it back.

Rows with a fencing number, never advisory locks: those are silent no-ops on
some servers and break behind PgBouncer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import case, or_, select, update

from bot.model.roles import Holder, Role
from storage.clock import leapt
from storage.db import Db, db_now, upsert
from storage.schema import lease
from storage.types import EPOCH

GIVEN_BACK = EPOCH  # the end of a lease that its holder ended


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRole:
    """A role that a process has now."""

    role: Role
    holder: Holder


async def roles(db: Db) -> Sequence[HeldRole]:
    """The roles that somebody has at this moment, by name."""
    held = select(lease.c.name, lease.c.holder).where(lease.c.until > await db_now(db))
    found: list[HeldRole] = []
    for row in await db.execute(held.order_by(lease.c.name)):
        found.append(HeldRole(role=Role.parse(row.name), holder=Holder.parse(row.holder)))
    return found


async def acquire(db: Db, name: str, *, holder: str, span: timedelta) -> int | None:
    """Take or prolong a role. Returns its fence, or None while somebody else has it.

    The fence grows with every change of hands, and stays while one holder prolongs. What was given
    back is free at once; what ended is not, while the clock was set less than a `span` ago.
    """
    now = await db_now(db)
    free = or_(lease.c.until <= GIVEN_BACK, lease.c.holder == holder)
    if not await leapt(db, now, span):
        free = or_(free, lease.c.until <= now)
    fence = case((lease.c.holder == holder, lease.c.fence), else_=lease.c.fence + 1)
    statement = upsert(db, lease).values(name=name, holder=holder, fence=1, until=now + span)
    result = await db.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": holder, "until": now + span, "fence": fence},
            where=free,
        ).returning(lease.c.fence)
    )
    number: int | None = result.scalar()
    return number


async def release(db: Db, name: str, *, holder: str) -> None:
    """Give a role back: the next one need not wait for its end."""
    await db.execute(
        update(lease).where(lease.c.name == name, lease.c.holder == holder).values(until=GIVEN_BACK)
    )
