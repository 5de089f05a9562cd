"""The opened program: what those who run it, and what runs in it, look at while it runs."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from bot.alerts import notices
from bot.alerts.notices import Notice
from bot.clock import boottime
from bot.config import Settings
from bot.deliver.editor import ChannelEditor
from bot.deliver.unread import UnreadAlerts
from bot.deliver.worker import Worker
from bot.hubs import Hubs
from bot.ingest import Ingest
from bot.intake.inbox import Inbox
from bot.model.roles import Holder
from bot.ops import Operated
from bot.ops.readiness import RECEIVES, SENDS, WRITES, Readiness
from bot.ops.unheard import UnheardLooks
from bot.reasons import Reason, reason
from bot.sources.specs import Catalog
from bot.telegram.api import Api
from handlers import App, Services
from storage.db import Store
from storage.still import Still

STARTING = reason("telegram.starting", "starting: Telegram has not answered yet")


def process_name() -> str:
    """A name of this process among the replicas, another at each start."""
    return str(Holder(socket.gethostname(), str(os.getpid()), uuid.uuid4().hex[:8]))


@dataclass(slots=True)
class Running:
    """The opened program: what others may look at while it runs."""

    settings: Settings
    catalog: Catalog
    store: Store
    services: Services
    ingest: Ingest
    inbox: Inbox
    worker: Worker
    editor: ChannelEditor
    unread: UnreadAlerts
    api: Api
    application: App
    clock: Callable[[], datetime]
    holder: str  # this process among the replicas: its `process_name`
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    ops_port: int | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    # Telegram disowned the token, to whoever asked
    revoked: asyncio.Event = field(default_factory=asyncio.Event)
    readiness: Readiness = field(default_factory=Readiness)
    # when any source of rates was read last, as far as this replica's cards know
    polled: datetime | None = None
    unheard: UnheardLooks = field(default_factory=UnheardLooks)
    # when this process did each recurring job last
    done: dict[str, datetime] = field(default_factory=dict)
    # when this replica looks again how far each broadcast has come
    looks: dict[int, float] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)  # sources that the store is known to know
    stills: dict[str, Still] = field(default_factory=dict)  # of the jobs that rest, by their names

    def __post_init__(self) -> None:
        # /readyz is told of the start as it goes; the other parts are asked when somebody asks it
        for part in (RECEIVES, SENDS):
            self.readiness.tell(part, STARTING)
        self.readiness.ask(SENDS, self._telegram_trouble)
        self.readiness.ask(WRITES, self._writing_trouble)

    def _telegram_trouble(self) -> Reason | None:
        if self.worker.reach.away:
            return reason("telegram.no_answer", "telegram: away")
        return None

    def _writing_trouble(self) -> Reason | None:
        if self.store.trouble is None:
            return None
        return reason("database.trouble", "database: {why}", why=self.store.trouble)

    @property
    def hubs(self) -> Hubs | None:
        """The subscriptions at feeds' hubs; None where no hub would reach us."""
        if self.settings.updates != "webhook" or self.settings.webhook_url is None:
            return None
        parts = urlsplit(self.settings.webhook_url)
        below = parts._replace(path=parts.path.rstrip("/"), query="", fragment="")
        return Hubs(
            store=self.store,
            fetcher=self.ingest.fetcher,
            clock=self.clock,
            news=self.catalog.news,
            base=below.geturl(),
        )

    @property
    def operated(self) -> Operated:
        """The parts of the program that the operator's page asks."""
        settings = self.settings
        return Operated(
            store=self.store,
            catalog=self.catalog,
            clock=self.clock,
            readiness=self.readiness,
            home=settings.home_currency,
            zone=settings.time_zone,
            language=settings.default_language,
            holder=Holder.parse(self.holder),
            token=settings.token_name,
            unheard=self.unheard,
            done=self.done,
            backups=settings.backups,
        )

    async def tell(self, told: Notice, *why: Reason) -> None:
        """Tell the operators, as often as `bot.alerts.notices.tell` allows."""
        await tell(self.store, self.settings, self.clock, told, *why)

    def still(self, job: str) -> Still:
        """What a job that rests found when it was done last."""
        if job not in self.stills:
            self.stills[job] = Still(self.store)
        return self.stills[job]

    async def pause(self, seconds: float) -> None:
        """Sleep to the end, as `bot.clock.pause` does, but not through a stop."""
        end = boottime() + seconds
        while (left := end - boottime()) > 0 and not self.stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self.stopping.wait()


async def tell(
    store: Store,
    settings: Settings,
    clock: Callable[[], datetime],
    told: Notice,
    *why: Reason,
) -> None:
    """Put a notice for each operator into the outbox."""
    async with store.writing() as db:
        await notices.tell(db, settings.admin_ids, told, now=clock(), reasons=why)
