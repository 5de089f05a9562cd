"""The worker: takes deliveries that may go now, sends them at their slots, and writes down what became of them.

Slots come from the token's shared row, reserved in the claim's transaction, a
little ahead of their time so that the network never waits for the database; the
local gate (`limits`) looks at what really leaves. Where several senders share the
row, a slot that was missed is lost, because the next ones may be another's; its
delivery takes our next slot, and the last ones are given back. Replies do not
wait for slots: each takes one from the broadcast that runs beside it.

Deadlines are counted on CLOCK_BOOTTIME: `time.monotonic()` stops while the
machine sleeps, and a lease does not.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

import storage.chats
import storage.outbox
from bot import metrics
from bot.clock import boottime
from bot.deliver.compose import EDIT, Composer
from bot.deliver.limits import LATE, PACE, SHARED_PACE, TICK, Gate
from bot.deliver.reach import Reach
from bot.deliver.standing import standing
from bot.deliver.transport import Api, chat_body
from bot.errors import ConfigError, StorageError
from bot.model.alerts import Lane, State
from bot.model.outcomes import Ambiguous, Gone, Migrated, Outcome, Rejected, Retry, Sent
from storage.db import Store
from storage.outbox import SHARED, Claim, Claimed, Mark

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)
MARGIN = 12.0  # nothing is begun in the last seconds of a lease: a request may take nearly that long
REQUEST = 10.0  # seconds until the worker's requests without an answer are given up, within their leases
HORIZON = timedelta(seconds=0.5)  # how far ahead slots are reserved
SLOWEST = 4.0  # seconds: a claim that takes longer has its slots counted as if it took this
FORGET = 0.8  # of what a claim took is remembered at the next
IDLE = 1.0  # seconds between looks when nobody woke us
EXPIRE = 10.0  # seconds between looks for what expired: it is not sent anyway, and all that waits is looked at
STOOD = 5.0  # a process that stood still for so long may be told of leases that ended, and hold their answers unread
IN_FLIGHT = 64
BATCH = 500
COLLECT = 0.02  # seconds that marks are collected before they are written: one commit for many
#: Copies beyond the first that a lane risks when nobody knows whether the first arrived (U).
DOUBTS = {Lane.URGENT: 1, Lane.ALERT: 1, Lane.ROUTINE: 0}
FLOODS_FOR_ALL = 3  # so many different chats refused in a row, until one and the same time: it is about the token
SAME_TIME = 2.0  # seconds between the ends of pauses that are one
FLOODS_WHATEVER = 10  # so many in a row: likewise, whatever they say
TROUBLES_FOR_ALL = 3  # more refusals in a row, though Telegram answers: it sends for nobody, and one asks for all
ONE_ASKS_EVERY = 2.0  # seconds between those
SAME_AGAIN = 3.0  # seconds until the same one asks: longer, so that a message nobody takes does not ask for all
CHAT_WAITS = (1.0, 5.0)  # seconds until a chat is tried again that refuses though the bot may write to it


class _Ready(NamedTuple):
    """A claimed delivery, its slot, when that is missed, and when the lease and the news end, all on our clock."""

    item: Claimed
    at: float
    by: float
    until: float
    expires: float


@dataclass(slots=True)
class Worker:
    """Sends the outbox: one task claims ahead, some send, one writes down. `on_trouble` tells the operators."""

    store: Store
    api: Api
    composer: Composer
    token_name: str
    rate: float
    on_trouble: Callable[[str, dict[str, str]], Awaitable[None]]
    _gate: Gate = field(init=False)
    _batch: int = field(init=False)  # claimed at once: replies and marks get in between
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _queue: deque[_Ready] = field(default_factory=deque)
    _filled: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _senders: set[asyncio.Task[None]] = field(default_factory=set)
    _fatal: BaseException | None = None
    _marks: list[Mark] = field(default_factory=list)
    _marked: asyncio.Event = field(default_factory=asyncio.Event)
    _took: float = 0.0  # seconds a claim takes lately, from the question to the answer
    _borrowed: int = 0
    _end: datetime | None = None
    _shared_until: float = 0.0
    _fan_at: float = 0.0
    _tidy_at: float = 0.0
    _expire_at: float = 0.0
    _flooded: dict[int, float] = field(default_factory=dict)
    _troubles: int = 0
    _asleep_until: float = 0.0
    _contradicted: dict[int, int] = field(default_factory=dict)  # refusals in a row of chats that may be written to
    reach: Reach = field(init=False)

    def __post_init__(self) -> None:
        self.reach = Reach(self.store, self.api, self.token_name, self.wake)
        self._gate = Gate(self.rate)
        self._batch = min(BATCH, max(25, int(self.rate * HORIZON.total_seconds() / 4)))

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._fan_at = 0.0
        self._wake.set()

    def borrow(self) -> None:
        """A reply goes out now: the broadcast beside it gives up one slot."""
        self._borrowed += 1
        self._gate.take(boottime())

    def stop(self) -> None:
        """Take no more; finish what is in flight; give back the rest."""
        self._stopping.set()
        for event in (self._filled, self._room, self._wake):
            event.set()

    async def run(self) -> None:
        """Send until `stop`; a lost token or an unexpected error ends it loudly, after what is in flight."""
        if self.store.sqlite_path is None:
            self._shared_until = boottime() + SHARED.total_seconds()  # until we know whether others are at work
        marker = asyncio.create_task(self._keep_marking(), name="mark deliveries")
        stopped = asyncio.create_task(self._stopping.wait(), name="stop")
        tasks = [
            asyncio.create_task(self._keep_claiming(), name="claim deliveries"),
            asyncio.create_task(self._keep_feeding(), name="feed senders"),
        ]
        try:
            await asyncio.wait([stopped, marker, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.stop()
            await asyncio.wait([*tasks, *self._senders], timeout=MARGIN)
            for task in (stopped, marker, *tasks, *self._senders):
                task.cancel()
            ended = await asyncio.gather(marker, *tasks, return_exceptions=True)
            await self.reach.close()
            try:
                await self._give_back()
                await self._write_marks()
            except StorageError as away:  # then the leases end by their time; what ended us comes out below
                log.warning("outbox unreachable", error=str(away))
        for error in (self._fatal, *ended):
            if error is not None and not isinstance(error, asyncio.CancelledError):
                raise error

    async def _rest(self, seconds: float) -> None:
        self._wake.clear()
        if self._stopping.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    # ── claim ahead ─────────────────────────────────────────────────────────

    async def _keep_claiming(self) -> None:
        """Keep the queue filled: fan out a chunk, claim what has a slot within the horizon, while others send."""
        while not self._stopping.is_set():
            if self._enough():
                await self._rest(HORIZON.total_seconds() / 2)
                continue
            try:
                rest = await self._claim()
            except StorageError as error:
                log.warning("outbox unreachable", error=str(error))
                rest = IDLE
            if rest:
                await self._rest(rest)

    def _enough(self) -> bool:
        """The queue holds half a batch, or slots for half the horizon; or Telegram is away, or one asks for all."""
        if self.reach.away:
            return True
        if self._down:
            return bool(self._queue or self._senders)
        if not self._queue:
            return False
        # a slow claim is asked for that much earlier, and for more slots: else those that passed meanwhile are all it
        # brings, round after round
        enough = BATCH // 2 + self.rate * self._took
        return len(self._queue) > enough or self._queue[-1].at - boottime() > HORIZON.total_seconds() / 2 + self._took

    @property
    def _down(self) -> bool:
        return self._troubles > TROUBLES_FOR_ALL

    async def _claim(self) -> float:
        """Fan out a chunk and claim a batch. Returns the seconds until it is worth looking again, 0 for at once."""
        begun = now = boottime()
        fanned = await self._fan_out()
        if now >= self._tidy_at:
            await self._tidy(now)
        async with self.store.writing() as db:
            borrowed, self._borrowed = self._borrowed, 0
            asked = boottime()
            claim = await storage.outbox.claim(
                db,
                token=self.token_name,
                rate=self.rate * (SHARED_PACE if now < self._shared_until else PACE),
                horizon=HORIZON + 2 * timedelta(seconds=self._took),
                lease=LEASE,
                limit=1 if self._down else self._batch + math.ceil(2 * self.rate * self._took),
                borrowed=borrowed,
                end=self._end,
            )
        self._took = min(max(boottime() - begun, FORGET * self._took), SLOWEST)
        self._end = claim.end
        self._queue_up(claim, asked)
        if claim.deliveries or fanned:
            return 0.0
        return HORIZON.total_seconds() / 4 if claim.full else IDLE

    async def _fan_out(self) -> int | None:
        """One chunk, while there is something to fan out; otherwise a look now and then, besides when we are woken."""
        now = boottime()
        if now < self._fan_at:
            return None
        self._fan_at = now + IDLE
        async with self.store.writing() as db:
            fanned = await storage.outbox.fan_out(db)
        if fanned is not None:
            self._fan_at = 0.0
        return fanned

    async def _tidy(self, now: float) -> None:
        """Free the leases that ended, after what became of our own was written down; close what expired."""
        await self._write_marks()  # when the database was away, the leases of what we sent may have ended
        stood = self._tidy_at and now > self._tidy_at + STOOD
        self._tidy_at = now + IDLE
        if not stood:  # else answers that came meanwhile are read and marked first
            async with self.store.writing() as db:
                await storage.outbox.tidy(db)
        if now >= self._expire_at:
            async with self.store.writing() as db:
                closed = await storage.outbox.expire(db)
            if closed < storage.outbox.CHUNK:
                self._expire_at = now + EXPIRE
            else:
                self._tidy_at = now  # there is more

    def _queue_up(self, claim: Claim, asked: float) -> None:
        """Slots and lease are counted from when the claim was `asked` for, however late we heard of it."""
        if claim.shared:
            self._shared_until = boottime() + SHARED.total_seconds()
        first, every = asked + claim.first_in.total_seconds(), claim.every.total_seconds()
        until = asked + claim.lease.total_seconds() - MARGIN
        late = LATE if asked < self._shared_until else math.inf
        for number, item in enumerate(claim.deliveries):
            at = first + number * every
            expires = asked + item.expires_in.total_seconds() if item.expires_in is not None else math.inf
            self._queue.append(_Ready(item, at, at + late, until, expires))
        if claim.deliveries:
            self._filled.set()

    async def _give_back(self) -> None:
        """What was claimed and not begun is anybody's again."""
        items = [one.item for one in self._queue]
        self._queue.clear()
        if items:
            async with self.store.writing() as db:
                await storage.outbox.release(db, items)

    # ── send ────────────────────────────────────────────────────────────────

    async def _keep_feeding(self) -> None:
        """Start a sender for each delivery whose slot has come, as long as there is room in flight."""
        while not self._stopping.is_set():
            if not self._queue:
                self._wake.set()
                await self._wait(self._filled)
            elif self.reach.away or boottime() > self._queue[0].until:  # too late for its lease
                await self._give_back()
            elif boottime() > self._queue[0].by:
                self._skip_missed(boottime())
            elif (wait := self._due_in(boottime())) > 0:
                await asyncio.sleep(max(wait, TICK))
            elif len(self._senders) >= IN_FLIGHT:
                await self._wait(self._room)
            elif (one := self._take()) is not None:
                task = asyncio.create_task(self._send(one))
                self._senders.add(task)
                task.add_done_callback(self._sent)

    @staticmethod
    async def _wait(event: asyncio.Event) -> None:
        event.clear()
        await event.wait()

    def _due_in(self, now: float) -> float:
        return max(self._queue[0].at - now, self._gate.wait(now, slots_rule=now < self._shared_until))

    def _skip_missed(self, now: float) -> None:
        """Deliveries move on to our slots that are still to come; those for which none is left are anybody's again."""
        ready = list(self._queue)
        slots = [(one.at, one.by) for one in ready if one.by >= now]
        moved = zip(ready, slots, strict=False)
        self._queue = deque(one._replace(at=at, by=by) for one, (at, by) in moved)
        for one in ready[len(slots) :]:
            self._mark(storage.outbox.unbegun(one.item))

    def _take(self) -> _Ready | None:
        """The next delivery, if it may go now."""
        while self._queue and not self._stopping.is_set() and not self.reach.away:
            now = boottime()
            one = self._queue[0]
            if now > one.until or now > one.by or self._due_in(now) > 0:
                return None
            self._queue.popleft()
            if not self._enough():
                self._wake.set()
            if now < one.expires:
                self._gate.take(now)
                return one
            self._mark(self._dead(one.item, None, State.EXPIRED))
        return None

    async def _send(self, one: _Ready | None) -> None:
        """Deliver, and go on with what is due by then: a burst of answers becomes a burst of sends."""
        while one is not None:
            try:
                await self._deliver(one.item, one.until)
            except StorageError as error:  # an unmarked delivery is taken again when its lease ends
                log.warning("outbox unreachable", error=str(error))
            one = self._take()

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._senders.discard(task)
        self._room.set()
        if self._down:
            self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fatal = error
            self.stop()

    async def _deliver(self, item: Claimed, until: float) -> None:
        """One delivery, start to mark, or back when its lease ends first. A failure of rendering is its alone."""
        begun = boottime()
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
        if boottime() > until:
            self._mark(storage.outbox.unbegun(item))
            return
        method, rest = message
        if (now := boottime()) - begun > TICK:
            self._gate.take(now)  # those that waited for their words leave together, later than they were counted
        outcome = await self.api.post(method, chat_body(item.chat, rest))
        await self._settle(item, outcome, harmless=method == EDIT)

    async def _settle(self, item: Claimed, outcome: Outcome, *, harmless: bool) -> None:
        """Turn an outcome into a mark, and into what else follows from it; `harmless` is what may be done twice."""
        metrics.sent(item.lane.name, type(outcome).__name__).inc()
        if isinstance(outcome, Sent):
            if self._flooded:
                self._flooded.clear()
            if self._troubles:
                self._troubles = 0
                self._wake.set()
            if self._contradicted:
                self._contradicted.pop(item.chat, None)
            self._mark(Mark(item.id, item.fence, State.SENT, outcome.message_id))
        elif isinstance(outcome, Retry):
            await self._later(item, outcome)
        elif isinstance(outcome, Ambiguous):
            doubts = item.doubts + (not harmless)
            if doubts > DOUBTS[item.lane]:
                self._mark(self._dead(item, f"may have arrived, nobody knows ({outcome.why})"))
            else:
                self._again(item, _backoff(0 if self.reach.away else item.tries), outcome.why, doubts=doubts)
            await self.reach.lost()  # after the doubt is noted: the lease goes on meanwhile
        elif isinstance(outcome, Migrated):
            async with self.store.writing() as db:
                await storage.chats.migrate(db, item.chat, outcome.chat)
            self._again(item, 0.0, None)
        elif isinstance(outcome, Gone):
            await self._close(item, outcome)
        else:
            await self._refused(item, outcome)

    async def _later(self, item: Claimed, outcome: Retry) -> None:
        if not outcome.flood:
            await self._later_for_all(item, outcome)
            return
        wait = outcome.after if outcome.after is not None else _backoff(item.tries)
        self._again(item, wait, outcome.why)
        self._flooded[item.chat] = boottime() + wait
        async with self.store.writing() as db:
            await storage.outbox.pause_chat(db, item.chat, timedelta(seconds=wait))
        if self._refused_by_all():
            await self._pause(wait)

    async def _later_for_all(self, item: Claimed, outcome: Retry) -> None:
        """Nothing was sent, and nothing was said about this chat: is it this message, or everything?

        A delivery's own tries and pauses grow only when others were sent since the last trouble.
        """
        if await self.reach.lost():
            self._again(item, 0.0, outcome.why, counted=False)
            return
        alone = self._troubles == 0
        if boottime() >= self._asleep_until:  # else it was in flight beside the one that put us to sleep
            self._troubles += 1
        if not self._down:
            wait = outcome.after or _backoff(item.tries if alone else 0)
            self._again(item, wait, outcome.why, counted=alone)
            return
        self._again(item, SAME_AGAIN, outcome.why, counted=False)
        if boottime() >= self._asleep_until:
            self._asleep_until = boottime() + ONE_ASKS_EVERY
            log.warning("telegram takes no message", again_in=ONE_ASKS_EVERY)
            async with self.store.writing() as db:
                await storage.outbox.hold_token(db, self.token_name, timedelta(seconds=ONE_ASKS_EVERY))
            await self._give_back()

    def _refused_by_all(self) -> bool:
        """It is the token that Telegram refuses, not some chats, each for its own time."""
        ends = sorted(self._flooded.values())
        if len(ends) < FLOODS_FOR_ALL:
            return False
        return ends[-1] - ends[0] < SAME_TIME or len(ends) >= FLOODS_WHATEVER

    async def _pause(self, seconds: float) -> None:
        log.warning("telegram refuses everything", pause=seconds)
        async with self.store.writing() as db:
            await storage.outbox.pause_token(db, self.token_name, timedelta(seconds=seconds))
        await self._give_back()

    async def _close(self, item: Claimed, outcome: Gone) -> None:
        """Give a chat up, unless Telegram says when asked that the bot may write to it."""
        times = self._contradicted.get(item.chat, 0)
        if times < len(CHAT_WAITS) and await standing(self.api, item.chat, self._bot_id) is None:
            self._contradicted[item.chat] = times + 1
            log.warning("a chat refuses though the bot may write to it", why=outcome.why, again_in=CHAT_WAITS[times])
            self._again(item, CHAT_WAITS[times], outcome.why)
            return
        self._contradicted.pop(item.chat, None)
        async with self.store.writing() as db:
            await storage.outbox.finish(db, [self._dead(item, outcome.why)])
            await storage.outbox.close_chat(db, item.chat, why=outcome.why)
        if item.chat < 0:
            await self.on_trouble("notice.gone", {"chat": str(item.chat), "why": outcome.why})

    @property
    def _bot_id(self) -> int | None:
        return int(self.token_name) if self.token_name.isdigit() else None

    async def _refused(self, item: Claimed, outcome: Rejected) -> None:
        if outcome.token:
            self._again(item, 0.0, outcome.why)
            raise ConfigError("BOT_TOKEN: Telegram does not know it; was it revoked?")
        if outcome.thread and item.thread is not None:
            async with self.store.writing() as db:
                await storage.chats.change(db, item.chat, thread=None)
            self._again(item, 0.0, outcome.why)
            await self.on_trouble("notice.topic", {"chat": str(item.chat)})
        elif (outcome.plain or outcome.thread) and not item.plain:
            self._again(item, 0.0, outcome.why, plain=True)
        elif outcome.unneeded:
            self._mark(self._dead(item, outcome.why, State.CANCELLED))
        else:
            self._mark(self._dead(item, outcome.why))
            await self.on_trouble("notice.rejected", {"alert": str(item.alert), "why": outcome.why})

    def _again(
        self,
        item: Claimed,
        wait: float,
        why: str | None,
        *,
        doubts: int | None = None,
        plain: bool | None = None,
        counted: bool = True,
    ) -> None:
        self._mark(
            Mark(
                id=item.id,
                fence=item.fence,
                state=State.PENDING,
                error=why,
                retry_in=timedelta(seconds=wait),
                doubts=item.doubts if doubts is None else doubts,
                tries=min(item.tries + counted, 1000),
                plain=item.plain if plain is None else plain,
            )
        )

    @staticmethod
    def _dead(item: Claimed, why: str | None, state: State = State.DEAD) -> Mark:
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
            if len(self._marks) < BATCH:
                await asyncio.sleep(COLLECT)
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
