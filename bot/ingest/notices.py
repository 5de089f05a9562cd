"""Notices to the operators, through the outbox like everything else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import storage.notes
from bot.alerts.notices import Notice, tell
from bot.reasons import Reason, SourceKey
from storage.db import Db

HOUR = timedelta(hours=1)
TOLD_AFTER = 5  # polls in a row that failed, in whole or in part, before the operators are told
# begins the name of the note that counts polls of a source that brought only a part
PARTLY = "partly:"


async def note_partly(
    db: Db, admins: Sequence[int], key: str, trouble: Reason | None, *, now: datetime
) -> None:
    """Count polls in a row that brought only a part of a source; tell operators of many."""
    name = f"{PARTLY}{key}"
    before = await storage.notes.get(db, name)
    if trouble is None:
        if before is not None:
            await storage.notes.drop(db, name)
            await note_well(db, admins, key, told=int(before) >= TOLD_AFTER, now=now)
        return
    times = int(before or 0) + 1
    await storage.notes.put(db, name, str(times))
    if times == TOLD_AFTER:
        told = Notice.of("notice.partly", {"source": SourceKey(key)})
        await tell(db, admins, told, now=now, reasons=(trouble,))


async def note_well(db: Db, admins: Sequence[int], key: str, *, told: bool, now: datetime) -> None:
    """Tell the operators that a source is well again, where they were `told` of its trouble."""
    if told:
        await tell(db, admins, Notice.of("notice.well", {"source": SourceKey(key)}), now=now)


async def tell_hourly(db: Db, admins: Sequence[int], notice: Notice, *, now: datetime) -> bool:
    """Tell the operators once an hour of one text, whatever its figures. Whether now."""
    name = f"told:{notice.msgid}"
    told = await storage.notes.get(db, name)
    # A note of the future is left from before the clock was set back: it silences nobody.
    if told is not None and timedelta(0) <= now - datetime.fromisoformat(told) < HOUR:
        return False
    await storage.notes.put(db, name, now.isoformat())
    await tell(db, admins, notice, now=now)
    return True
