"""The locked packages into `.venv`: by uv in seconds, by pip where uv is not to be had.

    python3 install.py           what runs the bot: requirements.lock
    python3 install.py --dev     and what tests and checks it: requirements-dev.lock
    INSTALLER=pip python3 install.py …        without uv

Standard library only, because nothing is installed yet. Every package is named
by the lock with its hashes and installed without looking for dependencies: the
lock is complete, and a resolver would reach for releases that it does not allow.

uv does not read pip's settings. A machine that reaches its packages by a mirror
or a folder of wheels has told pip so; uv is told the same in its environment.

`.venv/.ready` and `.venv/.ready-dev` say that an installation came to its end.
They are taken away before anything is changed: an environment without them was
left half-made, and is made anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RUN_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
RUN_STAMP = VENV / ".ready"
DEV_STAMP = VENV / ".ready-dev"
OLDEST_PYTHON = (3, 11)

#: pip's settings and the variables by which uv takes the same; pip separates several values by
#: spaces or lines.
UV_VARIABLES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
}


class InstallError(Exception):
    """A step that did not succeed, with what its program said last."""


def main() -> None:
    """Install what is asked for; exit 1 with one line when it cannot be done."""
    if sys.version_info < OLDEST_PYTHON:
        have = ".".join(map(str, sys.version_info[:3]))
        sys.exit(
            f"Jarchy needs Python 3.11 or newer, this is {have}: make PYTHON=/path/to/python3.11 …"
        )
    dev = "--dev" in sys.argv[1:]
    locks = [RUN_LOCK, DEV_LOCK] if dev else [RUN_LOCK]
    _say("installing the locked packages …")
    try:
        _make_environment()
        for stamp in (RUN_STAMP, DEV_STAMP):
            stamp.unlink(missing_ok=True)
        _install(locks)
    except InstallError as error:
        sys.exit(f"the locked packages could not be installed: {error}")
    for stamp in (RUN_STAMP, DEV_STAMP) if dev else (RUN_STAMP,):
        stamp.touch()


def _make_environment() -> None:
    """An environment that works: the one that is there when its last installation ended well, else
    a new one.
    """
    if RUN_STAMP.exists() and _works(PYTHON, "import pip"):
        return
    if VENV.is_symlink() or VENV.is_file():  # `venv --clear` empties folders alone
        VENV.unlink()
    _call([sys.executable, "-m", "venv", "--clear", str(VENV)])


def _works(python: Path, statement: str) -> bool:
    try:
        done = subprocess.run([python, "-c", statement], capture_output=True, check=False)  # noqa: S603 - our own words
    except OSError:
        return False
    return done.returncode == 0


def _install(locks: list[Path]) -> None:
    """The locks, then the project itself, by uv or else by pip."""
    if os.environ.get("INSTALLER", "uv") != "pip":
        try:
            _get_uv()
            _install_by_uv(locks)
        except InstallError as error:
            _say(f"not by uv ({error}): by pip, which takes a minute or more …")
        else:
            return
    pip = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ]
    for lock in locks:
        _call([*pip, "--require-hashes", "-r", str(lock)])
    _call([*pip, "--no-build-isolation", "-e", str(ROOT)])


def _get_uv() -> None:
    """uv's own wheel, by pip and by the hashes that the lock has for it."""
    lines = DEV_LOCK.read_text(encoding="utf-8").splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("uv==")]
    if not starts:
        raise InstallError(f"{DEV_LOCK.name} does not name uv")
    entry = [lines[starts[0]]]
    for line in lines[starts[0] + 1 :]:
        if not line.lstrip().startswith("--hash="):
            break
        entry.append(line)
    wanted = VENV / "uv.lock"
    wanted.write_text("\n".join(entry).rstrip("\\ ") + "\n", encoding="utf-8")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _call([*pip, "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(wanted)])


def _install_by_uv(locks: list[Path]) -> None:
    environment = {**_pips_settings(), **os.environ}
    uv = [
        str(VENV / "bin" / "uv"),
        "pip",
        "install",
        "--quiet",
        "--python",
        str(PYTHON),
        "--no-deps",
    ]
    # with several indexes pip takes a package from any of them, and the hashes say which file is
    # meant
    uv += ["--index-strategy", "unsafe-best-match"]
    files = [word for lock in locks for word in ("-r", str(lock))]
    _call([*uv, "--require-hashes", *files], environment)
    _call([*uv, "--no-build-isolation", "-e", str(ROOT)], environment)


def _pips_settings() -> dict[str, str]:
    """What pip was told by its files and its environment, in uv's variables."""
    words = [str(PYTHON), "-m", "pip", "config", "list"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    found: dict[str, str] = {}
    # a line such as `:env:.find-links='/opt/wheels'`; what the environment says outweighs the
    # files, so it is read last
    for line in sorted(done.stdout.splitlines(), key=lambda line: line.startswith(":env:")):
        match = re.fullmatch(r"[^.]*\.([\w-]+)='(.*)'", line)
        if match is None or match[1] not in UV_VARIABLES:
            continue
        variable, separator = UV_VARIABLES[match[1]]
        values = match[2].replace("\\n", " ").split()
        if values:
            found[variable] = separator.join(values)
    return found


def _call(words: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a program; InstallError with its error line, else the last one it said, when it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            words, env=environment, stderr=subprocess.PIPE, text=True, check=False
        )
    except OSError as error:
        raise InstallError(f"{words[0]}: {error.strerror}") from None
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in said if line.lower().startswith("error")]
        words_for_it = [
            *errors[:1],
            *said[-1:],
            f"{Path(words[0]).name} ended with {done.returncode}",
        ]
        raise InstallError(words_for_it[0])


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
