"""The demonstration's world keeps its calendar, tells the bank's real figures and publishes only
what has happened.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import aiohttp
import feedparser
import pytest

from bot.demo.world import (
    AGENCIES,
    FEEDS,
    FIRST_DAY,
    HERALDS,
    WEEK,
    ZONE,
    World,
    effective_day,
    read_rates,
    read_stories,
)
from bot.detect.moves import replay
from bot.detect.security import detect
from bot.model.rates import Pair, Rate, RateKind
from bot.sources.banks import SOURCES
from bot.sources.catalog import parse_catalog
from bot.sources.feeds import parse_feed

Get = Callable[..., Awaitable[tuple[int, bytes, str]]]


class Clock:
    """A real time that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 5, 1, 3, 7, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


def next_day(world: World) -> None:
    """The same hour of the next day."""
    world.turn_to(world.now() + timedelta(days=1))


@asynccontextmanager
async def running(world: World) -> AsyncIterator[Get]:
    """The world, started, and a client that reads paths or whole addresses: status, body, ETag."""
    await world.start()
    base = parse_catalog(world.catalog()).rates["nbkr"].urls[0].removesuffix("/nbkr/daily.xml")
    async with aiohttp.ClientSession() as session:

        async def get(path: str, **headers: str) -> tuple[int, bytes, str]:
            url = path if path.startswith("http") else base + path
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            async with session.get(url, headers=named) as response:
                return response.status, await response.read(), response.headers.get("ETag", "")

        try:
            yield get
        finally:
            await world.stop()


async def bank(get: Get) -> tuple[date, dict[str, Decimal]]:
    """The bank's document as the bot reads it."""
    _, body, _ = await get("/nbkr/daily.xml")
    parsed = SOURCES["nbkr"].parse(body, source="nbkr", url=None, kind=RateKind.OFFICIAL)
    assert not parsed.problems
    (day,) = {rate.effective_on for rate in parsed.rates}
    return day, {rate.pair.base: rate.per_unit for rate in parsed.rates}


async def test_the_document_of_a_known_day_has_the_banks_figures(clock: Clock) -> None:
    async with running(World(date(2021, 10, 19), clock=clock)) as get:
        day, rates = await bank(get)
    assert day == date(2021, 10, 20)
    assert (rates["USD"], rates["EUR"], rates["RUB"]) == (
        Decimal("84.7935"),
        Decimal("98.8523"),
        Decimal("1.1948"),
    )
    assert set(rates) == {"USD", "EUR", "RUB", "KZT"}


async def test_a_value_with_a_final_zero_keeps_its_four_places(clock: Clock) -> None:
    """As the bank prints it: the file has 1.035 for 2 March 2022."""
    async with running(World(date(2022, 3, 1), clock=clock)) as get:
        assert b"<Value>1,0350</Value>" in (await get("/nbkr/daily.xml"))[1]


def test_a_world_cannot_begin_before_its_rates() -> None:
    with pytest.raises(ValueError, match="2021-07-03"):
        World(date(2021, 7, 2))


async def test_the_document_looks_like_the_banks_own(clock: Clock) -> None:
    """Windows-1251 is declared and decimals have a comma, so that the demo exercises the real
    parser.
    """
    async with running(World(date(2021, 7, 5), clock=clock)) as get:
        _, body, _ = await get("/nbkr/daily.xml")
    assert b'encoding="windows-1251"' in body
    assert b'<CurrencyRates Name="Daily Exchange Rates" Date="06.07.2021">' in body
    assert b"<Value>84,7886</Value>" in body


@pytest.mark.parametrize(
    ("now", "effective"),
    [
        ("2023-08-16T14:59", "2023-08-16"),
        ("2023-08-16T15:00", "2023-08-17"),
        ("2023-08-18T15:00", "2023-08-19"),  # Friday, for Saturday
        ("2023-08-19T16:00", "2023-08-19"),
        ("2023-08-20T16:00", "2023-08-19"),
        ("2023-08-21T14:59", "2023-08-19"),
        ("2023-08-21T15:00", "2023-08-22"),
    ],
)
def test_the_bank_publishes_at_three_for_tomorrow_and_rests_at_weekends(
    now: str, effective: str
) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=ZONE)
    assert effective_day(at) == date.fromisoformat(effective)
    assert effective_day(at.astimezone(UTC)) == date.fromisoformat(effective)


async def test_a_weekend_carries_saturdays_rates_forward(clock: Clock) -> None:
    async with running(World(date(2023, 8, 18), clock=clock)) as get:
        friday = await bank(get)
        clock.time += timedelta(days=2)
        sunday = await bank(get)
    assert sunday == friday
    assert friday[0] == date(2023, 8, 19)


async def test_a_day_without_a_change_repeats_the_last_rates_under_its_own_date(
    clock: Clock,
) -> None:
    """On 23 February 2022, a holiday, nothing changed for the 24th."""
    async with running(World(date(2022, 2, 23), clock=clock)) as get:
        day, rates = await bank(get)
    assert (day, rates["RUB"]) == (date(2022, 2, 24), Decimal("1.0545"))


async def test_after_the_last_known_day_the_bank_repeats_itself(clock: Clock) -> None:
    async with running(World(date(2024, 2, 5), clock=clock)) as get:
        assert await bank(get) == (date(2024, 2, 6), read_rates()[-1][1])


async def test_the_first_next_day_brings_a_big_move(clock: Clock) -> None:
    """By the bot's own default policy, the document of the second afternoon is worth an alert on
    the rouble.
    """
    world = World(clock=clock)
    async with running(world) as get:
        next_day(world)
        day, rates = await bank(get)
    series = [(on, each["RUB"]) for on, each in read_rates() if on < day] + [(day, rates["RUB"])]
    pair = Pair("RUB", "KGS")
    moves = replay(
        Rate(source="nbkr", pair=pair, kind=RateKind.OFFICIAL, effective_on=on, value=value)
        for on, value in series
    )
    assert day in {move.baseline.rate.effective_on for move in moves}


# ── the calendar ────────────────────────────────────────────────────────────


async def test_the_calendar_starts_at_four_and_runs_in_real_time(clock: Clock) -> None:
    world = World(clock=clock)
    clock.time += timedelta(minutes=5)  # between making and starting it
    async with running(world):
        assert world.now().isoformat() == "2023-08-14T16:00:00+06:00"
        clock.time += timedelta(seconds=90)
        assert world.now().isoformat() == "2023-08-14T16:01:30+06:00"


@pytest.mark.parametrize(
    ("waited", "moments"),
    [
        (timedelta(0), ["14T18:00", "15T09:00", "15T15:00", "15T16:00", "15T18:00"]),
        (timedelta(hours=2), ["15T09:00", "15T15:00", "15T16:00", "15T18:00", "16T09:00"]),
        (timedelta(hours=22, minutes=59), ["15T15:00", "15T16:00", "15T18:00", "16T09:00"]),
    ],
)
def test_a_day_goes_through_its_moments(
    clock: Clock, waited: timedelta, moments: list[str]
) -> None:
    """The morning's digest, the bank, what followed from it, the evening: none is leapt over."""
    world = World(clock=clock)
    clock.time += waited
    for moment in moments:
        world.turn_to(world.upcoming())
        assert world.now().isoformat() == f"2023-08-{moment}:00+06:00"


async def test_only_a_source_that_would_say_something_else_is_waited_for(clock: Clock) -> None:
    """At first each; then, of a day's moments, whoever publishes at that hour."""
    world = World(clock=clock)
    async with running(world) as get:
        everybody = world.fresh()
        assert everybody == {"nbkr", "seismo", "alatoo", "manas", "jailoo", "terskey"}
        found: dict[str, set[str]] = {}
        for _ in range(5):
            for name in FEEDS:
                await get(f"/feeds/{name}.xml")
            await get("/quakes.geojson")
            await bank(get)
            assert world.fresh() == set()
            world.turn_to(world.upcoming())
            found[f"{world.now():%d %H}"] = world.fresh()
    assert found == {
        "14 18": {"jailoo"},
        "15 09": set(),  # nobody's story is of that hour, nor the bank's
        "15 15": {"nbkr", "alatoo", "manas", "jailoo"},
        "15 16": {"alatoo"},
        "15 18": {"manas", "jailoo"},
    }


# ── history and catalog ─────────────────────────────────────────────────────


def test_history_ends_with_the_rates_of_the_first_day(clock: Clock) -> None:
    history = World(date(2021, 10, 20), clock=clock).history()
    assert history[0][0] == date(2021, 7, 3)
    assert history[-1][0] == date(2021, 10, 20)
    assert history[-1][1]["USD"] == Decimal("84.7935")
    assert [day for day, _ in history] == sorted({day for day, _ in history})


def test_the_default_history_covers_more_than_two_years() -> None:
    history = World().history()
    assert history[-1][0] - history[0][0] > timedelta(days=730)


def test_no_day_of_the_rates_repeats_the_one_before() -> None:
    rates = read_rates()
    assert all(old != new for (_, old), (_, new) in pairwise(rates))


async def test_the_catalog_names_every_source_and_a_channel_in_each_language(clock: Clock) -> None:
    world = World(clock=clock)
    async with running(world) as get:
        catalog = parse_catalog(world.catalog())
        for url in [
            *catalog.rates["nbkr"].urls,
            *(feed.url for feed in catalog.kinds["feeds"].values()),
        ]:
            assert (await get(url))[0] == 200
    assert {spec.poll.every for spec in catalog.polled} == {timedelta(seconds=2)}
    assert [feed.language for feed in catalog.kinds["feeds"].values()] == [
        *("en", "ru", "ky", "ru")
    ]
    assert (catalog.names("jailoo", "en"), catalog.names("jailoo", "ky")) == (
        "Jailoo Press",
        "Жайлоо Пресс",
    )
    told = {channel.language: channel.chat for channel in catalog.channels.values()}
    assert told == HERALDS
    assert {channel.topics for channel in catalog.channels.values()} == {("security",)}


def test_there_is_no_catalog_before_the_start() -> None:
    with pytest.raises(RuntimeError, match="started"):
        World().catalog()


# ── news ────────────────────────────────────────────────────────────────────


async def test_feeds_are_rss_and_hold_only_what_has_happened(clock: Clock) -> None:
    """Over ten days, so also after the programme has begun again; ids stay unique."""
    world = World(clock=clock)
    async with running(world) as get:
        for _ in range(WEEK + 3):
            for language, agency in AGENCIES.items():
                _, body, _ = await get(f"/feeds/{language}.xml")
                parsed = feedparser.parse(body)
                assert (parsed.version, parsed.bozo) == ("rss20", False)
                assert parsed.feed.title == agency.name
                feed = parse_feed(body)
                times = [entry.published_at for entry in feed.entries if entry.published_at]
                assert len(times) == len(feed.entries) == len(parsed.entries) > 0
                assert max(times) <= world.now()
                assert times == sorted(times, reverse=True)
                assert len({entry.id for entry in feed.entries}) == len(feed.entries)
                assert {entry.language for entry in feed.entries} == {language}
            next_day(world)


async def test_a_story_appears_in_its_second_and_not_before(clock: Clock) -> None:
    world = World(clock=clock)
    async with running(world) as get:
        next_day(world)
        clock.time += timedelta(seconds=19)
        before = (await get("/feeds/ky.xml"))[1].decode()
        assert (await get(f"/stories/earthquake-ky-{world.now().date()}"))[0] == 404
        clock.time += timedelta(seconds=1)
        after = (await get("/feeds/ky.xml"))[1].decode()
        assert (await get(f"/stories/earthquake-ky-{world.now().date()}"))[0] == 200
    assert "жер титирөө" not in before
    assert "жер титирөө" in after


async def test_after_a_week_the_programme_begins_again(clock: Clock) -> None:
    """The day after the last has the first day's stories, under ids of their own."""
    world = World(clock=clock)
    async with running(world) as get:
        clock.time += timedelta(days=WEEK)
        newest = parse_feed((await get("/feeds/en.xml"))[1]).entries[0]
    assert newest.id == "city-orchestra-2023-08-21"


async def test_every_link_leads_to_its_story(clock: Clock) -> None:
    world = World(clock=clock)
    async with running(world) as get:
        for language in AGENCIES:
            for entry in parse_feed((await get(f"/feeds/{language}.xml"))[1]).entries:
                assert entry.link is not None
                status, page, _ = await get(entry.link)
                assert status == 200
                assert f"<h1>{entry.title}</h1>" in page.decode()
                assert entry.summary in page.decode()


async def test_what_has_not_changed_is_not_sent_again(clock: Clock) -> None:
    world = World(clock=clock)
    async with running(world) as get:
        for path in ("/nbkr/daily.xml", "/feeds/en.xml"):
            _, body, tag = await get(path)
            clock.time += timedelta(seconds=10)
            assert await get(path, If_None_Match=tag) == (304, b"", tag)
            assert (await get(path, If_None_Match='"another"'))[:2] == (200, body)
        tags = [(await get(path))[2] for path in ("/nbkr/daily.xml", "/feeds/en.xml")]
        next_day(world)
        for path, tag in zip(("/nbkr/daily.xml", "/feeds/en.xml"), tags, strict=True):
            assert (await get(path, If_None_Match=tag))[0] == 200


# ── the programme ───────────────────────────────────────────────────────────


def secure() -> Iterator[tuple[int, str]]:
    """Day and language of what the bot itself takes for a security story."""
    for story in read_stories():
        if detect(story.headline, story.text, story.language).security:
            yield story.day, story.language


def test_no_two_stories_share_a_headline_or_an_id() -> None:
    stories = read_stories()
    assert (
        len({story.headline for story in stories})
        == len({story.id for story in stories})
        == len(stories)
    )


def test_every_language_has_its_share_of_stories() -> None:
    counts = [sum(story.language == language for story in read_stories()) for language in AGENCIES]
    assert counts == [8, 8, 8]


def test_the_first_day_is_quiet_and_the_second_has_one_security_story_in_all_languages() -> None:
    found = list(secure())
    assert [language for day, language in found if day == 0] == []
    assert sorted(language for day, language in found if day == 1) == ["en", "ky", "ru"]
    assert {language for day, language in found if day > 1} == {"en", "ru", "ky"}


def test_every_story_has_its_place_in_the_week() -> None:
    assert {story.day for story in read_stories()} == set(range(WEEK))
    assert FIRST_DAY.weekday() == 0
