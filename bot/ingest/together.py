"""Work that is cheaper together: whatever waits while one batch is done is the next batch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

from bot.errors import BotError

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Waiting(Generic[Item, Result]):
    """One item and its weight, with what became of it; `left` when its caller was cancelled."""

    __slots__ = ("error", "item", "left", "results", "weight")

    def __init__(self, item: Item, weight: int) -> None:
        self.item = item
        self.weight = weight
        self.results: list[Result] = []  # none, or the one
        self.error: BotError | None = None
        self.left = False

    @property
    def done(self) -> bool:
        return bool(self.results) or self.error is not None


class Together(Generic[Item, Result]):
    """Callers' items, done by `do` in batches of at most `most`, each caller given its own result.

    With `weigh` items count as much as it says: one that outweighs a batch is done alone.

    Whoever comes first does what waits by then, itself, so that nothing goes on behind a caller
    that was cancelled: a batch that was begun is ended first, since nobody could tell whether its
    COMMIT arrived, and what is done again would count twice. A BotError of `do` is that of every
    item.

    A batch waits to fill, `patience` seconds at most, as long as fewer items are there than
    `expected` says: without it nobody waits for anybody.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Item]], Coroutine[Any, Any, Sequence[Result]]],
        *,
        most: int,
        weigh: Callable[[Item], int] = lambda _: 1,
        patience: float = 0.0,
        expected: Callable[[], int] = lambda: 0,
    ) -> None:
        self._do = do
        self._most = most
        self._weigh = weigh
        self._patience = patience
        self._expected = expected
        self._waiting: deque[_Waiting[Item, Result]] = deque()
        self._turn = asyncio.Lock()
        self._filled = asyncio.Event()

    async def __call__(self, item: Item) -> Result:
        """The result of one item, done together with others that wait."""
        mine: _Waiting[Item, Result] = _Waiting(item, self._weigh(item))
        self._waiting.append(mine)
        self._look()
        try:
            # those that are ready in the same turn of the loop come along
            await asyncio.sleep(0)
            async with self._turn:
                while not mine.done:
                    await self._fill()
                    await self._batch()
        finally:
            mine.left = True
            with suppress(ValueError):  # it may be in the batch that somebody does
                self._waiting.remove(mine)
        if mine.error is not None:
            raise mine.error
        return mine.results[0]

    @property
    def _full(self) -> bool:
        return (
            len(self._waiting) >= self._expected()
            or sum(one.weight for one in self._waiting) >= self._most
        )

    def _look(self) -> None:
        if self._full:
            self._filled.set()

    async def _fill(self) -> None:
        """Wait for others that are expected, a little."""
        if self._full:
            return
        self._filled.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await self._filled.wait()

    def _next(self) -> list[_Waiting[Item, Result]]:
        """The first of those that wait, and what goes with it."""
        batch: list[_Waiting[Item, Result]] = []
        weight = 0
        while self._waiting and (not batch or weight + self._waiting[0].weight <= self._most):
            batch.append(self._waiting.popleft())
            weight += batch[-1].weight
        return batch

    async def _batch(self) -> None:
        batch = self._next()
        done = asyncio.ensure_future(self._do([one.item for one in batch]))
        cancelled = await _ended(done)
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        if isinstance(error, BotError):
            for one in batch:
                one.error = error
        elif error is not None:
            # whoever is next does it, but for those that nobody waits for any more
            self._waiting.extendleft(one for one in reversed(batch) if not one.left)
            raise error
        else:
            for one, result in zip(batch, done.result(), strict=True):
                one.results.append(result)
        if cancelled:
            raise asyncio.CancelledError


async def _ended(work: asyncio.Future[Any]) -> bool:
    """Wait for the end of `work`, whatever it is; whether we were cancelled meanwhile."""
    cancelled = False
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            cancelled = True
    return cancelled
