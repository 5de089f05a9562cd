"""The only outgoing HTTP client for sources: conditional GET, limits, guard, pacing.

What the outside world does, and what is done about it:

* A feed's address may lead anywhere. Only http and https, only ports 80 and 443 (or the port the
  configured address itself names), no user name in the address, and every redirect is followed
  here, checked hop by hop.
* aiohttp does not ask its resolver about IP literals and a name may resolve differently a second
  later, so the *address* is judged (`bot.addresses`) where the socket is made (`socket_factory`).
* An operator may point a source at his own machine. Only the very origin he wrote down is reached
  that way, through a connector of its own: nothing that came in by a redirect can borrow its
  sockets.
* An operator's proxy connects wherever it is told, so what it is told is judged here first, hop by
  hop. A name that this machine cannot look up is handed on to the proxy only where the operator
  himself wrote it (`bot.proxies`).
* A server that stays silent, trickles, or sends two gibibytes packed into two mebibytes costs one
  time-out or one capped buffer (`bot.packed`).
* Some sites hand out a cookie with a redirect and want it back behind it: it lives as long as that
  one request, and is sent to the host that set it.

Messages of `FetchError` are our own words: no query string, no exception text. A refused address
and a dead one read the same, so that nobody can map a network by looking at errors.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import re
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookies import SimpleCookie
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.addresses import IPAddress, checked, is_own, is_own_host, is_public, redirect_target
from bot.errors import FetchError
from bot.packed import unpacked
from bot.proxies import connector_of

USER_AGENT = "Jarchy/1 (self-hosted exchange rate and news bot)"
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.9, text/html;q=0.8, */*;q=0.5"
)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
# a name of the internet, which a number in another form ("2130706433") or a bare word is not
_NAME = re.compile(r"[^.]+(?:\.[^.]+)*\.[^.0-9][^.]*\.?")
LONGEST_FIELD = (
    32 * 1024
)  # bytes of one header: a Content-Security-Policy may have sixteen thousand
LONGEST_RETRY_AFTER = timedelta(days=1)  # a server may ask for more; we look again after a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What the server gave us to ask "has it changed?" with next time."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A good answer. `body` is None when nothing changed since the validators were given (304).

    `url` is where the answer came from in the end; `moved_to` is set when the way from the asked
    address began with permanent redirects: it is the address to ask in future. `charset` is what
    the server claims.
    """

    status: int
    body: bytes | None
    url: str
    content_type: str | None = None
    charset: str | None = None
    moved_to: str | None = None
    validators: Validators = Validators()
    links: tuple[str, ...] = ()  # the `Link` headers as they came


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one answer may cost us (seconds, bytes), and how often one host is asked."""

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


@functools.cache
def system_trust() -> ssl.SSLContext:
    """The certificates the system trusts, read once a process: reading them takes 50 ms."""
    return ssl.create_default_context()


class Fetcher:
    """Fetches sources politely and safely; use as an async context manager, or `open` and `close`.

    `tls` replaces the system's trust store, `resolver` the system's resolver, `may_connect` the
    judgement of addresses that are not the operator's own.
    """

    def __init__(
        self,
        *,
        limits: Limits = Limits(),
        tls: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
        may_connect: Callable[[IPAddress], bool] = is_public,
    ) -> None:
        self._limits = limits
        self._tls = tls or system_trust()
        self._tls.minimum_version = max(self._tls.minimum_version, ssl.TLSVersion.TLSv1_2)
        self._resolver = resolver
        self._may_connect = may_connect
        self._hosts: dict[str, _Host] = {}
        self._public: aiohttp.ClientSession | None = None
        self._own: aiohttp.ClientSession | None = None
        self._proxied: dict[str, _Proxied] = {}

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
        """Make the two sessions: the guarded one, and the one for the operator's own machines."""
        self._public = self._session(self._may_connect)
        self._own = self._session(is_own)

    async def close(self) -> None:
        """Close all sessions; requests under way fail."""
        proxied = [one.session for one in self._proxied.values()]
        for session in (self._public, self._own, *proxied):
            if session is not None:
                await session.close()
        self._public = self._own = None
        self._proxied.clear()

    async def get(
        self,
        url: str,
        *,
        validators: Validators | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        found_on: str | None = None,
        proxy: str | None = None,
    ) -> Fetched:
        """Fetch `url` as its publisher configured it, waiting for the host's turn first.

        With `data` it is a POST (some central banks speak SOAP). `headers` are sent to the
        configured origin only, but for our own name, which is no secret; a `proxy` is asked for
        every hop. An address that nobody configured, but that was `found_on` a configured one, is
        judged like a redirect from it. Raises FetchError for anything but a complete 2xx answer,
        or a 304 to `validators`.
        """
        if found_on is None:
            start = checked(url)
            own = is_own_host(start)
        else:
            page = checked(found_on)
            start = checked(url, page)
            own = is_own_host(start) and start.origin() == page.origin()
        asked = {"User-Agent": USER_AGENT, "Accept": ACCEPT, "Accept-Encoding": "gzip, deflate"}
        extra = dict(headers or {})
        asked["User-Agent"] = extra.pop("User-Agent", USER_AGENT)
        if validators and validators.etag:
            asked["If-None-Match"] = validators.etag
        if validators and validators.last_modified:
            asked["If-Modified-Since"] = validators.last_modified
        async with self._turn(start.host or ""):
            try:
                async with asyncio.timeout(self._limits.total):
                    through = None
                    if proxy is not None:
                        through = self._through(proxy, named=found_on is None)
                    return await self._follow(start, data, asked, extra, own=own, through=through)
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError, zlib.error) as error:
                raise self._translated(error, start.host) from None

    @asynccontextmanager
    async def _turn(self, name: str) -> AsyncIterator[None]:
        """A host's turn: one request at a time, with a pause behind it, whoever asks."""
        host = self._hosts.setdefault(name, _Host())
        loop = asyncio.get_running_loop()
        async with host.lock:
            await asyncio.sleep(max(0.0, host.free_at - loop.time()))
            try:
                yield
            finally:
                host.free_at = loop.time() + self._limits.pause

    async def _follow(
        self,
        start: URL,
        data: bytes | None,
        asked: dict[str, str],
        extra: dict[str, str],
        *,
        own: bool,
        through: _Through | None,
    ) -> Fetched:
        """The answer at the end of the redirects, each checked before it is gone."""
        url, permanent = start, True
        moved_to: str | None = None
        cookies = _Cookies()
        for _ in range(self._limits.redirects + 1):
            sent = asked | cookies.sent_to(url)
            if url.origin() == start.origin():  # a key in a header is nobody else's affair
                sent = sent | extra
            session, proxy = self._open_session(own=own), None
            if through is not None:
                named = through.named and url.host == start.host
                await self._judge(url, through.way, own=own, named=named)
                session, proxy = through.way.session, through.way.proxy
            async with session.request(
                _method(data), url, data=data, headers=sent, allow_redirects=False, proxy=proxy
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
            own = own and target.origin() == start.origin()
            url = target
        raise FetchError(f"more than {self._limits.redirects} redirects")

    def _through(self, proxy: str, *, named: bool) -> _Through:
        """The way through a proxy, one session for each."""
        if proxy not in self._proxied:
            address = URL(proxy)
            told: dict[str, str] = {}
            connector = connector_of(address, told, self._tls)
            way = _Proxied(session=self._session_of(connector), told=told)
            if address.scheme in {"http", "https"}:
                way = replace(way, proxy=address)
            self._proxied[proxy] = way
        return _Through(way=self._proxied[proxy], named=named)

    async def _judge(self, url: URL, way: _Proxied, *, own: bool, named: bool) -> None:
        """Whether a proxy may be asked for that host; it is told the address that was judged.

        What it refuses reads like a host that is dead: _UnreachableError. Where it is `named` by
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
                    raise _UnreachableError from None
                way.told[host] = host
                return
        if not all(allowed(ipaddress.ip_address(one)) for one in found):
            raise _UnreachableError
        way.told[host] = found[0]

    def _open_session(self, *, own: bool) -> aiohttp.ClientSession:
        session = self._public
        if own:
            session = self._own
        if session is None:
            raise RuntimeError("the fetcher is not open")
        return session

    async def _answer(
        self, response: aiohttp.ClientResponse, url: URL, moved_to: str | None, *, conditional: bool
    ) -> Fetched:
        body: bytes | None = None
        # 304 to a question without conditions is no answer: there is nothing that would still hold.
        if response.status != 304 or not conditional:
            if not 200 <= response.status < 300:
                wait = retry_after(response.headers, datetime.now(UTC))
                raise FetchError(
                    f"the server answered {response.status}",
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
            validators=Validators(
                etag=response.headers.get("ETag"),
                last_modified=response.headers.get("Last-Modified"),
            ),
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
        raise FetchError(
            f"the answer is larger than {most / 1024 / 1024:g} MiB", status=response.status
        )

    def _session(self, allowed: Callable[[IPAddress], bool]) -> aiohttp.ClientSession:
        """A session whose sockets only reach addresses that are `allowed`."""

        def guarded(info: tuple[Any, ...]) -> socket.socket:
            family, kind, protocol, _, address = info
            if not allowed(ipaddress.ip_address(address[0])):
                raise OSError("address refused")
            return socket.socket(family, kind, protocol)

        # force_close: a socket that was allowed once is never lent to another request.
        connector = aiohttp.TCPConnector(
            ssl=self._tls, resolver=self._resolver, socket_factory=guarded, force_close=True
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
            timeout=aiohttp.ClientTimeout(total=None, connect=self._limits.connect),
        )

    def _translated(self, error: Exception, host: str | None) -> FetchError:
        """An error of the network in our words; the narrower classes come first."""
        match error:
            case aiohttp.ConnectionTimeoutError():
                text = f"{host} did not accept a connection within {self._limits.connect:g} s"
            case TimeoutError():
                text = f"no complete answer from {host} within {self._limits.total:g} s"
            case (
                _UnreachableError()
                | aiohttp.ClientProxyConnectionError()
                | aiohttp.ClientHttpProxyError()
            ):
                text = f"cannot connect to {host}"
            case aiohttp.ClientSSLError() | aiohttp.ClientConnectorCertificateError():
                text = f"{host} has no TLS certificate we can trust"
            case aiohttp.ClientConnectorError() | aiohttp.ClientConnectorDNSError():
                text = f"cannot connect to {host}"
            case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError() | zlib.error():
                text = f"the answer from {host} broke off or is not proper HTTP"
            case ValueError():  # InvalidURL and what encoding a strange host name raises
                text = f"cannot connect to {host}"
            case _:
                text = f"the connection to {host} broke"
        return FetchError(text)


class _UnreachableError(OSError):
    """A proxy is not asked for that host: it has no address, or one that nobody may ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proxied:
    """A proxy's session; `proxy` where aiohttp is to be told, `told` what a SOCKS one is."""

    session: aiohttp.ClientSession
    told: dict[str, str]
    proxy: URL | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Through:
    """One request's way through a proxy; whether the operator `named` its host."""

    way: _Proxied
    named: bool


class _Cookies:
    """The cookies that the redirects of one request set, each for the host that set it."""

    def __init__(self) -> None:
        self._jar: aiohttp.CookieJar | None = (
            None  # few requests are redirected, fewer with cookies
        )

    def keep(self, cookies: SimpleCookie, url: URL) -> None:
        """Remember what the answer from `url` set; of another domain's the jar takes none."""
        if cookies:
            self._jar = self._jar or aiohttp.CookieJar(unsafe=True)  # for hosts that are numbers
            self._jar.update_cookies(cookies, url)

    def sent_to(self, url: URL) -> dict[str, str]:
        """The header with the cookies of that address; none where it has none."""
        pairs: list[str] = []
        if self._jar is not None:
            for name, morsel in self._jar.filter_cookies(url).items():
                pairs.append(f"{name}={morsel.coded_value}")
        if not pairs:
            return {}
        return {"Cookie": "; ".join(pairs)}


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds the server asks us to wait, from `Retry-After` in either form; at most a day.

    None when it does not say. A date is measured from the server's own `Date`, so that its clock
    need not agree with ours.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        seconds = float(value[:9])
    else:
        until = _http_date(value)
        if until is None:
            return None
        seconds = (until - (_http_date(headers.get("Date", "")) or now)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER.total_seconds())


def _http_date(value: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if parsed.tzinfo is None:  # "-0000": the zone is not said, and HTTP has only GMT
        return parsed.replace(tzinfo=UTC)
    return parsed


def _method(data: bytes | None) -> str:
    if data is None:
        return "GET"
    return "POST"


def _is_conditional(asked: Mapping[str, str]) -> bool:
    return "If-None-Match" in asked or "If-Modified-Since" in asked
