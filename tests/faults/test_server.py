"""A PostgreSQL that dies, freezes, refuses, gives way to its standby, or is reached through
PgBouncer.

The sender and the emulated Telegram are real; where everything has to go on by itself, so is the
whole program.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import re
import shutil
import signal
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import make_url, select, text

import storage.chats
import storage.claims
import storage.fan_out
import storage.leases
from bot.deliver import claims
from bot.emulator import TEST_TOKEN, Emulator
from bot.errors import ConfigError, StorageError
from bot.intake import role
from storage import connecting
from storage import db as database
from storage.address import parse_url
from storage.db import Store
from storage.opening import open_store
from storage.schema import chat
from storage.server_backup import dump
from tests.conftest import ROOT
from tests.e2e.program import READER, Program
from tests.factories import NOW
from tests.factories import chat as a_chat
from tests.faults.server import Server, servers
from tests.faults.test_replicas import catalog
from tests.faults.test_senders import READER as FIRST
from tests.faults.test_senders import bench as senders_bench
from tests.ports import free_port
from tests.postgres import Shared
from tests.publishers import QUIET, TODAY, Publishers, daily, rss
from tests.world import Sending, World

pytestmark = pytest.mark.postgres
READERS = range(FIRST, FIRST + 20)


bench = partial(senders_bench, readers=len(READERS))


async def everybody_has_it(one: World) -> None:
    """Wait until each reader got it."""
    async with asyncio.timeout(60):
        for number in READERS:
            await one.arrived(number)


async def states(one: World) -> set[str]:
    """The states of all readers' deliveries."""
    return {state for number in READERS for state, _ in await one.rows(number)}


async def test_P15_lost_connections_lose_nothing(
    migrated_postgres_url: str, postgres_server: str
) -> None:
    """The server ends every connection in the middle of a broadcast, again and again; all is sent,
    at most twice.
    """
    import psycopg

    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    async with bench(migrated_postgres_url) as one:
        await one.alert()
        async with (
            Sending(one),
            await psycopg.AsyncConnection.connect(postgres_server, autocommit=True) as admin,
        ):
            for number in (READERS[0], READERS[5], READERS[10]):
                await one.arrived(number)
                await admin.execute(kill, (make_url(migrated_postgres_url).database,))
            await everybody_has_it(one)
        assert await states(one) == {"sent"}
        assert all(1 <= one.accepted(number) <= 2 for number in READERS)


@pytest.fixture
def primary(postgres: Shared) -> Iterator[Server]:
    """A running server that may be killed."""
    with servers() as (first, _):
        first.make(postgres.empty())
        first.start()
        yield first


async def test_P15_a_killed_server_that_comes_back_has_lost_nothing(primary: Server) -> None:
    """SIGKILL in the middle of a broadcast, and a start: the sender goes on by itself, nobody gets
    more than two.
    """
    async with bench(primary.url, rate=20.0) as one:
        await one.alert()
        async with Sending(one):
            await one.arrived(READERS[5])
            primary.kill()
            primary.start()
            await everybody_has_it(one)
            await one.alert()
            await asyncio.gather(*[one.arrived(number, 2) for number in READERS])
        assert await states(one) == {"sent"}
        assert all(2 <= one.accepted(number) <= 3 for number in READERS)


async def test_P19_a_sender_whose_database_froze_sends_nothing_after_its_deadline_and_nothing_twice(
    primary: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has claimed far ahead; what it did not begin in time is sent after the thaw, what it did
    is not sent again.
    """
    lease, margin = 4.0, 2.0
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=lease))
    monkeypatch.setattr(claims, "LEASE_MARGIN", margin)
    monkeypatch.setattr(claims, "HORIZON", timedelta(minutes=1))
    async with bench(primary.url, rate=5.0) as one:  # four seconds for all
        await one.alert()
        async with Sending(one):
            first = await one.arrived(READERS[0])
            primary.signal(signal.SIGSTOP)
            await asyncio.sleep(lease + 1)  # a span that is the fault itself
            begun = [call.at for call in one.emulator.calls.of("sendMessage")]
            primary.signal(signal.SIGCONT)
            await everybody_has_it(one)
        assert 1 < len(begun) < len(READERS)
        assert max(begun) - first.at < lease
        assert await states(one) == {"sent"}
        assert [one.accepted(number) for number in READERS] == [1] * len(READERS)


async def test_P3_a_replica_frozen_inside_a_transaction_holds_up_the_others_for_seconds_only(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server takes from it the pace of all and what it had claimed; awake again it is told so,
    and goes on.
    """
    monkeypatch.setattr(connecting, "IDLE_SECONDS", 0.5)
    frozen = await open_store(migrated_postgres_url)
    claim = partial(
        storage.claims.claim,
        token="t",
        rate=500.0,
        horizon=timedelta(seconds=1),
        lease=timedelta(seconds=30),
    )
    async with bench(migrated_postgres_url) as one:
        await one.alert()
        async with one.store.writing() as db:
            assert await storage.fan_out.fan_out(db) == len(READERS)
        with pytest.raises(StorageError):
            async with frozen.writing() as db:
                held = await claim(db)
                async with Sending(one):
                    await everybody_has_it(one)
                await db.execute(text("SELECT 1"))
        assert len(held.deliveries) == len(READERS)
        assert [one.accepted(number) for number in READERS] == [1] * len(READERS)
        async with frozen.writing() as db:
            assert (await claim(db)).deliveries == ()
    await frozen.close()


async def test_P19_a_role_ends_by_its_time_when_the_database_froze(
    primary: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has it stops before another can take it, and is at it again when the database is."""
    monkeypatch.setattr(role, "ROLE_LEASE", timedelta(seconds=2))
    monkeypatch.setattr(role, "PROLONG", 0.3)
    begun, left = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()

    store = await open_store(primary.url)
    task = asyncio.create_task(role.Role(store, "updates", "a").during(work))
    async with asyncio.timeout(30):
        await begun.wait()
        primary.signal(signal.SIGSTOP)
        await left.wait()
        begun.clear()
        primary.signal(signal.SIGCONT)
        await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    await store.close()


async def test_P16_a_pool_without_a_free_connection_says_so_in_bounded_time(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller gets our error, and the next one a connection."""
    for module in (database, connecting):
        monkeypatch.setattr(module, "POOL_SECONDS", 0.2)
    store = await open_store(migrated_postgres_url)
    async with asyncio.timeout(20):
        gate, all_in = asyncio.Event(), asyncio.Barrier(11)

        async def hog() -> None:
            async with store.reading() as db:
                await db.execute(text("SELECT 1"))
                await all_in.wait()
                await gate.wait()

        hogs = [asyncio.create_task(hog()) for _ in range(10)]
        await all_in.wait()
        with pytest.raises(StorageError, match="no free connection"):
            async with store.reading():
                pass
        gate.set()
        await asyncio.gather(*hogs)
        async with store.reading() as db:
            assert (await db.execute(text("SELECT 1"))).scalar() == 1
    await store.close()


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ("57014", "SET LOCAL statement_timeout = 50; SELECT pg_sleep(20)"),
        (
            "40001",
            "DO $$ BEGIN RAISE EXCEPTION 'could not serialize' USING ERRCODE = '40001'; END $$",
        ),
        (
            "40P01",
            "DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$",
        ),
    ],
)
async def test_P16_a_transaction_the_server_breaks_off_has_no_partial_effect(
    migrated_postgres_url: str, state: str, trouble: str
) -> None:
    """Our error comes out; the same work a moment later is done once."""
    store = await open_store(migrated_postgres_url)

    async def work(*, broken: bool) -> None:
        async with store.writing() as db:
            await storage.chats.add(db, a_chat(1), now=NOW)
            if broken:
                await db.execute(text(trouble))

    with pytest.raises(StorageError) as caught:
        await work(broken=True)
    assert getattr(caught.value.__cause__.orig, "sqlstate", None) == state  # type: ignore[union-attr]  # of SQLAlchemy
    assert await chats(store) == []
    await work(broken=False)
    assert await chats(store) == [1]
    await store.close()


async def chats(store: Store) -> list[int]:
    """The numbers of the chats that we know."""
    async with store.reading() as db:
        return list((await db.execute(select(chat.c.id))).scalars())


@pytest.fixture
def pgbouncer(postgres_url: str, tmp_path: Path) -> Iterator[str]:
    """The same database through PgBouncer in transaction mode, as compose.yaml sets it up, but for
    where things are.
    """
    import subprocess

    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("pgbouncer is missing: apt-get install pgbouncer")
        pytest.skip("pgbouncer is not here")
    url = make_url(postgres_url)
    port = free_port()
    with psycopg.connect(postgres_url, autocommit=True) as server:
        # another test beside this one may make it just now
        with suppress(errors.DuplicateObject, errors.UniqueViolation):
            server.execute("CREATE ROLE jarchy LOGIN PASSWORD 'abc123'")
        server.execute(f'ALTER DATABASE "{url.database}" OWNER TO jarchy')
    configs = (ROOT / "compose.yaml").read_text(encoding="utf-8").partition("\nconfigs:\n")[2]
    inline = configs.partition("\n  pgbouncer:\n")[2]
    ini, users = (
        textwrap.dedent(part) for part in re.findall(r"    content: \|\n((?:      .*\n)+)", inline)
    )
    (tmp_path / "users.txt").write_text(re.sub(r"\$\{\w+:\?[^}]*\}", "abc123", users))
    here = {
        "host=postgres": f"host={url.query['host']} dbname={url.database}",
        "listen_addr = 0.0.0.0": "listen_addr = 127.0.0.1",
        "listen_port = 6432": f"listen_port = {port}",
        "/etc/jarchy/users.txt": str(tmp_path / "users.txt"),
        "default_pool_size = 20": "default_pool_size = 3",
    }
    for theirs, ours in here.items():
        assert theirs in ini, theirs
        ini = ini.replace(theirs, ours)
    (tmp_path / "pgbouncer.ini").write_text(f"{ini}logfile = {tmp_path / 'pgbouncer.log'}\n")
    for path in (tmp_path, *tmp_path.parents):
        if path.is_relative_to(tempfile.gettempdir()) and path != Path(tempfile.gettempdir()):
            path.chmod(0o755)
    owner = Path(
        str(url.query["host"])
    ).owner()  # who may open the server's socket; PgBouncer refuses to be root
    command = [
        program,
        *(["-u", owner] if getpass.getuser() == "root" else []),
        str(tmp_path / "pgbouncer.ini"),
    ]
    (tmp_path / "pgbouncer.log").touch()
    (tmp_path / "pgbouncer.log").chmod(0o666)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said: list[str] = []
    try:
        for line in process.stderr:
            said.append(line)
            if "process up" in line:
                break
        else:
            pytest.fail("".join(said))
        # a full pipe would stop it
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield f"postgresql://jarchy:abc123@127.0.0.1:{port}/jarchy"
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


async def test_P17_through_pgbouncer_in_transaction_mode_there_is_no_error(
    pgbouncer: str, tmp_path: Path
) -> None:
    """Migration, leases, claims and marks with more clients than the three server connections they
    share.
    """
    async with bench(pgbouncer) as one:

        async def take(number: int) -> None:
            async with one.store.writing() as db:
                await storage.leases.acquire(
                    db, f"role {number}", holder="a", span=timedelta(seconds=5)
                )

        await one.alert()
        async with Sending(one):
            await asyncio.gather(*[take(number) for number in range(20)], everybody_has_it(one))
        assert await states(one) == {"sent"}
        assert [one.accepted(number) for number in READERS] == [1] * len(READERS)
    assert " ERROR " not in (tmp_path / "pgbouncer.log").read_text()


async def test_P17_the_whole_program_goes_through_pgbouncer(pgbouncer: str, tmp_path: Path) -> None:
    """Jobs, the role of receiving, updates and answers, with the documented address and nothing
    else.
    """
    async with Publishers() as publishers, Emulator(TEST_TOKEN, "jarchy_bot") as emulator:
        emulator.add_private(emulator.add_user(READER, "Aigul", "en"))
        publishers.put("/daily.xml", daily(f"{TODAY:%d.%m.%Y}", "84,7935", "98,8523", "1,1948"))
        publishers.put("/feed.xml", rss(QUIET))
        (tmp_path / "program").mkdir()
        program = Program(
            tmp_path / "program", emulator, catalog(publishers.url), DATABASE_URL=pgbouncer
        )
        await program.start()
        await publishers.asked_again("/daily.xml")
        asked = await emulator.send_text(READER, "/help")
        await emulator.wait_message(READER, lambda _: True, after=asked, timeout=20)
        assert await program.end() == 0
        assert not [
            line
            for line in program.log
            if '"level": "error"' in line or '"level": "warning"' in line
        ]
    assert " ERROR " not in (tmp_path / "pgbouncer.log").read_text()


async def test_P17_a_copy_asks_for_the_servers_own_address(pgbouncer: str, tmp_path: Path) -> None:
    """Settings of pg_dump's would be left to whoever gets its connection next."""
    store = await open_store(pgbouncer)
    with pytest.raises(ConfigError, match="leads through a PgBouncer"):
        await asyncio.to_thread(dump, parse_url(pgbouncer), tmp_path / "night.dump")
    await store.close()
    assert not (tmp_path / "night.dump").exists()
