"""Every fault has its test: the rows of the table, as names of tests.

P are faults of processes and storage, T of time, G of Telegram. A test that covers a row carries its name.
"""

from __future__ import annotations

import re

from tests.conftest import ROOT

ROWS = [
    *(f"P{number}" for number in range(1, 20)),
    *(f"T{number}" for number in range(1, 7)),
    *(f"G{number}" for number in range(1, 15)),
]


def test_each_row_of_the_table_of_faults_has_a_test_of_its_name() -> None:
    """What is promised is tried."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        found |= set(re.findall(r"def test_([A-Z]\d+)_", path.read_text(encoding="utf-8")))
    assert [row for row in ROWS if row not in found] == []
