"""The composition root: what is opened, in what order, what runs, and how it stops.

A crash in one task stops them all; what was opened is closed in reverse. On a
signal nothing new is begun, what is in flight ends, the rest is given back.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from telegram.ext import ContextTypes, ExtBot

import storage.backup
import storage.deliveries
import storage.highwater
import storage.lapsed
from bot.clock import utc_now
from bot.config import Settings
from bot.deliver.compose import Composer
from bot.deliver.worker import REQUEST, Worker
from bot.errors import BotError, StorageError, UnreadableError
from bot.fetch import Fetcher
from bot.ingest import Ingest
from bot.ingest.notices import tell_hourly
from bot.intake.inbox import Inbox
from bot.listening import listen, serve, until_revoked
from bot.ops import ops_app
from bot.recurring import JOBS, TICK, bound, loop, looped, shared
from bot.running import Running, tell
from bot.sources.specs import Catalog
from bot.telegram.api import Api
from bot.telegram.client import Application, Bot
from bot.telegram.request import AiohttpRequest
from bot.telegram.session import open_session
from bot.watch import LoopWatch, StoreWatch, keep_watch, watch_the_stop
from bot.workers import Workers
from handlers import App, Context, Services, let_go, route, sorry
from handlers.reading import read
from storage.db import Db, Store
from storage.opening import held_store
from storage.shared_clock import SharedClock

log = structlog.get_logger(__name__)

DRAIN = 5.0  # seconds for what is in flight at a stop, before it is cut off


async def run(
    settings: Settings,
    catalog: Catalog,
    *,
    clock: Callable[[], datetime] = utc_now,
    stop: asyncio.Event | None = None,
    on_ready: Callable[[Running], None] | None = None,
) -> None:
    """The bot, until SIGTERM, SIGINT or `stop`."""
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        watched = stack.enter_context(ExitStack())  # until everything is closed
        bot = await stack.enter_async_context(opened(settings, catalog, clock))
        try:
            async with asyncio.TaskGroup() as tasks:
                running: list[asyncio.Task[None]] = []
                for name, task in _recurring(bot).items():
                    running.append(tasks.create_task(task, name=name))
                listening = tasks.create_task(listen(bot, on_ready), name="talk")
                sender = tasks.create_task(bot.worker.run(), name="worker")
                marker = tasks.create_task(bot.inbox.run(), name="inbox")
                guard = tasks.create_task(until_revoked(bot.revoked), name="token")
                await stop.wait()
                log.info("stopping")
                watched.enter_context(watch_the_stop())
                bot.stopping.set()
                bot.worker.stop()
                listening.cancel()
                await asyncio.wait([sender, *running], timeout=DRAIN)
                for one in (sender, marker, guard, *running):
                    one.cancel()
        except* BotError as group:
            raise _first(group) from None
        finally:
            await bot.inbox.close()
            if bot.store.lost:
                with suppress(BotError):  # said by whoever watches the store
                    await storage.backup.rescue(bot.store)


def _first(error: BaseException) -> BaseException:
    """What ended a group of tasks, however deep the groups lie."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@asynccontextmanager
async def opened(
    settings: Settings, catalog: Catalog, clock: Callable[[], datetime]
) -> AsyncIterator[Running]:
    """Everything with a door, opened in order and closed in reverse."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(held_store(settings.database_url))
        if store.alone:
            await _begin_alone(store, settings, clock)
        elif clock is utc_now:  # another clock, a test's, stays
            clock = await _shared_clock(store)
        session = await stack.enter_async_context(open_session())
        workers = await stack.enter_async_context(Workers())
        fetcher = await stack.enter_async_context(Fetcher())
        revoked = asyncio.Event()
        telegram = partial(
            Api, session, url=settings.bot_api_url, token=settings.token, on_revoked=revoked.set
        )
        on_trouble = _teller(store, settings, clock)
        api = telegram()
        application = _application(settings, api, AiohttpRequest(session))
        worker = Worker(
            store=store,
            api=telegram(seconds=REQUEST),
            composer=Composer(store, catalog, lambda: _name_of(application)),
            token_name=settings.token.partition(":")[0],
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
            on_trouble=on_trouble,
            quiet=worker.quiet,
        )
        route(application, services)
        ingest = Ingest.composed(
            settings, catalog, store=store, fetcher=fetcher, workers=workers, clock=clock
        )
        holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        inbox = _inbox(settings, services, application, holder)
        services.waiting = inbox.waiting
        bot = Running(
            settings,
            catalog,
            store,
            services,
            ingest,
            inbox,
            worker,
            api,
            application,
            clock,
            holder,
            revoked=revoked,
        )
        _ask_the_parts(bot)
        ops = ops_app(store, catalog, clock, bot.readiness)
        bot.ops_port = await serve(stack, ops, settings.ops_listen)
        yield bot


def _ask_the_parts(bot: Running) -> None:
    """What /readyz asks: the start is told about as it goes, the others when somebody asks."""

    def telegram() -> str | None:
        if bot.worker.reach.away:
            return "telegram: away"
        return None

    def writing() -> str | None:
        if bot.store.trouble is None:
            return None
        return f"database: {bot.store.trouble}"

    bot.readiness.tell("start", "starting: Telegram has not answered yet")
    bot.readiness.ask("telegram", telegram)
    bot.readiness.ask("writing", writing)


async def _shared_clock(store: Store) -> SharedClock:
    """The server's clock, which all replicas keep to: their own may differ."""
    clock = SharedClock()
    async with store.reading() as db:
        await clock.look(db)
    return clock


def _teller(
    store: Store, settings: Settings, clock: Callable[[], datetime]
) -> Callable[[str, dict[str, str]], Awaitable[None]]:
    """How a part that has trouble tells the operators."""

    async def on_trouble(msgid: str, values: dict[str, str]) -> None:
        await tell(store, settings, msgid, values, clock)

    return on_trouble


def _inbox(settings: Settings, services: Services, application: App, holder: str) -> Inbox:
    """The inbox, with what becomes of an update: handled, apologised for, or told of."""
    store = services.store

    async def handle(raw: dict[str, Any]) -> None:
        if not store.alone:
            services.chats.clear()  # another replica may have changed them
        try:
            update = read(raw, application.bot)
        except UnreadableError:
            await let_go(services, raw)
            raise
        await application.process_update(update)

    async def apologise(raw: dict[str, Any]) -> None:
        await sorry(services, read(raw, application.bot))

    async def tell_unreadable(db: Db, count: int, last: int) -> bool:
        values = {"count": str(count), "last": str(last)}
        return await tell_hourly(
            db, settings.admin_ids, "notice.unreadable", values, now=services.clock()
        )

    alone = settings.updates == "polling" and store.alone
    return Inbox(
        store, handle, holder=holder, alone=alone, apologise=apologise, tell=tell_unreadable
    )


def _name_of(application: App) -> str:
    """The bot's name, once Telegram has told it."""
    try:
        return application.bot.username
    except RuntimeError:
        return ""


async def _begin_alone(store: Store, settings: Settings, clock: Callable[[], datetime]) -> None:
    """A start with the file to ourselves: leases are nobody's; say what the file lost."""
    async with store.writing() as db:
        await storage.lapsed.free_all(db)
    gone = await storage.highwater.missing(store)
    try:
        if gone is not None:
            until = "–"
            if gone.until is not None:
                until = f"{gone.until:%Y-%m-%d %H:%M:%S}"
            reached = f"{gone.reached:%Y-%m-%d %H:%M:%S}"
            log.warning("the database is older than what ran here", until=until, reached=reached)
            await tell(store, settings, "notice.older", {"until": until, "reached": reached}, clock)
        await storage.highwater.advance(store)
    except StorageError as error:  # a full disk does not keep us from answering
        log.warning("start without writing", error=str(error))


def _application(settings: Settings, api: Api, request: AiohttpRequest) -> App:
    bot: ExtBot[None] = Bot(api, settings.token, url=settings.bot_api_url, request=request)
    builder = Application.builder().application_class(Application).bot(bot)
    return (
        builder.updater(None).job_queue(None).context_types(ContextTypes(context=Context)).build()
    )


def _recurring(bot: Running) -> dict[str, Coroutine[Any, Any, None]]:
    """What runs beside sending and listening: watches, and the jobs as loops or shared ones."""
    store, settings = bot.store, bot.settings
    watched = StoreWatch(
        store, bot.api, settings.admin_ids, settings.default_language, bot.worker.stop
    )
    works = bound(bot, JOBS)
    running = {"watch": keep_watch(watched, LoopWatch(), bot.stopping, lambda: bot.pause(TICK))}
    for work in looped(works, alone=store.alone):
        running[work.job.name] = loop(work, bot.pause, bot.stopping)
    if not store.alone:
        from bot import cluster  # its libraries are for servers only

        running["jobs"] = cluster.run(store, shared(works), bot.clock, bot.stopping)
    return running
