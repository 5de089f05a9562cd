"""The commands of the documents, and the ways in which tests run them.

A command is a line of a block without a language, or what stands between backticks and begins with
a program's name.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from bot.config import load_settings
from bot.emulator import TEST_TOKEN
from tests.conftest import ROOT
from tests.test_cli import jarchy
from tests.test_named_commands import DOCUMENTS, wrong_in

#: Pages whose blocks are one way, to be gone from the first command to the last.
PAGES = ("backing-up.md", "moving.md")
#: Files whose comments say what to do with them.
BESIDE = (".env.example", "compose.yaml", "Dockerfile", "docs/jarchy.service")
#: What begins a command between backticks, if more words follow.
PROGRAMS = frozenset(
    {
        *("cp", "createdb", "createuser", "curl", "docker", "echo", "git", "grep", "jarchy"),
        *("make", "pip", "pipx", "promtool", "psql", "python", "python3", "ssh", "systemctl"),
        *("uv", "uvx"),
    }
)
#: What a line of a block may begin with: `make`, what it makes, and what every system has.
AT_HAND = re.compile(r"(make|cp|echo|git|grep|\.venv/bin/(jarchy|python|pip)) ")
#: What make looks at before it does anything.
INSTALLED = (
    *("pyproject.toml", "requirements.lock", "requirements-dev.lock"),
    *("bench/aiogram/requirements.lock", "bench/reader/requirements.lock"),
    *(".venv/.ready", ".venv/.ready-dev", ".venv/aiogram/.ready", ".venv/reader/.ready"),
)
SETTING = re.compile(r"[A-Z_]+=\S*")
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def words_of(document: str | Path) -> str:
    """The text of a document."""
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(text: str, kind: str = "") -> Iterator[str]:
    """The blocks of a document: those without a language, unless one is named."""
    for match in BLOCK.finditer(text):
        if match[2] == kind:
            yield match[3].replace("\\\n", " ")


def without_comment(line: str) -> str:
    """A line of a block as it is typed, with single blanks."""
    return " ".join(re.sub(r"(^|\s)#.*", "", line).split())


def without_settings(line: str) -> str:
    """A line without the settings before its command."""
    return re.sub(rf"^(?:{SETTING.pattern} )*", "", line)


def of_blocks(text: str) -> list[str]:
    """The commands of a document's blocks, in order: all lines, but settings and what Babel's
    catalogs or a diagram have.
    """
    found: list[str] = []
    for block in blocks(text):
        lines = [without_comment(line) for line in block.splitlines()]
        if not any(_is_command(line) for line in lines):
            continue
        found += filter(None, lines)
    return found


def between_backticks(text: str) -> set[str]:
    """The commands of a document's sentences."""
    spans = re.findall(r"`([^`]+)`", BLOCK.sub("", text))
    return set(filter(_is_command, (" ".join(span.split()) for span in spans)))


def _is_command(line: str) -> bool:
    words = without_settings(line).split(" ")
    return len(words) > 1 and Path(words[0]).name in PROGRAMS


def all_commands() -> set[str]:
    """The commands of all documents and of the files `BESIDE` them, but those of the blocks of
    `PAGES`. `jarchy` in a sentence is `.venv/bin/jarchy` (`docs/running.md`): each verb is here
    once.
    """
    found: set[str] = set()
    for document in (*DOCUMENTS, *BESIDE):
        text = words_of(document)
        found |= between_backticks(text)
        if Path(document).name not in PAGES:
            found.update(of_blocks(text))
    return {re.sub(r"^\.venv/bin/jarchy ", "jarchy ", one) for one in found}


# --- how a command is run -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with what documents take for granted there, publishers and a Telegram."""

    folder: Path
    settings: Mapping[str, str]
    publishers: str  # their address


How = Callable[[Place, str], Awaitable[None]]


def verb(*, says: str = "", stdin: str = "", **instead: str) -> How:
    """A verb of ours, as a process that ends with 0 and says something; `instead` are the words of
    the document that stand for others.
    """

    async def run(place: Place, command: str) -> None:
        echoed, _, line = command.rpartition(" | ")
        typed = shlex.split(echoed)[1] if echoed else stdin
        words = shlex.split(line.replace("https://example.org", place.publishers))
        settings = dict(place.settings)
        while SETTING.fullmatch(words[0]):
            name, _, value = words.pop(0).partition("=")
            settings[name] = instead.get(value, value)
        given = [instead.get(word.strip("<>"), word) for word in words[1:]]
        done = await asyncio.to_thread(
            jarchy, place.folder, *given, stdin=typed.encode(), **settings
        )
        assert done.returncode == 0, done.stderr.decode()
        assert says in done.stdout.decode()

    return run


def make(*recipe: str, parses: bool = False) -> How:
    """A target, as far as make goes: its programs are there, and so are modules, verbs and options
    that it names. `parses` has the last one read its words.
    """

    async def run(place: Place, command: str) -> None:
        lines = recipe_of(command, place.folder)
        for words in recipe:
            assert words in lines
        for name in re.findall(r"\.venv/bin/([\w-]+)", lines):
            assert (Path(sys.executable).parent / name).exists(), name
        for line in re.findall(r"\.venv/bin/(python -m .*)", lines):
            assert not list(wrong_in(shlex.split(line))), line
        if parses:
            _read_by_its_module(lines.splitlines()[-1])

    return run


def recipe_of(command: str, folder: Path) -> str:
    """The lines that make would run in a clone where all is installed."""
    for name in INSTALLED:  # a stamp is newer than what it was made of
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    shutil.copy(ROOT / "Makefile", folder)
    (folder / ".venv" / "bin").mkdir()
    (folder / ".venv" / "bin" / "python").symlink_to("/bin/true")  # which starts
    program, *words = shlex.split(command)
    environment = {"PATH": os.environ["PATH"]}  # the make that runs the tests has its own words
    asked = [program, "--dry-run", *words]
    done = subprocess.run(
        asked, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("\\\n", " ")


async def parsed(_place: Place, command: str) -> None:
    """A module of ours that works for minutes: it reads its words, and that is all."""
    _read_by_its_module(command)


class ReadError(Exception):
    """The end of a module that has read its words."""


def _read_by_its_module(command: str) -> None:
    words = shlex.split(command)
    assert words[:2] == [".venv/bin/python", "-m"]
    read = argparse.ArgumentParser.parse_args

    def end(parser: argparse.ArgumentParser) -> None:
        read(parser)
        raise ReadError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", words[2:])
        patch.setattr(argparse.ArgumentParser, "parse_args", end)
        # a test before may have imported it
        patch.delitem(sys.modules, f"{words[2]}.__main__", raising=False)
        with pytest.raises(ReadError):
            runpy.run_module(words[2], run_name="__main__")


def run_in(folder: Path, line: str) -> None:
    """A line in a shell, which ends with 0."""
    done = subprocess.run(
        ["/bin/sh", "-ec", line], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


async def shell(place: Place, command: str) -> None:
    """A command of the system's, in a folder that has what it names of the project."""
    (place.folder / "bot" / "languages").mkdir(parents=True)
    shutil.copytree(ROOT / "bot/languages/en", place.folder / "bot/languages/en")
    shutil.copy(ROOT / ".env.example", place.folder)
    run_in(place.folder, command)


async def settings_by_hand(place: Place, command: str) -> None:
    """The file of settings that is made by hand: a start takes it, once a token is there."""
    await shell(place, command)
    file = place.folder / ".env"
    file.write_text(file.read_text().replace("BOT_TOKEN=\n", f"BOT_TOKEN={TEST_TOKEN}\n"))
    assert load_settings(file).token == TEST_TOKEN


async def tests_found(_place: Place, command: str) -> None:
    """Tests, which this run runs: the files that are named are there."""
    for word in shlex.split(command)[4:]:
        assert list(ROOT.glob(re.sub(r"<\w+>|…", "*", word))), word


def by(test: str, how: How | None = None) -> How:
    """A command that another test runs; and as far as `how` goes."""

    async def run(place: Place, command: str) -> None:
        file, _, name = test.partition("::")
        assert re.search(rf"def {name}\(", words_of(file)), test
        if how is not None:
            await how(place, command)

    return run


def cannot(why: str, look: Callable[[Sequence[str]], bool] = bool) -> How:
    """A command that is not run, for a reason; `look` says whether what it names is there."""

    async def run(_place: Place, command: str) -> None:
        assert why
        assert look(shlex.split(command)), command

    return run


def is_right(words: Sequence[str]) -> bool:
    """Whether the module of ours is there."""
    return not list(wrong_in(list(words)))


def has_profile(words: Sequence[str]) -> bool:
    """Whether compose.yaml has the profile that is asked for."""
    services = yaml.safe_load(words_of("compose.yaml"))["services"]
    known = {name for one in services.values() for name in one.get("profiles", [])}
    return words[:2] == ["docker", "compose"] and (
        "--profile" not in words or words[words.index("--profile") + 1] in known
    )


def is_of_the_image(words: Sequence[str]) -> bool:
    """Whether image and folder are those of compose.yaml and the Dockerfile."""
    image = yaml.safe_load(words_of("compose.yaml"))["services"]["jarchy"]["image"]
    volumes = [word.partition(":")[2] for word in words if ":/" in word]
    return image in words and all(f"VOLUME {one}\n" in words_of("Dockerfile") for one in volumes)


def is_our_unit(words: Sequence[str]) -> bool:
    """Whether the unit is that of the documents."""
    return (ROOT / "docs" / f"{words[-1]}.service").exists()


def is_our_extra(words: Sequence[str]) -> bool:
    """Whether the package has the extra that is asked for."""
    project = tomllib.loads(words_of("pyproject.toml"))["project"]
    return words[-1].strip(".[]") in project["optional-dependencies"]


def is_our_wheel(words: Sequence[str]) -> bool:
    """Whether `uv build` names the wheel so, and what is started from it is there."""
    project = tomllib.loads(words_of("pyproject.toml"))["project"]
    wheel = f"{project['name']}-{project['version']}-py3-none-any.whl"
    return list(words[:4]) == ["uvx", "--from", wheel, "jarchy"] and is_right(words[3:])
