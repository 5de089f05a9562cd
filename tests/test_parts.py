"""Nothing half-registered: what is found by its place or stands in a table has all its parts."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import handlers
from bot import languages, recurring
from bot.config import Settings
from bot.secret_files import FROM_FILES
from bot.sources import banks, kinds
from bot.sources.catalog import load_catalog
from handlers import BUTTONS, COMMANDS, MEMBERSHIP, WORDS, With
from tests.conftest import ROOT
from tests.forkserver import copied

#: Reached by no table, because it is what looks into one.
TABLES_OWN = {
    "handlers.press",
    # asked by `begin`, `said` and `anything`, which have routes
    "handlers.broadcasts.written",
    "handlers.convert.text",
    "handlers.subscriptions.start",
    "handlers.unknown.unknown",
    # called by commands that have routes, and are no button's
    "handlers.channels.ask",
    "handlers.rules.opened",
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
    unrouted = [
        name
        for name, given, _ in _handlers()
        if given == ["Update", "Context"] and name not in routed
    ]
    assert unrouted == []


def _handlers() -> Iterator[tuple[str, list[str], str]]:
    """Each public coroutine function of `handlers`, the types of what it takes and gives."""
    for path in sorted((ROOT / "handlers").glob("*.py")):
        module = "handlers" if path.stem == "__init__" else f"handlers.{path.stem}"
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
                given = [ast.unparse(one.annotation) for one in node.args.args if one.annotation]
                yield (
                    f"{module}.{node.name}",
                    given,
                    ast.unparse(node.returns or ast.Constant(None)),
                )


def test_every_buttons_handler_has_a_line() -> None:
    """One without would answer no press: every public `(Context, str, …) -> None` is a button's."""
    routed = set(TABLES_OWN)
    for route in BUTTONS.values():
        pressed = route.handler.pressed if isinstance(route.handler, With) else route.handler
        routed.add(f"{pressed.__module__}.{pressed.__name__}")
    unrouted: list[str] = []
    for name, given, gives in _handlers():
        if _is_press(given) and gives == "None" and name not in routed:
            unrouted.append(name)
    assert unrouted == []


def _is_press(given: list[str]) -> bool:
    """Whether these are the parameters of what a button does."""
    return given[:1] == ["Context"] and all(one == "str" for one in given[1:])


def test_every_button_that_is_shown_has_a_line() -> None:
    """Whoever pressed another would be told that it is out of date."""
    lost: list[str] = []
    for path in (*ROOT.glob("handlers/*.py"), *ROOT.glob("bot/render/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Button":
                data = _data_of(node)
                verb, colons = data.partition(":")[0], data.count(":")
                if verb.isidentifier() and (verb, colons) not in BUTTONS:
                    lost.append(f"{path.name}:{node.lineno}: {data}")
    assert lost == []


def _data_of(button: ast.Call) -> str:
    """What a button sends, `{}` for what is filled in; "" of what is made elsewhere or sends
    nothing.
    """
    named = {one.arg: one.value for one in button.keywords}
    data = named.get("data", button.args[1] if len(button.args) > 1 else None)
    if isinstance(data, ast.JoinedStr):
        parts = [one.value if isinstance(one, ast.Constant) else "{}" for one in data.values]
        return "".join(map(str, parts))
    return str(data.value) if isinstance(data, ast.Constant) else ""


def test_a_line_with_another_number_of_words_is_told_by_its_button() -> None:
    """Else the first press would fail."""
    wrong = {
        ("why", 2): BUTTONS["why", 1],
        ("cur", 0): BUTTONS["cur", 1],
        ("news", 2): BUTTONS["news", 2],
    }
    assert handlers.misfitting(wrong) == [
        "button why with 2 words: why takes another number",
        "button cur with 0 words: toggle takes another number",
    ]


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
        copied(ROOT / name, tmp_path / name)
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
