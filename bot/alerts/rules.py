"""A chat's own rule came true, told to that chat: key, life, words and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from bot.alerts.kind import Desk, Reader, Told
from bot.convert.rule_links import to_link
from bot.convert.rules import parse_rule
from bot.detect.rules import Fired
from bot.errors import UserError
from bot.model.alerts import Alert, Audience, Lane, RuleFired, Severity
from bot.model.rates import Rate, SeenRate
from bot.model.rules import Rule
from bot.model.subjects import RuleSubject, Subject
from bot.render import alerts as render
from bot.render.rules import words as rule_words
from bot.render.text import Message
from storage.alerts import StoredAlert
from storage.rules import StoredRule

LASTS = timedelta(hours=24)


def fired_words(fired: RuleFired, language: str) -> str:
    """The rule that spoke, in the reader's words: as it was then, whatever became of it."""
    said = fired.rules[0]
    try:
        return rule_words(parse_rule(said, home=fired.new.pair.quote), language)
    except UserError:
        return said


class Rules(Told):
    """A chat's own rule that came true."""

    payload: ClassVar[type[RuleFired]] = RuleFired

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """The rate as it moved, and the rule that asked for it."""
        fired: RuleFired = told.payload
        spec = desk.catalog.rates.get(fired.new.source)
        return render.move(
            fired,
            alert=told.id,
            language=reader.language,
            source_names=dict(spec.names) if spec else {},
            channel=reader.channel,
            rule=fired_words(fired, reader.language),
        )

    async def why(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:  # noqa: ARG002 - all is in it
        """The rule, and what it measured."""
        fired: RuleFired = told.payload
        return render.why_rule(fired, fired_words(fired, reader.language), reader.language)

    def subject(self, told: StoredAlert, audience: Audience) -> Subject | None:  # noqa: ARG002 - the rule says it
        """The rule."""
        fired: RuleFired = told.payload
        return RuleSubject(fired.rule)


def key(number: int, rule: Rule, new: Rate) -> str:
    """Once a rule, day and revision; a rule that was changed keeps its number, but is another."""
    revision = new.revision if isinstance(new, SeenRate) else 0
    return f"rule:{number}:{new.effective_on}:{to_link(rule)}" + (
        f":{revision}" if revision else ""
    )


def alert(item: StoredRule, fired: Fired, *, now: datetime) -> Alert:
    """The alert of a rule; a newer one of the same rule takes the place of what is not sent yet."""
    move = fired.move
    return Alert(
        dedup_key=key(item.id, fired.rule, move.new),
        payload=RuleFired(
            baseline=move.old,
            previous=move.old,
            new=move.new,
            rules=(str(fired.rule),),
            usual=Decimal(0),
            told=False,
            rule=item.id,
        ),
        severity=Severity.NOTABLE,
        lane=Lane.ALERT,
        audience=Audience(chat=item.chat),
        created_at=now,
        expires_at=now + LASTS,
        reasons=fired.reasons,
        supersede_key=f"rule:{item.id}",
    )
