"""For the operator: /healthz (alive), /readyz (working), /metrics, /status (a page to look at)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import generate_latest

import storage.overview
import storage.sources
from bot.errors import StorageError
from bot.hosts import is_loopback, names_no_stranger
from bot.metrics import FAILING, INFO, OLDEST, REGISTRY, UNHEARD, WAITING
from bot.model.overview import LaneWaits
from bot.ops.live import Live
from bot.ops.page import POLICY, document
from bot.ops.readiness import FRESH, READS, Readiness, answer, note, stale
from bot.ops.versions import version
from bot.ops.view import View
from bot.ops.whole import Operated, read_whole
from bot.reasons import Reason, reason
from bot.render.reasons import told

__all__ = ["Operated", "Readiness", "ops_app"]

UNREADABLE = reason("database.unread", "database: cannot be read")
MISNAMED = "Host should be 127.0.0.1 or localhost; a proxy in front has to say so\n"
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Language",
    "X-Content-Type-Options": "nosniff",
}


def ops_app(of: Operated) -> web.Application:
    """The operator's server, on loopback unless told otherwise; shows nobody's chat or words.

    By loopback it answers whoever names this machine, and no page of somebody's browser that made
    its own name lead here; elsewhere it may be called whatever the operator's network calls it.
    """
    pages = _Pages(of, Live(partial(read_whole, of)))
    INFO.labels(version()).set(1)
    application = web.Application(middlewares=[_by_this_machines_name])
    application.router.add_get("/healthz", pages.healthz)
    application.router.add_get("/readyz", pages.readyz)
    application.router.add_get("/metrics", pages.metrics)
    application.router.add_get("/status", pages.status)
    application.router.add_get("/status/events", pages.events)
    application.on_shutdown.append(pages.live.close)
    return application


@web.middleware
async def _by_this_machines_name(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Send away who came by loopback and names another host."""
    way = request.transport
    here = None if way is None else way.get_extra_info("sockname")
    by_loopback = here is None or is_loopback(here[0])
    if by_loopback and not names_no_stranger(request.headers.get("Host")):
        return web.Response(status=403, text=MISNAMED)
    return await handler(request)


@dataclass(frozen=True, slots=True)
class _Pages:
    """The pages of the operator's server, and those to whom its page is shown as it changes."""

    of: Operated
    live: Live

    async def healthz(self, _request: web.Request) -> web.Response:
        """An answer for as long as the event loop turns."""
        return web.Response(text="ok\n")

    async def readyz(self, _request: web.Request) -> web.Response:
        """Whether the program works, and why not."""
        troubles = await self._troubles()
        status = 200
        if troubles:
            status = 503
        return web.json_response(answer(troubles), status=status)

    async def metrics(self, _request: web.Request) -> web.Response:
        """The figures; what waits is counted when somebody asks."""
        note(await self._troubles())
        try:
            async with self.of.store.reading() as db:
                now, token = self.of.clock(), self.of.token
                lanes = await storage.overview.lanes(db, now=now)
                unheard = await self.of.unheard.look(db, token=token, now=now)
                failing = await storage.sources.failing(db, self._polled)
        except StorageError:
            # what was true once is not said again; the other figures are wanted most now
            WAITING.clear()
            OLDEST.clear()
            UNHEARD.clear()
            FAILING.clear()
        else:
            _count_waiting(lanes)
            UNHEARD.set(len(unheard))
            _count_failing(failing)
        # version 0.0.4 is Prometheus's text format, and no version of ours
        return web.Response(
            body=generate_latest(REGISTRY), headers={"Content-Type": "text/plain; version=0.0.4"}
        )

    async def status(self, request: web.Request) -> web.Response:
        """The operator's page; 503 where the store cannot be read."""
        seen = self._view(request)
        try:
            whole = await read_whole(self.of)
        except StorageError:
            said = told(UNREADABLE, seen.language).text
            return web.Response(status=503, text=f"{said}\n")
        headers = {**PAGE_HEADERS, "Content-Language": seen.language}
        return web.Response(text=document(whole, seen), content_type="text/html", headers=headers)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The page's changes as they come, as server-sent events."""
        return await self.live.stream(request, self._view(request))

    @property
    def _polled(self) -> frozenset[str]:
        """The keys of the sources that are asked."""
        return frozenset(spec.key for spec in self.of.catalog.polled)

    def _view(self, request: web.Request) -> View:
        spoken = request.headers.get("Accept-Language", "")
        return View.asked(request.query, spoken, self.of.language)

    async def _troubles(self) -> Mapping[str, Reason]:
        """The reasons that the program is not ready, by part: its parts' own, and the store's."""
        troubles = dict(self.of.readiness.troubles())
        try:
            async with self.of.store.reading() as db:
                read_at, failures = await storage.sources.last_read(db)
        except StorageError:
            troubles[READS] = UNREADABLE
        else:
            if (old := stale(read_at, self.of.clock(), failures=failures)) is not None:
                troubles[FRESH] = old
        return troubles


def _count_failing(failing: Mapping[str, int]) -> None:
    """Put into the figures which sources fail; one that answers again has none."""
    FAILING.clear()
    for key, failures in failing.items():
        FAILING.set(failures, key)


def _count_waiting(lanes: tuple[LaneWaits, ...]) -> None:
    """Put into the figures how many deliveries of each lane wait, and for how long."""
    for waits in lanes:
        lane = waits.lane.name.lower()
        WAITING.labels(lane).set(waits.waiting)
        oldest = 0.0
        if waits.oldest is not None:
            oldest = waits.oldest.total_seconds()
        OLDEST.labels(lane).set(oldest)
