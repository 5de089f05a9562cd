"""Publishers of feeds in a process of their own: `python -m bench.feeds HOSTS ENTRIES [unlike]`
prints its port.

Every host has one feed of so many entries; `GET /version/N` makes N more of them, and with
`?every=K` those of every K-th host alone. It knows validators, as most servers do. Headlines are
alike, so that each entry is compared with others, or `unlike` one another, as those of most news.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from aiohttp import web

_ITEM = (
    "<item><title>{title}</title>"
    "<link>http://{host}/a/{n}</link><guid>http://{host}/a/{n}</guid>"
    "<pubDate>{at}</pubDate><description>The council of "
    "the city approved the plan for repairing road {n} on Saturday, said a spokesman, adding that "
    "works begin in spring and cost {n} million som. {words}</description></item>"
)
LATER = 4  # entries more than at first, at most
_LETTERS = str.maketrans("0123456789", "ghiklmnopr")
_FEED = (
    '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Feed {host}</title>'
    "<link>http://{host}/</link><description>d</description><language>en</language>{items}"
    "</channel></rss>"
)


class Feeds:
    """The feeds that all hosts publish now."""

    def __init__(self, entries: int, *, alike: bool) -> None:
        self.entries = entries
        self.alike = alike
        # one each hour, none of them in the future
        self.begun = datetime.now(UTC) - timedelta(hours=entries + LATER)
        self.version = 0
        self.every = 1

    async def feed(self, request: web.Request) -> web.Response:
        """A host's feed, or that it did not change."""
        version = self.version if _number_of(request.host) % self.every == 0 else 0
        tag = tag_of(version)
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        items = ""
        for number in range(self.entries + version, 0, -1):
            words = _words(request.host, number)
            items += _ITEM.format(
                n=number,
                host=request.host,
                title=f"Report {number} of {request.host}: {words}" if self.alike else words,
                at=format_datetime(self.begun + timedelta(hours=number)),
                words=words,
            )
        body = _FEED.format(host=request.host, items=items).encode()
        return web.Response(body=body, content_type="application/rss+xml", headers={"ETag": tag})

    async def change(self, request: web.Request) -> web.Response:
        """Publish as many entries more than at first as the address says."""
        self.version = int(request.match_info["version"])
        self.every = int(request.query.get("every", "1"))
        return web.Response()


def _words(host: str, number: int) -> str:
    """Words that no other report has, as each of a day's news has names of its own."""
    said = hashlib.sha256(f"{host} {number}".encode()).hexdigest()
    return " ".join(said[start : start + 8] for start in range(0, 48, 8)).translate(_LETTERS)


async def main() -> None:
    """Serve on every loopback address until stdin ends."""
    feeds = Feeds(int(sys.argv[2]), alike="unlike" not in sys.argv)
    app = web.Application()
    app.router.add_get("/rss", feeds.feed)
    app.router.add_get("/version/{version}", feeds.change)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    # a host of its own a source, all of them in 127.0.0.0/8 and none to be had from outside
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    for number in range(int(sys.argv[1])):
        await web.TCPSite(runner, host_of(number), port).start()
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


def _number_of(host: str) -> int:
    """The number of the source that has that address."""
    third, fourth = host.partition(":")[0].split(".")[2:]
    return int(third) * 250 + int(fourth) - 1


def tag_of(version: int) -> str:
    """The validator of a feed with so many entries more."""
    return f'"{version}"'


def host_of(number: int) -> str:
    """The address of a source."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


if __name__ == "__main__":
    asyncio.run(main())
