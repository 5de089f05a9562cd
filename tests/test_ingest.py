"""The poll flow against publishers on loopback, on every database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

import storage.alerts
import storage.chats
import storage.fan_out
import storage.rates
import storage.sources
import storage.stories
from bot.ingest import IngestReport
from bot.model.alerts import Approval
from bot.readers.digest import day_digest
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog, NewsSpec
from storage.db import Store
from storage.schema import alert, entry, held_rate
from tests.publishers import ATTACK, QUIET, Publishers, daily
from tests.world import World, polling

NOW = datetime.now(UTC).replace(microsecond=0)


def catalog(url: str) -> Catalog:
    """A bank, two agencies."""
    return parse_catalog(f"""
[rates.nbkr]
name = {{ en = "National Bank" }}
urls = ["{url}/daily.xml"]
kind = "official"
[feeds.one]
name = {{ en = "One" }}
url = "{url}/one.xml"
language = "en"
[feeds.two]
name = {{ en = "Two" }}
url = "{url}/two.xml"
language = "en"
[feeds.three]
name = {{ en = "Three" }}
url = "{url}/three.xml"
language = "ru"
""")


#: For a test whose feeds and pages are read in processes of their own, as the program does.
IN_WORKERS = pytest.mark.parametrize("world", [True], indirect=True, ids=["in workers"])


@pytest.fixture
async def world(store: Store, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Nothing polled yet; one operator."""
    in_workers = getattr(request, "param", False)
    async with polling(store, catalog, now=NOW, in_workers=in_workers) as made:
        yield made


async def bank(world: World, days_ago: int, usd: str, rub: str = "1,1948") -> IngestReport:
    """The bank publishes a day's rates and is polled."""
    return await world.publish(NOW.date() - timedelta(days=days_ago), USD=usd, RUB=rub)


async def test_the_first_poll_never_alerts_and_the_next_move_does_once(world: World) -> None:
    """A backlog is not news; a move is, once."""
    assert await bank(world, 1, "84,7935") == IngestReport(
        source="nbkr", fetched=3, new=3, alerts=0
    )
    assert (await bank(world, 0, "89,9000")).alerts == 1
    # the same document: not even read
    assert (await bank(world, 0, "89,9000")) == IngestReport(source="nbkr")


@pytest.mark.cases
async def test_R2_a_leap_is_held_and_believed_when_it_comes_again(world: World) -> None:
    """A fifth more in a day is asked for again before anybody hears of it."""
    await bank(world, 1, "84,7935")
    first = await bank(world, 0, "101,9000")
    assert (first.new, first.alerts) == (2, 0)
    second = await world.poll("nbkr")
    assert (second.new, second.alerts) == (1, 1)
    (held,) = await world.stored(held_rate)
    assert (held.state, held.seen_times) == ("released", 2)


@pytest.mark.cases
async def test_R2_a_decimal_shift_is_not_believed_however_often_it_comes(world: World) -> None:
    """Ten times yesterday needs a second source; the operator is told once, the readers keep the
    old value.
    """
    await bank(world, 1, "84,7935")
    for _ in range(3):
        await bank(world, 0, "847,9350")
    async with world.store.reading() as db:
        shown = await storage.rates.around(db, "nbkr", NOW.date())
    assert max(item.value for item in shown if item.pair.base == "USD") == Decimal("84.7935")
    assert [item.kind for item in await world.stored(alert)] == ["notice"]


@pytest.mark.parametrize(
    "body", [b"", b"<html><body>login</body></html>", daily("20.10.2021", "1", "2", "3")[:150]]
)
@pytest.mark.cases
async def test_R7_a_broken_document_is_recorded_and_nothing_of_it_stored(
    world: World, body: bytes
) -> None:
    """HTML, nothing, or half a document."""
    await bank(world, 1, "84,7935")
    world.publishers.put("/daily.xml", body)
    report = await world.poll("nbkr")
    assert report.error
    async with world.store.reading() as db:
        state = (await storage.sources.states(db))["nbkr"]
        assert len(await storage.rates.around(db, "nbkr", NOW.date())) == 3
    assert state.failures == 1
    assert state.error == report.error


@pytest.mark.cases
async def test_R1_a_bad_row_leaves_the_others(world: World) -> None:
    """Zero is no price; the dollar beside it is."""
    await bank(world, 1, "84,7935")
    report = await bank(world, 0, "84,9000", rub="0,0000")
    assert (report.fetched, report.new, report.error) == (2, 2, None)


@pytest.mark.cases
@IN_WORKERS
async def test_a_security_story_alerts_once_and_a_quiet_one_never(world: World) -> None:
    """First polls are silent; then one alert for the story, none when another agency repeats it."""
    for feed in ("one", "two"):
        world.feed(feed, QUIET)
        assert (await world.poll(feed)).alerts == 0
    world.feed("one", ATTACK, QUIET)
    assert (await world.poll("one")).alerts == 1
    repeated = ("other-id", ATTACK[1], "The same event, told by another agency.")
    world.feed("two", repeated, QUIET)
    assert (await world.poll("two")).alerts == 0
    async with world.store.reading() as db:
        stories = await storage.stories.latest(db, topics=["security"])
    assert [story.feeds for story in stories] == [("one", "two")]


async def _known_agencies(world: World) -> None:
    """Both polled before: what comes now is new."""
    for feed in ("one", "two"):
        world.feed(feed, QUIET)
        await world.poll(feed)


@pytest.mark.cases
async def test_with_two_sources_a_story_waits_for_the_second(world: World) -> None:
    """SECURITY_POLICY=two_sources: the second agency's report tells it, however calmly worded, and
    once.
    """
    world.ingest = replace(world.ingest, security_policy="two_sources")
    await _known_agencies(world)
    title = "Shooting reported at the border post"
    first = ("first", title, "Armed men attacked; three soldiers were killed.")
    world.feed("one", first, QUIET)
    assert (await world.poll("one")).alerts == 0
    world.feed("one", ("one-more", *first[1:]), first, QUIET)
    assert (await world.poll("one")).alerts == 0
    world.feed("two", ("calm", title, "Growers are worried."), QUIET)
    assert (await world.poll("two")).alerts == 1
    world.feed("two", ("last", *first[1:]), QUIET)
    assert (await world.poll("two")).alerts == 0


@pytest.mark.cases
async def test_who_takes_a_story_back_is_no_second_source_of_it(world: World) -> None:
    """Of those that are left each counts."""
    world.ingest = replace(world.ingest, security_policy="two_sources")
    await _known_agencies(world)
    title = "Armed men attack a border post in Batken, three soldiers killed"
    text = "Border guards returned fire after gunmen attacked a military post near Batken."
    world.feed("one", ("first", title, text), QUIET)
    assert (await world.poll("one")).alerts == 0
    world.feed("two", ("gone", f"Retracted: {title}", text), QUIET)
    assert (await world.poll("two")).alerts == 0
    async with world.store.reading() as db:
        (story,) = await storage.stories.latest(db, topics=["security"])
        kept = await db.execute(select(entry.c.retracts).order_by(entry.c.id))
        assert list(kept.scalars())[-2:] == [False, True]
    assert story.feeds == ("one", "two")
    world.feed("three", QUIET)
    await world.poll("three")
    world.feed("three", ("third", title, text), QUIET)
    assert (await world.poll("three")).alerts == 1


@pytest.mark.cases
async def test_two_feeds_of_one_publisher_are_no_two_sources(world: World) -> None:
    """Its own translation confirms nothing."""
    feeds: dict[str, NewsSpec] = {}
    for key in ("one", "two", "three"):
        feeds[key] = replace(world.catalog.news[key], publisher=None if key == "three" else "A")
    world.ingest = replace(world.ingest, security_policy="two_sources", feeds=feeds)
    story = ("first", "Shooting reported at the border post", "Armed men killed three soldiers.")
    told: list[int] = []
    for key, spec in feeds.items():
        world.feed(key, QUIET)
        await world.ingest.poll(spec)
    for key, spec in feeds.items():
        world.feed(key, story, QUIET)
        told.append((await world.ingest.poll(spec)).alerts)
    assert told == [0, 0, 1]


@pytest.mark.cases
async def test_F15_a_quieter_report_of_an_urgent_story_alerts_nobody_again(world: World) -> None:
    """Severity only rises: what was told as urgent is not told once more as notable."""
    await _known_agencies(world)
    title = "Bomb explosion at a bazaar in Bishkek"
    grave = ("grave", title, "The blast killed 120 people. Residents are being evacuated.")
    world.feed("one", grave, QUIET)
    assert (await world.poll("one")).alerts == 1
    world.feed("two", ("calm", title, "Police say the bomb was small."), QUIET)
    assert (await world.poll("two")).alerts == 0
    assert [item.severity for item in await world.stored(alert) if item.kind == "story"] == [
        "urgent"
    ]


@pytest.mark.parametrize("approve", [True, False])
@pytest.mark.cases
async def test_a_story_that_waits_for_the_operator_opens_by_their_word_only(
    world: World, *, approve: bool
) -> None:
    """Asked once; nothing to send until it is approved; a second word is not heard."""
    world.ingest = replace(world.ingest, security_policy="approve")
    world.feed("one", QUIET)
    await world.poll("one")
    world.feed("one", ATTACK, QUIET)
    assert (await world.poll("one")).alerts == 1
    verdict, other = Approval.REJECTED, Approval.APPROVED
    if approve:
        verdict, other = other, verdict
    story, question = await world.stored(alert)
    assert (story.kind, story.approval, question.kind, question.approval) == (
        "story",
        "waiting",
        "notice",
        None,
    )
    async with world.store.writing() as db:
        opened = [await storage.fan_out.fan_out(db) for _ in range(2)]
        assert opened == [0, None]  # the question's, whose operator has no chat here
        assert (await storage.alerts.decide(db, story.id, verdict) is not None) is True
        assert await storage.alerts.decide(db, story.id, other) is None
        assert (await storage.fan_out.fan_out(db) is not None) is approve
        titles = [found.lead.entry.title for found in await storage.stories.latest(db)]
    assert (ATTACK[1] in titles) is approve


FLOOD = [
    (f"f{number}", f"Gunmen attack a border post near {place}, {number + 2} soldiers killed", "")
    for number, place in enumerate(("Osh", "Dushanbe", "Tashkent", "Almaty", "Kabul"))
]


async def approvals(world: World) -> list[str | None]:
    """The approvals of the stories' alerts, in the order they were decided."""
    return [row.approval for row in await world.stored(alert) if row.kind == "story"]


@pytest.mark.parametrize("admins", [(5,), ()], ids=["operator", "nobody"])
@pytest.mark.cases
async def test_more_stories_than_an_hour_may_tell_wait_for_an_operator(
    world: World, admins: tuple[int, ...]
) -> None:
    """Where there is none they are told. An hour later the next one is told by itself again."""
    world.ingest = replace(world.ingest, alerts_per_hour=3, admins=admins)
    world.feed("one", QUIET)
    await world.poll("one")
    world.feed("one", *FLOOD[:4], QUIET)
    await world.poll("one")
    fourth = "waiting" if admins else None
    assert await approvals(world) == [None, None, None, fourth]
    world.now += timedelta(hours=1, seconds=1)
    world.feed("one", *FLOOD, QUIET)
    await world.poll("one")
    assert await approvals(world) == [None, None, None, fourth, None]


@pytest.mark.cases
async def test_T8_a_clock_set_back_does_not_fill_the_hour_with_what_was_told_before(
    world: World,
) -> None:
    """A story that seems to be told tomorrow is none of this hour."""
    world.ingest = replace(world.ingest, alerts_per_hour=2, admins=(5,))
    world.feed("one", QUIET)
    await world.poll("one")
    world.feed("one", *FLOOD[:2], QUIET)
    await world.poll("one")
    world.now -= timedelta(days=1)
    world.feed("one", *FLOOD[:4], QUIET)
    await world.poll("one")
    assert await approvals(world) == [None, None, None, None]


@pytest.mark.cases
async def test_a_topic_other_than_security_is_found_and_digested_and_wakes_nobody(
    world: World,
) -> None:
    """/news economy has it, the digest of whoever chose economy tells it, no alert is made."""
    bloom = ("bloom", "Apricot trees bloom early", "The valley turned white in one night.")
    budget = (
        "budget",
        "Inflation slows as the central bank raises its rate",
        "Prices of bread hardly rose.",
    )
    world.feed("one", bloom)
    await world.poll("one")
    world.feed("one", bloom, budget)
    assert (await world.poll("one")).alerts == 0
    asked = {"day": NOW.date(), "home": "KGS", "zone": "UTC", "language": "en"}
    async with world.store.reading() as db:
        found = await storage.stories.latest(db, topics=["economy"])
        chosen = await day_digest(db, catalog("http://127.0.0.1:9"), topics=["economy"], **asked)
        other = await day_digest(db, catalog("http://127.0.0.1:9"), topics=["politics"], **asked)
    assert [story.lead.entry.id for story in found] == ["budget"]
    assert chosen.story is not None
    assert chosen.story.pk == found[0].pk
    assert other.story is None


BLAST = (
    "blast",
    "Explosion at a market in Osh kills 14, 37 wounded",
    (
        "The bomb went off at 11:20 by the northern gate; police are looking for a grey van, said "
        "officer Kubat Ermekov."
    ),
)
TREMOR = (
    "tremor",
    "Earthquake of magnitude 5.6 shakes Naryn",
    "Houses were damaged in At-Bashy, 2 people were killed.",
)


@pytest.mark.cases
async def test_an_event_in_two_languages_alerts_once(world: World) -> None:
    """An English and a Russian agency: one alert, one story, both named."""
    in_russian = (
        "vzryv",
        "Взрыв на рынке в Оше: 14 погибших, 37 раненых",
        (
            "Бомба сработала в 11:20 у северных ворот. Милиция ищет серый фургон, сообщил "
            "сотрудник УВД Кубат Эрмеков."
        ),
    )
    for feed in ("one", "three"):
        world.feed(feed, QUIET)
        await world.poll(feed)
    world.feed("one", BLAST, QUIET)
    assert (await world.poll("one")).alerts == 1
    world.feed("three", in_russian, QUIET)
    report = await world.poll("three")
    assert (report.new, report.alerts) == (1, 0)
    async with world.store.reading() as db:
        (told,) = await storage.stories.latest(db, topics=["security"])
    assert told.feeds == ("one", "three")


@pytest.mark.cases
async def test_the_digest_prefers_a_story_somebody_told_in_the_readers_language(
    world: World,
) -> None:
    """A graver story that only English readers can read gives way."""
    lesser = (
        "lesser",
        "Blast in Kabul mosque kills 6 during prayers",
        "A bomb had been left by the door; 15 are wounded.",
    )
    in_russian = (
        "vzryv",
        "Взрыв в мечети Кабула: шестеро погибших",
        "Бомбу оставили у двери, ранены 15 верующих.",
    )
    world.feed("one", BLAST, lesser)
    await world.poll("one")
    world.feed("three", in_russian)
    await world.poll("three")
    asked = {"day": NOW.date(), "home": "KGS", "zone": "UTC"}
    async with world.store.reading() as db:
        english = await day_digest(db, world.catalog, language="en", **asked)
        russian = await day_digest(db, world.catalog, language="ru", **asked)
    assert english.story is not None
    assert english.story.lead.entry.id == "blast"
    assert russian.story is not None
    assert russian.story.told_in("ru").lead.entry.id == "vzryv"


@pytest.mark.cases
async def test_two_events_in_two_languages_alert_twice(world: World) -> None:
    """Two earthquakes of one day, with other magnitudes in other places."""
    other = (
        "tolchok",
        "Землетрясение магнитудой 6,1 в Баткене, 2 погибших",
        "Разрушены дома, жителей эвакуируют.",
    )
    for feed in ("one", "three"):
        world.feed(feed, QUIET)
        await world.poll(feed)
    world.feed("one", TREMOR, QUIET)
    assert (await world.poll("one")).alerts == 1
    world.feed("three", other, QUIET)
    assert (await world.poll("three")).alerts == 1
    async with world.store.reading() as db:
        told = await storage.stories.latest(db, topics=["security"])
    assert sorted(story.feeds for story in told) == [("one",), ("three",)]


@pytest.mark.cases
async def test_F13_a_flood_of_new_entries_is_stored_and_alerts_nobody(world: World) -> None:
    """A known feed whose ids all changed: one word to the operator, none to the readers."""
    world.feed("one", QUIET)
    await world.poll("one")
    flood = [(f"x{n}", f"{ATTACK[1]} – {n}", ATTACK[2]) for n in range(25)]
    world.feed("one", *flood)
    report = await world.poll("one")
    assert (report.new, report.alerts) == (25, 0)
    assert [item.kind for item in await world.stored(alert)] == ["notice"]


class Site:
    """A site without a feed: a list page, and an article behind each headline."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.spec = parse_catalog(f"""
[pages.site]
url = "{world.publishers.url}/news/"
item = ".list > .row"
link = "a"
body = ".text"
language = "en"
""").kinds["pages"]["site"]

    async def publish(self, *rows: tuple[str, str], text: str = ATTACK[2]) -> IngestReport:
        """The list shows (address, headline) rows, each of its own articles tells `text`; then it
        is polled.
        """
        listed = "".join(
            f"<div class='row'><a href='{href}'>{title}</a></div>" for href, title in rows
        )
        page = f"<html><body><div class='list'>{listed}</div></body></html>"
        self.world.publishers.put("/news/", page.encode(), kind="text/html")
        for href, title in rows:
            article = f"<title>{title}</title><body><p class='text'>{text}</p></body>"
            self.world.publishers.put(href, f"<html>{article}</html>".encode(), kind="text/html")
        return await self.world.ingest.poll(self.spec)

    async def told(self) -> dict[str, str]:
        """Headline → text of what is stored."""
        return {row.title: row.content for row in await self.world.stored(entry)}


@pytest.mark.cases
@IN_WORKERS
async def test_a_page_without_a_feed_is_polled_like_one(world: World) -> None:
    """Headlines from the list, texts from the articles, each asked for once; the first poll alerts
    nobody.
    """
    site = Site(world)
    old, new = ("/a/1", "Shots fired at the border post"), ("/a/2", ATTACK[1])
    assert await site.publish(old) == IngestReport(source="site", fetched=1, new=1, alerts=0)
    assert await site.publish(new, old) == IngestReport(source="site", fetched=2, new=1, alerts=1)
    assert await site.told() == {old[1]: ATTACK[2], new[1]: ATTACK[2]}
    assert (
        await site.publish(new, old, ("/a/3", "Apple harvest begins"), text="Growers are glad.")
    ).alerts == 0
    assert [world.publishers.asked.count(path) for path in ("/a/1", "/a/2", "/a/3")] == [1, 1, 1]
    assert world.ingest.workers.processes  # nothing of it was parsed here


@pytest.mark.cases
async def test_F1_a_redesigned_page_is_recorded_and_an_article_out_of_reach_stays_a_headline(
    world: World,
) -> None:
    """No entries where there were some is an error; a missing, a huge or an empty article is
    none.
    """
    site = Site(world)
    assert (await site.publish(("/a/1", "Apple harvest begins"))).error is None
    world.publishers.put(
        "/news/", b"<html><body><h1>We have a new site</h1></body></html>", kind="text/html"
    )
    assert "selectors find no entries" in str((await world.ingest.poll(site.spec)).error)
    world.publishers.put("/news/huge", b"<p>" + b"x" * 6_000_000, kind="text/html")
    rows = [
        ("/a/1", "Apple harvest begins"),
        ("missing", "Bread is dearer"),
        ("huge", "Bridge opens"),
        ("/a/2", "Rain"),
    ]
    report = await site.publish(*rows, text="")
    assert (report.new, report.error) == (3, None)
    assert await site.told() == {
        "Apple harvest begins": ATTACK[2],
        "Bread is dearer": "",
        "Bridge opens": "",
        "Rain": "",
    }


@pytest.mark.cases
async def test_F13_a_flood_on_a_page_alerts_nobody_and_follows_no_link(world: World) -> None:
    """A site whose addresses all changed costs one request, and one word to the operator."""
    site = Site(world)
    await site.publish(("/a/0", "Apple harvest begins"))
    report = await site.publish(
        *[(f"/b/{number}", f"{ATTACK[1]} – {number}") for number in range(25)]
    )
    assert (report.new, report.alerts) == (25, 0)
    assert not [path for path in world.publishers.asked if path.startswith("/b/")]
    assert [item.kind for item in await world.stored(alert)] == ["notice"]


@pytest.mark.cases
async def test_S1_a_page_cannot_send_the_bot_to_another_private_address(world: World) -> None:
    """The operator named one origin of their own network; what a page links to elsewhere in it is
    never asked.
    """
    async with Publishers() as inside:
        site = Site(world)
        await site.publish((f"{inside.url}/admin", ATTACK[1]))
        assert inside.asked == []
    assert await site.told() == {ATTACK[1]: ""}


@pytest.mark.cases
async def test_F16_a_source_that_is_gone_is_recorded_as_gone(world: World) -> None:
    """Since when; how it comes back is told in `test_source_trouble`."""
    world.publishers.put("/one.xml", b"gone", status=410)
    assert (await world.poll("one")).error
    async with world.store.reading() as db:
        assert (await storage.sources.states(db))["one"].gone_at == NOW


async def test_a_rate_is_never_stored_without_its_alert(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Store, detect and enqueue share one transaction: when the last fails, the first is undone."""
    await bank(world, 1, "84,7935")

    async def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the power went out")

    with monkeypatch.context() as patched:
        patched.setattr("storage.alerts.enqueue", broken)
        assert (
            str((await bank(world, 0, "89,9000")).error) == "it could not be stored: RuntimeError"
        )
    assert (await bank(world, 0, "89,9000")).alerts == 1
