"""Signals between the stages of sending: that there is something to do, and when to stop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

IDLE = 1.0  # seconds between looks when nobody said anything


@dataclass(frozen=True, slots=True)
class Signals:
    """`claim` wakes who takes deliveries, `feed` who starts senders; `stop` is set once."""

    claim: asyncio.Event = field(default_factory=asyncio.Event)
    feed: asyncio.Event = field(default_factory=asyncio.Event)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def stopping(self) -> bool:
        """Whether nothing more is taken."""
        return self.stop.is_set()

    def end(self) -> None:
        """Stop, and wake all who wait."""
        for event in (self.stop, self.feed, self.claim):
            event.set()
