"""Troubles: whose fault it is that Telegram refuses, one chat's, one message's, or everybody's."""

from __future__ import annotations

# so many different chats refused in a row, until one and the same time: it is about the token
FLOODS_FOR_ALL = 3
SAME_TIME = 2.0  # seconds between the ends of pauses that are one
FLOODS_WHATEVER = 10  # so many in a row: likewise, whatever they say
# more refusals in a row, though Telegram answers: it sends for nobody, and one asks for all
TROUBLES_FOR_ALL = 3


class Floods:
    """The chats that were refused in a row because too much was sent, and until when."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def refused(self, chat: int, until: float) -> None:
        """Note that a chat is refused until then."""
        self._until[chat] = until

    def sent(self) -> None:
        """Note a message that was sent: refusals are in a row no more."""
        if self._until:
            self._until.clear()

    @property
    def for_all(self) -> bool:
        """Whether Telegram refuses the token, and not some chats, each for its own time."""
        ends = sorted(self._until.values())
        if len(ends) < FLOODS_FOR_ALL:
            return False
        return ends[-1] - ends[0] < SAME_TIME or len(ends) >= FLOODS_WHATEVER


class Refusals:
    """Refusals in a row that say nothing about a chat, though Telegram is there; silence is one."""

    def __init__(self) -> None:
        # whether the last one brought no answer: what was asked may be done all the same
        self._silent = False
        self._count = 0
        self._asleep_until = 0.0

    @property
    def down(self) -> bool:
        """Whether nothing is sent for anybody: then one delivery asks for all."""
        return self._count > TROUBLES_FOR_ALL

    @property
    def unanswered(self) -> bool:
        """Whether the last message got no answer, and none was sent since."""
        return self._count > 0 and self._silent

    def refused(self, now: float, *, silent: bool = False) -> bool:
        """One more; whether it is the first since something was sent."""
        first = self._count == 0
        self._silent = silent
        if now >= self._asleep_until:  # else it flew beside the one that put us to sleep
            self._count += 1
        return first

    def sleep(self, now: float, seconds: float) -> bool:
        """Let all rest before the next asks; False where they rest already."""
        if now < self._asleep_until:
            return False
        self._asleep_until = now + seconds
        return True

    def sent(self) -> bool:
        """Something was sent; whether that ends refusals."""
        ended = self._count > 0
        self._count = 0
        return ended
