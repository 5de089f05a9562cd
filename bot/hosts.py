"""By what name a page without a password may be asked for.

Any page in somebody's browser may let its own name lead to 127.0.0.1 a moment later, and then read
whatever answers there as if that were itself (DNS rebinding). It cannot choose what the browser
says in `Host`: that stays its name.
"""

from __future__ import annotations

import ipaddress

from yarl import URL


def names_no_stranger(host: str | None) -> bool:
    """Whether a request's `Host` can be no name that leads where its owner likes.

    So are an address and `localhost`; without a `Host` it is no browser's request.
    """
    if host is None:
        return True
    try:
        name = URL(f"http://{host}").host or ""
    except ValueError:
        return False
    return name == "localhost" or name.endswith(".localhost") or _is_address(name)


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's, and reached from nowhere else."""
    found = ipaddress.ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
