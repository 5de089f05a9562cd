"""The ways to a host: the guarded one, the one to the operator's own machines, those of proxies.

aiohttp does not ask its resolver about IP literals and a name may resolve differently a second
later, so the *address* is judged (`bot.addresses`) where the socket is made (`socket_factory`). The
operator's own machines have a connector of their own: nothing that came in by a redirect can borrow
its sockets. A proxy connects wherever it is told, so what it is told is judged here first.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from cachetools import LRUCache
from yarl import URL

from bot.addresses import INTERNET_NAME, IPAddress, is_own
from bot.proxies import SYSTEMS, addresses_of, connector_of, http_proxy

# hosts of which a SOCKS proxy is told the address: each is judged anew when it is asked for
TOLD_HOSTS = 10_000
# bytes of one header: a Content-Security-Policy may have sixteen thousand
LONGEST_FIELD = 32 * 1024


class Reach(Enum):
    """Whose addresses one request may lead to."""

    INTERNET = auto()
    OWN = auto()  # the operator's own machines alone
    EITHER = auto()


class UnreachableError(OSError):
    """A proxy is not asked for that host: it has no address, or one that nobody may ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proxied:
    """A proxy's session; `proxy` where aiohttp is to be told, `told` what a SOCKS one is."""

    session: aiohttp.ClientSession
    told: MutableMapping[str, str]
    proxy: URL | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    """One request's way through a proxy; whether the operator `named` its host, or a stranger."""

    way: _Proxied
    named: bool
    of_stranger: bool


class Ways:
    """The sessions by which hosts are reached, each of whose sockets was judged when it was made.

    `may_connect` judges the addresses that are not the operator's own, `connect` is how long a
    connection may take (seconds).
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None,
        resolver: AbstractResolver | None,
        may_connect: Callable[[IPAddress], bool],
        connect: float,
    ) -> None:
        if tls is not None:  # Python begins at TLS 1.2 by itself
            tls.minimum_version = max(tls.minimum_version, ssl.TLSVersion.TLSv1_2)
        self._tls = tls
        self._resolver = resolver
        self._allowed: Mapping[Reach, Callable[[IPAddress], bool]] = {
            Reach.INTERNET: may_connect,
            Reach.OWN: is_own,
            Reach.EITHER: lambda address: is_own(address) or may_connect(address),
        }
        self._connect = connect
        self._sessions: dict[Reach, aiohttp.ClientSession] = {}
        self._proxied: dict[str, _Proxied] = {}

    async def open(self) -> None:
        """Make the sessions, one for each reach."""
        for reach, allowed in self._allowed.items():
            self._sessions[reach] = self._session(allowed)

    async def close(self) -> None:
        """Close all sessions; requests under way fail."""
        proxied = [one.session for one in self._proxied.values()]
        for session in (*self._sessions.values(), *proxied):
            await session.close()
        self._sessions.clear()
        self._proxied.clear()

    def straight(self, reach: Reach) -> aiohttp.ClientSession:
        """The session that asks a host itself."""
        if reach not in self._sessions:
            raise RuntimeError("the fetcher is not open")
        return self._sessions[reach]

    def through(self, proxy: str, *, named: bool, of_stranger: bool) -> Through:
        """The way through a proxy, one session for each."""
        if proxy not in self._proxied:
            address = URL(proxy)
            told: LRUCache[str, str] = LRUCache(TOLD_HOSTS)
            connector = connector_of(address, told, self._tls)
            self._proxied[proxy] = _Proxied(
                session=self._session_of(connector), told=told, proxy=http_proxy(proxy)
            )
        return Through(way=self._proxied[proxy], named=named, of_stranger=of_stranger)

    async def judge(self, url: URL, way: _Proxied, reach: Reach, *, named: bool) -> None:
        """Whether a proxy may be asked for that host; it is told the address that was judged.

        What it refuses reads like a host that is dead: UnreachableError. Where it is `named` by
        the operator, the proxy may know a name that we do not.
        """
        host = url.raw_host or ""
        found = await addresses_of(url, self._resolver)
        if not found:
            if not named or not INTERNET_NAME.fullmatch(host):
                raise UnreachableError
            way.told[host] = host
            return
        if not all(map(self._allowed[reach], found)):
            raise UnreachableError
        way.told[host] = str(found[0])

    def by_address(self, url: URL, way: _Proxied) -> URL:
        """The address of a judged host by its number, where an http proxy would look its name up
        again: what it means a second later is its owner's choice, who may be a stranger.

        UnreachableError without TLS: then a proxy says the number in the place of the name, and a
        host that has many names does not know which is meant.
        """
        if way.proxy is None:  # SOCKS is told the number in any case
            return url
        if url.scheme != "https":
            raise UnreachableError
        return url.with_host(way.told[url.raw_host or ""])

    async def is_home(self, url: URL) -> bool:
        """Whether a host is one of the operator's own machines, by all of its addresses."""
        found = await addresses_of(url, self._resolver)
        return bool(found) and all(map(is_own, found))

    def _session(self, allowed: Callable[[IPAddress], bool]) -> aiohttp.ClientSession:
        """A session whose sockets only reach addresses that are `allowed`."""

        def guarded(info: tuple[Any, ...]) -> socket.socket:
            family, kind, protocol, _, address = info
            if not allowed(ipaddress.ip_address(address[0])):
                raise OSError("address refused")
            return socket.socket(family, kind, protocol)

        # force_close: a socket that was allowed once is never lent to another request.
        connector = aiohttp.TCPConnector(
            ssl=self._tls or SYSTEMS,
            resolver=self._resolver,
            socket_factory=guarded,
            force_close=True,
        )
        return self._session_of(connector)

    def _session_of(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            max_line_size=LONGEST_FIELD,
            max_field_size=LONGEST_FIELD,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._connect),
        )
