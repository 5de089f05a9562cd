"""Sockets whose other end may vanish without a word, as behind a router that forgot about it, and
addresses to listen at.
"""

from __future__ import annotations

import errno
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


def host_and_port(listen: str) -> tuple[str, int]:
    """The host and the port of an address to listen at, such as 127.0.0.1:8080."""
    host, _, port = listen.rpartition(":")
    # no host is loopback: ":8080" must not mean the whole world by mistake
    return host.strip("[]") or "127.0.0.1", int(port)


def refusal(listen: str) -> OSError | None:
    """The error of whoever would listen at an address now; None where it is free.

    Nobody listens meanwhile, so that neither a start nor another one who asks finds it taken.
    """
    try:
        ways = socket.getaddrinfo(*host_and_port(listen), type=socket.SOCK_STREAM)
        lacks = [_lack(way) for way in ways]
    except OSError as error:
        return error
    return None if None in lacks else lacks[-1]


def _lack(way: tuple[Any, ...]) -> OSError | None:
    """The error where this kernel has no such sockets, IPv6's for one: servers leave those out.

    OSError where it has, and the address cannot be had.
    """
    family, kind, protocol, _, address = way
    try:
        one = socket.socket(family, kind, protocol)
    except OSError as error:
        return error
    with one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
    return None


def unheard(listen: str, error: OSError) -> str:
    """The words for an address that cannot be listened at, with the remedy where it is taken."""
    why = f"{error.strerror}"
    if is_taken(error):
        why = "another program has this port: name a free one, or end that program"
    return f"cannot listen on {listen}: {why}"


def is_taken(error: OSError) -> bool:
    """Whether somebody listens at the address already."""
    return error.errno == errno.EADDRINUSE
