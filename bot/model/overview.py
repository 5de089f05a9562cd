"""The whole at a glance, as an operator sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.model.alerts import Lane
from bot.model.broadcasts import Reach
from bot.model.rates import Rate
from bot.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneWaits:
    """The number of open deliveries of a lane and alerts still to be given to chats, and the age of
    the alert that waits longest.
    """

    lane: Lane
    waiting: int
    oldest: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRate:
    """A rate that waits for an operator's word, by its number, and why."""

    id: int
    rate: Rate
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The outbox by lane, the chats that are written to, and how much waits for a word."""

    lanes: tuple[LaneWaits, ...]
    chats: Reach
    subscriptions: int
    held: int
    stories: int
