"""From silence to service: introduce ourselves to Telegram, then receive updates for ever."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from telegram.error import InvalidToken

from bot import metrics, presence
from bot.alerts import texts_lacking
from bot.alerts.notices import Notice
from bot.config import Settings
from bot.convert import parse_question
from bot.errors import ConfigError, StorageError, UnreadableError
from bot.i18n import load_words
from bot.ingest.notices import tell_hourly
from bot.intake import polling, webhook
from bot.intake.bells import add_bells
from bot.intake.inbox import Inbox
from bot.intake.polling import poll
from bot.intake.role import Role
from bot.intake.told import Tell
from bot.intake.webhook import Hook, keep_webhook, webhook_app
from bot.languages import LANGUAGES
from bot.ops.readiness import RECEIVES, SENDS, WEBHOOK
from bot.reasons import Reason
from bot.running import Running
from bot.sockets import host_and_port, refusal, unheard
from bot.telegram import outcomes, retry
from bot.telegram.client import NotIntroducedError
from bot.telegram.outcomes import Outcome, Sent
from handlers import App, Services
from handlers.reading import read
from handlers.serving import let_go, sorry
from storage.db import Db

log = structlog.get_logger(__name__)

ROLE = "updates"  # of the one process that asks Telegram for them
#: What a request is no HTTP by, and what its body cannot be read by.
NOT_OURS = (HttpProcessingError, web.RequestPayloadError)
#: Seconds until a connection without a request is closed, before its first one too; proxies keep
#: an idle one for a minute, as nginx does, and should be the first to close it.
KEEP_ALIVE = 75.0
RESUME_WAIT = 1.0  # seconds between tries to take up what was left, while the database is away
REVOKED = "BOT_TOKEN: Telegram does not know it; was it revoked?"


def inbox_of(application: App, services: Services, holder: str) -> Inbox:
    """The inbox, with what becomes of an update: handled, apologised for, or told of."""
    store, settings = services.store, services.settings

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
        told = Notice.of("notice.unreadable", count=count, last=last)
        return await tell_hourly(db, settings.admin_ids, told, now=services.clock())

    alone = settings.updates == "polling" and store.alone
    return Inbox(
        store, handle, holder=holder, alone=alone, apologise=apologise, tell=tell_unreadable
    )


async def listen(bot: Running, on_ready: Callable[[Running], None] | None) -> None:
    """Introduce ourselves to Telegram, however long that takes, then listen for ever.

    ConfigError where the webhook's port cannot be had, as soon as that is known.
    """
    if bot.settings.updates == "webhook":
        place = bot.settings.webhook_listen
        if (error := await asyncio.to_thread(refusal, place)) is not None:
            raise ConfigError(f"WEBHOOK_LISTEN: {unheard(place, error)}")
    words = asyncio.create_task(asyncio.to_thread(read_ahead))
    try:
        await _say_hello(bot)
    finally:
        await words  # also where we are not wanted: what fails in it is not lost
    await _resume(bot)
    hook = _hook(bot.settings)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        if bot.settings.updates == "webhook":
            posted = webhook_app(bot.inbox, hook)
            if bot.hubs is not None:
                add_bells(posted, bot.hubs, urlsplit(hook.url).path)
            await serve(stack, posted, bot.settings.webhook_listen, setting="WEBHOOK_LISTEN")
        bot.ready.set()
        for part in (RECEIVES, SENDS):
            bot.readiness.tell(part, None)
        log.info("ready", username=bot.application.bot.username, ops_port=bot.ops_port)
        if on_ready is not None:
            on_ready(bot)
        language, admins = bot.settings.default_language, bot.settings.admin_ids
        tasks.create_task(presence.introduce(bot.api, language, admins))
        channels = presence.Channels(
            bot.store, bot.api, bot.catalog, bot.settings, bot.clock, bot.tell
        )
        tasks.create_task(channels.join())
        if not bot.store.alone:
            tasks.create_task(bot.inbox.share())
        tasks.create_task(_receive(bot, hook))  # never ends, and so neither does the server above


def read_ahead() -> None:
    """Read what the first question in each language would else read on the loop: every message's
    words, and every currency's names, which take a tenth of a second.
    """
    for language in LANGUAGES:
        load_words(language)
        # no reason to stop: what is missing is said in English, as all of a stub is
        if missing := texts_lacking(language):
            told = {"language": language, "texts": len(missing), "first": missing[0]}
            log.warning("alerts are partly told in English", **told)
        parse_question("100 usd kgs", language=language, home="KGS")


async def _say_hello(bot: Running) -> None:
    """Tell Telegram who we are and learn who it thinks we are, however long that takes."""

    async def hello() -> Outcome:
        try:
            await bot.application.initialize()
        except InvalidToken:
            raise ConfigError(REVOKED) from None
        except NotIntroducedError as error:
            return error.outcome
        return Sent(0)

    async def tell(failure: retry.Failure) -> float | None:
        why = str(outcomes.why(failure.outcome))
        log.warning("telegram is not there yet", why=why, again_in=failure.wait)
        return failure.wait

    await retry.insist(hello, retry.LISTENING, react=tell)


async def _resume(bot: Running) -> None:
    """Take up what was left, as soon as the database, perhaps a server, is there."""
    while True:
        try:
            await bot.inbox.resume()
        except StorageError as error:
            if bot.store.alone:
                raise
            log.warning("inbox waits for the database", error=str(error))
            await asyncio.sleep(RESUME_WAIT)
        else:
            return


def _hook(settings: Settings) -> Hook:
    secret = ""
    if settings.webhook_secret is not None:
        secret = settings.webhook_secret.get_secret_value()
    return Hook(url=settings.webhook_url or "", secret=secret)


async def _receive(bot: Running, hook: Hook) -> None:
    """Receive updates for ever, posted or asked for; beside other replicas in our turn alone."""
    settings = bot.settings
    metrics.ROLE.labels(ROLE).set(0)  # until it is ours; a webhook has nobody ask
    part, within = RECEIVES, float(polling.LONG_POLL)
    if settings.updates == "webhook":
        part, within = WEBHOOK, webhook.WEBHOOK_LOOK

    def tell(why: Reason | None) -> None:
        bot.readiness.tell_again(part, why, within=within)

    if settings.updates == "webhook":
        await keep_webhook(
            bot.api,
            bot.inbox,
            hook,
            tell=tell,
            on_trouble=bot.tell,
            lost=bot.worker.reach.lost,
        )
    elif bot.store.alone:
        metrics.ROLE.labels(ROLE).set(1)  # nobody else could have it
        await poll(bot.api, bot.inbox, tell, bot.worker.reach.lost)
    else:
        await Role(bot.store, ROLE, bot.holder).during(lambda: _poll_in_turn(bot, tell))


async def _poll_in_turn(bot: Running, tell: Tell) -> None:
    """Poll while it is our turn; whoever waits for it is ready all the same."""
    try:
        await poll(bot.api, bot.inbox, tell, bot.worker.reach.lost)
    finally:
        bot.readiness.tell(RECEIVES, None)


async def until_revoked(revoked: asyncio.Event) -> None:
    """Wait until the token is not ours any more, whoever was told so; then ConfigError."""
    await revoked.wait()
    raise ConfigError(REVOKED)


async def serve(
    stack: AsyncExitStack, application: web.Application, listen: str, *, setting: str
) -> int | None:
    """Serve an application until the stack closes; its port, None for `off`, or ConfigError, which
    names the setting.
    """
    if listen == "off":
        return None
    host, port = host_and_port(listen)
    logger = logging.getLogger(__name__)
    logger.addFilter(_is_of_ours)
    requests = logger.getChild("requests")
    requests.setLevel(logging.CRITICAL)  # which are told elsewhere
    application.on_response_prepare.append(_unnamed)
    runner = web.AppRunner(application)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    loop = asyncio.get_running_loop()

    def connection() -> _Connection:
        server = runner.server
        if server is None:
            raise AssertionError("it is set up")
        return _Connection(
            server, loop=loop, access_log=requests, logger=logger, keepalive_timeout=KEEP_ALIVE
        )

    try:
        listener = await loop.create_server(connection, host, port)
    except OSError as error:
        raise ConfigError(f"{setting}: {unheard(listen, error)}") from None
    stack.callback(listener.close)  # first of all: nobody else comes in
    actual = int(listener.sockets[0].getsockname()[1])
    log.info("listening", address=f"{host}:{actual}")
    return actual


async def _unnamed(_request: web.Request, response: web.StreamResponse) -> None:
    """Tell nobody by which version of what they are answered."""
    response.headers.popall("Server", None)


class _Connection(web.RequestHandler):
    """A connection of which who sends no HTTP is answered as everybody else."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no request, of which nothing of ours hears."""
        response = super().handle_error(request, status, exc, message)
        response.headers["Server"] = ""  # else the library adds its name and version
        return response


def _is_of_ours(record: logging.LogRecord) -> bool:
    """Whether a server's record is of what we did: who sends no HTTP at all is answered 400.

    Whatever asks all ports of the internet does, daily, and each time it would leave a traceback.
    So would a body that is not packed as it says, which the server reads on after its answer.
    """
    return not (record.exc_info and isinstance(record.exc_info[1], NOT_OURS))
