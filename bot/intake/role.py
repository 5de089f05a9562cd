"""A role that one replica has at a time: taken by a lease and kept by prolonging it.

The lease is counted from before it was asked for, on the clock that runs while the machine sleeps:
whoever believes to have the role has it. A database that does not answer ends the role by its time,
on this side too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

import storage.leases
from bot import metrics
from bot.clock import boottime
from bot.errors import StorageError
from storage.db import Store

log = structlog.get_logger(__name__)

ROLE_LEASE = timedelta(seconds=8)  # so long after its holder died a role is free
PROLONG = 2.0  # seconds: three in a row may fail before the role is lost
ROLE_LOOK = 0.5  # seconds between looks of those who wait: a role given back is taken within that


class Role:
    """One role as seen by one replica; `holder` names it among all."""

    def __init__(self, store: Store, name: str, holder: str) -> None:
        self._store = store
        self._name = name
        self._holder = holder
        self._until = 0.0

    async def during(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do the work whenever we have the role, for ever; its error comes out.

        The role is given back at the end.
        """
        while True:
            if not await self._take():
                await asyncio.sleep(ROLE_LOOK)
                continue
            log.info("role taken", role=self._name)
            metrics.ROLE.labels(self._name).set(1)
            try:
                await self._keep(work)
            finally:
                metrics.ROLE.labels(self._name).set(0)
                log.info("role left", role=self._name)
                if boottime() < self._until:
                    await self._give_back()

    async def _keep(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        working = asyncio.create_task(work())
        prolonging = asyncio.create_task(self._keep_prolonging())
        try:
            while (
                not (working.done() or prolonging.done()) and (left := self._until - boottime()) > 0
            ):
                # in short looks, because the loop's own clock stands still while the machine sleeps
                await asyncio.wait(
                    {working, prolonging}, timeout=min(left, 1), return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            prolonging.cancel()  # not awaited: it may hang in a database that does not answer
            working.cancel()
            await asyncio.wait({working})
        if not working.cancelled():
            working.result()

    async def _keep_prolonging(self) -> None:
        """Prolong the role until somebody else has it."""
        while True:
            await asyncio.sleep(PROLONG)
            if not await self._take() and boottime() >= self._until:
                return

    async def _take(self) -> bool:
        asked = boottime()
        try:
            async with self._store.writing() as db:
                fence = await storage.leases.acquire(
                    db, self._name, holder=self._holder, span=ROLE_LEASE
                )
        except StorageError as error:
            log.warning("role waits for the database", role=self._name, error=str(error))
            return False
        if fence is None:
            self._until = 0.0
            return False
        self._until = asked + ROLE_LEASE.total_seconds()
        return True

    async def _give_back(self) -> None:
        with suppress(StorageError):  # then it ends by its time
            async with self._store.writing() as db:
                await storage.leases.release(db, self._name, holder=self._holder)
