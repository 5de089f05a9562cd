"""The worker: takes deliveries that may go now, sends them at their slots, and writes down what became of them.

Slots come from the token's shared row, reserved in the claim's transaction; a
late slot is never caught up (a stall would end in a burst), the following ones
move back instead. Replies do not wait for slots: each takes one from the
broadcast that runs beside it.

Deadlines are counted on CLOCK_BOOTTIME: `time.monotonic()` stops while the
machine sleeps, and a lease does not.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

import storage.chats
import storage.outbox
from bot import metrics
from bot.deliver.compose import Composer
from bot.deliver.transport import Api, chat_body
from bot.errors import ConfigError, StorageError
from bot.model.alerts import Lane, State
from bot.model.outcomes import Ambiguous, Gone, Migrated, Outcome, Rejected, Retry, Sent
from storage.db import Store
from storage.outbox import Claimed, Mark

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)
MARGIN = 12.0  # nothing is begun in the last seconds of a lease: a request may take that long
HORIZON = timedelta(seconds=0.5)  # how far ahead slots are reserved
IDLE = 1.0  # seconds between looks when nobody woke us
PACE = 0.995  # of the configured rate: clocks and networks jitter
IN_FLIGHT = 64
BATCH = 500
#: Copies beyond the first that a lane risks when nobody knows whether the first arrived (U).
DOUBTS = {Lane.URGENT: 1, Lane.ALERT: 1, Lane.ROUTINE: 0}
FLOODS_FOR_ALL = 3  # so many different chats refused in a row: it is about the token, not about a chat


def boottime() -> float:
    """Seconds since boot, asleep or awake."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(slots=True)
class _Ready:
    """A claimed delivery, its slot and the end of its lease, on our clock."""

    item: Claimed
    at: float
    until: float


@dataclass(slots=True)
class Worker:
    """Sends the outbox. `on_gone` is told of a group or channel that cannot be reached any more."""

    store: Store
    api: Api
    composer: Composer
    token_name: str
    rate: float
    on_trouble: Callable[[str, dict[str, str]], Awaitable[None]]
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _marks: list[Mark] = field(default_factory=list)
    _marked: asyncio.Event = field(default_factory=asyncio.Event)
    _sending: set[asyncio.Task[None]] = field(default_factory=set)
    _borrowed: int = 0
    _not_before: float = 0.0
    _flooded: set[int] = field(default_factory=set)
    _troubles: int = 0
    _asleep_until: float = 0.0
    _fatal: BaseException | None = None

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._wake.set()

    def borrow(self) -> None:
        """A reply goes out now: the broadcast beside it gives up one slot."""
        self._borrowed += 1
        self._not_before = max(self._not_before, boottime()) + 1 / self.rate

    def stop(self) -> None:
        """Take no more; finish what is in flight; give back the rest."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Send until `stop`; a lost token or an unexpected error ends it loudly."""
        marker = asyncio.create_task(self._keep_marking())
        try:
            while not self._stopping.is_set():
                try:
                    busy = await self._round()
                except StorageError as error:
                    log.warning("outbox unreachable", error=str(error))
                    busy = False
                    await self._rest(IDLE)
                if self._fatal is not None:
                    raise self._fatal
                if not busy:
                    await self._rest(IDLE)
        finally:
            while self._sending:
                await asyncio.wait(self._sending, timeout=MARGIN)
            marker.cancel()
            await asyncio.gather(marker, return_exceptions=True)
            await self._write_marks()

    async def _rest(self, seconds: float) -> None:
        self._wake.clear()
        if self._stopping.is_set():
            return
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _round(self) -> bool:
        """Fan out a chunk, claim a batch, send it. Returns whether there was anything to do."""
        async with self.store.writing() as db:
            fanned = await storage.outbox.fan_out(db)
        await self._write_marks()
        async with self.store.writing() as db:
            await storage.outbox.tidy(db)
            borrowed, self._borrowed = self._borrowed, 0
            down = self._troubles > FLOODS_FOR_ALL  # one delivery asks whether Telegram is back; the others wait
            claim = await storage.outbox.claim(
                db,
                token=self.token_name,
                rate=self.rate * PACE,
                horizon=HORIZON,
                lease=LEASE,
                limit=1 if down else BATCH,
                borrowed=borrowed,
            )
        now = boottime()
        until = now + claim.lease.total_seconds() - MARGIN
        first, every = now + claim.first_in.total_seconds(), claim.every.total_seconds()
        ready = deque(_Ready(item, first + number * every, until) for number, item in enumerate(claim.deliveries))
        await self._send_all(ready, every)
        if down and self._sending:
            await asyncio.wait(self._sending)
        return bool(claim.deliveries) or bool(fanned)

    async def _send_all(self, ready: deque[_Ready], every: float) -> None:
        enough = max(self._troubles, FLOODS_FOR_ALL)
        while ready:
            one = ready[0]
            wait = max(one.at, self._not_before) - boottime()
            if wait > 0:
                await asyncio.sleep(wait)
            if self._stopping.is_set() or self._fatal or self._troubles > enough or boottime() > one.until:
                await self._give_back([each.item for each in ready])
                return
            ready.popleft()
            self._not_before = max(one.at, self._not_before, boottime() - every) + every
            while len(self._sending) >= IN_FLIGHT:
                await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)
            task = asyncio.create_task(self._deliver(one.item))
            self._sending.add(task)
            task.add_done_callback(self._ended)

    async def _give_back(self, items: list[Claimed]) -> None:
        async with self.store.writing() as db:
            await storage.outbox.release(db, items)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            if isinstance(error, StorageError):  # an unmarked delivery is taken again when its lease ends
                log.warning("outbox unreachable", error=str(error))
                return
            self._fatal = error
            self._wake.set()

    async def _deliver(self, item: Claimed) -> None:
        """One delivery, start to mark. A failure of rendering is this delivery's alone."""
        try:
            message = await self.composer.compose(item)
        except StorageError:
            self._mark(
                Mark(
                    id=item.id,
                    fence=item.fence,
                    state=State.PENDING,
                    retry_in=timedelta(seconds=1),
                    doubts=item.doubts,
                    tries=item.tries,
                    plain=item.plain,
                )
            )
            return
        except Exception as error:  # one bad alert must not delay the others
            log.exception("alert cannot be rendered", alert=item.alert)
            self._mark(self._dead(item, f"cannot be rendered: {type(error).__name__}"))
            await self.on_trouble("notice.rejected", {"alert": str(item.alert), "why": type(error).__name__})
            return
        if message is None:
            self._mark(self._dead(item, "nothing to say any more", State.CANCELLED))
            return
        method, rest = message
        outcome = await self.api.post(method, chat_body(item.chat, rest))
        await self._settle(item, outcome)

    async def _settle(self, item: Claimed, outcome: Outcome) -> None:
        """Turn an outcome into a mark, and into what else follows from it."""
        metrics.SENT.labels(item.lane.name.lower(), type(outcome).__name__.lower()).inc()
        if isinstance(outcome, Sent):
            self._flooded.clear()
            self._troubles = 0
            self._mark(
                Mark(
                    id=item.id,
                    fence=item.fence,
                    state=State.SENT,
                    message_id=outcome.message_id,
                    tries=item.tries + 1,
                    doubts=item.doubts,
                    plain=item.plain,
                )
            )
        elif isinstance(outcome, Retry):
            await self._later(item, outcome)
        elif isinstance(outcome, Ambiguous):
            doubts = item.doubts + 1
            if doubts > DOUBTS[item.lane]:
                self._mark(self._dead(item, f"may have arrived, nobody knows ({outcome.why})"))
            else:
                self._again(item, _backoff(item.tries), outcome.why, doubts=doubts)
        elif isinstance(outcome, Migrated):
            async with self.store.writing() as db:
                await storage.chats.migrate(db, item.chat, outcome.chat)
            self._again(item, 0.0, None)
        elif isinstance(outcome, Gone):
            await self._close(item, outcome)
        else:
            await self._refused(item, outcome)

    async def _later(self, item: Claimed, outcome: Retry) -> None:
        wait = outcome.after if outcome.after is not None else _backoff(item.tries)
        self._again(item, wait, outcome.why)
        if not outcome.flood:
            if boottime() < self._asleep_until:
                return  # was in flight beside the one that put us to sleep: the same trouble
            self._troubles += 1
            if self._troubles > FLOODS_FOR_ALL:  # Telegram is down for everybody: ask again, slowly
                span = min(2.0 ** min(self._troubles - FLOODS_FOR_ALL - 1, 6), 60.0)
                self._asleep_until = boottime() + span
                await self._pause(span)
            return
        self._flooded.add(item.chat)
        async with self.store.writing() as db:
            await storage.outbox.pause_chat(db, item.chat, timedelta(seconds=wait))
        if len(self._flooded) >= FLOODS_FOR_ALL:
            await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        log.warning("telegram refuses everything", pause=seconds)
        async with self.store.writing() as db:
            await storage.outbox.pause_token(db, self.token_name, timedelta(seconds=seconds))

    async def _close(self, item: Claimed, outcome: Gone) -> None:
        async with self.store.writing() as db:
            await storage.outbox.finish(db, [self._dead(item, outcome.why)])
            await storage.outbox.close_chat(db, item.chat, why=outcome.why)
        if item.chat < 0:
            await self.on_trouble("notice.gone", {"chat": str(item.chat), "why": outcome.why})

    async def _refused(self, item: Claimed, outcome: Rejected) -> None:
        if outcome.token:
            self._again(item, 0.0, outcome.why)
            raise ConfigError("BOT_TOKEN: Telegram does not know it; was it revoked?")
        if outcome.thread and item.thread is not None:
            async with self.store.writing() as db:
                await storage.chats.change(db, item.chat, thread=None)
            self._again(item, 0.0, outcome.why)
            await self.on_trouble("notice.topic", {"chat": str(item.chat)})
        elif outcome.plain and not item.plain:
            self._again(item, 0.0, outcome.why, plain=True)
        else:
            self._mark(self._dead(item, outcome.why))
            await self.on_trouble("notice.rejected", {"alert": str(item.alert), "why": outcome.why})

    def _again(
        self, item: Claimed, wait: float, why: str | None, *, doubts: int | None = None, plain: bool | None = None
    ) -> None:
        self._mark(
            Mark(
                id=item.id,
                fence=item.fence,
                state=State.PENDING,
                error=why,
                retry_in=timedelta(seconds=wait),
                doubts=item.doubts if doubts is None else doubts,
                tries=min(item.tries + 1, 1000),
                plain=item.plain if plain is None else plain,
            )
        )

    @staticmethod
    def _dead(item: Claimed, why: str, state: State = State.DEAD) -> Mark:
        return Mark(
            id=item.id,
            fence=item.fence,
            state=state,
            error=why,
            tries=item.tries + 1,
            doubts=item.doubts,
            plain=item.plain,
        )

    def _mark(self, mark: Mark) -> None:
        self._marks.append(mark)
        self._marked.set()

    async def _keep_marking(self) -> None:
        """Write marks soon after they are made, many at once; those that cannot be written are kept."""
        while True:
            await self._marked.wait()
            try:
                await self._write_marks()
            except StorageError as error:
                log.warning("marks wait for the database", error=str(error), waiting=len(self._marks))
                await asyncio.sleep(IDLE)

    async def _write_marks(self) -> None:
        self._marked.clear()
        if not self._marks:
            return
        batch, self._marks = self._marks, []
        try:
            async with self.store.writing() as db:
                await storage.outbox.finish(db, batch)
        except BaseException:
            self._marks = batch + self._marks
            self._marked.set()
            raise
        self._wake.set()


def _backoff(tries: int) -> float:
    """1, 2, 4 … 60 seconds, each ± half."""
    return float(min(2 ** min(tries, 6), 60)) * random.uniform(0.5, 1.5)
