"""Broadcasts: a message that an operator writes to all chats, or to the readers of a topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.model.chats import ChatKind
from bot.model.entities import Entity


class Step(StrEnum):
    """The steps of a broadcast, from the question for its words to its end."""

    ASKED = "asked"  # its words are awaited
    SHOWN = "shown"  # its preview and its readers are
    SURE = "sure"  # it was confirmed once, and has to be once more
    SENDING = "sending"
    DONE = "done"  # all that could be sent was, or it was stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBroadcast:
    """A broadcast as the store keeps it, bound to the operator's own `chat`.

    `audience` is a subscription's key or `EVERYBODY`; `entities` are those of its text.
    While it is sent, `message` is where its progress stands, `reach` how many chats it was
    confirmed for, and `shown` how many of its deliveries were settled when the progress was written
    last.
    """

    id: int
    chat: int
    step: Step
    audience: str
    text: str = ""
    entities: tuple[Entity, ...] = ()
    alert: int | None = None
    message: int | None = None
    reach: int = 0
    shown: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The number of chats that a broadcast would be sent to, by kind."""

    kinds: Mapping[ChatKind, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a broadcast: chats that got it, that could not get it, that are to get it.

    `open` while there is something to be done; `stopped` says that an operator ended it.
    """

    sent: int
    failed: int
    waiting: int
    stopped: int
    open: bool

    @property
    def settled(self) -> int:
        """The number of chats that need nothing more."""
        return self.sent + self.failed + self.stopped
