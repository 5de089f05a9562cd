"""More is reported of a story: the messages that told it are edited where they stand, silently."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, ClassVar

import storage.alerts
from bot.alerts.kind import Desk, Reader, Told
from bot.alerts.stories import Stories
from bot.model.alerts import Alert, Audience, Lane, Severity, StoryGrew
from bot.render.text import Message
from storage.alerts import StoredAlert


class Edits(Told):
    """A story that grew after it was told."""

    payload: ClassVar[type[StoryGrew]] = StoryGrew

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """The story as it is now, under the buttons of the message that told it."""
        grew: StoryGrew = told.payload
        first = await storage.alerts.get(desk.db, grew.told)
        return await Stories().words(desk, first, reader) if first is not None else None

    def revises(self, payload: Any) -> int | None:  # noqa: ANN401 - of its own kind
        """The alert that told the story."""
        told: int = payload.told
        return told


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
        lane=Lane.ROUTINE,
        audience=Audience(told=told),
        created_at=now,
        expires_at=expires_at,
        supersede_key=key(told),
    )
