"""The two locks and the script that installs them."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from bench.sbom import bill
from tests.conftest import ROOT

RUN_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
LOCKS = [RUN_LOCK, DEV_LOCK]


def packages(lock: Path) -> dict[str, str]:
    """The entry of each package a lock names."""
    entries = re.split(
        r"\n(?=[a-zA-Z0-9])", lock.read_text(encoding="utf-8").partition("lock\n")[2]
    )
    return {entry.partition("==")[0].strip(): entry for entry in entries}


def names(requirements: list[str]) -> set[str]:
    """The packages that requirements name."""
    return {re.split(r"[\[<>=;]", requirement)[0] for requirement in requirements}


@pytest.fixture
def install(tmp_path: Path) -> ModuleType:
    """The script, with an environment of its own."""
    spec = importlib.util.spec_from_file_location("install", ROOT / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.VENV, module.PYTHON = tmp_path / ".venv", tmp_path / ".venv" / "bin" / "python"
    module.RUN_STAMP, module.DEV_STAMP = module.VENV / ".ready", module.VENV / ".ready-dev"
    return module


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_S17_a_lock_has_hashes_for_every_package_and_says_not_from_where(lock: Path) -> None:
    """It says what, not from where."""
    found = packages(lock)
    assert len(found) > 40
    for name, entry in found.items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), name
    text = lock.read_text(encoding="utf-8")
    assert not re.search(r"--(extra-)?index|--find-links|://", text)


def test_what_runs_the_bot_is_one_lock_and_what_tests_it_the_other() -> None:
    """The demo waits for no browser, test server or linter; nothing is named twice."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runs, tests = packages(RUN_LOCK), packages(DEV_LOCK)
    groups = project["dependency-groups"]
    assert names(project["project"]["dependencies"]) | names(groups["build"]) <= runs.keys()
    assert names(groups["dev"]) <= tests.keys()
    assert not runs.keys() & tests.keys()
    for extra in project["project"]["optional-dependencies"].values():
        assert names(extra) <= tests.keys()  # tested, and nothing needs it


def test_the_bill_of_materials_names_what_the_lock_installs() -> None:
    """Each package with its version and the hashes of all its files."""
    lock = RUN_LOCK.read_text(encoding="utf-8")
    bought = {}
    for one in bill(lock, version="1.2.3").components:
        hashes = [digest.content for digest in one.hashes]
        bought[one.name] = (one.version, sorted(hashes), str(one.purl))
    for name, entry in packages(RUN_LOCK).items():
        version = entry.partition("==")[2].split()[0]
        hashes = sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
        assert bought.pop(name) == (version, hashes, f"pkg:pypi/{name}@{version}")
    assert not bought


def test_uv_is_fetched_by_the_hashes_of_the_lock(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And by nothing else: its own entry, complete."""
    install.VENV.mkdir()
    called: list[list[str]] = []
    monkeypatch.setattr(install, "_call", called.append)
    install._get_uv()
    wanted = packages(install.VENV / "uv.lock") or (install.VENV / "uv.lock").read_text(
        encoding="utf-8"
    )
    text = (install.VENV / "uv.lock").read_text(encoding="utf-8")
    assert text.count("--hash=") == packages(DEV_LOCK)["uv"].count("--hash=") > 0, wanted
    assert not text.rstrip().endswith("\\")
    assert "--require-hashes" in called[0]


def test_uv_hears_what_pip_was_told(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mirror and a folder of wheels, from pip's file; the environment outweighs the file."""
    settings = tmp_path / "pip.conf"
    settings.write_text(
        "[global]\nindex-url = file:///mirror\nextra-index-url =\n  file:///one\n  file:///two\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_INDEX_URL", "file:///nearer")
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels /more")
    install.PYTHON = Path(sys.executable)
    found = install._pips_settings()
    assert found["UV_DEFAULT_INDEX"] == "file:///nearer"
    assert found["UV_FIND_LINKS"] == "/wheels,/more"
    # other files of pip's on this machine may add to it, but the last word is the named file's
    assert found["UV_INDEX"] == "file:///one file:///two"


@pytest.mark.parametrize("forced", [True, False], ids=["INSTALLER=pip", "uv is not to be had"])
def test_without_uv_pip_installs_the_same(
    install: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    forced: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Both locks by their hashes, then the project itself."""
    called: list[list[str]] = []

    def call(words: list[str], environment: dict[str, str] | None = None) -> None:
        if "uv.lock" in words[-1]:
            raise install.InstallError("no matching distribution")
        called.append(words)

    monkeypatch.setattr(install, "_call", call)
    monkeypatch.setenv("INSTALLER", "pip" if forced else "uv")
    install.VENV.mkdir()
    install._install(LOCKS)
    assert [words[-1] for words in called] == [str(RUN_LOCK), str(DEV_LOCK), str(ROOT)]
    assert all("--require-hashes" in words for words in called[:2])
    assert ("not by uv" in capsys.readouterr().err) is not forced


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("half-made", marks=pytest.mark.slow),
        "python gone",
        pytest.param("a dead link", marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_a_broken_environment_is_made_anew(install: ModuleType, state: str) -> None:
    """Whatever was left there: without a stamp, or with a stamp and no Python that starts."""
    venv: Path = install.VENV
    if state == "a dead link":
        venv.symlink_to(venv.with_name("gone"))
    else:
        (venv / "bin").mkdir(parents=True)
        (venv / "bin" / "python").write_text("no program")
        (venv / "lib" / "left-over").mkdir(parents=True)
        if state == "python gone":
            (venv / "bin" / "python").unlink()
            install.RUN_STAMP.touch()
    install._make_environment()
    assert subprocess.run([install.PYTHON, "-c", "import pip"], check=False).returncode == 0
    assert not (venv / "lib" / "left-over").exists()
    assert not install.RUN_STAMP.exists()


def test_an_installation_that_is_cut_off_leaves_no_stamp(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the one of an earlier installation that ended well."""
    (install.VENV / "bin").mkdir(parents=True)
    install.PYTHON.symlink_to(sys.executable)
    install.RUN_STAMP.touch()
    install.DEV_STAMP.touch()

    def cut(_locks: list[Path]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(install, "_install", cut)
    monkeypatch.setattr(install, "_works", lambda *_words: True)
    monkeypatch.setattr(sys, "argv", ["install.py"])
    with pytest.raises(KeyboardInterrupt):
        install.main()
    assert not install.RUN_STAMP.exists()
    assert not install.DEV_STAMP.exists()


@pytest.mark.parametrize("dev", [False, True])
def test_the_demo_installs_what_runs_the_bot_alone_and_the_tests_the_rest_too(
    install: ModuleType, monkeypatch: pytest.MonkeyPatch, dev: bool
) -> None:
    """The stamps say no more than that."""
    (install.VENV / "bin").mkdir(parents=True)
    install.RUN_STAMP.touch()
    installed: list[list[Path]] = []
    monkeypatch.setattr(install, "_install", installed.append)
    monkeypatch.setattr(install, "_works", lambda *_words: True)
    monkeypatch.setattr(sys, "argv", ["install.py", "--dev"] if dev else ["install.py"])
    install.main()
    assert installed == [LOCKS if dev else [RUN_LOCK]]
    assert (install.RUN_STAMP.exists(), install.DEV_STAMP.exists()) == (True, dev)


def test_make_demo_asks_for_what_runs_the_bot_and_make_test_for_all(tmp_path: Path) -> None:
    """Where nothing is installed yet."""
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    for target, dev in (("demo", False), ("install", False), ("test", True)):
        words = ["make", "--dry-run", target]
        done = subprocess.run(
            words, cwd=tmp_path, capture_output=True, text=True, check=True, env=environment
        )
        (line,) = [line for line in done.stdout.splitlines() if "install.py" in line]
        assert line.endswith("--dev") is dev


def test_make_takes_no_stamp_for_an_environment_whose_python_does_not_start(tmp_path: Path) -> None:
    """The first step of `make demo` would be to install."""
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    bin_folder = tmp_path / ".venv" / "bin"
    bin_folder.mkdir(parents=True)

    def would_install() -> bool:
        for stamp in (".ready", ".ready-dev"):
            (tmp_path / ".venv" / stamp).touch()
        words = ["make", "--dry-run", "demo", "setup"]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("MAKE")
        }
        done = subprocess.run(
            words, cwd=tmp_path, capture_output=True, text=True, check=True, env=environment
        )
        return "install.py" in done.stdout

    (bin_folder / "python").symlink_to(sys.executable)
    assert not would_install()
    (bin_folder / "python").unlink()
    (bin_folder / "python").symlink_to(tmp_path / "gone")
    assert would_install()
