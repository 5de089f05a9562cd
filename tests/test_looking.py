"""A verb that only looks changes nothing: it neither makes a database nor brings one up to date."""

from __future__ import annotations

import asyncio
import json
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, text

import storage.belonging
import storage.notes
from bot.emulator import TEST_TOKEN, Emulator
from storage.address import parse_url
from storage.connecting import connect, connect_for_writing
from storage.db import Store
from storage.instance import only_instance
from storage.keeping import MADE_NOTE
from storage.opening import open_store
from storage.versions import HEAD, REVISIONS, SCRIPTS
from tests.factories import NOW
from tests.test_cli import jarchy
from tests.world import migrated_copy

#: What it promises is no matter of SQL: on PostgreSQL it is tried in the long run.
pytestmark = pytest.mark.cases

OLD = REVISIONS[-2]
LOOKING = (
    ["outbox", "--json"],
    ["digest", "--date", "2021-10-20"],
    ["convert", "100 usd kgs"],
    ["export", "--", "-1001"],
    ["db", "check"],
)
COMES = f"schema {OLD}: `jarchy db upgrade` (or `jarchy run`) brings it to {HEAD}"


async def of_revision(url: str, revision: str) -> None:
    """A database as the release with this schema left it."""

    def upgrade(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    store = connect_for_writing(url)
    async with store.writing() as db:
        await db.run_sync(upgrade)
    await store.close()


async def content(url: str) -> object:
    """The bytes of a file and the names beside it, or the tables and schema on a server."""
    if (path := parse_url(url).database) and url.startswith("sqlite"):
        files = sorted(Path(path).parent.iterdir())
        return [
            (one.name, one.read_bytes())
            for one in files
            if one.suffix == ".db" or "before" in one.name
        ]
    store = connect(url)
    async with store.reading() as db:
        names = await db.run_sync(lambda connection: sorted(inspect(connection).get_table_names()))
        known = "alembic_version" in names
        schema = (
            (await db.execute(text("SELECT version_num FROM alembic_version"))).scalar()
            if known
            else None
        )
    await store.close()
    return names, schema


async def ask(folder: Path, url: str, *words: str, **settings: str) -> tuple[int, str, str]:
    """Run a verb while this loop goes on; its exit code, and what it said."""
    done = await asyncio.to_thread(jarchy, folder, *words, DATABASE_URL=url, **settings)
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.cases
async def test_an_older_database_is_not_migrated_by_looking_at_it(
    database_url: str, tmp_path: Path
) -> None:
    """One line names both schemas and the verb that brings it up to date; the exit is 1."""
    await of_revision(database_url, OLD)
    before = await content(database_url)
    for words in LOOKING:
        code, out, said = await ask(tmp_path, database_url, *words)
        assert code == 1, words
        if words != ["db", "check"]:  # which lists every problem on stdout
            assert said == f"jarchy: the database has {COMES}\n"
        else:
            assert f"schema: {OLD}" in out
    assert await content(database_url) == before


async def test_check_says_of_an_older_database_what_the_next_start_does(
    database_url: str, tmp_path: Path
) -> None:
    """A row of its table and no failure; the database stays as it was."""
    await of_revision(database_url, OLD)
    before = await content(database_url)
    async with Emulator(TEST_TOKEN) as emulator:
        telegram = {"BOT_TOKEN": TEST_TOKEN, "BOT_API_URL": emulator.api_url}
        code, out, said = await ask(tmp_path, database_url, "check", "--json", **telegram)
    assert code == 0, said
    assert json.loads(out)["database"] == f"ok, {COMES}"
    assert await content(database_url) == before


async def test_check_says_what_else_is_so_though_the_database_is_away(tmp_path: Path) -> None:
    """Its own line comes last, with 1, for no setting need be wrong; the token was asked about, and
    the sources.
    """
    away = "postgresql://jarchy@127.0.0.1:1/jarchy"
    async with Emulator(TEST_TOKEN, "jarchy_bot") as emulator:
        telegram = {"BOT_TOKEN": TEST_TOKEN, "BOT_API_URL": emulator.api_url}
        catalog = {"CATALOG": str(tmp_path / "mine.toml")}
        (tmp_path / "mine.toml").write_text('[feeds.a]\nurl = "http://127.0.0.1:1/rss"\n')
        words = ("check", "--json", "--sources")
        code, out, said = await ask(tmp_path, away, *words, **telegram, **catalog)
    found = json.loads(out)
    assert code == 1
    assert said.startswith("jarchy: DATABASE_URL: connection failed")
    assert "is the server up" in said
    assert found["database"] in said
    assert found["token"] == "ok, @jarchy_bot"
    assert not found["source a"].startswith("ok")


async def test_check_refuses_what_a_start_would_refuse(tmp_path: Path) -> None:
    """Another bot's database and a port that another program has, each in its row and a line with
    the remedy; the port of a bot that runs on the database is its own, as are the copies that it
    noted.
    """
    url = migrated_copy(tmp_path / "jarchy.db")
    store = await open_store(url)
    async with store.writing() as db:
        await storage.belonging.claim(db, "111111111")
        await storage.notes.put(db, MADE_NOTE, f"{NOW.date()}")
    (tmp_path / "backups").mkdir()
    for day in (NOW, NOW + timedelta(days=1)):  # which nobody noted
        (tmp_path / "backups" / f"jarchy-{day.date()}.db").touch()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        async with Emulator(TEST_TOKEN) as emulator:
            words = {"BOT_API_URL": emulator.api_url, "OPS_LISTEN": listen, "BOT_TOKEN": TEST_TOKEN}
            code, out, said = await ask(tmp_path, url, "check", "--json", **words)
            async with store.writing() as db:
                await storage.notes.put(db, storage.belonging.BOT_MARK, TEST_TOKEN.split(":")[0])
            await store.close()
            with only_instance(tmp_path / "jarchy.db"):
                beside = await ask(tmp_path, url, "check", "--json", **words)
    assert code == 78
    [foreign, taken] = said.splitlines()
    assert "subscribers adopt" in foreign
    assert f"OPS_LISTEN: cannot listen on {listen}: another program" in taken
    found = json.loads(out)
    assert [f"jarchy: {found[name]}" for name in ("database", "listening")] == [foreign, taken]
    assert beside[0] == 0, beside
    assert json.loads(beside[1])["listening"] == "ok"
    assert json.loads(beside[1])["backups"].startswith("ok, 1 nightly")


async def test_check_says_of_a_missing_database_that_it_will_be_made(
    database_url: str, tmp_path: Path
) -> None:
    """And does not make it, nor the folder it would lie in."""
    if database_url.startswith("sqlite"):
        database_url = f"sqlite:///{tmp_path / 'deep' / 'er' / 'jarchy.db'}"
    async with Emulator(TEST_TOKEN) as emulator:
        telegram = {"BOT_TOKEN": TEST_TOKEN, "BOT_API_URL": emulator.api_url}
        code, out, said = await ask(tmp_path, database_url, "check", "--json", **telegram)
    assert code == 0, said
    verdict = json.loads(out)["database"]
    assert verdict.startswith("ok, ")
    assert "`jarchy run`" in verdict
    if database_url.startswith("sqlite"):
        assert list(tmp_path.iterdir()) == []
    else:
        assert await content(database_url) == ([], None)


async def test_check_says_why_tonights_copy_could_not_be_made(
    database_url: str, tmp_path: Path
) -> None:
    """A folder that is none, a server whose programs are not here; else it is heard of at night."""
    words = {"BOT_TOKEN": TEST_TOKEN, "PATH": "/nowhere", "BACKUPS": str(tmp_path / "copies")}
    remedy = "postgresql-client-"
    if database_url.startswith("sqlite"):
        database_url, remedy = f"sqlite:///{tmp_path / 'jarchy.db'}", "name another place"
        (tmp_path / "backups").touch()
        del words["BACKUPS"]  # unsaid it is beside the file
    async with Emulator(TEST_TOKEN) as emulator:
        words["BOT_API_URL"] = emulator.api_url
        code, out, said = await ask(tmp_path, database_url, "check", "--json", **words)
    assert code == 1, said
    wrong = [name for name, verdict in json.loads(out).items() if not verdict.startswith("ok")]
    assert wrong == ["backups"]
    assert remedy in json.loads(out)["backups"]


async def test_what_looks_at_a_missing_database_says_who_makes_it(
    database_url: str, tmp_path: Path
) -> None:
    """78 where DATABASE_URL names no file, 1 where a server's database is empty; made is
    nothing.
    """
    for words in LOOKING:
        code, _, said = await ask(tmp_path, database_url, *words)
        assert code == (78 if database_url.startswith("sqlite") else 1), said
        assert len(said.splitlines()) <= 1
        assert words == ["db", "check"] or "jarchy db upgrade" in said
    assert await content(database_url) in ([], ([], None))


@pytest.mark.parametrize("verb", ["erase 1001", "subscribers adopt", "db backup copy.db"])
def test_what_is_about_a_database_s_content_makes_none(tmp_path: Path, verb: str) -> None:
    """78 and who makes it: of an address with a slip nobody hears that all was done."""
    done = jarchy(tmp_path, *verb.split())
    assert done.returncode == 78, done.stderr
    [line] = done.stderr.decode().splitlines()
    assert "jarchy.db does not exist: `jarchy db upgrade`" in line
    assert list(tmp_path.iterdir()) == []


async def test_looking_at_a_current_database_leaves_every_byte(
    migrated_url: str, tmp_path: Path
) -> None:
    """Each verb answers, and the file is what it was."""
    before = await content(migrated_url)
    for words in LOOKING:
        code, _, said = await ask(tmp_path, migrated_url, *words)
        assert (code == 0) or "convert" in words, said  # there are no rates to convert by
    assert await content(migrated_url) == before


async def test_a_database_opened_to_look_refuses_to_be_written(migrated_url: str) -> None:
    """Whatever a view does by mistake."""
    looking: Store = connect(migrated_url)
    with pytest.raises(Exception, match=r"read-only|readonly"):
        async with looking.writing() as db:
            await db.execute(text("INSERT INTO mark (name, value) VALUES ('x', 'y')"))
    await looking.close()
    store = await open_store(migrated_url)
    async with store.reading() as db:
        assert (await db.execute(text("SELECT count(*) FROM mark WHERE name = 'x'"))).scalar() == 0
    await store.close()


async def test_P13_check_says_of_a_database_that_cannot_be_made_what_is_wrong(
    tmp_path: Path,
) -> None:
    """A file where its folder should be: 78, and one line with the path."""
    (tmp_path / "taken").write_text("a file")
    url = f"sqlite:///{tmp_path / 'taken' / 'jarchy.db'}"
    async with Emulator(TEST_TOKEN) as emulator:
        telegram = {"BOT_TOKEN": TEST_TOKEN, "BOT_API_URL": emulator.api_url}
        code, _, said = await ask(tmp_path, url, "check", **telegram)
    assert code == 78
    assert str(tmp_path / "taken") in said
    assert len(said.splitlines()) == 1


async def test_a_question_to_a_store_without_rates_names_what_fetches_them(
    tmp_path: Path, migrated_url: str
) -> None:
    """In the chat a poll is under way then; here nobody asks a source."""
    for words in (["convert", "100 usd"], ["convert", "-"]):
        code, out, said = await ask(tmp_path, migrated_url, *words)
        assert (code, out) == (1, "")
        assert said == (
            "jarchy: no rates of the catalog's sources are stored: `jarchy run` fetches them\n"
        )
