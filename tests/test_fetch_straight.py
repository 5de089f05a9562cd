"""A plain GET goes straight to its host: what is sent and read is as by the session, which has
what is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.addresses import is_own
from bot.errors import FetchError
from bot.fetch import Fetcher, Limits
from bot.fetch.answers import Validators
from bot.fetch.straight import Straight
from tests.test_fetch import Names

QUICK = Limits(pause=0)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"


@asynccontextmanager
async def server(
    answer: bytes, heads: list[bytes], asked: asyncio.Event | None = None
) -> AsyncIterator[int]:
    """A host that keeps the heads of requests and gives one answer; without one it says nothing."""
    left = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        if asked is not None:
            asked.set()
        writer.write(answer)
        if not answer:
            await left.wait()
        writer.close()

    served = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with served:
        yield served.sockets[0].getsockname()[1]
        left.set()


async def test_a_host_is_asked_in_the_words_of_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers tell clients apart by the order of their headers, and caches by their words."""
    heads: list[bytes] = []
    told = {"X-Key": "ключ", "User-Agent": "another"}
    async with server(ANSWER, heads) as port, Fetcher(limits=QUICK) as fetcher:
        url = f"http://127.0.0.1:{port}/a%20b/новости?q=%2F&x=1#part"

        async def ask() -> None:
            known = Validators(etag='"1"', last_modified="Wed, 20 Oct 2021 12:00:00 GMT")
            assert (await fetcher.get(url, validators=known, headers=told)).body == b"good"

        await ask()

        async def nobody(*_asked: object) -> None:
            return None

        monkeypatch.setattr(Straight, "answer", nobody)
        await ask()
    straight, by_session = heads
    assert straight == by_session


async def test_a_header_with_a_line_break_is_not_sent() -> None:
    """It would be a header more, or a request of somebody else's."""
    heads: list[bytes] = []
    async with server(ANSWER, heads) as port, Fetcher(limits=QUICK) as fetcher:
        for value in ("a\r\nX-Other: b", "a\nb", "a\rb", "a\0b"):
            with pytest.raises(FetchError):
                await fetcher.get(f"http://127.0.0.1:{port}/", headers={"X-Key": value})
    assert heads == []


async def test_early_hints_are_no_answer() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    async with server(early * 3 + ANSWER, []) as port, Fetcher(limits=QUICK) as fetcher:
        assert (await fetcher.get(f"http://127.0.0.1:{port}/")).body == b"good"


async def test_a_host_with_several_addresses_is_reached_by_the_one_that_answers() -> None:
    """Those that may not be asked are not, whichever comes first."""
    heads: list[bytes] = []
    names = Names({"two.example": ["127.0.0.3", "127.0.0.1"], "in.example": ["10.1.2.3"] * 2})
    async with (
        server(ANSWER, heads) as port,
        Fetcher(
            limits=QUICK, resolver=names, may_connect=lambda one: str(one) == "127.0.0.1"
        ) as fetcher,
    ):
        assert (await fetcher.get(f"http://two.example:{port}/")).body == b"good"
        with pytest.raises(FetchError, match="cannot connect"):
            await fetcher.get(f"http://in.example:{port}/")
    assert len(heads) == 1


async def test_what_is_under_way_fails_when_the_fetcher_is_closed() -> None:
    asked = asyncio.Event()
    async with server(b"", [], asked) as port, Fetcher(limits=QUICK) as fetcher:
        asking = asyncio.create_task(fetcher.get(f"http://127.0.0.1:{port}/"))
        await asyncio.wait_for(asked.wait(), 5)
        await fetcher.close()
        with pytest.raises(FetchError):
            await asyncio.wait_for(asking, 5)


async def test_a_connection_serves_one_request_and_is_gone() -> None:
    """A socket that was allowed once is lent to nobody, however the request ended."""
    heads: list[bytes] = []
    names = Names({"one.example": ["127.0.0.1"]})
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 100_000
    async with Fetcher(limits=QUICK, resolver=names, may_connect=is_own) as fetcher:
        async with server(ANSWER, heads) as port:
            for _ in range(3):
                await fetcher.get(f"http://one.example:{port}/")
        async with server(endless, heads) as port:
            with pytest.raises(FetchError):
                await fetcher.get(f"http://one.example:{port}/")
        ways = (fetcher._ways._public, fetcher._ways._own)
        assert all(way is not None and not way.straight._open for way in ways)
    assert len(heads) == 4
