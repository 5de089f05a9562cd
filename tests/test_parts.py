"""Nothing half-registered: what is found by its place or stands in a table has all its parts."""

from __future__ import annotations

import ast
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import handlers
from bot import languages, recurring
from bot.config import Settings
from bot.secret_files import FROM_FILES
from bot.sources import banks, kinds
from bot.sources.catalog import load_catalog
from handlers import COMMANDS, MEMBERSHIP, WORDS
from tests.conftest import ROOT

#: Reached by no table, because it is what looks into one.
TABLES_OWN = {
    "handlers.press",
    # asked by `begin`, `said` and `anything`, which have routes
    "handlers.broadcasts.written",
    "handlers.convert.text",
    "handlers.subscriptions.start",
    "handlers.unknown.unknown",
}
#: Settings that only the settings themselves read: the token has a property, who pays may ask for a
#: higher rate, and a file holds another setting.
OF_THE_SETTINGS = {"bot_token", "paid_broadcast", *(f"{name}_file" for name in FROM_FILES)}


def test_nothing_lacks_a_part() -> None:
    """Banks, kinds of sources, languages, commands, subjects, kinds of alerts, jobs: by name."""
    assert banks.problems() == []
    assert kinds.problems() == []
    assert languages.problems() == []
    assert handlers.problems() == []
    assert recurring.lacking(recurring.JOBS) == []


def test_every_bank_has_a_section_of_the_catalog() -> None:
    """One without would be asked by nobody, and nobody told."""
    assert {spec.parser for spec in load_catalog().rates.values()} == {*banks.SOURCES}


def test_every_handler_has_a_route() -> None:
    """One without would answer nobody."""
    routed = set(TABLES_OWN)
    for route in (*COMMANDS.values(), *WORDS.values(), MEMBERSHIP):
        routed.add(f"{route.handler.__module__}.{route.handler.__name__}")
    unrouted: list[str] = []
    for path in sorted((ROOT / "handlers").glob("*.py")):
        module = "handlers" if path.stem == "__init__" else f"handlers.{path.stem}"
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.AsyncFunctionDef) or node.name.startswith("_"):
                continue
            given = [ast.unparse(one.annotation) for one in node.args.args if one.annotation]
            if given == ["Update", "Context"] and f"{module}.{node.name}" not in routed:
                unrouted.append(f"{module}.{node.name}")
    assert unrouted == []


def test_every_setting_is_read() -> None:
    """One that nobody reads would be a promise of `.env.example` that nobody keeps."""
    read: set[str] = set()
    for room in ("bot", "handlers", "storage"):
        for path in (ROOT / room).rglob("*.py"):
            if path != ROOT / "bot" / "config.py":
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    if isinstance(node, ast.Attribute):
                        read.add(node.attr)
    assert Settings.model_fields.keys() - read - OF_THE_SETTINGS == set()


def test_every_job_of_the_file_stands_in_the_list() -> None:
    """What takes the program there is done again and again, or would never be done."""
    listed: set[str] = set()
    for job in recurring.JOBS:
        listed |= {one.__name__ for one in (job.do, job.due) if one is not None}
    for name, one in vars(recurring).items():
        if inspect.iscoroutinefunction(one) and one.__module__ == recurring.__name__:
            first = next(iter(inspect.signature(one).parameters.values()), None)
            if first is not None and first.annotation == "Running":
                assert name in listed


def test_check_names_what_a_start_would_refuse(tmp_path: Path) -> None:
    """The verb an operator asks first is not content with what will not run."""
    for name in ("bot", "handlers", "storage"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    texts = tmp_path / "bot" / "languages" / "en" / "jarchy.po"
    told = texts.read_text(encoding="utf-8").replace('msgid "command.status"', 'msgid "command.x"')
    texts.write_text(told, encoding="utf-8")
    asked = subprocess.run(
        [sys.executable, "-m", "bot", "check"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin", "BOT_TOKEN": ""},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert asked.returncode == 78
    assert "command /status: the texts lack command.status" in asked.stderr
