"""An answer to a reader that Telegram did not take at once: sent later, as it was."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from bot.alerts.kind import Desk, Kind, Reader
from bot.model.alerts import ANSWER, Alert, Audience, Lane, Payload, Severity
from bot.render.text import Message
from storage.alerts import StoredAlert


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Payload):
    """A method and its body without the chat, as it was."""

    KIND = ANSWER

    method: str
    body: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": 1, "method": self.method, "body": self.body}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(method=data["method"], body=dict(data["body"]))


class Answers(Kind):
    """A late answer."""

    payload = Answered
    texts = ()

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - has none
        """An answer has its words already: see `ready`."""
        return None

    def ready(self, told: StoredAlert, *, plain: bool) -> tuple[str, dict[str, Any]] | None:
        """As it was meant; after a refusal only its words, as a message of their own."""
        answered = Answered.read(told.payload)
        if not plain:
            return answered.method, answered.body
        text = answered.body.get("text", answered.body.get("caption", ""))
        return "sendMessage", {"text": text, "link_preview_options": {"is_disabled": True}}


def alert(
    asker: int,
    chat: int,
    method: str,
    body: dict[str, Any],
    *,
    flood: bool,
    now: datetime,
    lasts: timedelta,
) -> Alert:
    """The answer to what chat `asker` asked, sent to `chat`."""
    supersede_key = None
    if flood:  # after a flood only the answer to what was asked last is worth sending
        supersede_key = f"answer:{asker}"
    return Alert(
        # at random, because whoever asks the same twice is answered twice
        dedup_key=f"answer:{asker}:{uuid.uuid4().hex}",
        payload=Answered(method=method, body=body),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=chat),
        created_at=now,
        expires_at=now + lasts,
        supersede_key=supersede_key,
    )
