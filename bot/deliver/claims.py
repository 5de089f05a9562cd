"""Claims: deliveries are taken from the outbox a little ahead of their slots.

What cannot go is given back. A delivery is leased while it is ours. Deadlines are counted on
CLOCK_BOOTTIME: `time.monotonic()` stops while the machine sleeps, and a lease does not.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

import storage.claims
import storage.deliveries
import storage.due
import storage.quiet
from bot.clock import boottime
from bot.deliver.reach import HELD, Reach
from bot.deliver.signals import IDLE, Signals
from bot.deliver.slots import Slots
from bot.deliver.troubles import Refusals
from bot.deliver.unread import UnreadAlerts
from bot.deliver.upkeep import Upkeep
from bot.errors import StorageError
from bot.model.alerts import Lane
from bot.telegram.quiet import Quiet
from storage.db import Db, Store
from storage.still import Still

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)  # so long after its sender died a delivery is another's
# seconds: nothing is begun in the last ones of a lease, because a request may take nearly that long
LEASE_MARGIN = 12.0
HORIZON = timedelta(seconds=0.5)  # how far ahead slots are reserved
HALF = HORIZON.total_seconds() / 2
SLOWEST = 4.0  # seconds: a claim that takes longer has its slots counted as if it took this
LATELY = 4  # claims by which it is judged how long one takes
FORGET = 0.8  # of what a claim took is remembered at the next
BATCH = 500  # taken by one claim at most, whatever the rate; more only while claims take long


@dataclass(slots=True, kw_only=True)
class Claims:
    """The claiming of one process; `is_sending` says whether any delivery is on its way."""

    store: Store
    slots: Slots
    upkeep: Upkeep
    unread: UnreadAlerts
    refusals: Refusals
    reach: Reach
    signals: Signals
    quiet: Quiet
    token_name: str
    rate: float
    is_sending: Callable[[], bool]
    _batch: int = field(init=False)  # claimed at once: replies and marks get in between
    # so that an alert is not claimed behind many that can wait
    _most_queued: int = field(init=False)
    _took: float = 0.0  # seconds a claim takes lately, from the question to the answer
    # what the last ones took: one alone that waited for a lock or a server's start says nothing of
    # the next, and slots asked for by it would be nobody's for twice as long
    _lately: deque[float] = field(default_factory=lambda: deque(maxlen=LATELY))
    _end: datetime | None = None  # of the slots reserved last
    _look_at: float = 0.0  # when to look for what goes before the queue, though that is enough
    _still: Still = field(init=False)
    _asked_at: int | None = None  # the store's version when it was asked whether the outbox rests

    def __post_init__(self) -> None:
        ahead = int(self.rate * HORIZON.total_seconds())
        self._batch = min(BATCH, max(25, int(self.rate * HORIZON.total_seconds() / 4)))
        self._most_queued = min(BATCH // 2, max(4, ahead))
        self._still = Still(self.store)

    async def keep_claiming(self) -> None:
        """Keep the queue filled: fan out a chunk, claim what has a slot soon, while others send."""
        while not self.signals.stopping:
            self.signals.claim.clear()  # before we look: what comes meanwhile is looked for again
            above = None
            if self.enough():
                above = self._lane_to_outrank()
                if above is None:
                    await self._rest(HALF)
                    continue
            elif self._still.holds(self.store.now()):
                self.upkeep.spare(boottime())
                await self._rest(IDLE)
                continue
            try:
                rest = await self._claim(above)
            except StorageError as error:
                log.warning("outbox unreachable", error=str(error))
                self.slots.slotless = True
                self.signals.feed.set()
                # to the end: who feeds has nothing, and asks for more whenever it looks
                await self._rest(IDLE, until=self.signals.stop)
                continue
            if rest:
                await self._rest(rest)

    def look_now(self) -> None:
        """There is something new: it may go before what is queued."""
        self._look_at = 0.0
        self.signals.claim.set()

    def _lane_to_outrank(self) -> Lane | None:
        """The queue's first lane, when it is time to look for what goes before it.

        Beside many replies what is enough lasts for seconds.
        """
        now = boottime()
        if self.reach.away or self.refusals.down or now < self._look_at:
            return None
        # A look takes as long as a claim. None is worth the slots that would pass until the claim
        # after it, which finds the same.
        lasts = max(self.slots.ahead(now), len(self.slots.queue) / self.rate)
        if lasts < HALF + 2 * self._took:
            return None
        first = self.slots.first_lane
        if first is Lane.URGENT:  # nothing goes before it
            return None
        return first

    async def _rest(self, seconds: float, *, until: asyncio.Event | None = None) -> None:
        """Wait so long, or until there is something to claim, or another event."""
        if self.signals.stopping:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await (until or self.signals.claim).wait()

    def enough(self) -> bool:
        """Enough is queued, with slots for half the horizon.

        Or Telegram is away, or one delivery asks for all.
        """
        if self.reach.away:
            return True
        now = boottime()
        wanted = self._turns(now)
        ahead = self.slots.ahead(now)
        # a slow claim is asked for that much earlier, and for more slots: else those that passed
        # meanwhile are all it brings, round after round
        enough = HALF + self._took
        if wanted:
            return ahead > enough
        queued = len(self.slots.queue)
        if self.refusals.down:
            return bool(queued) or self.is_sending()
        if not queued:
            return False
        return queued >= self._most_queued + self.rate * self._took or ahead > enough

    async def _claim(self, above: Lane | None) -> float:
        """Fan out a chunk and claim a batch; the seconds until it is worth looking again.

        With a lane `above` only what goes before that one is claimed.
        """
        begun = boottime()
        self._look_at = begun + HORIZON.total_seconds() / 2
        fanned = await self.upkeep.fan_out()
        more = await self.upkeep.tidy(begun, lease=LEASE)
        async with self.store.writing() as db:
            if above is not None:
                await self._give_way(db, above)
            asked = boottime()
            horizon = HORIZON + 2 * timedelta(seconds=self._took)
            limit = self._room(above)
            if self.refusals.down:  # one asks for all
                limit = 1
            answer_in = timedelta(0)
            if self.slots.are_shared(asked):
                answer_in = timedelta(seconds=self._took)
            claim = await storage.claims.claim(
                db,
                token=self.token_name,
                rate=self.slots.pace(begun),
                horizon=horizon,
                lease=LEASE,
                limit=limit,
                above=above,
                turns=self._turns(asked),
                end=self._end,
                answer_in=answer_in,
                left_out=self.unread.alerts,
            )
        self._lately.append(boottime() - begun)
        slow = sorted(self._lately)[-2:][0]  # the second slowest, if there were two
        self._took = min(max(slow, FORGET * self._took), SLOWEST)
        self._end = claim.end
        self._keep_quiet(claim.paused, begun)
        self.slots.slotless = claim.first_in > max(horizon, claim.every)
        self.slots.queue_up(claim, asked, asked + claim.lease.total_seconds() - LEASE_MARGIN)
        if claim.slots:
            self.signals.feed.set()
        if claim.deliveries or fanned or more:
            return 0.0
        if claim.full or (self.slots.by_row and self.slots.replies):
            return HORIZON.total_seconds() / 4
        if claim.paused == timedelta() and self._still.repeats:
            await self._look_whether_it_rests()
        return IDLE

    async def _look_whether_it_rests(self) -> None:
        """Ask, once a version of the store, whether nothing waits in the outbox at all."""
        if self._asked_at == self._still.version:
            return
        self._asked_at = self._still.version
        async with self.store.reading() as db:
            nothing = await storage.due.is_nothing_open(db)
            until = await storage.quiet.first_end(db)
        self._still.found(nothing=nothing, until=until)

    def _keep_quiet(self, paused: timedelta, begun: float) -> None:
        """Let answers keep a pause too that an earlier process or a replica was told.

        Those that are no longer than `HELD` are of our own making: answers end them sooner. A
        longer one that is known here goes by the row, which is moved with a clock that was set.
        """
        if paused > HELD or self.quiet.left_for_all() > HELD.total_seconds():
            self.quiet.go_by(paused.total_seconds(), asked=begun)

    def _turns(self, now: float) -> int:
        """The number that wait here for a slot of the row; 0 where slots come otherwise."""
        if not self.slots.by_row:
            return 0
        return self.slots.without_slot(now)

    def _room(self, above: Lane | None) -> int:
        """The number of deliveries to claim.

        Where replies may take their slots, no more than a part of a second's in the queue, or their
        leases would end there.
        """
        while_claiming = math.ceil(2 * self.rate * self._took)
        if above is not None:
            return self._most_queued + while_claiming
        if not self.slots.by_row:
            return self._batch + while_claiming
        free = max(self._most_queued + while_claiming - len(self.slots.queue), 0)
        return min(self._batch + while_claiming, free)

    async def _give_way(self, db: Db, above: Lane) -> None:
        """Give back what is queued for chats that wait for something of a lane `above`."""
        queued = [one.item for one in self.slots.queue]
        if chats := await storage.claims.outranked(db, queued, above, self.unread.alerts):
            await storage.deliveries.release(db, self.slots.put_aside(chats))

    async def give_back(self) -> None:
        """Give back the deliveries that were claimed and not begun: they are anybody's again."""
        items = self.slots.drain()
        if items:
            async with self.store.writing() as db:
                await storage.deliveries.release(db, items)
