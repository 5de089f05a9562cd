"""`jarchy search`: what a poll stored is found at once, as lines for people and for programs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from typer.testing import CliRunner

from bot.cli import cli
from bot.errors import UserError
from tests.publishers import Publishers, rss
from tests.test_cli import jarchy


async def test_what_a_poll_stored_is_found(tmp_path: Path) -> None:
    """With its source, time, link, and how much of the question its headline has."""
    async with Publishers() as publishers:
        publishers.put(
            "/one.xml",
            rss(
                ("a", "Border guards open the road", "Lorries pass again."),
                ("b", "Flour is cheaper", "A sack costs less at the border."),
            ),
        )
        catalog = tmp_path / "catalog.toml"
        catalog.write_text(
            f'[feeds.one]\nname = {{ en = "One" }}\nurl = "{publishers.url}/one.xml"\n'
        )
        polled = await asyncio.to_thread(jarchy, tmp_path, "poll", CATALOG=str(catalog))
        assert polled.returncode == 0, polled.stderr
        done = await asyncio.to_thread(
            jarchy, tmp_path, "search", "border", "--json", CATALOG=str(catalog)
        )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["title"]: line["score"] for line in lines} == {
        "Border guards open the road": 1.0,
        "Flour is cheaper": 0.0,
    }
    assert set(lines[0]) == {"story", "title", "source", "published_at", "link", "score"}
    for_people = jarchy(tmp_path, "search", "nothing of that", CATALOG=str(catalog))
    assert (for_people.returncode, for_people.stdout) == (0, b"")


def test_marks_alone_are_no_question() -> None:
    """Said before a database is opened, as the bot says it."""
    done = CliRunner().invoke(cli, ["search", "???"])
    assert isinstance(done.exception, UserError)
    assert done.exception.msgid == "error.search"
