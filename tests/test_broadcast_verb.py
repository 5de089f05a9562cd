"""`jarchy broadcast`: counts, asks first, and leaves the rest to the outbox."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import storage.chats
from bot.cli import main
from bot.model.chats import ChatKind
from storage.opening import open_store
from storage.schema import alert, source
from tests.factories import NOW, chat
from tests.test_cli import jarchy
from tests.world import migrated_copy

AHEAD = datetime.now(UTC) + timedelta(days=1)


async def people(folder: Path) -> None:
    """A person, a group that follows the economy, and one who asked for silence."""
    store = await open_store(migrated_copy(folder / "jarchy.db"))
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
        await storage.chats.add(db, chat(-2, kind=ChatKind.GROUP), now=NOW)
        await storage.chats.add(db, chat(3), now=NOW)
        await storage.chats.subscribe(db, -2, ["topic:economy"], now=NOW)
        await storage.chats.stop(db, 3)
    await store.close()
    (folder / "word").write_text("Tomorrow I rest.\n", encoding="utf-8")


async def queued(folder: Path) -> list[Any]:
    """The broadcasts that were stored."""
    store = await open_store(f"sqlite:///{folder / 'jarchy.db'}")
    async with store.reading() as db:
        rows = (await db.execute(select(alert))).all()
    await store.close()
    return list(rows)


@pytest.mark.parametrize(("to", "private", "group"), [("all", 1, 1), ("economy", 0, 1)])
async def test_a_dry_run_only_counts(tmp_path: Path, to: str, private: int, group: int) -> None:
    await people(tmp_path)
    done = jarchy(tmp_path, "broadcast", "--to", to, "--file", "word", "--dry-run")
    assert done.returncode == 0, done.stderr
    counts = {"private": private, "group": group, "channel": 0, "total": private + group}
    assert json.loads(done.stdout) == {"to": to, **counts, "queued": False}
    assert await queued(tmp_path) == []


async def test_it_asks_first_and_sends_what_the_file_says(tmp_path: Path) -> None:
    """Without a yes nothing is stored; the question is on stderr, the counts on stdout."""
    await people(tmp_path)
    for stdin in (b"n\n", b""):
        done = jarchy(tmp_path, "broadcast", "--to", "all", "--file", "word", stdin=stdin)
        assert done.returncode == 1
        assert done.stdout == b""
        assert b"2 chats" in done.stderr
        assert done.stderr.splitlines()[-1].startswith(b"jarchy: nothing is sent")
        assert await queued(tmp_path) == []
    done = jarchy(tmp_path, "broadcast", "--to", "all", "--file", "word", stdin=b"y\n")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["queued"] is True
    (row,) = await queued(tmp_path)
    assert row.payload["text"] == "Tomorrow I rest."
    assert (row.audience_key, row.lane, row.severity) == ("*", 2, "info")


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["--to", "football", "--file", "word"], 2, "no topic"),
        (["--to", "all", "--file", "long"], 1, "4096"),
        (["--to", "all", "--file", "empty"], 1, "nothing to send"),
        (["--to", "all", "--file", "odd"], 1, "UTF-8"),
        (["--to", "all", "--file", "missing"], 1, "missing"),
        (["--to", "society", "--file", "word"], 1, "nobody"),
        (["--to", "all"], 2, "--file"),
    ],
)
@pytest.mark.cases(keep=4)
async def test_what_cannot_be_sent_is_refused_in_a_line(
    tmp_path: Path, words: list[str], code: int, why: str
) -> None:
    """Before anything is asked or stored."""
    await people(tmp_path)
    (tmp_path / "long").write_text("😀" * 2049, encoding="utf-8")
    (tmp_path / "empty").write_text(" \n", encoding="utf-8")
    (tmp_path / "odd").write_bytes(b"\xff\xfe\x00")
    done = jarchy(tmp_path, "broadcast", *words)
    assert (done.returncode, done.stdout) == (code, b""), done.stderr
    assert why in done.stderr.decode()
    assert await queued(tmp_path) == []


def in_process(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str, at: datetime = AHEAD
) -> None:
    """A verb in this process, beside a database whose clock is a day ahead of the machine's."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DATABASE_URL", "sqlite:///jarchy.db")
    monkeypatch.setattr("storage.db._machine_now", lambda: at)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    monkeypatch.setattr("sys.argv", ["jarchy", *words])
    with pytest.raises(SystemExit):
        main()


def test_T5_what_a_verb_decides_is_of_the_databases_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever runs it by a server may have a clock that is wrong: a broadcast would be over before
    it began, and a source be asked again when it seems to be time.
    """
    (tmp_path / "mine.toml").write_text('[feeds.a]\nurl = "http://127.0.0.1:9/"\n')
    monkeypatch.setenv("CATALOG", "mine.toml")
    asyncio.run(people(tmp_path))
    in_process(monkeypatch, tmp_path, "broadcast", "--to", "all", "--file", "word")
    in_process(monkeypatch, tmp_path, "poll", "a")
    (row,) = asyncio.run(queued(tmp_path))
    assert row.created_at == AHEAD

    async def tried() -> datetime | None:
        store = await open_store("sqlite:///jarchy.db")
        async with store.reading() as db:
            (asked,) = (await db.execute(select(source.c.last_tried_at))).scalars()
        await store.close()
        return asked

    at = asyncio.run(tried())
    assert at is not None
    assert AHEAD <= at < AHEAD + timedelta(hours=1)
    capsys.readouterr()
    in_process(monkeypatch, tmp_path, "outbox", "--json", at=AHEAD + timedelta(minutes=3))
    assert json.loads(capsys.readouterr().out)["oldest_seconds"] == 180
