"""A source revised a rate that was told: those who were told hear it, under the message they
have.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from bot.alerts.kind import Desk, Reader, Told
from bot.model.alerts import Alert, Audience, Lane, RateCorrected, Severity
from bot.model.rates import Rate, SeenRate
from bot.model.reasons import reason
from bot.render import alerts as render
from bot.render.text import Message
from storage.alerts import StoredAlert

LASTS = timedelta(days=2)


class Corrections(Told):
    """A correction of a rate that was told."""

    payload: ClassVar[type[RateCorrected]] = RateCorrected
    own: ClassVar[bool] = True  # it answers each chat's own message

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """What the rate was, what it is, and who says so."""
        fixed: RateCorrected = told.payload
        spec = desk.catalog.rates.get(fixed.new.source)
        names = dict(spec.names) if spec else {}
        return render.correction(fixed.old, fixed.new, reader.language, source_names=names)

    def replies_to(self, payload: Any) -> int | None:  # noqa: ANN401 - of its own kind
        """The alert that carried the old figure."""
        told: int = payload.told
        return told


def alert(told: int, old: Rate, new: SeenRate, *, now: datetime) -> Alert:
    """The correction of alert `told`; a newer one takes the place of what is not sent yet."""
    return Alert(
        dedup_key=f"correction:{told}:{new.revision}",
        payload=RateCorrected(told=told, old=old, new=new),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(told=told),
        created_at=now,
        expires_at=now + LASTS,
        reasons=(reason("revised", new.source),),
        supersede_key=f"correction:{told}",
    )
