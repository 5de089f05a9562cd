"""The times of digests and week's summaries, and putting those that are due into the outbox."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

import storage.alerts
import storage.chats
from bot.alerts import digests, weeks
from bot.model.alerts import Alert
from bot.model.local_time import first_instant
from bot.model.subjects import DigestSubject, WeekSubject, digests_of, weeks_of
from bot.model.weeks import monday_of
from storage.db import Store

log = structlog.get_logger(__name__)

DIGEST_LASTS = digests.LASTS


async def enqueue_digests(store: Store, *, now: datetime) -> int:
    """Enqueue what is due, once a calendar day whatever the clock does; returns how much."""
    new = 0
    async with store.writing() as db:
        followed = await storage.chats.followed(db)
        subjects: list[DigestSubject | WeekSubject] = [*digests_of(followed), *weeks_of(followed)]
        for subject in subjects:
            try:
                alert = due(subject, now=now)
            except (ZoneInfoNotFoundError, ValueError):  # this one's trouble is not the others'
                log.warning("a digest's time zone is not known here", key=str(subject))
                continue
            if alert is not None:
                new += await storage.alerts.enqueue(db, alert) is not None
    return new


def due(subject: DigestSubject | WeekSubject, *, now: datetime) -> Alert | None:
    """The alert of a digest or a week's summary that a chat follows, when its time has come."""
    if isinstance(subject, WeekSubject):
        return due_week(subject, now=now)
    return due_digest(subject, now=now)


def due_week(subject: WeekSubject, *, now: datetime) -> Alert | None:
    """The summary of the past week, from its time on Monday until it is too old."""
    zone = ZoneInfo(subject.zone)
    monday = monday_of(now.astimezone(zone).date())
    # one missed before the end of Monday is caught up after it
    slot = first_instant(datetime.combine(monday, subject.at), zone)
    if slot <= now < slot + weeks.LASTS:
        return weeks.alert(subject, monday, slot, now=now)
    return None


def due_digest(subject: DigestSubject, *, now: datetime) -> Alert | None:
    """The digest that a chat follows, from its time until it is too old.

    Yesterday's counts too: one missed before midnight is caught up after it.
    """
    zone = ZoneInfo(subject.zone)
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        slot = first_instant(datetime.combine(day, subject.at), zone)
        if slot <= now < slot + DIGEST_LASTS:
            return digests.alert(subject, day, slot, now=now)
    return None
