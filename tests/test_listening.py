"""From silence to service: what is done before the first update is handled."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import AsyncExitStack
from typing import Any

import babel.messages.pofile
import babel.numbers
import pytest
from aiohttp import web

from bot import i18n, listening
from bot.convert import currencies, parse_question
from bot.listening import read_ahead, serve
from bot.sockets import refusal
from tests.ports import free_port


@pytest.mark.parametrize(
    ("language", "question"),
    [("en", "100 us dollars in soms"), ("ru", "100 долларов сша"), ("ky", "100 АКШ доллары")],
)
def test_the_first_question_reads_no_languages_data(
    language: str, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth of a second for names and words would be one in which nobody is answered."""
    for read in (currencies._names, currencies._vocabulary, i18n._catalog):
        read.cache_clear()
    read_ahead()

    def late(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(babel.numbers, "get_currency_name", late)
    monkeypatch.setattr(babel.messages.pofile, "read_po", late)
    assert parse_question(question, language=language, home="KGS").source == "USD"
    assert i18n.t("rates.today", language)


NO_HTTP = {
    "words": b"HELLO\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01",
    "a long header": b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"b" * 20_000 + b"\r\n\r\n",
    "a NUL": b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    "broken chunks": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
}


#: Bodies that are not what their headers say; the server reads them after it has answered.
MISPACKED = {
    f"{method} {packed} {length}": (
        f"{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Encoding: {packed}\r\n"
        f"{header}\r\n\r\n{body}"
    ).encode()
    for method in ("POST", "PUT")
    for packed in ("gzip", "deflate", "br", "zstd", "gzip, gzip")
    for length, header, body in (
        ("whole", "Content-Length: 10", "x" * 10),
        ("in chunks", "Transfer-Encoding: chunked", "a\r\nxxxxxxxxxx\r\n0\r\n\r\n"),
    )
}


async def asked(port: int, request: bytes) -> bytes:
    """What comes back to its first line, and its headers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        answer = await reader.readuntil(b"\r\n\r\n")
        if b"Connection: close" in request:
            await reader.read()  # the server reads on after its answer
        return answer
    finally:
        writer.close()


async def test_what_is_no_http_is_refused_and_leaves_nothing_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Scanners come every day, and learn no version; what fails by us is logged as ever."""

    async def fails(_: web.Request) -> web.Response:
        raise RuntimeError("ours")

    application = web.Application()
    application.router.add_get("/", fails)
    async with AsyncExitStack() as stack:
        port = await serve(stack, application, "127.0.0.1:0", setting="OPS_LISTEN")
        assert port is not None
        for name, request in NO_HTTP.items():
            refused = await asked(port, request)
            assert b" 400 " in refused, name
            assert b"aiohttp" not in refused, name
        for name, request in MISPACKED.items():
            # 400 where this machine has no library that unpacks it
            assert (await asked(port, request)).split()[1] in {b"405", b"400"}, name
        assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []
        assert b" 500 " in await asked(port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert "ours" in caplog.text


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost"])
async def test_a_connection_without_a_request_is_closed(
    begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is one whose request never ends to begin: many would leave no room for others."""
    monkeypatch.setattr(listening, "KEEP_ALIVE", 0.05)
    async with AsyncExitStack() as stack, asyncio.timeout(20):
        port = await serve(stack, web.Application(), "127.0.0.1:0", setting="OPS_LISTEN")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        assert await reader.read() == b""
        writer.close()


def test_a_family_that_the_kernel_has_not_is_left_out_as_servers_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`localhost` is an address of IPv6 too where none can be listened at; where no family is
    left, that is said.
    """
    none = (socket.AF_NETLINK + 999, socket.SOCK_STREAM, 0, "", ("::1", 0, 0, 0))
    usual = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))
    ways = [none, usual]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ways)
    assert refusal("localhost:0") is None
    ways.remove(usual)
    assert isinstance(refusal("localhost:0"), OSError)


def test_who_asks_whether_a_port_is_free_takes_it_from_nobody() -> None:
    """Two who ask at one time both hear that it is, and a third that it is not, once somebody
    listens.
    """
    listen = f"127.0.0.1:{free_port()}"
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(listen.rpartition(":")[2])))  # as one who asks has it
        assert refusal(listen) is None
        other.listen()
        assert refusal(listen) is not None
