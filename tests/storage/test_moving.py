"""A whole database moved to another one: between files and servers, in each direction."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Boolean, Table, func, insert, select, text, update
from sqlalchemy.types import Date, LargeBinary

import storage.chats
import storage.search
from bot import archive
from bot.detect.search import asked
from bot.errors import BotError, ConfigError
from storage import moved_rows
from storage.backup import restore
from storage.db import Db, Store
from storage.health import health
from storage.instance import only_instance
from storage.moving import move
from storage.opening import open_store
from storage.schema import alert, entry, metadata, rule
from storage.types import ExactDecimal, Json, UtcDateTime
from tests import forkserver
from tests.factories import NOW, chat
from tests.postgres import wait_for_a_lock
from tests.test_cli import jarchy
from tests.world import migrated_copy

NOBODY = 65534  # the number of who owns nothing
MAKE = 3  # rows of each table


@pytest.fixture(
    params=[
        "file to server",
        "server to file",
        pytest.param("server to server", marks=pytest.mark.slow),
        pytest.param("file to file", marks=pytest.mark.slow),
    ]
)
def addresses(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The addresses of a migrated database and of the one it moves to, which has no table yet."""
    source, target = request.param.split(" to ")
    if source == "file":
        first = migrated_copy(tmp_path / "jarchy.db")
    else:
        first = request.getfixturevalue("migrated_postgres_url")
    if target == "file":
        second = f"sqlite:///{tmp_path / 'elsewhere' / 'jarchy.db'}"
    else:
        second = request.getfixturevalue("postgres_url")
    return first, second


def value_of(table: Table, name: str, number: int) -> object:
    """A value of a column's kind, different in each row, and odd where it may be."""
    column = table.c[name]
    kind = column.type
    found: object = number
    if isinstance(kind, Json):
        found = {
            "ё": [number, 1.5, 1e16, 1e-7, -0.0, None, "\"'\\\n\t"],
            "a": {"z": 1, "b": True},
        }
    elif isinstance(kind, UtcDateTime):
        found = NOW + timedelta(days=number, microseconds=number)
    elif isinstance(kind, ExactDecimal):
        found = Decimal("0.1000") * (number - 1) * -1  # -0.0000 first
    elif isinstance(kind, Date):
        found = date(2021, 10, 19 + number)
    elif isinstance(kind, Boolean):
        found = bool(number % 2)
    elif isinstance(kind, LargeBinary):
        found = bytes(range(256))
    elif kind.python_type is str:
        found = f"{number}\t\\N\n“ж😀"
        if (length := getattr(kind, "length", None)) is not None:
            found = found[:length]
    return found


async def fill_every_table(db: Db) -> None:
    """Rows in each table, those with an absent value and those with a JSON null among them."""
    for table in metadata.sorted_tables:
        rows = []
        for number in range(1, MAKE + 1):
            row = {one.name: value_of(table, one.name, number) for one in table.columns}
            for one in table.columns:
                if one.nullable and number == 1:
                    del row[one.name]
            rows.append(row)
        for row in rows:
            await db.execute(insert(table).values(row))
    await db.execute(update(alert).where(alert.c.id == 3).values(near=text("'null'")))


async def filled(url: str) -> Store:
    """A database with rows in every table, of which the newest rule was deleted."""
    store = await open_store(url)
    async with store.writing() as db:
        await db.execute(metadata.tables["mark"].delete())
        await fill_every_table(db)
        ghost = {**(await db.execute(select(rule).where(rule.c.id == 1))).one()._mapping, "id": 9}
        await db.execute(insert(rule).values(ghost))
        if not store.alone:
            await db.execute(text("SELECT setval(pg_get_serial_sequence('rule', 'id'), 9)"))
        await db.execute(rule.delete().where(rule.c.id == ghost["id"]))
        await db.execute(update(entry).values(title="Border guards train", indexed=False))
    await archive.index(store, stopping=lambda: False)
    return store


@pytest.mark.postgres
async def test_every_table_moves_and_the_next_numbers_with_it(
    addresses: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows, JSON nulls, decimals, bytes; the index of words; and no number is given twice."""
    monkeypatch.setattr(moved_rows, "AT_ONCE", MAKE - 1)  # each table in two parts
    source_url, target_url = addresses
    source = await filled(source_url)
    before = (await health(source)).rows
    async with source.reading() as db:
        shown = await db.execute(select(func.count()).where(~entry.c.unapproved))
        indexed = shown.scalar_one()
    await source.close()
    moved = await move(source_url, target_url)
    assert {name: one.rows for name, one in moved.tables.items() if name != "archive"} == before
    assert moved.tables["archive"].rows == indexed
    target = await open_store(target_url)
    found = await health(target)
    assert (found.rows, found.problems) == (before, ())
    async with target.reading() as db:
        assert await storage.search.find(db, asked("guards"))
        nulls = select(alert.c.id).where(alert.c.near.is_(None)).order_by(alert.c.id)
        assert list((await db.execute(nulls)).scalars()) == [1]
    async with target.writing() as db:
        kept = dict((await db.execute(select(rule).where(rule.c.id == 1))).one()._mapping)
        del kept["id"]
        new = await db.execute(insert(rule).values(kept).returning(rule.c.id))
        assert new.scalar_one() == 10
    await target.close()
    with pytest.raises(BotError, match="has data already"):
        await move(source_url, target_url)


@pytest.mark.postgres
@pytest.mark.slow
async def test_a_verb_there_and_back_again(tmp_path: Path, postgres_url: str) -> None:
    """A dry run makes nothing; the bytes of the rows are the same after both ways."""
    store = await open_store(migrated_copy(tmp_path / "jarchy.db"))
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
    await store.close()
    tried = jarchy(tmp_path, "db", "move", postgres_url, "--dry-run")
    assert tried.returncode == 0, tried.stderr
    said = json.loads(tried.stdout)
    assert (said["moved"], said["tables"]["chat"]) == (False, {"rows": 1})
    with psycopg.connect(postgres_url) as connection:
        (made,) = connection.execute("SELECT to_regclass('chat')").fetchone() or ("nothing",)
    assert made is None
    there = jarchy(tmp_path, "db", "move", postgres_url)
    assert there.returncode == 0, there.stderr
    back = jarchy(
        tmp_path, "db", "move", f"sqlite:///{tmp_path / 'again.db'}", DATABASE_URL=postgres_url
    )
    assert back.returncode == 0, back.stderr
    assert json.loads(there.stdout)["tables"] == json.loads(back.stdout)["tables"]
    assert oct((tmp_path / "again.db").stat().st_mode & 0o777) == "0o600"


async def test_nothing_moves_while_a_bot_runs_or_where_somebody_is(tmp_path: Path) -> None:
    """Either database's own process is enough; so is an older schema, and a source that is not
    there.
    """
    one, two = tmp_path / "one.db", tmp_path / "two.db"
    first, second = f"sqlite:///{one}", f"sqlite:///{two}"
    with pytest.raises(ConfigError, match="does not exist"):
        await move(first, second)
    migrated_copy(one)
    for path in (one, two):
        with only_instance(path), pytest.raises(ConfigError, match="another Jarchy"):
            await move(first, second)
    for wrong in ("mysql://x", f"sqlite:///{tmp_path}"):
        for dry_run in (True, False):
            with pytest.raises(ConfigError, match=r"^the target: "):
                await move(first, wrong, dry_run=dry_run)
    for dry_run in (True, False):
        await move(first, second, dry_run=dry_run)
    store = await open_store(second)
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
    await store.close()
    for dry_run in (True, False):
        with pytest.raises(BotError, match="has data already"):
            await move(first, second, dry_run=dry_run)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_what_root_makes_for_a_database_is_its_folders_owners(tmp_path: Path) -> None:
    """Folders that were not there too, else the bot, a user of its own, could not enter them."""
    source, theirs = tmp_path / "jarchy.db", tmp_path / "theirs"
    migrated_copy(source)
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    await (await open_store(f"sqlite:///{theirs / 'made' / 'new' / 'jarchy.db'}")).close()
    await move(f"sqlite:///{source}", f"sqlite:///{theirs / 'moved' / 'new' / 'jarchy.db'}")
    restore(source, theirs / "restored" / "new" / "jarchy.db", force=False)
    made = list(theirs.rglob("*"))
    assert {one.name for one in made} >= {"made", "moved", "restored", "new", "jarchy.db"}
    assert [one for one in made if one.stat().st_uid != NOBODY] == []


@pytest.mark.parametrize("dry_run", [True, False])
async def test_nothing_moves_to_itself_or_to_what_is_no_database(
    tmp_path: Path, *, dry_run: bool
) -> None:
    """By whatever name; and nobody is told to put a copy in the place of a file that was never the
    bot's.
    """
    source = tmp_path / "jarchy.db"
    migrated_copy(source)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.db").symlink_to(source)
    (tmp_path / "second.db").hardlink_to(source)
    notes = tmp_path / "notes.jsonl"
    notes.write_text("nothing of ours\n" * 1000)
    for name in ("jarchy.db", "link.db", "second.db", "folder/../jarchy.db"):
        with pytest.raises(ConfigError, match=r"^the target: .* is the database that is to be"):
            await move(f"sqlite:///{source}", f"sqlite:///{tmp_path / name}", dry_run=dry_run)
    with pytest.raises(ConfigError, match=r"^the target: .*not a database\)") as refused:
        await move(f"sqlite:///{source}", f"sqlite:///{notes}", dry_run=dry_run)
    assert "restore" not in str(refused.value)


@pytest.mark.postgres
async def test_P12_what_a_newer_program_added_is_not_left_behind(tmp_path: Path) -> None:
    """A database that this program may use, and does not know whole, is moved by the newer one; nor
    does anything move into such a one.
    """
    urls = [f"sqlite:///{tmp_path / name}.db" for name in ("ours", "newer", "fresh")]
    for name in ("ours", "newer"):
        migrated_copy(tmp_path / f"{name}.db")
    store = await open_store(urls[1])
    async with store.writing() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await store.close()
    for source, target in (urls[1:], urls[:2]):
        for dry_run in (True, False):
            with pytest.raises(ConfigError, match="schema 9999, newer"):
                await move(source, target, dry_run=dry_run)
    assert not (tmp_path / "fresh.db").exists()


async def test_nothing_moves_while_replicas_run(
    tmp_path: Path, migrated_postgres_url: str, postgres_url: str
) -> None:
    """A heartbeat of a moment ago on either side is enough; a dead one's is not."""
    file = migrated_copy(tmp_path / "x.db")
    with psycopg.connect(migrated_postgres_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) "
            "VALUES (clock_timestamp() + interval '1 hour')"
        )
        with pytest.raises(ConfigError, match="running"):
            await move(migrated_postgres_url, postgres_url)
        with pytest.raises(ConfigError, match="running"):
            await move(file, migrated_postgres_url)
        connection.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = clock_timestamp() - interval '1 day'"
        )
    await move(migrated_postgres_url, postgres_url)


async def test_a_row_that_differs_undoes_it_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are read again are compared with those at the source, not with themselves."""
    first, second = migrated_copy(tmp_path / "one.db"), f"sqlite:///{tmp_path / 'two.db'}"
    store = await open_store(first)
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
    await store.close()
    copied = moved_rows.copy_table

    async def spoilt(source: Db, target: Db, table: Table, tell: moved_rows.Tell) -> object:
        found = await copied(source, target, table, tell)
        if table.name == "chat":
            await target.execute(update(table).values(title="spoilt"))
        return found

    monkeypatch.setattr("storage.moving.copy_table", spoilt)
    with pytest.raises(BotError, match="chat: 1 rows"):
        await move(first, second)
    monkeypatch.undo()
    await move(first, second)


@pytest.mark.postgres
async def test_a_move_that_is_killed_leaves_an_empty_target(
    tmp_path: Path, migrated_postgres_url: str
) -> None:
    """Held up by a lock after half of the tables, and killed: then it is simply begun again."""
    source = await filled(migrated_copy(tmp_path / "jarchy.db"))
    before = (await health(source)).rows
    await source.close()
    environment = {**forkserver.PLAIN, "DATABASE_URL": f"sqlite:///{tmp_path / 'jarchy.db'}"}
    with psycopg.connect(migrated_postgres_url) as holder:
        holder.execute("LOCK TABLE story_topic IN SHARE MODE")
        move_it = ("bot", "db", "move", migrated_postgres_url)
        running = await forkserver.start(*move_it, cwd=tmp_path, env=environment)
        wait_for_a_lock(migrated_postgres_url)
        running.kill()
        await running.wait()
    source = await open_store(environment["DATABASE_URL"])
    assert (await health(source)).rows == before
    await source.close()
    moved = await asyncio.wait_for(move(environment["DATABASE_URL"], migrated_postgres_url), 60)
    assert moved.tables["story_topic"].rows == MAKE
