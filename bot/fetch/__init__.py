"""The only outgoing HTTP client for sources: conditional GET, limits, guard, pacing.

What the outside world does, and what is done about it:

* A feed's address may lead anywhere. Only http and https, only ports 80 and 443 (or the port the
  configured address itself names), no user name in the address, and every redirect is followed
  here, checked hop by hop.
* Every address is judged where the socket is made, and what a proxy is told before it is told; an
  operator's own machine is reached by the very origin he wrote down alone (`bot.fetch.ways`), as a
  number or as `localhost`; by a name only where that is no publisher's, but his own service's.
* A server that stays silent, trickles, or sends two gibibytes packed into two mebibytes costs one
  time-out or one capped buffer (`bot.packed`).
* Some sites hand out a cookie with a redirect and want it back behind it (`bot.fetch.cookies`).

Messages of `FetchError` are our own words: no query string, no exception text. A refused address
and a dead one read the same, so that nobody can map a network by looking at errors.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from cachetools import LRUCache
from yarl import URL

from bot.addresses import IPAddress, checked, is_own_host, is_public, redirect_target
from bot.clock import boottime, pause
from bot.errors import FetchError
from bot.fetch.answers import Fetched, Validators, retry_after
from bot.fetch.cookies import Cookies
from bot.fetch.ways import Reach, Through, UnreachableError, Ways
from bot.packed import unpacked
from bot.reasons import reason

USER_AGENT = "Jarchy/1 (self-hosted exchange rate and news bot)"
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.9, text/html;q=0.8, */*;q=0.5"
)
REMEMBERED_HOSTS = 2_000  # more than can be asked within a pause
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
# answers to who asks for a part, or for what has changed: nobody here does, and what is left out
# would read as taken from the document
PARTS = frozenset({206, 226})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that one answer may cost us (seconds, bytes), and how often one host is asked."""

    total: float = 20.0
    connect: float = 8.0
    body: int = 5 * 1024 * 1024
    redirects: int = 5
    pause: float = 1.0  # between the end of one request to a host and the start of the next


@dataclass(slots=True)
class _Host:
    """One host's turn: a request at a time, the next not before `free_at` (loop time)."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0


class Fetcher:
    """Fetches sources politely and safely; use as an async context manager, or `open` and `close`.

    `tls` replaces the system's trust store, `resolver` the system's resolver, `may_connect` the
    judgement of addresses that are not the operator's own. A `proxy` leads to all hosts but these;
    a request that names another one goes by that.
    """

    def __init__(
        self,
        *,
        limits: Limits = Limits(),
        tls: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
        may_connect: Callable[[IPAddress], bool] = is_public,
        proxy: str | None = None,
    ) -> None:
        self._limits = limits
        self._proxy = proxy
        self._ways = Ways(
            tls=tls, resolver=resolver, may_connect=may_connect, connect=limits.connect
        )
        # one whose turn is forgotten is asked at once, like a new one
        self._hosts: LRUCache[str, _Host] = LRUCache(REMEMBERED_HOSTS)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Open the ways to hosts."""
        await self._ways.open()

    async def close(self) -> None:
        """Close all ways; requests under way fail."""
        await self._ways.close()

    async def get(
        self,
        url: str,
        *,
        validators: Validators | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        found_on: str | None = None,
        proxy: str | None = None,
        at_turn: Callable[[], Awaitable[object]] | None = None,
        own_service: bool = False,
        of_stranger: bool = False,
    ) -> Fetched:
        """Fetch `url` as its publisher configured it, waiting for the host's turn first.

        What is awaited `at_turn` is needed for the request and not for the wait before it, which
        may be long: each host answers one request at a time.

        With `data` it is a POST (some central banks speak SOAP). `headers` are sent to the
        configured origin only, but for our own name, which is no secret; a `proxy` is asked for
        every hop. An address that nobody configured, but that was `found_on` a configured one, is
        judged like a redirect from it, and where it is `of_stranger` no proxy looks its name up
        again. The name of an `own_service` of the operator's may lead to his own machines. Raises
        FetchError for anything but a complete 2xx answer, or a 304 to `validators`.
        """
        if found_on is None:
            start = checked(url)
            own = is_own_host(start)
        else:
            page = checked(found_on)
            start = checked(url, page)
            own = is_own_host(start) and start.origin() == page.origin()
            if is_own_host(start) and not own:  # nor does the wait for its turn tell of it
                raise self._translated(UnreachableError(), start.host)
        reach = Reach.INTERNET
        if own:
            reach = Reach.OWN
        elif own_service:
            reach = Reach.EITHER
        asked = {"User-Agent": USER_AGENT, "Accept": ACCEPT, "Accept-Encoding": "gzip, deflate"}
        extra = dict(headers or {})
        asked["User-Agent"] = extra.pop("User-Agent", USER_AGENT)
        if validators and validators.etag:
            asked["If-None-Match"] = validators.etag
        if validators and validators.last_modified:
            asked["If-Modified-Since"] = validators.last_modified
        async with self._turn(start.host or ""):
            if at_turn is not None:
                await at_turn()
            try:
                async with asyncio.timeout(self._limits.total):
                    if proxy is None and not await self._is_home(start, reach):
                        proxy = self._proxy
                    through = None
                    if proxy is not None:
                        named = found_on is None
                        through = self._ways.through(proxy, named=named, of_stranger=of_stranger)
                    return await self._follow(start, data, asked, extra, reach, through=through)
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError, zlib.error) as error:
                raise self._translated(error, start.host) from None

    async def _is_home(self, start: URL, reach: Reach) -> bool:
        """Whether a request leads to the operator's own machine, past the proxy to all others."""
        if self._proxy is None or reach is not Reach.EITHER:
            return reach is Reach.OWN
        return await self._ways.is_home(start)

    @asynccontextmanager
    async def _turn(self, name: str) -> AsyncIterator[None]:
        """A host's turn: one request at a time, with a pause behind it, whoever asks."""
        host = self._hosts.setdefault(name, _Host())
        async with host.lock:
            await pause(host.free_at - boottime())
            try:
                yield
            finally:
                host.free_at = boottime() + self._limits.pause

    async def _follow(
        self,
        start: URL,
        data: bytes | None,
        asked: dict[str, str],
        extra: dict[str, str],
        reach: Reach,
        *,
        through: Through | None,
    ) -> Fetched:
        """The answer at the end of the redirects, each checked before it is gone."""
        url, permanent = start, True
        moved_to: str | None = None
        cookies = Cookies()
        for _ in range(self._limits.redirects + 1):
            sent = asked | cookies.sent_to(url)
            if url.origin() == start.origin():  # a key in a header is nobody else's affair
                sent = sent | extra
            session, proxy, to = self._ways.straight(reach), None, url
            if through is not None:
                named = through.named and url.host == start.host
                await self._ways.judge(url, through.way, reach, named=named)
                session, proxy = through.way.session, through.way.proxy
                if through.of_stranger:
                    to = self._ways.by_address(url, through.way)
            async with session.request(
                _method(data),
                to,
                data=data,
                headers=sent | {"Host": url.host_port_subcomponent or ""},
                allow_redirects=False,
                proxy=proxy,
                server_hostname=url.raw_host,
            ) as response:
                if response.status not in REDIRECTS:
                    return await self._answer(
                        response, url, moved_to, conditional=_is_conditional(asked)
                    )
                cookies.keep(response.cookies, url)
                target = redirect_target(url, response.headers.get("Location"), start)
                # The address to remember ends where the first temporary redirect begins.
                permanent = permanent and response.status in PERMANENT
                if permanent:
                    moved_to = str(target)
                if response.status in {301, 302, 303}:
                    data = None  # as every browser does, whatever the method was
            # having left it, one does not come back
            if target.origin() != start.origin():
                reach = Reach.INTERNET
            url = target
        raise FetchError(
            reason("fetch.redirects", "more than {n} redirects", n=self._limits.redirects)
        )

    async def _answer(
        self, response: aiohttp.ClientResponse, url: URL, moved_to: str | None, *, conditional: bool
    ) -> Fetched:
        body: bytes | None = None
        # 304 to a question without conditions is no answer: there is nothing that would still hold.
        if response.status != 304 or not conditional:
            if not 200 <= response.status < 300 or response.status in PARTS:
                wait = retry_after(response.headers, datetime.now(UTC))
                raise FetchError(
                    reason(
                        "fetch.status", "the server answered {status}", status=str(response.status)
                    ),
                    status=response.status,
                    retry_after=wait,
                )
            body = await self._body(response)
        content_type = None
        if "Content-Type" in response.headers:  # else aiohttp makes application/octet-stream of it
            content_type = response.content_type
        return Fetched(
            status=response.status,
            body=body,
            url=str(url),
            content_type=content_type,
            charset=response.charset,
            moved_to=moved_to,
            validators=Validators.of(response.headers),
            links=tuple(response.headers.getall("Link", ())),
        )

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """The body, counted as it comes and again unpacked: a small archive may hold gigabytes."""
        most = self._limits.body
        body = bytearray()
        if (response.content_length or 0) <= most:
            async for chunk in response.content.iter_chunked(64 * 1024):
                body += chunk
                if len(body) > most:
                    break
            else:
                encoding = response.headers.get("Content-Encoding", "")
                plain = unpacked(bytes(body), encoding, most=most)
                if len(plain) <= most:
                    return plain
        size = reason(
            "fetch.too_large", "the answer is larger than {size} MiB", size=most / 1024 / 1024
        )
        raise FetchError(size, status=response.status)

    def _translated(self, error: Exception, host: str | None) -> FetchError:
        """An error of the network in our words; the narrower classes come first."""
        unreachable = reason("fetch.unreachable", "cannot connect to {host}", host=host)
        match error:
            case aiohttp.ConnectionTimeoutError():
                why = reason(
                    "fetch.no_connection",
                    "{host} did not accept a connection within {seconds} s",
                    host=host,
                    seconds=self._limits.connect,
                )
            case TimeoutError():
                why = reason(
                    "fetch.no_answer",
                    "no complete answer from {host} within {seconds} s",
                    host=host,
                    seconds=self._limits.total,
                )
            case (
                UnreachableError()
                | aiohttp.ClientProxyConnectionError()
                | aiohttp.ClientHttpProxyError()
            ):
                why = unreachable
            case aiohttp.ClientSSLError() | aiohttp.ClientConnectorCertificateError():
                words = "{host} has no TLS certificate we can trust"
                why = reason("fetch.certificate", words, host=host)
            case aiohttp.ClientConnectorError() | aiohttp.ClientConnectorDNSError():
                why = unreachable
            case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError() | zlib.error():
                words = "the answer from {host} broke off or is not proper HTTP"
                why = reason("fetch.broken", words, host=host)
            case ValueError():  # InvalidURL and what encoding a strange host name raises
                why = unreachable
            case _:
                why = reason("fetch.cut", "the connection to {host} broke", host=host)
        return FetchError(why)


def _method(data: bytes | None) -> str:
    if data is None:
        return "GET"
    return "POST"


def _is_conditional(asked: Mapping[str, str]) -> bool:
    return "If-None-Match" in asked or "If-Modified-Since" in asked
