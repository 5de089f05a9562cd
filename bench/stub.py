"""The smallest Bot API there is, in a process of its own: it must not be what a measurement
measures.

`python -m bench.stub` prints its port. Every POST is answered like a sendMessage that went well;
`GET /times` gives the arrival times since the last such question (CLOCK_MONOTONIC, the same for all
processes) and forgets them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import uvloop

_BODY = (
    b'{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},"text":"x"}}'
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
ANSWER = HEAD % len(_BODY) + _BODY
_LENGTH = b"content-length:"


class Answering(asyncio.Protocol):
    """Keep-alive HTTP with a Content-Length, and nothing else."""

    times: list[Any]

    def __init__(self, times: list[Any]) -> None:
        self.times = times
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not derived from it

    def data_received(self, data: bytes) -> None:
        """Bytes of one or several requests."""
        assert self._transport is not None
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower() + b"\r\n"
            at = head.find(_LENGTH)
            size = int(head[at + len(_LENGTH) : head.index(b"\r\n", at)]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + size:
                return
            body, self._buffer = (
                self._buffer[end + 4 : end + 4 + size],
                self._buffer[end + 4 + size :],
            )
            if head.startswith(b"get"):
                seen = json.dumps(self.times).encode()
                self.times.clear()
                self._transport.write(HEAD % len(seen) + seen)
            else:
                self.answer(self._transport, body)

    def answer(self, transport: asyncio.Transport, body: bytes) -> None:  # noqa: ARG002 - others look into it
        """A message was accepted."""
        self.times.append(time.monotonic())
        transport.write(ANSWER)


async def serve(kind: Callable[[list[Any]], Answering] = Answering) -> None:
    """Until the parent closes our standard input."""
    times: list[Any] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: kind(times), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@asynccontextmanager
async def running(module: str = "bench.stub", *words: str) -> AsyncIterator[str]:
    """The stub as a child process; gives its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()


async def arrivals(url: str) -> list[Any]:
    """The times at which requests arrived since the last call."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/times") as answer:
        times: list[Any] = json.loads(await answer.read())
        return times


if __name__ == "__main__":
    uvloop.run(serve())
