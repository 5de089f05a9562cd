"""Limits of a message on its way out: the token's rate, who goes first, each chat's own pace.

The gate looks at what really left this process: never more than the rate in any window a little
longer than a second, because what leaves evenly does not arrive evenly. Slots of the store's shared
row come on top where several processes send. All times are seconds on one clock that never goes
back.
"""

from __future__ import annotations

from collections import deque

from bot.model.alerts import Lane
from storage.pace import GROUP_BURST, GROUP_EVERY, PRIVATE_EVERY

# of the rate where several senders share it: together they may be LATE by as much as that leaves
SHARED_PACE = 0.975
LATE = 0.02  # seconds: a slot missed by more is lost, because what follows it is another sender's
CATCH_UP = 1.25  # times the pace, after a stall
TICK = 0.004  # seconds: messages due this close together leave together, which saves wake-ups
# seconds a window is longer than a second: what arrives in one left within a little more or less
LEAST_SLACK = 0.008
MOST_SLACK = 0.04  # likewise, where one message more is a large part of the rate
BURST_PART = 4  # a burst of replies is this part of the rate
# of the rate, at least one message: what deliveries leave free for replies while there is talk
KEPT_FREE = 0.01
TALK_PAUSE = 10.0  # seconds after a reply in which the next is expected
ALERTS_A_REPLY = 1 / 2  # where both wait: a third of the rate is for the urgent and alert lanes
ROUTINE_A_REPLY = 1 / 9  # likewise: a tenth for the routine lane
# seconds: a menu is gone through in taps; who asks on is slowed down where it is handled
PRIVATE_REPLIES = 16.0
#: Is the chat private? → seconds of its pace that a burst of replies may use at once.
REPLY_BURSTS = {True: PRIVATE_REPLIES, False: (GROUP_BURST - GROUP_EVERY).total_seconds()}
MOST_CHATS = 10_000  # kept in memory


class Gate:
    """At most `rate` messages leave in any window.

    `last` says that another process may have sent until that moment.
    """

    def __init__(self, rate: float, *, last: float | None = None) -> None:
        self._most = max(1, int(rate))
        self._window = max(1 / rate, 1 + max(LEAST_SLACK, min(MOST_SLACK, 1 / rate)))
        self._every = self._window / self._most
        self._burst = max(1, self._most // BURST_PART)
        self._free = max(int(self._most * KEPT_FREE), self._most > BURST_PART)
        self._left: deque[float] = deque()
        self._next = 0.0
        self._talked = float("-inf")
        if last is not None:
            self._left.extend(last - self._every * number for number in range(self._most, 0, -1))

    @property
    def pace(self) -> float:
        """Messages a second when there is no end to them."""
        return 1 / self._every

    def wait(self, now: float, *, first: bool = False, slots_rule: bool = False) -> float:
        """Seconds until one more message may leave; 0 or less is now.

        `first` is a reply, or a delivery that must not give way to replies any more. With
        `slots_rule` the pace is kept elsewhere.
        """
        most = self._most
        if not first and now - self._talked <= TALK_PAUSE:  # a talk's next goes at once
            most -= self._free
        full = 0.0
        if len(self._left) >= most:
            full = self._left[-most] + self._window - now
        if slots_rule:
            return full
        early = 0.0
        if first:
            early = (self._burst - 1) * self._every
        return max(full, self._next - early - now - TICK)

    def take(self, now: float, *, reply: bool = False) -> None:
        """One leaves now."""
        self._left.append(now)
        if len(self._left) > self._most:
            self._left.popleft()
        self._next = max(self._next, now) + self._every / CATCH_UP
        if reply:
            self._talked = now

    def leave_late(self, taken: float, now: float) -> None:
        """Count a message let go at `taken` as leaving only now."""
        if taken in self._left:
            self._left.remove(taken)
        self._left.append(now)
        if len(self._left) > self._most:
            self._left.popleft()

    def quiet_for(self, now: float) -> float:
        """Seconds since the last message."""
        if not self._left:
            return float("inf")
        return now - self._left[-1]


class Shares:
    """The order of replies and deliveries where both wait: a reply first, until deliveries are
    owed.

    The urgent and alert lanes keep a third of the rate, the routine lane a tenth; whoever does not
    wait gives its part to the others.
    """

    def __init__(self) -> None:
        self._owed = 0.0

    @property
    def deliveries_first(self) -> bool:
        """Whether a delivery is owed: replies had their part."""
        return self._owed >= 1

    def replied(self, waiting: Lane | None) -> None:
        """A reply left, while a delivery of that lane waited, or none."""
        if waiting is None:  # nobody waits for its part: it is the others', and not saved up
            self._owed = 0.0
        elif waiting is Lane.ROUTINE:
            self._owed += ROUTINE_A_REPLY
        else:
            self._owed += ALERTS_A_REPLY

    def delivered(self) -> None:
        """Count a delivery that left."""
        self._owed = max(0.0, self._owed - 1)


class ChatPaces:
    """The messages that this process sent to each chat, as a leaky bucket.

    It lets through a short burst, then one a second or fifteen a minute. Replies leave room in a
    group's bucket for one alert; in a private chat both have a bucket of their own.
    """

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def knows(self, chat: int) -> bool:
        """Whether anything is known of that chat."""
        return chat in self._until

    def meet(self, chat: int, until: float) -> None:
        """Fill a chat's bucket until then, for what an earlier process sent there."""
        self._until[chat] = max(until, self._until.get(chat, until))

    def wait(self, chat: int, now: float, burst: float) -> float:
        """Seconds until the chat may get a message, one of a `burst` so long; 0 or less is now."""
        return self._until.get(chat, now) - burst - now

    def take(self, chat: int, now: float) -> None:
        """Count a message to the chat."""
        every = GROUP_EVERY
        if chat > 0:
            every = PRIVATE_EVERY
        self._until[chat] = max(self._until.get(chat, now), now) + every.total_seconds()
        if len(self._until) > MOST_CHATS:
            self._until = {one: until for one, until in self._until.items() if until > now}
