"""The words of a measurement on the one before it."""

from __future__ import annotations

import argparse
import re
from datetime import date
from pathlib import Path

import pytest

from bench import expected, soak
from bench.__main__ import MEASUREMENTS
from bench.figure import Figure, Goal, shown
from tests.conftest import ROOT

HERE, ELSEWHERE = "this machine", "another"


def reply(value: float) -> Figure:
    """Less is better."""
    return Figure(name="reply", value=value, unit="ms", baseline=1.0)


def pace(value: float) -> Figure:
    """More is better."""
    goal = Goal(of="ratio", least=0.9)
    return Figure(name="pace", value=value, unit="of the rate", baseline=1.0, goal=goal)


def bare(value: float) -> Figure:
    """A figure without a baseline."""
    return Figure(name="memory", value=value, unit="MB")


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was written down."""
    monkeypatch.setattr(expected, "PLACE", tmp_path / "expected.toml")
    run = {"reply": [reply(1.2), bare(100.0)], "pace": [pace(1.0)]}
    expected.write(run, today=date(2026, 11, 29))


@pytest.mark.usefixtures("known")
def test_what_is_a_tenth_worse_is_named_and_nothing_else() -> None:
    """By its ratio, in whichever direction it is better."""
    before = expected.read()
    assert before["pace"]["at"] == "2026-11-29"
    assert not expected.worse({"reply": [reply(1.31)], "pace": [pace(0.92)]}, before, here=HERE)
    assert not expected.worse({"reply": [reply(0.5)], "new": [reply(9.0)]}, before, here=HERE)
    assert expected.worse({"reply": [reply(1.4)], "pace": [pace(0.8)]}, before, here=HERE) == [
        "reply, reply: 1.4×, expected 1.2",
        "pace, pace: 0.8×, expected 1",
    ]


@pytest.mark.usefixtures("known")
def test_a_bare_figure_is_compared_on_its_own_machine_alone() -> None:
    """A ratio is compared everywhere."""
    before = expected.read()
    before["reply"]["machine"] = HERE
    now = {"reply": [bare(120.0)]}
    assert expected.worse(now, before, here=ELSEWHERE) == []
    assert expected.worse(now, before, here=HERE) == ["reply, memory: 120 MB, expected 100"]


@pytest.mark.usefixtures("known")
def test_what_is_below_nothing_is_not_so_many_times_worse() -> None:
    """A row that lies further back than before is no fault, and its goal says what would be."""
    expected.write({"lanes": [bare(-0.5)]}, today=date(2026, 11, 29))
    for value in (-1.4, -0.5, 0.3):
        assert not expected.worse(
            {"lanes": [bare(value)]}, expected.read(), here=expected.machine()
        )


@pytest.mark.usefixtures("known")
def test_what_was_not_measured_stays_as_it_was() -> None:
    """A run of one measurement writes that one, with its day; one that misses its goal is
    marked.
    """
    expected.write({"pace": [pace(0.85)]}, today=date(2026, 11, 30))
    last = expected.read()
    assert last["pace"]["at"] == "2026-11-30"
    assert last["pace"]["figures"]["pace"] == {
        "value": 0.85,
        "unit": "of the rate",
        "ratio": 0.85,
        "missed": True,
    }
    assert last["reply"]["at"] == "2026-11-29"
    assert last["reply"]["figures"]["reply"] == {"value": 1.2, "unit": "ms", "ratio": 1.2}


def test_every_measurement_has_its_last_figures() -> None:
    """Or a run would not notice what became worse in it."""
    assert expected.read().keys() == MEASUREMENTS.keys()


def test_a_goal_that_was_missed_is_told() -> None:
    """By the figure's name, where goals are said to be missed."""
    page = (ROOT / "docs" / "measuring.md").read_text(encoding="utf-8")
    told = page.partition("where goals are missed\n")[2]
    for name, last in expected.read().items():
        for figure, row in last["figures"].items():
            assert not row.get("missed") or f"`{name}`, {figure}" in told


def test_the_figures_of_the_documents_are_those_of_the_last_run() -> None:
    """README's with the day of the oldest and the machine; a figure that was measured anew is one
    to write anew.
    """
    known: dict[str, list[str]] = {}
    found: dict[str, set[tuple[str, str]]] = {}  # figure → when and where
    for last in expected.read().values():
        for one in last["figures"].values():
            figure = f"{shown(one['value'])} {one['unit']}"
            known.setdefault(figure, []).append(f"{one.get('ratio', 0):.2f}")
            found.setdefault(figure, set()).add((last["at"], last["machine"]))
    readme = (ROOT / "README.md").read_text(encoding="utf-8").partition("## How fast\n")[2]
    readme = readme.partition("\n## ")[0]
    said = re.findall(r"\*\*(.+?)\*\*", readme)
    assert len(said) == 6
    assert set(said) <= known.keys()
    oldest, machine = min(min(found[figure]) for figure in said)
    assert f"Measured on {oldest} ({machine})" in readme
    page = (ROOT / "docs" / "measuring.md").read_text(encoding="utf-8")
    table = page.partition("| | figure | |\n|---|---|---|\n")[2].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()]
    assert len(rows) == 10
    for _, figure, *beside in rows:
        assert figure in known
        assert all(one.partition(" ×")[0] in known[figure] for one in beside)


@pytest.mark.parametrize("written", ["0.1", "-30", "nan", "inf", "half"])
def test_a_soak_too_short_for_its_figures_is_refused_in_a_line(written: str) -> None:
    """Before anything is started: memory would not have been looked at often enough."""
    with pytest.raises(argparse.ArgumentTypeError, match="should be a number from 1 to"):
        soak.minutes(written)
    assert soak.minutes("1") == 1
