"""A rule is said in the reader's words: previewed, listed, opened."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.model.rates import Pair, RateKind
from bot.model.rules import Condition, Direction, Rule, RuleStanding
from bot.render import rules
from bot.render.text import Message
from tests.languages.expected import WHOLE, expected
from tests.render.world import TODAY, data, marked


def rule(**changes: Any) -> Rule:
    fields: dict[str, Any] = {
        "pair": Pair("RUB", "KGS"),
        "condition": Condition.LEVEL,
        "direction": Direction.DOWN,
        "amount": Decimal(1),
    }
    return Rule(**{**fields, **changes})


BUTTONS = rules.PreviewButtons(
    save="save", cancel="drop", once="once", less=("less", Decimal("0.99"))
)


@pytest.mark.parametrize("language", WHOLE)
def test_a_rules_preview_says_how_often_it_would_have_fired(language: str) -> None:
    fired = [date(2020, 12, 1), date(2021, 3, 3)]
    since = TODAY - timedelta(days=365)
    shown = rules.preview(rule(), fired, language, since=since, buttons=BUTTONS, today=TODAY)
    assert shown.text.replace("RUB/KGS", "RUB") == expected("rules.preview", language)
    assert data(shown) == [["less"], ["once"], ["save", "drop"]]


def test_a_rule_that_never_fired_has_no_last_days() -> None:
    since = TODAY - timedelta(days=365)
    shown = rules.preview(rule(), [], "en", since=since, buttons=BUTTONS, today=TODAY)
    assert shown.text == "RUB/KGS < 1 would have fired 0 times in the past year."


def test_a_short_history_is_not_called_a_year() -> None:
    since = date(2021, 10, 1)
    shown = rules.preview(rule(), [], "en", since=since, buttons=BUTTONS, today=TODAY)
    assert shown.text.endswith("\nMy history of it begins on 1 Oct.")


@pytest.mark.parametrize("language", WHOLE)
def test_a_rule_is_said_in_the_readers_words_with_its_kind_and_its_end(language: str) -> None:
    said = expected("rules.said", language)
    asked = rule(
        kind=RateKind.SELL,
        condition=Condition.PERCENT,
        direction=Direction.BOTH,
        amount=Decimal("1.5"),
        window=7,
        once=True,
        until=date(2026, 12, 31),
    )
    assert rules.words(asked, language) == said


def test_rules_are_listed_and_each_opens() -> None:
    lines = [
        rules.RuleLine(number=7, rule=rule()),
        rules.RuleLine(number=9, rule=rule(inclusive=True), standing=RuleStanding.PAUSED),
    ]
    shown: Message = rules.rules(lines, "en", make="new:-")
    assert shown.text == "Your alerts\n1. RUB/KGS < 1\n2. RUB/KGS ≤ 1 ⏸"
    assert data(shown) == [["rule:open:7"], ["rule:open:9"], ["new:-"]]
    assert marked(rules.rules([], "ru", make="new:-"), "code") == ["/alert RUB < 1"]
