"""A source in trouble: gone and back, half of it missing, days it cannot mean, and what its
operator hears of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import func, select

import storage.alerts
import storage.chats
import storage.held_rates
import storage.rates
import storage.sources
from bot import schedule
from bot.detect.plausibility import agreeing
from bot.emulator import TEST_TOKEN, Emulator
from bot.ingest.notices import TOLD_AFTER
from bot.model.alerts import Approval
from bot.model.rates import Freshness
from bot.readers.rates import rate_card
from bot.readers.status import current_status
from bot.render.status import status as status_message
from bot.sources.base import Parsed
from bot.sources.catalog import load_catalog, parse_catalog
from bot.sources.specs import Catalog, RateSpec
from bot.sources.timetable import PollSpec
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.db import Store
from storage.schema import held_rate
from storage.sources import SourceState
from tests.factories import a_reason
from tests.factories import chat as a_chat
from tests.factories import rate as a_rate
from tests.publishers import ATTACK, QUIET, Publishers, bank_page, rss
from tests.test_cli import jarchy
from tests.world import OPERATOR, World, polling

#: Polls and what follows on PostgreSQL are in test_ingest and the faults; here the cases differ.
pytestmark = pytest.mark.cases(keep=4)

WEDNESDAY = date(2026, 9, 16)
NOW = datetime(2026, 9, 16, 12, tzinfo=UTC)
POLL = 'poll = { every = "1h", between = "14:00-19:00", zone = "Asia/Bishkek", days = "mon-fri" }'


def catalog(url: str) -> Catalog:
    """A bank of two documents, two banks of one, and two agencies."""
    return parse_catalog(f"""
[rates.nbkr]
name = {{ en = "National Bank" }}
urls = ["{url}/daily.xml", "{url}/weekly.xml?key=secret"]
{POLL}
holidays = ["01-01", "01-02", "01-03", "01-04", "01-05", "01-06", "01-07", "01-08", "01-09"]
rank = 1
[rates.second]
parser = "nbkr"
name = {{ en = "Second Bank" }}
urls = ["{url}/second.xml"]
{POLL}
[feeds.one]
url = "{url}/one.xml"
language = "en"
[feeds.two]
url = "{url}/two.xml"
language = "en"
""")


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Nothing polled yet; one operator."""
    async with polling(store, catalog, now=NOW) as made:
        yield made


def daily(world: World, day: date | None = None, **values: str) -> None:
    """The bank's daily document."""
    day = day or world.now.date()
    world.publishers.put(
        "/daily.xml", bank_page(day, values or {"USD": "84,7935", "EUR": "98,8523"})
    )


def weekly(world: World, day: date | None = None, **values: str) -> None:
    """Its other one."""
    day = day or world.now.date()
    world.publishers.put(
        "/weekly.xml", bank_page(day, values or {"UAH": "2,1000", "GEL": "31,2000"})
    )


async def state(world: World, key: str = "nbkr") -> SourceState:
    """The state of polling a source so far."""
    async with world.store.reading() as db:
        return (await storage.sources.states(db))[key]


async def stored(world: World) -> set[str]:
    """The currencies that have a rate."""
    async with world.store.reading() as db:
        rows = await storage.rates.around(db, "nbkr", date(2100, 12, 31))
    return {one.pair.base for one in rows}


# ── gone, and back ──────────────────────────────────────────────────────────


async def gone(world: World) -> None:
    """The second bank says that it is gone."""
    world.publishers.put("/second.xml", b"", status=410)
    assert (await world.poll("second")).error


async def is_due(world: World) -> bool:
    """Whether the program would poll the second bank now."""
    states = {"second": await state(world, "second")}
    return bool(schedule.due([world.catalog.rates["second"]], states, now=world.now))


async def test_F16_a_source_that_was_gone_is_looked_at_daily_and_comes_back_by_itself(
    world: World,
) -> None:
    """A 410 may be a mistake of the publisher's: not asked for a day, then once a day, then as
    always.
    """
    await gone(world)
    for _ in range(2):
        since = (await state(world, "second")).gone_at
        assert since == NOW
        world.now += timedelta(hours=23)
        assert not await is_due(world)
        world.now += timedelta(hours=4)
        assert await is_due(world)
        assert (await world.poll("second")).error
    world.bank(world.now.date(), "second")
    assert (await world.poll("second")).error is None
    after = await state(world, "second")
    assert (after.gone_at, after.failures, after.error) == (None, 0, None)
    assert after.next_due_at is not None
    assert after.next_due_at - world.now <= timedelta(hours=6, minutes=40)
    assert [said for said, _ in await world.notices()] == [
        "notice.source",
        "notice.well",
    ]  # once, not every day


async def test_F6_a_source_is_asked_where_it_moved_once_it_said_so_three_times(
    world: World,
) -> None:
    """Another place begins the count anew; a redirect for now moves nothing."""
    served = world.publishers
    served.put("/new.xml", rss(QUIET))
    served.put("/newest.xml", rss(QUIET))

    async def polled(status: int, place: str) -> str:
        served.put("/one.xml", b"", status=status)
        served.headers["/one.xml"] = {"Location": place}
        served.asked.clear()
        assert (await world.poll("one")).error is None
        return served.asked[0]

    for status in (301, 301, 302, 301, 301):
        assert await polled(status, "/new.xml") == "/one.xml"
    for _ in range(3):
        assert await polled(308, "/newest.xml") == "/one.xml"
    assert await polled(301, "/new.xml") == "/newest.xml"


async def test_F6_a_source_whose_new_place_fails_is_asked_at_its_old_one_by_turns(
    world: World,
) -> None:
    """Closed or sold, it is no more the source's; one that was only away is asked there again."""
    served, old, new = world.publishers, "/one.xml", "/new.xml"
    served.put(new, rss(QUIET))
    served.put(old, b"", status=301)
    served.headers[old] = {"Location": new}
    for _ in range(3):
        await world.poll("one")
    del served.headers[old]
    served.put(old, b"", status=404)
    served.put(new, b"<html>This name is for sale</html>", kind="text/html")
    served.asked.clear()
    for _ in range(4):
        assert (await world.poll("one")).error
    assert served.asked == [new, old, new, old]
    served.put(new, rss(QUIET))
    for _ in range(2):
        assert (await world.poll("one")).error is None
    served.put(new, b"", status=410)
    served.put(old, rss(QUIET))
    assert (await world.poll("one")).error
    served.asked.clear()
    for _ in range(2):
        assert (await world.poll("one")).error is None
    assert served.asked == [old, old]


async def test_F6_R12_one_of_two_documents_whose_new_place_fails_is_asked_at_its_old_one_by_turns(
    world: World,
) -> None:
    """By turns of its own, whatever becomes of the other, which stays at its new place."""
    served = world.publishers
    daily(world)
    weekly(world)
    for document in ("daily", "weekly"):
        _, _, body = served.documents[f"/{document}.xml"]
        served.put(f"/new-{document}.xml", body)
        served.put(f"/{document}.xml", b"", status=301)
        served.headers[f"/{document}.xml"] = {"Location": f"/new-{document}.xml"}
    for _ in range(3):
        assert (await world.poll()).error is None
    served.put("/new-daily.xml", b"", status=404)
    served.put("/weekly.xml", b"", status=404)
    served.asked.clear()
    for _ in range(3):
        assert (await world.poll()).outcome == "partly"
    at_its_turn = ["/new-daily.xml", "/daily.xml", "/new-daily.xml", "/new-daily.xml"]
    assert [path for path in served.asked if "daily" in path] == at_its_turn
    assert {path for path in served.asked if "weekly" in path} == {"/new-weekly.xml"}
    del served.headers["/daily.xml"]
    daily(world, USD="85,0000")
    report = await world.poll()
    assert (report.outcome, report.new) == ("ok", 1)


async def test_F16_another_failure_than_gone_is_tried_again_soon(world: World) -> None:
    """It answers: so it is not gone."""
    await gone(world)
    world.publishers.put("/second.xml", b"", status=503)
    await world.poll("second")
    after = await state(world, "second")
    assert after.gone_at is None
    assert after.next_due_at is not None
    assert after.next_due_at - world.now < timedelta(hours=7)


async def test_F16_a_source_that_is_gone_is_polled_by_hand(tmp_path: Path) -> None:
    """`jarchy poll KEY` asks it whatever it said before."""
    async with Publishers() as publishers:
        publishers.put("/second.xml", b"", status=410)
        (tmp_path / "catalog.toml").write_text(
            f'[rates.second]\nparser = "nbkr"\nname = {{ en = "B" }}\nurls = '
            f'["{publishers.url}/second.xml"]\n'
        )
        settings = {"CATALOG": str(tmp_path / "catalog.toml"), "LOG_LEVEL": "error"}
        first = await asyncio.to_thread(jarchy, tmp_path, "poll", "second", **settings)
        publishers.put("/second.xml", bank_page(datetime.now(UTC).date(), {"USD": "84,7935"}))
        second = await asyncio.to_thread(jarchy, tmp_path, "poll", "second", **settings)
    assert (first.returncode, second.returncode) == (1, 0), second.stderr
    assert b'"new":1' in second.stdout


# ── some of its documents ───────────────────────────────────────────────────

BROKEN = {
    "missing": (404, b"no"),
    "away": (503, b""),
    "gone": (410, b""),
    "empty": (200, b""),
    "a web page": (200, b"<!doctype html><html><title>Maintenance</title></html>"),
    "cut off": (200, bank_page(WEDNESDAY, {"UAH": "2,1000"})[:150]),
    "another document": (200, b"<?xml version='1.0'?><Other/>"),
    "garbled": (200, bytes(range(256)) * 4),
    "no row to believe": (200, bank_page(WEDNESDAY, {"UAH": "0,0000"})),
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("first", [False, True], ids=["the second", "the first"])
@pytest.mark.cases(keep=5)
async def test_R12_one_failing_document_does_not_lose_the_others(
    world: World, broken: str, *, first: bool
) -> None:
    """Whichever fails and however: the others' rates are used, the failing one is named and read
    when it is well.
    """
    daily(world)
    weekly(world)
    status, body = BROKEN[broken]
    name = "daily.xml" if first else "weekly.xml"
    world.publishers.put(f"/{name}", body, status=status)
    report = await world.poll()
    assert (report.fetched, report.new, report.outcome) == (2, 2, "partly")
    assert report.error is not None
    assert str(report.error).startswith(f"1 of 2 documents failed: {name}: ")
    assert "secret" not in str(report.error)
    assert await stored(world) == ({"UAH", "GEL"} if first else {"USD", "EUR"})
    now = await state(world)
    assert (now.failures, now.error, now.last_ok_at, now.gone_at) == (0, report.error, NOW, None)
    (daily if first else weekly)(world)
    assert (await world.poll()).new == 2
    assert (await state(world)).error is None
    assert await stored(world) == {"USD", "EUR", "UAH", "GEL"}


@pytest.mark.parametrize("first", [True, False], ids=["first", "second"])
async def test_R12_a_document_over_which_we_stumble_does_not_lose_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch, *, first: bool
) -> None:
    """A defect of ours in reading it, not only what we know to refuse."""
    daily(world)
    weekly(world)
    name = "daily.xml" if first else "weekly.xml"
    parse = RateSpec.parse

    def stumble(spec: RateSpec, body: bytes, *, url: str | None = None) -> Parsed:
        if name in (url or ""):
            raise IndexError(name)
        return parse(spec, body, url=url)

    monkeypatch.setattr(RateSpec, "parse", stumble)
    report = await world.poll()
    assert (report.fetched, report.new, report.outcome) == (2, 2, "partly")
    assert str(report.error).startswith(f"1 of 2 documents failed: {name}: ")
    monkeypatch.undo()
    assert (await world.poll()).new == 2, "it is read again though it did not change"


async def test_R12_a_document_that_did_not_change_counts_as_well(world: World) -> None:
    """The other one fails later: nothing new, and no failure of the whole."""
    daily(world)
    weekly(world)
    await world.poll()
    world.publishers.put("/weekly.xml", b"", status=500)
    report = await world.poll()
    assert (report.new, report.outcome) == (0, "partly")


#: The path of a document → the seconds that its publisher asks us to stay away.
STAY_AWAY = [
    ("nbkr", {"/daily.xml": 7200}),
    ("nbkr", {"/weekly.xml": 7200}),
    ("nbkr", {"/daily.xml": 3600, "/weekly.xml": 7200}),
    ("nbkr", {"/daily.xml": 7200, "/weekly.xml": 3600}),
    ("second", {"/second.xml": 7200}),
    ("one", {"/one.xml": 7200}),
]


@pytest.mark.parametrize(("key", "asked"), STAY_AWAY)
async def test_F16_R12_whoever_asks_us_to_stay_away_is_asked_no_sooner(
    world: World, key: str, asked: dict[str, int]
) -> None:
    """Also where it is one document of several, and the others are well; the longest wait holds."""
    world.ingest = replace(world.ingest, poll_every=timedelta(seconds=10))
    daily(world)
    weekly(world)
    for path, seconds in asked.items():
        world.publishers.put(path, b"", status=429)
        world.publishers.headers[path] = {"Retry-After": str(seconds)}
    report = await world.poll(key)
    assert report.error is not None
    due = (await state(world, key)).next_due_at
    assert due is not None
    assert timedelta(seconds=7200) <= due - NOW < timedelta(seconds=7300)


async def test_R12_all_documents_failing_is_a_failure(world: World) -> None:
    """Counted and backed off from; gone only when all of them are."""
    world.publishers.put("/daily.xml", b"", status=410)
    report = await world.poll()  # the weekly one is missing
    assert report.outcome == "failed"
    assert report.error is not None
    assert str(report.error).startswith("2 of 2 documents failed: daily.xml: ")
    assert ((await state(world)).failures, (await state(world)).gone_at) == (1, None)
    world.publishers.put("/weekly.xml", b"", status=410)
    await world.poll()
    assert (await state(world)).gone_at == NOW


@pytest.mark.parametrize("order", list(permutations(["daily.xml", "weekly.xml"])), ids=" ".join)
async def test_R12_what_two_documents_say_differently_is_believed_of_neither(
    world: World, order: tuple[str, ...]
) -> None:
    """Whatever their order in the catalog; the rest of both is, and one question asks for both."""
    daily(world, USD="84,7935", EUR="98,8523")
    weekly(world, USD="85,0000", GEL="31,2000")
    urls = ", ".join(f'"{world.publishers.url}/{name}"' for name in order)
    world.catalog = parse_catalog(f'[rates.nbkr]\nname = {{ en = "B" }}\nurls = [{urls}]\n{POLL}\n')
    await world.poll()
    assert await stored(world) == {"EUR", "GEL"}
    assert await held(world) == [(str(WEDNESDAY), "held")] * 2
    ((_, values),) = await world.notices()
    async with world.store.reading() as db:
        first = (await db.execute(select(func.min(held_rate.c.id)))).scalar_one()
    said = {"daily.xml": "84.7935", "weekly.xml": "85.0000"}[order[0]]
    asked = {"source": "nbkr", "rate": f"USD/KGS {said} (+1)", "held": str(first)}
    assert {name: values[name] for name in asked} == asked


async def usd(world: World) -> list[tuple[str, int]]:
    """What is stored of the dollar today, with its revision."""
    async with world.store.reading() as db:
        rows = await storage.rates.around(db, "nbkr", WEDNESDAY)
    return [(str(one.value), one.revision) for one in rows if one.pair.base == "USD"]


async def contradicted(world: World) -> None:
    """The daily document was believed, and told as a move; the weekly one says otherwise."""
    for ago in (2, 1):
        world.now = NOW - timedelta(days=ago)
        daily(world, USD="84,0000")
        weekly(world, GEL="31,2000")
        await world.poll()
    world.now = NOW
    daily(world, USD="90,0000")
    weekly(world, GEL="31,2000")
    assert (await world.poll()).alerts == 1
    weekly(world, GEL="31,2000", USD="88,0000")
    await world.poll()


async def test_R12_a_document_that_changed_alone_contradicts_the_other_and_revises_nothing(
    world: World,
) -> None:
    """However often either changes; the operator is asked once, and readers hear of one move."""
    await contradicted(world)
    for eur in ("98,0000", "99,0000"):
        daily(world, USD="90,0000", EUR=eur)
        await world.poll()
        weekly(world, GEL="31,2000", USD="88,0000", UAH=eur)
        await world.poll()
    assert await usd(world) == [("84.0000", 0), ("90.0000", 0)]
    assert len(await world.alerts()) == 1
    assert [msgid for msgid, _ in await world.notices()] == ["notice.held"]
    ((why,),) = await world.notice_reasons()
    assert why.code == "row.two_documents"
    assert await held(world) == [(str(WEDNESDAY), "held")]


async def test_R12_what_both_documents_say_in_the_end_is_a_revision(world: World) -> None:
    """Though they changed one after the other; nobody is asked about it any more."""
    await contradicted(world)
    daily(world, USD="88,0000")
    assert (await world.poll()).new == 1
    assert await usd(world) == [("84.0000", 0), ("88.0000", 1)]
    assert await held(world) == [(str(WEDNESDAY), "released")]


async def test_R12_what_one_document_alone_revises_is_believed_at_the_operators_word(
    world: World,
) -> None:
    """And stays, though the other goes on with its own: the operator is asked about that once."""
    await contradicted(world)
    async with world.store.writing() as db:
        number = (await db.execute(select(held_rate.c.id))).scalar_one()
        await storage.held_rates.decide(db, number, approve=True)
    for eur in ("98,0000", "99,0000"):
        daily(world, USD="90,0000", EUR=eur)
        await world.poll()
    assert await usd(world) == [("84.0000", 0), ("88.0000", 1)]
    assert [msgid for msgid, _ in await world.notices()] == ["notice.held", "notice.held"]


@pytest.mark.parametrize("again", [True, False], ids=["asked again", "asked first"])
async def test_R12_a_revision_waits_for_a_document_that_cannot_be_had(
    world: World, *, again: bool
) -> None:
    """Whether it fails when it is asked for whole or at once, and however often: what it says when
    it is back decides. What revises nothing is believed meanwhile.
    """
    daily(world, USD="90,0000")
    weekly(world, USD="90,0000")
    await world.poll()
    daily(world, USD="88,0000", EUR="98,0000")
    if again:  # its first answer is that nothing changed
        first = world.publishers.held["/weekly.xml"] = asyncio.Event()
        polled = asyncio.create_task(world.poll())
        await world.publishers.asked_again("/weekly.xml")
        world.publishers.put("/weekly.xml", b"", status=503)
        first.set()
        assert (await polled).outcome == "partly"
    world.publishers.put("/weekly.xml", b"", status=503)
    await world.poll()
    assert await usd(world) == [("90.0000", 0)]
    assert await stored(world) == {"USD", "EUR"}
    weekly(world, USD="90,0000")
    await world.poll()
    assert await usd(world) == [("90.0000", 0)]
    assert await held(world) == [(str(WEDNESDAY), "held")]


@pytest.mark.parametrize("status", [404, 410])
async def test_R12_a_document_that_is_gone_contradicts_nothing(world: World, status: int) -> None:
    """What the other one revises is believed."""
    daily(world, USD="90,0000")
    weekly(world)
    await world.poll()
    world.publishers.put("/weekly.xml", b"", status=status)
    daily(world, USD="88,0000")
    assert (await world.poll()).new == 1
    assert await usd(world) == [("88.0000", 1)]


async def test_R12_status_says_that_only_a_part_comes(world: World) -> None:
    """In the chat's /status, in each language."""
    daily(world)
    await world.poll()
    async with world.store.reading() as db:
        found = await current_status(db, world.catalog, token="t", now=NOW)
    (source,) = [one for one in found.sources if one.key == "nbkr"]
    assert source.error is not None
    for language, words in (("en", "only a part"), ("ru", "не всё"), ("ky", "бөлүгү гана")):
        (line,) = [
            one
            for one in status_message(found, language).text.split("\n")
            if "National Bank" in one
        ]
        assert line.startswith("🟠")
        assert words in line


def test_R12_a_failing_file_of_several_is_named_and_the_others_are_printed(tmp_path: Path) -> None:
    """`jarchy inspect rates KEY a b`, whatever their order."""
    (tmp_path / "good.xml").write_bytes(bank_page(WEDNESDAY, {"USD": "84,7935"}))
    (tmp_path / "bad.xml").write_bytes(b"<html>down</html>")
    for files in (("good.xml", "bad.xml", "none.xml"), ("none.xml", "bad.xml", "good.xml")):
        done = jarchy(tmp_path, "inspect", "rates", "nbkr", *files)
        assert done.returncode == 1
        lines = done.stdout.decode().splitlines()
        assert len(lines) == 3
        for name, line in zip(files, lines, strict=True):
            assert f'"file":"{name}"' in line
            assert ('"per_unit":"84.7935"' in line, '"error":' in line) == (
                name == "good.xml",
                name != "good.xml",
            )


def test_a_source_of_the_operators_own_catalog_is_inspected_by_its_key(tmp_path: Path) -> None:
    """And what its section says of its kind holds."""
    (tmp_path / "page.xml").write_bytes(bank_page(WEDNESDAY, {"USD": "84,7935"}))
    (tmp_path / "mine.toml").write_text(
        '[rates.mirror]\nname = { en = "Mirror" }\nparser = "nbkr"\nkind = "reference"\n'
        'urls = ["https://mirror.example/daily.xml"]\n',
        encoding="utf-8",
    )
    (tmp_path / ".env").write_text("CATALOG=mine.toml\n", encoding="utf-8")
    done = jarchy(tmp_path, "inspect", "rates", "mirror", "page.xml")
    assert done.returncode == 0, done.stderr
    assert b'"source":"mirror"' in done.stdout
    assert b'"kind":"reference"' in done.stdout


# ── days it cannot mean ─────────────────────────────────────────────────────


async def held(world: World) -> list[tuple[str, str]]:
    """Days and states of what is put aside."""
    async with world.store.reading() as db:
        rows = await db.execute(
            select(held_rate.c.effective_on, held_rate.c.state).order_by(held_rate.c.id)
        )
        return [(str(row.effective_on), row.state) for row in rows]


FAR = [
    pytest.param(WEDNESDAY + timedelta(days=35), marks=pytest.mark.slow),
    date(2099, 1, 1),
    pytest.param(date(2027, 9, 16), marks=pytest.mark.slow),
    date(2026, 10, 16),
    date(2025, 9, 16),
    pytest.param(date(1999, 1, 1), marks=pytest.mark.slow),
]


@pytest.mark.cases
@pytest.mark.parametrize("day", FAR, ids=str)
async def test_R11_a_rate_for_a_day_that_cannot_be_meant_is_held(world: World, day: date) -> None:
    """Held, asked for again, the operator asked once for the whole document; the readers keep what
    they have.
    """
    await world.publish(WEDNESDAY, "second")
    for _ in range(3):
        report = await world.publish(day, "second", USD="85,1000")
        assert (report.fetched, report.new, report.error) == (3, 0, None)
        due = (await state(world, "second")).next_due_at
        assert due is not None
        assert due - NOW <= timedelta(minutes=4)
    assert await held(world) == [(str(day), "held")] * 3
    ((msgid, values),) = await world.notices()
    assert msgid == "notice.held"
    assert await world.notice_reasons() == [(a_reason("far_day", day),)]
    assert (values["source"], values["rate"]) == ("second", "USD/KGS 85.1000 (+2)")
    async with world.store.reading() as db:
        assert await storage.rates.newest_day(db, "second") == WEDNESDAY


@pytest.mark.cases
@pytest.mark.parametrize("day", FAR[:4], ids=str)
async def test_R11_not_even_the_first_rate_of_a_source_may_be_of_a_day_far_ahead(
    world: World, day: date
) -> None:
    """There is nothing to compare it with but the calendar."""
    assert (await world.publish(day, "second")).new == 0


async def test_R11_a_day_far_ahead_does_not_make_a_source_fresh(world: World) -> None:
    """Neither while it is held nor when an operator let it through: the source stays stuck until it
    publishes.
    """
    await world.publish(WEDNESDAY, "second")
    world.now += timedelta(days=7)
    await world.poll("second")
    assert [msgid for msgid, _ in await world.notices()] == ["notice.stale"]
    await world.publish(date(2099, 1, 1), "second")
    async with world.store.writing() as db:
        number = (
            (await db.execute(select(held_rate.c.id).order_by(held_rate.c.id))).scalars().first()
        )
        assert await storage.held_rates.decide(db, number or 0, approve=True) is not None
    # one word for the document
    assert {standing for _, standing in await held(world)} == {"approved"}
    assert (await world.poll("second")).new == 3
    assert [msgid for msgid, _ in await world.notices()] == ["notice.stale", "notice.held"]
    async with world.store.reading() as db:
        only = parse_catalog(
            f'[rates.second]\nparser = "nbkr"\nname = {{ en = "B" }}\nurls = '
            f'["http://a.example/"]\n{POLL}\n'
        )
        card = await rate_card(db, only, home="KGS", now=world.now)
    assert card.freshness is Freshness.LATE
    await world.publish(world.now.date(), "second")
    assert [msgid for msgid, _ in await world.notices()] == [
        "notice.stale",
        "notice.held",
        "notice.fresh",
    ]


async def test_R11_a_day_that_came_near_is_believed(world: World) -> None:
    """Held while it was far; the same document is read again, and its day is at hand now."""
    await world.publish(WEDNESDAY, "second")
    await world.publish(WEDNESDAY + timedelta(days=35), "second")
    world.now += timedelta(days=33)
    assert (await world.poll("second")).new == 3


async def test_R11_an_old_publisher_goes_on_where_it_stopped(world: World) -> None:
    """A first document of years ago, and the next days of it, are history and not mistakes; so is a
    revision.
    """
    assert (await world.publish(date(2021, 10, 19), "second")).new == 3
    assert (await world.publish(date(2021, 10, 20), "second", USD="84,9000")).new == 3
    assert (await world.publish(date(2021, 10, 19), "second", USD="84,8000")).new == 1
    assert await held(world) == []


@pytest.mark.cases
@pytest.mark.parametrize("ago", [12, pytest.param(30, marks=pytest.mark.slow), 365])
async def test_R11_a_day_long_past_that_is_known_is_not_revised_by_a_mistyped_one(
    world: World, ago: int
) -> None:
    """The page of today under the day of a past one: what was published then stays, and it is
    asked for again.
    """
    past = WEDNESDAY - timedelta(days=ago)
    world.now = datetime(past.year, past.month, past.day, 12, tzinfo=UTC)
    await world.publish(past, "second")
    world.now = NOW
    await world.publish(WEDNESDAY - timedelta(days=1), "second")
    report = await world.publish(past, "second", USD="85,1000")
    assert (report.new, report.error) == (0, None)
    assert await held(world) == [(str(past), "held")]
    assert [msgid for msgid, _ in await world.notices()] == ["notice.held"]


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=400)], ids=["now", "stopped"])
async def test_R11_a_list_that_reaches_to_the_last_days_revises_its_past(
    store: Store, later: timedelta
) -> None:
    """As the European Central Bank's does: ninety days, in which an old one is corrected; also
    where the list stopped long ago.
    """
    past = [WEDNESDAY - timedelta(days=days) for days in (60, 1)]
    section = """
[rates.ecb]
name = {{ en = "ECB" }}
urls = ["{url}/days.csv"]
poll = {{ every = "1h" }}
"""
    now = NOW + later
    async with polling(store, lambda url: parse_catalog(section.format(url=url)), now=now) as made:
        for value, new in (("1.0500", 2), ("1.0600", 1)):
            rows = "".join(
                f"USD,{day},{figure}\n" for day, figure in zip(past, (value, "1.0700"), strict=True)
            )
            made.serve("ecb", f"CURRENCY,TIME_PERIOD,OBS_VALUE\n{rows}".encode())
            report = await made.poll("ecb")
            assert (report.new, report.error) == (new, None)
        assert await held(made) == []


CALENDARS = [
    (datetime(2026, 9, 16, 12, tzinfo=UTC), date(2026, 9, 17), "the next day"),
    (datetime(2026, 9, 18, 12, tzinfo=UTC), date(2026, 9, 19), "Friday for Saturday"),
    (datetime(2026, 9, 18, 12, tzinfo=UTC), date(2026, 9, 21), "Friday for Monday"),
    (datetime(2026, 9, 18, 12, tzinfo=UTC), date(2026, 9, 22), "Friday for Tuesday"),
    (datetime(2026, 12, 31, 12, tzinfo=UTC), date(2027, 1, 1), "for New Year"),
    (datetime(2026, 12, 31, 12, tzinfo=UTC), date(2027, 1, 11), "over the holidays"),
    (datetime(2026, 12, 31, 12, tzinfo=UTC), date(2027, 1, 12), "over the holidays, and a day"),
    (datetime(2027, 1, 11, 3, tzinfo=UTC), date(2026, 12, 31), "the last one before the holidays"),
    (datetime(2026, 9, 21, 3, tzinfo=UTC), date(2026, 9, 19), "Saturday's on Monday"),
]


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize(("now", "day", "_why"), CALENDARS, ids=[why for *_, why in CALENDARS])
async def test_R11_what_the_publishers_calendar_explains_passes(
    world: World, now: datetime, day: date, _why: str
) -> None:
    """Next-day rates, weekends, long holidays."""
    world.now = now
    daily(world, now.date() - timedelta(days=1))
    weekly(world, now.date() - timedelta(days=1))
    await world.poll()
    daily(world, day)
    assert (await world.poll()).new == 2
    assert await held(world) == []


def test_R11_near_follows_the_calendar() -> None:
    """Longer rests reach farther; without a calendar ten days either way are near."""
    plain = PollSpec(every=timedelta(hours=1), zone="UTC")
    assert plain.near(NOW) == (date(2026, 9, 6), date(2026, 9, 26))
    monthly = PollSpec(every=timedelta(hours=1), zone="UTC", days=frozenset({0}))  # Mondays only
    assert monthly.near(NOW) == (date(2026, 8, 17), date(2026, 9, 29))
    resting = frozenset(date(2026, 9, 17) + timedelta(days=n) for n in range(14))
    rests = PollSpec(every=timedelta(hours=1), zone="UTC", holidays=resting)
    assert rests.near(NOW)[1] == date(2026, 10, 3)
    never = PollSpec(every=timedelta(hours=1), zone="UTC", days=frozenset())
    assert never.near(NOW)[1] <= NOW.date() + timedelta(days=62)


@pytest.mark.parametrize("year", [2026, 2027])
def test_R11_no_packaged_bank_has_a_next_day_that_is_far(year: int) -> None:
    """Every day of two years: the next day of work is near, and so is a day 45 days ahead not."""
    for spec in load_catalog().rates.values():
        for number in range(365):
            now = datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=number)
            first, last = spec.poll.near(now)
            following = next(
                day
                for ahead in range(1, 30)
                if spec.poll.publishes_on(day := now.date() + timedelta(days=ahead))
            )
            assert first < now.date() < following < last < now.date() + timedelta(days=35)


# ── how often it is asked, and whose word counts ────────────────────────────


async def test_a_held_rate_is_asked_for_soon_and_then_ever_less_often(world: World) -> None:
    """After one minute, two, four, eight; never later than the source is due anyway."""
    await world.publish(WEDNESDAY, "second")
    world.bank(WEDNESDAY + timedelta(days=1), "second", USD="847,9350")
    for seconds in (60, 120, 240, 480, 960, 1920):
        await world.poll("second")
        due = (await state(world, "second")).next_due_at
        assert due == NOW + timedelta(seconds=seconds)
    for _ in range(6):
        await world.poll("second")
        due = (await state(world, "second")).next_due_at
        assert due is not None
        assert due <= NOW + timedelta(hours=6, minutes=36)


@pytest.mark.parametrize(
    ("days", "heard"), [(0, True), (3, True), (-3, True), (4, False), (-4, False), (29, False)]
)
def test_a_second_source_agrees_within_three_days(days: int, *, heard: bool) -> None:
    """An older word proves nothing."""
    ours = a_rate(on="2021-10-20")
    other = a_rate(on=str(date(2021, 10, 20) - timedelta(days=days)), source="second")
    assert (agreeing(ours, [other]) is not None) == heard


@pytest.mark.parametrize(("days", "believed"), [(3, True), (4, False)])
async def test_a_leap_is_believed_at_once_when_another_bank_said_it_within_three_days(
    world: World, days: int, *, believed: bool
) -> None:
    """A second source of four days ago is asked again instead."""
    daily(world, WEDNESDAY - timedelta(days=8), USD="84,7935")
    weekly(world)
    await world.poll()
    world.now -= timedelta(days=days)
    await world.publish(WEDNESDAY - timedelta(days=days), "second", USD="101,9000")
    world.now = NOW
    daily(world, USD="101,9000")
    assert (await world.poll()).new == believed


# ── what the operator hears ─────────────────────────────────────────────────


def today(world: World) -> date:
    """The date there."""
    return world.now.date()


async def failing(world: World) -> None:
    world.publishers.put("/second.xml", b"<html>down</html>")
    for _ in range(TOLD_AFTER - 1):
        await world.poll("second")
    assert await world.notices() == []
    await world.poll("second")


async def partly_failing(world: World) -> None:
    daily(world)
    for _ in range(TOLD_AFTER - 1):
        await world.poll()
    assert await world.notices() == []
    await world.poll()


async def flooding(world: World) -> None:
    await world.report("one", QUIET)
    world.feed("one", *[(f"x{n}", f"{ATTACK[1]} – {n}", ATTACK[2]) for n in range(25)])
    await world.poll("one")


async def disputing(world: World) -> None:
    daily(world, today(world), USD="84,7935")
    weekly(world)
    await world.poll()
    await world.publish(today(world), "second", USD="88,0000")


async def leaping(world: World) -> None:
    await world.publish(today(world) - timedelta(days=1), "second")
    await world.publish(today(world), "second", USD="847,9350")


async def stale(world: World) -> None:
    await world.publish(today(world) - timedelta(days=9), "second")


async def fresh_again(world: World) -> None:
    await world.publish(today(world) - timedelta(days=9), "second")
    await world.publish(today(world), "second")


async def well_again(world: World) -> None:
    world.publishers.put("/one.xml", b"", status=500)
    for _ in range(TOLD_AFTER):
        await world.poll("one")
    assert len(await world.notices()) == 1
    await world.report("one", QUIET)


async def asking(world: World) -> None:
    object.__setattr__(world.ingest, "security_policy", "approve")
    await world.report("one", QUIET)
    await world.report("one", ATTACK, QUIET)


CORRECTED = ATTACK[1].replace("Armed men", "Three drunkards")


async def correcting(world: World) -> None:
    await asking(world)
    (story,) = await world.alerts("story")
    async with world.store.writing() as db:
        await storage.alerts.decide(db, story.id, Approval.APPROVED)
    await world.report("one", (ATTACK[0], CORRECTED, ATTACK[2]), QUIET)


TROUBLES: dict[str, tuple[str, Callable[[World], Awaitable[None]], str]] = {
    "notice.source: a source that fails": ("second", failing, "Second Bank"),
    "notice.source: a source that is gone": ("second", gone, "Second Bank"),
    "notice.partly": ("nbkr", partly_failing, "weekly.xml"),
    "notice.well": ("one", well_again, "one"),
    "notice.flood": ("one", flooding, "25"),
    "notice.dispute": ("second", disputing, "Second Bank"),
    "notice.held": ("second", leaping, "USD/KGS"),
    "notice.stale": ("second", stale, "Second Bank"),
    "notice.fresh": ("second", fresh_again, "Second Bank"),
    "notice.story": ("one", asking, ATTACK[1]),
    "notice.correction": ("one", correcting, "Three drunkards"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_the_operators_chat_hears_of_a_trouble_once(world: World, trouble: str) -> None:
    """Poll, outbox, worker, Telegram: one message to each operator, however often it is polled
    again that day.
    """
    key, happens, words = TROUBLES[trouble]
    msgid = trouble.partition(":")[0]
    world.now = datetime.now(UTC)  # what is sent has an end by the real clock
    async with Emulator(TEST_TOKEN) as emulator, open_session() as session:
        emulator.add_private(emulator.add_user(OPERATOR, "Operator", "ru"))
        async with world.store.writing() as db:
            await storage.chats.add(db, a_chat(OPERATOR, language="ru"), now=world.now)
        world.send_through(emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN))
        await happens(world)
        for _ in range(3):
            await world.poll(key)
        said = [values for name, values in await world.notices() if name == msgid]
        assert len(said) == 1
        world.start()
        text = (await world.tells(OPERATOR, words))["text"]
        count = len(await world.notices())
        await world.arrived(OPERATOR, count)
        await world.halt()
    assert "notice." not in text
    assert world.accepted(OPERATOR) == count


async def test_a_source_that_recovers_and_fails_again_is_told_again(world: World) -> None:
    """In part or in whole: counting begins anew."""
    daily(world)
    for _ in range(TOLD_AFTER):
        await world.poll()
    weekly(world)
    await world.poll()
    world.publishers.put("/weekly.xml", b"", status=500)
    for _ in range(TOLD_AFTER - 1):
        await world.poll()
    assert len(await world.notices()) == 2
    await world.poll()
    assert [msgid for msgid, _ in await world.notices()] == [
        "notice.partly",
        "notice.well",
        "notice.partly",
    ]


async def test_a_source_that_is_well_again_before_anybody_was_told_says_nothing(
    world: World,
) -> None:
    """In part or in whole; a feed as a bank."""
    daily(world)
    world.publishers.put("/one.xml", b"", status=500)
    for _ in range(TOLD_AFTER - 1):
        await world.poll()
        await world.poll("one")
    weekly(world)
    await world.poll()
    await world.report("one", QUIET)
    assert await world.notices() == []


async def test_every_operator_hears_and_a_trouble_that_lasts_is_told_again_the_next_day(
    store: Store,
) -> None:
    """Each once; a flood of the next day is another one."""
    async with polling(store, catalog, now=NOW, admins=(1, 2)) as world:
        await flooding(world)
        world.now += timedelta(days=1)
        world.feed(
            "one",
            *[(f"y{n}", f"Bridge {n} is open again", f"At last, by {n} men.") for n in range(25)],
        )
        await world.poll("one")
        rows = await world.alerts("notice")
    assert [row.audience_chat for row in rows] == [1, 2, 1, 2]


async def test_a_source_that_stays_partly_failed_is_told_once_not_every_day(world: World) -> None:
    """The operator knows; the status goes on saying it."""
    daily(world)
    for _ in range(TOLD_AFTER + 1):
        await world.poll()
    for _ in range(2):
        world.now += timedelta(days=1)
        await world.poll()
    assert [msgid for msgid, _ in await world.notices()] == ["notice.partly"]


async def test_the_same_trouble_twice_in_a_day_is_told_once(world: World) -> None:
    """Two floods of one size, hours apart."""
    await flooding(world)
    world.now += timedelta(hours=3)
    world.feed(
        "one", *[(f"z{n}", f"Bridge {n} is open again", f"At last, by {n} men.") for n in range(25)]
    )
    assert (await world.poll("one")).new == 25
    assert [msgid for msgid, _ in await world.notices()] == ["notice.flood"]


@pytest.mark.parametrize(
    ("hour", "told"), [(12, []), (14, ["notice.stale"])], ids=["in its window", "after it"]
)
async def test_a_silent_bank_is_told_of_after_three_days_of_publication(
    world: World, hour: int, told: list[str]
) -> None:
    """Thursday, Friday and Monday went by with nothing new; before Monday's window is over it is
    two days.
    """
    await world.publish(WEDNESDAY, "second")
    world.at(WEDNESDAY + timedelta(days=5), hour)
    await world.poll("second")
    assert [msgid for msgid, _ in await world.notices()] == told


@pytest.mark.parametrize(("days", "told"), [(5, ["notice.dispute"]), (6, [])])
async def test_a_dispute_of_long_ago_is_history(world: World, days: int, told: list[str]) -> None:
    """A rate effective longer ago than a long weekend is no news."""
    day = WEDNESDAY - timedelta(days=days)
    daily(world, day, USD="84,7935")
    weekly(world, day)
    await world.poll()
    await world.publish(day, "second", USD="88,0000")
    assert [msgid for msgid, _ in await world.notices() if msgid == "notice.dispute"] == told
