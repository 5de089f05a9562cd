"""A big move of a rate, told to those who follow its pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from bot.alerts.kind import Desk, Kind, Reader, followed
from bot.detect.moves import BigMove, Moved
from bot.i18n import day, day_since, number, percent, t
from bot.model.alerts import About, Alert, Audience, Lane, Payload, Severity
from bot.model.rates import Move, Rate, SeenRate, rate_from_json, rate_to_json
from bot.model.subjects import PairSubject, Subject
from bot.render.alerts import first_line, rate_buttons, source_line
from bot.render.numbers import change
from bot.render.text import Message, Rich, bold, fill, join, lines, message
from storage.alerts import StoredAlert

LASTS = timedelta(hours=24)
TRIVIAL = timedelta(days=7)  # "largest fall since last Tuesday" says nothing


@dataclass(frozen=True, slots=True)
class RateMoved(Payload):
    """What the detector said of the move."""

    KIND = "move"

    moved: Moved

    @property
    def about(self) -> About:
        """The rate that is new."""
        return About(series=self.moved.new.series, day=self.moved.new.effective_on)

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        moved = self.moved
        since = moved.extreme_since
        return {
            "v": 1,
            "told": moved.told,
            "confirmed": moved.confirmed,
            "baseline": rate_to_json(moved.baseline),
            "previous": rate_to_json(moved.previous),
            "new": rate_to_json(moved.new),
            "rules": list(moved.rules),
            "usual": format(moved.usual, "f"),
            "extreme_since": since.isoformat() if since else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        since = data.get("extreme_since")
        moved = Moved(
            baseline=rate_from_json(data["baseline"]),
            previous=rate_from_json(data["previous"]),
            new=rate_from_json(data["new"]),
            rules=tuple(data["rules"]),
            usual=Decimal(data["usual"]),
            told=data.get("told", True),
            confirmed=data.get("confirmed", True),
            extreme_since=date.fromisoformat(since) if since else None,
        )
        return cls(moved)


class Moves(Kind):
    """A big move of a rate."""

    payload = RateMoved

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """What moved, from what to what, since when, how unusual, whose number."""
        moved = RateMoved.read(told.payload).moved
        spec = desk.catalog.rates.get(moved.new.source)
        return move(
            moved,
            alert=told.id,
            language=reader.language,
            source_names=dict(spec.names) if spec else {},
            channel=reader.channel,
        )

    async def why(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - all is in it
        """The rules that fired, and the usual size of a day."""
        return why_move(RateMoved.read(told.payload).moved, reader.language)

    def subject(self, told: StoredAlert, audience: Audience) -> Subject | None:  # noqa: ARG002 - the audience says it
        """The pair, as its readers follow it."""
        return followed(audience)

    def rate(self, told: StoredAlert) -> Rate | None:
        """The rate that is new."""
        return RateMoved.read(told.payload).moved.new


# --- key and life ---------------------------------------------------------------------------------


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
    direction = "up" if found.moved.headline.percent > 0 else "down"
    return Alert(
        dedup_key=key(new, direction, found.severity),
        payload=RateMoved(found.moved),
        severity=found.severity,
        lane=Lane.URGENT if found.severity is Severity.URGENT else Lane.ALERT,
        audience=Audience(subscription=str(PairSubject(new.pair))),
        created_at=now,
        expires_at=now + LASTS,
        reasons=found.reasons,
        supersede_key=f"move:{new.source}:{new.pair}:{new.kind}",
    )


# --- words ----------------------------------------------------------------------------------------


def move(
    moved: Moved,
    *,
    alert: int,
    language: str,
    source_names: dict[str, str],
    channel: bool = False,
) -> Message:
    """A big move: what, from what to what, since when, how unusual, whose number."""
    text = lines(
        first_line(moved.headline, language),
        join(" · ", [_since(moved, language), _unusual(moved, language)]),
        source_line(moved.new, language, source_names=source_names),
        None if moved.confirmed else fill(t("move.unconfirmed", language)),
    )
    return message(text, rate_buttons(moved.new.pair, alert, language, channel=channel))


def _since(moved: Moved, language: str) -> Rich:
    """Which earlier rate the change is counted from, and the drift beside it when both rules
    fired.
    """
    today = moved.new.effective_on
    previous, base = moved.previous.effective_on, moved.baseline.effective_on
    if moved.headline.old is moved.baseline and base != previous:
        key = "move.since" if moved.told else "move.since_first"
        return fill(t(key, language), day=day(base, language, today=today))
    fixing = fill(t("move.fixing", language), day=day(previous, language, today=today))
    if "drift" in moved.rules and base != previous:
        drift = percent(Move(old=moved.baseline, new=moved.new).percent, language, 1)
        key = "move.drift" if moved.told else "move.drift_first"
        both = fill(t(key, language), percent=drift, day=day(base, language, today=today))
        return join(" · ", [fixing, both])
    return fixing


def _unusual(moved: Moved, language: str) -> Rich | None:
    """How long it was since the like: of a jump for a single day's move, of a level for a drift."""
    since, today = moved.extreme_since, moved.new.effective_on
    if since is not None and today - since < TRIVIAL:
        return None
    jump = moved.rules[:1] == ("fixing",)
    key = "move.largest_" if jump else "move.level_"
    key += "rise" if moved.headline.percent > 0 else "fall"
    if since is not None:
        return fill(t(key, language), day=day_since(since, language, today=today))
    level = {"high": "move.high", "low": "move.low"}
    return next((fill(t(level[rule], language)) for rule in moved.rules if rule in level), None)


def why_move(moved: Moved, language: str) -> Message:
    """Why a move was told: the rules that fired, and the usual size of a day."""
    pair = bold(str(moved.new.pair))
    usual: Rich | None = None
    if moved.usual:
        times = number(abs(moved.headline.percent) / moved.usual, language, 1)
        usual = fill(t("why.usual", language), usual=number(moved.usual, language, 2), times=times)
    rules = ["• " + _rule(rule, moved, language) for rule in moved.rules]
    return message(
        lines(fill(t("why.move", language), pair=pair), *rules, usual, t("why.tune", language))
    )


def _rule(rule: str, moved: Moved, language: str) -> Rich:
    """One fired rule with its own figure."""
    today = moved.new.effective_on
    old = {"fixing": moved.previous, "drift": moved.baseline}.get(rule)
    if old is None:
        return fill(t(f"move.{rule}", language))
    size = change(Move(old=old, new=moved.new).percent, language).strip()
    first = "_first" if rule == "drift" and not moved.told else ""
    template = t(f"why.{rule}{first}", language)
    return fill(template, change=size, day=day(old.effective_on, language, today=today))
