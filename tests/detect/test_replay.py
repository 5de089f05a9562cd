"""Replaying a table of rates: what `jarchy detect moves` prints."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from bot.convert.rules import parse_typed_rule
from bot.detect.replay import replay_csv
from bot.errors import ParseError, UserError

TABLE = """date,USD,EUR
2023-01-02,80,90
2023-01-03,80,
2023-01-04,83,90.5
2023-01-05,83,100
""".splitlines()


def test_every_big_move_is_a_line_in_order_of_day() -> None:
    lines = [move.to_json() for move in replay_csv(TABLE, "KGS")]
    assert [(each["pair"], each["effective_on"]) for each in lines] == [
        ("USD/KGS", "2023-01-04"),
        ("EUR/KGS", "2023-01-05"),
    ]
    first = json.loads(json.dumps(lines[0]))
    assert list(first) == [
        "pair",
        "effective_on",
        "rule",
        "percent",
        "old",
        "new",
        "severity",
        "reasons",
    ]
    assert (first["rule"], first["percent"], first["old"], first["new"]) == (
        "fixing",
        3.75,
        "80",
        "83",
    )
    assert (lines[0]["severity"], lines[1]["severity"]) == ("notable", "urgent")


def test_a_rule_of_ones_own_is_replayed_on_its_pair() -> None:
    found = replay_csv(TABLE, "KGS", parse_typed_rule("USD 1%", home="KGS"))
    assert [(move.rule, move.effective_on) for move in found] == [("USD/KGS 1%", date(2023, 1, 4))]
    assert replay_csv(TABLE, "KGS", parse_typed_rule("RUB 1%", home="KGS")) == []
    with pytest.raises(UserError):
        parse_typed_rule("nonsense", home="KGS")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "first line"),
        ("day,USD", "first line"),
        ("date,dollar", "first line"),
        ("date", "first line"),
        ("date,USD\nyesterday,1", "line 2 has no date"),
        ("date,USD\n2023-01-02,n/a", "line 2 has no number for USD"),
        ("date,USD\n2023-01-02,0", "line 2: '0' is not a price"),
        ("date,USD\n2023-01-02,1,2", "line 2 has more cells"),
    ],
)
def test_a_table_that_cannot_be_read_names_its_line(text: str, says: str) -> None:
    with pytest.raises(ParseError, match=says):
        replay_csv(text.splitlines(), "KGS")


def test_the_whole_recorded_table_is_replayed(shared: Path) -> None:
    text = (shared / "data/rates/kgs_nbkr_2021-07-03_2023-12-31.csv").read_text()
    moves = replay_csv(text.splitlines(), "KGS")
    assert ("USD/KGS", date(2022, 2, 26)) in {(str(move.pair), move.effective_on) for move in moves}
    assert len({(move.pair, move.effective_on) for move in moves}) == len(moves)
