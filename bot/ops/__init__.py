"""For the operator: /healthz (alive), /readyz (working), /metrics, /status (a page to look at)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from aiohttp import web
from prometheus_client import generate_latest

import storage.operating
import storage.sources
from bot.errors import StorageError
from bot.metrics import INFO, OLDEST, REGISTRY, WAITING
from bot.model.overview import LaneWaits
from bot.ops.live import Live
from bot.ops.page import POLICY, document
from bot.ops.readiness import FRESH, READS, Readiness, answer, note, stale
from bot.ops.versions import version
from bot.ops.view import View
from bot.ops.whole import Operated, read_whole
from bot.reasons import Reason, reason
from bot.render.reasons import told
from storage.db import Store

__all__ = ["Operated", "Readiness", "ops_app"]

UNREADABLE = reason("database.unread", "database: cannot be read")
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
    "X-Content-Type-Options": "nosniff",
}


def ops_app(of: Operated) -> web.Application:
    """The operator's server, on loopback unless told otherwise; shows nobody's chat or words."""
    store, clock, readiness = of.store, of.clock, of.readiness
    live = Live(partial(read_whole, of))

    def view(request: web.Request) -> View:
        return View.asked(request.query, request.headers.get("Accept-Language", ""), of.language)

    async def healthz(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_request: web.Request) -> web.Response:
        troubles = await _troubles(store, clock, readiness)
        status = 200
        if troubles:
            status = 503
        return web.json_response(answer(troubles), status=status)

    async def metrics(_request: web.Request) -> web.Response:
        note(await _troubles(store, clock, readiness))
        try:
            async with store.reading() as db:
                _count_waiting(await storage.operating.lanes(db, now=clock()))
        except StorageError:
            # what was true once is not said again; the other figures are wanted most now
            WAITING.clear()
            OLDEST.clear()
        # version 0.0.4 is Prometheus's text format, and no version of ours
        return web.Response(
            body=generate_latest(REGISTRY), headers={"Content-Type": "text/plain; version=0.0.4"}
        )

    async def status(request: web.Request) -> web.Response:
        try:
            whole = await read_whole(of)
        except StorageError:
            said = told(UNREADABLE, view(request).language).text
            return web.Response(status=503, text=f"{said}\n")
        seen = view(request)
        headers = {**PAGE_HEADERS, "Content-Language": seen.language}
        return web.Response(text=document(whole, seen), content_type="text/html", headers=headers)

    async def events(request: web.Request) -> web.StreamResponse:
        return await live.stream(request, view(request))

    INFO.labels(version()).set(1)
    application = web.Application()
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    application.router.add_get("/metrics", metrics)
    application.router.add_get("/status", status)
    application.router.add_get("/status/events", events)
    application.on_shutdown.append(live.close)
    return application


async def _troubles(
    store: Store, clock: Callable[[], datetime], readiness: Readiness
) -> Mapping[str, Reason]:
    """Why the program is not ready, by part: what its parts say, and what the store shows."""
    troubles = dict(readiness.troubles())
    try:
        async with store.reading() as db:
            old = stale(await storage.sources.last_ok_at(db), clock())
    except StorageError:
        troubles[READS] = UNREADABLE
    else:
        if old is not None:
            troubles[FRESH] = old
    return troubles


def _count_waiting(lanes: tuple[LaneWaits, ...]) -> None:
    """Put into the figures how many deliveries of each lane wait, and for how long."""
    for waits in lanes:
        lane = waits.lane.name.lower()
        WAITING.labels(lane).set(waits.waiting)
        oldest = 0.0
        if waits.oldest is not None:
            oldest = waits.oldest.total_seconds()
        OLDEST.labels(lane).set(oldest)
