"""Fixtures every test may use."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import io
import logging
import os
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from functools import partial
from pathlib import Path

import hypothesis
import pytest
import structlog
import uvloop

import bot.log  # noqa: F401 - before anything imports structlog, as in the program
from bot import i18n, languages
from bot.config import load_settings
from bot.emulator import TEST_TOKEN
from storage.db import Store
from storage.opening import open_store
from tests import forkserver
from tests.emptied import emptied
from tests.postgres import Shared, database
from tests.rewriting import rewrite_from_the_end
from tests.statements import compile_each_once
from tests.world import migrated_copy, migrated_file

ROOT = Path(__file__).resolve().parents[1]

# where rich is, structlog draws each traceback with it, for seconds
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

# how long an example takes says how busy the machine is
hypothesis.settings.register_profile("jarchy", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=40)
hypothesis.settings.load_profile("jarchy")


def pytest_configure(config: pytest.Config) -> None:
    """The long run tries more examples of each property. The processes of a run have one
    PostgreSQL, and one that forks programs.
    """
    if "not slow" in config.option.markexpr:
        hypothesis.settings.load_profile("quick")
    if config.getoption("processes") > 1:
        config.stash[POSTGRES] = shared = Shared.made()
        config.add_cleanup(shared.end)
        forkserver.share(shared.folder)
        config.add_cleanup(forkserver.close)
        if config.args_source is config.ArgsSource.TESTPATHS and not sys.dont_write_bytecode:
            config.add_cleanup(rewrite_from_the_end(config, ROOT / "tests"))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Look for garbage once more, for what it has to tell; pytest would do so five times."""
    gc.collect()
    gc.freeze()


compile_each_once()
pytest_plugins = ["tests.side_by_side", "tests.overrun"]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The event loop that the program runs on."""
    return {"uvloop": uvloop.new_event_loop}


def _shared() -> Path | None:
    """The folder of real data beside the project, when it is there; tests that need it skip
    otherwise.
    """
    path = Path(os.environ.get("JARCHY_SHARED", ROOT.parent / "shared"))
    return path if (path / "data").is_dir() else None


SHARED = _shared()
POSTGRES = pytest.StashKey[Shared]()


BROWSER = ROOT / "tests" / "browser"
#: Folders and files of tests that wait for programs, servers, browsers and pauses for more than
#: they compute; the longest first.
WAITING = (
    *("faults", "e2e", "deliver", "browser", "intake"),
    *("test_refused_answers", "test_one_refusal", "test_verbs", "test_edits"),
    *("test_operator_documents", "test_quiet_elsewhere", "test_broadcasts", "test_looking"),
)


#: What starts the whole program for a test of `tests/handlers`, and how many cases of a table are
#: enough there, unless the table says so itself.
STARTING, ENOUGH = {"world", "scene", "desk"}, 2
#: Where each test is run on both databases; elsewhere the statements are those of `storage`, and
#: PostgreSQL is for the long run.
ON_BOTH = {"storage", "faults", "intake", "deliver", "e2e"}
ON_BOTH |= {"test_archive", "test_polls_together", "test_ingest"}


#: New objects between two looks for garbage: after Python's 700 they are 3% of what tests cost.
GARBAGE = 200_000


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Look for no garbage among eight thousand tests while they are found, and never after: all of
    them stay.
    """
    gc.disable()
    option = session.config.option
    try:
        found = yield
        if option.processes > 1 and not option.collectonly:
            _make_for_all()
        return found
    finally:
        gc.freeze()
        gc.enable()
        gc.set_threshold(GARBAGE)


def _make_for_all() -> None:
    """Make once what each process of the run would make anew, for a second, when a test first asks:
    the words of the languages, what pydantic makes of the settings, the migrated file that is
    copied, what charts are drawn with.
    """
    makers: list[Callable[[], object]] = [
        *(partial(i18n._catalog, code) for code in languages.LANGUAGES),
        partial(load_settings, bot_token=TEST_TOKEN),
        migrated_file,
        partial(importlib.import_module, "matplotlib.figure"),
    ]
    for make in makers:
        # what is wrong with it is said by the tests that ask
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            make()


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Leave to the long run what tables of cases (`cases`, and those for which the program starts)
    have beyond a sample, and PostgreSQL beside SQLite outside `ON_BOTH`; deal what waits before
    what computes.
    """
    tables: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("cases") or _starts(item):
            tables.setdefault(item.nodeid.partition("[")[0], []).append(item)
        elif item.get_closest_marker("postgres") and _is_beside_sqlite(item):
            item.add_marker(pytest.mark.slow)
    for cases in tables.values():
        _leave_to_the_long_run(cases)
    yield
    items[:] = _mixed(items, config.getoption("processes"))


def _mixed(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """The tests in a share for each process, as they are dealt: all processes but one begin with
    the files that wait, while that one has tests that use the processor; at the end all have such,
    and nobody waits alone.

    A file stays together, and so do those that need a browser: what their tests share is made once.
    """
    waiting: dict[Path, list[pytest.Item]] = {}
    others: list[pytest.Item] = []
    for one in sorted(items, key=_rank):  # keeps the order in which they were found otherwise
        if _rank(one) < len(WAITING):
            waiting.setdefault(BROWSER if BROWSER in one.path.parents else one.path, []).append(one)
        else:
            others.append(one)
    shares: list[list[pytest.Item]] = [[] for _ in range(processes)]
    for number, file in enumerate(waiting.values()):
        shares[number % max(processes - 1, 1)] += file
    mixed: list[pytest.Item] = []
    for number, share in enumerate(shares, start=1):
        size = max(number * len(items) // processes - len(mixed) - len(share), 0)
        mixed += [*share, *others[:size]]
        others = others[size:]
    return mixed + others


def _rank(item: pytest.Item) -> int:
    names = {item.path.parent.name, item.path.stem}
    return next((rank for rank, name in enumerate(WAITING) if name in names), len(WAITING))


def _is_beside_sqlite(item: pytest.Item) -> bool:
    named = {"database_url", "migrated_url"} & set(getattr(item, "fixturenames", ()))
    return bool(named) and ON_BOTH.isdisjoint({item.path.parent.name, item.path.stem})


def _starts(item: pytest.Item) -> bool:
    named = set(getattr(item, "fixturenames", ()))
    return item.path.parent.name == "handlers" and not STARTING.isdisjoint(named)


def _leave_to_the_long_run(cases: list[pytest.Item]) -> None:
    """On PostgreSQL all of them where they run on SQLite too, for it is the case that differs and
    not the database; of the others all but `keep`, evenly chosen, from another one on in each
    table: of what is asked in three languages each is asked somewhere.
    """
    both = {bool(case.get_closest_marker("postgres")) for case in cases} == {True, False}
    kept: list[pytest.Item] = []
    for case in cases:
        if both and case.get_closest_marker("postgres"):
            case.add_marker(pytest.mark.slow)
        else:
            kept.append(case)
    usual = ENOUGH if _starts(cases[0]) else len(kept)
    mark = cases[0].get_closest_marker("cases")
    keep = mark.kwargs.get("keep", usual) if mark else usual
    first = zlib.crc32(cases[0].nodeid.partition("[")[0].encode())
    chosen = {(first + number * len(kept) // keep) % len(kept) for number in range(keep)}
    for number, case in enumerate(kept):
        if number not in chosen:
            case.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say by which of its errors SQLite failed: "disk I/O error" stands for thirty of them."""
    report = yield
    error = None if call.excinfo is None else call.excinfo.value
    while error is not None:
        if name := getattr(error, "sqlite_errorname", None):
            report.sections.append(("SQLite", name))
        error = error.__cause__ or error.__context__
    return report


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A verb that a test runs here sets the logs up on an output that is closed after it."""
    root = logging.getLogger()
    configured, handlers, level = structlog.get_config(), root.handlers[:], root.level
    yield
    structlog.configure(**configured)
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def shared() -> Path:
    """The folder of real payloads; skips where it is absent."""
    if SHARED is None:
        pytest.skip("the shared data folder is not here")
    return SHARED


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[Shared]:
    """A real PostgreSQL on a socket of its own, started from a wheel; ends with the run."""
    if (of_the_run := request.config.stash.get(POSTGRES, None)) is not None:
        yield of_the_run
        return
    made = Shared.made()
    yield made
    made.end()


@pytest.fixture(scope="session")
def postgres_server(postgres: Shared) -> str:
    """Its address."""
    return postgres.server()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty database on that server."""
    with database(postgres_server) as (_, url):
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """One address per database we promise, of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'jarchy.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def migrated_postgres_url(postgres: Shared) -> Iterator[str]:
    """A migrated and empty database on that server."""
    with emptied(postgres.server(), migrated_template(postgres)) as url:
        yield url


def migrated_template(postgres: Shared) -> str:
    """The name of the one that is copied."""
    return postgres.migrated(lambda url: asyncio.run(_migrate(url)))


async def _migrate(url: str) -> None:
    await (await open_store(url)).close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """One address per database we promise, of a migrated and empty one."""
    if request.param == "sqlite":
        return migrated_copy(tmp_path / "jarchy.db")
    url: str = request.getfixturevalue("migrated_postgres_url")
    return url


@pytest.fixture
async def store(migrated_url: str) -> AsyncIterator[Store]:
    """A migrated, empty store; each test that uses it runs on every database."""
    opened = await open_store(migrated_url)
    yield opened
    await opened.close()
