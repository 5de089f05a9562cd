"""The address where WebSub hubs ask whether we subscribed, and say that a feed has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from bot.errors import StorageError
from bot.hubs import PATH, Hubs
from bot.intake.webhook import in_one_form

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
        body, signature = _pieces(request), request.headers.get("X-Hub-Signature", "")
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


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    """The pieces of a request's body, as they come; of one that is too large the next poll finds
    out by itself. What breaks off, or is packed otherwise than it says, is a bad request.
    """
    size = 0
    try:
        async for piece in request.content.iter_any():
            size += len(piece)
            if size > LARGEST_BELL:
                raise web.HTTPRequestEntityTooLarge(max_size=LARGEST_BELL, actual_size=size)
            yield piece
    except (web.RequestPayloadError, ConnectionError):
        raise web.HTTPBadRequest from None
