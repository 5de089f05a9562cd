"""Feeds written to hurt: they cost a bounded time in a worker, read nothing and reach nobody.

Sizes are a fraction of what was measured by hand (a megabyte each: one to six seconds of processor
time, see FAULTS), so that the suite stays quick; what matters here is that each ends, and how.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.errors import ParseError
from bot.sources.entries import Feed
from bot.sources.feeds import parse_feed
from bot.workers import WorkerError, Workers


def rss(item: str, doctype: str = "") -> bytes:
    channel = f"<channel><item>{item}</item></channel>"
    return f"<?xml version='1.0'?>{doctype}<rss version='2.0'>{channel}</rss>".encode()


def escaped(text: str) -> str:
    return f"<![CDATA[{text}]]>"


LAUGHS = "<!DOCTYPE r [<!ENTITY l0 'ha'>" + "".join(
    f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10)
) + "]>"  # fmt: skip

ATOM = "http://www.w3.org/2005/Atom"
OPEN = "<a href='"
LINES = " \n" * 200_000
HOSTILE = {
    "nested tags in the XML": rss("<title>ok</title>" + "<b>" * 10_000 + "</b>" * 10_000),
    "nested tags never closed": rss("<title>ok</title>" + "<b>" * 10_000),
    "nested tags in the text": rss(
        f"<title>ok</title><description>{escaped('<div>' * 100_000)}</description>"
    ),
    "a title of a megabyte": rss(f"<title>ok {'x' * 1_000_000}</title>"),
    "open attributes in the XML": rss("<title>ok</title><description>" + "<a href='" * 10_000),
    "open attributes in the text": rss(
        f"<title>ok</title><description>{escaped(OPEN * 100_000)}</description>"
    ),
    "nothing but less-than signs": rss(f"<title>ok {escaped('< ' * 200_000)}</title>"),
    "tags that never end": rss(f"<title>ok {escaped('<a x=1 ' * 50_000)}</title>"),
    "line breaks": rss(f"<title>ok</title><description>a{LINES}b</description>"),
    "line breaks in plain text": (
        f"<feed xmlns='{ATOM}'><entry><title>ok</title><summary>a{LINES}b</summary></entry></feed>"
    ).encode(),
    "billion laughs": rss("<title>ok &l9;</title>", LAUGHS),
    "quadratic entities": rss(
        f"<title>ok {'&a;' * 20_000}</title>", f"<!DOCTYPE r [<!ENTITY a '{'x' * 20_000}'>]>"
    ),
    "many declarations": rss("<title>ok</title>",
    "<!DOCTYPE r [" + "<!ENTITY a 'b'>" * 20_000 + "]>"),
    "comments never closed": rss("<title>ok</title>" + "<!--" * 100_000),
    "NUL bytes": rss("<title>o\0k</title>"),
    "combining marks": rss("<title>ok " + ("e" + "\u0301" * 50) * 5_000 + "</title>"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_F8_F9_a_hostile_feed_ends_with_a_short_clean_title(name: str) -> None:
    (entry,) = parse_feed(HOSTILE[name]).entries
    assert entry.title.startswith("ok")
    assert len(entry.title) <= 1_000
    assert len(entry.summary) <= 200_000
    assert "haha" not in entry.title  # nothing was expanded
    assert not set(entry.title) & {"\0", "\n", "\u202e"}


async def test_F9_what_would_take_minutes_is_killed_and_the_next_feed_is_read() -> None:
    """A hundred thousand attributes on one element: feedparser compares each with all before it."""
    slow = rss("<title " + " ".join(f"a{n}=''" for n in range(100_000)) + ">ok</title>")
    async with Workers(size=1) as workers:
        assert await workers.run(parse_feed, rss("<title>ok</title>"), timeout=30)
        with pytest.raises(WorkerError, match="parse_feed took longer"):
            await workers.run(parse_feed, slow, timeout=0.2)
        assert await workers.run(parse_feed, rss("<title>ok</title>"), timeout=30)


async def test_F8_an_external_entity_is_neither_read_nor_requested(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary")
    asked = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, Workers() as workers:
        web = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
        for place in ((tmp_path / "secret").as_uri(), str(tmp_path / "secret"), web):
            for doctype in (
                f"<!DOCTYPE r [<!ENTITY x SYSTEM '{place}'>]>",
                f"<!DOCTYPE r [<!ENTITY % x SYSTEM '{place}'> %x;]>",
                f"<!DOCTYPE r SYSTEM '{place}'>",
            ):
                feed = await workers.run(
                    parse_feed, rss("<title>ok &x;</title>", doctype), timeout=30
                )
                assert "canary" not in repr(feed)
        # A body that is itself a path or an address is a body.
        for body in (str(tmp_path / "secret"), web):
            with pytest.raises(ParseError):
                await workers.run(parse_feed, body.encode(), timeout=30)
    assert not asked.is_set()


def test_F14_ten_thousand_entries_are_all_there() -> None:
    """Cut to two thousand here; ten thousand take two to seven seconds, which is why a worker
    parses.
    """
    items = "</item><item>".join(
        f"<title>Новость {n}</title><guid>{n}</guid><pubDate>Wed, 20 Oct 2021 09:12:00 "
        f"GMT</pubDate>"
        for n in range(2_000)
    )
    feed = parse_feed(rss(items))
    assert isinstance(feed, Feed)
    assert [entry.id for entry in feed.entries] == [str(n) for n in range(2_000)]
