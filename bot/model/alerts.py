"""Alerts: a decision, stored once, without language or text; and deliveries, alert × chat.

A payload is a small versioned value. `to_json` and `from_json` are the only way
in and out of the store, so that a new program can read an old decision.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, ClassVar, Self

from bot.model.rates import Rate, rate_from_json, rate_to_json
from bot.model.reasons import Reason


class Severity(StrEnum):
    """How grave: `info` is shown, `notable` is told, `urgent` goes first and is marked."""

    INFO = "info"
    NOTABLE = "notable"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """0, 1, 2: so that severities compare."""
        return tuple(Severity).index(self)


class Lane(IntEnum):
    """Who goes first: somebody waiting or in danger, then alerts, then what can wait."""

    URGENT = 0
    ALERT = 1
    ROUTINE = 2


class Approval(StrEnum):
    """Where an alert stands that needs an operator's word; the last three are final."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"  # nobody answered in time


class State(StrEnum):
    """A delivery's life. The first two are open; the others are final."""

    PENDING = "pending"
    LEASED = "leased"
    SENT = "sent"
    DEAD = "dead"  # `error` says why
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateMoved:
    """A big move of `new` against `baseline` (the last alerted rate, or the previous fixing when
    there was none).

    `rules` names the conditions that fired (`fixing`, `drift`, `high`, `low`), `since_on` the day
    the baseline was effective, `extreme_since` the day of the last comparable move or level, when
    known. `usual` is the usual size of a daily move in percent; `told` is False when nothing was
    ever alerted and the baseline is where watching began. A move is not `confirmed` when it is
    large and one source alone says so.
    """

    KIND: ClassVar[str] = "move"

    baseline: Rate
    previous: Rate
    new: Rate
    rules: tuple[str, ...]
    usual: Decimal
    extreme_since: date | None = None
    told: bool = True
    confirmed: bool = True

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {
            "v": 1,
            "told": self.told,
            "confirmed": self.confirmed,
            "baseline": rate_to_json(self.baseline),
            "previous": rate_to_json(self.previous),
            "new": rate_to_json(self.new),
            "rules": list(self.rules),
            "usual": format(self.usual, "f"),
            "extreme_since": self.extreme_since.isoformat() if self.extreme_since else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read any version we ever wrote."""
        since = data.get("extreme_since")
        return cls(
            baseline=rate_from_json(data["baseline"]),
            previous=rate_from_json(data["previous"]),
            new=rate_from_json(data["new"]),
            rules=tuple(data["rules"]),
            usual=Decimal(data["usual"]),
            told=data.get("told", True),
            confirmed=data.get("confirmed", True),
            extreme_since=date.fromisoformat(since) if since else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFired(RateMoved):
    """A chat's own rule came true: a move like any other, whose only entry in `rules` is the rule
    in its own words.

    `baseline` is what it was measured from; `rule` is its number in the store, which may be gone by
    now.
    """

    KIND: ClassVar[str] = "rule"

    rule: int

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {**RateMoved.to_json(self), "rule": self.rule}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read any version we ever wrote."""
        moved = RateMoved.from_json(data)
        return cls(
            **{field.name: getattr(moved, field.name) for field in fields(RateMoved)},
            rule=data["rule"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryBroke:
    """A new story worth telling; the words are read from the archive when it is sent."""

    KIND: ClassVar[str] = "story"

    story: int
    topics: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": 1, "story": self.story, "topics": list(self.topics)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(story=data["story"], topics=tuple(data["topics"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestDue:
    """A digest for the calendar day `day`, at its time; `late` when it was missed and caught up."""

    KIND: ClassVar[str] = "digest"

    day: date
    late: bool = False

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": 1, "day": self.day.isoformat(), "late": self.late}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(day=date.fromisoformat(data["day"]), late=data["late"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something an operator must know: `msgid` from the catalogs, filled with `values`."""

    KIND: ClassVar[str] = "notice"

    msgid: str
    values: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": 1, "msgid": self.msgid, "values": [list(pair) for pair in self.values]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(msgid=data["msgid"], values=tuple((str(k), str(v)) for k, v in data["values"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCorrected:
    """A source revised a figure that alert `told` carried: it said `old`, it is `new`."""

    KIND: ClassVar[str] = "correction"

    told: int
    old: Rate
    new: Rate

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {
            "v": 1,
            "told": self.told,
            "old": rate_to_json(self.old),
            "new": rate_to_json(self.new),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(
            told=data["told"], old=rate_from_json(data["old"]), new=rate_from_json(data["new"])
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryGrew:
    """More is known of the story of alert `told`: its messages are edited in place, silently."""

    KIND: ClassVar[str] = "edit"

    told: int

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": 1, "told": self.told}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(told=data["told"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer to a reader that Telegram did not take at once: a method and its body without the
    chat, as it was.
    """

    KIND: ClassVar[str] = "answer"

    method: str
    body: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": 1, "method": self.method, "body": self.body}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(method=data["method"], body=dict(data["body"]))


Payload = (
    RateMoved | RuleFired | RateCorrected | StoryBroke | StoryGrew | DigestDue | Notice | Answered
)
PAYLOADS: dict[str, type[Payload]] = {
    cls.KIND: cls
    for cls in (
        RateMoved,
        RuleFired,
        RateCorrected,
        StoryBroke,
        StoryGrew,
        DigestDue,
        Notice,
        Answered,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom an alert is for, as a question the store answers: subscribers of a subscription key, one
    chat, or those who got the alert `told`; with a key and `told`, the subscribers who did not get
    that one.

    Keys are `topic:security`, `pair:USD/KGS`, `digest:09:00@Asia/Bishkek`.
    """

    subscription: str | None = None
    chat: int | None = None
    told: int | None = None


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
