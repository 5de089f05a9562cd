"""Marks: what became of each delivery, collected and written many at once.

A commit for each message would be the slowest part of sending. What a mark says is written a few
hundredths of a second later; a crash in between adds one to the copies a chat may get.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import structlog

import storage.deliveries
import storage.pace
from bot.deliver.signals import IDLE, Signals
from bot.errors import StorageError
from bot.model.alerts import State
from bot.reasons import Reason, reason
from storage.claims import Claimed
from storage.db import Store
from storage.deliveries import Mark

log = structlog.get_logger(__name__)

MAY_HAVE_ARRIVED = "delivery.doubted"
#: Why a delivery without words is cancelled.
NOTHING_TO_SAY = reason("delivery.nothing_to_say", "nothing to say any more")
COLLECT = 0.02  # seconds that marks are collected before they are written
MARKS_AT_ONCE = 500  # marks that are written without waiting for more
MOST_TRIES = 1000  # counted of one delivery


def again(
    item: Claimed,
    wait: float,
    why: Reason | None,
    *,
    doubts: int | None = None,
    plain: bool | None = None,
    counted: bool = True,
) -> Mark:
    """The mark of a delivery that is tried again after `wait` seconds, as one of its tries.

    It is none where it is not `counted`; `doubts` and `plain` stay as they are where not said.
    """
    if doubts is None:
        doubts = item.doubts
    if plain is None:
        plain = item.plain
    return Mark(
        id=item.id,
        fence=item.fence,
        state=State.PENDING,
        error=why,
        retry_in=timedelta(seconds=wait),
        doubts=doubts,
        tries=min(item.tries + counted, MOST_TRIES),
        plain=plain,
    )


def ended(item: Claimed, why: Reason | None, state: State = State.DEAD) -> Mark:
    """The mark of a delivery that is final, though nothing was sent."""
    return Mark(
        id=item.id,
        fence=item.fence,
        state=state,
        error=why,
        tries=item.tries + 1,
        doubts=item.doubts,
        plain=item.plain,
    )


def doubted(why: Reason) -> Reason:
    """The reason of a delivery that was doubted too often and is dead."""
    words = "may have arrived, nobody knows ({why})"
    return reason(MAY_HAVE_ARRIVED, words, why=why)


class Marks:
    """The marks that are not written yet, and the replies to groups unknown to the store."""

    def __init__(self, store: Store, signals: Signals) -> None:
        self._store = store
        self._signals = signals
        self._marks: list[Mark] = []
        self._being_written: set[int] = set()  # deliveries
        self._charges: Counter[int] = Counter()
        self._any = asyncio.Event()

    def add(self, mark: Mark) -> None:
        """Queue the mark of a claimed delivery; many are written at once."""
        self._marks.append(mark)
        self._any.set()

    @property
    def unwritten(self) -> set[int]:
        """The deliveries whose marks are not in the store yet."""
        return self._being_written | {mark.id for mark in self._marks}

    def charge(self, chat: int) -> None:
        """A reply left for a group, whose alerts are counted in the store."""
        self._charges[chat] += 1
        self._any.set()

    async def keep_writing(self) -> None:
        """Write marks soon after they are made, many at once; what cannot be written is kept."""
        while True:
            await self._any.wait()
            if len(self._marks) < MARKS_AT_ONCE:
                await asyncio.sleep(COLLECT)
            try:
                await self.write()
            except StorageError as error:
                waiting = len(self._marks)
                log.warning("marks wait for the database", error=str(error), waiting=waiting)
                await asyncio.sleep(IDLE)

    async def write(self) -> None:
        """Write all there are now, in one transaction."""
        self._any.clear()
        if not self._marks and not self._charges:
            return
        batch, self._marks = self._marks, []
        charges, self._charges = self._charges, Counter()
        numbers = {mark.id for mark in batch}
        self._being_written |= numbers
        try:
            async with self._store.writing() as db:
                await storage.deliveries.finish(db, batch)
                for chat, count in charges.items():
                    await storage.pace.charge_chat(db, chat, count)
        except BaseException:
            self._marks = batch + self._marks
            self._charges += charges
            self._any.set()
            raise
        finally:
            self._being_written -= numbers
        if batch:
            self._signals.claim.set()  # the next deliveries of these chats may go
