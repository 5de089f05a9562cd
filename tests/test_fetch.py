"""The client for sources, against real servers on this machine: good ones, bad ones and hostile
ones.
"""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import aiohttp.connector
import pytest
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from bot.addresses import is_own, is_public
from bot.errors import FetchError
from bot.fetch import Fetcher, Limits
from bot.fetch.answers import Fetched, Validators, retry_after

QUICK = Limits(pause=0)
NOW = datetime(2021, 10, 20, 12, tzinfo=UTC)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[..., Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a server with one handler for every path; gives its origin without a trailing slash."""
    async with AsyncExitStack() as stack:

        async def start(
            handler: Handler,
            *,
            address: str = "127.0.0.1",
            port: int = 0,
            tls: ssl.SSLContext | None = None,
        ) -> str:
            runner = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, address, port, ssl_context=tls)
            await site.start()
            port = runner.addresses[0][1]
            return f"{'https' if tls else 'http'}://{address}:{port}"

        yield start


@asynccontextmanager
async def raw_server(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> Any:
    """A server that speaks bytes, for answers no HTTP library would send."""

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(session, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


class Names(AbstractResolver):
    """A resolver with a table, for hosts that do not exist."""

    def __init__(self, table: dict[str, list[str]]) -> None:
        self.table = table

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        if host not in self.table:
            raise OSError("no such name")
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0
            )
            for address in self.table[host]
        ]

    async def close(self) -> None:
        pass


async def fetch(url: str, *, limits: Limits = QUICK, **kwargs: Any) -> Fetched:
    async with Fetcher(limits=limits) as fetcher:
        return await fetcher.get(url, **kwargs)


async def test_bytes_and_what_the_server_says_of_them_come_back(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(
            body="новости".encode("cp1251"),
            headers={
                "Content-Type": "text/xml; charset=windows-1251",
                "ETag": '"1"',
                "Last-Modified": "Wed, 20 Oct 2021 12:00:00 GMT",
            },
        )

    url = await serve(handler) + "/rss?key=1"
    got = await fetch(url)
    assert got == Fetched(
        status=200,
        body="новости".encode("cp1251"),
        url=url,
        content_type="text/xml",
        charset="windows-1251",
        validators=Validators(etag='"1"', last_modified="Wed, 20 Oct 2021 12:00:00 GMT"),
    )


async def test_F16_a_mark_of_bytes_that_are_no_text_is_none() -> None:
    """It could be neither stored nor sent back, and the source would not be read again."""

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        marks = b'ETag: "caf\xe9"\r\nLast-Modified: \xff'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" + marks + b"\r\n\r\nx")

    async with raw_server(talk) as url:
        got = await fetch(url)
    assert (got.body, got.validators) == (b"x", Validators())


async def test_F16_validators_are_sent_and_304_brings_no_body(serve: Serve) -> None:
    seen: list[dict[str, str]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(dict(request.headers))
        return web.Response(status=304, headers={"ETag": '"2"'})

    url = await serve(handler)
    got = await fetch(url, validators=Validators(etag='"1"', last_modified="yesterday"))
    assert (got.status, got.body, got.validators.etag) == (304, None, '"2"')
    assert seen[0]["If-None-Match"] == '"1"'
    assert seen[0]["If-Modified-Since"] == "yesterday"
    assert "Jarchy" in seen[0]["User-Agent"]
    with pytest.raises(FetchError) as caught:  # nobody asked "has it changed?"
        await fetch(url)
    assert caught.value.status == 304


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 500, 503, 300, 206, 226])
async def test_F16_every_other_status_is_an_error_that_carries_it(
    serve: Serve, status: int
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, text="secret page", headers={"Retry-After": "90"})

    with pytest.raises(FetchError) as caught:
        await fetch(await serve(handler))
    assert (caught.value.status, caught.value.retry_after) == (status, 90.0)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("120", None, 120.0),
        ("0", None, 0.0),
        ("999999999999", None, 86400.0),
        (format_datetime(NOW + timedelta(minutes=5)), None, 300.0),
        (format_datetime(NOW - timedelta(minutes=5)), None, 0.0),
        (
            format_datetime(NOW + timedelta(hours=3)),
            format_datetime(NOW + timedelta(hours=2)),
            3600.0,
        ),
        ("soon", None, None),
        ("-5", None, None),
        ("", None, None),
        ("Wed, 99 Oct 2021 12:00:00 GMT", None, None),
    ],
)
def test_F16_retry_after_is_read_in_both_forms(
    value: str, date: str | None, seconds: float | None
) -> None:
    headers = {"Retry-After": value} | ({"Date": date} if date else {})
    assert retry_after(headers, NOW) == seconds


@given(st.text(), st.text())
def test_retry_after_never_fails_and_never_exceeds_a_day(value: str, date: str) -> None:
    assert 0 <= (retry_after({"Retry-After": value, "Date": date}, NOW) or 0) <= 86400


async def test_a_post_carries_its_body_and_headers(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(
            body=request.headers["SOAPAction"].encode() + b":" + await request.read()
        )

    got = await fetch(await serve(handler), data=b"<q/>", headers={"SOAPAction": "rates"})
    assert got.body == b"rates:<q/>"


async def test_F2_a_large_body_is_cut_at_the_cap_whether_announced_or_not(serve: Serve) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)
            sent += 65536

    async def announced(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 3_000_000)

    limits = Limits(pause=0, body=2 * 1024 * 1024)
    for handler in (endless, announced):
        with pytest.raises(FetchError, match="larger than 2 MiB"):
            await fetch(await serve(handler), limits=limits)
    assert sent < 30_000_000


async def test_a_body_of_exactly_the_cap_is_accepted(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 1000)

    got = await fetch(await serve(handler), limits=Limits(pause=0, body=1000))
    assert got.body == b"x" * 1000


def zeros(megabytes: int) -> bytes:
    """As many megabytes of nothing, deflated: one of them written again and again, as to compress
    them would take longer than all else here. Nobody reads to the end, which is not there.
    """
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    one = packer.compress(b"\0" * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    return one * megabytes


def bomb_of(megabytes: int) -> bytes:
    """The same as gzip."""
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + zeros(megabytes)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_F3_a_compression_bomb_is_cut_at_the_decoded_cap(serve: Serve, encoding: str) -> None:
    bomb = bomb_of(60) if encoding == "gzip" else b"\x78\x9c" + zeros(60)

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": encoding})

    with pytest.raises(FetchError, match="larger than 5 MiB"):
        await fetch(await serve(handler))


async def test_F4_a_body_of_very_many_gzip_members_is_refused(serve: Serve) -> None:
    member = gzip.compress(b"")

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=member * 150_000, headers={"Content-Encoding": "gzip"})

    with pytest.raises(FetchError):
        await fetch(await serve(handler))


async def test_gzip_is_unpacked(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.headers["Accept-Encoding"] == "gzip, deflate"
        return web.Response(body=gzip.compress(b"<rss/>"), headers={"Content-Encoding": "gzip"})

    assert (await fetch(await serve(handler))).body == b"<rss/>"


PLAIN = b"<rss>" + b"x" * 5000 + b"</rss>"
PACKED = {
    "not announced": (gzip.compress(PLAIN), {}),
    "x-gzip": (gzip.compress(PLAIN), {"Content-Encoding": "x-gzip"}),
    "a .gz file": (gzip.compress(PLAIN), {"Content-Type": "application/gzip"}),
    "a .gz file, packed again": (
        gzip.compress(gzip.compress(PLAIN)),
        {"Content-Encoding": "gzip", "Content-Type": "application/gzip"},
    ),
    "two members": (
        gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:]),
        {"Content-Encoding": "gzip"},
    ),
    "zeros behind it": (gzip.compress(PLAIN) + b"\0" * 512, {"Content-Encoding": "gzip"}),
    "deflate without its two bytes": (
        zlib.compress(PLAIN)[2:-4],
        {"Content-Encoding": "deflate"},
    ),
    "gzip announced as deflate": (gzip.compress(PLAIN), {"Content-Encoding": "deflate"}),
    "plain announced as gzip": (PLAIN, {"Content-Encoding": "gzip"}),
    "plain announced as deflate": (PLAIN, {"Content-Encoding": "deflate"}),
    "plain announced as br": (PLAIN, {"Content-Encoding": "br"}),
}


@pytest.mark.parametrize("case", PACKED)
async def test_F23_a_body_is_unpacked_by_what_it_is(serve: Serve, case: str) -> None:
    body, headers = PACKED[case]

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=body, headers=headers)

    assert (await fetch(await serve(handler))).body == PLAIN


@pytest.mark.parametrize(
    "bomb",
    [
        lambda: bomb_of(60),
        lambda: gzip.compress(bomb_of(600)),
        lambda: gzip.compress(b"\0" * 3_000_000) * 50,
    ],
    ids=["one", "in each other", "in a row"],
)
async def test_F23_F3_an_unannounced_bomb_is_cut_as_well(
    serve: Serve, bomb: Callable[[], bytes]
) -> None:
    body = bomb()

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=body)

    with pytest.raises(FetchError, match="larger than 5 MiB"):
        await fetch(await serve(handler))


@pytest.mark.parametrize(
    "body",
    [gzip.compress(PLAIN)[:-9], gzip.compress(b"") * 150_000],
    ids=["breaks off", "never ends"],
)
async def test_F23_F4_what_breaks_off_or_never_ends_is_refused_in_our_words(
    serve: Serve, body: bytes
) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=body)

    with pytest.raises(FetchError, match="broke off"):
        await fetch(await serve(handler))


async def test_F23_a_header_of_sixteen_kibibytes_is_read_and_one_of_a_mebibyte_refused(
    serve: Serve,
) -> None:
    async def handler(request: web.Request) -> web.Response:
        size = int(request.query["size"])
        return web.Response(body=PLAIN, headers={"Content-Security-Policy": "a" * size})

    url = await serve(handler)
    assert (await fetch(f"{url}/?size={16 * 1024}")).body == PLAIN
    with pytest.raises(FetchError):
        await fetch(f"{url}/?size={1024 * 1024}")


async def test_F23_a_cookie_set_by_a_redirect_is_sent_behind_it_and_nowhere_else(
    serve: Serve,
) -> None:
    """To the host that set it, in that one request; not to another host, and not the next time."""
    seen: list[tuple[str | None, str, str | None]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.url.host, request.path, request.headers.get("Cookie")))
        port = request.url.port
        if request.path == "/a":
            headers = {"Location": "/b", "Set-Cookie": "wall=passed; Path=/; HttpOnly"}
            return web.Response(status=302, headers=headers)
        if request.path == "/b":
            where = f"http://two.example:{port}/c"
            foreign = "wall=stolen; Domain=one.example"
            return web.Response(status=302, headers={"Location": where, "Set-Cookie": foreign})
        return web.Response()

    port = (await serve(handler)).rsplit(":", 1)[1]
    names = Names({"one.example": ["127.0.0.1"], "two.example": ["127.0.0.1"]})
    async with Fetcher(limits=QUICK, resolver=names, may_connect=is_own) as fetcher:
        for _ in range(2):
            await fetcher.get(f"http://one.example:{port}/a")
    once = [
        ("one.example", "/a", None),
        ("one.example", "/b", "wall=passed"),
        ("two.example", "/c", None),
    ]
    assert seen == once * 2


async def test_F5_a_trickling_server_costs_one_time_out_and_delays_nobody_else(
    serve: Serve,
) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def good(request: web.Request) -> web.Response:
        return web.Response(text="good")

    resolver = Names({"good.example": ["127.0.0.1"]})
    limits = Limits(total=0.6, pause=0)
    async with (
        raw_server(trickle) as slow,
        Fetcher(limits=limits, resolver=resolver, may_connect=is_own) as fetcher,
    ):
        port = (await serve(good)).rsplit(":", 1)[1]
        hanging = asyncio.create_task(fetcher.get(slow))
        assert (await fetcher.get(f"http://good.example:{port}/")).body == b"good"
        assert not hanging.done()
        with pytest.raises(FetchError, match="no complete answer"):
            await hanging


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x01\x02 what is this\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8bllo",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n",
        b"HTTP/1.1 302 Found\r\n\r\n",
    ],
)
async def test_a_broken_answer_is_a_fetch_error_in_our_words(answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    async with raw_server(talk) as url:
        with pytest.raises(FetchError) as caught:
            await fetch(url + "?token=canary")
    text = str(caught.value)
    assert "canary" not in text
    assert "Error" not in text
    # the foreign exception is not printed in a traceback either
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def redirector(*steps: tuple[str, int, str]) -> Handler:
    """Redirect path → (status, location); every other path answers with its own name."""
    table = {path: (status, location) for path, status, location in steps}

    async def handler(request: web.Request) -> web.Response:
        if request.path in table:
            status, location = table[request.path]
            return web.Response(status=status, headers={"Location": location})
        return web.Response(text=f"{request.method} {request.path}")

    return handler


async def test_F6_redirects_are_followed_and_only_a_permanent_way_moves_the_address(
    serve: Serve,
) -> None:
    origin = await serve(
        redirector(
            ("/a", 301, "/b"), ("/b", 308, "c?x=1#part"), ("/t", 302, "/a"), ("/m", 301, "/t")
        )
    )
    got = await fetch(origin + "/a")
    assert (got.url, got.moved_to) == (origin + "/c?x=1", origin + "/c?x=1")
    temporary = await fetch(origin + "/t")
    assert (temporary.url, temporary.moved_to) == (origin + "/c?x=1", None)
    mixed = await fetch(origin + "/m")
    assert (mixed.url, mixed.moved_to) == (origin + "/c?x=1", origin + "/t")
    assert (await fetch(origin + "/c")).moved_to is None


async def test_F6_a_loop_ends_after_five_hops(serve: Serve) -> None:
    hits = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal hits
        hits += 1
        return web.Response(status=302, headers={"Location": "/again"})

    with pytest.raises(FetchError, match="more than 5 redirects"):
        await fetch(await serve(handler))
    assert hits == 6


@pytest.mark.parametrize(
    ("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")]
)
async def test_a_redirected_post_keeps_its_body_only_where_http_says_so(
    serve: Serve, status: int, method: str
) -> None:
    origin = await serve(redirector(("/a", status, "/b")))
    assert (await fetch(origin + "/a", data=b"x")).body == f"{method} /b".encode()


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "gopher://127.0.0.1/",
        "javascript:alert(1)",
        "data:text/xml,<rss/>",
        "http://user:pass@127.0.0.1/",
        "http://127.0.0.1:22/",
        "//127.0.0.1:6379/",
    ],
)
async def test_F6_a_redirect_to_something_else_than_plain_http_is_refused(
    serve: Serve, location: str
) -> None:
    with pytest.raises(FetchError):
        await fetch(await serve(redirector(("/", 302, location))) + "/")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.org/", "http://", "http://u@example.org/",
        "http://u:p@example.org/", "", "x", "http://[::1", "http://exa mple.org:port/", "\x00",
        "http://" + "ы" * 300 + "/",
    ],
)  # fmt: skip
async def test_an_address_that_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(FetchError):
        await fetch(url)


async def test_S1_an_address_with_a_user_name_is_refused_even_when_configured(serve: Serve) -> None:
    inner = Inner()
    port = (await serve(inner)).rsplit(":", 1)[1]
    for user in ("user", "user:pass", ":pass", ":"):
        with pytest.raises(FetchError, match="user name"):
            await fetch(f"http://{user}@127.0.0.1:{port}/")
    assert inner.hits == 0


# Ten ways to say "this machine" or "inside" that others' guards let through, and the classes of S2.
INSIDE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.0.170", "198.18.0.1",
    "198.19.255.255", "192.88.99.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "203.0.113.5", "::1", "::", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1", "fe80::1", "fc00::1",
    "fd12::1", "ff02::1", "fec0::1", "3fff::1", "100::1", "fe80::1%eth0",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_S2_no_inside_address_is_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "77.235.0.1", "172.32.0.1", "2a00:1450:4001::1", "2606:4700::1111"]
)
def test_S2_the_public_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
    assert not is_own(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "fe80::1", "::ffff:127.0.0.1"])
def test_S2_link_local_and_disguised_addresses_are_nobodys_own_machine(address: str) -> None:
    assert not is_own(ipaddress.ip_address(address))


class Inner:
    """An inner service nobody outside may reach; counts who did."""

    def __init__(self) -> None:
        self.hits = 0

    async def __call__(self, request: web.Request) -> web.Response:
        self.hits += 1
        return web.Response(text=f"inner secret of {request.host}")


@pytest.mark.parametrize(
    "host",
    [
        "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0.0.0.0", "[::ffff:127.0.0.1]",
        "[::127.0.0.1]", "[::]", "rebind.example", "mixed.example",
    ],
)  # fmt: skip
async def test_S1_ways_around_the_guard_reach_nothing(serve: Serve, host: str) -> None:
    """A name or a spelling of this machine that is not its plain private address is refused."""
    inner = Inner()
    port = (await serve(inner)).rsplit(":", 1)[1]
    resolver = Names(
        {
            "rebind.example": ["127.0.0.1"],
            "mixed.example": ["127.0.0.1", "10.0.0.1"],
            "2130706433": ["127.0.0.1"],
            "0x7f000001": ["127.0.0.1"],
            "0177.0.0.1": ["127.0.0.1"],
            "127.1": ["127.0.0.1"],
        }
    )
    async with Fetcher(limits=QUICK, resolver=resolver) as fetcher:
        with pytest.raises(FetchError):
            await fetcher.get(f"http://{host}:{port}/")
    assert inner.hits == 0


async def test_S1_localhost_must_resolve_to_this_machine_or_network(serve: Serve) -> None:
    async with Fetcher(limits=QUICK, resolver=Names({"localhost": ["169.254.169.254"]})) as fetcher:
        with pytest.raises(FetchError, match="cannot connect"):
            await fetcher.get("http://localhost/")


async def test_S1_a_redirect_from_outside_to_inside_is_refused_at_the_second_connect(
    serve: Serve,
) -> None:
    """Even when the same fetcher has just been allowed to talk to that inner origin itself."""
    inner = Inner()
    inside = await serve(inner)
    port = int(inside.rsplit(":", 1)[1])
    steps = redirector(("/literal", 302, inside), ("/name", 302, f"http://inner.example:{port}/"))
    await serve(steps, address="127.0.0.2", port=port)

    def outside_only(address: Any) -> bool:
        return str(address) == "127.0.0.2"

    names = Names({"evil.example": ["127.0.0.2"], "inner.example": ["127.0.0.1"]})
    async with Fetcher(limits=QUICK, resolver=names, may_connect=outside_only) as fetcher:
        assert (await fetcher.get(inside)).status == 200
        assert (await fetcher.get(f"http://evil.example:{port}/fine")).body == b"GET /fine"
        for path in ("literal", "name"):
            with pytest.raises(FetchError, match="cannot connect"):
                await fetcher.get(f"http://evil.example:{port}/{path}")
    assert inner.hits == 1


async def test_S1_one_own_machine_does_not_lead_to_another(serve: Serve) -> None:
    inner = Inner()
    inside = await serve(inner)
    port = int(inside.rsplit(":", 1)[1])
    first = await serve(redirector(("/", 302, inside)), address="127.0.0.2", port=port)
    with pytest.raises(FetchError, match="cannot connect"):
        await fetch(first + "/")
    assert inner.hits == 0


async def test_S1_having_left_the_own_machine_one_does_not_come_back(serve: Serve) -> None:
    inner = Inner()

    async def home(request: web.Request) -> web.StreamResponse:
        if request.path == "/start":
            return web.Response(status=302, headers={"Location": away})
        return await inner(request)

    inside = await serve(home)
    port = int(inside.rsplit(":", 1)[1])
    await serve(redirector(("/", 302, inside + "/secret")), address="127.0.0.2", port=port)
    away = f"http://out.example:{port}/"
    async with Fetcher(
        limits=QUICK,
        resolver=Names({"out.example": ["127.0.0.2"]}),
        may_connect=lambda a: str(a) == "127.0.0.2",
    ) as fetcher:
        with pytest.raises(FetchError, match="cannot connect"):
            await fetcher.get(inside + "/start")
    assert inner.hits == 0


async def test_S1_an_own_services_name_may_lead_home_and_a_redirect_of_it_nowhere_else(
    serve: Serve,
) -> None:
    """Nor a publisher's name that leads to the same machine; a cloud's metadata is nobody's."""
    inner = Inner()
    inside = await serve(inner)
    port = int(inside.rsplit(":", 1)[1])
    await serve(redirector(("/away", 302, inside)), address="127.0.0.2", port=port)
    names = Names({"own.example": ["127.0.0.2"], "far.example": ["169.254.169.254"]})
    asked = f"http://own.example:{port}"
    async with Fetcher(limits=QUICK, resolver=names) as fetcher:
        assert (await fetcher.get(f"{asked}/ping", own_service=True)).body == b"GET /ping"
        with pytest.raises(FetchError, match="cannot connect"):
            await fetcher.get(f"{asked}/ping")
        for refused in (f"{asked}/away", "http://far.example/"):
            with pytest.raises(FetchError, match="cannot connect"):
                await fetcher.get(refused, own_service=True)
    assert inner.hits == 0


async def test_S3_a_refused_address_and_a_dead_one_read_the_same() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", 0))
        port = probe.getsockname()[1]  # bound but not listening: refused
        texts = set()
        for address in ("127.0.0.2", "127.0.0.1"):
            names = Names({"x.example": [address]})
            async with Fetcher(
                limits=QUICK, resolver=names, may_connect=lambda a: str(a) == "127.0.0.2"
            ) as fetcher:
                with pytest.raises(FetchError) as caught:
                    await fetcher.get(f"http://x.example:{port}/")
            texts.add(str(caught.value))
        async with Fetcher(limits=QUICK, resolver=Names({})) as fetcher:
            with pytest.raises(FetchError) as caught:
                await fetcher.get("http://x.example/")
        texts.add(str(caught.value))
    assert texts == {"cannot connect to x.example"}


async def test_cookies_and_proxies_of_the_environment_are_not_used(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    seen: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "a=1; Path=/"})

    url = await serve(handler)
    async with Fetcher(limits=QUICK) as fetcher:
        await fetcher.get(url)
        await fetcher.get(url)
    assert seen == [None, None]


async def test_own_headers_do_not_travel_to_another_origin(serve: Serve) -> None:
    seen: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers.get("X-Key"))
        if request.path == "/a":
            return web.Response(
                status=302, headers={"Location": f"http://two.example:{request.url.port}/b"}
            )
        return web.Response()

    port = (await serve(handler)).rsplit(":", 1)[1]
    names = Names({"one.example": ["127.0.0.1"], "two.example": ["127.0.0.1"]})
    async with Fetcher(limits=QUICK, resolver=names, may_connect=is_own) as fetcher:
        await fetcher.get(f"http://one.example:{port}/a", headers={"X-Key": "k"})
    assert seen == ["k", None]


async def test_one_host_is_asked_one_request_at_a_time_with_a_pause(serve: Serve) -> None:
    starts: list[float] = []
    ends: list[float] = []
    busy = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal busy
        busy += 1
        assert busy == 1
        starts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.01)
        ends.append(asyncio.get_running_loop().time())
        busy -= 1
        return web.Response()

    url = await serve(handler)
    async with Fetcher(limits=Limits(pause=0.05)) as fetcher:
        results = await asyncio.gather(*(fetcher.get(url) for _ in range(3)))
    assert [result.status for result in results] == [200] * 3
    # the loop's clock counts whole milliseconds, of which a difference of fractions has a bit less
    pauses = [round(later - earlier, 6) for earlier, later in zip(ends, starts[1:], strict=False)]
    assert min(pauses) >= 0.05, pauses


def server_tls(ca: trustme.CA, *names: str, **kwargs: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names, **kwargs).configure_cert(context)
    return context


async def good_page(request: web.Request) -> web.Response:
    return web.Response(text="good")


async def test_F7_a_trusted_certificate_is_accepted_and_every_other_refused(serve: Serve) -> None:
    ca, stranger = trustme.CA(), trustme.CA()
    trust = ssl.create_default_context()
    ca.configure_trust(trust)
    old = datetime.now(UTC) - timedelta(days=2)
    async with Fetcher(limits=QUICK, tls=trust) as fetcher:
        url = await serve(good_page, tls=server_tls(ca, "127.0.0.1"))
        assert (await fetcher.get(url)).body == b"good"
        for context in (
            server_tls(stranger, "127.0.0.1"),
            server_tls(ca, "other.example"),
            server_tls(ca, "127.0.0.1", not_before=old - timedelta(days=9), not_after=old),
        ):
            with pytest.raises(FetchError, match="no TLS certificate we can trust"):
                await fetcher.get(await serve(good_page, tls=context))
    with pytest.raises(FetchError, match="no TLS certificate we can trust"):
        await fetch(url)  # the system does not know that authority


async def test_F7_a_downgrade_below_tls_1_2_is_refused() -> None:
    """Whoever is believed: with nobody named these are the library's, read at its import."""
    assert aiohttp.connector._SSL_CONTEXT_VERIFIED.minimum_version >= ssl.TLSVersion.TLSv1_2
    lax = ssl.create_default_context()
    lax.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    Fetcher(tls=lax)
    assert lax.minimum_version >= ssl.TLSVersion.TLSv1_2
