"""The freshness of the sources, and the queue."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import storage.notes
import storage.overview
import storage.rates
import storage.sources
import storage.switch
from bot.model.status import SourceStatus, Status
from bot.readers.rates import local_day
from bot.sources.specs import Catalog
from storage.db import Db
from storage.sources import SourceState


async def current_status(db: Db, catalog: Catalog, *, token: str, now: datetime) -> Status:
    """The freshness of every enabled source, the queue, and the `token`'s switch."""
    summary = await storage.overview.summary(db, now=now)
    return Status(
        now=now,
        sources=await source_statuses(db, catalog, now=now),
        waiting=summary.waiting,
        oldest=summary.oldest,
        last_sent_at=summary.last_sent_at,
        stopped_at=await storage.switch.off_since(db, token),
    )


async def source_statuses(db: Db, catalog: Catalog, *, now: datetime) -> tuple[SourceStatus, ...]:
    """The freshness of every enabled source, in the catalog's order."""
    states = await storage.sources.states(db)
    stuck_marks = {spec.key: storage.notes.stale(spec.key) for spec in catalog.polled}
    stuck = await storage.notes.among(db, list(stuck_marks.values()))
    sources = []
    for spec in catalog.polled:
        key = spec.key
        state = states.get(key, SourceState(key=key))  # never asked yet
        stuck_on = None
        if (noted := stuck.get(stuck_marks[key])) is not None:
            stuck_on = date.fromisoformat(noted)
        newest_on = None
        if key in catalog.rates:
            tomorrow = local_day(catalog, key, now) + timedelta(days=1)  # known today
            newest_on = await storage.rates.newest_day(db, key, until=tomorrow)
        sources.append(
            SourceStatus(
                key=key,
                names=dict(spec.names),
                last_ok_at=state.last_ok_at,
                next_due_at=state.next_due_at,
                failures=state.failures,
                error=state.error,
                stuck_on=stuck_on,
                paused=state.paused_at is not None,
                newest_on=newest_on,
            )
        )
    return tuple(sources)
