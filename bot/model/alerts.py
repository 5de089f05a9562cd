"""Alerts: a decision, stored once, without language or text; and deliveries, alert × chat.

What an alert of one kind carries is its payload; how that is stored is known to its kind alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Any, ClassVar, Self

from bot.model.chats import Post
from bot.model.rates import Rate, Series
from bot.model.versions import must_read
from bot.reasons import Reason

#: In the place of a subscription's key: every chat that is written to.
EVERYBODY = "*"


class Severity(StrEnum):
    """The gravity: `info` is shown, `notable` is told, `urgent` goes first and is marked."""

    INFO = "info"
    NOTABLE = "notable"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """0, 1, 2: so that severities compare."""
        return tuple(Severity).index(self)  # their words would compare by the alphabet


class Lane(IntEnum):
    """The order of sending: somebody waiting or in danger, then alerts, then what can wait."""

    # The store keeps the numbers and sorts what is due by them.
    URGENT = 0
    ALERT = 1
    ROUTINE = 2


class Approval(StrEnum):
    """The standing of an alert that needs an operator's word; all but the first are final."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    JOINED = "joined"  # its story is one that was told before
    EXPIRED = "expired"  # nobody answered in time


class State(StrEnum):
    """A delivery's life. The first four are open; the others are final."""

    PENDING = "pending"
    LEASED = "leased"
    HELD = "held"  # until its chat's quiet hours end
    WITHHELD = "withheld"  # until its channel's policy lets it go
    SENT = "sent"
    DEAD = "dead"  # `error` says why
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    COLLECTED = "collected"  # told within one message: with all that was held, or of one rate


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The fact that an alert is looked for by: a rate's series and day, a story's number, or a chat
    that operators hear of.
    """

    series: Series | None = None
    day: date | None = None
    story: int | None = None
    chat: int | None = None

    @classmethod
    def rate(cls, rate: Rate) -> Self:
        """The fact that an alert about this rate is found by."""
        return cls(series=rate.series, day=rate.effective_on)


NOTHING = About()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The promises of a kind of alert about whom it reaches and when, where they are not those of
    news.

    The store writes them beside each alert, a column of its own for each, and asks nothing else of
    a kind: what is stored keeps the terms on which it was decided.
    """

    awaited: bool = False
    """Somebody asked for it and waits: it goes also where readers want no alerts (`/stop`), and it
    is no news, which has an age.
    """

    passes_stop: bool = False
    """It leaves also while an operator lets no alert leave."""

    personal: bool = False
    """A word to one person: no page lists it or tells how far it came, and operators do not hear
    that nobody has it.
    """

    announces: bool = False
    """A word to the readers of a subject, not about it: it reaches all of them, whenever they came
    and however grave they want its news, and does not count as something that the subject told.
    """

    graded: bool = False
    """Chats chose how grave it must be: a calm one is for who wants all, and who is near."""


NEWS = Terms()


class Payload(ABC):
    """The content of an alert of one kind; a frozen value in its kind's file in `bot.alerts`.

    Its stored form is JSON with a version. The store keeps it without looking into it.
    """

    __slots__ = ()

    KIND: ClassVar[str]
    """The name under which it is stored, for ever."""

    VERSION: ClassVar[int] = 1
    """The newest version of the stored form."""

    POST: ClassVar[Post | None] = None
    """The kind of post it is to a chat's settings; None of what they do not ask about: it comes
    whenever it is due.
    """

    TERMS: ClassVar[Terms] = NEWS
    """Its audience and time, where these are not as of news."""

    @property
    def post(self) -> Post | None:
        """The kind of post of this payload, where that follows from what it is about."""
        return self.POST

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The newest version of the stored form."""

    @classmethod
    @abstractmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""

    @classmethod
    def read(cls, form: StoredForm) -> Self:
        """The payload of a stored alert of this kind; NewerError for a version it does not know."""
        cls.must_read(form)
        return cls.from_json(form.json)

    @classmethod
    def must_read(cls, form: StoredForm) -> None:
        """NewerError unless this program reads that version of the stored form.

        Of a newer one it would take the fields that it knows, and tell something else.
        """
        # two kinds may have the same fields, and mean different things by them
        if form.kind != cls.KIND:
            raise ValueError(f"a {form.kind} is read as a {cls.KIND}")
        must_read(form.kind, form.json, cls.VERSION)

    @property
    def about(self) -> About:
        """The fact written beside it in columns, so that the alert can be found by that."""
        return NOTHING


@dataclass(frozen=True, slots=True)
class StoredForm:
    """A payload as it is stored, opaque to everybody but its kind."""

    kind: str
    json: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """The readers of an alert, as a question that the store answers.

    Subscribers of a subscription key (`topic:security`, `pair:USD/KGS`), one chat, or those who got
    the alert `told`; with a key and `told`, the subscribers who did not get that one. In the place
    of a key, `EVERYBODY`: all chats. For those that chose one of the places `near`, it is graver by
    a level.
    """

    subscription: str | None = None
    chat: int | None = None
    told: int | None = None
    near: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A rule fired, once: what, how loud, why, for whom, and until when it is worth sending.

    `dedup_key` is unique for ever; an unsent delivery with the same `supersede_key` gives way to a
    newer one. With `approval` nobody is told before an operator approves; unanswered until
    `expires_at`, nobody is.
    """

    dedup_key: str
    payload: Payload
    severity: Severity
    lane: Lane
    audience: Audience
    created_at: datetime
    expires_at: datetime
    reasons: tuple[Reason, ...] = ()
    supersede_key: str | None = None
    approval: bool = False
