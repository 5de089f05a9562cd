"""Tests in several processes: each run once and told as one process would tell it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

from tests.forkserver import PLAIN, ROOT
from tests.rewriting import rewrite_from_the_end

#: What this process does at its end is seen from outside, as is which one ran a test.
TESTS = """
import os, pathlib, signal, warnings
import pytest

RAN = pathlib.Path("ran")

@pytest.fixture(scope="session", autouse=True)
def made_once():
    with RAN.open("a") as ran:
        print("made", os.getpid(), file=ran)
    yield
    with RAN.open("a") as ran:
        print("ended", os.getpid(), file=ran)

@pytest.mark.parametrize("number", range(40))
def test_one(number, tmp_path):
    (tmp_path / "file").write_text("x")
    with RAN.open("a") as ran:
        print("test", number, os.getpid(), file=ran)
    print(f"said by {number}")
    if number == 7:
        warnings.warn("seven")
    if number == 8:
        pytest.skip("eight")
    if number == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    assert number != 30
"""


#: Each process registers what takes its end away.
ENDS_BADLY = """
import atexit, os
import pytest

@pytest.fixture(autouse=True)
def ends_badly():
    atexit.register(os._exit, 3)
"""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """pytest on those tests, in four processes."""
    (folder / "test_those.py").write_text(TESTS)
    options = ("-p", "no:cacheprovider", "-p", "tests.side_by_side", "--processes", "4", "-rs")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *words, "test_those.py"],
        cwd=folder,
        env=PLAIN | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        check=False,
    )


def said(folder: Path, what: str) -> list[str]:
    """What the tests and their fixture wrote down of something: a test's number, or a process."""
    ran = [line.split() for line in (folder / "ran").read_text().splitlines()]
    return [line[1] for line in ran if line[0] == what]


def test_each_test_runs_once_and_is_told_as_by_one_process(tmp_path: Path) -> None:
    """What fails with what it said, what is skipped with why, warnings, and in whose midst a
    process ended; what that one had before it is run by another.
    """
    done = run(tmp_path)
    told = done.stdout.decode()
    assert done.returncode == 1
    assert "2 failed, 37 passed, 1 skipped, 1 warning in" in told
    assert "said by 30" in told
    assert len([line for line in told.splitlines() if line.startswith("test_those.py ")]) == 0
    assert "said by 29" not in told
    assert "the process of this test ended in the midst, with -9" in told
    assert re.search(r"SKIPPED \[1\] test_those.py:\d+: eight", told)
    assert "UserWarning: seven" in told
    assert sorted(map(int, said(tmp_path, "test"))) == list(range(40))
    made, ended = set(said(tmp_path, "made")), set(said(tmp_path, "ended"))
    assert ended < made
    assert len(made - ended) == 1


def test_what_a_process_fails_to_end_is_told(tmp_path: Path) -> None:
    """Behind the last of its tests, where no report is under way."""
    (tmp_path / "conftest.py").write_text(ENDS_BADLY)
    done = run(tmp_path, "-k", "1")
    told = done.stdout.decode()
    assert done.returncode == 1
    assert told.count("behind its last test its process ended with 3") == 4


def test_a_run_that_shall_end_with_the_first_failure_does(tmp_path: Path) -> None:
    done = run(tmp_path, "-x", "-k", "not 9")
    assert done.returncode == 1
    assert "stopping after 1 failures" in done.stdout.decode()
    assert sorted(said(tmp_path, "made")) == sorted(said(tmp_path, "ended"))


def test_where_nothing_shall_run_nothing_is_forked(tmp_path: Path) -> None:
    done = run(tmp_path, "--collect-only", "-q")
    assert done.returncode == 0
    assert "40 tests collected" in done.stdout.decode()
    assert not (tmp_path / "ran").exists()


def test_the_files_of_a_fresh_clone_are_made_ready_from_the_last_to_one_that_is(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Where pytest looks for what it made of them."""
    files = [tmp_path / f"test_{name}.py" for name in "abc"]
    kept = [rewrite.get_cache_dir(one) / f"{one.stem}{rewrite.PYC_TAIL}" for one in files]
    for one in files:
        one.write_text("def test_it():\n    assert 1 == 2\n")
    for ready in ([True, True, True], [False, False, True]):
        rewrite_from_the_end(request.config, tmp_path)()
        assert [
            rewrite._read_pyc(*both) is not None for both in zip(files, kept, strict=True)
        ] == ready
        for one in kept[:2]:
            one.unlink(missing_ok=True)
