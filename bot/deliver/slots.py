"""Slots: who may send when, deliveries and replies, and how soon it is the next one's turn.

Slots come from the token's shared row, reserved a little ahead of their time so that the network
never waits for the database; the local gate (`limits`) looks at what really leaves. Where several
senders share the row, a slot that was missed is lost, because the next ones may be another's; its
delivery takes our next slot.

Replies wait for their turn in the same rate: first, until deliveries are owed their share. A
process that is alone with its database asks the gate only; on a server a reply takes a slot of the
row, one that a delivery had if there is any.

Nothing here waits or asks anybody. Times are seconds of `boottime`: `time.monotonic()` stops while
the machine sleeps, and a lease does not.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Collection
from typing import NamedTuple

from bot.clock import boottime
from bot.deliver.limits import LATE, SHARED_PACE, TICK, Gate, Shares
from bot.deliver.signals import IDLE
from bot.model.alerts import Lane
from storage.claims import Claim, Claimed
from storage.pace import SHARED_LOOKBACK

OLD_SLOT = 5.0  # seconds after which a slot is lost also where nobody else sends
WORD_EVERY = 1.0  # seconds between replies where no slot is to be had


class Ready(NamedTuple):
    """A claimed delivery; until when it may be begun, and until when it is worth sending."""

    item: Claimed
    until: float
    expires: float


class Slots:
    """The slots of one process, and who waits for them here.

    `by_row` says that other processes may send: replies need slots of the row too. `has_room` says
    whether one more may be in flight, `is_away` whether Telegram does not answer.
    """

    def __init__(
        self,
        rate: float,
        *,
        by_row: bool,
        has_room: Callable[[], bool],
        is_away: Callable[[], bool],
    ) -> None:
        self.by_row = by_row
        self.feeding = False  # whether somebody starts senders and lets replies out
        self.slotless = False  # no slot is to be had: the database is away, or sending is paused
        self.shared_until = 0.0  # until when others are taken to be at work
        self.queue: deque[Ready] = deque()  # by lane, each in the order of the claims
        # that wait, first come first
        self.replies: deque[asyncio.Future[float | None]] = deque()
        self._rate = rate
        self._has_room = has_room
        self._is_away = is_away
        self._slots: deque[float] = deque()  # ours; anybody's here whose turn it is
        self._gate = Gate(rate, last=boottime())  # as far as we know one left just now
        self._shares = Shares()

    def start(self) -> None:
        """Somebody starts senders from now on; until we know better, others are at work too."""
        self.feeding = True
        if self.by_row:
            self.shared_until = boottime() + SHARED_LOOKBACK.total_seconds()

    def close(self) -> None:
        """Nobody starts senders any more: the replies that wait look after themselves."""
        self.feeding = False
        while self.replies:
            _grant(self.replies.popleft(), None)

    # ── what was claimed ────────────────────────────────────────────────────

    def are_shared(self, now: float) -> bool:
        """Whether others are taken to be at work."""
        return now < self.shared_until

    def pace(self, now: float) -> float:
        """At how many a second slots are to be reserved."""
        if self.are_shared(now):
            return min(self._rate * SHARED_PACE, self._gate.pace)
        return self._gate.pace

    def ahead(self, now: float) -> float:
        """Seconds from `now` to the last slot; 0 without one."""
        if not self._slots:
            return 0.0
        return self._slots[-1] - now

    def without_slot(self, now: float) -> int:
        """The number that wait here with no slot to go in."""
        self.drop_missed(now)
        return max(0, len(self.queue) + len(self.replies) - len(self._slots))

    def queue_up(self, claim: Claim, asked: float, until: float) -> None:
        """Take what was claimed, to be begun until `until`.

        Its slots are counted from when the claim was `asked` for, however late we heard of it.
        """
        if claim.shared:
            self.shared_until = boottime() + SHARED_LOOKBACK.total_seconds()
        first, every = asked + claim.first_in.total_seconds(), claim.every.total_seconds()
        self._slots.extend(first + number * every for number in range(claim.slots))
        last: Lane | None = None
        if self.queue:
            last = self.queue[-1].item.lane
        for item in claim.deliveries:
            expires = math.inf
            if item.expires_in is not None:
                expires = asked + item.expires_in.total_seconds()
            self.queue.append(Ready(item, until, expires))
        # What was claimed comes in lane order; only beside an earlier claim it may be out of it.
        if last is not None and claim.deliveries and last > claim.deliveries[0].lane:
            self.queue = deque(sorted(self.queue, key=lambda one: one.item.lane))

    @property
    def first_lane(self) -> Lane | None:
        """The lane of the first delivery of the queue; None when it is empty."""
        return self.queue[0].item.lane if self.queue else None

    def put_aside(self, chats: Collection[int]) -> list[Claimed]:
        """Take these chats' deliveries out of the queue."""
        aside = [one.item for one in self.queue if one.item.chat in chats]
        self.queue = deque(one for one in self.queue if one.item.chat not in chats)
        return aside

    def drain(self) -> list[Claimed]:
        """All that waits in the queue, which is empty then."""
        items = [one.item for one in self.queue]
        self.queue.clear()
        return items

    def drop_missed(self, now: float) -> None:
        """Beside other senders a slot that was missed is lost.

        Those that wait go in our next, or ask for more.
        """
        late = OLD_SLOT
        if self.are_shared(now):
            late = LATE
        while self.by_row and self._slots and now > self._slots[0] + late:
            self._slots.popleft()

    # ── whose turn it is ────────────────────────────────────────────────────

    def next_in(self, now: float) -> float:
        """Seconds until it is somebody's turn."""
        first = IDLE
        if self.replies and not self._owed:
            first = min(first, self._reply_in(now))
        if self._waiting_lane is not None and (wait := self.delivery_in(now)) < first:
            first = wait
            if 0 < wait < TICK:  # what is due within one tick leaves together
                first = TICK
        return first

    def delivery_in(self, now: float) -> float:
        """Seconds until the first delivery may go.

        With nothing owed that is at its slot, else as soon as a reply might.
        """
        owed = self._shares.deliveries_first and bool(self.replies)
        if self.by_row:
            gate = self._gate.wait(now, first=owed, slots_rule=self.are_shared(now))
            return max(self._slot_in(now), gate)
        at = 0.0
        if self._slots and not owed:
            at = self._slots[0] - now
        return max(at, self._gate.wait(now, first=owed))

    def take(self) -> Ready:
        """The first delivery; it has not left yet."""
        return self.queue.popleft()

    def leave(self, now: float) -> None:
        """Count the taken delivery as leaving, and use its slot up."""
        if self._slots:
            self._slots.popleft()
        if not self.queue and not self.by_row:
            self._slots.clear()  # of what was given back
        self._gate.take(now)
        self._shares.delivered()

    def leave_late(self, now: float) -> None:
        """A delivery that left waited for its words, and is counted once more.

        Those that wait for the same words leave together, later than they were counted.
        """
        self._gate.take(now)

    def wait_for_turn(self) -> asyncio.Future[float | None]:
        """Join the replies that wait: at the reply's turn it is that moment, None when feeding
        ended.
        """
        waiting: asyncio.Future[float | None] = asyncio.get_running_loop().create_future()
        self.replies.append(waiting)
        return waiting

    def answer(self, now: float) -> None:
        """Let out the replies that wait, as far as it is their turn."""
        while self.replies:
            if self.replies[0].done():  # nobody waits for it any more
                self.replies.popleft()
            elif self.reply_goes(now):
                _grant(self.replies.popleft(), now)
            else:
                return

    def answered(self, turn: float, now: float) -> None:
        """The reply whose turn was at `turn` leaves now.

        On a busy machine it comes to that tenths of a second later, together with others, and a
        second counted by their turns would have room for more than leaves in it.
        """
        if now - turn > TICK:
            self._gate.leave_late(turn, now)

    def reply_goes(self, now: float) -> bool:
        """Whether a reply may leave now; then it counts as sent."""
        if not self.feeding or self._owed or self._reply_in(now) > 0:
            return False
        if self.by_row and self._slots:
            self._slots.popleft()
        self._gate.take(now, reply=True)
        self._shares.replied(self._waiting_lane)
        return True

    def word_goes(self, now: float) -> bool:
        """Whether a reply may leave now where nobody starts senders; then it counts as sent.

        So it is before the start and after a stop.
        """
        if self.by_row:
            wait = WORD_EVERY - self._gate.quiet_for(now)
        else:
            wait = self._gate.wait(now, first=True)
        if wait <= 0:
            self._gate.take(now, reply=True)
        return wait <= 0

    @property
    def _waiting_lane(self) -> Lane | None:
        """The lane of the delivery that would go next; None where none can."""
        if not self.queue or not self._has_room():
            return None
        return self.queue[0].item.lane

    @property
    def _owed(self) -> bool:
        """Whether the next turn is a delivery's, whoever asks."""
        return self._shares.deliveries_first and self._waiting_lane is not None

    def _reply_in(self, now: float) -> float:
        """Seconds until a reply may go that is first."""
        if not self.by_row:
            return self._gate.wait(now, first=True)
        if (self.slotless or self._is_away()) and not self._slots:
            return WORD_EVERY - self._gate.quiet_for(now)
        gate = self._gate.wait(now, first=True, slots_rule=self.are_shared(now))
        return max(self._slot_in(now), gate)

    def _slot_in(self, now: float) -> float:
        self.drop_missed(now)
        if not self._slots:
            return math.inf
        return self._slots[0] - now


def _grant(waiting: asyncio.Future[float | None], turn: float | None) -> None:
    if not waiting.done():
        waiting.set_result(turn)
