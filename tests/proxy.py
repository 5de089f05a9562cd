"""A real proxy on loopback, http or SOCKS 5, whose every request is seen."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from bot.grammar import parse_proxy


class Proxy:
    """An http or SOCKS 5 proxy that leads every request to one port of this machine."""

    def __init__(self, port: int, *, password: str = "", refuses: bool = False) -> None:
        self.target, self.password, self.refuses = port, password, refuses
        self.asked: list[str] = []
        self.introduced: list[str] = []
        self.url = ""
        self.refused = asyncio.Event()  # a plain request, not one to be joined
        self._joined: set[asyncio.StreamWriter] = set()

    def refuse(self) -> None:
        """Refuse whatever is asked from now on, also by those who are let through already."""
        self.refuses = True
        for writer in self._joined:
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, of either kind."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            first = await reader.readexactly(1)
            if first == b"\x05":
                ahead = await self._socks(reader, writer)
            else:
                ahead = await self._http(first, reader, writer)
            if ahead is not None:
                await self._relay(ahead, reader, writer)
        writer.close()

    async def _socks(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        if self.password:
            assert 2 in methods
            writer.write(b"\x05\x02")
            _, length = await reader.readexactly(2)
            name = await reader.readexactly(length)
            given = await reader.readexactly((await reader.readexactly(1))[0])
            self.introduced.append(f"{name.decode()}:{given.decode()}")
            right = given.decode() == self.password
            writer.write(b"\x01" + bytes([not right]))
            if not right:
                return None
        else:
            writer.write(b"\x05\x00")
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = str(ipaddress.ip_address(await reader.readexactly({1: 4, 4: 16}[kind])))
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append(f"{host}:{port}")
        writer.write(b"\x05" + bytes([5 * self.refuses]) + b"\x00\x01\x7f\x00\x00\x01\x00\x00")
        return None if self.refuses else b""

    async def _http(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        head = first + await reader.readuntil(b"\r\n\r\n")
        line, *rest = head.decode().split("\r\n")
        method, target, _ = line.split(" ")
        self.asked.append(f"{method} {target}")
        self.introduced += [one for one in rest if one.lower().startswith("proxy-authorization")]
        if self.refuses:
            # as some do, with what they were told
            told = "\n".join(rest).encode()
            if method != "CONNECT":
                self.refused.set()
            writer.write(
                b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(told), told)
            )
            return None
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            return b""
        return head

    async def _relay(
        self, ahead: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        back.write(ahead)

        self._joined.add(back)

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while more := await source.read(65536):
                sink.write(more)
            sink.close()

        await asyncio.gather(copy(reader, back), copy(there, writer))
        self._joined.discard(back)


@asynccontextmanager
async def proxy_to(
    port: int, scheme: str, *, password: str = "", refuses: bool = False
) -> AsyncIterator[Proxy]:
    """A proxy on loopback, with its address as the catalog has it."""
    proxy = Proxy(port, password=password, refuses=refuses)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    mine = server.sockets[0].getsockname()[1]
    user = f"me:{password}@" if password else ""
    proxy.url = parse_proxy(f"{scheme}://{user}127.0.0.1:{mine}")
    try:
        yield proxy
    finally:
        server.close()
