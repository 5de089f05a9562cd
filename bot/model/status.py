"""Status: how fresh each source is and how the queue stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """One source as an operator sees it.

    `last_ok_at` is None when it never answered; `error` is its last trouble, in our words.
    `newest_on` is the day of a bank's newest rates, `stuck_on` the same when it answers but brings
    nothing new. One that an operator `paused` is not polled.
    """

    key: str
    names: dict[str, str]
    last_ok_at: datetime | None
    next_due_at: datetime | None
    failures: int
    error: Reason | None
    stuck_on: date | None = None
    paused: bool = False
    newest_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The answer to /status: sources, open deliveries, age of the oldest, time of the last sent.

    `stopped_at` is since when an operator lets no alert leave.
    """

    now: datetime
    sources: tuple[SourceStatus, ...]
    waiting: int
    oldest: timedelta | None
    last_sent_at: datetime | None
    stopped_at: datetime | None = None
