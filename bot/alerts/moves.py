"""A big move of a rate, told to those who follow its pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo

import storage.stories
import storage.told
from bot.alerts.kind import Brief, Kind, Kit, Reader, followed
from bot.convert.mentions import currencies_in
from bot.detect.digests import by_worth
from bot.detect.filters import Looked, keeps_back
from bot.detect.moves import BigMove, Moved
from bot.i18n import clock, day_at, day_since, number, percent, share, t
from bot.model.alerts import About, Alert, Audience, Lane, Payload, Severity
from bot.model.chats import Post
from bot.model.news import Story
from bot.model.rates import Move, Rate, SeenRate, rate_from_json, rate_to_json
from bot.model.subjects import PairSubject, Subject
from bot.readers.news import as_told
from bot.render.alerts import RATE_TEXTS, changed_in_a_day, in_a_day, rate_moved
from bot.render.news import headline
from bot.render.numbers import change
from bot.render.phrases import phrase
from bot.render.text import Button, Message, Rich, bold, join, lines, link, message
from storage.alerts import StoredAlert
from storage.withheld import ANY_CHANNEL

LASTS = timedelta(hours=24)  # by then there is another rate
HEADLINES_OF = timedelta(hours=24)  # before a move: what is older is no news of it
LOOKED_AT_ONCE = 20  # stories of that day, until one names the currency
LOOKED_THROUGH = 200  # of them at most, as for a digest
HEADLINES_NAMED = 1  # the message is about the rate
USUAL_DIGITS = 2  # of the usual change: in the message and in its *Why?* the same figure
TRIVIAL = timedelta(days=7)  # "largest fall since last Tuesday" says nothing


@dataclass(frozen=True, slots=True)
class RateMoved(Payload):
    """The payload of a move, as the detector measured it."""

    KIND = "move"
    POST = Post.RATES

    moved: Moved

    @property
    def about(self) -> About:
        """The rate that is new."""
        return About.rate(self.moved.new)

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        moved = self.moved
        since = None
        if moved.extreme_since is not None:
            since = moved.extreme_since.isoformat()
        return {
            "v": self.VERSION,
            "told": moved.told,
            "confirmed": moved.confirmed,
            "baseline": rate_to_json(moved.baseline),
            "previous": rate_to_json(moved.previous),
            "new": rate_to_json(moved.new),
            "rules": list(moved.rules),
            "usual": format(moved.usual, "f"),
            "extreme_since": since,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        since = data.get("extreme_since")
        if since is not None:
            since = date.fromisoformat(since)
        moved = Moved(
            baseline=rate_from_json(data["baseline"]),
            previous=rate_from_json(data["previous"]),
            new=rate_from_json(data["new"]),
            rules=tuple(data["rules"]),
            usual=Decimal(data["usual"]),
            # earlier programs wrote neither
            told=data.get("told", True),
            confirmed=data.get("confirmed", True),
            extreme_since=since,
        )
        return cls(moved)


class Moves(Kind):
    """A big move of a rate."""

    payload = RateMoved
    texts = (
        *RATE_TEXTS,
        "move.since",
        "move.drift",
        "move.day",
        "move.fixing",
        "move.usual",
        "move.unconfirmed",
        "move.largest_rise",
        "move.largest_fall",
        "move.level_rise",
        "move.level_fall",
        "move.high",
        "move.low",
        "why.move",
        "why.day",
        "why.fixing",
        "why.drift",
        "why.drift_at",
        "why.drift_first",
        "why.drift_last",
        "why.usual",
        "why.tune",
    )

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """The move: from what to what, since when, how unusual, whose number, and the news."""
        moved = RateMoved.read(told.payload).moved
        return move(
            moved,
            alert=told.id,
            language=reader.language,
            source_names=kit.source_names(moved.new.source),
            channel=reader.channel,
            headlines=await headlines_of(kit, told, moved.new.pair.base, reader),
        )

    async def beside(self, kit: Kit, told: StoredAlert, reader: Reader) -> Story | None:
        """The story of the headline under it."""
        code = RateMoved.read(told.payload).moved.new.pair.base
        return next(iter(await _of_the_day(kit, told, code, reader)), None)

    async def why(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """The rules that fired, and the usual size of a day."""
        moved = RateMoved.read(told.payload).moved
        since = await heard(kit, moved, told, reader)
        return why_move(moved, reader.language, since=since)

    async def brief(self, kit: Kit, told: StoredAlert, reader: Reader) -> Brief | None:  # noqa: ARG002 - all is in it
        """The rate as it moved."""
        return Brief(move=RateMoved.read(told.payload).moved.headline)

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
    found = []
    for direction in ("up", "down"):
        for severity in Severity:
            plain = key(new, direction, severity)
            found.append(plain)
            # the first figure's key has no number, those of its revisions have theirs
            found += [_revised(plain, revision) for revision in range(1, new.revision)]
    return found


def _revised(plain: str, revision: int) -> str:
    return f"{plain}:{revision}"


def alert(found: BigMove, *, now: datetime) -> Alert:
    """The alert of a move; a newer one of the same series replaces it while it is unsent."""
    new = found.moved.new
    direction = "down"
    if found.moved.headline.percent > 0:
        direction = "up"
    lane = Lane.ALERT
    if found.severity is Severity.URGENT:
        lane = Lane.URGENT
    return Alert(
        dedup_key=key(new, direction, found.severity),
        payload=RateMoved(found.moved),
        severity=found.severity,
        lane=lane,
        audience=Audience(subscription=str(PairSubject(new.pair))),
        created_at=now,
        expires_at=now + LASTS,
        reasons=found.reasons,
        supersede_key=f"move:{new.source}:{new.pair}:{new.kind}",
    )


def once_more(first: Alert, revision: int) -> Alert:
    """The alert of a revised figure, where that of an earlier one was taken back."""
    return replace(first, dedup_key=_revised(first.dedup_key, revision))


# --- words ----------------------------------------------------------------------------------------


def move(
    moved: Moved,
    *,
    alert: int,
    language: str,
    source_names: dict[str, str],
    channel: bool = False,
    headlines: Sequence[Rich] = (),
    asked_for: Sequence[Rich] = (),
    silencers: Sequence[Button] = (),
) -> Message:
    """A big move: what, from what to what, since when and how usual, the like of it, whose number.

    A line each: two thoughts on one are three lines of a phone. `asked_for` names what else the
    chat hears of it by, with `silencers` of their own.
    """
    doubt = None
    if not moved.confirmed:
        doubt = phrase("move.unconfirmed", language)
    return rate_moved(
        moved.headline,
        *_since(moved, language),
        _unusual(moved, language),
        *asked_for,
        alert=alert,
        language=language,
        source_names=source_names,
        channel=channel,
        doubt=doubt,
        headlines=headlines,
        silencers=silencers,
    )


async def headlines_of(kit: Kit, told: StoredAlert, code: str, reader: Reader) -> list[Rich]:
    """The headline of the day before a move that says most about its currency, in the reader's
    language; none that the reader's filters keep back.
    """
    best = await _of_the_day(kit, told, code, reader)
    return [link(headline(one), one.lead.entry.link) for one in best]


async def _of_the_day(kit: Kit, told: StoredAlert, code: str, reader: Reader) -> list[Story]:
    """The stories of the day before a move whose headlines say most about its currency.

    One that does not name it would read as the cause of what it has no part in. No channel gets one
    that a channel withholds: they are told in one wording.
    """
    about: list[Story] = []
    for offset in range(0, LOOKED_THROUGH, LOOKED_AT_ONCE):
        stories = await storage.stories.latest(
            kit.db,
            topics=["economy"],
            since=told.created_at - HEADLINES_OF,
            before=told.created_at,
            offset=offset,
            limit=LOOKED_AT_ONCE,
            unasked=False,
            reader=ANY_CHANNEL if reader.channel else None,
            kin=kit.catalog.kin,
        )
        about = [one for one in stories if _names(one, code, kit, reader)]
        if about or len(stories) < LOOKED_AT_ONCE:
            break
    told_so = [as_told(one, kit.catalog.news).told_in(reader.language) for one in about]
    return by_worth(told_so, language=reader.language)[:HEADLINES_NAMED]


def _names(story: Story, code: str, kit: Kit, reader: Reader) -> bool:
    """Whether a story's headline in the reader's language names a currency, and nothing keeps it
    back.
    """
    if reader.language not in story.languages:
        return False
    said = headline(as_told(story, kit.catalog.news).told_in(reader.language))
    return code in currencies_in(said) and keeps_back(reader.filters, Looked(story)) is None


def _since(moved: Moved, language: str) -> list[Rich]:
    """The day since which a change is counted, and what a day usually brings; where both rules
    fired a line for the drift too.
    """
    today = moved.new.effective_on
    previous, base = moved.previous.effective_on, moved.baseline.effective_on
    # the day alone: not everybody who reads this had the alert of that day, if there was any
    on = day_since(base, language, today=today)
    # where both are of one day they are one rate, and "in a day" says it shorter
    if moved.headline.old is moved.baseline and base != previous:
        return [phrase("move.since", language, day=on)]
    fixing = join(", ", [in_a_day(previous, today, language), _usual(moved, language)])
    # a rate that stood still since moved by as much in the day: one figure is not said twice
    if "drift" not in moved.rules or moved.baseline.per_unit == moved.previous.per_unit:
        return [fixing]
    drift = percent(Move(old=moved.baseline, new=moved.new).percent, language, 1)
    return [fixing, phrase("move.drift", language, percent=drift, day=on)]


def _usual(moved: Moved, language: str) -> Rich | None:
    """The usual change of a day, beside a change of one day: of more it would say too little."""
    if not moved.usual:
        return None
    return phrase("move.usual", language, usual=share(moved.usual, language, USUAL_DIGITS))


def _unusual(moved: Moved, language: str) -> Rich | None:
    """The time since the like: of a jump for a single day's move, of a level for a drift."""
    since, today = moved.extreme_since, moved.new.effective_on
    if since is not None and today - since < TRIVIAL:
        return None
    if since is not None:
        kind, direction = "level", "fall"
        if moved.rules[:1] == ("fixing",):
            kind = "largest"
        if moved.headline.percent > 0:
            direction = "rise"
        on = day_since(since, language, today=today)
        return phrase(f"move.{kind}_{direction}", language, day=on)
    for rule in moved.rules:
        if rule in {"high", "low"}:
            return phrase(f"move.{rule}", language)
    return None


class Since(NamedTuple):
    """The alert that a move is counted from, as a chat had it: of which day, and at which hour
    where that tells it from others of the day.
    """

    day: date
    hour: str = ""


async def heard(kit: Kit, moved: Moved, told: StoredAlert, reader: Reader) -> Since | None:
    """The alert that a move is counted from, if the chat had it and that is remembered; with its
    hour where that was on the day on which this one was decided.
    """
    base = moved.baseline
    had = None
    if moved.told:
        had = await storage.told.heard(kit.db, reader.chat, About.rate(base))
    # of rates of one day the first may be this one
    if had is None or (base.effective_on == moved.new.effective_on and had.at > told.created_at):
        return None
    zone = ZoneInfo(reader.time_zone)
    on = had.at.astimezone(zone).date()
    if on == told.created_at.astimezone(zone).date():
        return Since(on, clock(had.at, reader.time_zone))
    return Since(base.effective_on)


def why_move(moved: Moved, language: str, *, since: Since | None) -> Message:
    """The reasons of a move: the rules that fired, and the usual size of a day; `since` is the
    alert that it is counted from, where its reader had that.
    """
    pair = bold(str(moved.new.pair))
    said = reasons_of(moved, language, since=since)
    return message(lines(phrase("why.move", language, pair=pair), *said, t("why.tune", language)))


def reasons_of(moved: Moved, language: str, *, since: Since | None) -> list[Rich | None]:
    """The rules that fired, a line each, and the usual size of a day."""
    usual: Rich | None = None
    # a drift of a week is compared with no day
    if moved.usual and moved.headline.old.effective_on == moved.previous.effective_on:
        times = number(abs(moved.headline.percent) / moved.usual, language, 1)
        size = share(moved.usual, language, USUAL_DIGITS)
        usual = phrase("why.usual", language, usual=size, times=times)
    return [*("• " + _rule(rule, moved, language, since) for rule in moved.rules), usual]


def _rule(rule: str, moved: Moved, language: str, since: Since | None) -> Rich:
    """One fired rule with its own figure."""
    today = moved.new.effective_on
    old = {"fixing": moved.previous, "drift": moved.baseline}.get(rule)
    if old is None:  # a high or a low, which says the days of its window and no size
        return phrase(f"move.{rule}", language)
    size = change(Move(old=old, new=moved.new).percent, language).strip()
    if rule == "fixing":
        return changed_in_a_day(size, old.effective_on, today, language)
    if since is not None:
        on = day_at(since.day, language, today=today)
        if since.hour:
            return phrase("why.drift_at", language, change=size, day=on, time=since.hour)
        return phrase("why.drift", language, change=size, day=on)
    on = day_since(old.effective_on, language, today=today)
    msgid = "why.drift_last" if moved.told else "why.drift_first"
    return phrase(msgid, language, change=size, day=on)
