"""What the operators are told, through the outbox like everything else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import storage.marks
import storage.outbox
from bot.model.alerts import Alert, Audience, Lane, Notice, Severity
from storage.db import Db

HOUR = timedelta(hours=1)


async def tell(db: Db, admins: Sequence[int], msgid: str, values: Mapping[str, str], *, now: datetime) -> None:
    """Tell the operators, once a day for one trouble."""
    for admin in admins:
        await storage.outbox.enqueue(db, notice(admin, msgid, values, now=now))


async def tell_hourly(db: Db, admins: Sequence[int], msgid: str, values: Mapping[str, str], *, now: datetime) -> bool:
    """Tell the operators, whatever the values, once an hour for one `msgid`. Returns whether they are told now."""
    told = await storage.marks.get(db, f"told:{msgid}")
    if told is not None and timedelta(0) <= now - datetime.fromisoformat(told) < HOUR:
        return False
    await storage.marks.put(db, f"told:{msgid}", now.isoformat())
    await tell(db, admins, msgid, values, now=now)
    return True


def notice(admin: int, msgid: str, values: Mapping[str, str], *, now: datetime) -> Alert:
    """An operator's message; the same trouble is told once a day."""
    digest = hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()[:16]
    return Alert(
        dedup_key=f"notice:{admin}:{msgid}:{digest}:{now:%Y-%m-%d}",
        payload=Notice(msgid=msgid, values=tuple(sorted(values.items()))),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=admin),
        created_at=now,
        expires_at=now + timedelta(days=2),
    )
