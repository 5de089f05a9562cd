"""Several sources at once: how many, few of one host, and never one twice; for the running bot and
the verbs.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection, Iterable
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

# sources asked at a time: one that hangs for its whole time limit stops no other
SOURCES_AT_ONCE = 32
# polls under way: half of them wait for their turn at the network, or to be written with others.
# What a first one found takes a tenth of a megabyte until it is written
POLLS_AT_ONCE = 64
# of them those of one host, which answers one request at a time: while one poll is asked for the
# other is read or written, and a host that hangs takes no more places than that
OF_ONE_HOST = 2


class Keyed(Protocol):
    """A source, known by its key; `host` is whom it asks, None where that does not matter."""

    @property
    def key(self) -> str:
        """The key that names it."""

    @property
    def host(self) -> str | None:
        """The host that it asks first."""


Source = TypeVar("Source", bound=Keyed)


class Slot:
    """One of the `slots` at the network, taken when it is needed and given back at the block's end.

    Whoever has one waits for no host's turn: that turn's holder may wait for this very slot.
    """

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots = slots
        self._taken = False

    async def take(self) -> None:
        """Wait for a slot."""
        await self._slots.acquire()
        self._taken = True

    def give_back(self) -> None:
        """Give the slot back, if there is one."""
        if self._taken:
            self._taken = False
            self._slots.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.give_back()


class SideBySide(Generic[Source]):
    """`work` on sources by tasks of a group: `at_once` of them at most, OF_ONE_HOST of one host, no
    source twice at a time.

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
        #: Who is next, whatever its host.
        self._waiting: deque[Source] = deque()
        #: Who waits behind others of its host.
        self._behind: dict[str, deque[Source]] = {}
        #: How many of each host are next or worked on.
        self._of_host: Counter[str] = Counter()
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
        if source.host is not None:
            if self._of_host[source.host] >= OF_ONE_HOST:
                self._behind.setdefault(source.host, deque()).append(source)
                return
            self._of_host[source.host] += 1
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
                    self._let_in_behind(source.host)
        finally:
            self._taken -= 1

    def _let_in_behind(self, host: str | None) -> None:
        """Let the next source of a host take the place of one that was worked on."""
        if host is None:
            return
        behind = self._behind.get(host)
        if behind:
            self._waiting.append(behind.popleft())
            return
        self._behind.pop(host, None)
        self._of_host[host] -= 1
        if not self._of_host[host]:
            del self._of_host[host]


def few_of_each_host(due: Iterable[Keyed], taken: Collection[str], *, most: int) -> list[str]:
    """The keys that are due and not yet `taken`, of one host no more than `most` with those."""
    places: Counter[str] = Counter()
    free: list[Keyed] = []
    for one in due:
        if one.key not in taken:
            free.append(one)
        elif one.host is not None:
            places[one.host] += 1
    found: list[str] = []
    for one in free:
        if one.host is not None:
            if places[one.host] >= most:
                continue
            places[one.host] += 1
        found.append(one.key)
    return found
