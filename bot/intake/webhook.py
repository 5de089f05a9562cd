"""The webhook: Telegram posts updates to us. A request without our secret is nobody's."""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Awaitable
from typing import Any

import orjson
import structlog
from aiohttp import web

from bot.errors import StorageError
from bot.intake.inbox import Inbox, has_number
from bot.intake.salvage import first_number, tolerantly

log = structlog.get_logger(__name__)

LIMIT = 1024 * 1024  # bytes of a request
INSISTED = 100  # numbers of refused updates that are remembered
HEADER = "X-Telegram-Bot-Api-Secret-Token"


def webhook_app(inbox: Inbox, *, path: str, secret: str) -> web.Application:
    """A server with one address: POST, JSON, at most a megabyte, with the secret; 200 once the update is stored.

    Telegram repeats what is refused, and sends nothing else meanwhile. So what has a number and cannot be read is set
    aside; what is too large, when it comes a second time.
    """
    too_large: deque[int] = deque(maxlen=INSISTED)

    async def receive(request: web.Request) -> web.Response:
        refused = _refused(request, secret)
        if refused is not None:
            return web.Response(status=refused)
        body = await _at_most(request, LIMIT + 1)
        if len(body) > LIMIT:
            number = first_number(body + b"}")
            if number is None or number not in too_large:
                too_large.extend(() if number is None else (number,))
                return web.Response(status=413)
            return await _stored(inbox.set_aside(number))
        update = _decoded(body)
        if has_number(update):
            return await _stored(inbox.receive([update]))
        number = first_number(body) if update is None else None
        return web.Response(status=400) if number is None else await _stored(inbox.set_aside(number))

    application = web.Application(client_max_size=LIMIT)
    application.router.add_post(path or "/", receive)
    return application


def _refused(request: web.Request, secret: str) -> int | None:
    """The status for a request that is not Telegram's; None when it is."""
    given = request.headers.get(HEADER, "")
    if not hmac.compare_digest(given.encode(errors="surrogateescape"), secret.encode()):
        return 403
    return 415 if request.content_type != "application/json" else None


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
