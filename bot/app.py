"""The composition root: what is opened, in what order, what runs, and how it stops.

A crash in one task stops them all; what was opened is closed in reverse. On a
signal nothing new is begun, what is in flight ends, the rest is given back.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import socket
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from aiohttp import web
from telegram.error import InvalidToken, TelegramError
from telegram.ext import Application, ContextTypes, ExtBot

import storage.alerts
import storage.backup
import storage.chats
import storage.deliveries
import storage.fan_out
import storage.highwater
import storage.inbox
import storage.retention
import storage.sources
from bot import presence, schedule
from bot.clock import utc_now
from bot.config import Settings
from bot.deliver.compose import Composer
from bot.deliver.worker import REQUEST, Worker
from bot.errors import BotError, ConfigError, StorageError, UnreadableError
from bot.fetch import Fetcher
from bot.ingest import Ingest, notice
from bot.ingest.notices import tell_hourly
from bot.ingest.side_by_side import SideBySide
from bot.intake.inbox import Inbox
from bot.intake.polling import poll
from bot.intake.role import Role
from bot.intake.webhook import keep_webhook, webhook_app
from bot.model.alerts import Alert, Audience, DigestDue, Lane, Severity
from bot.ops import Readiness, ops_app
from bot.sources.catalog import Catalog
from bot.telegram import retry
from bot.telegram.api import Api
from bot.telegram.client import Bot
from bot.telegram.request import AiohttpRequest
from bot.telegram.session import open_session
from bot.watch import LoopWatch, StoreWatch, keep_watch
from bot.workers import Workers
from handlers import App, Context, Services, failed, let_go, route, sorry
from handlers.reading import read
from storage.db import Db, Store
from storage.opening import held_store
from storage.shared_clock import SharedClock

log = structlog.get_logger(__name__)

TICK = 1.0
DIGEST_LATE = timedelta(minutes=10)
DIGEST_LASTS = timedelta(hours=6)
BACKUP_AT = time(3)  # in the operator's zone
BREATH = 0.05  # seconds between pieces of what is forgotten: others write in between
BACKUP_EVERY = 600.0  # seconds between looks
DRAIN = 5.0  # seconds for what is in flight at a stop, before it is cut off
STOP_LIMIT = 15.0
REVOKED = "BOT_TOKEN: Telegram does not know it; was it revoked?"


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
    revoked: asyncio.Event = field(default_factory=asyncio.Event)  # Telegram disowned the token, to whoever asked
    readiness: Readiness = field(default_factory=Readiness)

    async def tell(self, msgid: str, values: dict[str, str]) -> None:
        """Tell the operators."""
        await _tell(self.store, self.settings, msgid, values, self.clock)

    async def pause(self, seconds: float) -> None:
        """Sleep, but not through a stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()


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
                running = [tasks.create_task(task, name=name) for name, task in _recurring(bot).items()]
                listening = tasks.create_task(_talk(bot, on_ready), name="talk")
                sender = tasks.create_task(bot.worker.run(), name="worker")
                marker = tasks.create_task(bot.inbox.run(), name="inbox")
                guard = tasks.create_task(_until_revoked(bot.revoked), name="token")
                await stop.wait()
                log.info("stopping")
                watched.enter_context(_watch_the_stop())
                bot.stopping.set()
                bot.worker.stop()
                listening.cancel()
                await asyncio.wait([sender, *running], timeout=DRAIN)
                for task in (sender, marker, guard, *running):
                    task.cancel()
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


@contextmanager
def _watch_the_stop() -> Iterator[None]:
    """End the process when stopping hangs, saying where: a supervisor would only kill it later, silently."""

    def give_up() -> None:
        log.error("stopping took too long")
        faulthandler.dump_traceback(all_threads=True)
        os._exit(1)

    timer = threading.Timer(STOP_LIMIT, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@asynccontextmanager
async def opened(settings: Settings, catalog: Catalog, clock: Callable[[], datetime]) -> AsyncIterator[Running]:
    """Everything with a door, opened in order and closed in reverse."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(held_store(settings.database_url))
        if store.alone:
            await _begin_alone(store, settings, clock)
        elif clock is utc_now:
            clock = SharedClock()
            async with store.reading() as db:
                await clock.look(db)
        session = await stack.enter_async_context(open_session())
        workers = await stack.enter_async_context(Workers())
        drawing = await stack.enter_async_context(Workers(size=1))
        fetcher = await stack.enter_async_context(Fetcher())
        token = settings.token
        revoked = asyncio.Event()
        api = Api(session, url=settings.bot_api_url, token=token, on_revoked=revoked.set)
        application = _application(settings, api, AiohttpRequest(session))
        worker = Worker(
            store=store,
            api=Api(session, url=settings.bot_api_url, token=token, seconds=REQUEST, on_revoked=revoked.set),
            composer=Composer(store, catalog, lambda: _name_of(application)),
            token_name=token.partition(":")[0],
            rate=settings.send_rate,
            on_trouble=lambda msgid, values: _tell(store, settings, msgid, values, clock),
            others=(api,),
        )
        services = Services(
            store=store,
            api=api,
            workers=drawing,
            catalog=catalog,
            clock=clock,
            turn=worker.turn,
            wake=worker.wake,
            home=settings.home_currency,
            time_zone=settings.time_zone,
            default_language=settings.default_language,
            admins=frozenset(settings.admin_ids),
            on_trouble=lambda msgid, values: _tell(store, settings, msgid, values, clock),
        )
        route(application, services)
        application.add_error_handler(failed)
        ingest = Ingest(
            store=store,
            fetcher=fetcher,
            workers=workers,
            clock=clock,
            poll_every=settings.poll_every,
            security_policy=settings.security_policy,
            admins=settings.admin_ids,
            feeds=catalog.news,
        )

        holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        inbox = _inbox(settings, services, application, holder)
        services.waiting = inbox.waiting
        bot = Running(
            settings, catalog, store, services, ingest, inbox, worker, api, application, clock, holder, revoked=revoked
        )
        bot.readiness.tell("start", "starting: Telegram has not answered yet")
        bot.readiness.ask("telegram", lambda: "telegram: away" if worker.reach.away else None)
        bot.readiness.ask("writing", lambda: f"database: {store.trouble}" if store.trouble is not None else None)
        ops = ops_app(store, catalog, clock, bot.readiness)
        bot.ops_port = await _serve(stack, ops, settings.ops_listen)
        yield bot


def _inbox(settings: Settings, services: Services, application: App, holder: str) -> Inbox:
    """The inbox with what becomes of an update: handled, apologised for, or told of when nobody can read it."""
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
        if (error := services.broken.pop(update.update_id, None)) is not None:
            raise error

    async def apologise(raw: dict[str, Any]) -> None:
        await sorry(services, read(raw, application.bot))

    async def tell_unreadable(db: Db, count: int, last: int) -> bool:
        values = {"count": str(count), "last": str(last)}
        return await tell_hourly(db, settings.admin_ids, "notice.unreadable", values, now=services.clock())

    alone = settings.updates == "polling" and store.alone
    return Inbox(store, handle, holder=holder, alone=alone, apologise=apologise, tell=tell_unreadable)


def _name_of(application: App) -> str:
    """The bot's name, once Telegram has told it."""
    try:
        return application.bot.username
    except RuntimeError:
        return ""


async def _begin_alone(store: Store, settings: Settings, clock: Callable[[], datetime]) -> None:
    """With the file to ourselves: no lease is anybody's, and what the file lacks of what it had is said."""
    async with store.writing() as db:
        await storage.deliveries.free_all(db)
    gone = await storage.highwater.missing(store)
    try:
        if gone is not None:
            until = f"{gone.until:%Y-%m-%d %H:%M:%S}" if gone.until else "–"
            reached = f"{gone.reached:%Y-%m-%d %H:%M:%S}"
            log.warning("the database is older than what ran here", until=until, reached=reached)
            await _tell(store, settings, "notice.older", {"until": until, "reached": reached}, clock)
        await storage.highwater.advance(store)
    except StorageError as error:  # a full disk does not keep us from answering
        log.warning("start without writing", error=str(error))


def _application(settings: Settings, api: Api, request: AiohttpRequest) -> App:
    bot: ExtBot[None] = Bot(api, settings.token, url=settings.bot_api_url, request=request)
    context_types = ContextTypes(context=Context)
    return Application.builder().bot(bot).updater(None).job_queue(None).context_types(context_types).build()


async def _serve(stack: AsyncExitStack, application: web.Application, listen: str) -> int | None:
    if listen == "off":
        return None
    host, _, port = listen.rpartition(":")
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host.strip("[]") or "127.0.0.1", int(port)).start()
    except OSError as error:
        raise ConfigError(f"cannot listen on {listen}: {error.strerror}") from None
    actual = int(runner.addresses[0][1])
    log.info("listening", address=f"{host}:{actual}")
    return actual


async def _tell(
    store: Store, settings: Settings, msgid: str, values: dict[str, str], clock: Callable[[], datetime]
) -> None:
    async with store.writing() as db:
        for admin in settings.admin_ids:
            await storage.alerts.enqueue(db, notice(admin, msgid, values, now=clock()))


# ── what runs ───────────────────────────────────────────────────────────────


async def _talk(bot: Running, on_ready: Callable[[Running], None] | None) -> None:
    """Introduce ourselves to Telegram, however long that takes, then listen for ever."""
    failures = 0
    while True:
        try:
            await bot.application.initialize()
            break
        except InvalidToken:
            raise ConfigError(REVOKED) from None
        except TelegramError as error:
            wait = retry.LISTENING.pause(failures)
            log.warning("telegram is not there yet", error=type(error).__name__, again_in=wait)
            await asyncio.sleep(wait)
            failures += 1
    await bot.inbox.resume()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        if bot.settings.updates == "webhook":
            path = urlsplit(bot.settings.webhook_url or "").path
            hook = webhook_app(bot.inbox, path=path, secret=_webhook_secret(bot.settings))
            await _serve(stack, hook, bot.settings.webhook_listen)
        bot.ready.set()
        bot.readiness.tell("start", None)
        log.info("ready", username=bot.application.bot.username, ops_port=bot.ops_port)
        if on_ready is not None:
            on_ready(bot)
        tasks.create_task(presence.introduce(bot.api, bot.settings.default_language))
        channels = presence.Channels(bot.store, bot.api, bot.catalog, bot.settings, bot.clock, bot.tell)
        tasks.create_task(channels.join())
        if not bot.store.alone:
            tasks.create_task(bot.inbox.share())
        tasks.create_task(_receive(bot))  # never ends, and so neither does the server above


def _webhook_secret(settings: Settings) -> str:
    return settings.webhook_secret.get_secret_value() if settings.webhook_secret is not None else ""


async def _receive(bot: Running) -> None:
    """Have updates come, for ever: posted to us, or asked for, beside other replicas only while it is our turn."""
    settings = bot.settings

    def tell(why: str | None) -> None:
        bot.readiness.tell("updates", why)

    if settings.updates == "webhook":
        url = settings.webhook_url or ""
        await keep_webhook(bot.api, url=url, secret=_webhook_secret(settings), tell=tell)
    elif bot.store.alone:
        await poll(bot.api, bot.inbox, tell)
    else:
        await Role(bot.store, "updates", bot.holder).during(lambda: _poll_in_turn(bot, tell))


async def _poll_in_turn(bot: Running, tell: Callable[[str | None], None]) -> None:
    """Poll while it is our turn; whoever waits for it is ready all the same."""
    try:
        await poll(bot.api, bot.inbox, tell)
    finally:
        tell(None)


async def _until_revoked(revoked: asyncio.Event) -> None:
    """Whoever was told so, the token is not ours any more."""
    await revoked.wait()
    raise ConfigError(REVOKED)


def _recurring(bot: Running) -> dict[str, Coroutine[Any, Any, None]]:
    """Loops where we are alone; beside other replicas the same work as jobs that they share."""
    store, settings = bot.store, bot.settings
    watched = StoreWatch(store, bot.api, settings.admin_ids, settings.default_language, bot.worker.stop)
    watch = keep_watch(watched, LoopWatch(), bot.stopping, lambda: bot.pause(TICK))
    looking = _keep_looking(bot)
    if store.alone:
        return {
            "watch": watch,
            "standing": looking,
            "poll sources": _keep_polling(bot),
            "digests": _keep_digesting(bot),
            "tidy": _keep_tidy(bot),
            "backups": _keep_backed_up(bot),
        }
    from bot import cluster  # its libraries are for servers only

    sources = {spec.key: spec for spec in bot.catalog.polled}

    async def due() -> list[str]:
        return [spec.key for spec in await _due(bot)]

    async def poll_source(key: str) -> bool:
        return key in sources and await _poll(bot, sources[key])  # of a replica with another catalog

    work = cluster.Work(
        due=due,
        poll=poll_source,
        fan_out=lambda: _fan_out(bot),
        digests=lambda: _enqueue_digests(bot),
        tidy=lambda: _tidy(bot),
    )
    return {
        "watch": watch,
        "standing": looking,
        "jobs": cluster.run(store, work, bot.clock, bot.stopping),
        "freshness": _keep_fresh(bot),
    }


async def _keep_looking(bot: Running) -> None:
    """Once a day, ask about the chats that were given up."""
    while not bot.stopping.is_set():
        if bot.ready.is_set():
            await presence.look_again(bot.store, bot.api, presence.bot_id_of(bot.settings), bot.clock, bot.pause)
        await bot.pause(presence.HOURLY if bot.ready.is_set() else TICK)


async def _keep_fresh(bot: Running) -> None:
    """Keep to the shared clock, and make cards anew when any replica polled."""
    known: object = None
    while not bot.stopping.is_set():
        with suppress(StorageError):
            async with bot.store.reading() as db:
                if isinstance(bot.clock, SharedClock):
                    await bot.clock.look(db)
                polled = {key: state.last_ok_at for key, state in (await storage.sources.states(db)).items()}
            if polled != known:
                known = polled
                bot.services.forget_cards()
        await bot.pause(TICK)


async def _due(bot: Running) -> list[schedule.Spec]:
    """The sources to poll now; none while the database is away."""
    try:
        async with bot.store.reading() as db:
            states = await storage.sources.states(db)
    except StorageError as error:
        log.warning("schedule waits for the database", error=str(error))
        return []
    return schedule.due(bot.catalog.polled, states, now=bot.clock())


async def _poll(bot: Running, spec: schedule.Spec) -> bool:
    """Poll one source, whose trouble stays its own; whether alerts came of it."""
    try:
        report = await bot.ingest.poll(spec)
    except StorageError as error:
        log.warning("poll waits for the database", source=spec.key, error=str(error))
        return False
    if report.new:
        bot.services.forget_cards()
    if report.alerts:
        bot.worker.wake()
    return report.alerts > 0


async def _fan_out(bot: Running) -> None:
    """Give open alerts their deliveries, chunk by chunk."""
    try:
        size: int | None = 0
        while size is not None and not bot.stopping.is_set():
            async with bot.store.writing() as db:
                size = await storage.fan_out.fan_out(db)
            bot.worker.wake()
    except StorageError as error:
        log.warning("fan-out waits for the database", error=str(error))


async def _keep_polling(bot: Running) -> None:
    """Poll what is due, several side by side."""
    async with asyncio.TaskGroup() as tasks:
        polls: SideBySide[schedule.Spec] = SideBySide(tasks, lambda spec: _poll(bot, spec))
        while not bot.stopping.is_set():
            under_way = polls.busy  # a poll that ends while we look is still due by what we read
            for spec in await _due(bot):
                if spec.key not in under_way:
                    polls.start(spec)
            await bot.pause(TICK)


async def _keep_digesting(bot: Running) -> None:
    """Enqueue each digest once a day at its time; one that was missed is caught up once, marked late."""
    while not bot.stopping.is_set():
        await _enqueue_digests(bot)
        await bot.pause(TICK * 5)


async def _enqueue_digests(bot: Running) -> None:
    """Enqueue the digests whose time has come."""
    try:
        if await enqueue_digests(bot.store, now=bot.clock()):
            bot.worker.wake()
    except StorageError as error:
        log.warning("digests wait for the database", error=str(error))


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


async def _keep_tidy(bot: Running) -> None:
    """Tidy hourly."""
    while not bot.stopping.is_set():
        with suppress(StorageError):  # said by whoever watches the store
            await _tidy(bot)
        await bot.pause(3600)


async def _tidy(bot: Running) -> None:
    """Forget what is too old, piece by piece; StorageError when the database goes away meanwhile."""
    try:
        for step in storage.retention.STEPS:
            rows = 1
            while rows and not bot.stopping.is_set():
                async with bot.store.writing() as db:
                    rows = await step(db, bot.clock())
                await bot.pause(BREATH if rows else 0)
    except StorageError as error:
        log.warning("tidying waits for the database", error=str(error))
        raise
    finally:
        bot.services.chats.clear()  # one that is forgotten is met anew when it comes back


async def _keep_backed_up(bot: Running) -> None:
    """Copy the database once a night; what was missed is made up for by one copy."""
    while not bot.stopping.is_set():
        await back_up(bot)
        await bot.pause(BACKUP_EVERY)


async def back_up(bot: Running) -> None:
    """Tonight's copy, once it is late enough; the operators hear of a failure."""
    now = bot.clock()
    local = now.astimezone(ZoneInfo(bot.settings.time_zone))
    if local.time() < BACKUP_AT:
        return
    try:
        made = await storage.backup.back_up(bot.store, today=local.date(), now=now, stop=bot.stopping.is_set)
        if made is not None:
            log.info("backed up", file=made.name)
    except BotError as error:
        if bot.stopping.is_set():
            return  # cut short
        log.warning("no backup", error=str(error))
        with suppress(StorageError):
            await _tell(bot.store, bot.settings, "notice.backup", {"why": str(error)}, bot.clock)
