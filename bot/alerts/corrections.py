"""A source revised a rate that was told: those who were told hear it, under their message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from bot.alerts.kind import Brief, Kind, Kit, Reader
from bot.i18n import day, name_of
from bot.model.alerts import About, Alert, Audience, Lane, Payload, Severity
from bot.model.chats import Post
from bot.model.rates import Rate, SeenRate, rate_from_json, rate_to_json
from bot.reasons import reason
from bot.render.numbers import as_printed
from bot.render.phrases import phrase
from bot.render.text import Message, bold, lines, message
from storage.alerts import StoredAlert

LASTS = timedelta(days=2)  # a wrong figure is worth mending for longer than it was news


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCorrected(Payload):
    """A source revised a figure that alert `told` carried: it said `old`, it is `new`.

    It is the kind of post that it corrects: who wants no moves and has a rule hears of the rule's.
    """

    KIND = "correction"
    VERSION = 2  # 1 did not say which kind of post it corrects
    POST = Post.RATES

    told: int
    old: Rate
    new: Rate
    corrects: Post = Post.RATES

    @property
    def post(self) -> Post:
        """The kind of post that it corrects, whose loudness and topic it shares."""
        return self.corrects

    @property
    def about(self) -> About:
        """The corrected rate, by which the alert is found."""
        return About.rate(self.new)

    def to_json(self) -> dict[str, Any]:
        """Version 2 of the stored form."""
        rates = {"old": rate_to_json(self.old), "new": rate_to_json(self.new)}
        return {"v": self.VERSION, "told": self.told, **rates, "corrects": self.corrects.value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        old, new = rate_from_json(data["old"]), rate_from_json(data["new"])
        corrects = Post(data.get("corrects", Post.RATES))  # version 1 did not say it
        return cls(told=data["told"], old=old, new=new, corrects=corrects)


class Corrections(Kind):
    """A correction of a rate that was told."""

    payload = RateCorrected
    texts = (
        "correction.rate",
        "correction.source",
    )
    own = True  # it answers each chat's own message

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message:
        """The former and the corrected rate, and who says so."""
        fixed = RateCorrected.read(told.payload)
        names = kit.source_names(fixed.new.source)
        return correction(fixed.old, fixed.new, reader.language, source_names=names)

    async def brief(self, kit: Kit, told: StoredAlert, reader: Reader) -> Brief | None:
        """The former and the corrected rate on one line."""
        said = await self.words(kit, told, reader)
        first, values = said.text.split("\n")[:2]
        return Brief(line=lines(bold(first), values))

    def replies_to(self, told: StoredAlert) -> int | None:
        """The alert that carried the old figure."""
        return RateCorrected.read(told.payload).told


def alert(
    told: int, old: Rate, new: SeenRate, *, now: datetime, corrects: Post = Post.RATES
) -> Alert:
    """The correction of alert `told`; a newer one takes the place of what is not sent yet."""
    return Alert(
        # of each revision, because a bank may correct its correction
        dedup_key=f"correction:{told}:{new.revision}",
        payload=RateCorrected(told=told, old=old, new=new, corrects=corrects),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        # who was never told the wrong figure has nothing to correct
        audience=Audience(told=told),
        created_at=now,
        expires_at=now + LASTS,
        reasons=(reason("revised", "{source} revised its rate", source=new.source),),
        supersede_key=f"correction:{told}",
    )


def correction(old: Rate, new: Rate, language: str, *, source_names: dict[str, str]) -> Message:
    """The source revised a rate that was told: what it was, what it is."""
    source = name_of(source_names, language) or new.source
    on = day(new.effective_on, language)
    return message(
        lines(
            bold(phrase("correction.rate", language, pair=str(new.pair), day=on)),
            f"{as_printed(old.per_unit, language)} → {as_printed(new.per_unit, language)}",
            phrase("correction.source", language, source=source),
        )
    )
