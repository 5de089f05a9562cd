"""The program watches itself: a database that cannot be written, an event loop that stands still.

A full or locked database cannot hold the notice about itself, so operators hear of it directly,
once; when it works again, so does everything else, by itself.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import structlog

import storage.backup
import storage.highwater
from bot import metrics
from bot.alerts.notices import Notice, notice
from bot.errors import BotError, ConfigError, StorageError, first_of
from bot.reasons import Reason
from bot.render.wire import to_api
from bot.telegram.api import BotApi
from bot.telegram.outcomes import Sent, why
from bot.telegram.retry import ALARM, LAST_WORD, RetryPolicy, taken
from storage.db import LOST, Store

log = structlog.get_logger(__name__)

STALL_SECONDS = 2.0  # seconds without a turn of the loop
#: Seconds between trials whether a file can be written while nobody writes to it.
TRIAL_EVERY = 4.0
TROUBLE_PATIENCE = 5.0  # seconds of trouble before an operator is woken
TOLD_AGAIN_AFTER = 3600.0  # seconds until the same trouble is told again
LAST_WORD_LIMIT = 15.0  # seconds for the last word to the operators, whatever Telegram does
STOP_LIMIT = 15.0  # seconds that a stop may take
BEATS_OF_A_MINUTE = 120  # of the loop, at the usual `STALL_SECONDS`
FRAMES_SHOWN = 3  # of the place where the loop stands


@dataclass(slots=True)
class StoreWatch:
    """Notes how far the store has come, and tells operators when it cannot be written.

    A word to them is tried until Telegram takes it, beside the looks: those must go on, for they
    notice that the store works again. Then it is not said any more.
    """

    store: Store
    api: BotApi
    admins: Sequence[int]
    language: str
    stop: Callable[[], None] = lambda: None  # begin no delivery any more
    _noted: int | None = None  # the store's version when it was noted how far it came
    _written_at: float = 0.0  # when the file was written last, or could have been
    _since: float | None = None
    _told: float | None = None
    _telling: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Look, once a second or so. ConfigError, the end, when the database file is gone."""
        if self.store.lost:
            await self._lost()
        try:
            await self.store.trim()
            if self.store.trouble is not None or self._is_changed():
                self._noted = await storage.highwater.advance(self.store)
                if self.store.trouble is not None:
                    await self.store.try_to_grow()
                    log.info("the database can be written again")
                self.store.trouble = self._since = None
                self.say_no_more()
            elif self.store.alone and time.monotonic() - self._written_at >= TRIAL_EVERY:
                await self.store.try_to_write()
            else:
                return
            self._written_at = time.monotonic()
        except StorageError as error:
            await self._trouble(error.reason)

    async def _lost(self) -> None:
        """Save what is still open, tell the operators straight away, and end."""
        self.stop()
        why: tuple[Reason, ...] = ()
        try:
            saved = str(await storage.backup.rescue(self.store))
            word = Notice.of("notice.lost", file=self.store.shown_address, saved=saved)
        except BotError as error:
            why, saved = (error.reason,), f"– ({error})"
            word = Notice.of("notice.lost_unsaved", file=self.store.shown_address)
        log.critical(
            "the database file was removed or replaced", file=self.store.shown_address, saved=saved
        )
        self.say_no_more()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_LIMIT):
                await self._tell(word, why, LAST_WORD)
        raise ConfigError(
            f"{self.store.shown_address}: {LOST} while it was in use; "
            f"what was in it is here: {saved}"
        )

    def _is_changed(self) -> bool:
        """Whether a file was written since it was noted how far it came."""
        if not self.store.alone:  # that note stands beside a file alone
            return False
        version = self.store.version()
        return version is None or version != self._noted

    async def _trouble(self, why: Reason) -> None:
        """Note trouble, and wake the operators when it lasts."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
            log.error("the database cannot be written", error=str(why))
        if now - self._since < TROUBLE_PATIENCE:
            return
        if self._told is not None and now - self._told < TOLD_AGAIN_AFTER:
            return
        self._told = now
        telling = self._tell(Notice.of("notice.database"), (why,), ALARM)
        self._telling = asyncio.create_task(telling, name="tell the operators")

    async def _tell(self, word: Notice, reasons: Sequence[Reason], policy: RetryPolicy) -> None:
        """Tell each operator, past the outbox and none behind another."""
        body = to_api(notice(word, self.language, reasons=reasons))

        async def tell(admin: int) -> None:
            said: dict[str, Any] = {"chat_id": admin, **body}
            outcome = await taken(self.api, "sendMessage", policy=policy, **said)
            if not isinstance(outcome, Sent):
                log.error("an operator could not be told", word=word.msgid, why=str(why(outcome)))

        await asyncio.gather(*[tell(admin) for admin in self.admins])

    def say_no_more(self) -> None:
        """Give up a word that not all operators have; the same trouble is then told anew."""
        if self._telling is not None and not self._telling.done():
            self._telling.cancel()
            self._told = None
        self._telling = None


@dataclass(slots=True)
class LoopWatch:
    """A thread that says when the event loop stands still, and where."""

    stall: float = STALL_SECONDS
    _beat: float = field(default_factory=time.monotonic)
    _late: deque[float] = field(default_factory=lambda: deque(maxlen=BEATS_OF_A_MINUTE))
    _stalled: bool = False
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def every(self) -> float:
        """Seconds between two beats of a loop that is not late."""
        return self.stall / 4

    def beat(self) -> None:
        """Note that the loop turns, and how late."""
        now = time.monotonic()
        self._late.append(max(now - self._beat - self.every, 0.0))
        metrics.LOOP_LAG.set(max(self._late))
        if self._stalled:
            self._stalled = False
            log.warning("event loop runs again", stood=round(now - self._beat, 1))
        self._beat = now

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch this thread's loop until the block ends; call `beat` more often than `stall`."""
        watcher = threading.Thread(
            target=self._watch, args=(threading.get_ident(),), name="loop watch", daemon=True
        )
        watcher.start()
        try:
            yield
        finally:
            self._ended.set()
            watcher.join()

    def _watch(self, loop_thread: int) -> None:
        while not self._ended.wait(self.every):
            if self._stalled or time.monotonic() - self._beat < self.stall:
                continue
            self._stalled = True
            frame = sys._current_frames().get(loop_thread)  # noqa: SLF001 - documented, there is no other way
            at: list[str] = []
            if frame is not None:
                # not `extract_stack`, which reads each file of the whole stack and keeps its lines
                for one, line in islice(traceback.walk_stack(frame), FRAMES_SHOWN):
                    at.insert(0, f"{one.f_code.co_filename}:{line} {one.f_code.co_name}")
            log.warning(
                "event loop stands still", seconds=round(time.monotonic() - self._beat, 1), at=at
            )


async def left_to_watch(work: Awaitable[None], *, store: Store, stopping: asyncio.Event) -> None:
    """Work that a lost database file breaks off and does not end: whoever watches the store notices
    it in a moment, saves what is open, tells the operators and ends it all.
    """
    try:
        await work
    except (StorageError, ExceptionGroup) as error:
        is_left = store.lost and not stopping.is_set()
        if not (is_left and isinstance(first_of(error), StorageError)):
            raise
        await asyncio.Event().wait()


async def keep_watch(
    store: StoreWatch, loop: LoopWatch, stopping: asyncio.Event, pause: Callable[[], Any]
) -> None:
    """Watch the store and the loop, until `stopping`."""
    with loop.watching():
        beating = asyncio.create_task(_beat(loop))
        try:
            while not stopping.is_set():
                await store.look()
                await pause()
        finally:
            store.say_no_more()
            beating.cancel()


async def _beat(loop: LoopWatch) -> None:
    while True:
        loop.beat()
        await asyncio.sleep(loop.every)


@contextmanager
def watch_the_stop() -> Iterator[None]:
    """End a process that hangs while stopping, saying where: supervisors kill it silently."""

    def give_up() -> None:
        log.error("stopping took too long")
        faulthandler.dump_traceback(all_threads=True)
        os._exit(1)

    timer = threading.Timer(STOP_LIMIT, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
