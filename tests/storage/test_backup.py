"""Copies of the database, putting one back, and what a check says: the verbs, as processes."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

import storage.about
import storage.belonging
import storage.chats
import storage.notes
import storage.rates
from bot.errors import BotError, ConfigError
from storage import server_backup
from storage.about import Backups
from storage.address import parse_url
from storage.backup import copy, rescue, restore
from storage.copies import COPIES_KEPT, KEEP_ASIDE, never, stamped
from storage.db import Store
from storage.health import health
from storage.instance import only_instance
from storage.keeping import MADE_NOTE, Nights, back_up, nightly, nights_of, save
from storage.old_copies import forget_old
from storage.opening import open_store
from storage.schema import inbox
from storage.versions import HEAD
from tests.factories import NOW, chat, rate
from tests.test_cli import jarchy
from tests.world import migrated_copy


async def fill(folder: Path, *chats: int) -> Store:
    """A database with these chats, still open: its last commits are in the WAL only."""
    path = folder / "jarchy.db"
    if not path.exists():
        migrated_copy(path)
    store = await open_store(f"sqlite:///{path}")
    async with store.writing() as db:
        for number in chats:
            await storage.chats.add(db, chat(number), now=NOW)
    return store


def chats_of(path: Path) -> set[int]:
    """The chats in a file, read as it lies there."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return {number for (number,) in connection.execute("SELECT id FROM chat")}


async def test_a_backup_of_a_running_store_has_its_last_commit(tmp_path: Path) -> None:
    """Whole, in one file, the operator's alone, and no second one over it."""
    store = await fill(tmp_path, 1, 2)
    done = jarchy(tmp_path, "db", "backup", "copy.db")
    assert (done.returncode, done.stdout) == (0, b"copy.db\n"), done.stderr
    assert chats_of(tmp_path / "copy.db") == {1, 2}
    assert oct((tmp_path / "copy.db").stat().st_mode & 0o777) == "0o600"
    again = jarchy(tmp_path, "db", "backup", "copy.db")
    assert (again.returncode, b"exists already" in again.stderr) == (1, True)
    await store.close()
    named = jarchy(tmp_path, "db", "backup").stdout.decode().strip()
    assert chats_of(Path(named)) == {1, 2}
    assert not list(tmp_path.glob(".*.half"))


async def test_a_used_database_is_only_replaced_by_force_and_kept_beside(tmp_path: Path) -> None:
    """Without --force nothing changes; with it, both databases are there afterwards."""
    await (await fill(tmp_path, 1)).close()
    assert jarchy(tmp_path, "db", "backup", "old.db").returncode == 0
    await (await fill(tmp_path, 2)).close()
    refused = jarchy(tmp_path, "db", "restore", "old.db")
    assert (refused.returncode, b"--force" in refused.stderr) == (1, True)
    assert chats_of(tmp_path / "jarchy.db") == {1, 2}
    done = jarchy(tmp_path, "db", "restore", "old.db", "--force")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"]["chat"] == 1
    assert chats_of(tmp_path / "jarchy.db") == {1}
    (kept,) = tmp_path.glob("jarchy.db.before-restore-*")
    assert chats_of(kept) == {1, 2}
    assert {oct(path.stat().st_mode & 0o777) for path in (kept, tmp_path / "jarchy.db")} == {
        "0o600"
    }


@pytest.mark.parametrize("damaged", [False, True])
async def test_a_database_behind_a_link_is_replaced_where_the_link_leads(
    tmp_path: Path, *, damaged: bool
) -> None:
    """The link stays, what was there is kept beside the file, and forgotten after a month."""
    store = await fill(tmp_path, 1)
    saved = save(str(store.url), tmp_path / "copy.db")
    await store.close()
    link, real = tmp_path / "jarchy.db", tmp_path / "large disk" / "of the bot.db"
    real.parent.mkdir()
    link.rename(real)
    link.symlink_to(real)
    if damaged:
        real.write_bytes(b"no database")
    _, aside = restore(saved, link, force=True)
    assert link.readlink() == real
    assert chats_of(real) == {1}
    assert aside is not None
    assert aside.parent == real.parent
    if damaged:
        assert aside.read_bytes() == b"no database"
    month = datetime.now(UTC) + KEEP_ASIDE
    assert forget_old(store.url, "off", now=month + timedelta(minutes=1)) == [aside]


async def test_a_log_left_by_a_kill_is_never_read_into_the_restored_database(
    tmp_path: Path,
) -> None:
    """The old WAL goes into the kept copy, not into what takes its place."""
    await (await fill(tmp_path, 1)).close()
    assert jarchy(tmp_path, "db", "backup", "old.db").returncode == 0
    if os.fork() == 0:  # dies with its log unwritten
        with sqlite3.connect(tmp_path / "jarchy.db") as connection:
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.execute("UPDATE chat SET id = 7")
            connection.commit()
            os._exit(0)
    os.wait()  # noqa: ASYNC222 - it ends at once
    assert (tmp_path / "jarchy.db-wal").stat().st_size
    assert jarchy(tmp_path, "db", "restore", "old.db", "--force").returncode == 0
    assert chats_of(tmp_path / "jarchy.db") == {1}
    (kept,) = tmp_path.glob("jarchy.db.before-restore-*")
    assert chats_of(kept) == {7}


async def test_P9_a_damaged_database_is_moved_aside_for_its_backup(tmp_path: Path) -> None:
    """The check names the damage, the restore mends it, and what was there is still there."""
    await (await fill(tmp_path, 1)).close()
    assert jarchy(tmp_path, "db", "backup", "old.db").returncode == 0
    path = tmp_path / "jarchy.db"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)
    path.write_bytes(content)
    bad = jarchy(tmp_path, "db", "check")
    assert bad.returncode == 1
    assert b"Traceback" not in bad.stderr
    assert jarchy(tmp_path, "db", "restore", "old.db").returncode == 1
    assert jarchy(tmp_path, "db", "restore", "old.db", "--force").returncode == 0
    assert chats_of(path) == {1}
    (kept,) = (
        one
        for one in tmp_path.glob("jarchy.db.before-restore-*")
        if not one.name.endswith(("-wal", "-shm"))
    )
    assert kept.read_bytes() == bytes(content)
    assert jarchy(tmp_path, "db", "check").returncode == 0


@pytest.mark.parametrize("kind", ["absent", "text", "foreign", "newer", "cut"])
async def test_what_is_no_sound_backup_replaces_nothing(tmp_path: Path, kind: str) -> None:
    """Absent, not a database, another program's, of a newer program, or cut in half: one line, and
    all is as before.
    """
    await (await fill(tmp_path, 1)).close()
    path, backup = tmp_path / "jarchy.db", tmp_path / "backup.db"
    if kind == "text":
        backup.write_text("not a database " * 100)
    elif kind == "foreign":
        with closing(sqlite3.connect(backup)) as connection:
            connection.execute("CREATE TABLE x (y)")
    elif kind != "absent":
        copy(path, backup)
        if kind == "newer":
            with closing(sqlite3.connect(backup)) as connection:
                connection.execute("UPDATE alembic_version SET version_num = '9999'")
                connection.execute("UPDATE mark SET value = '9000' WHERE name = 'min_reader'")
                connection.commit()
        else:
            os.truncate(backup, backup.stat().st_size // 2)
    with pytest.raises(BotError) as refused:
        restore(backup, path, force=True)
    assert len(str(refused.value).splitlines()) == 1
    assert chats_of(path) == {1}
    assert not list(tmp_path.glob("jarchy.db.*-2*"))


def test_what_is_no_file_at_all_is_called_what_it_is(tmp_path: Path) -> None:
    """By either database's restore, before it looks at anything else."""
    server = parse_url("postgresql://nobody@nowhere.invalid/jarchy")
    called = {
        tmp_path: "is a folder",
        Path("/dev/zero"): "is no file",
        tmp_path / "x.db": "does not exist",
    }
    for path, what in called.items():
        with pytest.raises(BotError, match=f"{path} {what}"):
            restore(path, tmp_path / "jarchy.db", force=True)
        with pytest.raises(BotError, match=f"{path} {what}"):
            server_backup.restore(server, path, force=True)


async def test_a_running_bot_keeps_its_database(tmp_path: Path) -> None:
    """Restoring under a running program is refused by name."""
    await (await fill(tmp_path, 1)).close()
    path, backup = tmp_path / "jarchy.db", tmp_path / "backup.db"
    copy(path, backup)
    with only_instance(path), pytest.raises(ConfigError, match="another Jarchy"):
        restore(backup, path, force=True)


async def test_a_check_counts_and_changes_nothing(store: Store) -> None:
    """On either database; a subscription of nobody is found where the database cannot rule it
    out.
    """
    async with store.writing() as db:
        await storage.chats.add(db, chat(1), now=NOW)
    found = await health(store)
    assert (found.schema, found.problems) == (HEAD, ())
    assert (found.rows["chat"], found.rows["delivery"]) == (1, 0)
    if store.alone:
        with closing(sqlite3.connect(store.database_file)) as connection:
            connection.execute(
                "INSERT INTO subscription (key, chat_id, since_at) VALUES ('all', 99, 0)"
            )
            connection.commit()
        (problem,) = (await health(store)).problems
        assert "subscription" in problem


def test_P12_a_copy_of_a_newer_program_s_database_is_refused_by_the_database_s_name(
    tmp_path: Path,
) -> None:
    """Nobody knows the half of a copy by its own."""
    path = tmp_path / "jarchy.db"
    migrated_copy(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE mark SET value = '9000' WHERE name = 'min_reader'")
        connection.commit()
    done = jarchy(tmp_path, "db", "backup", "copy.db")
    [line] = done.stderr.decode().splitlines()
    assert line.startswith(f"jarchy: {path} has schema 9999, newer than this program knows")
    assert not (tmp_path / "copy.db").exists()


def test_a_check_makes_no_database(tmp_path: Path) -> None:
    """A wrong address is said, not made true."""
    assert jarchy(tmp_path, "db", "check").returncode == 78
    assert not (tmp_path / "jarchy.db").exists()


def places(path: Path) -> Nights:
    """The place of the copies of a file's nights, with no setting."""
    found = nights_of(parse_url(f"sqlite:///{path}"), None)
    assert found is not None
    return found


def night(path: Path, *, today: date, stop: Callable[[], bool] = never) -> Path:
    """One night's copy of a file."""
    url = parse_url(f"sqlite:///{path}")
    return nightly(url, places(path), today=today, stop=stop)


def test_a_copy_says_of_which_night_it_is(tmp_path: Path) -> None:
    """Also where its database's name looks like a day."""
    for name in ("jarchy.db", "2026-01-01.db", "a-b.c.db"):
        kept = places(tmp_path / name)
        assert kept.night_of(kept.of(date(2026, 2, 27))) == date(2026, 2, 27)


async def test_a_night_leaves_one_copy_and_a_week_of_nights_seven(tmp_path: Path) -> None:
    """Once a day however often it is asked; the oldest go."""
    store = await fill(tmp_path, 1)
    path, first = tmp_path / "jarchy.db", date(2026, 2, 27)
    for day in range(COPIES_KEPT + 3):
        today = first + timedelta(days=day)
        made = await back_up(store, None, today=today, stop=never)
        assert made == tmp_path / "backups" / f"jarchy-{today}.db"
        assert await back_up(store, None, today=today, stop=never) is None
    assert [one.name for one in places(path).made] == [
        f"jarchy-{first + timedelta(days=day)}.db" for day in range(3, COPIES_KEPT + 3)
    ]
    assert oct((tmp_path / "backups").stat().st_mode & 0o777) == "0o700"
    assert {oct(one.stat().st_mode & 0o777) for one in places(path).made} == {"0o600"}
    await store.close()


async def test_S21_a_copy_of_any_kind_is_forgotten_after_a_month(tmp_path: Path) -> None:
    """Those that no night made too, also where none are made any more; nothing of an operator's."""
    store = await fill(tmp_path, 1)
    path, elsewhere, now = tmp_path / "jarchy.db", tmp_path / "copies", datetime.now(UTC)
    elsewhere.mkdir()
    places(path).folder.mkdir()
    own = [path, *(path.with_name(f"jarchy.db{end}") for end in (".old", ".backup-9999"))]
    own += [places(path).folder / "jarchy-1.12-v1-ok.db", path.with_name("x.before-restore-2")]
    saved = save(str(store.url), None)
    rescued = await rescue(store)
    await store.close()
    _, aside = restore(saved, path, force=True)
    assert aside is not None
    night = places(path).of(now.date())
    kept = [saved, rescued, aside, aside.with_name(f"{aside.name}-wal"), night]
    kept += [stamped(path, "before-0041"), stamped(path, "restoring"), elsewhere / night.name]
    names = [f".{saved.name}.1.half", f".{rescued.name}.half-journal", f".{night.name}.1.half"]
    halves = [path.with_name(names[0]), path.with_name(names[1]), night.with_name(names[2])]
    for one in (*own, *kept, *halves):
        one.touch()
    path.with_name("jarchy.db.backup-20200101T000000000").mkdir()
    month = now + KEEP_ASIDE
    own.append(elsewhere / night.name.replace(f"{now.date()}", f"{month.date()}"))  # the last night
    own[-1].touch()
    assert forget_old(store.url, "off", now=now + timedelta(hours=1)) == []
    early = forget_old(store.url, "off", now=month - timedelta(days=2))
    assert sorted(early) == sorted(halves)
    late = forget_old(store.url, str(elsewhere), now=month + timedelta(minutes=1))
    assert sorted(late) == sorted(kept)
    assert {*own, path.with_name("jarchy.db.lock")} == {
        one for one in tmp_path.rglob("*") if one.is_file()
    }


async def test_S21_of_a_server_the_copies_in_their_folder_are_forgotten(tmp_path: Path) -> None:
    """Also what a restore put aside there, of a copy of any name."""
    url, now = parse_url("postgresql://jarchy@db/jarchy"), datetime.now(UTC)
    kept = [tmp_path / f"jarchy-{now.date()}.dump", stamped(tmp_path / "any", "before-restore")]
    last = tmp_path / f"jarchy-{now.date() + timedelta(days=1)}.dump"
    own = [last, tmp_path / "jarchy.dump", tmp_path / "other-2020-01-01.dump"]
    for one in (*own, *kept):
        one.touch()
    later = now + KEEP_ASIDE + timedelta(minutes=1)
    assert forget_old(url, None, now=later) == []
    assert forget_old(url, str(tmp_path), now=now) == []
    assert sorted(forget_old(url, str(tmp_path), now=later)) == sorted(kept)
    assert sorted(tmp_path.iterdir()) == own


def test_the_last_nights_copy_stays_until_there_is_a_newer_one(tmp_path: Path) -> None:
    """A clock that is ahead, or a bot that was off, leaves something to put back; wherever the
    setting says that copies are made now. Where none are made it ages out as all do.
    """
    url, elsewhere = parse_url(f"sqlite:///{tmp_path / 'jarchy.db'}"), str(tmp_path / "copies")
    kept, ahead = places(tmp_path / "jarchy.db"), NOW + 3 * KEEP_ASIDE
    kept.folder.mkdir()
    (tmp_path / "copies").symlink_to(kept.folder)  # the same files by another name
    first, last, to_come = (
        kept.of((NOW + day).date()) for day in (timedelta(), timedelta(days=1), 9 * KEEP_ASIDE)
    )
    for one in (first, last, to_come):
        one.touch()
    assert {one.name for one in forget_old(url, elsewhere, now=ahead)} == {first.name}
    assert forget_old(url, None, now=ahead) == []
    newer = kept.of(ahead.date())
    newer.touch()
    assert forget_old(url, None, now=ahead) == [last]
    assert forget_old(url, None, now=ahead + 2 * KEEP_ASIDE) == []
    assert forget_old(url, "off", now=ahead + 2 * KEEP_ASIDE) == [newer]
    assert to_come.exists()


async def test_what_has_no_night_in_its_name_is_an_operators_own(tmp_path: Path) -> None:
    """Neither forgotten as an old copy nor counted; also where a database's name has brackets."""
    store = await fill(tmp_path, 1)
    kept = places(tmp_path / "jarchy.db")
    kept.folder.mkdir()
    own = [kept.folder / f"jarchy-{name}.db" for name in ("prod-db-01", "1.12-v1-ok", "2026-13-01")]
    for one in (*own, *(kept.of(NOW.date() - timedelta(days=day)) for day in range(1, 9))):
        one.touch()
    assert await back_up(store, None, today=NOW.date(), stop=never) is not None
    assert [one for one in own if not one.exists()] == []
    found = await storage.about.backups(store, None)
    assert found == Backups(count=COPIES_KEPT, newest_on=NOW.date())
    await store.close()
    odd = tmp_path / "my[1].db"
    places(odd).of(NOW.date()).touch()
    assert len(places(odd).made) == 1
    odd.with_name("my[1].db.rescued-20260101T000000000").touch()
    with pytest.raises(ConfigError, match=r"restore .*rescued-2026"):
        await open_store(f"sqlite:///{odd}")


async def test_a_copy_of_another_bot_of_that_name_is_told_and_not_taken_for_ours(
    tmp_path: Path,
) -> None:
    """Two bots, each with its jarchy.db, and one BACKUPS. One of ours that is not noted, because
    the program was killed or its database put back, is noted.
    """
    setting, stores = str(tmp_path / "copies"), []
    for bot in ("1", "2"):
        (tmp_path / bot).mkdir()
        stores.append(await fill(tmp_path / bot))
        async with stores[-1].writing() as db:
            await storage.belonging.claim(db, bot)
    first, second = stores
    assert await back_up(first, setting, today=NOW.date(), stop=never) is not None
    with pytest.raises(BotError, match="another bot's"):
        await back_up(second, setting, today=NOW.date(), stop=never)
    async with first.writing() as db:
        await storage.notes.drop(db, MADE_NOTE)
    assert await back_up(first, setting, today=NOW.date(), stop=never) is None
    assert await storage.about.backups(first, setting) == Backups(count=1, newest_on=NOW.date())
    none = Backups(count=0, newest_on=None)
    assert await storage.about.backups(second, setting) == none
    # another replica's: the last night is told, and that it is not here
    before = NOW.date() - timedelta(days=1)
    async with second.writing() as db:
        await storage.notes.put(db, MADE_NOTE, f"{before}")
    assert await storage.about.backups(second, setting) == Backups(count=0, newest_on=before)
    for store in stores:
        await store.close()


async def test_a_restore_drill_brings_every_row_back(tmp_path: Path) -> None:
    """Tonight's copy of a store in use, put in a new place: the same rows in every table, the
    newest among them.
    """
    store = await fill(tmp_path, 1, 2, 3)
    async with store.writing() as db:
        await storage.rates.add(db, [rate(), rate(on="2021-10-21")], seen_at=NOW)
    made = night(tmp_path / "jarchy.db", today=NOW.date())
    before = await health(store)
    await store.close()
    place = tmp_path / "elsewhere" / "jarchy.db"
    rows, kept = restore(made, place, force=False)
    assert kept is None
    again = await open_store(f"sqlite:///{place}")
    assert (await health(again)).rows == before.rows == rows
    async with again.reading() as db:
        newest = await storage.rates.history(
            db, rate().series, since=NOW.date(), until=date(2021, 10, 21)
        )
    assert newest[-1].effective_on == date(2021, 10, 21)
    await again.close()


async def test_a_copy_cut_short_or_without_room_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither half a file nor one with a backup's name: a stop of the program need not wait for a
    large copy.
    """
    store = await fill(tmp_path, 1)
    rows = [{"update_id": n, "kind": "message", "received_at": NOW} for n in range(3000)]
    async with store.writing() as db:
        await db.execute(insert(inbox), rows)
    with pytest.raises(BotError, match="interrupted"):
        night(tmp_path / "jarchy.db", today=NOW.date(), stop=lambda: True)
    assert list((tmp_path / "backups").iterdir()) == []
    await store.close()
