"""A server whose disk is full."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import insert, make_url
from structlog.testing import capture_logs

from bot.emulator import TEST_TOKEN, Emulator
from bot.errors import StorageError
from bot.telegram.api import Api
from bot.telegram.session import open_session
from bot.watch import StoreWatch
from storage.db import Store
from storage.opening import open_store
from storage.schema import inbox
from tests.conftest import migrated_template
from tests.factories import NOW
from tests.faults.disks import small_disk
from tests.postgres import Shared, drop

OPERATOR = 1001


@contextmanager
def _on_a_disk(postgres: Shared, folder: Path) -> Iterator[str]:
    """A migrated database whose tables are in a folder."""
    name, server = f"disk_{uuid.uuid4().hex}", postgres.server()
    owner = (postgres.folder / "data").stat()
    os.chown(folder, owner.st_uid, owner.st_gid)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
        connection.execute(
            f'CREATE DATABASE {name} TEMPLATE "{migrated_template(postgres)}"'
            f" TABLESPACE {name} STRATEGY file_copy"
        )
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        drop(server, name)
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP TABLESPACE {name}")


@pytest.fixture
def disk(postgres: Shared) -> Iterator[Path]:
    """A small disk that the server can reach."""
    folder = postgres.folder / f"disk-{uuid.uuid4().hex}"
    with small_disk(folder, "size=64m") as there:
        yield there
    folder.rmdir()


@pytest.fixture
def url(postgres: Shared, disk: Path) -> Iterator[str]:
    """The address of a migrated database on that disk."""
    with _on_a_disk(postgres, disk) as address:
        yield address


async def receive(store: Store) -> None:
    """Store what takes more than a page that is there."""
    async with store.writing() as db:
        row = {"kind": "message", "body": "x" * 1500, "received_at": NOW}
        await db.execute(insert(inbox), [{"update_id": number, **row} for number in range(200)])


@pytest.mark.postgres
async def test_P6_a_server_with_a_full_disk_is_told_of_though_a_row_in_place_can_be_changed(
    url: str, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and until there is room again: then it works by itself."""
    monkeypatch.setattr("bot.watch.TROUBLE_PATIENCE", 0.0)
    store = await open_store(url)
    async with Emulator(TEST_TOKEN) as telegram, open_session() as session:
        telegram.add_private(telegram.add_user(OPERATOR, "Operator", "en"))
        api = Api(session, url=telegram.api_url, token=TEST_TOKEN)
        watch = StoreWatch(store, api, (OPERATOR,), "en")
        filler = disk / "filler"
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free)
        with pytest.raises(StorageError):
            await receive(store)
        for _ in range(3):
            await watch.look()
        told = await telegram.wait_message(OPERATOR, timeout=20)
        assert "No space left" in told["text"]
        assert store.trouble is not None
        filler.unlink()
        with capture_logs() as said:
            await watch.look()
        assert said[-1]["event"] == "the database can be written again"
        assert store.trouble is None
        await receive(store)
        assert len(telegram.messages(OPERATOR)) == 1
    await store.close()
