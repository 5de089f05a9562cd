"""Every verb with bad input, as a process: an exit code of the contract and a line, never a
traceback or a secret.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import subprocess
import sys
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from bot.__main__ import UNUSED
from bot.cli import reading
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.emulator.faults import Kind
from bot.fetch import Limits
from bot.grammar import parse_duration
from bot.ingest.side_by_side import SOURCES_AT_ONCE, SideBySide
from bot.sources.feeds import FeedSpec
from bot.sources.timetable import PollSpec
from tests import forkserver
from tests.conftest import ROOT
from tests.test_cli import jarchy
from tests.world import migrated_copy

TOKEN = "123456789:AAHcanarycanarycanarycanarycanary1"
FAR = "9" * 25
RUN = "from bot.__main__ import main; main()"
BY_WEBHOOK = {
    "OPS_LISTEN": "off",
    "UPDATES": "webhook",
    "WEBHOOK_URL": "https://bot.example/hook",
    "WEBHOOK_SECRET": "0123456789abcdef",
}
BAD_FILES = ("garbage", "dir", "no")


@pytest.mark.parametrize(
    ("words", "stdin", "code"),
    [
        *[
            (["inspect", verb, file], "", 1)
            for verb in ("rates nbkr", "feed", "page")
            for file in ("garbage", "dir", "no")
        ],
        (["inspect", "rates nope", "garbage"], "", 2),
        (["detect", "moves", "--history", "garbage"], "", 1),
        (["detect", "moves", "--history", "wide.csv"], "", 1),
        (["detect", "moves", "--history", "no"], "", 2),
        (["detect", "moves", "--history", "good.csv", "--rule", "???"], "", 1),
        (["detect", "security"], "\udcff\udcfe\n", 1),
        (["detect", "security"], "[" * 100_000, 1),
        (["detect", "security"], '{"id":1,"title":[5],"text":{},"lang":{"x":1}}', 0),
        (["detect", "security"], "", 0),
        (["detect", "same-story"], '{"id":1,"a":5,"b":[1]}', 1),
        (["detect", "same-story"], "", 0),
        (["convert", "", "--parse-only"], "", 1),
        (["convert", "-", "--parse-only"], "", 0),
        (["convert", "100 usd", "--home", "???", "--parse-only"], "", 2),
        (["digest", "--date", "0001-01-01"], "", 2),
        (["digest", "--date", "2021-13-45"], "", 2),
        (["backfill", "nbkr", "--since", "0001-01-01"], "", 2),
        (["export", FAR], "", 2),
        (["erase", "--", f"-{FAR}"], "", 2),
        (["demo", "--port", "-1"], "", 2),
        (["demo", "--port", "99999"], "", 2),
        (["demo", "--port", "0", "--exit-after", "nan"], "", 2),
        (["db", "restore", "garbage"], "", 1),
        (["db", "restore", "x" * 300], "", 1),
        (["db", "backup", "x" * 300], "", 1),
        (["poll", "nowhere"], "", 2),
        (["outbox"], "", 78),
    ],
    ids=lambda value: ascii(value)[:40].replace("\\", "/"),
)
@pytest.mark.cases(keep=12)
def test_bad_input_is_a_line(tmp_path: Path, words: list[str], stdin: str, code: int) -> None:
    (tmp_path / "garbage").write_bytes(b"\xff\xfe\x00\x81" * 512)
    (tmp_path / "dir").mkdir()
    (tmp_path / "wide.csv").write_text("date,USD\n2021-01-01," + "8" * 200_000)
    (tmp_path / "good.csv").write_text("date,USD\n2021-01-01,84\n2021-01-02,85\n")
    given = [
        part
        for word in words
        for part in (word.split(" ") if word.startswith("rates ") else [word])
    ]
    if given[:2] == ["db", "backup"]:
        migrated_copy(tmp_path / "jarchy.db")
    done = jarchy(tmp_path, *given, stdin=stdin.encode("utf-8", "surrogateescape"))
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr
    if code == 1:
        [line] = done.stderr.decode().splitlines()
        assert line.startswith("jarchy: ")
        assert "error." not in line  # the words, not the key they are found by


@pytest.mark.parametrize(
    "words",
    [
        ["db", "backup", "\udcff.db"],
        ["db", "move", "sqlite:///\udcff.db"],
        ["subscribers", "export", "\udcff"],
        ["poll", "\udcff"],
    ],
    ids=lambda words: "-".join(words[:-1]),
)
def test_a_word_whose_bytes_are_not_utf_8_is_wrong_usage(tmp_path: Path, words: list[str]) -> None:
    """Of whatever verb, and before anything is done."""
    done = jarchy(tmp_path, *words)
    place = len(words)
    assert (done.returncode, done.stderr.decode()) == (
        2,
        f"Error: word {place} should be text in UTF-8\n",
    )
    assert not list(tmp_path.iterdir())


def test_S6_an_error_line_shows_no_token(tmp_path: Path) -> None:
    """On stderr, and where several files each have their line on stdout."""
    one = jarchy(tmp_path, "inspect", "feed", TOKEN)
    several = jarchy(tmp_path, "inspect", "feed", f"http://user:{TOKEN[10:]}@127.0.0.1:1/", "no")
    assert (one.returncode, several.returncode) == (1, 1)
    assert TOKEN not in one.stderr.decode()
    errors = [json.loads(line)["error"] for line in several.stdout.splitlines()]
    assert not any(TOKEN[10:] in error for error in errors)


@pytest.mark.parametrize(
    "words",
    [
        "detect moves --history /no/TOKEN",
        "inspect rates TOKEN page",
        "poll TOKEN",
        "digest --date 2021-10-20 --style TOKEN",
        "TOKEN",
        "check --TOKEN",
        "db check TOKEN",
    ],
)
def test_S6_what_is_typed_wrong_is_not_repeated_with_a_token_in_it(
    tmp_path: Path, words: str
) -> None:
    done = jarchy(tmp_path, *words.replace("TOKEN", TOKEN).split())
    assert done.returncode == 2
    assert b"***" in done.stderr
    assert TOKEN[10:] not in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite:///dir", "dir is a folder"),
        ("sqlite:////dev/null", "/dev/null is no file"),
        ("sqlite://dir/x.db", "name of a file"),
        ("sqlite:///dir/", "name of a file"),
        ("sqlite:///%00", "name of a file"),
        ("postgresql://user:canary-secret@[::1/db", "postgresql://user:password@host:port"),
        ("postgresql://user:canary-secret@db:99999/db", "up to 65535"),
        ("postgresql://user:canary-secret@db:port/db", "up to 65535"),
    ],
)
@pytest.mark.parametrize("verb", ["check", "db check", "db upgrade"])
@pytest.mark.cases(keep=8)
def test_a_database_address_that_names_none_is_a_line(
    tmp_path: Path, verb: str, url: str, why: str
) -> None:
    (tmp_path / "dir").mkdir()
    done = jarchy(tmp_path, *verb.split(), DATABASE_URL=url)
    assert done.returncode == 78
    [line] = done.stderr.decode().splitlines()
    assert line.startswith("jarchy: DATABASE_URL: ")
    assert why in line
    assert "canary" not in line


@pytest.mark.parametrize(
    ("words", "settings", "code", "named"),
    [
        (["run"], {"OPS_LISTEN": "127.0.0.1:{port}"}, 78, "OPS_LISTEN: "),
        (["run"], {**BY_WEBHOOK, "WEBHOOK_LISTEN": "127.0.0.1:{port}"}, 78, "WEBHOOK_LISTEN: "),
        (["demo", "--port", "{port}"], {}, 1, "--port "),
    ],
    ids=["ops", "webhook", "demo"],
)
def test_a_port_that_another_program_has_is_a_line(
    tmp_path: Path, words: list[str], settings: dict[str, str], code: int, named: str
) -> None:
    """With the name of what says which port, and what to do; also while Telegram is away."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        given = {name: value.format(port=port) for name, value in settings.items()}
        asked = [word.format(port=port) for word in words]
        given |= {"BOT_TOKEN": TEST_TOKEN, "BOT_API_URL": "http://127.0.0.1:9"}  # nobody
        done = jarchy(tmp_path, *asked, **given)
    assert done.returncode == code, done.stderr
    [line] = [one for one in done.stderr.decode().splitlines() if one.startswith("jarchy: ")]
    assert line.startswith(f"jarchy: {named}")
    assert port in line
    assert "another program has this port: name a free one" in line


@pytest.mark.parametrize(
    "words", [["convert", "100 usd", "--parse-only"], ["db", "check"], ["outbox"], ["poll"]]
)
@pytest.mark.cases(keep=2)
def test_P6_an_output_that_has_no_room_is_a_line(tmp_path: Path, words: list[str]) -> None:
    """And 1, whatever wrote to it: what a disk did not take is not done."""
    catalog = tmp_path / "mine.toml"
    catalog.write_text('[feeds.a]\nurl = "http://127.0.0.1:1/rss"\nlanguage = "en"\n')
    environment = {
        **forkserver.PLAIN,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'jarchy.db'}",
        "CATALOG": str(catalog),
        "LOG_LEVEL": "error",
    }
    migrated_copy(tmp_path / "jarchy.db")
    with Path("/dev/full").open("wb") as full:
        done = forkserver.run("bot", *words, cwd=tmp_path, env=environment, stdout=full.fileno())
    assert done.returncode == 1, done.stderr
    [line] = done.stderr.decode().splitlines()
    assert line.startswith("jarchy: ")
    assert "No space left on device" in line


def test_an_error_line_moves_no_cursor(tmp_path: Path) -> None:
    """A catalog of somebody else's may have escapes of terminals in its keys."""
    (tmp_path / "mine.toml").write_text('[feeds."a\\nb\\u001b[2Jc"]\nurl = "https://x.example/"\n')
    done = jarchy(tmp_path, "check", CATALOG="mine.toml")
    assert done.returncode == 78
    assert done.stderr.decode().splitlines() == [
        (
            'jarchy: [feeds."a b\\x1b[2Jc"]: '
            "the key should be at most 40 Latin letters, digits, -, _ and ."
        )
    ]


STARTED = """
import json, sys, bot.log
from bot.__main__ import UNUSED, main
touched = [name for name in UNUSED if sys.modules.get(name, "untouched") is None]
try:
    main()
finally:
    left_out = [name for name in UNUSED if sys.modules.get(name, "untouched") is None]
    maps = [name for name in ("orm", "ext.asyncio") if f"sqlalchemy.{name}" in sys.modules]
    print(json.dumps([touched, left_out, maps, sys.modules["sqlalchemy"].Table.__doc__]))
"""


def test_a_program_runs_without_what_nobody_of_ours_needs(tmp_path: Path) -> None:
    """Importing the log leaves it alone, a start does not load it: what libraries import for others
    and what maps objects to a database, a twentieth of the memory of an idle bot, nor what their
    functions and classes say of themselves, another.
    """
    done = subprocess.run(
        [sys.executable, "-c", STARTED, "db", "upgrade"],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env={"DATABASE_URL": f"sqlite:///{tmp_path / 'jarchy.db'}", "PYTHONPATH": str(ROOT)},
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [[], [*UNUSED], ["ext.asyncio"], None]


def test_db_check_as_json(tmp_path: Path) -> None:
    migrated_copy(tmp_path / "jarchy.db")
    done = jarchy(tmp_path, "db", "check", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["problems"] == []
    assert found["rows"]["chat"] == 0


def _damaged(path: Path, how: str) -> None:
    """A sound database, and then one of these."""
    content = bytearray(path.read_bytes())
    if how == "no database":
        path.write_text("hello " * 5000)
    elif how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "its head gone":
        path.write_bytes(bytes(16) + content[16:])
    elif how == "pages of rubbish":
        content[4096:] = b"\x5a" * (len(content) - 4096)
        path.write_bytes(content)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(how)


DAMAGES = {
    "no database": "integrity: file is not a database: stop the bot, then `jarchy db restore ",
    "cut": "integrity: ",
    "its head gone": "integrity: file is not a database: stop the bot, then `jarchy db restore ",
    "pages of rubbish": "integrity: ",
    "DROP TABLE inbox": "inbox: the table is not there",
    "ALTER TABLE board DROP COLUMN remade": "board: the column remade is not there",
    "DROP TABLE alembic_version": "schema: none, this program writes",
    "UPDATE alembic_version SET version_num = '0001'": "schema: 0001, this program writes",
    "UPDATE alembic_version SET version_num = '9999'; "
    "UPDATE mark SET value = '9999' WHERE name = 'min_reader'": "schema: 9999, newer than this ",
}


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.cases(keep=2)
def test_P9_db_check_as_json_is_one_object_whatever_is_wrong(tmp_path: Path, how: str) -> None:
    """Who reads it is told by it, and by the exit; the tables that can be counted are."""
    migrated_copy(tmp_path / "jarchy.db")
    _damaged(tmp_path / "jarchy.db", how)
    done = jarchy(tmp_path, "db", "check", "--json")
    assert done.returncode == 1
    assert done.stderr == b""
    found = json.loads(done.stdout)
    assert [one for one in found["problems"] if one.startswith(DAMAGES[how])], found
    assert ("chat" in found["rows"]) is (how.startswith(("DROP TABLE inbox", "ALTER")))


def test_P15_db_check_as_json_says_that_the_server_is_away(tmp_path: Path) -> None:
    """As a problem of the one object."""
    away = "postgresql://jarchy:canary@127.0.0.1:1/jarchy"
    done = jarchy(tmp_path, "db", "check", "--json", DATABASE_URL=away)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["schema"], found["rows"]) == (None, {})
    [problem] = found["problems"]
    assert problem.startswith("schema: connection failed")


async def _served(pages: dict[str, str]) -> tuple[asyncio.Server, int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        body = pages.get(path, "").encode()
        status = b"200 OK" if path in pages else b"404 Not Found"
        writer.write(
            b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
            % (status, len(body), body)
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


LARGER = "larger than 5 MiB"


@pytest.mark.cases(keep=4)
@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("inspect rates nbkr /dev/zero", f"/dev/zero: {LARGER}"),
        ("inspect feed /dev/zero", f"/dev/zero: {LARGER}"),
        ("inspect page /dev/zero", f"/dev/zero: {LARGER}"),
        ("detect moves --history /dev/zero", "/dev/zero: larger than 64 MiB"),
        ("detect security", f"line 1 of stdin is {LARGER}"),
        ("detect same-story", f"line 1 of stdin is {LARGER}"),
        ("convert - --parse-only", f"line 1 of stdin is {LARGER}"),
        ("broadcast --to all --file /dev/zero", f"zero: {LARGER}"),
    ],
)
@pytest.mark.cases(keep=2)
def test_F2_what_has_no_end_is_read_so_far_and_no_further(
    tmp_path: Path, words: str, told: str
) -> None:
    """With a gigabyte of memory, which it would have filled in a second."""
    bounded = "import resource as r; r.setrlimit(r.RLIMIT_AS, (1 << 30, 1 << 30)); " + RUN
    with Path("/dev/zero").open("rb") as endless:
        done = forkserver.run(
            "-c",
            bounded,
            *words.split(),
            cwd=tmp_path,
            env={**forkserver.PLAIN, "BOT_TOKEN": TOKEN},
            stdin=endless.fileno(),
            timeout=110,
        )
    assert (done.returncode, done.stderr.decode()) == (1, f"jarchy: {told}\n")


def test_a_file_is_read_as_far_as_an_answer_of_a_source() -> None:
    """An answer that a bot would take from the network can be inspected from a file."""
    assert Limits().body == reading.LARGEST_INPUT


async def test_check_reads_what_it_fetches_and_says_what_each_source_has(tmp_path: Path) -> None:
    """A page that is no feed is not "ok" because it came; a wrong selector is told."""
    feed = (
        "<rss version='2.0'><channel><item><title>One</title><guid>1</guid></item></channel></rss>"
    )
    listed = "<html><body><div class=a><a href='/gone'>A headline</a></div></body></html>"
    server, port = await _served(
        {"/good": feed, "/html": "<html><body>login</body></html>", "/list": listed}
    )
    url = f"http://127.0.0.1:{port}"
    (tmp_path / "mine.toml").write_text(
        f'[feeds.good]\nurl = "{url}/good"\n[feeds.html]\nurl = "{url}/html"\n[feeds.gone]\nurl = '
        f'"{url}/gone"\n'
        f'[rates.nbkr]\nname = {{ en = "x" }}\nurls = ["{url}/html"]\n'
        f'[pages.changed]\nurl = "{url}/list"\nitem = ".other"\nlink = "a"\n'
    )
    async with server:
        done = await asyncio.to_thread(
            jarchy, tmp_path, "check", "--json", "--sources", CATALOG="mine.toml"
        )
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert found["source good"] == "ok, 1 entries"
    assert "not a feed" in found["source html"]
    assert "404" in found["source gone"]
    assert "selectors" in found["source changed"]
    assert not found["source nbkr"].startswith("ok")


@pytest.mark.parametrize(
    "mistake",
    [
        Fault.server_error(502, method="getMe", times=2),
        Fault.flood(1, method="getMe", times=1),
        Fault.unauthorized(method="getMe", times=1),
        Fault(Kind.RESET, method="getMe", times=1),
    ],
    ids=["502", "429", "401", "reset"],
)
@pytest.mark.cases(keep=1)
async def test_G16_check_asks_telegram_again_before_it_says_no(
    tmp_path: Path, mistake: Fault
) -> None:
    """One refusal says nothing of the token."""
    async with Emulator(TEST_TOKEN, "jarchy_bot") as telegram:
        telegram.faults.add(mistake)
        done = await asyncio.to_thread(
            jarchy, tmp_path, "check", "--json", BOT_TOKEN=TEST_TOKEN, BOT_API_URL=telegram.api_url
        )
        assert json.loads(done.stdout)["token"] == "ok, @jarchy_bot"
        telegram.faults.clear()
        telegram.faults.add(Fault.unauthorized(method="getMe"))
        done = await asyncio.to_thread(
            jarchy, tmp_path, "check", "--json", BOT_TOKEN=TEST_TOKEN, BOT_API_URL=telegram.api_url
        )
        assert "does not know" in json.loads(done.stdout)["token"]


@pytest.mark.parametrize("verb", ["feed", "page", "rates nbkr"])
def test_a_name_of_five_thousand_letters_is_a_short_line(tmp_path: Path, verb: str) -> None:
    """No file can have it."""
    done = jarchy(tmp_path, "inspect", *verb.split(), "x" * 5000)
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert line.endswith("x: File name too long")
    assert len(line) < 300


async def test_poll_asks_its_sources_side_by_side(tmp_path: Path) -> None:
    """As the bot does: each is answered only when the other was asked too."""
    both = asyncio.Barrier(2)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await both.wait()
        body = b"<rss version='2.0'><channel><item><title>One</title></item></channel></rss>"
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
        writer.write(head + body)
        await writer.drain()
        writer.close()

    sections = ""
    async with AsyncExitStack() as stack:
        for host in ("127.0.0.1", "127.0.0.2"):  # one host is asked once at a time
            server = await stack.enter_async_context(await asyncio.start_server(answer, host, 0))
            port = server.sockets[0].getsockname()[1]
            sections += f'[feeds.f{port}]\nurl = "http://{host}:{port}/"\n'
        (tmp_path / "mine.toml").write_text(sections)
        done = await asyncio.to_thread(jarchy, tmp_path, "poll", CATALOG="mine.toml")
    assert done.returncode == 0, done.stdout
    assert [json.loads(line)["new"] for line in done.stdout.splitlines()] == [1, 1]


async def test_sources_are_worked_on_side_by_side_and_none_twice() -> None:
    """As many as there are places, and a place that is free is taken."""
    poll = PollSpec(every=parse_duration("5m"))
    specs = [
        FeedSpec(key=f"s{number}", names={}, url=f"https://x{number}.example/", poll=poll)
        for number in range(SOURCES_AT_ONCE + 12)
    ]
    running: set[str] = set()
    most, done = 0, []
    full, go = asyncio.Event(), asyncio.Event()

    async def work(spec: FeedSpec) -> None:
        nonlocal most
        assert spec.key not in running
        running.add(spec.key)
        most = max(most, len(running))
        if len(running) == SOURCES_AT_ONCE:
            full.set()
        await go.wait()
        running.discard(spec.key)
        done.append(spec.key)

    async with asyncio.TaskGroup() as tasks:
        side_by_side: SideBySide[FeedSpec] = SideBySide(tasks, work)
        for spec in [*specs, *specs]:
            side_by_side.start(spec)
        await asyncio.wait_for(full.wait(), 30)
        assert side_by_side.busy == {spec.key for spec in specs}
        go.set()
    assert most == SOURCES_AT_ONCE
    assert sorted(done) == sorted(spec.key for spec in specs)
    assert not side_by_side.busy
