"""Files found by their place: which they are, and what is said of one that Python cannot read."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

import bot
from bot import found
from bot.found import BrokenModule, mistake_of, modules_of

#: Files of a program, beside the one that is read: what it may import.
OTHERS = {
    "bot/parts/__init__.py": "",
    "bot/parts/_checks.py": "def check():\n    raise ValueError('no')\n",
    "bot/parts/_broken.py": "\n\nsome = thing\n",
    "lib/libraries.py": "\n\n\nother = thing\n",
    "lib/unreadable.py": "x = (\n",
}
#: What `json` says of a comma too many.
NO_VALUE = "Expecting value: line 1 column 4 (char 3)"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the package `bot.parts`, in a program of its own with a library beside it."""
    before = set(sys.modules)
    monkeypatch.setattr(found, "PROGRAM", tmp_path)
    monkeypatch.setattr(bot, "__path__", [*bot.__path__, str(tmp_path / "bot")])
    monkeypatch.syspath_prepend(tmp_path / "lib")
    for name, text in OTHERS.items():
        written(tmp_path, name, text)
    yield tmp_path / "bot" / "parts"
    for name in set(sys.modules) - before:
        if name.startswith("bot.parts") or f"lib/{name}.py" in OTHERS:
            del sys.modules[name]
    vars(bot).pop("parts", None)
    found.problem_of_module.cache_clear()


def written(program: Path, name: str, text: str) -> None:
    """A file that Python finds from now on."""
    path = program / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    importlib.invalidate_caches()


def test_files_are_found_by_their_names_in_order(folder: Path) -> None:
    """But those that begin with _, those that are left out, and what is no Python."""
    for name in ("second", "first", "kind", "_own"):
        written(folder, f"{name}.py", f"NAME = {name!r}")
    written(folder, "words.txt", "no Python")
    modules = modules_of("bot.parts", folder, but={"kind"})
    assert list(modules) == ["first", "second"]
    assert [vars(module)["NAME"] for module in modules.values()] == ["first", "second"]


def test_a_folder_in_the_place_of_a_file_is_told(folder: Path) -> None:
    """It was passed over in silence."""
    written(folder, "whole/__init__.py", "")
    written(folder, "_own/__init__.py", "")
    modules = modules_of("bot.parts", folder)
    assert modules == {"whole": BrokenModule(" should be a file, and is a folder")}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("\nx = )\n", ", line 2: SyntaxError: unmatched ')'"),
        ("\nx = y\n", ", line 2: NameError: name 'y' is not defined"),
        ("\nraise SystemExit('over')\n", ", line 2: SystemExit: over"),
        # in a function of its own the line that does not fit is there
        ("def f():\n    x = y\nf()\n", ", line 2: NameError: name 'y' is not defined"),
        # what it calls elsewhere was given what does not fit
        ("from bot.parts._checks import check\ncheck()\n", ", line 2: ValueError: no"),
        ("import json\n\njson.loads('[1,]')\n", ", line 3: JSONDecodeError: " + NO_VALUE),
        ("import libraries\n", ", line 1: NameError: name 'thing' is not defined"),
        ("import unreadable\n", ", line 1: SyntaxError: '(' was never closed"),
        ("\nexec('x = )')\n", ", line 2: SyntaxError: unmatched ')'"),
        # what it imports of the program is wrong itself
        (
            "from bot.parts import _broken\n",
            ": bot/parts/_broken.py, line 3: NameError: name 'thing' is not defined",
        ),
        # nobody knows the line
        ("x = 1\0\n", ": SyntaxError: source code string cannot contain null bytes"),
        ("# coding: nope\n", ": SyntaxError: unknown encoding: nope"),
    ],
    ids=[
        *("a bracket", "a name", "an exit", "a function", "another's function", "a library"),
        *("a library's mistake", "a library's bracket", "a text run", "an import", "no text"),
        "no encoding",
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(folder: Path, text: str, wrong: str) -> None:
    """The others are found all the same, and what is wrong is told each time anybody looks."""
    written(folder, "good.py", "")
    written(folder, "bad.py", text)
    for _ in range(2):
        modules = modules_of("bot.parts", folder)
        assert list(modules) == ["bad", "good"]
        bad = modules["bad"]
        assert isinstance(bad, BrokenModule)
        assert bad.wrong == wrong
        assert not isinstance(modules["good"], BrokenModule)


def test_an_end_that_somebody_asks_for_is_no_mistake_of_a_file(folder: Path) -> None:
    """Ctrl-C while files are read."""
    written(folder, "slow.py", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        modules_of("bot.parts", folder)


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("JOBS = (\n    int(x=1),\n)\n", "bot/parts/table.py, line 2", "int(x=1)"),
        ("JOBS = (\n    int(x=1 2),\n)\n", "bot/parts/table.py, line 2", "int(x=1 2),"),
        ("JOBS = 1\0", "bot/parts/table.py", ""),
    ],
    ids=["a part", "no Python", "no text"],
)
def test_the_line_of_a_table_is_shown(folder: Path, text: str, place: str, code: str) -> None:
    """As it stands there; a part without the comma behind it."""
    written(folder, "table.py", text)
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever it is, it is told
        importlib.import_module("bot.parts.table")
    mistake = mistake_of(raised.value)
    assert (mistake.where, mistake.code) == (place, code)


def test_of_a_file_that_is_gone_meanwhile_no_line_is_shown(folder: Path) -> None:
    """An update of the program removes files while a start reads them."""
    with pytest.raises(NameError) as raised:
        exec(compile("\nx = y", folder / "gone.py", "exec"))  # noqa: S102 - as an import does
    mistake = mistake_of(raised.value)
    assert (mistake.where, mistake.code) == ("bot/parts/gone.py, line 2", "")


def test_of_a_mistake_in_no_file_of_the_program_its_words_are_known() -> None:
    with pytest.raises(ModuleNotFoundError) as raised:
        importlib.import_module("bot.nowhere")
    assert mistake_of(raised.value) == ("", None, "", f"ModuleNotFoundError: {raised.value}")
    nameless = SyntaxError("a zero byte")
    assert mistake_of(nameless) == ("", None, "", "SyntaxError: a zero byte")


class Model:
    """A model for others: parts of it may be left out."""

    own: ClassVar[bool] = False
    named: ClassVar[str]

    def replies_to(self) -> int | None:
        """None of what replies to nothing."""


class Between(Model):
    """A misspelt part is inherited, too."""

    reply_to = 1
    _replies_to = 2


@dataclass
class Made(Between):
    """A field is its own, however near it is; so is what is not near."""

    named = "as it should be"
    owns: int = 0
    rather_other: ClassVar[int] = 3
    nmaed: ClassVar[str] = "left out"


def test_misspelt_parts_are_told_with_those_that_were_meant() -> None:
    assert list(found.misspelt(Made, Model)) == [
        "nmaed; did you mean named?",
        "reply_to; did you mean replies_to?",
    ]
    assert list(found.misspelt(Model, Model)) == []
