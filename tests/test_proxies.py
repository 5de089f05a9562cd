"""Sources by the catalog's `headers`, `user_agent` and `proxy`: real proxies on loopback, whose
every request is seen.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

import bot.fetch as fetching
from bot import log, proxies
from bot.addresses import is_public
from bot.clock import utc_now
from bot.errors import ConfigError, FetchError, SourceError
from bot.fetch import USER_AGENT, Fetcher, Limits, ways
from bot.fetch.answers import Fetched
from bot.ingest.documents import MOVED_AFTER, Documents
from bot.ingest.side_by_side import Slot
from bot.ingest.trial import try_source
from bot.own_feeds import OwnFeeds
from bot.sources.catalog import parse_catalog
from bot.sources.own import OwnAddress
from storage.connecting import connect
from storage.sources import Document
from tests.proxy import Proxy, proxy_to
from tests.publishers import QUIET, rss
from tests.world import Here, migrated_copy

#: A public address, as far as the guard knows; the proxies of these tests lead it to loopback.
PUBLIC = "93.184.215.14"
SECRET = "q7-secret-key"


class Names(AbstractResolver):
    """Names of the test's own; others are not known."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: int = 0,  # noqa: ARG002 - aiohttp's own
    ) -> list[ResolveResult]:
        """The one address of a name."""
        if host not in self.names:
            raise OSError("no such name")
        return [
            ResolveResult(
                hostname=host, host=self.names[host], port=port, family=2, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def publisher(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[str]]]:
    """A publisher's port, and what it was asked: host, path, the headers of these tests."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        told = [request.headers.get(name, "-") for name in ("User-Agent", "X-Key")]
        seen.append(f"{request.host} {request.path} {told[0]} {told[1]}")
        if request.path == "/inside":
            return web.Response(status=302, headers={"Location": "http://10.0.0.1/secret"})
        if request.path == "/unknown":
            return web.Response(status=302, headers={"Location": "http://unknown.example/"})
        if request.path == "/away":
            return web.Response(status=302, headers={"Location": "http://two.example/there"})
        return web.Response(body=rss(QUIET), content_type="application/xml")

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield runner.addresses[0][1], seen
    finally:
        await runner.cleanup()


NAMES = {"one.example": PUBLIC, "two.example": PUBLIC, "inside.example": "192.168.1.1"}


async def fetch(
    url: str, proxy: Proxy, tls: ssl.SSLContext | None = None, **how: object
) -> Fetched:
    """One request of the guarded fetcher through a proxy."""
    limits = Limits(pause=0, total=5)
    async with Fetcher(limits=limits, resolver=Names(NAMES), tls=tls) as fetcher:
        return await fetcher.get(url, proxy=proxy.url, **how)  # type: ignore[arg-type]  # the test's own


@pytest.mark.parametrize(
    ("scheme", "told"),
    [("http", "GET http://one.example/feed"), ("socks5", f"{PUBLIC}:80")],
)
async def test_F24_a_source_is_reached_through_its_proxy(scheme: str, told: str) -> None:
    """A SOCKS proxy is told the address that was judged, never a name it could look up anew."""
    async with publisher() as (port, seen), proxy_to(port, scheme) as proxy:
        got = await fetch("http://one.example/feed", proxy)
    assert got.body is not None
    assert b"<rss" in got.body
    assert proxy.asked == [told]
    assert seen == [f"one.example /feed {USER_AGENT} -"]


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_F24_tls_is_the_hosts_own_through_a_proxy(scheme: str) -> None:
    """The certificate has to be the name's, though the proxy was told an address."""
    authority = trustme.CA()
    ours, trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("one.example").configure_cert(ours)
    authority.configure_trust(trust)
    async with publisher(ours) as (port, seen), proxy_to(port, scheme) as proxy:
        await fetch("https://one.example/feed", proxy, trust)
        with pytest.raises(FetchError, match="certificate"):
            await fetch("https://two.example/feed", proxy, trust)
    assert len(seen) == 1
    where = "one.example" if scheme == "http" else PUBLIC
    assert f"{where}:443" in proxy.asked[0]


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_F24_a_proxys_password_is_given_to_it_alone_and_never_said(scheme: str) -> None:
    """Right or wrong: neither the error nor what is made of it has a letter of it."""
    password = f"{SECRET}-пароль"
    async with publisher() as (port, seen), proxy_to(port, scheme, password=password) as proxy:
        await fetch("http://one.example/feed", proxy)
        pair = f"me:{password}"
        if scheme == "http":
            pair = f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}"
        assert proxy.introduced == [pair]
        proxy.refuses = True
        with pytest.raises(FetchError) as caught:
            await fetch("http://one.example/feed", proxy)
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert len(seen) == 1


@pytest.mark.parametrize("scheme", ["http", "socks5"])
@pytest.mark.parametrize(
    "url",
    [
        "http://inside.example/",
        "http://one.example/inside",
        "http://one.example/unknown",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://metadata/",
        "http://127.0x1/",
    ],
)
async def test_S1_what_a_proxy_is_asked_for_is_judged_at_every_hop(scheme: str, url: str) -> None:
    """Inside addresses, names that mean one, and names by a redirect that nobody here knows."""
    async with publisher() as (port, _), proxy_to(port, scheme) as proxy:
        with pytest.raises(FetchError, match="cannot connect to"):
            await fetch(url, proxy)
    for asked in proxy.asked:
        assert "one.example" in asked or asked == f"{PUBLIC}:80"


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_F24_a_name_only_the_proxy_knows_is_handed_on_where_the_operator_wrote_it(
    scheme: str,
) -> None:
    """A provider that hides names is a reason for having a proxy; a page's link is no operator."""
    async with publisher() as (port, _), proxy_to(port, scheme) as proxy:
        await fetch("http://hidden.example/feed", proxy)
        count = len(proxy.asked)
        with pytest.raises(FetchError, match="cannot connect to"):
            await fetch("http://other.example/x", proxy, found_on="http://one.example/")
    assert len(proxy.asked) == count == 1
    assert "hidden.example" in proxy.asked[0]


async def test_S1_an_http_proxy_is_told_no_name_of_a_readers(tmp_path: Path) -> None:
    """It would look it up again, when it may mean an address of its own network; the certificate
    has to be the name's all the same. Where that cannot be, nothing is asked.
    """
    authority = trustme.CA()
    ours, trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("one.example").configure_cert(ours)
    authority.configure_trust(trust)
    async with (
        publisher(ours) as (port, seen),
        proxy_to(port, "http") as proxy,
        Fetcher(
            limits=Limits(pause=0), resolver=Names(NAMES), tls=trust, proxy=proxy.url
        ) as fetcher,
    ):
        store = connect(migrated_copy(tmp_path / "jarchy.db"))
        feeds = OwnFeeds(store=store, fetcher=fetcher, workers=Here(), clock=utc_now, jitter=0)
        assert await feeds.tried(OwnAddress(url="https://one.example/feed")) is not None
        for url in ("https://two.example/feed", "http://one.example/feed"):
            with pytest.raises(SourceError):
                await feeds.tried(OwnAddress(url=url))
    assert proxy.asked == [f"CONNECT {PUBLIC}:443"] * 2
    assert seen == [f"one.example /feed {USER_AGENT} -"]


async def test_F24_a_proxy_to_all_hosts_is_passed_by_where_the_operators_own_machine_is_asked() -> (
    None
):
    """A catalog's address of it, and a service of the operator's whose name leads there. What has
    a proxy of its own goes by that; what a reader named is looked up here first.
    """
    names = Names({**NAMES, "home.example": "127.0.0.1"})
    async with (
        publisher() as (port, seen),
        proxy_to(port, "http") as usual,
        proxy_to(port, "socks5") as other,
        Fetcher(limits=Limits(pause=0), resolver=names, proxy=usual.url) as fetcher,
    ):
        await fetcher.get(f"http://127.0.0.1:{port}/own")
        await fetcher.get(f"http://home.example:{port}/own", own_service=True)
        await fetcher.get("http://one.example/feed", proxy=other.url)
        assert usual.asked == []
        assert other.asked == [f"{PUBLIC}:80"]
        await fetcher.get("http://one.example/feed")
        await fetcher.get("http://switch.example/ping", own_service=True)
        await fetcher.get("http://two.example/a", found_on="https://t.me/")
        for url in ("http://inside.example/", "http://unknown.example/", "http://10.0.0.1/"):
            with pytest.raises(FetchError, match="cannot connect to"):
                await fetcher.get(url, found_on="https://t.me/")
    assert usual.asked == [
        "GET http://one.example/feed",
        "GET http://switch.example/ping",
        "GET http://two.example/a",
    ]
    assert len(seen) == 6


@pytest.mark.parametrize("first", ["refuses", "is silent"])
async def test_F24_another_address_of_a_proxy_is_tried(
    monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """As of a name that has an IPv6 and an IPv4 address, of which one leads nowhere."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as dead, ExitStack() as held:
        nowhere = dead.getsockname()
        if first == "is silent":  # what is not taken fills its queue
            monkeypatch.setattr(proxies, "NEXT_ADDRESS_AFTER", 0.05)
            for _ in range(4):
                one = held.enter_context(socket.socket())
                one.setblocking(False)
                one.connect_ex(nowhere)
        else:
            dead.close()
        async with publisher() as (port, _), proxy_to(port, "socks5") as proxy:
            right = ("127.0.0.1", URL(proxy.url).port)

            async def addresses(_proxy: URL) -> list[Any]:
                kind = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
                return [(*kind, nowhere), (*kind, right)]

            monkeypatch.setattr(proxies, "_addresses", addresses)
            assert (await fetch("http://one.example/feed", proxy)).body is not None


async def test_F24_however_many_hosts_are_asked_few_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Readers name any number of them."""
    monkeypatch.setattr(fetching, "REMEMBERED_HOSTS", 3)
    monkeypatch.setattr(ways, "TOLD_HOSTS", 3)
    names = {f"h{number}.example": PUBLIC for number in range(9)}
    async with (
        publisher() as (port, seen),
        proxy_to(port, "socks5") as proxy,
        Fetcher(limits=Limits(pause=0), resolver=Names(names)) as fetcher,
    ):
        for name in names:
            await fetcher.get(f"http://{name}/feed", proxy=proxy.url)
        assert len(fetcher._hosts) == 3
        (way,) = fetcher._ways._proxied.values()
        assert len(way.told) == 3
    assert len(seen) == 9


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_F24_a_proxy_that_is_dead_or_talks_nonsense_is_one_error(scheme: str) -> None:
    """Within the time limit, in our own words."""

    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"\x00\xff" * 400)
        writer.close()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    proxy = Proxy(0)
    proxy.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        with pytest.raises(FetchError):
            await fetch("http://one.example/", proxy)
    with pytest.raises(FetchError, match=r"cannot connect to one\.example"):
        await fetch("http://one.example/", proxy)


# ── headers and our name ────────────────────────────────────────────────────


def section(url: str, how: str, kind: str = "feeds") -> str:
    """A feed, a page or a bank of a catalog with one more line."""
    rest = {
        "feeds": f'url = "{url}"',
        "pages": f'url = "{url}"\nitem = "li"\nlink = "a"',
        "rates": f'parser = "nbkr"\nname = {{ en = "X" }}\nurls = ["{url}"]',
    }[kind]
    return f"[{kind}.x]\n{rest}\n{how}\n"


async def test_F24_headers_and_our_name_are_those_of_the_catalog(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """For the source's own host; a redirect elsewhere gets our name and no key, nor does the place
    to which a source has moved for good.
    """
    how = f'user_agent = "Mozilla/5.0 (test)"\nheaders = {{ "x-key" = "{SECRET}" }}'
    async with publisher() as (port, seen), proxy_to(port, "http") as proxy:
        how += f'\nproxy = "{proxy.url}"'
        catalog = parse_catalog(section("http://one.example/away", how))
        (spec,) = catalog.polled
        limits = Limits(pause=0)
        async with Fetcher(limits=limits, resolver=Names(NAMES), may_connect=is_public) as fetcher:
            trial = await try_source(spec, fetcher, Here(), now=datetime.now(UTC))
            asked = spec.request
            moved = Document(
                source="x",
                url=asked.url,
                moved_to="http://two.example/there",
                moved_seen=MOVED_AFTER,
            )
            documents = Documents(fetcher=fetcher, workers=Here())
            slot = Slot(asyncio.Semaphore())
            await documents.fetch("x", [asked], {asked.url: moved}, slot=slot)
    assert trial.ok, trial.words
    assert seen == [
        f"one.example /away Mozilla/5.0 (test) {SECRET}",
        "two.example /there Mozilla/5.0 (test) -",
        "two.example /there Mozilla/5.0 (test) -",
    ]
    assert SECRET not in repr(spec) + repr(spec.request) + caplog.text
    assert SECRET in catalog.secrets


@pytest.mark.parametrize("kind", ["feeds", "pages", "rates"])
def test_F24_every_kind_of_source_may_have_them(kind: str) -> None:
    how = (
        'headers = { Accept-Language = "ru" }\nuser_agent = "X"\nproxy = "socks5://127.0.0.1:9050"'
    )
    (spec,) = parse_catalog(section("https://one.example/", how, kind)).polled
    assert dict(spec.headers) == {"Accept-Language": "ru"}
    assert spec.user_agent == "X"
    assert spec.proxy == "socks5://127.0.0.1:9050"
    assert spec.secrets == ()


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ('headers = { "X Key" = "q7-secret-key" }', "a table of headers"),
        ('headers = { X-Key = "q7-secret-key\\r\\nHost: inside" }', "a table of headers"),
        ("headers = { X-Key = 5 }", "a table of headers"),
        ('headers = "q7-secret-key"', "a table of headers"),
        ('headers = { host = "q7-secret-key" }', "says itself"),
        ('headers = { USER-AGENT = "q7-secret-key" }', "user_agent"),
        ('user_agent = "q7-secret-key\\n"', "a line of Latin letters"),
        ('user_agent = ""', "a line of Latin letters"),
        ('proxy = "ftp://me:q7-secret-key@x"', "socks5://host:port"),
        ('proxy = "me:q7-secret-key@x:99999"', "socks5://host:port"),
        ('proxy = "http://me:q7-secret-key@x:99999"', "socks5://host:port"),
        ('proxy = "http://me:q7-secret-key@x/y?z"', "socks5://host:port"),
    ],
)
def test_F24_a_mistake_is_told_without_what_was_written(line: str, right: str) -> None:
    """It may be a key."""
    with pytest.raises(ConfigError) as caught:
        parse_catalog(section("https://one.example/", line))
    assert right in str(caught.value)
    assert SECRET not in str(caught.value)


def test_F24_keys_are_redacted_wherever_they_would_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A library's own log, a server's answer that repeats them."""
    monkeypatch.setattr(log, "_hidden", set())
    how = (
        'headers = { Authorization = "Bearer q7-secret-key", Accept-Language = "ru-RU,ru;q=0.9" }\n'
        'proxy = "http://me:pass%20word9@proxy.example:3128"'
    )
    catalog = parse_catalog(section("https://one.example/", how))
    log.hide(*catalog.secrets)
    said = log.redact("q7-secret-key, pass%20word9, pass word9, ru-RU,ru;q=0.9")
    assert said == "***, ***, ***, ru-RU,ru;q=0.9"
