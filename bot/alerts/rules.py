"""A chat's own rule came true, told to that chat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

import storage.alerts
import storage.chats
import storage.filters
import storage.joined
import storage.rules
from bot.alerts.kind import Brief, Kind, Kit, Reader, kind_among
from bot.alerts.moves import RateMoved, headlines_of, heard, reasons_of
from bot.alerts.moves import move as tell_move
from bot.convert.rule_links import to_link
from bot.convert.rules import parse_rule
from bot.detect.rules import Fired
from bot.i18n import t
from bot.model.alerts import About, Alert, Audience, Lane, Payload, Severity
from bot.model.chats import Post, Sound
from bot.model.rates import Move, Rate, SeenRate, rate_from_json, rate_to_json
from bot.model.rules import Rule
from bot.model.subjects import RuleSubject, Subject
from bot.render.alerts import (
    RATE_TEXTS,
    changed_in_a_day,
    in_a_day,
    mute_button,
    pause_button,
    rate_moved,
)
from bot.render.numbers import as_printed, change
from bot.render.phrases import phrase
from bot.render.rules import condition
from bot.render.rules import words as rule_words
from bot.render.text import Button, Message, Rich, bold, join, lines, message
from storage.alerts import StoredAlert
from storage.rules import StoredRule

LASTS = timedelta(hours=24)  # by then there is another rate


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFired(Payload):
    """The rule as it was then, and what it measured.

    `number` is the rule's in the store, which may be another rule's by now, or nobody's.
    """

    KIND = "rule"
    VERSION = 2  # 1 kept the rule as it was typed
    POST = Post.RULES

    number: int
    rule: Rule
    move: Move

    @property
    def about(self) -> About:
        """The rate that is new."""
        return About.rate(self.move.new)

    def to_json(self) -> dict[str, Any]:
        """Version 2 of the stored form: version 1 had the rule in words."""
        old, new = rate_to_json(self.move.old), rate_to_json(self.move.new)
        return {
            "v": self.VERSION,
            "number": self.number,
            "rule": self.rule.to_json(),
            "old": old,
            "new": new,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        new = rate_from_json(data["new"])
        # it kept the rule as it was typed
        if data["v"] == 1:
            rule = parse_rule(data["rules"][0], home=new.pair.quote)
            old, number = rate_from_json(data["baseline"]), data["rule"]
        else:
            rule = Rule.from_json(data["rule"])
            old, number = rate_from_json(data["old"]), data["number"]
        return cls(number=number, rule=rule, move=Move(old=old, new=new))


class Rules(Kind):
    """A chat's own rule that came true."""

    payload = RuleFired
    own = True  # what else a chat hears of the rate by is its own
    texts = (
        *RATE_TEXTS,
        "rule.yours",
        "rule.followed",
        "button.pause_alert",
        "button.pause_one",
        "button.resume",
        "button.resume_one",
        "move.day",
        "move.fixing",
        "why.move",
        "why.day",
        "why.fixing",
        "why.rules",
    )

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """The rate as it moved, and the rule that asked for it; with it what else the chat hears of
        that rate by: other rules, its subscription.
        """
        rules, follows = await _all_told(kit, told, reader)
        if not rules:
            if follows is None:
                return None
            return await kind_among(kit.kinds, follows).words(kit, follows, reader)
        if follows is not None:
            return await _with_the_move(kit, rules, follows, reader)
        (number, first), *others = rules
        return rule_fired(
            first,
            alert=number,
            language=reader.language,
            source_names=kit.source_names(first.move.new.source),
            channel=reader.channel,
            others=others,
        )

    async def why(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """The rule, and what it measured; and all that was told with it."""
        rules, follows = await _all_told(kit, told, reader, again=True)
        because: list[Rich | None] = []
        if follows is not None:
            moved = RateMoved.read(follows.payload).moved
            pair = bold(moved.new.pair.base)
            since = await heard(kit, moved, follows, reader)
            because = [phrase("rule.followed", reader.language, what=pair)]
            because += reasons_of(moved, reader.language, since=since)
        first, *others = (fired for _, fired in rules)
        return why_rule(first, reader.language, others=others, because=because)

    async def brief(self, kit: Kit, told: StoredAlert, reader: Reader) -> Brief | None:
        """The rate as it moved, and the rule, unless it was paused or deleted since."""
        fired = RuleFired.read(told.payload)
        if not await storage.rules.is_on(kit.db, reader.chat, fired.number):
            return None
        asked_for = phrase(
            "rule.yours", reader.language, rule=bold(rule_words(fired.rule, reader.language))
        )
        return Brief(move=fired.move, line=asked_for)

    def subject(self, told: StoredAlert, audience: Audience) -> Subject | None:  # noqa: ARG002 - the rule says it
        """The rule itself, which the buttons below pause or snooze."""
        return RuleSubject(RuleFired.read(told.payload).number)

    def rate(self, told: StoredAlert) -> Rate | None:
        """The rate that is new."""
        return RuleFired.read(told.payload).move.new


# --- key and life ---------------------------------------------------------------------------------


def key(number: int, rule: Rule, new: Rate) -> str:
    """Once a rule, day and revision; a rule that was changed keeps its number, but is another."""
    once = f"rule:{number}:{new.effective_on}:{to_link(rule)}"
    # a corrected figure is another one, of which a rule may speak again
    if isinstance(new, SeenRate) and new.revision:
        return f"{once}:{new.revision}"
    return once


def line_of(number: int) -> str:
    """The key that all alerts of one rule supersede."""
    return f"rule:{number}"


def alert(item: StoredRule, fired: Fired, *, now: datetime) -> Alert:
    """The alert of a rule; a newer one of the same rule takes the place of what is not sent yet."""
    return Alert(
        dedup_key=key(item.id, fired.rule, fired.move.new),
        payload=RuleFired(number=item.id, rule=fired.rule, move=fired.move),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=item.chat),
        created_at=now,
        expires_at=now + LASTS,
        reasons=fired.reasons,
        supersede_key=line_of(item.id),
    )


# --- words ----------------------------------------------------------------------------------------


def rule_fired(
    fired: RuleFired,
    *,
    alert: int,
    language: str,
    source_names: dict[str, str],
    channel: bool = False,
    others: Sequence[tuple[int, RuleFired]] = (),
) -> Message:
    """The rate as it moved, since when, the rule, whose number; `others` that came true with it."""
    move = fired.move
    rules = [(alert, fired), *others]
    return rate_moved(
        move,
        *_asked_for(rules, move, language),
        in_a_day(move.old.effective_on, move.new.effective_on, language),
        silencers=_pauses(rules, language),
        done=all(one.rule.once for _, one in rules),
        alert=alert,
        language=language,
        source_names=source_names,
        channel=channel,
    )


async def _with_the_move(
    kit: Kit,
    rules: Sequence[tuple[int, RuleFired]],
    follows: StoredAlert,
    reader: Reader,
) -> Message:
    """A move that a chat is told of by its subscription, and the rules that came true by it."""
    moved, language = RateMoved.read(follows.payload).moved, reader.language
    base = moved.new.pair.base
    mine = replace(reader, filters=await storage.filters.of_chat(kit.db, reader.chat))
    followed = phrase("rule.followed", language, what=bold(base))
    return tell_move(
        moved,
        alert=rules[0][0],
        language=language,
        source_names=kit.source_names(moved.new.source),
        channel=reader.channel,
        headlines=await headlines_of(kit, follows, base, mine),
        asked_for=[followed, *_asked_for(rules, moved.headline, language)],
        silencers=[mute_button(follows.id, base, language), *_pauses(rules, language)],
    )


def _asked_for(
    rules: Sequence[tuple[int, RuleFired]], shown: Move, language: str
) -> Iterator[Rich]:
    """Each rule, on a line of its own; with what it measured where that is not what is `shown`."""
    for _, fired in rules:
        said = phrase("rule.yours", language, rule=bold(rule_words(fired.rule, language)))
        old, new = fired.move.old, fired.move.new
        # what stood still in between moved by what is shown: one figure is not said twice
        if fired.rule.level is None and old.per_unit != shown.old.per_unit:
            size = change(fired.move.percent, language, 1).strip()
            measured = changed_in_a_day(size, old.effective_on, new.effective_on, language)
            said = join(" · ", [said, measured])
        yield said


def _pauses(rules: Sequence[tuple[int, RuleFired]], language: str) -> list[Button]:
    """The button that pauses each rule, or lets one for once that is done begin anew; of several
    each says which.
    """
    found: list[Button] = []
    for number, fired in rules:
        what = condition(fired.rule, language) if len(rules) > 1 else ""
        found.append(pause_button(number, language, paused=fired.rule.once, what=what))
    return found


async def _all_told(
    kit: Kit, told: StoredAlert, reader: Reader, *, again: bool = False
) -> tuple[list[tuple[int, RuleFired]], StoredAlert | None]:
    """The rules that one message tells a chat of, by their alerts, and the alert of its
    subscription.

    What it turned off since is left out, but for `again`, where the message was told before.
    """
    stored = [told]
    for number in await storage.joined.parts(kit.db, told.id, reader.chat):
        one = await storage.alerts.get(kit.db, number)
        if one is not None:
            stored.append(one)
    if len(stored) > 1 and not again:
        chat = await storage.chats.get(kit.db, reader.chat)
        off = {} if chat is None else chat.sounds
        stored = [one for one in stored if one.post is None or off.get(one.post) is not Sound.OFF]
    rules: list[tuple[int, RuleFired]] = []
    follows: StoredAlert | None = None
    for one in stored:
        if one.payload.kind == RuleFired.KIND:
            rules.append((one.id, RuleFired.read(one.payload)))
        else:
            follows = one
    return rules, follows


def why_rule(
    fired: RuleFired,
    language: str,
    *,
    others: Sequence[RuleFired] = (),
    because: Sequence[Rich | None] = (),
) -> Message:
    """The reason of a chat's own rule: from what to what, and since when; so of `others` told with
    it, behind the reasons of the move that was told with them (`because`).
    """
    said = list(because)
    for one in (fired, *others):
        said += _measured(one, language)
    return message(
        lines(
            phrase("why.move", language, pair=bold(str(fired.move.new.pair))),
            *said,
            t("why.rules", language),
        )
    )


def _measured(fired: RuleFired, language: str) -> list[Rich | None]:
    """A rule, and what it measured."""
    old, new = fired.move.old, fired.move.new
    size = change(fired.move.percent, language).strip()
    measured = changed_in_a_day(size, old.effective_on, new.effective_on, language)
    values = f"{as_printed(old.per_unit, language)} → {as_printed(new.per_unit, language)}"
    asked_for = phrase("rule.yours", language, rule=bold(rule_words(fired.rule, language)))
    return ["• " + asked_for, "• " + measured + f": {values}"]
