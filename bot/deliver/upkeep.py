"""Upkeep of the outbox between claims: fan-out, ended leases freed, what expired closed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta

import storage.lapsed
import storage.quiet
import storage.withheld
from bot.alerts import waited
from bot.clock import boottime
from bot.deliver.fan_out import fan_out
from bot.deliver.marks import Marks
from bot.deliver.signals import IDLE
from bot.deliver.unread import UnreadAlerts
from storage.db import Store
from storage.withheld import Editor

# seconds between looks for what expired: it is not sent anyway, and all that waits is looked at
EXPIRE = 10.0
# seconds between looks for what channels withhold for no reason any more: nearly always it left by
# itself
WITHHELD_LOOK = 60.0
# a process that stood still for so long may be told of leases that ended, and hold their answers
# unread
STALL_GRACE = 5.0


class Upkeep:
    """When each part of it is due; `in_hand` are the deliveries that this process has, the
    `editor` knows what channels' policies ask.
    """

    def __init__(
        self,
        store: Store,
        marks: Marks,
        in_hand: Callable[[], Collection[int]],
        unread: UnreadAlerts,
        editor: Editor,
    ) -> None:
        self._unread = unread
        self._store = store
        self._editor = editor
        self._marks = marks
        self._in_hand = in_hand
        self._fan_at = 0.0
        self._tidy_at = 0.0
        self._expire_at = 0.0
        self._look_at = 0.0

    def fan_out_soon(self) -> None:
        """There is a new alert."""
        self._fan_at = 0.0

    async def fan_out(self) -> bool:
        """Make one chunk of deliveries, while there are alerts to make them of; whether there were.

        Otherwise it is a look now and then, besides when we are woken.
        """
        now = boottime()
        if now < self._fan_at:
            return False
        self._fan_at = now + IDLE
        fanned = await fan_out(self._store, self._editor, self._unread)
        if fanned is not None:
            self._fan_at = 0.0
        return bool(fanned)

    async def tidy(self, now: float, *, lease: timedelta) -> bool:
        """Free the leases that ended and close what expired, after our own marks are written; let
        quiet hours that are over be followed by what they held, which the next fan-out gives out.

        Returns whether the quiet hours of more chats are over than one transaction ends.
        """
        if now < self._tidy_at:
            return False
        # when the database was away, the leases of what we sent may have ended
        await self._marks.write()
        stood = self._tidy_at and now > self._tidy_at + STALL_GRACE
        self._tidy_at = now + IDLE
        async with self._store.writing() as db:
            if not stood:  # else answers that came meanwhile are read and marked first
                await storage.lapsed.tidy(db, lease=lease, in_hand=self._in_hand())
            ended = await storage.quiet.end(db, waited.alert, chunk=storage.quiet.CHATS_AT_ONCE)
        if ended:
            self._fan_at = 0.0
        more = ended >= storage.quiet.CHATS_AT_ONCE
        if more:
            self._tidy_at = now
        if now >= self._expire_at:
            async with self._store.writing() as db:
                # before it could expire: what is held is worth telling in the morning
                held = await storage.quiet.hold(db)
                closed = await storage.lapsed.expire(db)
                await self._unread.forget(db)
            if closed < storage.lapsed.CLOSED_AT_ONCE and held < storage.quiet.AT_ONCE:
                self._expire_at = now + EXPIRE
            else:
                self._tidy_at = now  # there is more
        if now >= self._look_at:
            self._look_at = now + WITHHELD_LOOK
            async with self._store.writing() as db:
                await storage.withheld.look(db, self._editor.unmet)
        return more
