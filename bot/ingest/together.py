"""Work that is cheaper together: whatever waits while one batch is done is the next batch."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from bot.errors import BotError

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Waiting(Generic[Item, Result]):
    """One item, with what became of it; `left` when its caller was cancelled."""

    __slots__ = ("error", "item", "left", "results")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.results: list[Result] = []  # none, or the one
        self.error: BotError | None = None
        self.left = False

    @property
    def done(self) -> bool:
        return bool(self.results) or self.error is not None


class Together(Generic[Item, Result]):
    """Callers' items, done by `do` in batches of at most `most`, each caller given its own result.

    Nobody waits for a batch to fill: whoever comes first does what waits by then, itself, so that
    nothing goes on behind a caller that was cancelled. A BotError of `do` is that of every item.
    """

    def __init__(
        self, do: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], *, most: int
    ) -> None:
        self._do = do
        self._most = most
        self._waiting: deque[_Waiting[Item, Result]] = deque()
        self._turn = asyncio.Lock()

    async def __call__(self, item: Item) -> Result:
        """What became of one item."""
        mine: _Waiting[Item, Result] = _Waiting(item)
        self._waiting.append(mine)
        try:
            # those that are ready in the same turn of the loop come along
            await asyncio.sleep(0)
            async with self._turn:
                while not mine.done:
                    await self._batch()
        finally:
            mine.left = True
            with suppress(ValueError):  # it may be in the batch that somebody does
                self._waiting.remove(mine)
        if mine.error is not None:
            raise mine.error
        return mine.results[0]

    async def _batch(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
        try:
            results = await self._do([one.item for one in batch])
        except BotError as error:
            for one in batch:
                one.error = error
            return
        except BaseException:
            # whoever is next does it, but for those that nobody waits for any more
            self._waiting.extendleft(one for one in reversed(batch) if not one.left)
            raise
        for one, result in zip(batch, results, strict=True):
            one.results.append(result)
