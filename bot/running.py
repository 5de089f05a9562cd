"""The opened program: what those who run it, and what runs in it, look at while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import storage.alerts
from bot.alerts.notices import alert as notice
from bot.config import Settings
from bot.deliver.worker import Worker
from bot.ingest import Ingest
from bot.intake.inbox import Inbox
from bot.ops import Readiness
from bot.sources.specs import Catalog
from bot.telegram.api import Api
from handlers import App, Services
from storage.db import Store


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
    api: Api
    application: App
    clock: Callable[[], datetime]
    holder: str  # names this process among the replicas
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    ops_port: int | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    # Telegram disowned the token, to whoever asked
    revoked: asyncio.Event = field(default_factory=asyncio.Event)
    readiness: Readiness = field(default_factory=Readiness)
    polled: object = None  # when each source was read last, as far as its cards know

    async def tell(self, msgid: str, values: dict[str, str]) -> None:
        """Tell the operators."""
        await tell(self.store, self.settings, msgid, values, self.clock)

    async def pause(self, seconds: float) -> None:
        """Sleep, but not through a stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()


async def tell(
    store: Store,
    settings: Settings,
    msgid: str,
    values: dict[str, str],
    clock: Callable[[], datetime],
) -> None:
    """Put a notice for each operator into the outbox."""
    async with store.writing() as db:
        for admin in settings.admin_ids:
            await storage.alerts.enqueue(db, notice(admin, msgid, values, now=clock()))
