"""The whole bot in this process, beside an emulated Telegram, with a store of our own rates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bot import background
from bot.emulator import TEST_TOKEN, Emulator
from bot.model.rates import Rate
from handlers import membership, outgoing
from handlers.services import Services
from tests.factories import rate
from tests.handlers.scene import GROUP, NOW, RUSSIAN, STRANGER, as_new, introduce
from tests.world import READER, World, running

__all__ = ["GROUP", "NOW", "READER", "RUSSIAN", "STRANGER", "World"]  # which tests import from here

CATALOG = """
[rates.nbkr]
name = { en = "National Bank", ru = "Национальный банк", ky = "Улуттук банк" }
urls = ["http://127.0.0.1:9/daily.xml"]
kind = "official"
poll = { every = "30m", zone = "Asia/Bishkek" }

[places]
osh = { name = { en = "Osh", ru = "Ош", ky = "Ош" }, latitude = 40.53, longitude = 72.8 }
batken = { name = { en = "Batken", ru = "Баткен", ky = "Баткен" } }
kg = { name = { en = "All Kyrgyzstan", ru = "Весь Кыргызстан", ky = "Бүт Кыргызстан" } }
isfana = { within = "batken", name = { en = "Isfana", ru = "Исфана", ky = "Исфана" } }
aksai = { within = "batken", name = { en = "Ak-Sai", ru = "Ак-Сай", ky = "Ак-Сай" } }
uzgen = { within = "osh", name = { en = "Uzgen", ru = "Узген", ky = "Өзгөн" } }
"""


def days(pair: str, values: Sequence[str], *, last: date | None = None) -> list[Rate]:
    """One rate a day, the last on `last` (default: today)."""
    first = (last or NOW.date()) - timedelta(days=len(values) - 1)
    return [
        rate(pair, value, str(first + timedelta(days=number)))
        for number, value in enumerate(values)
    ]


async def at_once(_chat: int) -> float:
    """No answer waits for its turn, nor is it left to the outbox."""
    return 0.0


@pytest.fixture
def patient(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """One in which nobody asks too often and no answer waits for its turn: for whole tables of
    questions.
    """

    monkeypatch.setattr(Services, "allow", lambda *_args, **_options: True)
    world.bot.services.turn = at_once
    return world


async def no_time(_seconds: float) -> None:
    """A handler's rest before it makes a call again, where a test is not about how long it is."""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No handler waits for longer than these seconds: what has to wait longer is left to the
    outbox, after seconds that a test can wait for.
    """
    monkeypatch.setattr(outgoing, "ANSWER", replace(outgoing.ANSWER, longest=1.0))


@pytest.fixture
def listening(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program of this test answers and sends, and does no recurring job unless the test is
    marked with `jobs`: the first looks of all of them are a third of a start.
    """
    monkeypatch.chdir(tmp_path)
    if request.node.get_closest_marker("jobs") is None:
        monkeypatch.setattr(background, "JOBS", ())


@pytest.fixture
async def world(
    listening: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[World]:
    """Started and ready, with the sample's three rates; ended without an error."""
    monkeypatch.setattr(membership, "SETTLES", 0.05)  # here both updates of a pair come at once
    async with begun(tmp_path) as made:
        yield made


@asynccontextmanager
async def begun(folder: Path, catalog: str = CATALOG) -> AsyncIterator[World]:
    """The program and its Telegram with the people and rates of the sample, ready."""
    # it is stopped after a start that was refused, too: a server left open would hang the tests
    async with Emulator(TEST_TOKEN, "jarchy_bot", privacy=False) as telegram:
        introduce(telegram)
        async with running(folder, telegram, catalog, now=NOW, introduces=False) as made:
            await made.keep([rate(), rate("EUR/KGS", "98.8523"), rate("RUB/KGS", "1.1948")])
            yield made


@asynccontextmanager
async def stood(folder: Path, catalog: str = CATALOG) -> AsyncIterator[World]:
    """The same, which does no recurring job; what is patched is so for its start alone."""
    async with AsyncExitStack() as stack:
        with pytest.MonkeyPatch.context() as patched:
            patched.chdir(folder)
            patched.setattr(background, "JOBS", ())
            made = await stack.enter_async_context(begun(folder, catalog))
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def program(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One for all tests of a file that take `scene`."""
    async with stood(tmp_path_factory.mktemp("scene")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def scene(program: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A `patient` one that others of its file have had and will have, and that is as new."""
    monkeypatch.setattr(Services, "allow", lambda *_args, **_options: True)
    async with as_new(program):
        program.bot.services.turn = at_once
        yield program


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test of a `scene` program run in its loop: before pytest-asyncio chooses one."""
    if "scene" in metafunc.fixturenames:
        in_its_loop = pytest.mark.asyncio(loop_scope="module")
        metafunc.definition.add_marker(in_its_loop)
        in_its_loop(metafunc.function)


@pytest.fixture
async def desk(
    listening: None,
    tmp_path: Path,
) -> AsyncIterator[World]:
    """The program with the reader as its operator."""
    async with Emulator(TEST_TOKEN, "jarchy_bot", privacy=False) as telegram:
        telegram.add_private(telegram.add_user(READER, "Aigul", "en"))
        async with running(
            tmp_path, telegram, CATALOG, now=NOW, introduces=False, admin_ids=[READER]
        ) as made:
            yield made
