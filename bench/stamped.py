"""The bot with a note of when each message leaves it: `python -m bench.stamped FILE run`.

A Telegram of ours beside it may be late to look: on a busy machine it finds in one second what left
in two. So whoever counts the messages of a second counts them by the clock of the sender.

Each line of the file is a time (CLOCK_MONOTONIC, the same for all processes), a chat and the words
of a message, as JSON. A line is one write, so several programs may share a file, and none is lost
with a program that is killed.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

import orjson

from bot.__main__ import main as run_bot
from bot.telegram import line


class Left(NamedTuple):
    """A message that left: when, for which chat, and what it says."""

    at: float
    chat: int
    text: str


def note_in(file: Path) -> None:
    """From now on write down each message of this process as it leaves."""
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    exchange = line.Line.exchange

    async def noting(self: line.Line, method: str, body: bytes) -> tuple[int, bytes]:
        # as Telegram counts: "is typing" is no message, a changed one is
        if method.startswith(("send", "edit")) and method != "sendChatAction":
            said = orjson.loads(body)
            left = Left(time.monotonic(), int(said["chat_id"]), said.get("text", ""))
            os.write(number, orjson.dumps(left._asdict()) + b"\n")
        return await exchange(self, method, body)

    line.Line.exchange = noting  # type: ignore[method-assign]


def noted(file: Path) -> list[Left]:
    """The messages that programs noted there, in the order in which they left."""
    lines = file.read_bytes().splitlines()
    return sorted(Left(**orjson.loads(written)) for written in lines)


if __name__ == "__main__":
    note_in(Path(sys.argv.pop(1)))
    run_bot()
