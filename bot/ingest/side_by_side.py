"""Several sources at once: how many, and never one twice; for the running bot and the verbs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

# sources asked at a time: one that hangs for its whole time limit stops no other
SOURCES_AT_ONCE = 32
# polls under way: most of them wait for their turn at the network, or to be written with others
POLLS_AT_ONCE = 256


class Keyed(Protocol):
    """A source, known by its key."""

    @property
    def key(self) -> str:
        """What it is called."""


Source = TypeVar("Source", bound=Keyed)


class SideBySide(Generic[Source]):
    """Tasks of a group doing `work` on sources: SOURCES_AT_ONCE at most, none of them twice.

    Several groups that are not to be more together share `slots`.
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        work: Callable[[Source], Awaitable[object]],
        slots: asyncio.Semaphore | None = None,
    ) -> None:
        self._tasks = tasks
        self._work = work
        self._slots = slots or asyncio.Semaphore(SOURCES_AT_ONCE)
        self._busy: set[str] = set()

    @property
    def busy(self) -> frozenset[str]:
        """The keys of the sources that are worked on, or wait for a place."""
        return frozenset(self._busy)

    def start(self, source: Source) -> None:
        """Begin with a source as soon as there is a place; nothing when it is worked on already."""
        if source.key not in self._busy:
            # busy from now, not from its place: the next round would begin it a second time
            self._busy.add(source.key)
            self._tasks.create_task(self._one(source))

    async def _one(self, source: Source) -> None:
        try:
            async with self._slots:
                await self._work(source)
        finally:
            self._busy.discard(source.key)
