"""The way to a source through an operator's proxy: http(s) by aiohttp, SOCKS 5 by the few bytes of
RFC 1928 and 1929.

A proxy connects where it is told to, past every guard of our own sockets. So what it is told is
judged before (`bot.fetch.ways`), and a SOCKS proxy is given the very address that was judged, not
the name: what a name means a second later is nobody's choice. An http proxy takes names only.

aiohttp has no SOCKS. Its connector makes the socket in one method, which is replaced here; TLS,
with the host's own name, is made above it as always.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from bot.proxy_address import SOCKS, introduction
from bot.sockets import attentive

DEFAULT_SOCKS_PORT = 1080  # IANA's
#: The system's authorities, as aiohttp read them at its import: to read them again takes 50 ms and
#: a megabyte.
SYSTEMS = True
NEXT_ADDRESS_AFTER = 2.0  # seconds that one of a proxy's addresses may be silent, but for the last
_VERSION, _CONNECT, _PASSWORD, _NO_PASSWORD = 5, 1, 2, 0  # bytes of RFC 1928 and 1929
_IPV4, _NAME, _IPV6 = 1, 3, 4  # kinds of address there


class ProxyError(OSError):
    """The proxy did not do what it was asked."""


def http_proxy(proxy: str | None) -> URL | None:
    """A proxy as aiohttp is told of it with each request; None without one, and of a SOCKS one,
    which is the connector's affair.

    aiohttp says name and password in Latin-1, whatever letters they have. So it is given a letter
    for each of their bytes, which it makes those bytes of again.
    """
    if proxy is None or (address := URL(proxy)).scheme in SOCKS:
        return None
    name, password = introduction(proxy)
    if not name and not password:
        return address
    said = name.decode("latin-1"), password.decode("latin-1")
    return address.with_user(said[0]).with_password(said[1])


async def addresses_of(
    url: URL, resolver: AbstractResolver | None
) -> Sequence[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The addresses of a host, as the system knows them; none of a name that it does not."""
    host = url.raw_host or ""
    with suppress(ValueError):
        return [ipaddress.ip_address(host)]
    try:
        found = await (resolver or aiohttp.ThreadedResolver()).resolve(host, url.port or 0)
    except OSError:
        return []
    return [ipaddress.ip_address(one["host"]) for one in found]


def connector_of(
    proxy: URL, told: Mapping[str, str], tls: ssl.SSLContext | None
) -> aiohttp.TCPConnector:
    """The connector through a proxy; `told` has the judged address of each host, for SOCKS, `tls`
    whom to believe, the system's authorities by themselves.
    """
    if proxy.scheme in SOCKS:
        return _SocksConnector(proxy, told, tls, force_close=True)
    # its sockets lead to the proxy alone, which is the operator's own choice
    return aiohttp.TCPConnector(ssl=tls or SYSTEMS, force_close=True)


def connector_to_anywhere(
    proxy: URL, tls: ssl.SSLContext | None = None, *, most: int
) -> aiohttp.TCPConnector:
    """The connector through a proxy to whatever host it is asked for, by name; kept open.

    `most` connections at once. For a host that the operator has chosen: nothing is judged.
    """
    if proxy.scheme in SOCKS:
        return _SocksConnector(proxy, _AsNamed(), tls, limit=most)
    return aiohttp.TCPConnector(
        ssl=tls or SYSTEMS, limit=most, ttl_dns_cache=300, socket_factory=attentive
    )


class _AsNamed(dict[str, str]):
    """Each host as it is named: the proxy looks it up."""

    def __missing__(self, host: str) -> str:
        return host


class _Judged(AbstractResolver):
    """Gives a host's judged address, or the name where the proxy shall look it up."""

    def __init__(self, told: Mapping[str, str]) -> None:
        self._told = told

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The one address that was judged, whatever the name resolves to by now."""
        return [
            ResolveResult(
                hostname=host,
                host=self._told[host],
                port=port,
                family=family,
                proto=0,
                flags=0,
            )
        ]

    async def close(self) -> None:
        """Do nothing: nothing is open."""


class _SocksConnector(aiohttp.TCPConnector):
    """Connects to the proxy, and tells it where to."""

    def __init__(
        self,
        proxy: URL,
        told: Mapping[str, str],
        tls: ssl.SSLContext | None,
        **options: Any,  # noqa: ANN401 - aiohttp's own
    ) -> None:
        # no cache: the address is the one that was judged for this very request
        super().__init__(ssl=tls or SYSTEMS, resolver=_Judged(told), use_dns_cache=False, **options)
        self._proxy = proxy

    async def _wrap_create_connection(
        self,
        *args: Any,  # noqa: ANN401 - aiohttp's own, handed on
        addr_infos: list[Any],
        req: aiohttp.ClientRequest,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109, ARG002 - aiohttp's own; ours is around it
        client_error: type[Exception] = aiohttp.ClientConnectorError,
        **kwargs: Any,  # noqa: ANN401 - likewise
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        """A connection over a socket that the proxy has joined to the host."""
        # the resolver above gives one
        host, port = addr_infos[0][4][:2]
        try:
            joined = await _joined(self._proxy, host, port)
        except OSError as error:
            raise client_error(req.connection_key, error) from None
        try:
            # TLS and its errors are aiohttp's affair
            return await self._loop.create_connection(*args, **kwargs, sock=joined)
        except ssl.CertificateError as error:
            raise aiohttp.ClientConnectorCertificateError(req.connection_key, error) from None
        except ssl.SSLError as error:
            raise aiohttp.ClientConnectorSSLError(req.connection_key, error) from None
        except OSError as error:
            raise client_error(req.connection_key, error) from None


async def _joined(proxy: URL, host: str, port: int) -> socket.socket:
    """A socket to the proxy, joined by it to `host`, an address or a name."""
    way = await _connected(proxy)
    try:
        await _introduce(way, *introduction(str(proxy)))
        await _ask(way, host, port)
    except BaseException:
        way.close()
        raise
    return way


async def _addresses(proxy: URL) -> list[Any]:
    """The proxy's addresses, by the system's resolver."""
    port = proxy.port or DEFAULT_SOCKS_PORT
    return await asyncio.get_running_loop().getaddrinfo(proxy.host, port, type=socket.SOCK_STREAM)


async def _connected(proxy: URL) -> socket.socket:
    """A socket to the first of the proxy's addresses that answers, as aiohttp does it for http."""
    loop = asyncio.get_running_loop()
    found = await _addresses(proxy)
    failed: OSError = ProxyError("the proxy has no address")
    for number, one in enumerate(found, start=1):
        way = attentive(one)
        way.setblocking(False)  # noqa: FBT003 - it has no other form
        try:
            async with asyncio.timeout(None if number == len(found) else NEXT_ADDRESS_AFTER):
                await loop.sock_connect(way, one[4])
        except OSError as error:  # it refuses, or says nothing
            way.close()
            failed = error
        except BaseException:
            way.close()
            raise
        else:
            return way
    raise failed


async def _introduce(way: socket.socket, user: bytes, password: bytes) -> None:
    """The greeting, with a name and password where the proxy's address has them."""
    loop = asyncio.get_running_loop()
    method = _NO_PASSWORD
    if user:
        method = _PASSWORD
    await loop.sock_sendall(way, bytes([_VERSION, 1, method]))
    version, chosen = await _read(way, 2)
    if version != _VERSION or chosen != method:
        raise ProxyError("the proxy wants another introduction")
    if method == _PASSWORD:
        said = bytes([1, len(user)]) + user + bytes([len(password)]) + password
        await loop.sock_sendall(way, said)
        _, refused = await _read(way, 2)
        if refused:
            raise ProxyError("the proxy refused name and password")


async def _ask(way: socket.socket, host: str, port: int) -> None:
    """The request to connect, and its answer; ProxyError when that is no."""
    await asyncio.get_running_loop().sock_sendall(way, _request(host, port))
    _, refused, _, kind_of_bound = await _read(way, 4)
    if refused:
        raise ProxyError("the proxy did not connect")
    length = {_IPV4: 4, _IPV6: 16}.get(kind_of_bound)
    if length is None:
        (length,) = await _read(way, 1)
    await _read(way, length + 2)  # the address it uses itself: nobody asks


def _request(host: str, port: int) -> bytes:
    """The request to connect; an address is given as one, so that no name is looked up."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("idna")[:255]
        where = bytes([_NAME, len(name)]) + name
    else:
        where = bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed
    return bytes([_VERSION, _CONNECT, 0]) + where + port.to_bytes(2, "big")


async def _read(way: socket.socket, count: int) -> bytes:
    """The next `count` bytes of the proxy's; ProxyError when it hangs up before."""
    loop = asyncio.get_running_loop()
    got = b""
    while len(got) < count:
        more = await loop.sock_recv(way, count - len(got))
        if not more:
            raise ProxyError("the proxy hung up")
        got += more
    return got
