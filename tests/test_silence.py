"""Servers that never say that anything changed, and publishers that answer and say nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from sqlalchemy import select

from bot.fetch.answers import whole_due
from bot.ingest import Ingest
from bot.ingest.silence import LEAST_PATIENCE, LONGEST_PATIENCE
from bot.readers.status import current_status
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.db import Store
from storage.schema import alert
from tests.publishers import bank_page
from tests.world import loopback_fetcher, poll_flow

pytestmark = pytest.mark.cases

START = datetime(2026, 11, 20, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def feed(*items: tuple[str, datetime]) -> bytes:
    """A feed of (id, moment)."""
    body = "".join(
        f"<item><guid>{key}</guid><title>News {key}</title><link>https://news.example/{key}</link>"
        f"<pubDate>{at:%a, %d %b %Y %H:%M:%S} +0000</pubDate></item>"
        for key, at in items
    )
    return f'<rss version="2.0"><channel><title>One</title>{body}</channel></rss>'.encode()


class Stubborn:
    """A server that answers 304 to every question with a condition, whatever has changed."""

    def __init__(self) -> None:
        self.body = b""
        self.conditions: list[bool] = []
        self.validators = True

    async def answer(self, request: web.Request) -> web.Response:
        """304, or the document."""
        conditional = bool({"If-None-Match", "If-Modified-Since"} & set(request.headers))
        self.conditions.append(conditional)
        headers = {"ETag": '"x"', "Last-Modified": "Thu, 01 Jan 1970 00:00:00 GMT"}
        if not self.validators:
            headers = {}
        if conditional:
            return web.Response(status=304, headers=headers)
        return web.Response(body=self.body, headers=headers)


class Asking:
    """The poll flow before a stubborn server, at a time of the test's."""

    def __init__(self, store: Store, ingest: Ingest, catalog: Catalog, server: Stubborn) -> None:
        self.store, self.ingest, self.catalog, self.server = store, ingest, catalog, server
        self.now = START

    async def poll(self, at: datetime) -> int:
        """One poll without an error; how many new entries or rates it brought."""
        self.now = at
        (spec,) = self.catalog.polled
        report = await self.ingest.poll(spec)
        assert report.error is None
        return report.new

    async def notices(self) -> list[str]:
        """The notices to the operators."""
        async with self.store.reading() as db:
            rows = (await db.execute(select(alert).order_by(alert.c.id))).all()
        return [row.payload["msgid"] for row in rows if row.kind == "notice"]


@asynccontextmanager
async def asking(store: Store, section: str) -> AsyncIterator[Asking]:
    """A server on loopback, and the poll flow of a catalog of one section."""
    stubborn = Stubborn()
    runner = web.ServerRunner(web.Server(stubborn.answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/one"
    catalog = parse_catalog(section.replace("@URL@", url))
    try:
        async with loopback_fetcher() as fetcher:
            made: Asking
            ingest = poll_flow(store, fetcher, clock=lambda: made.now, admins=(1,))
            made = Asking(store, ingest, catalog, stubborn)
            yield made
    finally:
        await runner.cleanup()


FEED = '[feeds.one]\nurl = "@URL@"\nlanguage = "en"\n'
BANK = '[rates.nbkr]\nname = { en = "Bank" }\nurls = ["@URL@"]\n'


async def test_F22_who_answers_304_for_ever_is_asked_without_conditions_once_a_day(
    store: Store,
) -> None:
    """Entries of meanwhile come within a day; the other questions stay cheap."""
    async with asking(store, FEED) as world:
        world.server.body = feed(("a", START))
        assert await world.poll(START) == 1
        world.server.body = feed(("b", START + HOUR), ("a", START))
        new = [await world.poll(START + n * HOUR) for n in range(1, 25)]
        assert sum(new) == 1
        for n in range(25, 25 + 6 * 24, 3):
            assert await world.poll(START + n * HOUR) == 0
    assert world.server.conditions.count(False) in {7, 8}


async def test_F22_a_bank_is_asked_without_conditions_too(store: Store) -> None:
    async with asking(store, BANK) as world:
        world.server.body = bank_page(START.date(), {"USD": "84,7935"})
        assert await world.poll(START) == 1
        world.server.body = bank_page((START + DAY).date(), {"USD": "84,8000"})
        new = [await world.poll(START + n * HOUR) for n in range(1, 25)]
    assert sum(new) == 1


@pytest.mark.parametrize("validators", [True, False], ids=["304", "200 with the same body"])
async def test_F22_silence_of_weeks_is_told_once_and_so_is_its_end(
    store: Store, *, validators: bool
) -> None:
    """An agency that wrote every hour is missed after a week, and `/status` says since when."""
    async with asking(store, FEED) as world:
        world.server.validators = validators
        items = [(f"a{n}", START - n * HOUR) for n in range(20)]
        world.server.body = feed(*items)
        assert await world.poll(START) == 20
        for n in range(1, 7):
            await world.poll(START + n * DAY)
        assert await world.notices() == []
        for n in range(7, 21):
            await world.poll(START + n * DAY + HOUR)
        assert await world.notices() == ["notice.silent"]
        async with store.reading() as db:
            status = await current_status(db, world.catalog, token="t", now=world.now)
            (source,) = status.sources
        assert source.stuck_on == START.date()
        back = START + 21 * DAY
        world.server.body = feed(("b", back), *items)
        for n in range(0, 30, 3):
            await world.poll(back + n * HOUR)
    assert await world.notices() == ["notice.silent", "notice.speaks"]


async def test_F22_a_feed_that_only_rewrites_its_frame_brings_nothing_new_either(
    store: Store,
) -> None:
    """Its bytes change every time, its entries never."""
    async with asking(store, FEED) as world:
        world.server.validators = False
        for n in range(9):
            at = START + n * DAY
            built = f"<lastBuildDate>{at.isoformat()}</lastBuildDate>".encode()
            world.server.body = feed(("a", START), ("b", START - DAY)).replace(
                b"<title>One</title>", b"<title>One</title>" + built
            )
            await world.poll(at)
    assert await world.notices() == ["notice.silent"]


async def test_F22_a_monthly_is_missed_later_than_an_agency(store: Store) -> None:
    """Three times its own pause, though it came to us all at once; at most two months."""
    async with asking(store, FEED) as world:
        world.server.body = feed(*[(f"a{n}", START - n * 15 * DAY) for n in range(5)])
        await world.poll(START)
        told: list[int] = []
        for n in (*range(1, 40, 5), *range(40, LONGEST_PATIENCE.days + 2)):
            await world.poll(START + n * DAY)
            if await world.notices() and not told:
                told.append(n)
    assert told == [45]
    assert LEAST_PATIENCE.days < 45


def test_F22_each_source_has_its_own_hour_for_the_whole_document() -> None:
    """Ten thousand whole documents are not fetched at midnight."""
    hours: dict[int, int] = {}
    for number in range(1000):
        for hour in range(24):
            at = START + hour * HOUR
            if whole_due(f"source{number}", at, now=at + HOUR):
                hours[hour] = hours.get(hour, 0) + 1
    assert sum(hours.values()) == 1000  # each once a day
    assert max(hours.values()) < 80
