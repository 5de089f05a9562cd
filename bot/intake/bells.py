"""The address where WebSub hubs ask whether we subscribed, and say that a feed has changed."""

from __future__ import annotations

import structlog
from aiohttp import web

from bot.errors import StorageError
from bot.hubs import PATH, Hubs
from bot.intake.webhook import at_most, in_one_form

log = structlog.get_logger(__name__)

LARGEST_BELL = 1024 * 1024  # bytes: it is read for its signature alone


def add_bells(application: web.Application, hubs: Hubs, below: str) -> None:
    """Let hubs reach us at `below`, the path of our public address."""

    async def confirm(request: web.Request) -> web.Response:
        told = request.match_info
        try:
            answer = await hubs.confirmed(told["key"], told["token"], request.query)
        except StorageError as error:
            log.warning("hub waits for the database", error=str(error))
            return web.Response(status=503)
        if answer is None:
            return web.Response(status=404)
        return web.Response(text=answer)

    async def ring(request: web.Request) -> web.Response:
        told = request.match_info
        body = await at_most(request, LARGEST_BELL + 1)
        if len(body) > LARGEST_BELL:  # the next poll finds out by itself
            return web.Response(status=413)
        signature = request.headers.get("X-Hub-Signature", "")
        try:
            known = await hubs.rung(told["key"], told["token"], body, signature)
        except StorageError as error:
            log.warning("hub waits for the database", error=str(error))
            return web.Response(status=503)
        return web.Response(status=200 if known else 410)

    # braces with percent signs, for in a route's pattern they would mean something
    path = f"{in_one_form(below).rstrip('/')}/{PATH}/{{key}}/{{token}}"
    application.router.add_get(path, confirm)
    application.router.add_post(path, ring)
