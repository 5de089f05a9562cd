"""A big move of a rate, told to those who follow its pair: key, life, words and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from bot.alerts.kind import Desk, Reader, Told, followed
from bot.detect.moves import BigMove
from bot.model.alerts import Alert, Audience, Lane, RateMoved, Severity
from bot.model.rates import Rate, SeenRate
from bot.model.subjects import PairSubject, Subject
from bot.render import alerts as render
from bot.render.text import Message
from storage.alerts import StoredAlert

LASTS = timedelta(hours=24)


class Moves(Told):
    """A big move of a rate."""

    payload: ClassVar[type[RateMoved]] = RateMoved

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """What moved, from what to what, since when, how unusual, whose number."""
        moved: RateMoved = told.payload
        spec = desk.catalog.rates.get(moved.new.source)
        return render.move(
            moved,
            alert=told.id,
            language=reader.language,
            source_names=dict(spec.names) if spec else {},
            channel=reader.channel,
        )

    async def why(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - all is in it
        """The rules that fired, and the usual size of a day."""
        moved: RateMoved = told.payload
        return render.why_move(moved, reader.language)

    def subject(self, told: StoredAlert, audience: Audience) -> Subject | None:  # noqa: ARG002 - the audience says it
        """The pair, as its readers follow it."""
        return followed(audience)


def key(new: Rate, direction: str, severity: Severity) -> str:
    """Once a series, day, direction and severity."""
    return f"move:{new.source}:{new.pair}:{new.kind}:{new.effective_on}:{direction}:{severity}"


def keys(new: SeenRate) -> list[str]:
    """The keys that alerts about earlier figures of this day can have."""
    plain = [key(new, direction, severity) for direction in ("up", "down") for severity in Severity]
    return plain + [f"{one}:{revision}" for one in plain for revision in range(1, new.revision)]


def alert(found: BigMove, *, now: datetime) -> Alert:
    """The alert of a move; a newer one of the same series takes the place of what is not sent
    yet.
    """
    new = found.moved.new
    direction = "up" if found.headline.percent > 0 else "down"
    return Alert(
        dedup_key=key(new, direction, found.severity),
        payload=found.moved,
        severity=found.severity,
        lane=Lane.URGENT if found.severity is Severity.URGENT else Lane.ALERT,
        audience=Audience(subscription=str(PairSubject(new.pair))),
        created_at=now,
        expires_at=now + LASTS,
        reasons=found.reasons,
        supersede_key=f"move:{new.source}:{new.pair}:{new.kind}",
    )
