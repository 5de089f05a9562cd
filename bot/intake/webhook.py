"""The webhook: Telegram posts updates to us. A request without our secret is nobody's."""

from __future__ import annotations

import hmac

import orjson
import structlog
from aiohttp import web

from bot.errors import StorageError
from bot.intake.inbox import Inbox, has_number

log = structlog.get_logger(__name__)

LIMIT = 1024 * 1024
HEADER = "X-Telegram-Bot-Api-Secret-Token"


def webhook_app(inbox: Inbox, *, path: str, secret: str) -> web.Application:
    """A server with one address: POST, JSON, at most a megabyte, with the secret; 200 once the update is stored."""

    async def receive(request: web.Request) -> web.Response:
        given = request.headers.get(HEADER, "")
        if not hmac.compare_digest(given.encode(errors="surrogateescape"), secret.encode()):
            return web.Response(status=403)
        if request.content_type != "application/json":
            return web.Response(status=415)
        try:
            update = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            return web.Response(status=400)
        if not has_number(update):
            return web.Response(status=400)
        try:
            await inbox.receive([update])
        except StorageError as error:
            log.warning("updates wait at Telegram", error=str(error))
            return web.Response(status=503)
        return web.Response()

    application = web.Application(client_max_size=LIMIT)
    application.router.add_post(path or "/", receive)
    return application
