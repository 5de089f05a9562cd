"""Something an operator must know: key, life and words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from bot.alerts.kind import Desk, Reader, Told
from bot.model.alerts import Alert, Audience, Lane, Notice, Severity
from bot.render import alerts as render
from bot.render.text import Message
from storage.alerts import StoredAlert

LASTS = timedelta(days=2)


class Notices(Told):
    """A notice to an operator."""

    payload: ClassVar[type[Notice]] = Notice

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """The text of the catalogs, filled with the notice's values."""
        notice: Notice = told.payload
        banks = {key: desk.catalog.names(key, reader.language) for key in desk.catalog.rates}
        return render.notice(notice, reader.language, banks=banks)


def alert(admin: int, msgid: str, values: Mapping[str, str], *, now: datetime) -> Alert:
    """An operator's message; the same trouble is told once a day."""
    digest = hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()[:16]
    return Alert(
        dedup_key=f"notice:{admin}:{msgid}:{digest}:{now:%Y-%m-%d}",
        payload=Notice(msgid=msgid, values=tuple(sorted(values.items()))),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=admin),
        created_at=now,
        expires_at=now + LASTS,
    )
