"""Sockets whose other end may vanish without a word, as behind a router that forgot about it."""

from __future__ import annotations

import socket
from typing import Any

#: Seconds after which what nobody at the other end confirms is broken off. By itself Linux waits
#: for a quarter of an hour, and asks a connection on which nothing is sent after two hours.
SILENCE = 10
_ASK_AFTER = 5  # seconds on which nothing was sent or heard
# macOS has no TCP_USER_TIMEOUT, and calls TCP_KEEPIDLE otherwise
_OPTIONS = (("TCP_USER_TIMEOUT", SILENCE * 1000), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 2))
_IDLE = ("TCP_KEEPIDLE", "TCP_KEEPALIVE")


def attentive(address: tuple[Any, ...]) -> socket.socket:
    """A TCP socket to an address as `getaddrinfo` gives it, not yet connected.

    When its way is dead, whoever waits on it hears of it within about `SILENCE` seconds; an end
    that confirms but does not answer is waited for as long as they like.
    """
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    idle = next(name for name in _IDLE if hasattr(socket, name))
    for name, value in ((idle, _ASK_AFTER), *_OPTIONS):
        if hasattr(socket, name):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return made
