"""The composition root: what is opened, in what order, and what is put together of it.

What was opened is closed in reverse. Nothing is decided here, and nothing read or said.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from bot import metrics
from bot.alerts import KINDS
from bot.alerts.notices import OnTrouble
from bot.beginning import begin_alone, must_be_of
from bot.clock import TurnedClock, utc_now
from bot.config import Settings
from bot.deliver.compose import Composer
from bot.deliver.editor import ChannelEditor
from bot.deliver.unread import UnreadAlerts
from bot.deliver.worker import REQUEST, Worker
from bot.detect.meaning import vectors
from bot.detect.topics import judged_all, judged_by_meaning
from bot.fetch import Fetcher, Limits
from bot.ingest import Ingest
from bot.ingest.documents import JOBS as READERS
from bot.listening import inbox_of, serve
from bot.model.alerts import Severity
from bot.ops import ops_app
from bot.own_feeds import OwnFeeds
from bot.places import zone_at
from bot.render import drawing
from bot.running import Running, process_name, tell
from bot.sources.own import read_own
from bot.sources.specs import Catalog
from bot.telegram.api import Api
from bot.telegram.client import Bot, dispatcher
from bot.telegram.request import AiohttpRequest
from bot.telegram.session import TOTAL_SECONDS, Session, open_session, proxy_of
from bot.workers import Workers
from handlers import Context, Services, route
from storage.db import Store
from storage.opening import held_store
from storage.shared_clock import shared_clock

USUAL = Limits()
#: The functions that are given to worker processes, by whose names their jobs are counted.
WORKER_JOBS = (
    *READERS,
    judged_all,
    judged_by_meaning,
    vectors,
    read_own,
    drawing.draw,
    zone_at,
)
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The opened parts, of which everything else is put together."""

    settings: Settings
    catalog: Catalog
    clock: Clock
    on_trouble: OnTrouble
    store: Store
    proxy: str | None  # to Telegram
    session: Session
    workers: Workers
    fetcher: Fetcher
    revoked: asyncio.Event

    def api(self, *, seconds: float = TOTAL_SECONDS) -> Api:
        """A way to Telegram; a request without an answer is given up after so many seconds."""
        settings = self.settings
        return Api(
            self.session,
            url=settings.bot_api_url,
            token=settings.token,
            proxy=self.proxy,
            on_revoked=self.revoked.set,
            seconds=seconds,
        )


@asynccontextmanager
async def opened(
    settings: Settings, catalog: Catalog, clock: Clock, limits: Limits = USUAL
) -> AsyncIterator[Running]:
    """Everything with a door, opened in order and closed in reverse."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(held_store(settings.database_url, sparing=False))
        # before anything is read or written: the database may be another bot's
        await must_be_of(store, settings.token_name)
        clock = await _clock_beside(store, clock)
        on_trouble = partial(tell, store, settings, clock)
        if store.alone:
            await begin_alone(store, on_trouble)
        proxy = await proxy_of(settings)
        doors = Doors(
            settings=settings,
            catalog=catalog,
            clock=clock,
            on_trouble=on_trouble,
            store=store,
            proxy=proxy,
            session=await stack.enter_async_context(open_session(proxy=proxy)),
            workers=await stack.enter_async_context(Workers()),
            fetcher=await stack.enter_async_context(
                Fetcher(limits=limits, proxy=settings.proxy_to_others)
            ),
            revoked=asyncio.Event(),
        )
        bot = _put_together(doors)
        bot.ops_port = await serve(
            stack, ops_app(bot.operated), settings.ops_listen, setting="OPS_LISTEN"
        )
        yield bot


async def _clock_beside(store: Store, clock: Clock) -> Clock:
    """The database's clock where replicas share one; another clock, a test's, stays."""
    if not store.alone and clock is utc_now:
        clock = await shared_clock(store)
    if isinstance(clock, TurnedClock):
        store.turned = partial(getattr, clock, "ahead")
    return clock


def _put_together(doors: Doors) -> Running:
    """The program: answers, deliveries and polls, each of what is open."""
    _expect()
    api = doors.api()
    client = Bot(
        api,
        doors.settings.token,
        url=doors.settings.bot_api_url,
        request=AiohttpRequest(doors.session),
    )
    editor = ChannelEditor(feeds=doors.catalog.news)
    unread = UnreadAlerts(doors.on_trouble)
    holder = process_name()
    worker = _worker(doors, api, client, editor, unread, holder)
    services = _services(doors, api, worker)
    application = dispatcher(client, Context)
    route(application, services)
    inbox = inbox_of(application, services, holder)
    # afterwards: the inbox needs the application, and that the services
    services.waiting, services.aside, services.rest = inbox.waiting, inbox.aside, inbox.rest
    services.turn = partial(worker.turn, rest=inbox.rest)
    return Running(
        settings=doors.settings,
        catalog=doors.catalog,
        store=doors.store,
        services=services,
        ingest=_ingest(doors),
        inbox=inbox,
        worker=worker,
        editor=editor,
        unread=unread,
        api=api,
        application=application,
        clock=doors.clock,
        holder=holder,
        revoked=doors.revoked,
    )


def _expect() -> None:
    """Show 0 for what is counted by kinds of alert and by jobs, until it happens."""
    metrics.ALERTS.expect(KINDS, Severity)
    told = [name for name, kind in KINDS.items() if not kind.payload.TERMS.awaited]
    metrics.TOLD_AFTER.expect(told)
    metrics.WORKER_JOBS.expect([job.__name__ for job in WORKER_JOBS], ("done", "failed", "ended"))


def _worker(
    doors: Doors, api: Api, client: Bot, editor: ChannelEditor, unread: UnreadAlerts, holder: str
) -> Worker:
    """The sender; it gives up a request sooner than `api`, by which answers go, does."""
    return Worker(
        store=doors.store,
        api=doors.api(seconds=REQUEST),
        composer=Composer(
            # a function, because Telegram tells our name only once it is reached
            *(doors.store, doors.catalog, lambda: client.known_as, doors.clock),
            run=doors.workers.run,
        ),
        editor=editor,
        unread=unread,
        token_name=doors.settings.token_name,
        holder=holder,
        rate=doors.settings.send_rate,
        on_trouble=doors.on_trouble,
        others=(api,),
    )


def _services(doors: Doors, api: Api, worker: Worker) -> Services:
    """The parts that handlers use, put together."""
    store, clock = doors.store, doors.clock
    fetcher, workers = doors.fetcher, doors.workers
    return Services(
        store=store,
        api=api,
        workers=workers,
        catalog=doors.catalog,
        clock=clock,
        turn=worker.turn,
        is_away=lambda: worker.reach.away,
        wake=worker.wake,
        settings=doors.settings,
        own_feeds=OwnFeeds(store=store, fetcher=fetcher, workers=workers, clock=clock),
        on_trouble=doors.on_trouble,
        quiet=worker.quiet,
    )


def _ingest(doors: Doors) -> Ingest:
    """The polling of sources, put together."""
    return Ingest.composed(
        doors.settings,
        doors.catalog,
        store=doors.store,
        fetcher=doors.fetcher,
        workers=doors.workers,
        clock=doors.clock,
    )
