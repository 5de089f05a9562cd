"""The operator's page over HTTP: its policy, its size at a thousand sources, its languages, and the
stream by which it lives.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import text, update

import storage.alerts
import storage.leases
import storage.sources
import storage.switch
from bot.alerts.broadcasts import Broadcast
from bot.errors import StorageError
from bot.i18n import t
from bot.languages import LANGUAGES
from bot.model.alerts import Approval, Severity, State, StoredForm
from bot.model.rates import CardRow, Freshness, RateCard, RateKind
from bot.model.roles import Holder, Role
from bot.model.status import SourceStatus
from bot.ops import Operated, ops_app
from bot.ops.live import MOST_LOOKERS, Live
from bot.ops.page import SCRIPT, STYLE, document
from bot.ops.readiness import PARTS, RECEIVES, Readiness
from bot.ops.unheard import SEEN_FOR
from bot.ops.view import MOST_ASKED, View, accepted_language
from bot.ops.whole import ALERTS_SHOWN, ToldAlert, Whole, read_whole
from bot.reasons import said
from bot.recurring import JOBS
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.about import Backups
from storage.alerts import StoredAlert
from storage.db import Store
from storage.leases import HeldRole
from storage.schema import delivery
from storage.sources import Good
from storage.told import Told
from tests.e2e.driven import Day
from tests.factories import NOW, seen_rate
from tests.storage.test_deliveries import an_alert
from tests.storage.test_withheld import withheld_story
from tests.waiting import pauses

LARGEST = 50 * 1024  # bytes of the page
MANY = 1_000


def many(count: int) -> Catalog:
    """A catalog of so many agencies."""
    lines: list[str] = []
    for number in range(count):
        lines.append(
            f"[feeds.agency{number}]\n"
            f'name = {{ en = "Agency {number}", ru = "Агентство {number}" }}\n'
            f'url = "http://127.0.0.1:9/{number}.xml"\nlanguage = "en"\n'
        )
    return parse_catalog("\n".join(lines))


async def polled(store: Store, catalog: Catalog, failing: int) -> None:
    """All were read, but the last ones, which fail."""
    keys = list(catalog.news)
    async with store.writing() as db:
        good = [Good(key=key, next_due_at=NOW) for key in keys[:-failing]]
        await storage.sources.record_success(db, good, now=NOW)
        for key in keys[-failing:]:
            error = said("the server answered 404 <b>" + "x" * 300)
            await storage.sources.record_failure(db, key, now=NOW, next_due_at=NOW, error=error)


def operated(store: Store, catalog: Catalog) -> Operated:
    """A program as its page looks at it."""
    return Operated(
        store=store, catalog=catalog, clock=lambda: NOW, readiness=Readiness(), token="7"
    )


def streaming(live: Live) -> web.Application:
    """A server of the stream alone."""

    async def events(request: web.Request) -> web.StreamResponse:
        return await live.stream(request, View("en"))

    app = web.Application()
    app.router.add_get("/events", events)
    app.on_shutdown.append(live.close)
    return app


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """The application's address."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        async with asyncio.timeout(20):  # a stop does not wait for who looks
            await runner.cleanup()


#: What is six bytes as HTML has it, what is two, and what is four.
WORST = '"\'<Агенттик&>\U0001f98a"'


def as_full_as_can_be(whole: Whole, said_so: str) -> Whole:
    """A whole in which everything has something to say and says it at length: each source fails,
    and brought something every hour; each part is in trouble.
    """
    words = said_so * 50
    named: list[SourceStatus] = []
    for one in whole.sources:
        names = dict.fromkeys(LANGUAGES, words)
        named.append(replace(one, names=names, failures=1, error=said(words), stuck_on=NOW.date()))
    alert = StoredAlert(
        id=1,
        payload=StoredForm("story", {}),
        severity=Severity.URGENT,
        reasons=(),
        created_at=NOW,
    )
    told = Told(reached=12345, waiting=12345, held=12345, blocked=12345, last_at=NOW)
    rate = seen_rate()
    rows = [CardRow(pair=rate.pair, today=rate, previous=rate)] * 12
    card = RateCard(
        source="nbkr",
        source_names={"en": words},
        zone="Asia/Bishkek",
        kind=RateKind.OFFICIAL,
        quote="KGS",
        on=NOW.date(),
        rows=tuple(rows),
        freshness=Freshness.LATE,
    )
    roles = [
        HeldRole(role=Role(name), holder=Holder(words)) for name in ("updates", "reach:7", words)
    ]
    return replace(
        whole,
        troubles={part: said(words) for part in PARTS},
        sources=named,
        trends={one.key: range(101, 125) for one in named},
        card=card,
        alerts=[ToldAlert(alert=alert, title=words, told=told)] * ALERTS_SHOWN,
        stopped_at=NOW,
        paused_until=NOW,
        roles=roles,
        holder=Holder(words),
        done={job.name: NOW for job in JOBS},
    )


async def test_a_thousand_sources_are_pages_of_a_small_document(store: Store) -> None:
    """Those in trouble first; each page below the promised size; one is found by its name."""
    catalog = many(MANY)
    await polled(store, catalog, failing=60)
    whole = await read_whole(operated(store, catalog))
    found: set[str] = set()
    for page in range(1, MANY // 40 + 1):
        shown = document(whole, View("ru", page))
        assert len(shown.encode()) <= LARGEST, page
        names = re.findall(r"<b>(Агентство \d+)</b>", shown)
        assert len(names) == 40
        found.update(names)
        bad = shown.count('<li class="bad">')
        assert bad == {1: 40, 2: 20}.get(page, 0)
    assert len(found) == MANY
    assert "<b>xxx" not in shown
    [cut, *_] = re.findall(r"<small>([^<]*404[^<]*)</small>", document(whole, View("ru")))
    assert len(html.unescape(cut)) == 160
    assert cut.endswith("xx…"), "what is cut off is told"
    assert re.findall(
        r"<b>(Agency \d+)</b>", document(whole, View("en", 1, "agency 77 "[:-1]))
    ) == [
        "Agency 77",
        *[f"Agency {number}" for number in range(770, 780)],
    ]
    assert "940 / 1000" in document(whole, View("en", 99))
    for said_so in (WORST, "\U0001f98a"):
        full = as_full_as_can_be(whole, said_so)
        for language in LANGUAGES:
            shown = document(full, View(language, 1, (said_so * 50)[:MOST_ASKED].strip()))
            assert len(shown.encode()) <= LARGEST, language
            assert shown.count("<svg") == 40
            cut = re.findall(r"<small>([^<]+)</small></li>", shown)
            assert len(cut) == 40 + len(PARTS)
            assert min(len(html.unescape(one)) for one in cut) >= 10, "each is told what it ails of"


async def test_the_page_says_that_alerts_are_stopped_and_a_source_is_paused(store: Store) -> None:
    """And nothing is wrong with a source that an operator paused."""
    catalog = many(1)
    await polled(store, catalog, failing=1)
    of = operated(store, catalog)
    page = document(await read_whole(of), View("en"))
    assert "stopped all alerts" not in page
    assert '<li class="bad">' in page
    async with store.writing() as db:
        await storage.switch.turn_off(db, "7")
        await storage.sources.pause(db, "agency0", paused=True, now=NOW)
    page = document(await read_whole(of), View("en"))
    assert "stopped all alerts" in page
    assert '<li class="bad">' not in page
    assert t("status.paused", "en") in page


async def test_an_alert_that_reaches_nobody_is_no_good_verdict(store: Store) -> None:
    """Though no chat was given it, so that nobody is counted who waits; it is meant where alerts
    are stopped. One that was approved late has seconds to reach somebody. The figures know how long
    it waits.
    """
    async with store.writing() as db:
        at, lives = NOW - timedelta(minutes=10), timedelta(days=36500)
        pass_closed = Broadcast(text="The pass is closed")
        closed = an_alert(at=at, lives=lives, payload=pass_closed, approval=True)
        asked = await storage.alerts.enqueue(db, closed)
        assert asked is not None
        assert await storage.alerts.decide(db, asked, Approval.APPROVED) is not None
    of = operated(store, many(1))
    words = {code: t("page.unheard", code).format(n=1) for code in LANGUAGES}
    whole = await read_whole(of)
    assert f'<p class="big good">{t("page.well", "en")}</p>' in document(whole, View("en"))
    whole = await read_whole(replace(of, clock=lambda: NOW + SEEN_FOR))
    for code, said_so in words.items():
        page = document(whole, View(code))
        assert said_so in page
        assert f'<p class="big bad">{t("page.not_well", code)}</p>' in page
    later = replace(of, clock=lambda: NOW + SEEN_FOR)
    async with served(ops_app(later)) as address, aiohttp.ClientSession(address) as looker:
        async with looker.get("/metrics") as found:
            shown = await found.text()
        assert 'jarchy_outbox_oldest_seconds{lane="alert"} 610.0' in shown
        assert "jarchy_alerts_unheard 1.0" in shown
        async with store.writing() as db:
            await storage.switch.turn_off(db, "7")
        async with looker.get("/metrics") as found:
            assert "jarchy_alerts_unheard 0.0" in await found.text()
    stopped = await read_whole(replace(of, clock=lambda: NOW + SEEN_FOR))
    assert words["en"] not in document(stopped, View("en"))


async def test_the_last_nights_copy_is_told_though_another_replica_has_it(store: Store) -> None:
    """And of a folder with copies how many there are."""
    whole = await read_whole(operated(store, many(1)))
    for count, said_so in ((0, "19\xa0Oct, none of them here"), (3, "19\xa0Oct (3)")):
        copies = Backups(count=count, newest_on=NOW.date() - timedelta(days=1))
        page = document(replace(whole, backups=copies), View("en"))
        assert f"<dd>{said_so}</dd>" in page


async def test_jobs_stand_in_the_order_of_their_names(store: Store) -> None:
    """In each language: whoever looks for one reads no other alphabet's order."""
    of = replace(operated(store, many(1)), done={job.name: NOW for job in JOBS})
    for language in LANGUAGES:
        page = document(await read_whole(of), View(language))
        names = [
            html.unescape(one) for one in re.findall(r"<tr><th>([^<]+)</th><td>[^\d<]+<", page)
        ]
        assert names == sorted(t(f"page.job.{job.name}", language) for job in JOBS)


async def test_a_role_is_called_by_its_words_and_one_of_another_version_by_its_name(
    store: Store,
) -> None:
    """Whoever has it; what nobody here knows is shown all the same."""
    async with store.writing() as db:
        for role in ("updates", "reach:7", "tomorrow's"):
            await storage.leases.acquire(db, role, holder="far:1:2", span=timedelta(minutes=5))
    page = document(await read_whole(operated(store, many(1))), View("ky"))
    for words in (t("page.role.updates", "ky"), t("page.role.reach", "ky"), "tomorrow&#x27;s"):
        assert f"<dt>{words}</dt><dd>far</dd>" in page


async def test_the_page_says_how_many_channels_keep_an_alert_back(store: Store) -> None:
    """They do not wait to be sent."""
    async with store.writing() as db:
        await withheld_story(db)
    page = document(await read_whole(operated(store, many(1))), View("en"))
    assert t("page.withheld", "en").format(n=2) in page
    assert t("page.waiting", "en").format(n=1) in page
    async with store.writing() as db:
        waits = update(delivery).where(delivery.c.state == State.PENDING.value)
        await db.execute(waits.values(state=State.EXPIRED.value))
    page = document(await read_whole(operated(store, many(1))), View("en"))
    # for whom it is too late by now
    assert t("page.blocked", "en").format(n=1) in page
    assert '<li class="bad">' in page


async def test_the_page_runs_nothing_but_its_own(store: Store) -> None:
    """A policy by hashes, which are those of what stands in the page; what came from outside is
    escaped.
    """
    catalog = parse_catalog(
        '[feeds.bad]\nname = { en = "<script>alert(1)</script>" }\n'
        'url = "http://127.0.0.1:9/x"\nlanguage = "en"\n'
    )
    await polled(store, catalog, failing=1)
    pages: list[str] = []
    async with (
        served(ops_app(operated(store, catalog))) as address,
        aiohttp.ClientSession() as looker,
    ):
        for asked in ({}, {"find": '"><script>x</script>', "lang": "<b>", "page": "-1"}):
            async with looker.get(f"{address}/status", params=asked) as answer:
                pages.append(await answer.text())
                policy = answer.headers["Content-Security-Policy"]
                assert answer.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
    assert "&lt;script&gt;alert(1)" in pages[0]
    for page in pages:
        for kind, whole in (("style", STYLE), ("script", SCRIPT)):
            assert page.count(f"<{kind}>") == page.count(f"<{kind}>{whole}</{kind}>") == 1
        assert "http://" not in page
        assert "https://" not in page


async def test_a_source_that_fails_is_a_figure_until_it_answers(store: Store) -> None:
    """However seldom it is asked by then; none that is paused, or that the catalog had once. While
    the database cannot be read there are no such figures, and the others all the same.
    """
    catalog = many(4)
    await polled(store, catalog, failing=3)
    error = said("the server answered 404")
    async with store.writing() as db:
        await storage.sources.pause(db, "agency3", paused=True, now=NOW)
        for key in ("agency2", "of-yesterday"):
            await storage.sources.record_failure(db, key, now=NOW, next_due_at=NOW, error=error)
    found: list[list[str]] = []
    async with (
        served(ops_app(operated(store, catalog))) as address,
        aiohttp.ClientSession(raise_for_status=True) as session,
    ):

        async def look() -> str:
            async with session.get(f"{address}/metrics") as answer:
                shown = await answer.text()
            found.append(re.findall(r"^jarchy_source_failures(.+)$", shown, re.MULTILINE))
            return shown

        assert "jarchy_deliveries_waiting{" in await look()
        async with store.writing() as db:
            good = Good(key="agency1", next_due_at=NOW)
            await storage.sources.record_success(db, [good], now=NOW)
        await look()
        async with store.writing() as db:
            await db.execute(text("ALTER TABLE source RENAME TO elsewhere"))
        shown = await look()
        assert "jarchy_deliveries_waiting{" not in shown
        assert "jarchy_outbox_oldest_seconds{" not in shown
        assert "\njarchy_alerts_unheard " not in shown
        assert 'jarchy_ready{part="reads"} 0.0' in shown
    assert found == [
        ['{source="agency1"} 1.0', '{source="agency2"} 2.0'],
        ['{source="agency2"} 2.0'],
        [],
    ]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ky-KG,ky;q=0.9,ru;q=0.8", "ky"),
        ("de, ru;q=0.5, en;q=0.4", "ru"),
        ("ru;q=0, en;q=0.1", "en"),
        ("fr, *;q=0.5", "en"),
        ("ru;q=much, ;;, ,ky;q=0.1", "ky"),
    ],
)
def test_the_browser_says_which_language_is_liked(header: str, language: str) -> None:
    """The best liked of ours; what nobody can read is liked by nobody."""
    assert accepted_language(header, "en") == language


async def test_the_address_goes_before_the_browser(store: Store) -> None:
    """And the answer says which language it is in."""
    async with (
        served(ops_app(operated(store, Catalog()))) as address,
        aiohttp.ClientSession(headers={"Accept-Language": "ru"}) as looker,
    ):
        for query, language in (("", "ru"), ("?lang=ky", "ky"), ("?lang=xx", "ru")):
            async with looker.get(f"{address}/status{query}") as answer:
                assert answer.headers["Content-Language"] == language
                assert f'<html lang="{language}">' in await answer.text()


async def test_lookers_share_one_look_and_are_not_too_many(store: Store) -> None:
    """However many look, the database is asked once a tick; one too many is sent away; at the end
    all are let go.
    """
    of = operated(store, Catalog())
    reads = 0
    first = asyncio.Event()

    async def read() -> Whole:
        nonlocal reads
        reads += 1
        if reads == 1:
            await first.wait()  # until all have come
        return await read_whole(of)

    live = Live(read, tick=3600.0)
    async with (
        served(streaming(live)) as address,
        aiohttp.ClientSession() as session,
        AsyncExitStack() as stack,
    ):
        answers = []
        for _ in range(MOST_LOOKERS):
            answers.append(await stack.enter_async_context(session.get(f"{address}/events")))
        async with session.get(f"{address}/events") as one_more:
            assert one_more.status == 503
            assert "Retry-After" in one_more.headers
        first.set()
        for answer in answers:
            assert answer.content_type == "text/event-stream"
            line = await answer.content.readline()
            sections = json.loads(line.removeprefix(b"data: "))
            assert {"verdict", "sources", "telegram", "database"} <= sections.keys()
        assert reads == 1


@pytest.mark.cases
async def test_the_seat_of_a_looker_who_has_gone_is_anothers(store: Store) -> None:
    """At once, though nothing is written to anybody before the next look."""
    of = operated(store, Catalog())
    live = Live(partial(read_whole, of), tick=3600.0)
    async with served(streaming(live)) as address, asyncio.timeout(60):
        async with AsyncExitStack() as gone:
            theirs = await gone.enter_async_context(aiohttp.ClientSession())
            for _ in range(MOST_LOOKERS):
                answer = await gone.enter_async_context(theirs.get(f"{address}/events"))
                await answer.content.readline()
        async with aiohttp.ClientSession() as session:
            # the server reads the end of a connection when the loop comes to it
            for pause in pauses():
                async with session.get(f"{address}/events") as answer:
                    if answer.status == 200:
                        break
                await asyncio.sleep(pause)


async def test_a_stream_says_only_what_changed_and_lives_through_a_database_that_is_away(
    store: Store,
) -> None:
    """All at first, then the sections that changed; nothing while it cannot be read."""
    of = operated(store, Catalog())
    now, away = NOW, False

    async def read() -> Whole:
        if away:
            raise StorageError(said("away"))
        return await read_whole(replace(of, clock=lambda: now))

    live = Live(read, tick=0.05)
    async with (
        served(streaming(live)) as address,
        aiohttp.ClientSession() as session,
        session.get(f"{address}/events") as answer,
        asyncio.timeout(60),
    ):
        await answer.content.readline()
        of.readiness.tell(RECEIVES, said("updates: <refused>"))
        heard = b""
        while b"refused" not in heard:
            heard = await answer.content.readline()
        assert json.loads(heard.removeprefix(b"data: ")).keys() == {"verdict", "telegram"}
        assert b"&lt;refused&gt;" in heard
        away = True
        while heard != b":\n":
            heard = await answer.content.readline()
        away, now = False, NOW + timedelta(seconds=1)
        while b"verdict" not in heard:
            heard = await answer.content.readline()
        assert "sources" not in json.loads(heard.removeprefix(b"data: "))


async def test_nobody_looks_and_the_database_is_left_alone(store: Store) -> None:
    """The looks end with the last looker, and begin again with the next."""
    looks: asyncio.Queue[datetime] = asyncio.Queue()
    of = operated(store, Catalog())

    async def read() -> Whole:
        looks.put_nowait(datetime.now(UTC))
        return await read_whole(of)

    live = Live(read, tick=0.05)
    async with served(streaming(live)) as address, asyncio.timeout(60):
        for _ in range(2):
            async with aiohttp.ClientSession() as session:
                async with session.get(f"{address}/events") as answer:
                    await answer.content.readline()
                await looks.get()
            while live.looks:  # noqa: ASYNC110 - noticed at the next write, by the server alone
                await asyncio.sleep(0.01)
            while not looks.empty():
                looks.get_nowait()


async def the_page_tells_of_the_day(day: Day, database: str) -> None:
    """Rates, a story with how far it came and how long that took, the database by its name."""
    status, headers, page = await day.get("/status", {"Accept-Language": "ru"})
    assert (status, headers["Content-Language"]) == (200, "ru")
    async with asyncio.timeout(60):
        while page.count("доставлено 2") < 2:
            await asyncio.sleep(0.2)
            page = (await day.get("/status?lang=ru"))[2]
    assert "Armed men attack border post" in page
    assert "89,9000" in page
    assert "National" not in page
    assert "Национальный банк" in page
    assert t("page.job.poll", "ru") in page
    assert [name for name in ("own_feeds", "fan_out", "heartbeat") if name in page] == []
    assert database in page
    assert re.search(r"за \d+(,\d)? с", page)
    assert len(page.encode()) < LARGEST
