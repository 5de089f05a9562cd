"""A GET over a connection of its own, judged when it is made: what most polls are.

`ClientSession.request` costs 150 µs for a document that did not change, most of it for what a poll
never asks for: kept connections, cookies, streamed bodies, hooks. Here the connection is the loop's
own and the parser aiohttp's: 65 µs. A host with several addresses is left to the session, which
tries them side by side.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.helpers import HeadersMixin
from aiohttp.http import HttpProcessingError
from yarl import URL

from bot.addresses import IPAddress

LONGEST_FIELD = (
    32 * 1024
)  # bytes of one header: a Content-Security-Policy may have sixteen thousand
_BREAKS = frozenset("\r\0")


class Response(Protocol):
    """What is read of an answer, whoever asked."""

    @property
    def status(self) -> int:
        """The answer's status."""

    @property
    def headers(self) -> Any:  # noqa: ANN401 - aiohttp's own mapping, with names more than once
        """Its headers."""

    @property
    def content(self) -> aiohttp.StreamReader:
        """Its body as it comes."""

    @property
    def content_type(self) -> str:
        """The type that it names, without parameters."""

    @property
    def charset(self) -> str | None:
        """The charset that it names."""

    @property
    def content_length(self) -> int | None:
        """How long it says its body is."""


class UnreachableError(OSError):
    """There is no way to that host: it has no address, none that may be asked, or nobody answers
    there.
    """


class Straight:
    """The way to hosts of one kind: to addresses that are `allowed`, each in `seconds` at most.

    `names` looks up hosts: it is the connector of the session that those with several addresses are
    left to.
    """

    def __init__(
        self,
        names: aiohttp.TCPConnector,
        *,
        allowed: Callable[[IPAddress], bool],
        tls: ssl.SSLContext,
        seconds: float,
    ) -> None:
        self._names = names
        self._allowed = allowed
        self._tls = tls
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._protocol = partial(ResponseHandler, self._loop)
        self._open: set[ResponseHandler] = set()
        self._closed = False

    async def answer(self, url: URL, headers: Mapping[str, str]) -> Answer | None:
        """What is answered to a GET, as far as its headers; the caller lets go of it.

        None where the host has several addresses: nobody was asked. UnreachableError where there is
        no connection, ssl.SSLError where it cannot be trusted.
        """
        head = _head(url, headers)
        protocol = await self._connected(url)
        if protocol is None:
            return None
        self._open.add(protocol)
        try:
            return await self._asked(protocol, head)
        except BaseException:
            self._leave(protocol)
            raise

    def close(self) -> None:
        """Break off all that is under way, and begin nothing more."""
        self._closed = True
        for protocol in list(self._open):
            if protocol.transport is not None:
                protocol.transport.abort()  # the protocol tells whoever reads

    async def _connected(self, url: URL) -> ResponseHandler | None:
        try:
            async with asyncio.timeout(self._seconds):
                host = (url.raw_host or "").rstrip(".")
                found = await self._names._resolve_host(url.raw_host or "", url.port or 0)  # noqa: SLF001 - and keeps it
                if len(found) != 1:
                    return None
                address = found[0]["host"]
                if not self._allowed(ipaddress.ip_address(address)):
                    raise UnreachableError
                secure = url.scheme == "https"
                _, protocol = await self._loop.create_connection(
                    self._protocol,
                    address,
                    url.port or 0,
                    ssl=self._tls if secure else None,
                    server_hostname=host if secure else None,
                )
        except ssl.SSLError:
            raise
        except TimeoutError as error:
            if error.errno is None:  # ours, not the system's
                raise aiohttp.ConnectionTimeoutError from None
            raise UnreachableError from None
        except OSError:
            raise UnreachableError from None
        return protocol

    async def _asked(self, protocol: ResponseHandler, head: bytes) -> Answer:
        protocol.set_response_params(
            read_until_eof=True,
            auto_decompress=False,
            max_line_size=LONGEST_FIELD,
            max_field_size=LONGEST_FIELD,
        )
        if protocol.transport is None or self._closed:
            raise aiohttp.ServerDisconnectedError
        protocol.transport.write(head)
        try:
            message, content = await protocol.read()
            while 100 <= message.code < 200 and message.code != 101:  # "continue", "early hints"
                message, content = await protocol.read()
        except HttpProcessingError as error:
            raise aiohttp.ClientPayloadError from error
        return Answer(message.code, message.headers, content, partial(self._leave, protocol))

    def _leave(self, protocol: ResponseHandler) -> None:
        """Break a connection off: it served its one request."""
        self._open.discard(protocol)
        protocol.abort()


class Answer(HeadersMixin):
    """An answer (`Response`); whoever has it must `leave` it."""

    def __init__(
        self,
        status: int,
        headers: Any,  # noqa: ANN401 - as in `Response`
        content: aiohttp.StreamReader,
        leave: Callable[[], None],
    ) -> None:
        self.status = status
        self.content = content
        self.leave = leave
        self.headers = self._headers = headers


def _head(url: URL, headers: Mapping[str, str]) -> bytes:
    """The bytes of a request; ValueError where a header has a line break."""
    lines = [f"GET {url.raw_path_qs} HTTP/1.1"]
    if "host" not in map(str.lower, headers):
        lines.append(f"Host: {url.host_port_subcomponent}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    said = "\n".join([*lines, "Connection: close"])
    if said.count("\n") != len(lines) or not _BREAKS.isdisjoint(said):
        raise ValueError("a header with a line break")
    return f"{said}\n\n".replace("\n", "\r\n").encode()
