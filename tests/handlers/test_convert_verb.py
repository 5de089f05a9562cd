"""`jarchy convert`: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import storage.rates
from storage.opening import open_store
from tests.factories import NOW
from tests.test_cli import OCTOBER_20, jarchy


def test_parse_only_prints_what_was_understood(tmp_path: Path) -> None:
    """Without a database; `to` is null when it was not said."""
    done = jarchy(tmp_path, "convert", "100$ в сомах", "--parse-only")
    assert json.loads(done.stdout) == {"amount": "100", "from": "USD", "to": "KGS"}
    assert json.loads(jarchy(tmp_path, "convert", "5к руб", "--parse-only").stdout)["to"] is None
    assert not (tmp_path / "jarchy.db").exists()


async def test_with_rates_it_prints_the_result_and_where_it_is_from(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'jarchy.db'}")
    async with store.writing() as db:
        await storage.rates.add(db, OCTOBER_20, seen_at=NOW)
    await store.close()
    line = json.loads(jarchy(tmp_path, "convert", "100 usd").stdout)
    assert (line["to"], line["in"], line["result"], line["rate"]) == (
        None,
        "KGS",
        "8479.35",
        "84.7935",
    )
    assert (line["source"], line["effective_on"]) == ("nbkr", "2021-10-20")


def test_lines_on_stdin_are_answered_one_for_one(tmp_path: Path) -> None:
    """A line that is no conversion says so and stops nothing."""
    lines = "100 usd kgs\nhello there\n\n1,5 млн сум\n".encode()
    done = jarchy(tmp_path, "convert", "-", "--parse-only", stdin=lines)
    first, hello, empty, last = map(json.loads, done.stdout.splitlines())
    assert first == {"amount": "100", "from": "USD", "to": "KGS"}
    assert set(hello) == set(empty) == {"error"}
    assert (last["amount"], last["from"]) == ("1500000", "UZS")


def test_no_conversion_is_a_failure_in_one_line(tmp_path: Path) -> None:
    done = jarchy(tmp_path, "convert", "hello there", "--parse-only")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
