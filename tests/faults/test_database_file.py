"""The database file full, damaged, old, newer, read-only: the real program says what the operator
must do.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

import storage.chats
import storage.highwater
from bot.emulator import TEST_TOKEN, Emulator
from bot.errors import AwayError, ConfigError
from storage.backup import copy, restore
from storage.keeping import save
from storage.opening import held_store, open_store
from storage.versions import HEAD, REVISIONS
from tests import forkserver
from tests.conftest import ROOT
from tests.e2e.program import READER, Program
from tests.factories import NOW
from tests.factories import chat as a_chat
from tests.faults.test_replicas import catalog
from tests.publishers import ATTACK, QUIET, TODAY, Publishers, daily, rss
from tests.test_cli import jarchy
from tests.test_looking import of_revision as empty_of_revision
from tests.world import migrated_copy

CANNOT = '"event": "the database cannot be written"'
POLLED = '"source": "nbkr"'
NOBODY = 65534


Start = Callable[..., Program]


@pytest.fixture
async def bot(tmp_path: Path, emulator: Emulator) -> AsyncIterator[Start]:
    """Makes the program, to be started; killed at the end if a test left it running."""
    made: list[Program] = []

    def make(sources: str, **settings: str) -> Program:
        made.append(Program(tmp_path, emulator, sources, **settings))
        return made[-1]

    yield make
    for program in made:
        if program.process is not None and program.process.returncode is None:
            program.process.kill()
            await program.process.wait()


async def ready(program: Program, emulator: Emulator) -> None:
    """Started, polled once, the operator follows the dollar and security."""
    await program.start()
    for source in ("nbkr", "test"):
        await program.said(
            lambda line, source=source: f'"source": "{source}"' in line and '"polled"' in line
        )
    asked = await emulator.send_text(READER, "/start")
    menu = await emulator.wait_message(READER, lambda m: "reply_markup" in m, after=asked)
    for data in ("cur:USD", "top:security"):
        await emulator.press(READER, menu["message_id"], data)


def move(publishers: Publishers) -> None:
    """The dollar leaps."""
    publishers.put("/daily.xml", daily(f"{TODAY:%d.%m.%Y}", "89,9000", "98,8523", "1,1948"))


def told(emulator: Emulator, words: str) -> list[str]:
    """The bot's messages with these words."""
    return [m["text"] for m in emulator.messages(READER) if words in m.get("text", "")]


class Full:
    """A disk without room, in one of two ways."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, _pid: int) -> None:
        """From now on nothing can be written."""
        with suppress(OSError), (self.folder / "filler").open("wb", buffering=0) as filler:
            for size in (1 << 16, 1 << 12, 1):
                with suppress(OSError):
                    while True:
                        filler.write(b"\0" * size)

    def free(self, _pid: int) -> None:
        """There is room again."""
        (self.folder / "filler").unlink()


class Limited(Full):
    """A full disk where nothing may be mounted: the process may write no byte to any file."""

    def fill(self, pid: int) -> None:
        """From now on nothing can be written."""
        _, self.hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, self.hard))

    def free(self, pid: int) -> None:
        """There is room again."""
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (self.hard, self.hard))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Full]:
    """A small disk of its own, or a limit."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    yield (Full if mounted else Limited)(folder)
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_P6_a_full_disk_stops_sending_but_not_answers_and_recovers_alone(
    bot: Start, emulator: Emulator, publishers: Publishers, disk: Full
) -> None:
    """Nothing is sent that could not be recorded; the operator is told once; with room again
    everything goes on.
    """
    url = f"sqlite:///{disk.folder / 'jarchy.db'}"
    program = bot(catalog(publishers.url), DATABASE_URL=url, ADMIN_IDS=str(READER))
    await ready(program, emulator)
    assert program.process is not None
    disk.fill(program.process.pid)
    move(publishers)
    await program.said(lambda line: CANNOT in line)
    asked = await emulator.send_text(READER, "/rates")
    await emulator.wait_message(
        READER, lambda m: "84.7935" in m.get("text", ""), after=asked, timeout=20
    )
    notice = await emulator.wait_message(
        READER, lambda m: "cannot write" in m.get("text", ""), timeout=20
    )
    assert "free some space" in notice["text"] or isinstance(disk, Limited)
    await publishers.asked_again("/daily.xml", 2)
    assert told(emulator, "89.9000") == []
    disk.free(program.process.pid)
    await emulator.wait_message(READER, lambda m: "89.9000" in m.get("text", ""), timeout=40)
    await program.said(lambda line: "can be written again" in line)
    assert len(told(emulator, "cannot write")) == 1
    assert await program.end() == 0
    assert len(told(emulator, "89.9000")) == 1
    with closing(sqlite3.connect(disk.folder / "jarchy.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


@pytest.mark.slow
async def test_P6_a_start_on_a_full_disk_says_so_or_answers(
    bot: Start, emulator: Emulator, publishers: Publishers, disk: Full
) -> None:
    """With its log in place it answers and tells; where not even that can be made, it ends with 1
    and the reason: after 78 no service would start it again when there is room.
    """
    path = disk.folder / "jarchy.db"
    url = f"sqlite:///{path}"
    if isinstance(disk, Limited):
        pytest.skip(
            "no file system can be mounted here, and a process can only be limited once it runs"
        )
    program = bot(catalog(publishers.url), DATABASE_URL=url, ADMIN_IDS=str(READER))
    await ready(program, emulator)
    await program.end(signal.SIGKILL)
    disk.fill(0)
    await program.start()
    asked = await emulator.send_text(READER, "/rates")
    await emulator.wait_message(
        READER, lambda m: "84.7935" in m.get("text", ""), after=asked, timeout=20
    )
    await emulator.wait_message(READER, lambda m: "cannot write" in m.get("text", ""), timeout=20)
    await program.end(signal.SIGKILL)
    disk.free(0)
    await program.start()
    assert await program.end() == 0
    for must_be_migrated in (False, True):
        if must_be_migrated:
            disk.free(0)
            for one in disk.folder.glob("jarchy.db*"):
                one.unlink()
            of_revision(path, REVISIONS[-2])
        disk.fill(0)
        await program.start(ready=False)
        assert await program.end(None) == 1
        said = "".join(program.log)
        assert "full" in said
        assert str(path) in said
        assert "Traceback" not in said


async def test_P6_a_migration_without_room_for_its_copy_is_tried_again(disk: Full) -> None:
    """Whoever starts the program starts it until there is room; nothing is changed till then."""
    path = disk.folder / "jarchy.db"
    await empty_of_revision(f"sqlite:///{path}", REVISIONS[-2])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 17, limits[1]))  # it ends amid the copy
    try:
        with pytest.raises(AwayError, match=r"nothing was changed: cannot copy .* disk is full"):
            await open_store(f"sqlite:///{path}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    if isinstance(disk, Limited):
        pytest.skip("no file system can be mounted here")
    disk.fill(0)
    with (disk.folder / "filler").open("r+b") as filler:  # less than a copy needs, and not nothing
        filler.truncate(filler.seek(-(1 << 16), os.SEEK_END))
    with pytest.raises(AwayError, match=r"nothing was changed: .* 0 MB free.*: free some space$"):
        await open_store(f"sqlite:///{path}")
    assert state_of(path)[0] == REVISIONS[-2]
    disk.free(0)
    await (await open_store(f"sqlite:///{path}")).close()
    assert state_of(path)[0] == HEAD


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.cases(keep=3)  # of either kind
async def test_P8_a_damaged_log_costs_the_last_commits_and_the_start_knows_it(
    tmp_path: Path, seed: int
) -> None:
    """Cut or overwritten anywhere: the database opens with a beginning of what was written; what
    lacks is said.
    """
    dice = random.Random(seed)
    path, copied = tmp_path / "jarchy.db", tmp_path / "copied" / "jarchy.db"
    copied.parent.mkdir()
    store = await open_store(migrated_copy(path))
    for number in range(1, 21):
        async with store.writing() as db:
            await storage.chats.add(db, a_chat(number), now=NOW)
        await storage.highwater.advance(store)
    for suffix in ("", "-wal", ".written"):
        shutil.copyfile(f"{path}{suffix}", f"{copied}{suffix}")
    await store.close()
    log = Path(f"{copied}-wal")
    offset = dice.randrange(log.stat().st_size)
    if seed % 2:
        os.truncate(log, offset)
    else:
        content = log.read_bytes()
        log.write_bytes(content[:offset] + dice.randbytes(512) + content[offset + 512 :])
    again = await open_store(f"sqlite:///{copied}")
    async with again.reading() as db:
        there = [await storage.chats.get(db, number) is not None for number in range(1, 21)]
    gone = await storage.highwater.missing(again)
    await again.close()
    assert there == sorted(there, reverse=True)
    assert (gone is not None) or all(there)
    if gone is not None and gone.until is not None:
        assert gone.until < gone.reached


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "header": lambda content: b"\0" * 100 + content[100:],
    "pages": lambda content: content[:4096] + b"\x5a" * 8192 + content[12288:],
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda _content: b"",
}


async def test_P9_a_damaged_database_stops_the_start_and_the_message_names_the_restore(
    tmp_path: Path, bot: Start
) -> None:
    """Exit 78 with the newest copy's name; the file stays as it is, and the named command mends
    it.
    """
    path = tmp_path / "jarchy.db"
    program = bot("")
    await program.start()
    assert await program.end() == 0
    copy = tmp_path / "backups" / "jarchy-2026-10-20.db"  # as a night makes one
    copy.parent.mkdir()
    made = forkserver.run("bot", "db", "backup", str(copy), cwd=tmp_path, env=program.environment)
    assert made.returncode == 0, made.stderr
    whole = path.read_bytes()
    for name, damage in DAMAGES.items():
        content = damage(whole)
        path.write_bytes(content)
        await program.start(ready=False)
        assert await program.end(None) == 78, name
        said = "".join(program.log)
        assert "Traceback" not in said, name
        assert f"bot db restore {copy} --force`" in said, name
        assert path.read_bytes() == content, name
        assert str(copy) in said, name
    restore = ("bot", "db", "restore", str(copy), "--force")
    mended = forkserver.run(*restore, cwd=tmp_path, env=program.environment)
    assert mended.returncode == 0, mended.stderr
    await program.start()
    assert await program.end() == 0


async def test_P10_a_day_old_copy_put_back_is_noticed_and_old_events_are_not_told_again(
    tmp_path: Path, bot: Start, emulator: Emulator, publishers: Publishers
) -> None:
    """The operator hears of it; what waited in the copy has expired; yesterday's story, found
    again, stays unsent.
    """
    path = tmp_path / "jarchy.db"
    yesterday = datetime.now(UTC) - timedelta(days=1)
    program = bot(catalog(publishers.url), ADMIN_IDS=str(READER))
    await ready(program, emulator)
    await program.end(signal.SIGKILL)
    # a copy as it was a day ago, with a message still to be sent
    with closing(sqlite3.connect(path)) as connection:
        at = int(yesterday.timestamp() * 1_000_000)
        payload = json.dumps(
            {"v": 1, "msgid": "notice.gone", "values": [["chat", "1"], ["why", "yesterday's news"]]}
        )
        connection.execute(
            "INSERT INTO alert"
            " (dedup_key, kind, payload, severity, lane, reasons, audience_chat, created_at, "
            "expires_at)"
            " VALUES ('old', 'notice', ?, 'notable', 1, ?, ?, ?, ?)",
            (payload, '{"v": 1, "reasons": []}', READER, at, at + 3_600_000_000),
        )
        connection.execute(
            "UPDATE mark SET value = ? WHERE name = 'written'", (yesterday.isoformat(),)
        )
        connection.commit()
        connection.execute("VACUUM INTO ?", (str(tmp_path / "old.db"),))
    old_story = rss(ATTACK, QUIET).decode()
    stamp = old_story.partition("<pubDate>")[2].partition("</pubDate>")[0]
    publishers.put("/feed.xml", old_story.replace(stamp, format_datetime(yesterday)).encode())
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(tmp_path / "old.db", path)
    await program.start()
    await program.said(lambda line: "older than what ran here" in line)
    await emulator.wait_message(
        READER, lambda m: f"{yesterday:%Y-%m-%d %H:%M}" in m.get("text", ""), timeout=20
    )
    move(publishers)  # what is new is told
    await emulator.wait_message(READER, lambda m: "89.9000" in m.get("text", ""), timeout=30)
    await publishers.asked_again("/feed.xml", 2)
    assert told(emulator, "yesterday's news") == []
    assert told(emulator, "border post") == []
    assert await program.end() == 0
    await program.start()
    await program.said(lambda line: '"event": "ready"' in line)
    assert not any("older than what ran here" in line for line in program.log)
    assert await program.end() == 0


def of_revision(path: Path, revision: str) -> None:
    """A database as that release left it, with a chat in it."""
    script = f"""
import asyncio, sys
from pathlib import Path
from alembic import command
from alembic.config import Config
from storage.connecting import connect_for_writing
from storage.versions import SCRIPTS
async def make():
    store = connect_for_writing("sqlite:///" + sys.argv[1])
    def upgrade(connection):
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, "{revision}")
    async with store.writing() as db:
        await db.run_sync(upgrade)
    await store.close()
asyncio.run(make())
"""
    made = forkserver.run("-c", script, str(path), cwd=ROOT, env=forkserver.PLAIN)
    assert made.returncode == 0, made.stderr
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO chat (id, kind, title, language, time_zone, home, style, active, "
            "created_at)"
            " VALUES (1, 'private', '', 'ky', 'Asia/Bishkek', 'KGS', 'brief', 1, 0)"
        )
        connection.commit()


def state_of(path: Path) -> tuple[str, int, str]:
    """Schema, chats, and whether the file is sound."""
    with closing(sqlite3.connect(path)) as connection:
        (schema,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        (chats,) = connection.execute("SELECT count(*) FROM chat").fetchone()
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
    return schema, chats, verdict


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.cases(keep=2)
async def test_P11_a_database_of_every_released_schema_is_migrated_after_a_copy(
    tmp_path: Path, revision: str
) -> None:
    """Rows of before are still in it, and the copy is as it was."""
    path = tmp_path / "jarchy.db"
    of_revision(path, revision)
    store = await open_store(f"sqlite:///{path}")
    async with store.reading() as db:
        found = await storage.chats.get(db, 1)
    await store.close()
    assert found is not None
    assert found.language == "ky"
    assert state_of(path) == (HEAD, 1, "ok")
    copies = list(tmp_path.glob("jarchy.db.before-*"))
    assert [state_of(copy) for copy in copies] == (
        [] if revision == HEAD else [(revision, 1, "ok")]
    )


#: A start of the program for each statement of all migrations, which become more.
EVERY_STATEMENT = (pytest.mark.slow, pytest.mark.timeout(600))


@pytest.mark.parametrize(
    ("since", "every"),
    [(REVISIONS[-12], False), pytest.param(REVISIONS[0], True, marks=EVERY_STATEMENT)],
)
async def test_P11_a_migration_killed_at_any_statement_leaves_old_or_new(
    tmp_path: Path, since: str, *, every: bool
) -> None:
    """Never half; the next start finishes it. Killed at the first and at the last of each kind of
    statement, or at every one.
    """
    template, path = tmp_path / "template.db", tmp_path / "jarchy.db"
    of_revision(template, since)

    def left(die_at: int) -> subprocess.CompletedProcess[bytes]:
        for old in tmp_path.glob("jarchy.db*"):
            old.unlink()
        shutil.copyfile(template, path)
        return forkserver.run("-c", KILLED, str(path), str(die_at), cwd=ROOT, env=forkserver.PLAIN)

    whole = left(0)
    assert whole.returncode == 0, whole.stderr
    assert state_of(path) == (HEAD, 1, "ok")
    kinds = whole.stdout.decode().splitlines()[-1].split()  # below what it logs
    assert kinds[-1] == "commit"
    first = {kind: step for step, kind in reversed(list(enumerate(kinds, 1)))}
    last = {kind: step for step, kind in enumerate(kinds, 1)}
    some = sorted({*first.values(), *last.values()})
    for step in range(1, len(kinds) + 1) if every else some:
        ended = left(step)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        at = f"after {kinds[step - 1]}, statement {step}"
        assert state_of(path) == (since, 1, "ok"), f"half a migration {at}"
        if step in {some[0], some[-1]}:
            await (await open_store(f"sqlite:///{path}")).close()
            assert state_of(path) == (HEAD, 1, "ok"), at


KILLED = """
import asyncio, os, signal, sys
from sqlalchemy import Engine, event
from storage.opening import open_store
die_at, kinds = int(sys.argv[2]), []
def step(kind):
    kinds.append(kind)
    if len(kinds) == die_at:
        os.kill(os.getpid(), signal.SIGKILL)
event.listen(Engine, "before_cursor_execute", lambda _c, _k, words, *_: step(words.split()[0]))
event.listen(Engine, "commit", lambda _: step("commit"))
asyncio.run(open_store("sqlite:///" + sys.argv[1]))
print(*kinds, flush=True)
os._exit(0)
"""


#: The program as a user without rights; as ourselves where we are one.
AS_NOBODY = f"""
import os, sys
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
    os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
from bot.__main__ import main
sys.argv = ["jarchy", "run"]
main()
"""


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder with a database that belong to whoever `AS_NOBODY` is; pytest's own folders are
    closed to him.
    """
    with tempfile.TemporaryDirectory(prefix="jarchy-p13-") as folder:
        Path(folder).chmod(0o755)
        inner = Path(folder) / "data"
        inner.mkdir()
        migrated_copy(inner / "jarchy.db")
        if os.geteuid() == 0:
            shutil.chown(inner, NOBODY, NOBODY)
            shutil.chown(inner / "jarchy.db", NOBODY, NOBODY)
        yield inner
        inner.chmod(0o755)


@pytest.mark.cases(keep=1)
@pytest.mark.parametrize("there", [True, False])
def test_P13_of_a_disk_mounted_read_only_that_is_said(disk: Full, there: bool) -> None:
    """And not that somebody else should have the file: root may not write there either."""
    if isinstance(disk, Limited):
        pytest.skip("no file system can be mounted here")
    path = disk.folder / "jarchy.db"
    if there:
        migrated_copy(path)
    subprocess.run(["mount", "-o", "remount,ro", str(disk.folder)], check=True)
    for verb in (["run"], ["check"], ["db", "upgrade"]):
        done = jarchy(disk.folder, *verb, BOT_TOKEN=TEST_TOKEN, BOT_API_URL="http://127.0.0.1:1")
        assert done.returncode == 78, done.stderr
        [line] = done.stderr.decode().splitlines()
        assert "its disk is mounted read-only" in line
        assert str(path) in line


@pytest.mark.parametrize("how", ["read-only", "full"])
async def test_P6_P13_what_a_disk_does_not_take_is_said_of_the_file_that_was_asked_for(
    tmp_path: Path, emulator: Emulator, disk: Full, how: str
) -> None:
    """A copy, a file of subscribers, settings: one line and 1, and nothing is left."""
    if isinstance(disk, Limited):
        pytest.skip("no file system can be mounted here")
    migrated_copy(tmp_path / "jarchy.db")
    if how == "full":
        disk.fill(0)
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(disk.folder)], check=True)
    before = {one.name for one in disk.folder.iterdir()}
    told = {"BOT_TOKEN": "", "BOT_API_URL": emulator.api_url}
    for folder, words, named in (
        (tmp_path, ["db", "backup", str(disk.folder / "copy.db")], str(disk.folder)),
        (tmp_path, ["subscribers", "export", str(disk.folder / "all.jsonl")], str(disk.folder)),
        (disk.folder, ["init", "--wait", "0"], ".env cannot be written"),
    ):
        typed = f"{TEST_TOKEN}\n".encode()
        done = await asyncio.to_thread(jarchy, folder, *words, stdin=typed, **told)
        assert done.returncode == 1, done.stderr
        [line] = [one for one in done.stderr.decode().splitlines() if one.startswith("jarchy: ")]
        assert named in line
        assert ".half" not in line
        assert {one.name for one in disk.folder.iterdir()} == before


@pytest.mark.parametrize(
    "case",
    [
        "read-only",
        pytest.param("no folder", marks=pytest.mark.slow),  # likewise in test_looking.py
        pytest.param("file of another", marks=pytest.mark.slow),
        pytest.param("folder of another", marks=pytest.mark.slow),
    ],
)
def test_P13_what_cannot_be_written_is_said_with_its_path_and_78(data: Path, case: str) -> None:
    """One line for the operator, no traceback."""
    path = data / "jarchy.db"
    if case == "no folder":
        data.chmod(0o555)
        path = data / "deeper" / "jarchy.db"
    elif case == "file of another":
        path.chmod(0)
    elif case == "folder of another":
        data.chmod(0o555)
    else:
        path.chmod(0o444)
    environment = {
        **forkserver.PLAIN,
        "BOT_TOKEN": TEST_TOKEN,
        "OPS_LISTEN": "off",
        "DATABASE_URL": f"sqlite:///{path}",
    }
    done = forkserver.run("-c", AS_NOBODY, cwd=Path("/"), env=environment)
    said = done.stderr.decode()
    assert done.returncode == 78, said
    assert "Traceback" not in said
    assert str(path.parent) in said
    assert len([line for line in said.splitlines() if line.startswith("jarchy: ")]) == 1


async def test_P13_what_root_makes_beside_a_database_is_its_owners(data: Path) -> None:
    """Under systemd's DynamicUser root restores, and the bot has to write there afterwards: of an
    old database and of none, its lock, its log, its mark and all copies that nobody named.
    """
    path, saved = data / "jarchy.db", data.parent / "saved.db"
    copy(path, saved)
    path.unlink()
    async with held_store(f"sqlite:///{path}") as store:
        async with store.writing() as db:
            await storage.chats.add(db, a_chat(1), now=NOW)
        await storage.highwater.advance(store)
        made = owners_in(data)
    save(f"sqlite:///{path}", None)
    restore(saved, path, force=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [REVISIONS[-2]])
        connection.commit()
    with suppress(ConfigError):  # the last step may be done already; its copy comes first
        await (await open_store(f"sqlite:///{path}")).close()
    made |= owners_in(data)
    path.unlink()
    restore(saved, path, force=False)
    made |= owners_in(data)
    kinds = {re.sub(r"-\d.*", "", name) for name, _ in made}
    beside = ("", "-wal", "-shm", ".lock", ".written", ".backup", ".before", ".before-restore")
    assert kinds == {f"jarchy.db{suffix}" for suffix in beside}
    assert {owner for _, owner in made} == {(data.stat().st_uid, data.stat().st_gid)}


def owners_in(folder: Path) -> set[tuple[str, tuple[int, int]]]:
    """The files of a folder, each with its user and group."""
    return {(one.name, (one.stat().st_uid, one.stat().st_gid)) for one in folder.iterdir()}
