"""The greeting of a group that let the bot in: what may be asked, and who sets it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from bot.alerts.kind import Kind, Kit, Reader
from bot.model.alerts import Alert, Audience, Lane, Payload, Severity
from bot.render import welcome as render
from bot.render.text import Message
from storage.alerts import StoredAlert

LASTS = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupGreeted(Payload):
    """A greeting; there is nothing to know of it but whose it is."""

    KIND = "greeting"

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": self.VERSION}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:  # noqa: ARG003 - nothing is in it
        """Read any version we ever wrote."""
        return cls()


class Greetings(Kind):
    """The greeting of a group."""

    payload = GroupGreeted
    texts = ("group.hello", "group.setup", "settings.change_topics", "settings.title")

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - the same for all
        """In the language of whoever added the bot, which a button changes."""
        return render.group(reader.language)


def alert(chat: int, *, now: datetime) -> Alert:
    """The greeting of a group; who lets the bot in twice a day is greeted once."""
    return Alert(
        dedup_key=f"greeting:{chat}:{now:%Y-%m-%d}",
        payload=GroupGreeted(),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=chat),
        created_at=now,
        expires_at=now + LASTS,
    )
