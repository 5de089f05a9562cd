"""When a digest is due, and putting those that are into the outbox."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

import storage.alerts
import storage.chats
from bot import schedule
from bot.alerts import digests
from bot.model.alerts import Alert
from bot.model.subjects import DigestSubject, parse_subject
from storage.db import Store

log = structlog.get_logger(__name__)

DIGEST_LASTS = digests.LASTS


async def enqueue_digests(store: Store, *, now: datetime) -> int:
    """Enqueue each due digest, once a calendar day whatever the clock does; returns how many."""
    new = 0
    async with store.writing() as db:
        for key in await storage.chats.digest_keys(db):
            try:
                alert = due_digest(key, now=now)
            except (ZoneInfoNotFoundError, ValueError):  # this one's trouble is not the others'
                log.warning("a digest's time zone is not known here", key=key)
                continue
            if alert is not None:
                new += await storage.alerts.enqueue(db, alert) is not None
    return new


def due_digest(key: str, *, now: datetime) -> Alert | None:
    """The digest that a subscription key (`digest:09:00@Asia/Bishkek`) asks for, from its time
    until it is too old.

    Yesterday's counts too: one missed before midnight is caught up after it.
    """
    subject = parse_subject(key)
    if not isinstance(subject, DigestSubject):
        return None
    zone = ZoneInfo(subject.zone)
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        slot = schedule.first_instant(datetime.combine(day, subject.at), zone)
        if slot <= now < slot + DIGEST_LASTS:
            return digests.alert(subject, day, slot, now=now)
    return None
