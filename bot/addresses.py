"""Addresses of the outside world, judged as text and as numbers: which of them may be asked.

Python 3.11's `is_global` believes `::127.0.0.1`, `64:ff9b::7f00:1` and `2002:7f00:1::`, which lead
to this very machine; the tables below do not. FetchError says what is wrong with an address in our
own words.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from yarl import URL

from bot.errors import FetchError
from bot.reasons import reason

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

# IANA special-purpose registries, read 2026; 192.88.99.0/24 and 2002::/16 are 6to4, 2001::/23 holds
# Teredo and ORCHID.
_NOT_PUBLIC_4 = tuple(map(ipaddress.IPv4Network, (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
)))  # fmt: skip
# Only this eighth of the space is handed out: what lies outside is no address of the internet yet.
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(map(ipaddress.IPv6Network, (
    "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)))  # fmt: skip
# Without 169.254.0.0/16 and fe80::/10, where a cloud's metadata, and so its keys, can be read.
_OWN_4 = tuple(map(ipaddress.IPv4Network, (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
)))  # fmt: skip
_OWN_6 = tuple(map(ipaddress.IPv6Network, ("::1/128", "fc00::/7")))
#: What a number in another form ("2130706433") or a bare word, as a container is called, is not.
INTERNET_NAME = re.compile(r"[^.]+(?:\.[^.]+)*\.[^.0-9][^.]*\.?")


def is_public(address: IPAddress) -> bool:
    """Whether an address is of the public internet, by our table and never by `is_global`."""
    if isinstance(address, ipaddress.IPv4Address):
        return not _lies_in(address, _NOT_PUBLIC_4)
    return address in _PUBLIC_6 and not _lies_in(address, _NOT_PUBLIC_6)


def is_own(address: IPAddress) -> bool:
    """Whether an address is of this machine or a private network; link-local (metadata) is not."""
    if isinstance(address, ipaddress.IPv4Address):
        return _lies_in(address, _OWN_4)
    return _lies_in(address, _OWN_6)


def _lies_in(address: IPAddress, networks: Iterable[IPNetwork]) -> bool:
    return any(address in network for network in networks)


NO_HOST = re.compile(r"""[\s<>"\\^`{|}%]""")  # what no name and no number of a host has


def checked(url: str, start: URL | None = None) -> URL:
    """An address of plain http(s); a redirect's port must be a usual one or that of `start`."""
    try:
        parsed = URL(url.strip()).with_fragment(None)
        host, port = parsed.host, parsed.port
    except ValueError:
        raise FetchError(reason("address.unreadable", "the address cannot be read")) from None
    if parsed.scheme not in {"http", "https"} or not host or port is None:
        raise FetchError(reason("address.scheme", "only http and https addresses are fetched"))
    if NO_HOST.search(host):
        raise FetchError(reason("address.unreadable", "the address cannot be read"))
    if parsed.user is not None or parsed.password is not None:
        raise FetchError(
            reason("address.user", "an address with a user name or password is not fetched")
        )
    if start is not None and port not in {80, 443, start.port}:
        raise FetchError(reason("address.port", "redirected to an unusual port"))
    return parsed


def redirect_target(url: URL, location: str | None, start: URL) -> URL:
    """The target of a redirect of `url`; judged against `start`, the configured address."""
    if not location:
        raise FetchError(reason("address.nowhere", "redirected to nowhere"))
    try:
        target = url.join(URL(location.strip()))
    except ValueError:
        raise FetchError(reason("address.unreadable", "the address cannot be read")) from None
    return checked(str(target), start)


def is_own_host(url: URL) -> bool:
    """Whether the configured host is the operator's own: a private literal, or localhost."""
    if url.host == "localhost":
        return True
    try:
        return is_own(ipaddress.ip_address(url.host or ""))
    except ValueError:
        return False
