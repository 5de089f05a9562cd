"""The commands that documents name exist, each with the options it is given there."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from bot.cli import cli
from tests.conftest import ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md", *sorted((ROOT / "docs").glob("*.md")))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
OURS = re.compile(r"bot|bench|tests")  # packages whose modules a document may run


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command that a document has in its blocks or between backticks."""
    text = text.replace("\\\n", " ")
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for line in lines:
        for one in re.split(r"&&|;", line):
            try:
                words = shlex.split(one, comments=True)
            except ValueError:  # a quotation mark of something else
                continue
            while words and re.match(r"[A-Z_]+=", words[0]):  # a setting
                words.pop(0)
            if words:
                yield words


def wrong_in(words: list[str]) -> Iterator[str]:
    """What a command names that there is not; nothing of another program's."""
    program, *rest = words
    name = Path(program).name
    if name == "make":
        yield from _wrong_for_make(rest)
    elif name == "jarchy" or (name.startswith("python") and rest[:2] == ["-m", "bot"]):
        yield from _wrong_for_a_verb(rest if name == "jarchy" else rest[2:])
    elif name.startswith("python") and rest[:1] == ["-m"] and OURS.match(rest[1]):
        yield from _wrong_for_a_module(*rest[1:])


def _wrong_for_make(words: list[str]) -> Iterator[str]:
    """Targets and variables; what ARGS passes on is for the target's program."""
    arguments = ""
    recipes = ""
    for word in words:
        variable, equals, value = word.partition("=")
        if equals:
            if f"$({variable})" not in MAKEFILE and f"{variable} ?=" not in MAKEFILE:
                yield f"the variable {variable}"
            arguments += value if variable == "ARGS" else ""
        elif (recipe := re.search(rf"^{word}:.*\n((?:\t.*\n)*)", MAKEFILE, re.MULTILINE)) is None:
            yield f"the target {word}"
        else:
            recipes += recipe[1]
    for passed_on in re.findall(r"python (-m .*)\$\(ARGS\)", recipes):
        yield from wrong_in(["python", *shlex.split(f"{passed_on} {arguments}")])


def _wrong_for_a_verb(words: list[str]) -> Iterator[str]:
    """Verbs, and their options; one in capitals or angles stands for any."""
    command: TyperCommand | TyperGroup = verbs()
    for word in words:
        if isinstance(command, TyperGroup):
            if word.isupper() or word.startswith("<") or word == "--help":
                return
            if word not in command.commands:
                yield f"the verb {word}"
                return
            command = command.commands[word]
        elif word == "--":
            return
        elif word.startswith("-"):
            known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
            if word.partition("=")[0] not in known | {"--help", "-"}:
                yield f"the option {word}"


@functools.cache
def verbs() -> TyperCommand | TyperGroup:
    """All verbs, which take a moment to put together."""
    return typer.main.get_command(cli)


def _wrong_for_a_module(module: str, *words: str) -> Iterator[str]:
    """Modules, and the options that their own files spell out."""
    path = ROOT / module.replace(".", "/")
    files = [path.with_suffix(".py"), *path.glob("*.py")]
    source = "".join(one.read_text(encoding="utf-8") for one in files if one.exists())
    if not source:
        yield f"the module {module}"
    for word in words:
        option = word.partition("=")[0]
        if option.startswith("--") and f'"{option}"' not in source:
            yield f"the option {option}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: Path(one).name)
def test_every_command_that_a_document_names_exists(document: str | Path) -> None:
    """Run they are where that is cheap: `test_operator_documents.py`."""
    text = (ROOT / document).read_text(encoding="utf-8")
    wrong = [(" ".join(words), list(wrong_in(words))) for words in commands(text)]
    assert not [told for told in wrong if told[1]]


def test_a_command_that_is_not_there_is_told() -> None:
    """Of each program of ours: so the test above can fail."""
    text = """
```
make nothing ARGS="--x"          # a target
X=1 .venv/bin/jarchy db mend     # a verb
make bench ARGS="--none 1"
python -m bench.nothing
```
`jarchy check --all`, and `python -m bench.soak --none`, but `jarchy VERB` and `ls --none`.
"""
    told = [wrong for words in commands(text) for wrong in wrong_in(words)]
    assert told == [
        "the target nothing",
        "the verb mend",
        "the option --none",
        "the module bench.nothing",
        "the option --all",
        "the option --none",
    ]
