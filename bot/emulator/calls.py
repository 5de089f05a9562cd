"""The log of calls: what the bot asked for, when, and what came of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Call(NamedTuple):
    """One call of a method.

    `at` is monotonic time of arrival, `wall` Unix time. `code` is the HTTP status answered, 0 when
    none was. `accepted`: it took effect, whatever the client saw. `outcome`: ok, error, html,
    gateway, truncated, reset, hang.
    """

    number: int
    at: float
    wall: float
    method: str
    chat_id: int | None
    outcome: str
    code: int
    accepted: bool
    message_id: int | None
    description: str | None


class Calls:
    """The latest `keep` calls; `total` counts all of them."""

    def __init__(self, keep: int) -> None:
        self.total = 0
        self._kept: deque[Call] = deque(maxlen=keep)  # a load test makes millions
        self._waiting: set[asyncio.Event] = set()

    def __iter__(self) -> Iterator[Call]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index: int) -> Call:
        return self._kept[index]

    def add(self, call: Call) -> None:
        """Log a call and wake those who wait for one."""
        self.total += 1
        self._kept.append(call)
        for waiting in self._waiting:
            waiting.set()

    def since(self, number: int) -> list[Call]:
        """The calls kept whose number is greater, oldest first."""
        return [call for call in self._kept if call.number > number]

    def of(self, method: str, chat_id: int | None = None) -> list[Call]:
        """The calls of one method, to one chat if given."""
        return [
            c
            for c in self._kept
            if c.method == method and (chat_id is None or c.chat_id == chat_id)
        ]

    def clear(self) -> None:
        """Forget the calls so far."""
        self._kept.clear()

    async def wait(
        self,
        predicate: Callable[[Call], bool],
        *,
        timeout: float = 10.0,  # noqa: ASYNC109 - whoever waits says how long
        after: int = 0,
    ) -> Call:
        """The first call numbered above `after` that fits, waited for. Raises TimeoutError."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(timeout):
                while True:
                    # before looking: a call that comes meanwhile wakes us again
                    event.clear()
                    for call in self._kept:
                        if call.number > after:
                            after = call.number
                            if predicate(call):
                                return call
                    await event.wait()
        finally:
            self._waiting.discard(event)
