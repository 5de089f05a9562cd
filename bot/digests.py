"""When a digest is due, and putting those that are into the outbox."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

import storage.alerts
import storage.chats
from bot import schedule
from bot.model.alerts import Alert, Audience, DigestDue, Lane, Severity
from storage.db import Store

log = structlog.get_logger(__name__)

DIGEST_LATE = timedelta(minutes=10)
DIGEST_LASTS = timedelta(hours=6)


async def enqueue_digests(store: Store, *, now: datetime) -> int:
    """Enqueue each digest whose time has come, once a calendar day whatever the clock does; returns how many."""
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
    """The digest that a subscription key (`digest:09:00@Asia/Bishkek`) asks for, from its time until it is too old.

    Yesterday's counts too: one missed before midnight is caught up after it.
    """
    at, _, name = key.removeprefix("digest:").partition("@")
    zone = ZoneInfo(name)
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        slot = schedule.first_instant(datetime.combine(day, time.fromisoformat(at)), zone)
        if slot <= now < slot + DIGEST_LASTS:
            return _digest_alert(key, day, slot, now)
    return None


def _digest_alert(key: str, day: date, slot: datetime, now: datetime) -> Alert:
    return Alert(
        dedup_key=f"{key}:{day}",
        payload=DigestDue(day=day, late=now - slot > DIGEST_LATE),
        severity=Severity.INFO,
        lane=Lane.ROUTINE,
        audience=Audience(subscription=key),
        created_at=slot,  # for those who wanted it then
        expires_at=slot + (slot + DIGEST_LASTS - now),  # the store counts the time that is left from its own now
        supersede_key=key,
    )
