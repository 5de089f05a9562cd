"""Flights: requests on their way to Telegram, and what is done when nothing comes back.

A connection that broke without a word brings no answer any more, and its time-out would tell it
much later: all that hangs is looked at together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from bot.clock import boottime
from bot.deliver.reach import Reach
from bot.deliver.signals import Signals
from bot.model.alerts import Lane
from bot.reasons import Reason, reason
from bot.telegram.outcomes import Ambiguous, Outcome
from storage.claims import Claimed

# seconds of nothing but silence on all that is in flight, until Telegram is asked whether it is
# there
HANGING = 2.0
# more seconds until what still hangs, though Telegram said it is, counts as lost with its
# connection
DEAD_AFTER = 2.0
#: Copies beyond the first that a lane risks when nobody knows whether the first arrived (U).
DOUBTS = {Lane.URGENT: 1, Lane.ALERT: 1, Lane.ROUTINE: 0}
SILENT = reason("telegram.silent", "no answer in an outage")
UNANSWERED = reason("telegram.unanswered_alone", "no answer, though Telegram gives others")


@dataclass(slots=True, eq=False)
class _Flight:
    """A request on its way: what it delivers, since when, and what gives it up early."""

    item: Claimed
    begun: float
    sender: asyncio.Task[Any]
    given_up: Reason | None = None  # why it was

    def give_up(self, why: Reason) -> None:
        """End the request as if its time were over, with the reason."""
        if self.given_up is None:
            self.given_up = why
            self.sender.cancel()


class Flights:
    """The requests that are in flight."""

    def __init__(self, reach: Reach, signals: Signals) -> None:
        self._reach = reach
        self._signals = signals
        self._flights: dict[_Flight, None] = {}  # in the order in which they were begun
        self._dead: set[_Flight] = set()
        self._heard_at = 0.0  # when Telegram answered last
        self._looking: asyncio.Task[None] | None = None

    @property
    def dead(self) -> int:
        """The number that wait on a dead connection, and take nobody's place any more."""
        return len(self._dead)

    async def fly(
        self, item: Claimed, request: Awaitable[Outcome], sender: asyncio.Task[Any]
    ) -> Outcome:
        """The outcome of a request that this task sends; Ambiguous when it hung and was given
        up.
        """
        one = _Flight(item, boottime(), sender)
        self._flights[one] = None
        try:
            outcome = await request
        except asyncio.CancelledError:
            # as asyncio.timeout does it, which costs a fortieth of a message
            if one.given_up is None or sender.uncancel():
                raise
            return Ambiguous(one.given_up)
        finally:
            del self._flights[one]
            self._dead.discard(one)
        if not isinstance(outcome, Ambiguous):
            self._heard_at = boottime()
        return outcome

    def look(self, now: float) -> None:
        """Ask what is the matter when all that is in flight hangs."""
        if self._looking is not None or self._reach.away or not self._flights:
            return
        hanging = [one for one in self._flights if one not in self._dead]
        if hanging and max(hanging[0].begun, self._heard_at) < now - HANGING:
            asking = self._ask_why(hanging)
            self._looking = asyncio.create_task(asking, name="ask why nothing is answered")

    def returned(self, now: float, lost_since: float) -> None:
        """Telegram is back: what was asked before the outage was noticed gets no answer."""
        self._heard_at = now
        for one in self._flights:
            if one.begun <= lost_since:
                one.give_up(SILENT)

    def close(self) -> None:
        """Cancel the question why requests hang."""
        if self._looking is not None:
            self._looking.cancel()

    async def _ask_why(self, hanging: list[_Flight]) -> None:
        """Tell whether Telegram is away, which its watch looks after.

        If it is there, what hung before is lost; what may be doubted once more is sent again.
        """
        try:
            if await self._reach.lost(silent=True):
                return
            self._heard_at = boottime()
            await asyncio.sleep(DEAD_AFTER)
            for one in hanging:
                if one in self._flights:
                    self._dead.add(one)
                    if one.item.doubts < DOUBTS[one.item.lane]:
                        one.give_up(UNANSWERED)
        finally:
            self._looking = None
            self._signals.feed.set()
