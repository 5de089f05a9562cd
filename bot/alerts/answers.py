"""An answer to a reader that Telegram did not take at once: sent later, as it was."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar

from bot.alerts.kind import Desk, Reader, Told
from bot.model.alerts import Alert, Answered, Audience, Lane, Severity
from bot.render.text import Message
from storage.alerts import StoredAlert


class Answers(Told):
    """A late answer."""

    payload: ClassVar[type[Answered]] = Answered

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - has none
        """An answer has its words already: see `ready`."""
        return None

    def ready(self, payload: Any, *, plain: bool) -> tuple[str, dict[str, Any]] | None:  # noqa: ANN401 - of its own kind
        """As it was meant; after a refusal only its words, as a message of their own."""
        if not plain:
            return payload.method, dict(payload.body)
        text = payload.body.get("text", payload.body.get("caption", ""))
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
    """The answer to what chat `asker` asked, sent to `chat`; in a flood only the last one is worth
    sending.
    """
    return Alert(
        dedup_key=f"answer:{asker}:{uuid.uuid4().hex}",
        payload=Answered(method=method, body=body),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=chat),
        created_at=now,
        expires_at=now + lasts,
        supersede_key=f"answer:{asker}" if flood else None,
    )
