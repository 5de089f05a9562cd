"""An answer to a reader that Telegram did not take at once: sent later, as it was."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from bot.alerts.kind import Kind, Kit, Reader
from bot.model.alerts import Alert, Audience, Lane, Payload, Severity, Terms
from bot.model.calls import Call, Parameters
from bot.render.text import Message
from storage.alerts import StoredAlert


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Payload):
    """The call that an answer was, without the chat, and the number of the update it answers."""

    KIND = "answer"
    TERMS = Terms(awaited=True, passes_stop=True, personal=True)

    call: Call
    update: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        form = {"v": self.VERSION, "method": self.call.method, "body": dict(self.call.parameters)}
        if self.update is not None:
            form["update"] = self.update
        return form

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        call = Call(method=data["method"], parameters=data["body"])
        return cls(call=call, update=data.get("update"))  # which earlier programs did not note


class Answers(Kind):
    """A late answer."""

    payload = Answered
    texts = ()

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - has none
        """An answer has its words already: see `ready`."""
        return None

    def ready(self, told: StoredAlert, *, plain: bool) -> Call | None:
        """The answer as it was meant; after a refusal only its words, as a message of their own."""
        call = Answered.read(told.payload).call
        if not plain:
            return call
        text = call.parameters.get("text", call.parameters.get("caption", ""))
        words: Parameters = {"text": text, "link_preview_options": {"is_disabled": True}}
        return Call(method="sendMessage", parameters=words)

    def answers(self, told: StoredAlert) -> int | None:
        """The update whose answer it is."""
        return Answered.read(told.payload).update


def alert(
    asker: int,
    chat: int,
    call: Call,
    update: int | None = None,
    *,
    flood: bool,
    now: datetime,
    lasts: timedelta,
) -> Alert:
    """The answer to what chat `asker` asked by an update of that number, sent to `chat`."""
    supersede_key = None
    if flood:  # after a flood only the answer to what was asked last is worth sending
        supersede_key = f"answer:{asker}"
    return Alert(
        # at random, because whoever asks the same twice is answered twice
        dedup_key=f"answer:{asker}:{uuid.uuid4().hex}",
        payload=Answered(call=call, update=update),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=chat),
        created_at=now,
        expires_at=now + lasts,
        supersede_key=supersede_key,
    )
