"""Requests to the Bot API over one aiohttp session.

`Api` sends ready-made JSON bodies: for broadcasts, where only `chat_id` differs
from chat to chat, and for replies; `Line` puts them on the session's connections.
`AiohttpRequest` gives python-telegram-bot the same session: its default
transport collapses with 100 requests in flight, because its pool polls every socket on every request.

The token is part of every address, so no error text of aiohttp goes further than here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData
from yarl import URL

from bot.clock import boottime
from bot.deliver import outcome
from bot.model.outcomes import Ambiguous, Outcome, Rejected, Retry

CONNECT_SECONDS = 6  # less than any request may take: then we know that nothing was sent
TOTAL_SECONDS = 30
MOST_CONNECTIONS = 400  # more than ever hang at once: the one that asks whether Telegram is there must be free
JSON_HEADERS = {"Content-Type": "application/json"}
TOKEN_ASKS = 3  # times that Telegram must disown a token in a row: it is known to say 401 once by mistake
TOKEN_PAUSE = 1.0  # seconds between these questions, and until what was refused by mistake is tried again
TOKEN_PATIENCE = 15.0  # seconds of nothing but 401 from one method, whatever the token's own question says
TOKEN_REFUSALS = 4  # and at least so many of them


def open_session(*, connections: int = MOST_CONNECTIONS) -> aiohttp.ClientSession:
    """The session that everything to Telegram goes through."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ttl_dns_cache=300),
        timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=True,
    )


def chat_body(chat_id: int, rest: bytes) -> bytes:
    """A JSON object's bytes with a `chat_id` put in front of its other fields."""
    return b'{"chat_id":%d,' % chat_id + rest[1:]


class Line:
    """Ready-made JSON bodies over a session's own connections: a message costs a third of `session.post`.

    aiohttp's connector opens, keeps and encrypts the connections and its parser reads the answers; what is left out is
    all that a request may have and ours never do: redirects, cookies, proxies, compression, bodies that are streamed.
    """

    def __init__(self, session: aiohttp.ClientSession, base: URL, seconds: float) -> None:
        self._session = session
        self._seconds = seconds
        self._timeout = aiohttp.ClientTimeout(connect=seconds, sock_connect=min(seconds, CONNECT_SECONDS))
        self._base = base
        self._loop = asyncio.get_running_loop()
        # names the server to the connector; is never sent itself
        self._to = aiohttp.ClientRequest("POST", base, loop=self._loop, session=session)
        self._heads: dict[str, bytes] = {}
        self._waiting: dict[Connection, float] = {}  # for answers, each until when
        self._next_look: asyncio.TimerHandle | None = None

    async def exchange(self, method: str, body: bytes) -> tuple[int, bytes]:
        """Send one body; the status and the whole content of the answer.

        ClientConnectorError or ConnectionTimeoutError: nothing was sent. Any other error, TimeoutError too: the server
        may have acted.
        """
        connector = self._session.connector
        if connector is None:
            raise aiohttp.ClientConnectionError("the session is closed")
        by = self._loop.time() + self._seconds
        try:
            connection = await connector.connect(self._to, [], self._timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError from error
        protocol = connection.protocol
        if protocol is None or protocol.transport is None:
            raise aiohttp.ServerDisconnectedError
        self._waiting[connection] = by
        if self._next_look is None:
            self._next_look = self._loop.call_at(by, self._give_up)
        try:
            protocol.set_response_params(read_until_eof=True)
            protocol.transport.write(self._head(method) + b"%d\r\n\r\n" % len(body) + body)
            message, content = await protocol.read()
            while message.code < 200:  # "continue", "early hints"
                message, content = await protocol.read()
            answer = message.code, await content.read()
        except BaseException as error:
            connection.close()
            if self._waiting.pop(connection, None) is None and isinstance(error, aiohttp.ClientError):
                raise TimeoutError from error
            raise
        self._waiting.pop(connection, None)
        connection.release()  # the connector closes it when the server said so
        return answer

    def _give_up(self) -> None:
        """Break off what had no answer in time: one timer for all, as one for each would cost half a message."""
        now = self._loop.time()
        for connection in [one for one, by in self._waiting.items() if by <= now]:
            self._break_off(connection)
        first = min(self._waiting.values(), default=None)
        self._next_look = None if first is None else self._loop.call_at(first, self._give_up)

    def abandon(self, seconds: float) -> None:
        """Give up what has waited for an answer for longer than that: TimeoutError for whoever waits on it."""
        begun_by = self._loop.time() - seconds
        for connection in [one for one, by in self._waiting.items() if by - self._seconds < begun_by]:
            self._break_off(connection)

    def _break_off(self, connection: Connection) -> None:
        del self._waiting[connection]
        if connection.transport is not None:
            connection.transport.abort()  # the protocol tells whoever waits on it

    def _head(self, method: str) -> bytes:
        head = self._heads.get(method)
        if head is None:
            lines = (
                f"POST {self._base.raw_path}{method} HTTP/1.1",
                f"Host: {self._base.host_port_subcomponent}",
                "Content-Type: application/json",
                "Content-Length: ",
            )
            head = self._heads[method] = "\r\n".join(lines).encode()
        return head


@dataclass(slots=True)
class _Refusals:
    """How often, and since when, a method has been answered by nothing but 401."""

    since: float
    count: int = 0


class Api:
    """The Bot API for the worker and the handlers: a method, a body, an outcome; never an exception of aiohttp.

    A request without an answer is given up after so many `seconds`. A 401 is believed only after Telegram was asked
    again: by mistake it is a Retry; when it stays, a Rejected with `token`, and `on_revoked` is called.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        url: str,
        token: str,
        seconds: float = TOTAL_SECONDS,
        on_revoked: Callable[[], None] | None = None,
    ) -> None:
        self._on_revoked = on_revoked
        self._refusals: dict[str, _Refusals] = {}
        self._asking: asyncio.Task[bool] | None = None
        self._session = session
        self._base = f"{url}/bot{token}/"
        self._timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, CONNECT_SECONDS))
        self._line = Line(session, URL(self._base, encoded=True), seconds)

    def abandon(self, seconds: float) -> None:
        """Give up what has been without an answer for longer than that, as Ambiguous: its connection is dead."""
        self._line.abandon(seconds)

    async def post(self, method: str, body: bytes) -> Outcome:
        """Send a ready-made JSON body."""
        return await self._believed(method, await self._exchange(method, body))

    async def _exchange(self, method: str, body: bytes) -> Outcome:
        try:
            return outcome.read(*await self._line.exchange(method, body))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Retry(type(error).__name__)  # nothing was sent
        except (TimeoutError, aiohttp.ClientError, HttpProcessingError, OSError) as error:
            return Ambiguous(type(error).__name__)

    async def call(self, method: str, **parameters: Any) -> Outcome:  # noqa: ANN401 - any JSON value
        """Send parameters as JSON; those that are None are left out."""
        kept = {name: value for name, value in parameters.items() if value is not None}
        return await self.post(method, orjson.dumps(kept))

    async def upload(
        self,
        method: str,
        parameters: Mapping[str, Any],
        *,
        field: str,
        content: bytes,
        filename: str = "photo.png",
        content_type: str = "image/png",
    ) -> Outcome:
        """Send parameters with one file."""
        form = aiohttp.FormData()
        for name, value in parameters.items():
            form.add_field(name, value if isinstance(value, str) else orjson.dumps(value).decode())
        form.add_field(field, content, filename=filename, content_type=content_type)
        return await self._post(method, data=form)

    async def _believed(self, method: str, found: Outcome) -> Outcome:
        """The outcome, unless it says that the token is unknown and Telegram does not keep to that."""
        if not isinstance(found, Rejected) or not found.token:
            if self._refusals:
                self._refusals.pop(method, None)
            return found
        refusals = self._refusals.setdefault(method, _Refusals(boottime()))
        refusals.count += 1
        stays = refusals.count >= TOKEN_REFUSALS and boottime() - refusals.since >= TOKEN_PATIENCE
        if not stays:
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._is_disowned(), name="ask about the token")
            stays = await asyncio.shield(self._asking)
        if not stays:
            return Retry("401, though Telegram knows the token", after=TOKEN_PAUSE)
        if self._on_revoked is not None:
            self._on_revoked()
        return found

    async def _is_disowned(self) -> bool:
        """Whether Telegram disowns the token each time it is asked; an outage says nothing about it."""
        for number in range(TOKEN_ASKS):
            if number:
                await asyncio.sleep(TOKEN_PAUSE)
            found = await self._exchange("getMe", b"{}")
            if not isinstance(found, Rejected) or not found.token:
                return False
        return True

    async def _post(self, method: str, **request: Any) -> Outcome:  # noqa: ANN401 - aiohttp's arguments
        return await self._believed(method, await self._posted(method, **request))

    async def _posted(self, method: str, **request: Any) -> Outcome:  # noqa: ANN401 - aiohttp's arguments
        try:
            async with self._session.post(self._base + method, timeout=self._timeout, **request) as response:
                return outcome.read(response.status, await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Retry(type(error).__name__)  # nothing was sent
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return Ambiguous(type(error).__name__)


class AiohttpRequest(BaseRequest):
    """python-telegram-bot's requests over our session, with a JSON body wherever there is no file."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @property
    def read_timeout(self) -> float | None:
        """Seconds without a byte."""
        return float(TOTAL_SECONDS)

    async def initialize(self) -> None:
        """The session is the composition root's."""

    async def shutdown(self) -> None:
        """Likewise."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ANN401 - the base class's type
        write_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ANN401 - likewise
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ANN401 - likewise
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,  # noqa: ANN401 - likewise
    ) -> tuple[int, bytes]:
        """One request; errors keep their class's name and lose the address with the token in it."""
        del write_timeout, connect_timeout, pool_timeout
        total = read_timeout + CONNECT_SECONDS if isinstance(read_timeout, int | float) else TOTAL_SECONDS
        try:
            async with self._session.request(
                method, url, timeout=aiohttp.ClientTimeout(total=total), **_content(request_data)
            ) as response:
                return response.status, await response.read()
        except TimeoutError:
            raise TimedOut from None
        except asyncio.CancelledError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise NetworkError(type(error).__name__) from None


def _content(data: RequestData | None) -> dict[str, Any]:
    if data is None:
        return {}
    if not data.contains_files:
        return {"data": orjson.dumps(data.parameters), "headers": JSON_HEADERS}
    form = aiohttp.FormData()
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in (data.multipart_data or {}).items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return {"data": form}
