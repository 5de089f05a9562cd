"""Ready-made bodies over a session's connections: for broadcasts and replies."""

from __future__ import annotations

import asyncio

import aiohttp
from aiohttp import hdrs
from aiohttp.connector import Connection
from yarl import URL

from bot.telegram.session import CONNECT_SECONDS


def chat_body(chat_id: int, rest: bytes) -> bytes:
    """A JSON object's bytes with a `chat_id` put in front of its other fields."""
    return b'{"chat_id":%d,' % chat_id + rest[1:]


class Line:
    """Ready-made JSON bodies over a session's own connections, at a third of `session.post`'s cost.

    aiohttp's connector opens, keeps and encrypts the connections and its parser reads the answers;
    what is left out is all that a request may have and ours never do: redirects, cookies,
    compression, bodies that are streamed.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base: URL,
        seconds: float,
        *,
        proxy: URL | None = None,
    ) -> None:
        self._session = session
        self._seconds = seconds
        self._timeout = aiohttp.ClientTimeout(
            connect=seconds, sock_connect=min(seconds, CONNECT_SECONDS)
        )
        self._base = base
        self._loop = asyncio.get_running_loop()
        # names the server to the connector; is never sent itself
        self._to = aiohttp.ClientRequest(
            "POST", base, loop=self._loop, session=session, proxy=proxy
        )
        self._heads: dict[str, bytes] = {}
        self._waiting: dict[Connection, float] = {}  # for answers, each until when
        self._next_look: asyncio.TimerHandle | None = None

    async def exchange(self, method: str, body: bytes) -> tuple[int, bytes]:
        """Send one body; the status and the whole content of the answer.

        ClientConnectorError, ClientHttpProxyError or ConnectionTimeoutError: nothing was sent. Any
        other error, TimeoutError too: the server may have acted.
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
            if content.is_eof():  # all of it came at once, as nearly always
                answer = message.code, content.read_nowait()
            else:
                answer = message.code, await content.read()
        except BaseException as error:
            connection.close()
            # One that waits no more was broken off here: what aiohttp met is our own time limit.
            given_up = self._waiting.pop(connection, None) is None
            if given_up and isinstance(error, aiohttp.ClientError):
                raise TimeoutError from error
            raise
        self._waiting.pop(connection, None)
        connection.release()  # the connector closes it when the server said so
        return answer

    def _give_up(self) -> None:
        """Break off what is overdue: one timer for all, as one each would cost half a message."""
        now = self._loop.time()
        for connection, by in list(self._waiting.items()):
            if by <= now:
                self._break_off(connection)
        self._next_look = None
        if self._waiting:
            self._next_look = self._loop.call_at(min(self._waiting.values()), self._give_up)

    def abandon(self, seconds: float) -> None:
        """Give up what waited longer than that for an answer: TimeoutError for its caller."""
        begun_by = self._loop.time() - seconds
        for connection, by in list(self._waiting.items()):
            if by - self._seconds < begun_by:
                self._break_off(connection)

    def forget_idle(self) -> None:
        """Close the session's connections that wait for their next request: what broke one without
        a word broke those beside it, and each would keep a request waiting in vain.
        """
        connector = self._session.connector
        if connector is None:
            return
        for idle in connector._conns.values():  # noqa: SLF001 - nothing else names them
            for protocol, _since in idle:
                protocol.close()

    def _break_off(self, connection: Connection) -> None:
        del self._waiting[connection]
        if connection.transport is not None:
            connection.transport.abort()  # the protocol tells whoever waits on it

    def _head(self, method: str) -> bytes:
        """The head of a request up to its length, made once a method."""
        head = self._heads.get(method)
        if head is None:
            target = self._base.raw_path
            lines = [
                f"Host: {self._base.host_port_subcomponent}",
                "Content-Type: application/json",
                "Content-Length: ",
            ]
            if self._to.proxy is not None and self._base.scheme == "http":  # said to the proxy
                target = str(self._base)
                if (known := self._to.headers.get(hdrs.PROXY_AUTHORIZATION)) is not None:
                    lines.insert(0, f"{hdrs.PROXY_AUTHORIZATION}: {known}")
            lines.insert(0, f"POST {target}{method} HTTP/1.1")
            head = self._heads[method] = "\r\n".join(lines).encode()
        return head
