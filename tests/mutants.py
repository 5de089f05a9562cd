"""Break named files in many small ways and see which breaks no test notices: `make mutants ARGS="bot/schedule.py"`.

mutmut does the breaking, in a copy of the project, with the tests that import a file (`--tests` names others, or more).
It changes what stands in functions and methods; a table at the top of a module needs a test by hand. A run ends after
`--minutes`; what it had no time for is said. The exit code is 1 when less than `--at-least` percent was noticed.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
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
_RESULT = re.compile(r"^\s+(\S+): (.+)$", re.MULTILINE)
_SETTINGS = """

[tool.mutmut]
source_paths = ["bot", "handlers", "storage"]
only_mutate = {files}
also_copy = {copied}
pytest_add_cli_args = ["-q", "-p", "no:cacheprovider", "-m", "{marks}"]
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
timeout_multiplier = 5.0
timeout_constant = 5.0
"""


def importing(module: str) -> list[str]:
    """The test files that import a module by name, and those that do so through `tests.…` helpers do not count."""
    room, _, name = module.rpartition(".")
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            plain = isinstance(node, ast.Import) and any(alias.name == module for alias in node.names)
            named = isinstance(node, ast.ImportFrom) and (
                node.module == module or (node.module == room and any(alias.name == name for alias in node.names))
            )
            if plain or named:
                found.append(str(path.relative_to(ROOT)))
                break
    return found


def module_of(path: str) -> str:
    """`bot/deliver/limits.py` → `bot.deliver.limits`; a package by its folder."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def copy_project(folder: Path, files: list[str], tests: list[str], marks: str) -> None:
    """What git knows of, with mutmut told what to break and what to run."""
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


def run(folder: Path, seconds: float) -> bool:
    """Run mutmut; whether it came to its end in time."""
    shared = os.environ.get("JARCHY_SHARED", str(ROOT.parent / "shared"))  # the copy has other neighbours
    environment = {**os.environ, "JARCHY_SHARED": shared}
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "2"]
    with subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return False
    if process.returncode:
        sys.exit(f"mutmut ended with {process.returncode}")
    return True


def mutmut(folder: Path, *words: str) -> str:
    """What mutmut says."""
    command = [sys.executable, "-m", "mutmut", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def report(folder: Path, *, whole: bool) -> float:
    """Print the summary and each survivor as a change; the share that was noticed, in percent."""
    results = dict(_RESULT.findall(mutmut(folder, "results", "--all", "true")))
    counted = Counter(results.values())
    survivors = [name for name, became in results.items() if became in {"survived", "no tests", "suspicious"}]
    for name in survivors:
        print(f"\n{name}: {results[name]}")
        print("\n".join(line for line in mutmut(folder, "show", name).splitlines() if line[:1] in "+-"))
    killed = sum(counted[became] for became in KILLED)
    tried = killed + len(survivors)
    share = 100 * killed / tried if tried else 0.0
    left = f", no time for {len(results) - tried}" if not whole else ""
    print(f"\nkilled {killed} of {tried} ({share:.0f} %), survived {len(survivors)}{left}")
    return share


def main() -> None:
    """Break, test, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help="bot/schedule.py, …")
    parser.add_argument("--tests", nargs="*", default=[], help="test files besides those that import the files")
    parser.add_argument("--minutes", type=float, default=10.0, help="the whole run ends then (default: 10)")
    parser.add_argument("--marks", default=QUICK, help=f"pytest's -m (default: {QUICK})")
    parser.add_argument("--at-least", type=float, default=0.0, help="percent that must be noticed")
    words = parser.parse_args()
    tests = sorted({*words.tests, *(test for path in words.files for test in importing(module_of(path)))})
    if not tests:
        sys.exit("no test imports any of these; name some with --tests")
    print("with", *tests, flush=True)
    with tempfile.TemporaryDirectory(prefix="jarchy-mutants-") as name:
        folder = Path(name)
        copy_project(folder, words.files, tests, words.marks)
        whole = run(folder, words.minutes * 60)
        sys.exit(int(report(folder, whole=whole) < words.at_least))


if __name__ == "__main__":
    main()
