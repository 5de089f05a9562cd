"""Ready-made bodies on the wire: what a server may answer, byte by byte, and what it means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import orjson
import pytest

from bot.reasons import reason
from bot.telegram.api import Api
from bot.telegram.line import chat_body
from bot.telegram.outcomes import Ambiguous, Outcome, Retry, Sent
from bot.telegram.session import open_session

TOKEN = f"123456789:{'A' * 35}"
OK = b'{"ok":true,"result":{"message_id":7}}'
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(OK) + OK
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Reads whole requests and answers each with the next bytes; counts connections."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[bytes, bytes]] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; closed after an answer that says so, or when there is none."""
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                self.requests.append((head, await reader.readexactly(length)))
                answer = self.answers.pop(0) if self.answers else b""
                writer.write(answer)
                await writer.drain()
                if not answer or b"connection: close" in answer.lower():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def talking_to(*answers: bytes) -> AsyncIterator[tuple[Server, Api]]:
    """A server with these answers, and our side of it."""
    made = Server(*answers)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with open_session() as session:
        yield made, Api(session, url=f"http://127.0.0.1:{port}", token=TOKEN)
    server.close()


async def test_a_body_arrives_whole_under_its_method_and_the_connection_is_kept() -> None:
    """Letters of every width; the second message needs no second connection."""
    body = chat_body(-1001, orjson.dumps({"text": "сом ▲ 😀"}))
    async with talking_to(PLAIN, PLAIN) as (server, api):
        assert [await api.post("sendMessage", body) for _ in range(2)] == [
            Sent(7, {"message_id": 7})
        ] * 2
    assert server.connections == 1
    head, received = server.requests[1]
    assert head.startswith(f"POST /bot{TOKEN}/sendMessage HTTP/1.1\r\nHost: 127.0.0.1:".encode())
    assert orjson.loads(received) == {"chat_id": -1001, "text": "сом ▲ 😀"}


@pytest.mark.parametrize(
    ("answer", "means"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN, Sent(7, {"message_id": 7})),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"
            + OK[:5]
            + b"\r\n%x\r\n" % len(OK[5:])
            + OK[5:]
            + b"\r\n0\r\n\r\n",
            Sent(7, {"message_id": 7}),
        ),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + OK, Sent(7, {"message_id": 7})),
        (
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno",
            Retry(reason("telegram.status", status="502")),
        ),
        (
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 500\r\n\r\n" + OK,
            Ambiguous(reason("telegram.unanswered", error="ClientPayloadError")),
        ),
        (b"", Ambiguous(reason("telegram.unanswered", error="ServerDisconnectedError"))),
        (
            b"I am no server of HTTP\r\nConnection: close\r\n\r\n",
            Ambiguous(reason("telegram.unanswered", error="HttpProcessingError")),
        ),
    ],
    ids=["continue", "chunked", "until closed", "proxy's page", "cut off", "hung up", "not HTTP"],
)
async def test_G5_G6_what_an_answer_means(answer: bytes, means: Outcome) -> None:
    """Complete answers are believed; one that stays away or breaks off may hide a delivery. The
    next message goes.
    """
    async with talking_to(answer, PLAIN) as (_, api):
        assert await api.post("sendMessage", b"{}") == means
        assert await api.post("sendMessage", b"{}") == Sent(7, {"message_id": 7})


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", PLAIN[:-5]], ids=["nothing", "head", "body"]
)
async def test_a_request_whose_answer_does_not_end_is_broken_off_alone(begun: bytes) -> None:
    """It may have arrived. The connection is closed; what was sent after it on others has its
    answer.
    """
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while b"slow" not in await reader.readuntil(b"}"):
                writer.write(PLAIN)
            writer.write(begun)
            await reader.read()
            left.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, open_session() as session:
        api = Api(session, url=url, token=TOKEN, seconds=0.3)
        slow = asyncio.create_task(api.post("sendMessage", b'{"text":"slow"}'))
        assert await api.post("sendMessage", b'{"text":"quick"}') == Sent(7, {"message_id": 7})
        assert not slow.done()
        assert await slow == Ambiguous(reason("telegram.unanswered", error="TimeoutError"))
        await left.wait()
        assert await api.post("sendMessage", b'{"text":"quick"}') == Sent(7, {"message_id": 7})


async def test_a_file_is_sent_nowhere_but_where_it_is_sent_to() -> None:
    """A page in between that would have it elsewhere (307) is no way to Telegram, and took none."""
    async with talking_to(PLAIN) as (elsewhere, other):
        there = f"{other._base}sendDocument".encode()
        moved = b"HTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: " + there + b"\r\n\r\n"
        async with talking_to(moved) as (_, api):
            found = await api.upload("sendDocument", {}, field="document", content=b"all of it")
    assert isinstance(found, Retry)
    assert elsewhere.requests == []


async def test_every_request_without_an_answer_is_given_up() -> None:
    """Begun while another waits, and after that one was given up; the server hears each whole."""
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.put_nowait(await reader.readuntil(b"}"))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    lost = Ambiguous(reason("telegram.unanswered", error="TimeoutError"))
    async with server, open_session() as session, asyncio.timeout(20):
        api = Api(session, url=url, token=TOKEN, seconds=0.2)
        first = asyncio.create_task(api.post("sendMessage", b"{}"))
        assert b"\r\nContent-Type: application/json\r\n" in await heard.get()
        await asyncio.sleep(0.05)  # so that its time ends when the first is given up already
        assert await api.post("sendMessage", b"{}") == await first == lost
        assert await api.post("sendMessage", b"{}") == lost


async def test_a_server_that_is_not_there_has_delivered_nothing() -> None:
    """So the message may be sent again without a doubt."""
    async with talking_to() as (_, api):
        pass
    async with open_session() as session:
        gone = Api(session, url=api._base.partition("/bot")[0], token=TOKEN)
        assert await gone.post("sendMessage", b"{}") == Retry(
            reason("telegram.unsent", error="ClientConnectorError")
        )


async def test_no_secret_is_in_what_an_error_says() -> None:
    """S6: outcomes name the kind of error only."""
    async with talking_to(b"") as (_, api):
        assert TOKEN not in repr(await api.post("sendMessage", b"{}"))
