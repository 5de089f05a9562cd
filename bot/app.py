"""The composition root: what is opened, in what order, what runs, and how it stops.

A crash in one task stops them all; what was opened is closed in reverse. On a
signal nothing new is begun, what is in flight ends, the rest is given back.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any

import structlog

import storage.backup
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
from bot.telegram.session import open_session
from bot.watch import left_to_watch, watch_the_stop
from bot.workers import Workers
from handlers import Context, Services, route
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


@asynccontextmanager
async def opened(
    settings: Settings, catalog: Catalog, clock: Clock, limits: Limits = USUAL
) -> AsyncIterator[Running]:
    """Everything with a door, opened in order and closed in reverse."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(held_store(settings.database_url))
        await must_be_of(store, settings.token_name)
        if not store.alone and clock is utc_now:  # another clock, a test's, stays
            clock = await shared_clock(store)
        if isinstance(clock, TurnedClock):
            store.turned = partial(getattr, clock, "ahead")
        on_trouble = partial(tell, store, settings, clock)
        if store.alone:
            await begin_alone(store, on_trouble)
        session = await stack.enter_async_context(open_session(proxy=settings.proxy))
        workers = await stack.enter_async_context(Workers())
        fetcher = await stack.enter_async_context(Fetcher(limits=limits))
        revoked = asyncio.Event()
        url, token, proxy = settings.bot_api_url, settings.token, settings.proxy
        api = Api(session, url=url, token=token, proxy=proxy, on_revoked=revoked.set)
        sending = Api(
            session, url=url, token=token, proxy=proxy, on_revoked=revoked.set, seconds=REQUEST
        )
        client = Bot(api, token, url=url, request=AiohttpRequest(session))
        worker = Worker(
            store=store,
            api=sending,
            composer=Composer(store, catalog, lambda: client.known_as, clock),
            token_name=settings.token_name,
            rate=settings.send_rate,
            on_trouble=on_trouble,
            others=(api,),
        )
        services = Services(
            store=store,
            api=api,
            workers=workers,
            catalog=catalog,
            clock=clock,
            turn=worker.turn,
            is_away=lambda: worker.reach.away,
            wake=worker.wake,
            settings=settings,
            own_feeds=OwnFeeds(store=store, fetcher=fetcher, workers=workers, clock=clock),
            on_trouble=on_trouble,
            quiet=worker.quiet,
        )
        application = dispatcher(client, Context)
        route(application, services)
        holder = process_name()
        inbox = inbox_of(application, services, holder)
        services.waiting, services.aside, services.rest = inbox.waiting, inbox.aside, inbox.rest
        services.turn = partial(worker.turn, rest=inbox.rest)
        bot = Running(
            settings=settings,
            catalog=catalog,
            store=store,
            services=services,
            ingest=Ingest.composed(
                settings, catalog, store=store, fetcher=fetcher, workers=workers, clock=clock
            ),
            inbox=inbox,
            worker=worker,
            api=api,
            application=application,
            clock=clock,
            holder=holder,
            revoked=revoked,
        )
        ops = ops_app(bot.operated)
        bot.ops_port = await serve(stack, ops, settings.ops_listen)
        yield bot
