"""The input of a verb: a file or standard input, which may have no end (`/dev/zero`)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from bot.errors import BotError

MIB = 1024 * 1024
LARGEST_INPUT = 5 * MIB  # bytes of a file or of a line: no more is read of what a source answers
LARGEST_TABLE = 64 * MIB  # bytes of all the rates that are replayed


class TooLargeError(BotError):
    """An error of a file or line with more bytes than a verb reads."""

    def __init__(self, most: int) -> None:
        super().__init__(f"larger than {most // MIB} MiB")


def bytes_of(path: Path, *, most: int = LARGEST_INPUT) -> bytes:
    """A file's bytes; OSError where there is no such file, TooLargeError where there are more."""
    with path.open("rb") as file:
        read = file.read(most + 1)
    if len(read) > most:
        raise TooLargeError(most)
    return read


def lines_of_input() -> Iterator[bytes]:
    """The lines of stdin, as they come; BotError names the line that is too long."""
    number = 0
    while line := sys.stdin.buffer.readline(LARGEST_INPUT + 1):
        number += 1
        if len(line) > LARGEST_INPUT:
            raise BotError(f"line {number} of stdin is {TooLargeError(LARGEST_INPUT)}")
        yield line
