"""Updates: the queue, long polling and the webhook.

An update is confirmed by asking for the next one (polling) or by a 2xx answer (webhook); until then
it comes again. Only one getUpdates may run: a second one ends the first with 409.
https://core.telegram.org/bots/api#getting-updates
"""

from __future__ import annotations

import asyncio
import io
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

import aiohttp

from bot.emulator.errors import ApiError, Json, encoded

# what a bot gets only when it asks for it by name
_NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_CONFLICT = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is "
    "running"
)
_WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete "
    "the webhook first"
)


@dataclass(slots=True, kw_only=True)
class Webhook:
    """The address that updates are pushed to, and how that goes."""

    url: str
    secret: str | None = None
    max_connections: int = 40
    last_error_at: int | None = None
    last_error: str | None = None


@dataclass(slots=True, kw_only=True)
class Backoff:
    """Pauses between tries of a webhook, in seconds: they double from `first` up to `most`."""

    first: float = 0.2
    most: float = 30.0


@dataclass(slots=True)
class Updates:
    """The updates nobody has confirmed yet, oldest first."""

    backoff: Backoff = field(default_factory=Backoff)
    clock: Callable[[], float] = time.time
    webhook: Webhook | None = None
    allowed: list[str] | None = None
    pending: deque[Json] = field(default_factory=deque)
    next_id: int = 100_000_001
    _unordered: bool = False
    _new: asyncio.Event = field(default_factory=asyncio.Event)
    _poll: asyncio.Future[None] | None = None
    _polled: asyncio.Event = field(default_factory=asyncio.Event)
    _pusher: asyncio.Task[None] | None = None

    def push(self, kind: str, content: Json) -> int | None:
        """Queue an update; returns its id, or None when the bot did not ask for this kind."""
        if self.allowed:
            if kind not in self.allowed:
                return None
        elif kind in _NOT_BY_DEFAULT:
            return None
        update_id = self.next_id
        self.push_raw({"update_id": update_id, kind: content})
        return update_id

    def push_raw(self, update: Json) -> None:
        """Queue an update as it is: unknown kinds, or an id the bot has already seen."""
        # an id from before breaks the order that `_confirm` relies on
        self._unordered |= int(update["update_id"]) < self.next_id
        self.next_id = max(self.next_id, int(update["update_id"]) + 1)
        self.pending.append(update)
        self._new.set()

    async def get(
        self, *, offset: int, limit: int, wait: float, allowed: list[str] | None
    ) -> list[Json]:
        """getUpdates: confirm what is below `offset`, return up to `limit` of the rest.

        Where there is none it waits for one.
        """
        if self.webhook is not None:
            raise ApiError(409, _WEBHOOK_ACTIVE)
        if allowed is not None:
            self.allowed = allowed
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)  # the earlier call ends with 409
        self._confirm(offset)
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._poll = mine
        try:
            await self._wait_for_one(mine, wait)
        finally:
            if self._poll is mine:
                self._poll = None
                self._polled.clear()
        return list(islice(self.pending, limit))

    async def polled(self) -> None:
        """Return when somebody waits in getUpdates: the bot is up and confirmed what it had."""
        await self._polled.wait()

    async def arrived(self) -> None:
        """Return when the next update is queued."""
        self._new.clear()
        await self._new.wait()

    def _confirm(self, offset: int) -> None:
        if offset < 0:  # "the last -offset updates"; all earlier ones are forgotten
            while len(self.pending) > -offset:
                self.pending.popleft()
        elif self._unordered:
            # slower, and only after a scenario has sent an id that was there before
            left: deque[Json] = deque()
            for update in self.pending:
                if update["update_id"] >= offset:
                    left.append(update)
            self.pending = left
            self._unordered = False
        else:
            while self.pending and self.pending[0]["update_id"] < offset:
                self.pending.popleft()

    async def _wait_for_one(self, mine: asyncio.Future[None], seconds: float) -> None:
        if self.pending or seconds <= 0:
            return
        self._polled.set()
        self._new.clear()
        news = asyncio.create_task(self._new.wait())
        news.add_done_callback(lambda _: mine.cancel())  # an update; a rival sets a result instead
        try:
            await asyncio.wait({mine}, timeout=seconds)
        finally:
            news.cancel()
        if mine.done() and not mine.cancelled():
            raise ApiError(409, _CONFLICT)

    # webhook

    async def set_webhook(
        self, webhook: Webhook | None, *, allowed: list[str] | None, drop_pending: bool
    ) -> None:
        """Start pushing to an address, or stop (None)."""
        # the old pusher first: two would post each update twice; there is one address all the time
        await self._end_pushing()
        if drop_pending:
            self.pending.clear()
        if allowed is not None:
            self.allowed = allowed
        # the two ways exclude each other, and who polls is told so at once
        if webhook is not None and self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        self.webhook = webhook
        if webhook is not None:
            self._pusher = asyncio.create_task(self._push_all(webhook), name="emulator-webhook")

    def left_behind(self, url: str, allowed: list[str] | None) -> None:
        """An earlier program's webhook, served by nobody now, with the kinds it asked for."""
        self.webhook, self.allowed = Webhook(url=url), allowed

    async def stop(self) -> None:
        """Stop pushing; what is pending stays pending."""
        self.webhook = None
        await self._end_pushing()

    async def _end_pushing(self) -> None:
        task, self._pusher = self._pusher, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _push_all(self, webhook: Webhook) -> None:
        pause = self.backoff.first
        headers: dict[str, str] = {}
        if webhook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret
        async with aiohttp.ClientSession(
            headers=headers, timeout=aiohttp.ClientTimeout(total=60)
        ) as session:
            while True:
                while not self.pending:
                    self._new.clear()
                    await self._new.wait()
                # In order; the real server makes up to `max_connections` requests at once.
                problem = await _post(session, webhook.url, self.pending[0])
                if problem is None:
                    self.pending.popleft()
                    pause = self.backoff.first
                    continue
                webhook.last_error, webhook.last_error_at = problem, int(self.clock())
                await asyncio.sleep(pause)
                pause = min(2 * pause, self.backoff.most)

    def info(self) -> Json:
        """WebhookInfo."""
        hook = self.webhook
        info: Json = {
            "url": "",
            "has_custom_certificate": False,
            "pending_update_count": len(self.pending),
        }
        if hook is not None:
            info["url"] = hook.url
            info |= {"max_connections": hook.max_connections, "ip_address": "127.0.0.1"}
            if hook.last_error is not None:
                info |= {
                    "last_error_date": hook.last_error_at,
                    "last_error_message": hook.last_error,
                }
        if self.allowed:
            info["allowed_updates"] = self.allowed
        return info


async def _post(session: aiohttp.ClientSession, url: str, update: Json) -> str | None:
    """Deliver one update; returns what went wrong in the server's words, or None."""
    try:
        # as a stream: aiohttp warns of bytes above a mebibyte, and tests make errors of warnings
        body = io.BytesIO(encoded(update))
        async with session.post(
            url, data=body, headers={"Content-Type": "application/json"}
        ) as answer:
            await answer.read()
            if 200 <= answer.status < 300:
                return None
            return f"Wrong response from the webhook: {answer.status} {answer.reason}"
    except TimeoutError:
        return "Read timeout expired"
    except aiohttp.ClientError:
        return "Connection refused"
