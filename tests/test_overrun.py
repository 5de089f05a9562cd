"""A test that hangs ends at its timeout, and says where it hangs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forkserver import PLAIN, ROOT

CONFTEST = """
import uvloop

def pytest_asyncio_loop_factories():
    return {"uvloop": uvloop.new_event_loop}
"""
#: Each hangs in a way of its own, and none would end by itself.
TESTS = """
import asyncio, contextlib, threading

async def deep_within():
    await asyncio.Event().wait()

async def test_waiting():
    await deep_within()

async def test_behind_a_task_that_computes():
    async def compute():
        while True:
            pass
    task = asyncio.create_task(compute())
    await asyncio.Event().wait()

async def test_not_to_be_cancelled():
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

def test_without_a_loop():
    threading.Event().wait()
"""
LINES = ("in deep_within", "in compute", "in test_not_to_be_cancelled", "in test_without_a_loop")
ENDS = [
    ("ERROR", "test_not_to_be_cancelled"),
    ("FAILED", "test_behind_a_task_that_computes"),
    ("FAILED", "test_not_to_be_cancelled"),
    ("FAILED", "test_waiting"),
    ("FAILED", "test_without_a_loop"),
]
OPTIONS = (
    *("-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function"),
    *("--asyncio-mode=auto", "--timeout=0.1", "-q"),
)
PLUGINS = ("pytest_asyncio.plugin", "pytest_timeout", "tests.side_by_side", "tests.overrun")


@pytest.mark.parametrize("processes", [2, pytest.param(1, marks=pytest.mark.slow)])
def test_a_test_that_hangs_fails_at_its_timeout_and_is_told_with_what_it_waits_for(
    tmp_path: Path, processes: int
) -> None:
    """In one process and in several; what hangs behind it too, at the end of its loop."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_those.py").write_text(TESTS)
    plugins = [word for name in PLUGINS for word in ("-p", name)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *OPTIONS, "--processes", str(processes)],
        cwd=tmp_path,
        env=PLAIN | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    told = done.stdout.decode()
    ended = re.findall(r"^(\w+) test_those.py::(\w+)", told, re.MULTILINE)
    assert sorted(ended) == ENDS
    assert "4 failed, 1 error in" in told
    for line in LINES:
        assert f"{line}\n" in told
