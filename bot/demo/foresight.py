"""The next thing due for the bot's own chats: a digest at its hour, the end of quiet hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import storage.chats
import storage.quiet
from bot.model.local_time import first_instant
from bot.model.subjects import DigestSubject, WeekSubject, digests_of, weeks_of
from bot.model.weeks import DAYS, monday_of
from storage.db import Store

DIGEST, QUIET_ENDS = "digest", "quiet_ends"


async def foresee(store: Store, *, now: datetime) -> tuple[datetime, str] | None:
    """The first moment after `now` at which something is due, and what; None where nothing is."""
    async with store.reading() as db:
        keys = await storage.chats.followed(db)
        quiet_ends = await storage.quiet.first_end(db, after=now)
    due = [(next_digest(subject, now=now), DIGEST) for subject in digests_of(keys)]
    due += [(next_week(subject, now=now), DIGEST) for subject in weeks_of(keys)]
    if quiet_ends is not None:
        due.append((quiet_ends, QUIET_ENDS))
    return min(due, default=None)


def next_week(subject: WeekSubject, *, now: datetime) -> datetime:
    """The time after `now` at which the summary of a week is due, by the clocks of its zone."""
    zone = ZoneInfo(subject.zone)
    day = monday_of(now.astimezone(zone).date())
    while (slot := first_instant(datetime.combine(day, subject.at), zone)) <= now:
        day += DAYS
    return slot


def next_digest(subject: DigestSubject, *, now: datetime) -> datetime:
    """The time after `now` at which this digest is due, by the clocks of its zone."""
    zone = ZoneInfo(subject.zone)
    day = now.astimezone(zone).date()
    while (slot := first_instant(datetime.combine(day, subject.at), zone)) <= now:
        day += timedelta(days=1)
    return slot
