"""The file of settings, `.env`, before anything in it is believed: whether it is one, and whose."""

from __future__ import annotations

import logging
import stat
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

MISTYPED = 0.85  # how alike names are (0 to 1) of which one is the other with a slip


def unreadable(path: Path) -> list[str]:
    """The reason that the file cannot be read; none when it can, or is not there."""
    try:
        path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return []
    except UnicodeDecodeError as error:
        return [f"{path}: not UTF-8 text (byte {error.start + 1})"]
    except IsADirectoryError:
        return [f"{path}: a folder, and should be a file of settings"]
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no file has such a name"
        return [f"{path}: cannot be read: {why}"]
    return []


def readable(path: Path) -> Path | None:
    """The file; None where it cannot be read, and the environment alone is looked at."""
    if unreadable(path):
        return None
    return path


def problems(path: Path, settings: Collection[str]) -> list[str]:
    """The faults of the file as a file, a sentence each; none when it is not there.

    `settings` are the names that mean something here, in capitals.
    """
    found = unreadable(path)
    if not found:
        found += _lines_of_nothing(path)
        found += _mistyped(path, settings)
    if (can := _others_can(path)) is not None:
        found.append(f"{path}: others can {can}; run: chmod 600 {path}")
    return found


def _lines_of_nothing(path: Path) -> Iterator[str]:
    """The lines that set nothing, by their numbers: they may hold a secret, and are not repeated.

    The library that reads the file leaves them out.
    """
    logging.getLogger("dotenv").setLevel(logging.ERROR)  # it warns of each, in other words
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return
    for one in parse_stream(StringIO(text)):
        if one.error or (one.key is not None and one.value is None):
            written = one.original.string
            # the library counts from the empty lines before it
            before = written[: len(written) - len(written.lstrip())]
            line = one.original.line + before.count("\n")
            yield f"{path}: line {line} sets nothing; it should be NAME=value, quotes closed"


def _mistyped(path: Path, settings: Collection[str]) -> Iterator[str]:
    """The names that are nearly a setting's; what else stands in the file is another program's."""
    if not path.is_file():
        return
    for one in parse_stream(StringIO(path.read_text(encoding="utf-8-sig"))):
        if one.key is None or one.key.upper() in settings:
            continue
        for meant in get_close_matches(one.key.upper(), settings, n=1, cutoff=MISTYPED):
            yield f"{path}: {one.key}: no such setting; did you mean {meant}?"


def _others_can(path: Path) -> str | None:
    """What everybody on the machine can do with the file; None where nothing, or there is none.

    Who can write there needs not read: a Bot API server of their own would be told the token.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.is_file() else 0
    except (OSError, ValueError):  # a name that no file can have
        return None
    if mode & stat.S_IROTH:
        return "read your token"
    if mode & stat.S_IWOTH:
        return "change it, and have your token sent to them"
    return None
