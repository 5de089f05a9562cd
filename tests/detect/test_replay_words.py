"""A replay's rule and table as people write them; its reasons keep the hyphens of their dates."""

from __future__ import annotations

import re
import subprocess
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from bot.convert import currency_at, day_at
from bot.convert.rules import parse_typed_rule
from bot.detect.replay import replay_csv
from bot.errors import ParseError
from bot.model.rules import TypedRule
from tests import forkserver

LINES = (
    "date,USD,EUR",
    "2026-01-05,84.9,98",
    "2026-01-06,85.2,98.5",
    "2026-01-07,84.6,97",
    "2026-01-08,91,104.7",
)
DAY = partial(day_at, today=date(2026, 1, 5), ahead=True)


def typed(rule: str | None) -> TypedRule | None:
    return (
        None if rule is None else parse_typed_rule(rule, home="KGS", currency=currency_at, day=DAY)
    )


def replayed(rule: str, lines: tuple[str, ...] = LINES) -> list[tuple[str, str]]:
    """The day and the rule of each alert."""
    found = replay_csv(lines, "KGS", typed(rule))
    return [(one.effective_on.isoformat(), one.rule) for one in found]


@pytest.mark.parametrize(
    "rule", [None, "USD 0.2%", "USD -0.5%", "USD +1%", "EUR 1% 7d", "USD ±0.3", "USD > 85"]
)
def test_a_reason_keeps_the_hyphens_of_its_date(rule: str | None) -> None:
    """The true minus stands before a number only."""
    reasons = [
        str(reason) for one in replay_csv(LINES, "KGS", typed(rule)) for reason in one.reasons
    ]
    assert reasons
    assert not [reason for reason in reasons if re.search(r"\d\u2212|-\d+[.,]", reason)]
    if rule in {"USD 0.2%", "USD -0.5%", "USD +1%"}:
        assert all(re.search(r"\d{4}-\d\d-\d\d", reason) for reason in reasons)


@pytest.mark.parametrize(
    "rule", ["USD 85", "доллар 85", "$ 85", "$ USD 85", "usdkgs 85", "доллар выше 85"]
)
def test_a_bare_number_near_the_rate_is_a_level_here_too(rule: str) -> None:
    assert replayed(rule) == [("2026-01-06", "USD/KGS > 85"), ("2026-01-08", "USD/KGS > 85")]


def test_a_bare_number_far_from_the_rate_is_a_move() -> None:
    assert replayed("USD 0.5") == [("2026-01-07", "USD/KGS 0.5"), ("2026-01-08", "USD/KGS 0.5")]
    assert replayed("USD ±85") == []


def test_a_rule_ends_on_a_day_in_words() -> None:
    assert replayed("доллар > 85 до 7 января") == [("2026-01-06", "USD/KGS > 85 until 2026-01-07")]


def test_days_of_a_table_are_read_as_spreadsheets_write_them() -> None:
    for lines in (
        [
            line.replace("2026-01-0", "0").replace(",", ".01.2026,", 1) if "20" in line else line
            for line in LINES
        ],
        [line.replace("-", "\u2013") for line in LINES],
        [line.replace("-", "\u2212") for line in LINES],
    ):
        assert replayed("USD 85", tuple(lines)) == replayed("USD 85")
    with pytest.raises(ParseError):
        replayed("USD 85", ("date,USD", "31.02.2026,84.9"))


def test_the_verb_reads_a_rule_in_words_and_explains_one_it_cannot_read(tmp_path: Path) -> None:
    """In a sentence, never by the name of a message."""
    table = tmp_path / "rates.csv"
    table.write_text("\ufeff" + "\n".join(LINES), encoding="utf-8")

    def verb(rule: str) -> subprocess.CompletedProcess[bytes]:
        words = ("detect", "moves", "--history", str(table), "--rule", rule)
        return forkserver.run("bot", *words, cwd=tmp_path, env=forkserver.PLAIN)

    told = verb("доллар 85")
    assert (told.returncode, told.stdout.count(b'"rule":"USD/KGS > 85"')) == (0, 2)
    wrong = verb("USD 85 7d")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith(b"jarchy: A level needs no days")
