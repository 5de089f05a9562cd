"""Ports for what is told its own before it listens."""

from __future__ import annotations

import itertools
import os
import socket

from tests.side_by_side import NUMBER

#: Below the ports that the system gives to connections: nobody takes one before it is listened on.
FIRST, EACH = 20_000, 500
_next = itertools.count()


def free_port() -> int:
    """A port on which nobody listens; each process of a run looks in a stretch of its own."""
    worker = int(os.environ.get(NUMBER, "0"))
    while True:
        port = FIRST + EACH * (worker % 20) + next(_next) % EACH
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
