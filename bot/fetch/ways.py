"""The ways to a host: the guarded one, the one to the operator's own machines, those of proxies.

aiohttp does not ask its resolver about IP literals and a name may resolve differently a second
later, so the *address* is judged (`bot.addresses`) where the socket is made (`socket_factory`). The
operator's own machines have a connector of their own: nothing that came in by a redirect can borrow
its sockets. A proxy connects wherever it is told, so what it is told is judged here first.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from cachetools import LRUCache
from yarl import URL

from bot.addresses import IPAddress, is_own
from bot.fetch.straight import LONGEST_FIELD, Response, Straight, UnreachableError
from bot.proxies import connector_of

# a name of the internet, which a number in another form ("2130706433") or a bare word is not
_NAME = re.compile(r"[^.]+(?:\.[^.]+)*\.[^.0-9][^.]*\.?")
# hosts of which a SOCKS proxy is told the address: each is judged anew when it is asked for
TOLD_HOSTS = 10_000


@functools.cache
def system_trust() -> ssl.SSLContext:
    """The certificates the system trusts, read once a process: reading them takes 50 ms."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Direct:
    """How hosts are asked themselves: a plain GET straight, all else by a session."""

    session: aiohttp.ClientSession
    straight: Straight


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proxied:
    """A proxy's session; `proxy` where aiohttp is to be told, `told` what a SOCKS one is."""

    session: aiohttp.ClientSession
    told: MutableMapping[str, str]
    proxy: URL | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    """One request's way through a proxy; whether the operator `named` its host."""

    way: _Proxied
    named: bool


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
        self._tls = tls or system_trust()
        self._tls.minimum_version = max(self._tls.minimum_version, ssl.TLSVersion.TLSv1_2)
        self._resolver = resolver
        self._may_connect = may_connect
        self._connect = connect
        self._public: _Direct | None = None
        self._own: _Direct | None = None
        self._proxied: dict[str, _Proxied] = {}

    async def open(self) -> None:
        """Make the two direct ways: the guarded one, and that to the operator's own machines."""
        self._public = self._direct(self._may_connect)
        self._own = self._direct(is_own)

    async def close(self) -> None:
        """Close all sessions; requests under way fail."""
        sessions = [one.session for one in self._proxied.values()]
        for way in (self._public, self._own):
            if way is not None:
                way.straight.close()
                sessions.append(way.session)
        for session in sessions:
            await session.close()
        self._public = self._own = None
        self._proxied.clear()

    @asynccontextmanager
    async def answer(
        self,
        method: str,
        url: URL,
        *,
        data: bytes | None,
        headers: Mapping[str, str],
        own: bool,
        through: _Proxied | None,
    ) -> AsyncIterator[Response]:
        """What a host answers, asked itself, or `through` a proxy; redirects are not followed.

        `own` is whether it is the operator's own, rather than one of the internet's.
        """
        if through is not None:
            session, proxy = through.session, through.proxy
        else:
            way = self._public
            if own:
                way = self._own
            if way is None:
                raise RuntimeError("the fetcher is not open")
            session, proxy = way.session, None
            if method == "GET":
                answer = await way.straight.answer(url, headers)
                if answer is not None:
                    try:
                        yield answer
                    finally:
                        answer.leave()
                    return
        async with session.request(
            method, url, data=data, headers=headers, allow_redirects=False, proxy=proxy
        ) as response:
            yield response

    def through(self, proxy: str, *, named: bool) -> Through:
        """The way through a proxy, one session for each."""
        if proxy not in self._proxied:
            address = URL(proxy)
            told: LRUCache[str, str] = LRUCache(TOLD_HOSTS)
            connector = connector_of(address, told, self._tls)
            way = _Proxied(session=self._session_of(connector), told=told)
            if address.scheme in {"http", "https"}:
                way = replace(way, proxy=address)
            self._proxied[proxy] = way
        return Through(way=self._proxied[proxy], named=named)

    async def judge(self, url: URL, way: _Proxied, *, own: bool, named: bool) -> None:
        """Whether a proxy may be asked for that host; it is told the address that was judged.

        What it refuses reads like a host that is dead: UnreachableError. Where it is `named` by
        the operator, the proxy may know a name that we do not.
        """
        host = url.raw_host or ""
        allowed = self._may_connect
        if own:
            allowed = is_own
        resolver = self._resolver or aiohttp.ThreadedResolver()
        try:
            found = [str(ipaddress.ip_address(host))]
        except ValueError:
            try:
                found = [one["host"] for one in await resolver.resolve(host, url.port or 0)]
            except OSError:
                if not named or not _NAME.fullmatch(host):
                    raise UnreachableError from None
                way.told[host] = host
                return
        if not all(allowed(ipaddress.ip_address(one)) for one in found):
            raise UnreachableError
        way.told[host] = found[0]

    def _direct(self, allowed: Callable[[IPAddress], bool]) -> _Direct:
        """The way whose sockets only reach addresses that are `allowed`."""

        def guarded(info: tuple[Any, ...]) -> socket.socket:
            family, kind, protocol, _, address = info
            if not allowed(ipaddress.ip_address(address[0])):
                raise OSError("address refused")
            return socket.socket(family, kind, protocol)

        # force_close: a socket that was allowed once is never lent to another request.
        connector = aiohttp.TCPConnector(
            ssl=self._tls, resolver=self._resolver, socket_factory=guarded, force_close=True
        )
        straight = Straight(connector, allowed=allowed, tls=self._tls, seconds=self._connect)
        return _Direct(session=self._session_of(connector), straight=straight)

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
