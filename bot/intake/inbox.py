"""From a raw update to its effect: stored first, then handled, each chat's updates in order, chats side by side."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson
import structlog

import storage.inbox
from bot import metrics
from bot.errors import StorageError
from storage.db import Store
from storage.inbox import Received

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=20)
SHARE = 1.0  # seconds between looks for updates that lost their holder
AT_ONCE = 32
REMEMBERED = 10_000  # numbers of updates: Telegram repeats only those of the last hours
#: What we ask for; anything else is stored, counted and ignored.
KINDS = ("message", "edited_message", "channel_post", "callback_query", "inline_query", "my_chat_member", "chat_member")
HANDLED = frozenset({"message", "callback_query", "inline_query", "my_chat_member"})

Handle = Callable[[dict[str, Any]], Awaitable[None]]


class Inbox:
    """Stores updates and hands each to `handle` exactly once, as far as a crash allows.

    `alone` says that no other process receives updates: then an update is handled while it is being stored, and only
    telling Telegram waits for the store. Otherwise the store's word that it is new comes first.
    """

    def __init__(self, store: Store, handle: Handle, *, holder: str, alone: bool = False) -> None:
        self._store = store
        self._handle = handle
        self._holder = holder
        self._alone = alone
        self._seen: OrderedDict[int, str | None] = OrderedDict()  # and what became of them here
        self._waiting: dict[int | None, deque[Received]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._outcomes: list[tuple[int, str]] = []
        self._done = asyncio.Event()

    async def resume(self) -> None:
        """Handle what an earlier process stored and did not finish; all of it where no other can be alive."""
        exclusive = self._alone or self._store.sqlite_path is not None
        async with self._store.writing() as db:
            left = await storage.inbox.take_over(db, holder=self._holder, lease=LEASE, everything=exclusive)
            for update_id in await storage.inbox.latest_ids(db, limit=REMEMBERED):
                self._seen[update_id] = None
        for item in left:
            self._accept(item)

    async def receive(self, updates: Sequence[Mapping[str, Any]]) -> None:
        """Store updates; when this returns, Telegram may be told. StorageError when it may not."""
        rows = [parse(update) for update in updates]
        if self._alone:
            for item in rows:
                self._accept_once(item)
        async with self._store.writing() as db:
            fresh = await storage.inbox.add(db, rows, holder=self._holder, lease=LEASE)
            if self._store.sqlite_path is None:
                later = await storage.inbox.yield_to_earlier(db, fresh, holder=self._holder)
                fresh = [item for item in fresh if item.update_id not in later]
        for item in fresh:
            outcome = self._seen.get(item.update_id)
            if not self._alone:
                self._accept(item)
            elif outcome is not None:  # handled before the store had it: a first attempt to store it had failed
                self._finish(item.update_id, outcome)

    def _accept_once(self, item: Received) -> None:
        if item.update_id in self._seen:
            return
        self._seen[item.update_id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        self._accept(item)

    def _accept(self, item: Received) -> None:
        if item.kind not in HANDLED:
            metrics.UPDATES.labels(item.kind, "ignored").inc()
            self._finish(item.update_id, "ignored")
            return
        if item.chat in self._waiting:
            self._waiting[item.chat].append(item)
            return
        self._waiting[item.chat] = deque([item])
        task = asyncio.create_task(self._drain(item.chat))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drain(self, chat: int | None) -> None:
        queue = self._waiting[chat]
        while queue:
            item = queue[0]
            async with self._slots:
                outcome = "done"
                try:
                    await self._handle(orjson.loads(item.body))
                except Exception as error:  # one update's trouble is that update's alone
                    log.exception("update failed", kind=item.kind, error=type(error).__name__)
                    outcome = "failed"
            metrics.UPDATES.labels(item.kind, outcome).inc()
            self._finish(item.update_id, outcome)
            queue.popleft()
        del self._waiting[chat]

    def _finish(self, update_id: int, outcome: str) -> None:
        if update_id in self._seen:
            self._seen[update_id] = outcome
        self._outcomes.append((update_id, outcome))
        self._done.set()

    async def share(self) -> None:
        """Beside other replicas, for ever: keep what waits here, take what lost its holder."""
        while True:
            await asyncio.sleep(SHARE)
            waiting = [item.update_id for queue in self._waiting.values() for item in queue]
            waiting += [update_id for update_id, _ in self._outcomes]  # had their effect, not yet written down
            try:
                async with self._store.writing() as db:
                    if waiting:
                        await storage.inbox.prolong(db, waiting, holder=self._holder, lease=LEASE)
                    left = await storage.inbox.take_over(db, holder=self._holder, lease=LEASE)
            except StorageError as error:
                log.warning("inbox waits for the database", error=str(error))
                continue
            for item in left:
                self._accept(item)

    async def run(self) -> None:
        """Write down what was finished, many at once; kept when the database is away."""
        while True:
            await self._done.wait()
            try:
                await self._write()
            except StorageError as error:
                log.warning("inbox marks wait for the database", error=str(error))
                await asyncio.sleep(1)

    async def close(self) -> None:
        """Let what is being handled come to its end, then write it down."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=8)
        await self._write()

    async def _write(self) -> None:
        self._done.clear()
        if not self._outcomes:
            return
        batch, self._outcomes = self._outcomes, []
        try:
            async with self._store.writing() as db:
                await storage.inbox.finish(db, batch)
        except BaseException:
            self._outcomes = batch + self._outcomes
            self._done.set()
            raise


def parse(update: Mapping[str, Any]) -> Received:
    """What the inbox must know of an update; the kind of an unknown one is `unknown`."""
    kind = next((name for name in update if name != "update_id"), "unknown")
    return Received(
        update_id=int(update["update_id"]),
        chat=_chat_of(update.get(kind)),
        kind=kind if kind in KINDS else "unknown",
        body=orjson.dumps(update).decode(),
    )


def _chat_of(content: object) -> int | None:
    if not isinstance(content, dict):
        return None
    for holder in (content, content.get("message")):
        chat = holder.get("chat") if isinstance(holder, dict) else None
        if isinstance(chat, dict) and isinstance(chat.get("id"), int):
            return int(chat["id"])
    sender = content.get("from")
    return int(sender["id"]) if isinstance(sender, dict) and isinstance(sender.get("id"), int) else None
