"""More is reported of a story: the messages that told it are edited where they stand, silently."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import storage.alerts
from bot.alerts.kind import Desk, Kind, Reader
from bot.alerts.stories import Stories
from bot.model.alerts import Alert, Audience, Lane, Payload, Severity
from bot.render.text import Message
from storage.alerts import StoredAlert


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryGrew(Payload):
    """More is reported of the story that alert `told` carried."""

    KIND = "edit"

    told: int

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": 1, "told": self.told}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(told=data["told"])


class Edits(Kind):
    """A story that grew after it was told."""

    payload = StoryGrew
    texts = (
        "news.sources",
        "news.over",
        "news.read_on",
    )

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """The story as it is now, under the buttons of the message that told it."""
        first = await storage.alerts.get(desk.db, StoryGrew.read(told.payload).told)
        if first is None:  # forgotten
            return None
        # as the first alert and not as this one: its buttons carry that number
        return await Stories().words(desk, first, reader)

    def revises(self, told: StoredAlert) -> int | None:
        """The alert that told the story."""
        return StoryGrew.read(told.payload).told


def key(told: int) -> str:
    """All edits of one alert have it: a newer one takes the place of what is not sent yet."""
    return f"edit:{told}"


def alert(told: int, why: str, *, now: datetime, expires_at: datetime) -> Alert:
    """An edit of the messages of alert `told`; `why` is unique."""
    digest = hashlib.sha256(why.encode()).hexdigest()[:16]
    return Alert(
        dedup_key=f"{key(told)}:{digest}",
        payload=StoryGrew(told=told),
        severity=Severity.INFO,
        lane=Lane.ROUTINE,  # it takes slots that news could have
        audience=Audience(told=told),
        created_at=now,
        expires_at=expires_at,
        supersede_key=key(told),
    )
