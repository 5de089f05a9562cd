"""The composition root: what is opened, in what order, what runs, and how it stops.

A crash in one task stops them all; what was opened is closed in reverse. On a
signal nothing new is begun, what is in flight ends, the rest is given back.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog

import storage.backup
from bot.alerts.notices import OnTrouble
from bot.background import background
from bot.beginning import begin_alone, must_be_of
from bot.clock import TurnedClock, utc_now
from bot.config import Settings
from bot.deliver.compose import Composer
from bot.deliver.worker import REQUEST, Worker
from bot.errors import BotError, first_of
from bot.fetch import Fetcher, Limits
from bot.ingest import Ingest
from bot.listening import inbox_of, listen, serve, until_revoked
from bot.ops import ops_app
from bot.own_feeds import OwnFeeds
from bot.running import Running, process_name, tell
from bot.sources.specs import Catalog
from bot.telegram.api import Api
from bot.telegram.client import Bot, dispatcher
from bot.telegram.request import AiohttpRequest
from bot.telegram.session import TOTAL_SECONDS, Session, open_session
from bot.watch import left_to_watch, watch_the_stop
from bot.workers import Workers
from handlers import Context, Services, route
from storage.db import Store
from storage.opening import held_store
from storage.shared_clock import shared_clock

log = structlog.get_logger(__name__)

DRAIN = 5.0  # seconds for what is in flight at a stop, before it is cut off
USUAL = Limits()
Clock = Callable[[], datetime]


async def run(
    settings: Settings,
    catalog: Catalog,
    *,
    clock: Clock = utc_now,
    stop: asyncio.Event | None = None,
    on_ready: Callable[[Running], None] | None = None,
    limits: Limits = USUAL,
) -> None:
    """The bot, until SIGTERM, SIGINT or `stop`; `limits` are those of what it fetches."""
    stop = stop or asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        watched = stack.enter_context(ExitStack())  # until everything is closed
        bot = await stack.enter_async_context(opened(settings, catalog, clock, limits))
        try:
            async with asyncio.TaskGroup() as tasks:
                stopping = bot.stopping

                def begin(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
                    left = left_to_watch(work, store=bot.store, stopping=stopping)
                    return tasks.create_task(left, name=name)

                running = [begin(task, name=name) for name, task in background(bot).items()]
                listening = begin(listen(bot, on_ready), name="talk")
                sender = begin(bot.worker.run(), name="worker")
                marker = begin(bot.inbox.run(), name="inbox")
                guard = begin(until_revoked(bot.revoked), name="token")
                await stop.wait()
                log.info("stopping")
                watched.enter_context(watch_the_stop())
                stopping.set()
                bot.worker.stop()
                listening.cancel()
                await asyncio.wait([sender, *running], timeout=DRAIN)
                for one in (sender, marker, guard, *running):
                    one.cancel()
        except* BotError as group:
            raise first_of(group) from None
        finally:
            await bot.inbox.close()
            if bot.store.lost:
                with suppress(BotError):  # said by whoever watches the store
                    await storage.backup.rescue(bot.store)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What was opened, of which everything else is put together, and what that is told beside."""

    settings: Settings
    catalog: Catalog
    clock: Clock
    on_trouble: OnTrouble
    store: Store
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
            proxy=settings.proxy,
            on_revoked=self.revoked.set,
            seconds=seconds,
        )


@asynccontextmanager
async def opened(
    settings: Settings, catalog: Catalog, clock: Clock, limits: Limits = USUAL
) -> AsyncIterator[Running]:
    """Everything with a door, opened in order and closed in reverse."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(held_store(settings.database_url))
        await must_be_of(store, settings.token_name)
        clock = await _clock_beside(store, clock)
        on_trouble = partial(tell, store, settings, clock)
        if store.alone:
            await begin_alone(store, on_trouble)
        doors = Doors(
            settings=settings,
            catalog=catalog,
            clock=clock,
            on_trouble=on_trouble,
            store=store,
            session=await stack.enter_async_context(open_session(proxy=settings.proxy)),
            workers=await stack.enter_async_context(Workers()),
            fetcher=await stack.enter_async_context(Fetcher(limits=limits)),
            revoked=asyncio.Event(),
        )
        bot = _put_together(doors)
        bot.ops_port = await serve(stack, ops_app(bot.operated), settings.ops_listen)
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
    api = doors.api()
    client = Bot(
        api,
        doors.settings.token,
        url=doors.settings.bot_api_url,
        request=AiohttpRequest(doors.session),
    )
    worker = _worker(doors, api, client)
    services = _services(doors, api, worker)
    application = dispatcher(client, Context)
    route(application, services)
    holder = process_name()
    inbox = inbox_of(application, services, holder)
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
        api=api,
        application=application,
        clock=doors.clock,
        holder=holder,
        revoked=doors.revoked,
    )


def _worker(doors: Doors, api: Api, client: Bot) -> Worker:
    """What delivers; it gives up a request sooner than an answer's way, `api`, does."""
    return Worker(
        store=doors.store,
        api=doors.api(seconds=REQUEST),
        composer=Composer(doors.store, doors.catalog, lambda: client.known_as, doors.clock),
        token_name=doors.settings.token_name,
        rate=doors.settings.send_rate,
        on_trouble=doors.on_trouble,
        others=(api,),
    )


def _services(doors: Doors, api: Api, worker: Worker) -> Services:
    """What answers."""
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
    """What polls."""
    return Ingest.composed(
        doors.settings,
        doors.catalog,
        store=doors.store,
        fetcher=doors.fetcher,
        workers=doors.workers,
        clock=doors.clock,
    )
