"""Fixtures every test may use."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

import bot.log  # noqa: F401 - before anything imports structlog, as in the program
from storage.db import Store
from storage.opening import open_store
from tests.forkserver import for_all_forks
from tests.postgres import Shared, database
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
    """The long run tries more examples of each property."""
    if "not slow" in config.option.markexpr:
        hypothesis.settings.load_profile("quick")


compile_each_once()


def _shared() -> Path | None:
    """The folder of real data beside the project, when it is there; tests that need it skip
    otherwise.
    """
    path = Path(os.environ.get("JARCHY_SHARED", ROOT.parent / "shared"))
    return path if (path / "data").is_dir() else None


SHARED = _shared()
POSTGRES = pytest.StashKey[Shared]()


#: New objects between two looks for garbage; after Python's 700 they are 3% of what tests cost.
GARBAGE = 10_000


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among eight thousand tests while they are found, and never after: all of
    them stay.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        gc.set_threshold(GARBAGE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to the long run what tables of cases (`cases`) have beyond a sample."""
    tables: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("cases"):
            tables.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for cases in tables.values():
        _leave_to_the_long_run(cases)


def _leave_to_the_long_run(cases: list[pytest.Item]) -> None:
    """On PostgreSQL all of them where they run on SQLite too, for it is the case that differs and
    not the database; of the others all but `keep`, evenly chosen.
    """
    both = {bool(case.get_closest_marker("postgres")) for case in cases} == {True, False}
    kept: list[pytest.Item] = []
    for case in cases:
        if both and case.get_closest_marker("postgres"):
            case.add_marker(pytest.mark.slow)
        else:
            kept.append(case)
    mark = cases[0].get_closest_marker("cases")
    keep = mark.kwargs.get("keep", len(kept)) if mark else len(kept)
    chosen = {number * len(kept) // keep for number in range(keep)}
    for number, case in enumerate(kept):
        if number not in chosen:
            case.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A verb that a test runs here sets the logs up on an output that is closed after it."""
    root = logging.getLogger()
    configured, handlers, level = structlog.get_config(), root.handlers[:], root.level
    yield
    structlog.configure(**configured)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def shared() -> Path:
    """The folder of real payloads; skips where it is absent."""
    if SHARED is None:
        pytest.skip("the shared data folder is not here")
    return SHARED


@pytest.hookimpl(optionalhook=True)
def pytest_before_forks(config: pytest.Config) -> None:
    """All processes of a run with several have one PostgreSQL, which the first that asks starts."""
    config.stash[POSTGRES] = Shared.made()
    config.add_cleanup(config.stash[POSTGRES].end)
    migrated_file()
    for_all_forks()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[Shared]:
    """A real PostgreSQL on a socket of its own, started from a wheel; ends with the run."""
    of_the_run = request.config.stash.get(POSTGRES, None)
    if of_the_run is not None:
        yield of_the_run
        of_the_run.close()
        return
    own = Shared.made()
    yield own
    own.end()


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
    template = postgres.migrated(lambda url: asyncio.run(_migrate(url)))
    with database(postgres.server(), template=template) as (_, url):
        yield url


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
