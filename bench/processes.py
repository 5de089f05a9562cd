"""The measurements' programs of ours: each with an interpreter of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

#: An environment without what is said to the interpreter, or is nobody's business.
PLAIN = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


class Started(Protocol):
    """A program that runs."""

    stderr: asyncio.StreamReader | None

    @property
    def returncode(self) -> int | None:
        """The exit status; None while it runs."""
        ...

    async def wait(self) -> int:
        """The exit code."""
        ...

    def send_signal(self, number: signal.Signals, /) -> None:
        """Send it a signal."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


#: `module, *words, cwd=, env=, stderr=`: the tests have a quicker way.
Start = Callable[..., Awaitable[Started]]


async def spawned(
    module: str, *words: str, cwd: Path, env: Mapping[str, str], stderr: int = DEVNULL
) -> Started:
    """`python -m module words…`."""
    command = (sys.executable, "-m", module, *words)
    return await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env=dict(env), stdout=DEVNULL, stderr=stderr
    )
