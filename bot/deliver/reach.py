"""Whether Telegram answers at all: asked after a request failed, and while it does not.

A request that fails says little: the message may be bad, or the chat. `getMe` tells them apart from
an outage, costs nobody a copy, and is all that is sent while Telegram is away: one question at a
time, the next at most `QUESTION_SECONDS` after the last. What waits in the outbox does not notice.
Replicas share the token's pause, and one of them, by a lease, asks for all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from datetime import timedelta

import structlog

import storage.leases
import storage.pace
from bot.clock import boottime
from bot.errors import StorageError
from bot.model.roles import Role
from bot.telegram.api import Api
from bot.telegram.outcomes import answers
from storage.db import Store

log = structlog.get_logger(__name__)

QUESTION_EVERY = 2.0  # seconds from one question to the next
# until a question without an answer is given up, which is when the next is asked
QUESTION_SECONDS = 4.0
# how long a pause outlives whoever prolongs it: longer than a question lasts
HELD = timedelta(seconds=6)
ROLE = "reach"  # of the one process that asks for all, of each bot
STANDBY_LOOK = 0.5  # seconds between looks of those for whom another replica asks


class Reach:
    """One process's knowledge of whether Telegram answers at all.

    `holder` names it among the replicas. `on_return` is called when Telegram answers again, with
    when (by `boottime`) the first question without an answer was asked: a request from before that
    has no answer either, and its connection is dead.
    """

    def __init__(
        self,
        store: Store,
        api: Api,
        token_name: str,
        holder: str,
        on_return: Callable[[float], None],
    ) -> None:
        self._store = store
        self._api = api
        self._token_name = token_name
        self._on_return = on_return
        self._holder = holder
        self._asking: asyncio.Task[bool] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._asked_at = 0.0
        self.away = False

    async def lost(self, *, silent: bool = False) -> bool:
        """Whether a request failed because Telegram is away, which from now on is watched for.

        A `silent` failure brought no answer: its connection may be dead, and those kept beside it.
        """
        if self.away:
            return True
        if silent:
            self._api.forget_idle()
        if self._asking is None or self._asking.done():
            self._asked_at = boottime()
            self._asking = asyncio.create_task(self._ask(), name="ask whether telegram is there")
        if await asyncio.shield(self._asking):
            return False
        if not self.away:
            self.away = True
            log.warning("telegram is away")
            # of no context: its lines are not about the delivery that found out
            self._watching = asyncio.create_task(
                self._watch(), name="watch for telegram", context=Context()
            )
        return True

    async def close(self) -> None:
        """Cancel the questions that are under way."""
        tasks = [task for task in (self._asking, self._watching) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(QUESTION_SECONDS):
                return answers(await self._api.call("getMe"))
        except TimeoutError:
            self._api.forget_idle()
            return False

    async def _watch(self) -> None:
        begun = boottime()
        while True:
            if await self._is_ours():
                # from here: a database that was slow once would bring the next question closer
                asked = boottime()
                if await self._ask():
                    break
                await asyncio.sleep(max(0.0, QUESTION_EVERY - (boottime() - asked)))
            elif await self._is_over():
                break
            else:
                await asyncio.sleep(STANDBY_LOOK)
        await self._lift()
        log.info("telegram is back", after=round(boottime() - begun, 1))
        self.away = False
        self._on_return(self._asked_at)

    async def _is_ours(self) -> bool:
        """Whether this process asks for all; then the pause is prolonged.

        Without a database each asks for itself.
        """
        try:
            async with self._store.writing() as db:
                fence = await storage.leases.acquire(db, self._role, holder=self._holder, span=HELD)
                if fence is not None:
                    await storage.pace.hold_token(db, self._token_name, HELD)
        except StorageError:
            return True
        return fence is not None

    async def _is_over(self) -> bool:
        """Whether whoever asks for all has found Telegram back, or is gone."""
        try:
            async with self._store.reading() as db:
                return not await storage.pace.is_paused(db, self._token_name)
        except StorageError:
            return False

    async def _lift(self) -> None:
        try:
            async with self._store.writing() as db:
                await storage.pace.lift_token(db, self._token_name, HELD)
                await storage.leases.release(db, self._role, holder=self._holder)
        except StorageError as error:  # then the pause ends by its time
            log.warning("outbox unreachable", error=str(error))

    @property
    def _role(self) -> str:
        return str(Role(ROLE, self._token_name))
