"""Replies: when a message in answer may go, by its chat's own pace and the token's.

They are sent by whoever answers, and only ask here for their turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import storage.pace
from bot.clock import boottime
from bot.deliver.limits import REPLY_BURSTS, TICK, ChatPaces
from bot.deliver.marks import Marks
from bot.deliver.signals import Signals
from bot.deliver.slots import Slots
from bot.errors import StorageError
from storage.db import Store

#: Seconds of a chat's own pace that an answer waits for. A group whose messages come at its pace
#: asks for four; more than this is a pause, which the outbox keeps, also over a restart.
LONGEST_TURN = 10.0
Rest = Callable[[float], Awaitable[None]]


class Replies:
    """The turns of replies. Groups are counted in the store, where their alerts are counted too."""

    def __init__(
        self, store: Store, slots: Slots, chats: ChatPaces, marks: Marks, signals: Signals
    ) -> None:
        self._store = store
        self._slots = slots
        self._chats = chats
        self._marks = marks
        self._signals = signals

    async def turn(self, chat: int, rest: Rest = asyncio.sleep) -> float:
        """Wait until a chat may get a message in answer; it counts as sent then, and 0 is returned.

        Where its own pace asks for a wait that is not worth standing in a handler, nothing counts
        and the seconds are returned. `rest` waits for it: what its own chat asks for concerns no
        other.
        """
        wait = await self._turn_of_chat(chat, rest)
        if wait > 0:
            return wait
        goes = not self._slots.replies and self._slots.reply_goes(boottime())
        while not goes:
            if self._slots.feeding:
                goes = await self._queue_for_turn()
            elif not (goes := self._slots.word_goes(boottime())):
                await asyncio.sleep(TICK)
        return 0.0

    async def _queue_for_turn(self) -> bool:
        """Wait behind the replies that came before; False when the worker stopped meanwhile."""
        waiting = self._slots.wait_for_turn()
        self._signals.feed.set()
        if self._slots.by_row:
            self._signals.claim.set()
        turn = await waiting
        if turn is None:
            return False
        self._slots.answered(turn, boottime())
        return True

    async def _turn_of_chat(self, chat: int, rest: Rest) -> float:
        """Wait for the chat's own pace; the seconds that are left where they are too many."""
        if chat < 0 and not self._slots.by_row and not self._chats.knows(chat):
            await self._meet(chat)
        while True:
            if chat < 0 and self._slots.by_row:
                wait = await self._charge_in_row(chat)
            else:
                wait = self._charge_here(chat, boottime())
            if wait <= 0:
                return 0.0
            if wait > LONGEST_TURN:  # Telegram wants silence in the chat
                return wait
            await rest(wait)

    async def _meet(self, chat: int) -> None:
        """Learn what an earlier process sent to a group."""
        ahead = timedelta(0)
        with suppress(StorageError):
            async with self._store.reading() as db:
                ahead = await storage.pace.chat_ahead(db, chat)
        self._chats.meet(chat, boottime() + ahead.total_seconds())

    def _charge_here(self, chat: int, now: float) -> float:
        """Count a reply to a chat, if it has room; seconds until it may have."""
        wait = self._chats.wait(chat, now, REPLY_BURSTS[chat > 0])
        if wait <= 0:
            self._chats.take(chat, now)
            if chat < 0:
                self._marks.charge(chat)
        return wait

    async def _charge_in_row(self, chat: int) -> float:
        """Count a reply to a chat that other processes send to; seconds until it may have room."""
        burst = timedelta(seconds=REPLY_BURSTS[chat > 0])
        try:
            async with self._store.writing() as db:
                ahead = await storage.pace.chat_ahead(db, chat)
                if ahead <= burst:
                    await storage.pace.charge_chat(db, chat)
        except StorageError:
            return 0.0  # Telegram has to count
        return (ahead - burst).total_seconds()
