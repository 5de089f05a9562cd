"""The switch of all alerts: while it is off, answers and words to operators leave, nothing else.

It stands in the token's row of paces, which each claim reads and locks anyway.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from storage.db import Db, db_now
from storage.pace import token_row
from storage.schema import pace


async def turn_off(db: Db, token: str) -> bool:
    """Let no alert leave until `turn_on`; False where none did before."""
    row = await token_row(db, token, await db_now(db))
    if row.stopped_at is not None:
        return False
    await db.execute(update(pace).where(pace.c.name == token).values(stopped_at=await db_now(db)))
    return True


async def turn_on(db: Db, token: str) -> bool:
    """Let alerts leave again; False where they did."""
    off = (pace.c.name == token, pace.c.stopped_at.is_not(None))
    lifted = update(pace).where(*off).values(stopped_at=None).returning(pace.c.name)
    return (await db.execute(lifted)).first() is not None


async def off_since(db: Db, token: str) -> datetime | None:
    """The time since which no alert leaves; None while they do. Another token has its own."""
    query = select(pace.c.stopped_at).where(pace.c.name == token)
    since: datetime | None = (await db.execute(query)).scalar()
    return since
