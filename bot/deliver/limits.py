"""The local gate: what this process sends, held below the token's limit whatever its clock, its loop or its slots do.

Slots come from the store's shared row, but a late wake-up turns slots that lie apart into messages that leave
together. The gate looks at what really left: never more than the limit in any second, and after a stall only a
little faster than the pace.
"""

from __future__ import annotations

from collections import deque

PACE = 0.992  # of the configured rate: what arrives within a second left within a little more or less
SHARED_PACE = 0.975  # of the rate where several senders share it: together they may be LATE by as much as that leaves
LATE = 0.02  # seconds: a slot missed by more is lost, because what follows it is another sender's
CATCH_UP = 1.25  # times the pace, after a stall
TICK = 0.004  # seconds: messages due this close together leave together, which saves wake-ups


class Gate:
    """At most `rate` × PACE messages leave in any second; times are seconds on one clock that never goes back."""

    def __init__(self, rate: float) -> None:
        self._most = max(1, round(rate * PACE))
        self._every = 1 / (rate * PACE)
        self._left: deque[float] = deque()
        self._next = 0.0

    def wait(self, now: float, *, slots_rule: bool = False) -> float:
        """Seconds until one more message may leave; 0 or less is now. With `slots_rule` the pace is kept elsewhere."""
        full = self._left[0] + 1.0 - now if len(self._left) >= self._most else 0.0
        return full if slots_rule else max(full, self._next - now - TICK)

    def take(self, now: float) -> None:
        """One leaves now."""
        self._left.append(now)
        if len(self._left) > self._most:
            self._left.popleft()
        self._next = max(self._next, now) + self._every / CATCH_UP
