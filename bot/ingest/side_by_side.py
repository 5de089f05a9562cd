"""Several sources at once: how many, and never one twice; for the running bot and the verbs."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

# sources asked at a time: one that hangs for its whole time limit stops no other
SOURCES_AT_ONCE = 32
# polls under way: half of them wait for their turn at the network, or to be written with others.
# What a first one found takes a tenth of a megabyte until it is written
POLLS_AT_ONCE = 64


class Keyed(Protocol):
    """A source, known by its key."""

    @property
    def key(self) -> str:
        """The key that names it."""


Source = TypeVar("Source", bound=Keyed)


class SideBySide(Generic[Source]):
    """`work` on sources by tasks of a group: `at_once` of them at most, no source twice at a time.

    A source without a turn waits as itself and not as a task: ten thousand tasks that begin at one
    time hold the loop. Several groups that are not to be more together share `slots`.
    """

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        work: Callable[[Source], Awaitable[object]],
        *,
        at_once: int = SOURCES_AT_ONCE,
        slots: asyncio.Semaphore | None = None,
    ) -> None:
        self._tasks = tasks
        self._work = work
        self._at_once = at_once
        self._slots = slots or asyncio.Semaphore(at_once)
        self._busy: set[str] = set()
        self._waiting: deque[Source] = deque()
        self._taken = 0

    @property
    def busy(self) -> frozenset[str]:
        """The keys of the sources that are worked on, or wait for their turn."""
        return frozenset(self._busy)

    def start(self, source: Source) -> None:
        """Begin with a source as soon as it is its turn; nothing when it is worked on already."""
        if source.key in self._busy:
            return
        # busy from now, not from its turn: the next round would begin it a second time
        self._busy.add(source.key)
        self._waiting.append(source)
        if self._taken < self._at_once:
            self._taken += 1
            self._tasks.create_task(self._one_after_another())

    async def _one_after_another(self) -> None:
        try:
            while self._waiting:
                source = self._waiting.popleft()
                try:
                    async with self._slots:
                        await self._work(source)
                finally:
                    self._busy.discard(source.key)
        finally:
            self._taken -= 1
