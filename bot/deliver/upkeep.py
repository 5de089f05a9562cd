"""Upkeep of the outbox between claims: fan-out, ended leases freed, what expired closed.

None of it is a line of the recurring jobs: it belongs between the claims of one process, in their
order. What that process holds is known to it alone, and its marks are written first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

import storage.lapsed
import storage.quiet
import storage.withheld
from bot.alerts import waited
from bot.clock import boottime
from bot.deliver.editor import ChannelEditor
from bot.deliver.fan_out import fan_out
from bot.deliver.marks import Marks
from bot.deliver.signals import IDLE
from bot.deliver.unread import UnreadAlerts
from storage.db import Store

# seconds between looks for leases that ended and quiet hours that are over: nobody waits for either
# by the second, and a process at rest does little else
TIDY = 2.0
# seconds between looks for what expired: it is not sent anyway, and all that waits is looked at
EXPIRE = 10.0
# seconds between looks for what channels withhold for no reason any more: nearly always it left by
# itself
WITHHELD_LOOK = 60.0
# a process that stood still for so long may be told of leases that ended, and hold their answers
# unread
STALL_GRACE = 5.0


@dataclass(slots=True)
class Part:
    """One part of the upkeep, done `every` so many seconds; where `do` says that there is more, it
    is due again at once.
    """

    do: Callable[[], Awaitable[bool]]
    every: float
    due_at: float = 0.0

    async def done(self, now: float) -> bool:
        """Do it if it is due; whether there is more of it."""
        if now < self.due_at:
            return False
        self.due_at = now + self.every  # before it is done: who wants it meanwhile sets it back
        more = await self.do()
        if more:
            self.due_at = 0.0
        return more


class Upkeep:
    """The parts of the upkeep; `in_hand` are the deliveries that this process has, the `editor`
    knows what channels' policies ask.
    """

    def __init__(
        self,
        store: Store,
        marks: Marks,
        in_hand: Callable[[], Collection[int]],
        unread: UnreadAlerts,
        editor: ChannelEditor,
    ) -> None:
        self._unread = unread
        self._store = store
        self._editor = editor
        self._marks = marks
        self._in_hand = in_hand
        self._fanned = 0  # deliveries, by the chunk made last
        self._fan_out = Part(self._make_a_chunk, IDLE)
        self._tidy_at = 0.0
        self._tidied = (
            Part(self._close_expired, EXPIRE),
            Part(self._let_go, WITHHELD_LOOK),
        )

    def fan_out_soon(self) -> None:
        """Make the next look for alerts due at once: there is a new one."""
        self._fan_out.due_at = 0.0

    async def fan_out(self) -> bool:
        """Make one chunk of deliveries, while there are alerts to make them of; whether there were.

        Otherwise it is a look now and then, besides when we are woken.
        """
        return await self._fan_out.done(boottime()) and self._fanned > 0

    def tidy_soon(self) -> None:
        """Make the next look for what is over due at once: somebody turned the clock."""
        self._tidy_at = 0.0

    def spare(self, now: float) -> None:
        """There is nothing to look after: not to have looked is no standstill."""
        self._tidy_at = now + TIDY

    async def tidy(self, now: float, *, lease: timedelta) -> bool:
        """Free the leases that ended and close what expired, after our own marks are written; let
        quiet hours that are over be followed by what they held, which the next fan-out gives out.

        Returns whether there is more than one transaction does of any of that.
        """
        if now < self._tidy_at:
            return False
        # when the database was away, the leases of what we sent may have ended
        await self._marks.write()
        stood = self._tidy_at and now > self._tidy_at + STALL_GRACE
        self._tidy_at = now + TIDY
        async with self._store.writing() as db:
            if not stood:  # else answers that came meanwhile are read and marked first
                await storage.lapsed.tidy(db, lease=lease, in_hand=self._in_hand())
            ended = await storage.quiet.end(db, waited.alert, chunk=storage.quiet.CHATS_AT_ONCE)
        if ended:
            self.fan_out_soon()
        more = ended >= storage.quiet.CHATS_AT_ONCE
        for part in self._tidied:
            more |= await part.done(now)
        if more:
            self._tidy_at = now
        return more

    async def _make_a_chunk(self) -> bool:
        """Make deliveries of one alert's next chunk of readers; whether one was open."""
        fanned = await fan_out(self._store, self._editor, self._unread)
        self._fanned = fanned or 0
        return fanned is not None

    async def _close_expired(self) -> bool:
        """Close deliveries whose time is over, but hold those whose chats are quiet."""
        async with self._store.writing() as db:
            # before it could expire: what is held is worth telling in the morning
            held = await storage.quiet.hold(db)
            closed = await storage.lapsed.expire(db)
            await self._unread.forget(db)
        return closed >= storage.lapsed.CLOSED_AT_ONCE or held >= storage.quiet.AT_ONCE

    async def _let_go(self) -> bool:
        """Let go what channels withhold for no reason any more."""
        async with self._store.writing() as db:
            await storage.withheld.look(db, self._editor.unmet)
        return False
