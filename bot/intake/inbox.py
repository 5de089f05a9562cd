"""From raw update to effect: stored, then handled; in order in a chat, chats side by side."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from cachetools import FIFOCache

import storage.inbox
import storage.notes
from bot import at_hand, metrics
from bot.clock import boottime, pause
from bot.errors import StorageError, UnreadableError
from bot.intake.received import KINDS, UNKNOWN, has_number, parse
from bot.log import telling
from storage.db import Db, Store
from storage.inbox import Received

log = structlog.get_logger(__name__)

UPDATE_LEASE = timedelta(seconds=20)  # so long after its holder died it is another's
ORPHANS_LOOK = 1.0  # seconds between looks for updates that lost their holder
# unfinished updates in memory at a start; the next come when these are handled
UNFINISHED_AT_ONCE = 500
# seconds between tries of an update while the database is away
AWAY_PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
AT_ONCE = 32  # updates; one that waits for its chat's pace or a slow host steps aside
REMEMBERED_NUMBERS = 10_000  # numbers of updates: Telegram repeats only those of the last hours
# starts that found an update unfinished, until it is handled alone and, when that ends us too, set
# aside
MOST_TRIES = 3
# seconds after a start that follows no stop, in which updates are stored before they are handled
CAREFUL = 60.0
# the note of a process that handles what is not stored yet; emptied by its stop
OPEN = "inbox open"
UNREADABLE = "unreadable"  # the outcome of an update that is set aside
#: Every outcome of an update where it is counted.
OUTCOMES = ("done", "ignored", "failed", UNREADABLE)

Handle = Callable[[dict[str, Any]], Awaitable[None]]
#: Told in the transaction that writes them down: how many updates were set aside since the last
#: word, and the last's number. Returns whether the word was given.
Tell = Callable[[Db, int, int], Awaitable[bool]]


async def _say_nothing(_raw: dict[str, Any]) -> None:
    """Tell nobody that an update failed."""


async def _tell_nobody(_db: Db, _count: int, _last: int) -> bool:
    """Tell no operator: there is none."""
    return True


class Inbox:
    """Stores updates and hands each to `handle` exactly once, as far as a crash allows.

    `alone` says that no other process receives updates: then an update is handled while it is being
    stored, and only telling Telegram waits for the store. Otherwise the store's word that it is new
    comes first. A StorageError inside `handle` is waited out and the update tried again, its chat's
    later ones behind it; `apologise` is called for an update that cannot have its effect. An update
    that cannot be stored, that `handle` finds unreadable, or that ends the process again and again,
    is set aside: its number is kept with the outcome `unreadable`, it is counted, logged in one
    line, and `tell` hears of it; the others go on.
    """

    def __init__(
        self,
        store: Store,
        handle: Handle,
        *,
        holder: str,
        alone: bool = False,
        apologise: Handle = _say_nothing,
        tell: Tell = _tell_nobody,
        retries: Sequence[float] = AWAY_PAUSES,
    ) -> None:
        metrics.UPDATES.expect((*KINDS, UNKNOWN), OUTCOMES)
        self._store = store
        self._handle = handle
        self._apologise = apologise
        self._tell = tell
        self._aside: list[int] = []  # numbers of what was set aside, until somebody was told
        self._retries = retries
        self._holder = holder
        self._alone = alone
        # the updates seen here, and what became of them
        self._seen: FIFOCache[int, str | None] = FIFOCache(REMEMBERED_NUMBERS)
        self._waiting: dict[int | None, deque[Received]] = {}
        self._arrived: dict[int, float] = {}  # when each of these came, by its number
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._one_suspect = asyncio.Lock()
        self._careful_until = 0.0
        self._outcomes: list[tuple[int, str]] = []
        self._done = asyncio.Event()
        self._closing = asyncio.Event()

    async def resume(self) -> None:
        """Handle what an earlier process left unfinished, oldest first.

        All of it where no other can be alive. A portion at a time. Call it before `receive`: what
        is received must not overtake what was.
        """
        exclusive = self._alone or self._store.alone
        async with self._store.reading() as db:
            for update_id in await storage.inbox.latest_ids(db, limit=REMEMBERED_NUMBERS):
                self._seen[update_id] = None
        if self._alone:
            await self._open()
        after = -1
        while True:
            try:
                async with self._store.writing() as db:
                    left = await storage.inbox.take_over(
                        db,
                        holder=self._holder,
                        lease=UPDATE_LEASE,
                        everything=exclusive,
                        after=after,
                        limit=UNFINISHED_AT_ONCE,
                    )
            except StorageError as error:
                # where others live each must be marked as ours, or two would answer it
                if not exclusive:
                    raise
                log.warning("taking up updates without writing", error=str(error))
                async with self._store.reading() as db:
                    left = await storage.inbox.unfinished(db, after=after, limit=UNFINISHED_AT_ONCE)
            for item in left:
                self._accept(item)
            if len(left) < UNFINISHED_AT_ONCE:
                return
            after = left[-1].update_id
            # an outage may leave more than should be held at once
            if self._tasks:
                await asyncio.wait(set(self._tasks))

    async def _open(self) -> None:
        """Be careful for a while when the last process did not stop by itself.

        Perhaps it was ended by what it had not stored.
        """
        with suppress(StorageError):
            async with self._store.writing() as db:
                if await storage.notes.get(db, OPEN):
                    self._careful_until = boottime() + CAREFUL
                await storage.notes.put(db, OPEN, self._holder)

    async def last_received(self) -> datetime | None:
        """The arrival of the newest update, at whichever replica; on the database's clock."""
        async with self._store.reading() as db:
            return await storage.inbox.last_received(db)

    async def receive(self, updates: Sequence[Mapping[str, Any]]) -> None:
        """Store updates; when this returns, Telegram may be told. StorageError when it may not."""
        await self._store_all([parse(update) for update in updates if has_number(update)])

    async def set_aside(self, update_id: int) -> None:
        """Store the number of an update that arrived and is unreadable. StorageError likewise."""
        await self._store_all([Received(update_id=update_id, chat=None, kind=UNKNOWN, body=None)])

    async def _store_all(self, rows: Sequence[Received]) -> None:
        if self._alone and boottime() < self._careful_until:
            try:
                fresh = await self._add(rows)
            finally:  # what cannot be stored is handled all the same
                self._accept_all_once(rows)
        else:
            if self._alone:
                self._accept_all_once(rows)
            fresh = await self._add(rows)
        for item in fresh:
            outcome = self._seen.get(item.update_id)
            if not self._alone:
                self._accept(item)
            elif outcome is not None:
                # handled before the store had it: a first attempt to store it had failed
                self._finish(item.update_id, outcome)

    async def _add(self, rows: Sequence[Received]) -> list[Received]:
        """Store updates; those that are new and ours to handle."""
        # whoever asked has the answer first: to begin a transaction takes half as long as it. What
        # the answer writes has its turn after the update, which it may be about to erase
        async with self._store.writing(unhurried=self._alone) as db:
            fresh = await storage.inbox.add(db, rows, holder=self._holder, lease=UPDATE_LEASE)
            if not self._store.alone:
                later = await storage.inbox.yield_to_earlier(db, fresh, holder=self._holder)
                return [item for item in fresh if item.update_id not in later]
        return fresh

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """Let others be handled while an update under way waits for what is its own affair."""
        self._slots.release()
        try:
            yield
        finally:
            await self._slots.acquire()

    async def rest(self, seconds: float) -> None:
        """Wait so long, aside."""
        async with self.aside():
            await pause(seconds)

    def waiting(self, chat: int) -> int:
        """The number of updates of a chat that are here, the one being handled included."""
        return len(self._waiting.get(chat, ()))

    def _accept_all_once(self, rows: Sequence[Received]) -> None:
        for item in rows:
            self._accept_once(item)

    def _accept_once(self, item: Received) -> None:
        if item.update_id in self._seen:
            return
        self._seen[item.update_id] = None
        self._accept(item)

    def _accept(self, item: Received) -> None:
        if item.body is None:
            self._put_aside(item, "it cannot be stored")
            return
        if item.suspect and item.tries > MOST_TRIES:
            self._put_aside(item, "the program ended over it again and again")
            return
        if item.kind not in KINDS:
            metrics.UPDATES.add(item.kind, "ignored")
            self._finish(item.update_id, "ignored")
            return
        self._arrived[item.update_id] = time.perf_counter()
        if item.chat in self._waiting:
            self._waiting[item.chat].append(item)
            return
        self._waiting[item.chat] = deque([item])
        task = asyncio.create_task(self._drain(item.chat))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _put_aside(self, item: Received, why: str) -> None:
        log.warning("update set aside", kind=item.kind, update_id=item.update_id, why=why)
        metrics.UPDATES.add(item.kind, UNREADABLE)
        self._aside.append(item.update_id)
        self._finish(item.update_id, UNREADABLE)

    async def _drain(self, chat: int | None) -> None:
        queue = self._waiting[chat]
        while queue:
            item = queue[0]
            # whoever asked has waited for what was before it, and will for the database
            arrived = self._arrived.pop(item.update_id, time.perf_counter())
            one = at_hand.begin(item.update_id, arrived=arrived)
            with telling(update_id=item.update_id):
                outcome = await self._outcome(item)
                if outcome is None:
                    return  # closing: it and those behind it stay unfinished, for the next start
                if outcome != UNREADABLE:
                    metrics.UPDATES.add(item.kind, outcome)
                    self._finish(item.update_id, outcome)
                    one.tell(item.kind)
            queue.popleft()
        del self._waiting[chat]

    async def _outcome(self, item: Received) -> str | None:
        """Handle one update, again while the database is away; None when a stop came in between."""
        try:
            raw = orjson.loads(item.body or "")
        except orjson.JSONDecodeError:  # an earlier version stored it
            self._put_aside(item, "what is stored is no JSON")
            return UNREADABLE
        waits = iter(self._retries)
        while True:
            try:
                if item.tries >= MOST_TRIES:
                    await self._handle_suspect(item, raw)
                else:
                    async with self._slots:
                        await self._handle(raw)
            except UnreadableError as error:
                self._put_aside(item, str(error))
                return UNREADABLE
            except StorageError as error:
                wait = next(waits, None)
                if wait is None:
                    log.exception("update failed", kind=item.kind)
                    return await self._give_up(raw)
                log.warning(
                    "update waits for the database", kind=item.kind, error=str(error), again_in=wait
                )
            except Exception:  # one update's trouble is that update's alone
                log.exception("update failed", kind=item.kind)
                return await self._give_up(raw)
            else:
                return "done"
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), wait)
                return None

    async def _handle_suspect(self, item: Received, raw: dict[str, Any]) -> None:
        """Handle one that may be what ended the program before: one at a time, and noted first."""
        async with self._one_suspect:
            async with self._store.writing() as db:
                await storage.inbox.begin(db, item.update_id, holder=self._holder)
            await self._handle(raw)

    async def _give_up(self, raw: dict[str, Any]) -> str:
        try:
            await self._apologise(raw)
        except Exception:
            log.exception("nobody could be told")
        at_hand.at_hand().ended = at_hand.FAILED
        return at_hand.FAILED

    def _finish(self, update_id: int, outcome: str) -> None:
        if update_id in self._seen:
            self._seen[update_id] = outcome
        self._outcomes.append((update_id, outcome))
        self._done.set()

    async def share(self) -> None:
        """Beside other replicas, for ever: keep what waits here, take what lost its holder."""
        while True:
            await asyncio.sleep(ORPHANS_LOOK)
            waiting: list[int] = []
            for queue in self._waiting.values():
                waiting += [item.update_id for item in queue]
            # had their effect, not yet written down
            waiting += [update_id for update_id, _ in self._outcomes]
            try:
                async with self._store.writing() as db:
                    if waiting:
                        await storage.inbox.prolong(
                            db, waiting, holder=self._holder, lease=UPDATE_LEASE
                        )
                    left = await storage.inbox.take_over(
                        db, holder=self._holder, lease=UPDATE_LEASE
                    )
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
                log.warning("inbox notes wait for the database", error=str(error))
                await asyncio.sleep(1)

    async def close(self) -> None:
        """Let updates under way come to their end and write it down; waiting ones stay open.

        What cannot be written is no error here, which would hide why all ends: the next start is a
        careful one then.
        """
        self._closing.set()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=8)
        try:
            await self._write()
            if self._alone:
                async with self._store.writing() as db:
                    await storage.notes.put(db, OPEN, "")
        except StorageError as error:
            log.warning("inbox notes are lost", error=str(error))

    async def _write(self) -> None:
        self._done.clear()
        if not self._outcomes:
            return
        batch, self._outcomes = self._outcomes, []
        aside, told = list(self._aside), False
        try:
            async with self._store.writing() as db:
                await storage.inbox.finish(db, batch)
                if aside:
                    told = await self._tell(db, len(aside), aside[-1])
            if told:
                del self._aside[: len(aside)]
        except BaseException:
            self._outcomes = batch + self._outcomes
            self._done.set()
            raise
