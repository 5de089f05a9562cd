"""Publishers on loopback, and the documents that a bank and an agency would serve."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Self
from zoneinfo import ZoneInfo

from aiohttp import web

TODAY = datetime.now(ZoneInfo("Asia/Bishkek")).date()
QUIET = (
    "apples",
    "Apple harvest begins around the lake",
    "Growers expect a good year for apples and pears.",
)
ATTACK = (
    "attack",
    "Armed men attack border post, three soldiers killed",
    (
        "Border guards returned fire after gunmen attacked a military post; three soldiers were "
        "killed and five wounded."
    ),
)


class Publishers:
    """HTTP sources whose documents a test changes while the program runs."""

    def __init__(self) -> None:
        self.documents: dict[str, tuple[int, str, bytes]] = {}
        self.headers: dict[str, Mapping[str, str]] = {}  # of some documents, besides
        self.asked: list[str] = []
        self.held: dict[str, asyncio.Event] = {}  # documents that are answered when these are set
        self._news = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self.url = ""

    def put(
        self, path: str, body: bytes, *, status: int = 200, kind: str = "application/xml"
    ) -> None:
        """Publish a document."""
        self.documents[path] = (status, kind, body)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        status, kind, body = self.documents.get(request.path, (404, "text/plain", b"no"))
        async with self._news:
            self.asked.append(request.path)
            self._news.notify_all()
        if (held := self.held.get(request.path)) is not None:
            await held.wait()
        headers = self.headers.get(request.path)
        return web.Response(status=status, body=body, content_type=kind, headers=headers)

    async def asked_again(self, path: str, times: int = 1) -> None:
        """Wait until a document was asked for so many times from now."""
        goal = self.asked.count(path) + times
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: self.asked.count(path) >= goal)


def bank_at(url: str, *, name: str = "National Bank", every: str = "1s") -> str:
    """A catalog's section of the bank whose document is served as `/daily.xml`."""
    return f"""
[rates.nbkr]
name = {{ en = "{name}", ru = "Национальный банк", ky = "Улуттук банк" }}
urls = ["{url}/daily.xml"]
kind = "official"
poll = {{ every = "{every}", zone = "Asia/Bishkek" }}
"""


def agency_at(url: str, *, every: str = "1s") -> str:
    """A catalog's section of the agency whose feed is served as `/feed.xml`."""
    return f"""
[feeds.test]
name = {{ en = "Test agency" }}
url = "{url}/feed.xml"
language = "en"
poll = {{ every = "{every}" }}
"""


def bank_page(
    day: date | str, values: Mapping[str, str], units: Mapping[str, int] | None = None
) -> bytes:
    """A National Bank's document for a day, in its shape and encoding; `units` where not one."""
    shown = day if isinstance(day, str) else f"{day:%d.%m.%Y}"
    rows = "".join(
        f'<Currency ISOCode="{code}"><Nominal>{(units or {}).get(code, 1)}</Nominal>'
        f"<Value>{value}</Value></Currency>"
        for code, value in values.items()
    )
    whole = (
        f'<?xml version="1.0" encoding="windows-1251"?><CurrencyRates Name="Daily" '
        f'Date="{shown}">{rows}'
    )
    return (whole + "</CurrencyRates>").encode("cp1251")


def daily(day: str, usd: str, eur: str, rub: str) -> bytes:
    """The same with three currencies."""
    return bank_page(day, {"USD": usd, "EUR": eur, "RUB": rub})


def rss(*items: tuple[str, str, str]) -> bytes:
    """A feed of (id, title, text), all published now."""
    now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    body = "".join(
        f"<item><guid>{key}</guid><title>{title}</title><link>https://news.example/{key}</link>"
        f"<description>{text}</description><pubDate>{now}</pubDate></item>"
        for key, title, text in items
    )
    channel = f"<channel><title>Test</title>{body}</channel>"
    return f'<?xml version="1.0"?><rss version="2.0">{channel}</rss>'.encode()
