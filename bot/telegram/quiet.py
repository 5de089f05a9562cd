"""The chats in which Telegram wants silence for a while, one or all, known to everybody here who
writes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from cachetools import FIFOCache

from bot.clock import boottime

ASKED_CHATS = 10_000  # chats of which this process knows whether an earlier one was told to wait


class Quiet:
    """The ends of chats' silences, on the clock that runs while the machine sleeps."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}
        self._all_until = 0.0
        self._all_stored_at = 0.0
        self._asked: FIFOCache[int, None] = FIFOCache(ASKED_CHATS)

    def is_new(self, chat: int) -> bool:
        """Whether nobody here asked about a chat yet, so that only the store knows: once."""
        new = chat not in self._asked
        self._asked[chat] = None
        return new

    def keep(self, chat: int, seconds: float) -> None:
        """Telegram wants no message in a chat for so long; what was wanted for longer holds."""
        now = boottime()
        for one, until in list(self._until.items()):
            if until <= now:
                del self._until[one]
        self._until[chat] = max(now + seconds, self._until.get(chat, now))

    @contextmanager
    def keeping_all(self, seconds: float) -> Iterator[None]:
        """Telegram wants nothing of us for so long from now, whatever it wanted before; at the
        block's end the store knows of it.
        """
        until = self._all_until = boottime() + seconds
        self._all_stored_at = math.inf
        yield
        if self._all_until == until:
            self._all_stored_at = boottime()

    def go_by(self, seconds: float, *, asked: float) -> None:
        """The store says for how long Telegram wants nothing of us.

        A question `asked` before the store knew of what is known here shortens nothing.
        """
        until = boottime() + seconds
        if until > self._all_until or asked > self._all_stored_at:
            self._all_until, self._all_stored_at = until, asked

    def left(self, chat: int) -> float:
        """Seconds for which Telegram wants no message in a chat; 0 when it takes them."""
        if not self._until and not self._all_until:  # as nearly always: before every answer
            return 0.0
        until = max(self._until.get(chat, 0.0), self._all_until)
        return max(0.0, until - boottime())

    def left_for_all(self) -> float:
        """Seconds for which Telegram wants nothing of us at all; 0 when it takes what comes."""
        if not self._all_until:
            return 0.0
        return max(0.0, self._all_until - boottime())
