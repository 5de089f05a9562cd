"""The worker: takes deliveries that may go now, sends them at their slots, and writes down what
became of them.

Slots come from the token's shared row, reserved in the claim's transaction, a
little ahead of their time so that the network never waits for the database; the
local gate (`limits`) looks at what really leaves. Where several senders share the
row, a slot that was missed is lost, because the next ones may be another's; its
delivery takes our next slot.

Replies wait for their turn in the same rate: first, until deliveries are owed
their share. A process that is alone with its database asks the gate only; on a
server a reply takes a slot of the row, one that a delivery had if there is any.

Deadlines are counted on CLOCK_BOOTTIME: `time.monotonic()` stops while the
machine sleeps, and a lease does not.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

import storage.chats
import storage.deliveries
import storage.fan_out
import storage.lapsed
import storage.pace
from bot import metrics
from bot.clock import boottime
from bot.deliver.compose import EDIT, Composer
from bot.deliver.limits import LATE, REPLY_BURSTS, SHARED_PACE, TICK, ChatPaces, Gate, Shares
from bot.deliver.reach import Reach
from bot.errors import ConfigError, StorageError
from bot.model.alerts import Lane, State
from bot.model.chats import ChatKind
from bot.telegram.api import Api
from bot.telegram.line import chat_body
from bot.telegram.outcomes import Ambiguous, Gone, Migrated, Outcome, Rejected, Retry, Sent
from bot.telegram.retry import DELIVERY
from bot.telegram.standing import standing
from storage.db import Store
from storage.deliveries import Claim, Claimed, Mark
from storage.pace import SHARED_LOOKBACK

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)
MARGIN = (
    12.0  # nothing is begun in the last seconds of a lease: a request may take nearly that long
)
REQUEST = (
    10.0  # seconds until the worker's requests without an answer are given up, within their leases
)
HORIZON = timedelta(seconds=0.5)  # how far ahead slots are reserved
SLOWEST = 4.0  # seconds: a claim that takes longer has its slots counted as if it took this
FORGET = 0.8  # of what a claim took is remembered at the next
IDLE = 1.0  # seconds between looks when nobody woke us
# seconds between looks for what expired: it is not sent anyway, and all that waits is looked at
EXPIRE = 10.0
# a process that stood still for so long may be told of leases that ended, and hold their answers
# unread
STOOD = 5.0
IN_FLIGHT = 64
# seconds of nothing but silence on all that is in flight, until Telegram is asked whether it is
# there
HANGING = 2.0
# more seconds until what still hangs, though Telegram said it is, counts as lost with its
# connection
DEAD_AFTER = 2.0
BATCH = 500
COLLECT = 0.02  # seconds that marks are collected before they are written: one commit for many
#: Copies beyond the first that a lane risks when nobody knows whether the first arrived (U).
DOUBTS = {Lane.URGENT: 1, Lane.ALERT: 1, Lane.ROUTINE: 0}
# so many different chats refused in a row, until one and the same time: it is about the token
FLOODS_FOR_ALL = 3
SAME_TIME = 2.0  # seconds between the ends of pauses that are one
FLOODS_WHATEVER = 10  # so many in a row: likewise, whatever they say
OLD_SLOT = 5.0  # seconds after which a slot is lost also where nobody else sends
WORD_EVERY = 1.0  # seconds between replies where no slot is to be had
TROUBLES_FOR_ALL = (
    3  # more refusals in a row, though Telegram answers: it sends for nobody, and one asks for all
)
ONE_ASKS_EVERY = 2.0  # seconds between those
# seconds until the same one asks: longer, so that a message nobody takes does not ask for all
SAME_AGAIN = 3.0
SILENT = "no answer in an outage"
CHAT_WAITS = (
    1.0,
    5.0,
)  # seconds until a chat is tried again that refuses though the bot may write to it


class _Ready(NamedTuple):
    """A claimed delivery, and when the lease and the news end, on our clock."""

    item: Claimed
    until: float
    expires: float


@dataclass(slots=True, eq=False)
class _Flight:
    """A request on its way: what it delivers, since when, and what gives it up early."""

    item: Claimed
    begun: float
    limit: asyncio.Timeout


@dataclass(slots=True)
class Worker:
    """Sends the outbox: one task claims ahead, some send, one writes down. `on_trouble` tells the
    operators.

    `others` make requests of their own; those that hang through an outage are given up at its end.
    """

    store: Store
    api: Api
    composer: Composer
    token_name: str
    rate: float
    on_trouble: Callable[[str, dict[str, str]], Awaitable[None]]
    others: tuple[Api, ...] = ()
    _gate: Gate = field(init=False)
    _batch: int = field(init=False)  # claimed at once: replies and marks get in between
    _most_queued: int = field(
        init=False
    )  # so that an alert is not claimed behind many that can wait
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _queue: deque[_Ready] = field(default_factory=deque)  # by lane, each in the order of the claims
    _slots: deque[float] = field(default_factory=deque)  # ours; anybody's here whose turn it is
    _replies: deque[asyncio.Future[bool]] = field(
        default_factory=deque
    )  # that wait for their turn, first come first
    _shares: Shares = field(default_factory=Shares)
    _chats: ChatPaces = field(default_factory=ChatPaces)
    _charges: Counter[int] = field(
        default_factory=Counter
    )  # replies to groups that the store does not know of yet
    _by_row: bool = field(init=False)  # other processes may send: replies need slots too
    _feeding: bool = False
    _slotless: bool = False  # no slot is to be had: the database is away, or all sending is paused
    _news: asyncio.Event = field(default_factory=asyncio.Event)  # for who feeds the senders
    _senders: set[asyncio.Task[None]] = field(default_factory=set)
    _flights: dict[_Flight, None] = field(
        default_factory=dict
    )  # in the order in which they were begun
    _dead_flights: set[_Flight] = field(
        default_factory=set
    )  # those that take nobody's place any more
    _heard_at: float = 0.0  # when Telegram answered last
    _looking: asyncio.Task[None] | None = None  # why nothing is answered
    _fatal: BaseException | None = None
    _marks: list[Mark] = field(default_factory=list)
    _marked: asyncio.Event = field(default_factory=asyncio.Event)
    _took: float = 0.0  # seconds a claim takes lately, from the question to the answer
    _end: datetime | None = None
    _shared_until: float = 0.0
    _fan_at: float = 0.0
    _tidy_at: float = 0.0
    _expire_at: float = 0.0
    _flooded: dict[int, float] = field(default_factory=dict)
    _troubles: int = 0
    _asleep_until: float = 0.0
    _contradicted: dict[int, int] = field(
        default_factory=dict
    )  # refusals in a row of chats that may be written to
    reach: Reach = field(init=False)

    def __post_init__(self) -> None:
        self.reach = Reach(self.store, self.api, self.token_name, self._returned)
        self._gate = Gate(self.rate, last=boottime())  # as far as we know one that ended just now
        self._by_row = not self.store.alone
        self._batch = min(BATCH, max(25, int(self.rate * HORIZON.total_seconds() / 4)))
        self._most_queued = min(BATCH // 2, max(4, int(self.rate * HORIZON.total_seconds())))

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._fan_at = 0.0
        self._wake.set()

    async def turn(self, chat: int) -> None:
        """Wait until a chat may get a message in answer, by its own pace and the token's; it counts
        as sent then.
        """
        await self._turn_of_chat(chat)
        goes = not self._replies and self._reply_goes(boottime())
        while not goes:
            if self._feeding:
                goes = await self._queue_for_turn()
            elif not (goes := self._word_goes(boottime())):
                await asyncio.sleep(TICK)

    async def _queue_for_turn(self) -> bool:
        """Wait behind the replies that came before; False when the worker stopped meanwhile."""
        waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._replies.append(waiting)
        self._news.set()
        if self._by_row:
            self._wake.set()
        return await waiting

    def stop(self) -> None:
        """Take no more; finish what is in flight; give back the rest."""
        self._stopping.set()
        for event in (self._news, self._wake):
            event.set()

    async def run(self) -> None:
        """Send until `stop`; a lost token or an unexpected error ends it loudly, after what is in
        flight.
        """
        if not self.store.alone:
            self._shared_until = (
                boottime() + SHARED_LOOKBACK.total_seconds()
            )  # until we know whether others are at work
        marker = asyncio.create_task(self._keep_marking(), name="mark deliveries")
        stopped = asyncio.create_task(self._stopping.wait(), name="stop")
        self._feeding = True
        tasks = [
            asyncio.create_task(self._keep_claiming(), name="claim deliveries"),
            asyncio.create_task(self._keep_feeding(), name="feed senders"),
        ]
        try:
            await asyncio.wait([stopped, marker, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.stop()
            self._feeding = False
            while self._replies:
                _grant(self._replies.popleft(), granted=False)
            await asyncio.wait([*tasks, *self._senders], timeout=MARGIN)
            looking = [self._looking] if self._looking is not None else []
            for task in (stopped, marker, *tasks, *self._senders, *looking):
                task.cancel()
            ended = await asyncio.gather(marker, *tasks, return_exceptions=True)
            await self.reach.close()
            try:
                await self._give_back()
                await self._write_marks()
            except (
                StorageError
            ) as away:  # then the leases end by their time; what ended us comes out below
                log.warning("outbox unreachable", error=str(away))
        for error in (self._fatal, *ended):
            if error is not None and not isinstance(error, asyncio.CancelledError):
                raise error

    async def _rest(self, seconds: float) -> None:
        if self._stopping.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    # ── claim ahead ─────────────────────────────────────────────────────────

    async def _keep_claiming(self) -> None:
        """Keep the queue filled: fan out a chunk, claim what has a slot within the horizon, while
        others send.
        """
        while not self._stopping.is_set():
            self._wake.clear()  # before we look: what comes while we do is looked for once more
            if self._enough():
                await self._rest(HORIZON.total_seconds() / 2)
                continue
            try:
                rest = await self._claim()
            except StorageError as error:
                log.warning("outbox unreachable", error=str(error))
                rest, self._slotless = IDLE, True
                self._news.set()
            if rest:
                await self._rest(rest)

    def _enough(self) -> bool:
        """Enough is queued, with slots for half the horizon; or Telegram is away, or one asks for
        all.
        """
        if self.reach.away:
            return True
        now = boottime()
        wanted = self._without_slot(now) if self._by_row else 0
        ahead = self._slots[-1] - now if self._slots else 0.0
        # a slow claim is asked for that much earlier, and for more slots: else those that passed
        # meanwhile are all it brings, round after round
        enough = HORIZON.total_seconds() / 2 + self._took
        if wanted:
            return ahead > enough
        if self._down:
            return bool(self._queue or self._senders)
        if not self._queue:
            return False
        return len(self._queue) >= self._most_queued + self.rate * self._took or ahead > enough

    def _without_slot(self, now: float) -> int:
        """How many wait here with no slot to go in."""
        self._drop_missed(now)
        return max(0, len(self._queue) + len(self._replies) - len(self._slots))

    @property
    def _down(self) -> bool:
        return self._troubles > TROUBLES_FOR_ALL

    async def _claim(self) -> float:
        """Fan out a chunk and claim a batch. Returns the seconds until it is worth looking again, 0
        for at once.
        """
        begun = now = boottime()
        fanned = await self._fan_out()
        if now >= self._tidy_at:
            await self._tidy(now)
        async with self.store.writing() as db:
            asked = boottime()
            horizon = HORIZON + 2 * timedelta(seconds=self._took)
            claim = await storage.deliveries.claim(
                db,
                token=self.token_name,
                rate=min(self.rate * SHARED_PACE, self._gate.pace)
                if now < self._shared_until
                else self._gate.pace,
                horizon=horizon,
                lease=LEASE,
                limit=1 if self._down else self._room(),
                turns=self._without_slot(asked) if self._by_row else 0,
                end=self._end,
            )
        self._took = min(max(boottime() - begun, FORGET * self._took), SLOWEST)
        self._end = claim.end
        self._slotless = claim.first_in > max(horizon, claim.every)
        self._queue_up(claim, asked)
        if claim.deliveries or fanned:
            return 0.0
        return (
            HORIZON.total_seconds() / 4 if claim.full or (self._by_row and self._replies) else IDLE
        )

    def _room(self) -> int:
        """How many deliveries to claim: where replies may take their slots, no more than a part of
        a second's.
        """
        while_claiming = math.ceil(2 * self.rate * self._took)
        if not self._by_row:
            return self._batch + while_claiming
        return min(self._batch, max(self._most_queued - len(self._queue), 0)) + while_claiming

    async def _fan_out(self) -> int | None:
        """One chunk, while there is something to fan out; otherwise a look now and then, besides
        when we are woken.
        """
        now = boottime()
        if now < self._fan_at:
            return None
        self._fan_at = now + IDLE
        async with self.store.writing() as db:
            fanned = await storage.fan_out.fan_out(db)
        if fanned is not None:
            self._fan_at = 0.0
        return fanned

    async def _tidy(self, now: float) -> None:
        """Free the leases that ended, after what became of our own was written down; close what
        expired.
        """
        await (
            self._write_marks()
        )  # when the database was away, the leases of what we sent may have ended
        stood = self._tidy_at and now > self._tidy_at + STOOD
        self._tidy_at = now + IDLE
        if not stood:  # else answers that came meanwhile are read and marked first
            async with self.store.writing() as db:
                await storage.lapsed.tidy(db)
        if now >= self._expire_at:
            async with self.store.writing() as db:
                closed = await storage.lapsed.expire(db)
            if closed < storage.lapsed.CLOSED_AT_ONCE:
                self._expire_at = now + EXPIRE
            else:
                self._tidy_at = now  # there is more

    def _queue_up(self, claim: Claim, asked: float) -> None:
        """Slots and lease are counted from when the claim was `asked` for, however late we heard of
        it.
        """
        if claim.shared:
            self._shared_until = boottime() + SHARED_LOOKBACK.total_seconds()
        first, every = asked + claim.first_in.total_seconds(), claim.every.total_seconds()
        until = asked + claim.lease.total_seconds() - MARGIN
        self._slots.extend(first + number * every for number in range(claim.slots))
        for item in claim.deliveries:
            expires = (
                asked + item.expires_in.total_seconds() if item.expires_in is not None else math.inf
            )
            self._queue.append(_Ready(item, until, expires))
        behind = len(self._queue) - len(claim.deliveries) - 1
        if (
            claim.deliveries
            and behind >= 0
            and self._queue[behind].item.lane > claim.deliveries[0].lane
        ):
            self._queue = deque(sorted(self._queue, key=lambda one: one.item.lane))
        if claim.slots:
            self._news.set()

    async def _give_back(self) -> None:
        """What was claimed and not begun is anybody's again."""
        items = [one.item for one in self._queue]
        self._queue.clear()
        if items:
            async with self.store.writing() as db:
                await storage.deliveries.release(db, items)

    # ── send ────────────────────────────────────────────────────────────────

    async def _keep_feeding(self) -> None:
        """Let out each reply whose turn it is, and start a sender for each delivery, as long as
        there is room.
        """
        while not self._stopping.is_set():
            now = boottime()
            if self._queue and (
                self.reach.away or now > self._queue[0].until
            ):  # too late for its lease
                await self._give_back()
                continue
            self._look_at_flights(now)
            self._answer(now)
            if not self._queue and not self._replies:
                self._wake.set()
            if (wait := self._next_in(boottime())) > 0:
                await self._nap(wait)
            elif (one := self._take()) is not None:
                task = asyncio.create_task(self._send(one))
                self._senders.add(task)
                task.add_done_callback(self._sent)

    async def _nap(self, seconds: float) -> None:
        """Sleep, but not through news."""
        self._news.clear()
        timer = asyncio.get_running_loop().call_later(seconds, self._news.set)
        await self._news.wait()
        timer.cancel()

    def _next_in(self, now: float) -> float:
        """Seconds until it is somebody's turn."""
        first = IDLE
        if self._replies and not self._owed:
            first = min(first, self._reply_in(now))
        if self._waiting_lane is not None and (wait := self._delivery_in(now)) < first:
            first = max(wait, TICK) if wait > 0 else wait
        return first

    @property
    def _waiting_lane(self) -> Lane | None:
        """The lane of the delivery that would go next; None where none can."""
        return self._queue[0].item.lane if self._queue and self._in_flight < IN_FLIGHT else None

    @property
    def _in_flight(self) -> int:
        """How many senders there are, without those that wait on a dead connection."""
        return len(self._senders) - len(self._dead_flights)

    def _look_at_flights(self, now: float) -> None:
        """Ask what is the matter when all that is in flight hangs: time-outs would tell it much
        later.
        """
        if self._looking is not None or self.reach.away or not self._flights:
            return
        hanging = [one for one in self._flights if one not in self._dead_flights]
        if hanging and max(hanging[0].begun, self._heard_at) < now - HANGING:
            self._looking = asyncio.create_task(
                self._ask_why(hanging), name="ask why nothing is answered"
            )

    async def _ask_why(self, hanging: list[_Flight]) -> None:
        """Telegram is away, which its watch looks after; or it is there, and what hung before is
        lost.

        A connection that broke without a word brings no answer any more. What may be doubted once
        more is sent again.
        """
        try:
            if await self.reach.lost():
                return
            self._heard_at = boottime()
            await asyncio.sleep(DEAD_AFTER)
            for one in hanging:
                if one in self._flights:
                    self._dead_flights.add(one)
                    if one.item.doubts < DOUBTS[one.item.lane]:
                        _give_up(one)
        finally:
            self._looking = None
            self._news.set()

    def _returned(self, lost_since: float) -> None:
        """Telegram is back: what was asked before the outage was noticed gets no answer any
        more.
        """
        self._heard_at = now = boottime()
        for one in self._flights:
            if one.begun <= lost_since:
                _give_up(one)
        for api in self.others:
            api.abandon(now - lost_since)
        self.wake()

    @property
    def _owed(self) -> bool:
        """Whether the next turn is a delivery's, whoever asks."""
        return self._shares.deliveries_first and self._waiting_lane is not None

    def _delivery_in(self, now: float) -> float:
        """Seconds until the first delivery may go: with nothing owed at its slot, else as soon as a
        reply might.
        """
        owed = self._shares.deliveries_first and bool(self._replies)
        if self._by_row:
            return max(
                self._slot_in(now),
                self._gate.wait(now, first=owed, slots_rule=now < self._shared_until),
            )
        at = self._slots[0] - now if self._slots and not owed else 0.0
        return max(at, self._gate.wait(now, first=owed))

    def _reply_in(self, now: float) -> float:
        """Seconds until a reply may go that is first."""
        if not self._by_row:
            return self._gate.wait(now, first=True)
        if (self._slotless or self.reach.away) and not self._slots:
            return WORD_EVERY - self._gate.quiet_for(now)
        return max(
            self._slot_in(now),
            self._gate.wait(now, first=True, slots_rule=now < self._shared_until),
        )

    def _slot_in(self, now: float) -> float:
        self._drop_missed(now)
        return self._slots[0] - now if self._slots else math.inf

    def _drop_missed(self, now: float) -> None:
        """Beside other senders a slot that was missed is lost: those that wait go in our next, or
        ask for more.
        """
        late = LATE if now < self._shared_until else OLD_SLOT
        while self._by_row and self._slots and now > self._slots[0] + late:
            self._slots.popleft()

    def _reply_goes(self, now: float) -> bool:
        """Whether a reply may leave now; then it counts as sent."""
        if not self._feeding or self._owed or self._reply_in(now) > 0:
            return False
        if self._by_row and self._slots:
            self._slots.popleft()
        self._gate.take(now, reply=True)
        self._shares.replied(self._waiting_lane)
        return True

    def _word_goes(self, now: float) -> bool:
        """Likewise where nobody feeds the senders: before the start and after a stop."""
        wait = (
            WORD_EVERY - self._gate.quiet_for(now)
            if self._by_row
            else self._gate.wait(now, first=True)
        )
        if wait <= 0:
            self._gate.take(now, reply=True)
        return wait <= 0

    def _answer(self, now: float) -> None:
        """Let out the replies that wait, as far as it is their turn."""
        while self._replies:
            if self._replies[0].done():  # nobody waits for it any more
                self._replies.popleft()
            elif self._reply_goes(now):
                _grant(self._replies.popleft(), granted=True)
            else:
                return

    async def _turn_of_chat(self, chat: int) -> None:
        """Wait for the chat's own pace. Groups are counted in the store, where their alerts are
        counted too.
        """
        if chat < 0 and not self._by_row and not self._chats.knows(chat):
            await self._meet(chat)
        while True:
            if chat < 0 and self._by_row:
                wait = await self._charge_in_row(chat)
            else:
                wait = self._charge_here(chat, boottime())
            if wait <= 0:
                return
            await asyncio.sleep(wait)

    async def _meet(self, chat: int) -> None:
        """Learn what an earlier process sent to a group."""
        ahead = timedelta(0)
        with suppress(StorageError):
            async with self.store.reading() as db:
                ahead = await storage.pace.chat_ahead(db, chat)
        self._chats.meet(chat, boottime() + ahead.total_seconds())

    def _charge_here(self, chat: int, now: float) -> float:
        """Count a reply to a chat, if it has room; seconds until it may have."""
        wait = self._chats.wait(chat, now, REPLY_BURSTS[chat > 0])
        if wait <= 0:
            self._chats.take(chat, now)
            if chat < 0:
                self._charges[chat] += 1
                self._marked.set()
        return wait

    async def _charge_in_row(self, chat: int) -> float:
        """Likewise where other processes send to it too."""
        burst = timedelta(seconds=REPLY_BURSTS[chat > 0])
        try:
            async with self.store.writing() as db:
                ahead = await storage.pace.chat_ahead(db, chat)
                if ahead <= burst:
                    await storage.pace.charge_chat(db, chat)
        except StorageError:
            return 0.0  # Telegram has to count
        return (ahead - burst).total_seconds()

    def _take(self) -> _Ready | None:
        """The next delivery, if it may go now; replies whose turn it is leave before it."""
        while self._queue and not self._stopping.is_set() and not self.reach.away:
            now = boottime()
            self._answer(now)
            one = self._queue[0]
            if now > one.until or self._delivery_in(now) > 0:
                return None
            self._queue.popleft()
            if not self._enough():
                self._wake.set()
            if now >= one.expires:
                self._mark(self._dead(one.item, None, State.EXPIRED))
            elif (wait := self._full_for(one.item, now)) > 0:
                self._mark(
                    storage.deliveries.unbegun(one.item)._replace(retry_in=timedelta(seconds=wait))
                )
            else:
                self._leave(one.item, now)
                return one
        return None

    def _full_for(self, item: Claimed, now: float) -> float:
        """Seconds until its group has room again, where replies filled it after the claim had
        looked.
        """
        if item.kind is ChatKind.PRIVATE:
            return 0.0
        return self._chats.wait(item.chat, now, storage.pace.GROUP_BURST.total_seconds())

    def _leave(self, item: Claimed, now: float) -> None:
        if self._slots:
            self._slots.popleft()
        if not self._queue and not self._by_row:
            self._slots.clear()  # of what was given back
        self._gate.take(now)
        self._shares.delivered()
        if item.kind is not ChatKind.PRIVATE and self._chats.knows(item.chat):
            self._chats.take(item.chat, now)

    async def _send(self, one: _Ready | None) -> None:
        """Deliver, and go on with what is due by then: a burst of answers becomes a burst of
        sends.
        """
        while one is not None:
            try:
                await self._deliver(one.item, one.until)
            except StorageError as error:  # an unmarked delivery is taken again when its lease ends
                log.warning("outbox unreachable", error=str(error))
            one = self._take()

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._senders.discard(task)
        self._news.set()
        if self._down:
            self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fatal = error
            self.stop()

    async def _deliver(self, item: Claimed, until: float) -> None:
        """One delivery, start to mark, or back when its lease ends first. A failure of rendering is
        its alone.
        """
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
            await self.on_trouble(
                "notice.rejected", {"alert": str(item.alert), "why": type(error).__name__}
            )
            return
        if message is None:
            self._mark(self._dead(item, "nothing to say any more", State.CANCELLED))
            return
        if boottime() > until:
            self._mark(storage.deliveries.unbegun(item))
            return
        method, rest = message
        if (now := boottime()) - begun > TICK:
            self._gate.take(
                now
            )  # those that waited for their words leave together, later than they were counted
        outcome = await self._post(item, method, chat_body(item.chat, rest))
        await self._settle(item, outcome, harmless=method == EDIT)

    async def _post(self, item: Claimed, method: str, body: bytes) -> Outcome:
        """Send; Ambiguous when it hung through an outage."""
        try:
            async with asyncio.timeout(None) as limit:
                one = _Flight(item, boottime(), limit)
                self._flights[one] = None
                try:
                    outcome = await self.api.post(method, body)
                finally:
                    del self._flights[one]
                    self._dead_flights.discard(one)
        except TimeoutError:
            return Ambiguous(SILENT)
        if not isinstance(outcome, Ambiguous):
            self._heard_at = boottime()
        return outcome

    async def _settle(self, item: Claimed, outcome: Outcome, *, harmless: bool) -> None:
        """Turn an outcome into a mark, and into what else follows from it; `harmless` is what may
        be done twice.
        """
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
            await self._doubted(item, outcome, harmless=harmless)
        elif isinstance(outcome, Migrated):
            async with self.store.writing() as db:
                await storage.chats.migrate(db, item.chat, outcome.chat)
            self._again(item, 0.0, None)
        elif isinstance(outcome, Gone):
            await self._close(item, outcome)
        else:
            await self._refused(item, outcome)

    async def _doubted(self, item: Claimed, outcome: Ambiguous, *, harmless: bool) -> None:
        """Send again what may have arrived, as often as its lane allows."""
        doubts = item.doubts + (not harmless)
        silent = outcome.why == SILENT
        if doubts > DOUBTS[item.lane]:
            self._mark(self._dead(item, f"may have arrived, nobody knows ({outcome.why})"))
        elif silent:  # the outage's fault, not this delivery's
            self._again(item, 0.0, outcome.why, doubts=doubts, counted=False)
        else:
            self._again(
                item,
                DELIVERY.pause(0 if self.reach.away else item.tries),
                outcome.why,
                doubts=doubts,
            )
        if not silent:
            await self.reach.lost()  # after the doubt is noted: the lease goes on meanwhile

    async def _later(self, item: Claimed, outcome: Retry) -> None:
        if not outcome.flood:
            await self._later_for_all(item, outcome)
            return
        wait = DELIVERY.pause(item.tries, outcome)
        self._again(item, wait, outcome.why)
        self._flooded[item.chat] = boottime() + wait
        async with self.store.writing() as db:
            await storage.chats.pause(db, item.chat, timedelta(seconds=wait))
        if self._refused_by_all():
            await self._pause(wait)

    async def _later_for_all(self, item: Claimed, outcome: Retry) -> None:
        """Nothing was sent, and nothing was said about this chat: is it this message, or
        everything?

        A delivery's own tries and pauses grow only when others were sent since the last trouble.
        """
        if await self.reach.lost():
            self._again(item, 0.0, outcome.why, counted=False)
            return
        alone = self._troubles == 0
        if (
            boottime() >= self._asleep_until
        ):  # else it was in flight beside the one that put us to sleep
            self._troubles += 1
        if not self._down:
            wait = DELIVERY.pause(item.tries if alone else 0, outcome)
            self._again(item, wait, outcome.why, counted=alone)
            return
        self._again(item, SAME_AGAIN, outcome.why, counted=False)
        if boottime() >= self._asleep_until:
            self._asleep_until = boottime() + ONE_ASKS_EVERY
            log.warning("telegram takes no message", again_in=ONE_ASKS_EVERY)
            async with self.store.writing() as db:
                await storage.pace.hold_token(
                    db, self.token_name, timedelta(seconds=ONE_ASKS_EVERY)
                )
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
            await storage.pace.pause_token(db, self.token_name, timedelta(seconds=seconds))
        await self._give_back()

    async def _close(self, item: Claimed, outcome: Gone) -> None:
        """Give a chat up, unless Telegram says when asked that the bot may write to it."""
        times = self._contradicted.get(item.chat, 0)
        if times < len(CHAT_WAITS) and await standing(self.api, item.chat, self._bot_id) is None:
            self._contradicted[item.chat] = times + 1
            log.warning(
                "a chat refuses though the bot may write to it",
                why=outcome.why,
                again_in=CHAT_WAITS[times],
            )
            self._again(item, CHAT_WAITS[times], outcome.why)
            return
        self._contradicted.pop(item.chat, None)
        async with self.store.writing() as db:
            await storage.deliveries.finish(db, [self._dead(item, outcome.why)])
            await storage.chats.close(db, item.chat, why=outcome.why)
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
        """Write marks soon after they are made, many at once; those that cannot be written are
        kept.
        """
        while True:
            await self._marked.wait()
            if len(self._marks) < BATCH:
                await asyncio.sleep(COLLECT)
            try:
                await self._write_marks()
            except StorageError as error:
                log.warning(
                    "marks wait for the database", error=str(error), waiting=len(self._marks)
                )
                await asyncio.sleep(IDLE)

    async def _write_marks(self) -> None:
        self._marked.clear()
        if not self._marks and not self._charges:
            return
        batch, self._marks = self._marks, []
        charges, self._charges = self._charges, Counter()
        try:
            async with self.store.writing() as db:
                await storage.deliveries.finish(db, batch)
                for chat, count in charges.items():
                    await storage.pace.charge_chat(db, chat, count)
        except BaseException:
            self._marks = batch + self._marks
            self._charges += charges
            self._marked.set()
            raise
        if not batch:
            return
        self._wake.set()


def _give_up(one: _Flight) -> None:
    if not one.limit.expired():
        one.limit.reschedule(0.0)


def _grant(waiting: asyncio.Future[bool], *, granted: bool) -> None:
    if not waiting.done():
        waiting.set_result(granted)
