"""What the address of a proxy says besides where it is: a name and a password, by which one
introduces oneself there.

They may have any letters, and are said in UTF-8: RFC 7617 (http) names no other charset, RFC 1929
(SOCKS) none at all. What is percent-encoded is said as those very bytes, so that a proxy that has
its passwords in another charset can be told them too.
"""

from __future__ import annotations

import base64
from urllib.parse import quote, unquote_to_bytes, urlsplit

SOCKS = frozenset({"socks5", "socks5h"})
HTTP = frozenset({"http", "https"})
#: The form of a proxy's address, to be put after "should be".
PROXY_FORM = (
    "http://host:port, https://host:port or socks5://host:port, user:password@ before it, with "
    "%3A %2F %3F %23 %20 for their : / ? # and spaces"
)
LONGEST_SAID = 255  # bytes of a name or a password that SOCKS has room for: their length is a byte


def introduction(address: str) -> tuple[bytes, bytes]:
    """The name and the password of an address, as they are said to the proxy; empty without."""
    parts = urlsplit(address)
    return unquote_to_bytes(parts.username or ""), unquote_to_bytes(parts.password or "")


def uttered(address: str) -> str:
    """An address whose name and password are written in one way alone, percent-encoded, so that
    whoever reads it says the same; ValueError("what would be right") where they cannot be said.
    """
    parts = urlsplit(address)
    name, password = introduction(address)
    if parts.scheme in HTTP and b":" in name:
        raise ValueError("a proxy's address without a colon in the user's name")
    if parts.scheme in SOCKS and max(len(name), len(password)) > LONGEST_SAID:
        raise ValueError(
            f"a proxy's address with a user and a password of {LONGEST_SAID} bytes at most, which "
            f"is all that SOCKS has room for"
        )
    if password and not name and parts.scheme in SOCKS:
        raise ValueError("a proxy's address with a user before the password, as SOCKS wants it")
    if not name and not password:
        return f"{parts.scheme}://{_place(address)}"
    said = quote(name, safe="")
    if password:
        said += f":{quote(password, safe='')}"
    return f"{parts.scheme}://{said}@{_place(address)}"


def _place(address: str) -> str:
    """The host and port of an address."""
    return urlsplit(address).netloc.rpartition("@")[2]


def secrets_in(address: str) -> tuple[str, ...]:
    """Values of an address that no log may show: the password as it is written, as it is read, and
    as a request's head has it beside the name; the name where it is all there is, for then it is a
    key.
    """
    parts = urlsplit(address)
    name, password = introduction(address)
    said, kept = parts.password or "", password
    if not password:
        said, kept = parts.username or "", name
    if not kept:
        return ()
    basic = base64.b64encode(name + b":" + password).decode()
    return said, kept.decode(errors="replace"), basic
