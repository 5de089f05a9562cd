"""Pictures of what is delivered: drawn beside the senders, sent once, then known by a file id.

Nobody waits for one: a delivery whose picture is not drawn yet goes back for a second, so that the
first of a thousand does not keep what is urgent from its turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from cachetools import LRUCache

from bot.errors import BotError
from bot.render import panel_drawing
from bot.render.panels import Panels
from bot.telegram.outcomes import Outcome
from bot.telegram.results import photo_of

log = structlog.get_logger(__name__)

SECONDS = 20.0  # that a worker has for one: the first imports matplotlib
# more would wait for the same few processes, and be forgotten before their deliveries come back
DRAWN_AT_ONCE = 4
PICTURES_KEPT = 64  # pictures of 100 kB each, until Telegram has them

#: Runs a job in a worker process.
Run = Callable[..., Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Upload:
    """A message with a picture that Telegram has not yet."""

    method: str
    parameters: dict[str, Any]
    content: bytes
    picture: Panels


class NotDrawnError(Exception):
    """A picture is being drawn: its delivery is to come back."""


class Pictures:
    """What is drawn, and what Telegram has; one for a composer. Without `run` there are none."""

    def __init__(self, run: Run | None = None) -> None:
        self._run = run
        self._drawing: dict[Panels, asyncio.Task[None]] = {}
        self._made: LRUCache[Panels, bytes | None] = LRUCache(PICTURES_KEPT)
        self._file_ids: LRUCache[Panels, str] = LRUCache(PICTURES_KEPT)

    def of(self, picture: Panels) -> str | bytes | None:
        """Its file id or the picture itself; None where it cannot be drawn. NotDrawnError while it
        is, or waits for others.
        """
        if self._run is None:
            return None
        if (file_id := self._file_ids.get(picture)) is not None:
            return file_id
        if picture in self._made:
            return self._made[picture]
        if picture not in self._drawing and len(self._drawing) < DRAWN_AT_ONCE:
            task = asyncio.create_task(self._draw(self._run, picture), name="draw a picture")
            self._drawing[picture] = task
        raise NotDrawnError

    def keep(self, picture: Panels, outcome: Outcome) -> None:
        """Remember the file id of a picture that was sent."""
        if (file_id := photo_of(outcome)) is not None:
            self._file_ids[picture] = file_id
            self._made.pop(picture, None)

    async def _draw(self, run: Run, picture: Panels) -> None:
        made = None
        try:
            made = await run(panel_drawing.draw, picture, timeout=SECONDS)
        except BotError as error:  # the words go alone
            log.warning("no picture", title=picture.title, error=str(error))
        finally:
            del self._drawing[picture]
        self._made[picture] = made
