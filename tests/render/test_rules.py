"""A rule is said in the reader's words: previewed, listed, opened."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.i18n import t
from bot.model.rates import Pair, RateKind
from bot.model.rules import Condition, Direction, Rule, RuleStanding
from bot.model.subjects import DigestSubject, PairSubject, TopicSubject
from bot.render import rules
from bot.render.text import Message
from tests.factories import rate
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


def test_a_rule_that_never_fired_says_so_in_words() -> None:
    since = TODAY - timedelta(days=365)
    shown = rules.preview(rule(), [], "en", since=since, buttons=BUTTONS, today=TODAY)
    assert shown.text == "RUB/KGS < 1\nNot once in the past year."


def test_a_short_history_is_not_called_a_year() -> None:
    since = date(2021, 10, 1)
    shown = rules.preview(rule(), [], "en", since=since, buttons=BUTTONS, today=TODAY)
    assert shown.text.endswith("\nNot once since 1\u00a0October, where my history of it begins.")
    fired = [date(2021, 10, 5)]
    shown = rules.preview(rule(), fired, "ru", since=since, buttons=BUTTONS, today=TODAY)
    assert shown.text.endswith(
        "\nС 1\u00a0октября (раньше истории нет) оповестил бы 1\u00a0раз: 5\u00a0октября."
    )


def test_of_many_days_the_latest_are_named() -> None:
    since = TODAY - timedelta(days=365)
    fired = [date(2021, month, 1) for month in range(3, 9)]
    shown = rules.preview(rule(), fired, "ru", since=since, buttons=BUTTONS, today=TODAY)
    assert shown.text.endswith(
        "оповестил бы 6\u00a0раз, последние: 1\u00a0августа, 1\u00a0июля, 1\u00a0июня."
    )


@pytest.mark.parametrize(
    ("direction", "language", "said"),
    [
        (Direction.DOWN, "ru", "Сейчас 0,8863 – уже ниже. Напишу, когда курс поднимется выше 1 и"),
        (Direction.UP, "en", None),
    ],
)
def test_a_level_that_is_passed_already_says_what_it_waits_for(
    direction: Direction, language: str, said: str | None
) -> None:
    latest = rate("RUB/KGS", "0.8863")
    watched = rule(direction=direction)
    shown = rules.preview(
        watched, [], language, since=None, buttons=BUTTONS, today=TODAY, latest=latest
    )
    kept = rules.saved(watched, latest, language, awake=True)
    for one in (shown.text, kept.text):
        if said is None:
            assert "0.8863" not in one
        else:
            assert f"\n{said}" in one


@pytest.mark.parametrize("language", WHOLE)
def test_a_move_says_since_when_it_is_counted(language: str) -> None:
    """In the preview, on its card, in the list, once; a level and a move within days do not."""
    move = rule(condition=Condition.PERCENT, direction=Direction.BOTH, amount=Decimal(2))
    what = t("rule.move_what", language)
    for asked, times in ((move, 1), (replace(move, window=7), 0), (rule(), 0)):
        line = rules.RuleLine(number=7, rule=asked)
        for shown in (
            rules.preview(asked, [], language, since=None, buttons=BUTTONS, today=TODAY),
            rules.rule(line, language, address="https://t.me/x", today=TODAY),
            rules.rules([line, line], language, make="new:-", today=TODAY),
        ):
            assert shown.text.count(what) == times


@pytest.mark.parametrize(("language", "typed"), [("en", "84.7935"), ("ru", "84,7935")])
def test_an_example_has_the_mark_of_the_figure_beside_it(language: str, typed: str) -> None:
    latest = rate("USD/KGS", "84.7935")
    shown = rules.conditions(latest, [], language, source_names={}, today=TODAY, back="new:-")
    assert marked(shown, "code") == [f"/alert USD > {typed}"]


def test_a_move_in_money_says_in_what_money() -> None:
    half = rule(condition=Condition.ABSOLUTE, direction=Direction.BOTH, amount=Decimal("0.5"))
    assert rules.words(half, "ru") == "RUB/KGS ±0,5 сом"
    assert rules.words(replace(half, pair=Pair("USD", "RUB")), "ru") == "USD/RUB ±0,5 RUB"


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
    watched = rate("RUB/KGS", "0.8863")
    lines = [
        rules.RuleLine(number=7, rule=rule(), latest=watched),
        rules.RuleLine(
            number=9,
            rule=rule(inclusive=True),
            standing=RuleStanding.PAUSED,
            spoke_on=date(2021, 7, 8),
            latest=watched,
        ),
    ]
    shown: Message = rules.rules(lines, "en", make="new:-", today=TODAY)
    assert shown.text == (
        "Your alerts\n1. RUB/KGS < 1 · now 0.8863\n2. RUB/KGS ≤ 1 ⏸ · last alert: 8\u00a0Jul\n"
        "To change, pause or delete one, tap its number."
    )
    assert data(shown) == [["rule:open:7", "rule:open:9"], ["new:-"]]
    none = rules.rules([], "ru", make="new:-", today=TODAY)
    assert marked(none, "code") == ["/alert RUB < 1"]


def test_what_is_followed_stands_below_with_the_day_it_last_spoke() -> None:
    """In words; what has said nothing that is remembered has no day."""
    follows = [
        (PairSubject(Pair("USD", "KGS")), date(2021, 10, 19)),
        (TopicSubject("security"), None),
        (DigestSubject(time(8, 30), "Asia/Bishkek"), date(2021, 10, 20)),
    ]
    shown = rules.rules([], "en", make="new:-", today=TODAY, follows=follows)
    assert shown.text.split("\n")[1:] == [
        "",
        "Subscriptions",
        "USD/KGS · last alert: 19\u00a0Oct",
        "Security",
        "Digest: every day at 08:30 · last alert: 20\u00a0Oct",
        "Change them: /subscribe",
    ]
