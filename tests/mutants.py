"""Break named files in many small ways and see which breaks no test notices: `make mutants
ARGS="bot/schedule.py"`.

mutmut does the breaking, in a copy of the project, with the tests that import a file (`--tests`
names others, or more; `--only-tests` these alone). `--names` takes a part of a file: `--names
"*_settle*" "*_later*"`. It changes what stands in functions and methods; a table at the top of a
module needs a test by hand. A run ends after `--minutes`; what it had no time for is said, and is
no part of the share. The exit code is 1 when less than `--at-least` percent was noticed.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
QUICK = "not slow and not postgres and not browser"
KILLED = {"killed", "timeout", "caught by type check", "segfault"}
LIVING = {"survived", "no tests", "suspicious"}
_SETTINGS = """

[tool.mutmut]
source_paths = ["bot", "handlers", "storage"]
only_mutate = {files}
also_copy = {copied}
# a test that fails leaves servers open, which is no second failure, nor the end of the run
pytest_add_cli_args = [
    "-q", "-p", "no:cacheprovider", "-p", "no:unraisableexception", "-p", "tests.forgetting",
    "-m", "{marks}",
]
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
timeout_multiplier = 5.0
timeout_constant = 5.0
"""


def importing(module: str) -> list[str]:
    """The test files that import a module by name, and those that do so through `tests.…` helpers
    do not count.
    """
    room, _, name = module.rpartition(".")
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            plain = isinstance(node, ast.Import) and any(
                alias.name == module for alias in node.names
            )
            named = isinstance(node, ast.ImportFrom) and (
                node.module == module
                or (node.module == room and any(alias.name == name for alias in node.names))
            )
            if plain or named:
                found.append(str(path.relative_to(ROOT)))
                break
    return found


def module_of(path: str) -> str:
    """`bot/deliver/limits.py` → `bot.deliver.limits`; a package by its folder."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def copy_project(folder: Path, files: list[str], tests: list[str], marks: str) -> None:
    """Copy the files that git knows, with mutmut told what to break and what to run."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    copied = sorted({name.split("/")[0] for name in names} - {"pyproject.toml"})
    settings = _SETTINGS.format(files=files, copied=copied, marks=marks, tests=tests)
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as pyproject:
        pyproject.write(settings.replace("'", '"'))


def run(folder: Path, seconds: float, names: list[str], children: int) -> bool:
    """Run mutmut over the mutants whose names match, or all; whether it came to its end in time.

    What it says goes to a file: it draws its progress many times a second.
    """
    # the copy has other neighbours
    shared = os.environ.get("JARCHY_SHARED", str(ROOT.parent / "shared"))
    environment = {**os.environ, "JARCHY_SHARED": shared}
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(children), *names]
    said = folder / "mutmut.log"
    with (
        said.open("wb") as out,
        subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            start_new_session=True,
            stdout=out,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return False
    if process.returncode:
        print(said.read_text(encoding="utf-8", errors="replace").replace("\r", "\n")[-4000:])
        sys.exit(f"mutmut ended with {process.returncode}")
    return True


#: Collects in one process as often as mutmut does: pytest escapes `ids=` anew each time, so that
#: those with a backslash or a letter of another alphabet are others the second time.
_ASKED = """
import sys
import pytest
asked = [*sys.argv[1:], "--collect-only", "-q", "-p", "no:cacheprovider", "--rootdir=."]
for _ in range(2):
    code = pytest.main(asked)
sys.exit(code)
"""


def not_found(folder: Path) -> str:
    """The words of pytest when it is asked for the tests that mutmut found; "" when it finds each.

    mutmut counts a test that pytest does not find as a kill, so that the figures would say more
    than is true. The cause is a case whose id has odd characters: plainer `ids=` mend that.
    """
    stats = folder / "mutants" / "mutmut-stats.json"
    if not stats.is_file():
        return ""
    by_function = json.loads(stats.read_text(encoding="utf-8"))["tests_by_mangled_function_name"]
    tests = sorted({test for found in by_function.values() for test in found})
    if not tests:
        return ""
    done = subprocess.run(
        [sys.executable, "-c", _ASKED, *tests],
        cwd=folder / "mutants",
        env={**os.environ, "MUTANT_UNDER_TEST": ""},
        check=False,
        capture_output=True,
        text=True,
    )
    missing = [
        line
        for line in (done.stdout + done.stderr).splitlines()
        if line.startswith("ERROR: not found")
    ]
    return "\n".join(missing) if done.returncode == 4 else ""


#: Runs in the copy, in one process: `mutmut show` starts anew, and reads everything again, for each
#: survivor.
_RESULTS = """
import fnmatch, json, sys
from mutmut.__main__ import SourceFileMutationData, get_diff_for_mutant
from mutmut.__main__ import status_by_exit_code, walk_mutatable_files
shown, names = set(json.loads(sys.argv[1])), json.loads(sys.argv[2])
found = []
for path in walk_mutatable_files():
    data = SourceFileMutationData(path=path)
    data.load()
    for name, code in data.exit_code_by_key.items():
        if names and not any(fnmatch.fnmatch(name, pattern) for pattern in names):
            continue
        became = status_by_exit_code[code]
        change = get_diff_for_mutant(name, path=path) if became in shown else ""
        found.append((name, became, change))
print(json.dumps(found))
"""


def results(folder: Path, names: list[str]) -> list[tuple[str, str, str]]:
    """Each mutant: its name, what became of it, and the change when it lives."""
    command = [sys.executable, "-c", _RESULTS, json.dumps(sorted(LIVING)), json.dumps(names)]
    said = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    return [(name, became, change) for name, became, change in json.loads(said.splitlines()[-1])]


def report(found: list[tuple[str, str, str]]) -> float:
    """Print each survivor as a change, then the figures; the share of the tried that was noticed,
    in percent.
    """
    counted = Counter(became for _, became, _ in found)
    for name, became, change in found:
        if became in LIVING:
            print(f"\n{name}: {became}")
            print("\n".join(line for line in change.splitlines()[2:] if line[:1] in "+-"))
    killed = sum(counted[became] for became in KILLED)
    living = sum(counted[became] for became in LIVING)
    tried = killed + living
    share = 100 * killed / tried if tried else 0.0
    print(
        f"\nkilled {killed} of {tried} tried ({share:.1f} %), {len(found)} in all, no time for "
        f"{len(found) - tried}"
    )
    print(
        f"survived {counted['survived']}, run by no test {counted['no tests']}, killed by time "
        f"{counted['timeout']}"
    )
    return share


def main() -> None:
    """Break, test, tell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", help="bot/schedule.py, …")
    parser.add_argument(
        "--tests", nargs="*", default=[], help="test files besides those that import the files"
    )
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="the whole run ends then (default: 10)"
    )
    parser.add_argument("--marks", default=QUICK, help=f"pytest's -m (default: {QUICK})")
    parser.add_argument("--at-least", type=float, default=0.0, help="percent that must be noticed")
    parser.add_argument(
        "--only-tests", nargs="*", default=[], help="these test files and no others"
    )
    parser.add_argument(
        "--names", nargs="*", default=[], help="mutants of these names alone: '*_settle*'"
    )
    parser.add_argument(
        "--children", type=int, default=2, help="mutants tried side by side (default: 2)"
    )
    words = parser.parse_args()
    tests = sorted(
        {*words.tests, *(test for path in words.files for test in importing(module_of(path)))}
    )
    if words.only_tests:
        tests = sorted(words.only_tests)
    if not tests:
        sys.exit("no test imports any of these; name some with --tests")
    print("with", *tests, flush=True)
    with tempfile.TemporaryDirectory(prefix="jarchy-mutants-") as name:
        folder = Path(name)
        copy_project(folder, words.files, tests, words.marks)
        if not run(folder, words.minutes * 60, words.names, words.children):
            print(f"stopped after {words.minutes:g} minutes")
        share = report(results(folder, words.names))
        missing = not_found(folder)
        if missing:
            sys.exit(f"these figures are too good: mutmut cannot ask for some tests\n{missing}")
        sys.exit(int(share < words.at_least))


if __name__ == "__main__":
    main()
