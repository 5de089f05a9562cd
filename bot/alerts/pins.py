"""A chat's board is pinned, once it was made; nobody is notified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from bot.alerts.kind import Kind, Kit, Reader
from bot.model.alerts import Alert, Audience, Lane, Payload, Severity
from bot.model.calls import Call
from bot.render.text import Message
from storage.alerts import StoredAlert

LASTS = timedelta(days=1)
METHOD = "pinChatMessage"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinDue(Payload):
    """A message of the chat that is to be pinned."""

    KIND = "pin"

    message: int

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": self.VERSION, "message": self.message}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(message=data["message"])


class Pins(Kind):
    """A message to be pinned."""

    payload = PinDue
    texts = ()

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - has none
        """A pin has no words: see `ready`."""
        return None

    def ready(self, told: StoredAlert, *, plain: bool) -> Call | None:  # noqa: ARG002 - nothing plainer
        """Pin it; in a channel that makes no sound in any case."""
        number = PinDue.read(told.payload).message
        return Call(method=METHOD, parameters={"message_id": number, "disable_notification": True})


def alert(chat: int, version: int, message: int, *, now: datetime) -> Alert:
    """Pin the message of a chat's board, as that of its version."""
    return Alert(
        dedup_key=f"pin:{chat}:{version}",
        payload=PinDue(message=message),
        severity=Severity.INFO,
        lane=Lane.ROUTINE,
        audience=Audience(chat=chat),
        created_at=now,
        expires_at=now + LASTS,
    )
