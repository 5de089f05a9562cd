"""All that the operator's page shows, read at once: nothing here is a word yet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import storage.about
import storage.leases
import storage.overview
import storage.pace
import storage.replicas
import storage.sources
import storage.stories
import storage.switch
import storage.told
import storage.trends
from bot.alerts import kind_of, reads
from bot.errors import UserError
from bot.model.overview import Overview
from bot.model.rates import RateCard
from bot.model.roles import Holder
from bot.model.status import SourceStatus
from bot.ops.readiness import FRESH, Readiness, stale
from bot.ops.unheard import UnheardLooks
from bot.ops.versions import version
from bot.readers.rates import rate_card
from bot.readers.status import source_statuses
from bot.reasons import Reason
from bot.sources.specs import Catalog
from storage.about import Backups, Database
from storage.alerts import StoredAlert
from storage.db import Db, Store
from storage.leases import HeldRole
from storage.missed import Missed
from storage.told import Told, Unheard

ALERTS_SHOWN = 12  # one screen of the page
NOBODY = Holder("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operated:
    """The program as its page looks at it.

    `home` is the currency whose rates are shown, `holder` this process among the replicas, `token`
    the name of its token's row of paces, `unheard` its looks for alerts that reached nobody, `done`
    when it did each recurring job last.
    """

    store: Store
    catalog: Catalog
    clock: Callable[[], datetime]
    readiness: Readiness
    home: str = "KGS"
    zone: str = "UTC"
    language: str = "en"
    holder: Holder = NOBODY
    token: str = ""
    unheard: UnheardLooks = field(default_factory=UnheardLooks)
    done: Mapping[str, datetime] = field(default_factory=dict)
    backups: str | None = None  # the setting


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldAlert:
    """An alert with how far it came; `title` is a headline or a pair, empty of what is private."""

    alert: StoredAlert
    title: str
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The whole at one moment. `troubles` are the parts that are not ready, each with its reason.

    `replicas` is None of a process that is alone, `backups` None where none are made.
    """

    now: datetime
    zone: str
    troubles: Mapping[str, Reason]
    sources: Sequence[SourceStatus]
    trends: Mapping[str, Sequence[int]]
    card: RateCard | None
    alerts: Sequence[ToldAlert]
    overview: Overview
    unheard: Sequence[Unheard | Missed]
    stopped_at: datetime | None
    paused_until: datetime | None
    roles: Sequence[HeldRole]
    replicas: int | None
    holder: Holder
    done: Mapping[str, datetime]
    database: Database
    backups: Backups | None
    version: str
    python: str


async def read_whole(of: Operated) -> Whole:
    """The whole as it is now; StorageError while the database cannot be read."""
    now = of.clock()
    backups = await storage.about.backups(of.store, of.backups)
    async with of.store.reading() as db:
        sources = await source_statuses(db, of.catalog, now=now)
        troubles = dict(of.readiness.troubles())
        read_at, failures = await storage.sources.last_read(db)
        if (old := stale(read_at, now, failures=failures)) is not None:
            troubles[FRESH] = old
        return Whole(
            now=now,
            zone=of.zone,
            troubles=troubles,
            sources=sources,
            trends=await storage.trends.trends(db, now=now),
            card=await _card(db, of, now),
            alerts=await _alerts(db),
            overview=await storage.overview.overview(db, now=now),
            unheard=await of.unheard.look(db, token=of.token, now=now),
            stopped_at=await storage.switch.off_since(db, of.token),
            paused_until=await storage.pace.paused_until(db, of.token),
            roles=await storage.leases.roles(db),
            replicas=await storage.replicas.replicas(db),
            holder=of.holder,
            done=dict(of.done),
            database=await storage.about.database(db),
            backups=backups,
            version=version(),
            python=sys.version.partition(" ")[0],
        )


async def _card(db: Db, of: Operated, now: datetime) -> RateCard | None:
    """Today's rates at home; None before the first."""
    try:
        return await rate_card(db, of.catalog, home=of.home, now=now)
    except UserError:
        return None


async def _alerts(db: Db) -> Sequence[ToldAlert]:
    """The last alerts that may be shown, each with how far it came."""
    newest = [one for one in await storage.told.newest(db, most=ALERTS_SHOWN) if reads(one)]
    told = await storage.told.how_far(db, [one.id for one in newest])
    stories: dict[int, int] = {}
    for one in newest:
        if (story := kind_of(one).story(one)) is not None:
            stories[one.id] = story
    titles: dict[int, str] = {}
    for found in await storage.stories.several(db, sorted(set(stories.values()))):
        titles[found.pk] = found.lead.headline or found.lead.entry.title
    shown: list[ToldAlert] = []
    for one in newest:
        title = ""
        if one.id in stories:
            title = titles.get(stories[one.id], "")
        elif (rate := kind_of(one).rate(one)) is not None:
            title = str(rate.pair)
        shown.append(ToldAlert(alert=one, title=title, told=told.get(one.id, Told())))
    return shown
