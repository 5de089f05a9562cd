"""The webhook: Telegram posts updates to us. A request without our secret is nobody's."""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog
from aiohttp import web

from bot.errors import StorageError
from bot.intake.inbox import KINDS, Inbox, has_number
from bot.intake.salvage import first_number, tolerantly
from bot.telegram import retry
from bot.telegram.api import BotApi
from bot.telegram.outcomes import Sent, wait_of, why

log = structlog.get_logger(__name__)

LARGEST_REQUEST = 1024 * 1024  # bytes of a request
REFUSALS_REMEMBERED = 100  # numbers of refused updates that are remembered
HEADER = "X-Telegram-Bot-Api-Secret-Token"
WEBHOOK_LOOK = 300.0  # seconds between looks whether it is still ours


def webhook_app(inbox: Inbox, *, path: str, secret: str) -> web.Application:
    """A server with one address: POST, JSON, at most a megabyte, with the secret.

    It answers 200 once the update is stored. Telegram repeats what is refused, and sends nothing
    else meanwhile. So what has a number and cannot be read is set aside; what is too large, when it
    comes a second time.
    """
    too_large: deque[int] = deque(maxlen=REFUSALS_REMEMBERED)

    async def receive(request: web.Request) -> web.Response:
        refused = _refused(request, secret)
        if refused is not None:
            return web.Response(status=refused)
        body = await _at_most(request, LARGEST_REQUEST + 1)
        if len(body) > LARGEST_REQUEST:
            number = first_number(body + b"}")  # which only reads what was not cut off
            if number is not None and number in too_large:
                return await _stored(inbox.set_aside(number))
            if number is not None:
                too_large.append(number)
            return web.Response(status=413)
        update = _decoded(body)
        if has_number(update):
            return await _stored(inbox.receive([update]))
        number = first_number(body)
        # JSON without a number is no update; where nobody reads it, its number may still be seen
        if update is not None or number is None:
            return web.Response(status=400)
        return await _stored(inbox.set_aside(number))

    application = web.Application(client_max_size=LARGEST_REQUEST)
    application.router.add_post(path or "/", receive)
    return application


def _refused(request: web.Request, secret: str) -> int | None:
    """The status for a request that is not Telegram's; None when it is."""
    given = request.headers.get(HEADER, "")
    if not hmac.compare_digest(given.encode(errors="surrogateescape"), secret.encode()):
        return 403
    if request.content_type != "application/json":
        return 415
    return None


async def _at_most(request: web.Request, limit: int) -> bytes:
    """The beginning of a request's body; what comes after `limit` bytes stays unread."""
    body = bytearray()
    while len(body) < limit and (piece := await request.content.read(limit - len(body))):
        body += piece
    return bytes(body)


def _decoded(body: bytes) -> Any | None:  # noqa: ANN401 - any JSON value
    """The JSON value, read tolerantly where need be; None when nobody can read it."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return tolerantly(body)


async def _stored(storing: Awaitable[None]) -> web.Response:
    try:
        await storing
    except StorageError as error:
        log.warning("updates wait at Telegram", error=str(error))
        return web.Response(status=503)
    return web.Response()


async def keep_webhook(
    api: BotApi,
    *,
    url: str,
    secret: str,
    tell: Callable[[str | None], None],
    look: float = WEBHOOK_LOOK,
) -> None:
    """Have updates posted to `url`, for ever: set until Telegram takes it, and again when lost.

    Which kinds are wanted is said each time: Telegram would go on with what an earlier program
    asked for. `tell` hears why none can come, or None while they can.
    """
    tell("webhook: not set yet")
    failures = 0
    while True:
        outcome = await api.call("setWebhook", url=url, secret_token=secret, allowed_updates=KINDS)
        if isinstance(outcome, Sent):
            tell(None)
            failures = 0
            await _until_lost(api, url, look)
            continue
        after = retry.LISTENING.pause(failures, outcome)
        failures += 1
        tell(f"webhook: {why(outcome)}")
        log.warning("webhook not set", why=why(outcome), again_in=after)
        await asyncio.sleep(after)


async def _until_lost(api: BotApi, url: str, look: float) -> None:
    """Return when Telegram posts updates to another address, or to none."""
    wanted = 0.0
    while True:
        await asyncio.sleep(max(look, wanted))
        outcome = await api.call("getWebhookInfo")
        wanted = wait_of(outcome)
        match outcome:
            case Sent(result={"url": there}) if there != url:
                log.warning("the webhook was changed by somebody else")
                return
