"""What runs the tests on several processes loses none of what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

TESTS = """
import os, signal, warnings
import pytest

@pytest.fixture(scope="module")
def broken_at_the_end():
    yield
    raise RuntimeError("at the end")

@pytest.mark.parametrize("number", range(20))
def test_passes(number, broken_at_the_end):
    warnings.warn(f"said by {number}")

def test_fails():
    print("printed before it")
    assert 1 == 2

@pytest.mark.skipif(True, reason="for a reason")
def test_is_skipped(): ...
"""
DEADLY = """
import os, signal

def test_before(): ...
def test_is_killed(): os.kill(os.getpid(), signal.SIGKILL)
def test_ends_as_if_all_were_well(): os._exit(0)
def test_after(): ...
"""


def run(folder: Path, *words: str) -> tuple[int, str]:
    """pytest's exit and what it says."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.side_by_side", "--processes", "3"),
            *("-c", "/dev/null", "--rootdir", str(folder), "-ra", *words, str(folder)),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout


def test_each_outcome_is_told_once_with_its_reason(tmp_path: Path) -> None:
    """Those of a test that ends its process too; another goes on with the rest."""
    (tmp_path / "test_a.py").write_text(TESTS)
    (tmp_path / "test_deadly.py").write_text(DEADLY)
    code, said = run(tmp_path)
    assert code == 1
    assert re.search(r"3 failed, 22 passed, 1 skipped, \d+ warnings?, 1 error", said), said
    assert said.count("UserWarning: said by 7\n") == 1
    for line in (
        "FAILED test_a.py::test_fails - assert 1 == 2",
        "FAILED test_deadly.py::test_is_killed - it ended its process, with -9",
        "FAILED test_deadly.py::test_ends_as_if_all_were_well - it ended its process, with 0",
        "ERROR test_a.py::test_is_skipped - RuntimeError: at the end",
        "printed before it",
        "for a reason",
    ):
        assert line in said, said


def test_the_first_failure_ends_the_run_where_that_is_asked_for(tmp_path: Path) -> None:
    """And what another process was doing is put away."""
    (tmp_path / "test_a.py").write_text("def test_fails(long): assert 0\n")
    (tmp_path / "test_b.py").write_text("def test_lasts(long): long.wait()\n")
    (tmp_path / "conftest.py").write_text(
        "import multiprocessing, pytest\n"
        "BEGUN = multiprocessing.Barrier(2)\n"
        "class Long:\n"
        "    def wait(self): multiprocessing.Event().wait()\n"
        "@pytest.fixture\n"
        "def long(tmp_path_factory):\n"
        "    BEGUN.wait()\n"
        "    yield Long()\n"
        f"    open({str(tmp_path / 'away')!r}, 'a').write('.')\n"
    )
    code, said = run(tmp_path, "-x")
    assert code == 1
    assert "1 failed" in said
    assert (tmp_path / "away").read_text() == ".."
