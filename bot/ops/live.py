"""The page as it changes: one look at the whole a tick, shared by all who look.

Nobody looks, nobody asks the database. A looker that does not read is dropped, and more than
`MOST_LOOKERS` are sent away, because each holds a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import orjson
import structlog
from aiohttp import web

from bot.errors import StorageError
from bot.ops.page import rendered
from bot.ops.view import View
from bot.ops.whole import Whole

log = structlog.get_logger(__name__)

TICK = 5.0  # seconds between two looks
MOST_LOOKERS = 20  # each holds a connection
PATIENCE = 10.0  # seconds that a looker may take to read what changed
HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",  # a proxy in front must not collect what is meant now
}


class Live:
    """The viewers of the page, and what they are shown; `close` ends them all."""

    def __init__(self, read: Callable[[], Awaitable[Whole]], *, tick: float = TICK) -> None:
        self._read = read
        self._tick = tick
        self._lookers: set[asyncio.Transport] = set()
        self._news = asyncio.Condition()
        self._whole: Whole | None = None
        self._number = 0
        self._closed = False
        self._looking: asyncio.Task[None] | None = None

    @property
    def looks(self) -> bool:
        """Whether the whole is read again and again."""
        return self._looking is not None

    async def stream(self, request: web.Request, view: View) -> web.StreamResponse:
        """Show one looker what changes in a view, until they leave."""
        way = request.transport
        if self._closed or way is None or self._seats_taken >= MOST_LOOKERS:
            return web.Response(status=503, headers={"Retry-After": "30"})
        response = web.StreamResponse(headers=HEADERS)
        self._lookers.add(way)
        try:
            await response.prepare(request)
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look(), name="look at the whole")
            with suppress(TimeoutError, ConnectionError):
                await self._show(response, view)
        finally:
            self._lookers.discard(way)
            if not self._lookers:
                self._stop_looking()
        return response

    @property
    def _seats_taken(self) -> int:
        """The lookers who are still there: who has gone is noticed here at the next look alone."""
        return sum(not way.is_closing() for way in self._lookers)

    async def _show(self, response: web.StreamResponse, view: View) -> None:
        seen, number = dict[str, str](), 0
        while True:
            await self._later_than(number)
            if self._closed:
                return
            number, said = self._number, b":\n\n"  # a comment says that we are there
            if self._whole is not None:
                shown = rendered(self._whole, view)
                changed = {key: text for key, text in shown.items() if seen.get(key) != text}
                seen = shown
                said = b"data: " + orjson.dumps(changed) + b"\n\n"
            async with asyncio.timeout(PATIENCE):
                await response.write(said)

    async def _later_than(self, number: int) -> None:
        """Wait for a look after the one of this number, or for the end."""
        async with self._news:
            while not self._closed and self._number <= number:
                await self._news.wait()

    async def _look(self) -> None:
        while True:
            try:
                self._whole = await self._read()
            except StorageError as error:
                self._whole = None
                log.warning("the page waits for the database", error=str(error))
            async with self._news:
                self._number += 1
                self._news.notify_all()
            await asyncio.sleep(self._tick)

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
            self._whole = None

    async def close(self, _application: web.Application | None = None) -> None:
        """Let everybody go: a stop does not wait for who looks."""
        self._closed = True
        self._stop_looking()
        async with self._news:
            self._news.notify_all()
