"""The alerts that this version of the program cannot read: they keep nobody else waiting."""

from __future__ import annotations

import structlog

import storage.alerts
from bot.alerts.notices import Notice, OnTrouble
from bot.reasons import Reason
from storage.db import Db

log = structlog.get_logger(__name__)


class UnreadAlerts:
    """The alerts met so far that a program of another version has to send, and why."""

    def __init__(self, on_trouble: OnTrouble) -> None:
        self.alerts: dict[int, Reason] = {}
        self._told: set[int] = set()
        self._on_trouble = on_trouble

    async def tell(self) -> None:
        """Tell the operators, once, of each."""
        for number, why in list(self.alerts.items()):
            if number not in self._told:
                self._told.add(number)
                log.warning("an alert cannot be read by this version", alert=number, why=str(why))
                await self._on_trouble(Notice.of("notice.newer", alert=number), why)

    async def forget(self, db: Db) -> None:
        """Forget those whose time is over: nobody sends them any more."""
        if self.alerts:
            for number in await storage.alerts.close_over(db, self.alerts):
                self.alerts.pop(number, None)
                self._told.discard(number)
