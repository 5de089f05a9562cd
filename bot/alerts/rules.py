"""A chat's own rule came true, told to that chat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import storage.rules
from bot.alerts.kind import Brief, Desk, Kind, Reader
from bot.convert.rule_links import to_link
from bot.convert.rules import parse_rule
from bot.detect.rules import Fired
from bot.i18n import t
from bot.model.alerts import About, Alert, Audience, Lane, Payload, Severity
from bot.model.chats import Post
from bot.model.rates import Move, Rate, SeenRate, rate_from_json, rate_to_json
from bot.model.rules import Rule
from bot.model.subjects import RuleSubject, Subject
from bot.render.alerts import (
    RATE_TEXTS,
    changed_in_a_day,
    in_a_day,
    pause_button,
    rate_moved,
)
from bot.render.numbers import as_printed, change
from bot.render.phrases import phrase
from bot.render.rules import words as rule_words
from bot.render.text import Message, bold, lines, message
from storage.alerts import StoredAlert
from storage.rules import StoredRule

LASTS = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFired(Payload):
    """The rule as it was then, and what it measured.

    `number` is the rule's in the store, which may be another rule's by now, or nobody's.
    """

    KIND = "rule"
    VERSION = 2
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
    texts = (
        *RATE_TEXTS,
        "rule.yours",
        "button.pause_alert",
        "button.resume",
        "move.day",
        "move.fixing",
        "why.move",
        "why.day",
        "why.fixing",
        "why.rules",
    )

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """The rate as it moved, and the rule that asked for it."""
        fired = RuleFired.read(told.payload)
        names = desk.source_names(fired.move.new.source)
        return rule_fired(
            fired,
            alert=told.id,
            language=reader.language,
            source_names=names,
            channel=reader.channel,
        )

    async def why(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - all is in it
        """The rule, and what it measured."""
        return why_rule(RuleFired.read(told.payload), reader.language)

    async def brief(self, desk: Desk, told: StoredAlert, reader: Reader) -> Brief | None:
        """The rate as it moved, and the rule, unless it was paused or deleted since."""
        fired = RuleFired.read(told.payload)
        if not await storage.rules.is_on(desk.db, reader.chat, fired.number):
            return None
        asked_for = phrase(
            "rule.yours", reader.language, rule=bold(rule_words(fired.rule, reader.language))
        )
        return Brief(move=fired.move, line=asked_for)

    def subject(self, told: StoredAlert, audience: Audience) -> Subject | None:  # noqa: ARG002 - the rule says it
        """The rule."""
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
    """What all alerts of one rule supersede."""
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
) -> Message:
    """The rate as it moved, since when, the rule, whose number."""
    move = fired.move
    return rate_moved(
        move,
        phrase("rule.yours", language, rule=bold(rule_words(fired.rule, language))),
        in_a_day(move.old.effective_on, move.new.effective_on, language),
        silencer=pause_button(alert, language),
        alert=alert,
        language=language,
        source_names=source_names,
        channel=channel,
    )


def why_rule(fired: RuleFired, language: str) -> Message:
    """Why a chat's own rule spoke: the rule, from what to what, and since when."""
    old, new = fired.move.old, fired.move.new
    size = change(fired.move.percent, language).strip()
    measured = changed_in_a_day(size, old.effective_on, new.effective_on, language)
    values = f"{as_printed(old.per_unit, language)} → {as_printed(new.per_unit, language)}"
    asked_for = phrase("rule.yours", language, rule=bold(rule_words(fired.rule, language)))
    return message(
        lines(
            phrase("why.move", language, pair=bold(str(new.pair))),
            "• " + asked_for,
            "• " + measured + f": {values}",
            t("why.rules", language),
        )
    )
