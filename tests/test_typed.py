"""What a line names as the words to type starts the program from where the reader stands."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.found import ROOMS
from bot.typed import CALLED, MODULE, typed
from tests.conftest import ROOT

NAMED = re.compile(r"`jarchy [a-z]")
#: An entry as installers write one where the folder of Python has a blank, which the first line of
#: a script may not; it says what it would have the reader type.
ENTRY = f"""#!/bin/sh
'''exec' {shlex.quote(sys.executable)} -IS "$0" "$@"
' '''
import sys
sys.path.append({str(ROOT)!r})
from bot.typed import typed
print(typed("db check"))
"""


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    """A program `jarchy` in the environment of a clone, in a folder whose name has a blank."""
    path = tmp_path / "my clone" / ".venv" / "bin" / "jarchy"
    path.parent.mkdir(parents=True)
    path.write_text(ENTRY)
    path.chmod(0o755)
    return path


def said(line: str, folder: Path, **environment: str) -> str:
    """The words that a program says after a line in a shell."""
    words = ["/bin/sh", "-c", line]
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("line", "folder", "path", "words"),
    [
        (".venv/bin/jarchy", ".", "", ".venv/bin/jarchy db check"),
        ("'{entry}'", "..", "", "'my clone/.venv/bin/jarchy' db check"),
        ("'{entry}'", "/", "", "'{entry}' db check"),
        ("./jarchy", ".venv/bin", "", "./jarchy db check"),
        ("jarchy", "/", "{folder}", "jarchy db check"),
    ],
    ids=["in the clone", "beside it", "elsewhere", "in its own folder", "on PATH"],
)
def test_what_is_to_be_typed_starts_what_said_it(
    entry: Path, line: str, folder: str, path: str, words: str
) -> None:
    """Typed in the same shell, it says the same again."""
    here = {"entry": str(entry), "folder": str(entry.parent)}
    place = entry.parents[2] / folder
    search = path.format(**here) or "/usr/bin:/bin"
    told = said(line.format(**here), place, PATH=search)
    assert told == words.format(**here)
    assert said(told, place, PATH=search) == told


def test_what_makes_an_image_says_how_its_containers_are_started(entry: Path) -> None:
    """Inside one nobody can know."""
    assert said(f"'{entry}'", Path("/"), **{CALLED: "docker run … jarchy"}) == (
        "docker run … jarchy db check"
    )


@pytest.mark.parametrize(
    ("note", "direct", "words"),
    [
        ("", {"url": "{wheel}", "archive_info": {}}, "uvx --from ./jarchy-9.whl jarchy run"),
        ("pipx", {"url": "{wheel}"}, "pipx run --spec ./jarchy-9.whl jarchy run"),
        ("pipx", None, "pipx run jarchy run"),
        (
            "",
            {"url": "https://host.example/jarchy", "vcs_info": {"vcs": "git"}},
            "uvx --from git+https://host.example/jarchy jarchy run",
        ),
    ],
    ids=["uvx", "pipx", "an index", "a repository"],
)
def test_what_was_made_for_one_run_is_made_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    note: str,
    direct: dict[str, object] | None,
    words: str,
) -> None:
    """Its environment is a cache that its maker empties, and not on the reader's PATH."""
    environment, packages = tmp_path / "cache" / "abc", tmp_path / "packages" / "jarchy-9.dist-info"
    for folder in (environment / "bin", packages):
        folder.mkdir(parents=True)
    (tmp_path / "cache" / "CACHEDIR.TAG").touch()
    if note:
        (environment / "pipx_metadata.json").touch()
    (packages / "METADATA").write_text("Name: jarchy\nVersion: 9\n")
    if direct is not None:
        wheel = (tmp_path / "jarchy-9.whl").as_uri()
        (packages / "direct_url.json").write_text(json.dumps(direct).replace("{wheel}", wheel))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(packages.parent), *sys.path])
    monkeypatch.setattr(sys, "prefix", str(environment))
    monkeypatch.setattr(sys, "argv", [str(environment / "bin" / "jarchy")])
    monkeypatch.setenv("PATH", f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert typed("run") == words


def test_a_folder_that_is_gone_hinders_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was replaced while the bot ran, whose errors still say what to type."""
    (tmp_path / "old").mkdir()
    monkeypatch.chdir(tmp_path / "old")
    (tmp_path / "old").rmdir()
    monkeypatch.setattr(sys, "argv", ["/opt/jarchy/.venv/bin/jarchy"])
    monkeypatch.delenv(CALLED, raising=False)
    assert typed("db restore") == "/opt/jarchy/.venv/bin/jarchy db restore"
    monkeypatch.setattr(sys, "argv", [".venv/bin/jarchy"])
    assert typed("run") == ".venv/bin/jarchy run"  # as it was typed


def test_a_module_is_started_by_its_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `make` does it."""
    monkeypatch.setattr(sys, "argv", [str(MODULE)])
    python, *rest = shlex.split(typed("run"))
    found = shutil.which(python)
    assert found is not None
    assert Path(found).absolute() == Path(sys.executable)
    assert rest == ["-m", "bot", "run"]


def test_no_line_names_a_verb_otherwise() -> None:
    """Neither a text of the program's source, beside its documentation, nor one of a language."""
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            if "`jarchy " in source:
                tree = ast.parse(source)
                told = {*_texts(tree)} - {*_documentation(tree)}
                assert not [one for one in told if NAMED.search(one)], path
    for path in (ROOT / "bot" / "languages").rglob("*.po"):
        assert NAMED.search(path.read_text(encoding="utf-8")) is None, path


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _documentation(tree: ast.AST) -> Iterator[str | None]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield ast.get_docstring(node, clean=False)
