"""The update at hand: what it asked for and what became of it, which is its line in the log.

Whoever receives updates begins it, the route that takes it says what was asked, and whoever sends
its answers says how they left. It goes with the context, into the tasks begun meanwhile too.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass

import structlog

from bot.log import verbose

log = structlog.get_logger(__name__)

IGNORED, ANSWERED, FAILED = "ignored", "answered", "failed"
POSTPONED, REFUSED = "postponed", "refused"
#: What an answer that Telegram took is called, by how its method begins; other calls are none.
_TAKEN = (("send", "sent"), ("edit", "edited"), ("answer", ANSWERED))
#: It begins as an answer does, and is none.
_SIGN = "sendChatAction"


@dataclass(slots=True, kw_only=True)
class AtHand:
    """An update that is handled.

    `number` is Telegram's, None of what came otherwise; `arrived` is a time of `time.perf_counter`.
    `asked` names the route that took it, in words of ours alone. `calls` counts the requests that
    its answers took, and `ended` is what became of the last of these.
    """

    number: int | None
    arrived: float
    asked: str | None = None
    calls: int = 0
    ended: str = IGNORED

    @property
    def took(self) -> float:
        """Seconds since it arrived, its waits for earlier ones and for the database among them."""
        return time.perf_counter() - self.arrived

    def answered(self, method: str, refusal: str | None = None) -> None:
        """An answer left by a method, or what became of it instead."""
        taken = next((word for verb, word in _TAKEN if method.startswith(verb)), None)
        if taken is None or method == _SIGN:
            return
        # a press is let go besides what is said to it
        if taken is ANSWERED and self.ended != IGNORED:
            return
        self.ended = refusal or taken

    def tell(self, kind: str) -> None:
        """Log its line, once it was handled; what members of a group say to each other has none."""
        tells = log.info
        if self.asked is None and not self.calls and self.ended != FAILED:
            if not verbose():
                return
            tells = log.debug
        took, calls = round(self.took * 1000), self.calls
        tells("handled", kind=kind, asked=self.asked, ended=self.ended, calls=calls, ms=took)


_AT_HAND: ContextVar[AtHand | None] = ContextVar("at_hand", default=None)


def begin(number: int, *, arrived: float) -> AtHand:
    """The update that is at hand from now on."""
    made = AtHand(number=number, arrived=arrived)
    _AT_HAND.set(made)
    return made


def at_hand() -> AtHand:
    """The update at hand; one of no number that arrived now where there is none."""
    return _AT_HAND.get() or AtHand(number=None, arrived=time.perf_counter())
