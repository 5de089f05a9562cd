"""PostgreSQL's own programs, `pg_dump`, `pg_restore` and `psql`: which ones fit, and how they run.

They refuse a server newer than they are. Several versions may be installed, and the one on PATH be
too old: Debian keeps each in a folder of its own. They are told of the server by the environment,
because everybody on the machine can read the words of a command.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from psycopg import conninfo, pq
from sqlalchemy import URL

from bot.errors import BotError
from bot.reasons import reason
from storage.address import SET_BY_US

PROGRAMS = ("pg_dump", "pg_restore", "psql")
#: Where Debian and Ubuntu put the programs of each version.
INSTALLED = "/usr/lib/postgresql/*/bin"
STOP_LOOK = 0.2  # seconds between looks whether to go on
#: What a program of PostgreSQL is told of our own environment: no token, no password but its own.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """A folder that holds all of PROGRAMS, and which PostgreSQL they are of."""

    folder: Path
    major: int

    def path(self, program: str) -> str:
        """The path of one of PROGRAMS."""
        return str(self.folder / program)


def fitting(major: int, installed: str = INSTALLED) -> Tools:
    """The programs for a server of this version: its own if they are here, else newer ones.

    BotError with the remedy where there are none.
    """
    found = _found(installed)
    fit = [one for one in found if one.major >= major]
    if fit:
        return min(fit, key=lambda one: one.major)
    here = "–"
    if found:
        here = str(max(one.major for one in found))
    raise BotError(
        reason(
            "copy.no_tools",
            "this needs pg_dump, pg_restore and psql of PostgreSQL {major} or newer, on PATH or in "
            "{installed} (here: {here}): install the package postgresql-client-{major}",
            major=str(major),
            installed=installed,
            here=here,
        )
    )


def _found(installed: str) -> list[Tools]:
    """Every folder with all of PROGRAMS, those on PATH first."""
    folders = [Path(one) for one in os.get_exec_path() if one]
    pattern = Path(installed)
    folders += sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
    found: list[Tools] = []
    # each once: PATH may name a folder twice, and asking a program its version starts it
    for folder in dict.fromkeys(folders):
        if all(shutil.which(program, path=str(folder)) for program in PROGRAMS):
            major = _major(folder / PROGRAMS[0])
            if major is not None:
                found.append(Tools(folder=folder, major=major))
    return found


def _major(program: Path) -> int | None:
    """The version that a program says of itself; None when it says none."""
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=False, env=_passed_on()
        )
    except OSError:
        return None
    said = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    if said is None:
        return None
    return int(said[1])


def _passed_on() -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def connection_options(url: URL) -> dict[str, str]:
    """The options of an address by PostgreSQL's own names, without those that a store sets."""
    _, options = url.get_dialect()().create_connect_args(url)
    told: dict[str, str] = {}
    for name, value in options.items():
        if name not in SET_BY_US:
            told[name] = str(value)
    return told


def environment(url: URL) -> tuple[dict[str, str], list[str]]:
    """The environment that tells a program of its server, and the words for what has no variable.

    What the driver takes from our own environment where the address says nothing (PGPASSWORD) is
    passed on, or the verb would reach a server that its programs do not.

    BotError for a key's password: it would have to stand among the words.
    """
    variables: dict[str, str] = {}
    for option in pq.Conninfo.get_defaults():
        if option.envvar is not None:
            variables[option.keyword.decode()] = option.envvar.decode()
    told, rest = _passed_on(), {}
    for name in variables.values():
        if name in os.environ:
            told[name] = os.environ[name]
    for name, value in {**connection_options(url), "application_name": "jarchy backup"}.items():
        if name in variables:
            told[variables[name]] = value
        else:
            rest[name] = value
    if "sslpassword" in rest:
        raise BotError(
            reason(
                "copy.sslpassword",
                "DATABASE_URL: pg_dump can be told no sslpassword: use a key without one",
            )
        )
    words: list[str] = []
    if rest:
        words = ["--dbname", conninfo.make_conninfo("", **rest)]
    return told, words


def run(
    command: Sequence[str],
    *,
    env: dict[str, str],
    stop: Callable[[], bool],
    look: Callable[[], None],
) -> None:
    """Run a program to its end. BotError in its own words when it fails, or when `stop` ended it.

    `look` is called while it runs.
    """
    with subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            said = _end_of(process, stop, look)
        except BaseException:
            # also when we are interrupted: a program that goes on would fill the disk for nobody
            process.kill()
            raise
        if process.returncode:
            raise BotError(in_words(said))


def _end_of(
    process: subprocess.Popen[bytes], stop: Callable[[], bool], look: Callable[[], None]
) -> bytes:
    """The errors that a program wrote until it ended; BotError when it is to `stop` before."""
    while True:
        look()
        if stop():
            raise BotError(reason("copy.interrupted", "interrupted"))
        with suppress(subprocess.TimeoutExpired):
            # not `wait`: a pipe that nobody reads gets full, and the program stops
            return process.communicate(timeout=STOP_LOOK)[1]


def in_words(said: bytes) -> str:
    """The first error that a program of PostgreSQL told, as a line; else the last line."""
    lines = said.decode(errors="replace").strip().splitlines()
    for line in lines:
        _, error, words = line.partition("error: ")
        if error:
            return words.strip()
        # the server's own form, with two spaces, as psql repeats it
        _, error, words = line.partition("ERROR:  ")
        if error:
            return words.strip()
    return lines[-1] if lines else "it failed without a word"
