"""The webhook: Telegram posts updates to us. A request without our secret is nobody's."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable

import orjson
import structlog
from aiohttp import web

from bot.errors import StorageError
from bot.intake.inbox import KINDS, Inbox, has_number
from bot.intake.polling import Caller
from bot.model.outcomes import Ambiguous, Outcome, Rejected, Retry, Sent

log = structlog.get_logger(__name__)

LIMIT = 1024 * 1024
HEADER = "X-Telegram-Bot-Api-Secret-Token"
SHORTEST, LONGEST = 1.0, 4.0  # seconds between tries to set the webhook
LOOK = 300.0  # seconds between looks whether it is still ours


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


async def keep_webhook(
    api: Caller, *, url: str, secret: str, tell: Callable[[str | None], None], look: float = LOOK
) -> None:
    """Have updates posted to `url`, for ever: set until Telegram takes it, and again when it is not ours any more.

    Which kinds are wanted is said each time: Telegram would go on with what an earlier program asked for. `tell` hears
    why none can come, or None while they can.
    """
    tell("webhook: not set yet")
    wait = SHORTEST
    while True:
        outcome = await api.call("setWebhook", url=url, secret_token=secret, allowed_updates=KINDS)
        if isinstance(outcome, Sent):
            tell(None)
            wait = SHORTEST
            await _until_lost(api, url, look)
            continue
        after = (outcome.after if isinstance(outcome, Retry) else None) or wait
        why = _why(outcome)
        tell(f"webhook: {why}")
        log.warning("webhook not set", why=why, again_in=after)
        await asyncio.sleep(after)
        wait = min(wait * 2, LONGEST)


async def _until_lost(api: Caller, url: str, look: float) -> None:
    """Return when Telegram posts updates to another address, or to none."""
    while True:
        await asyncio.sleep(look)
        outcome = await api.call("getWebhookInfo")
        info = outcome.result if isinstance(outcome, Sent) else None
        if isinstance(info, dict) and info.get("url", url) != url:
            log.warning("the webhook was changed by somebody else")
            return


def _why(outcome: Outcome) -> str:
    return outcome.why if isinstance(outcome, Rejected | Retry | Ambiguous) else type(outcome).__name__
