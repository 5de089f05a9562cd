"""`trust` and `style` of the catalog: who leads a story, how loud it may be, how much is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import pytest

from bot.alerts import stories as alerts
from bot.model.alerts import Severity
from bot.model.chats import Style
from bot.model.news import Story
from bot.readers.digest import day_digest
from bot.readers.news import news_page
from bot.render import news
from bot.sources.catalog import parse_catalog
from bot.sources.standing import AGGREGATORS_REASON, OFFICIAL_REASON
from storage.db import Store
from tests.publishers import QUIET, Publishers, rss
from tests.test_cli import jarchy
from tests.test_ingest import NOW
from tests.world import World, polling

# what is decided is: the database does not matter
pytestmark = pytest.mark.cases
URGENT = (
    "Explosion at a market in Osh kills 14, 37 wounded",
    (
        "The bomb went off at 11:20 by the northern gate; police are looking for a grey van, said "
        "officer Kubat Ermekov."
    ),
)
CALM = ("Explosion at a market in Osh, 37 wounded", URGENT[1])
FEEDS = {
    "official": "trust = 1",
    "agency": "trust = 2",
    "other": "",  # an agency too
    "aggregator": "trust = 3",
    "echo": "trust = 3",
    "whole": 'style = "full"',
    "short": 'style = "brief"',
    "bare": 'style = "headline"',
    "unsaid": "",
    "russian": 'trust = 3\nlanguage = "ru"',
}


def catalog(url: str) -> str:
    """A feed of each kind, in English unless it says something else."""
    return "".join(
        f'[feeds.{key}]\nurl = "{url}/{key}.xml"\n{said}\n'
        + ("" if "language" in said else 'language = "en"\n')
        for key, said in FEEDS.items()
    )


class Desk:
    """The flow with these feeds, each polled once before it reports."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def report(self, feed: str, title: str, text: str) -> int:
        """A feed brings a story beside its quiet one; the alerts that makes."""
        if f"/{feed}.xml" not in self.world.publishers.documents:
            await self.world.report(feed, QUIET)
        return await self.world.report(feed, (f"{feed}-{title}", title, text), QUIET)

    async def story(self) -> Story:
        """The only story that is not the quiet one, as it is shown."""
        async with self.world.store.reading() as db:
            page = await news_page(db, self.world.catalog, topic="security", number=0, now=NOW)
        (found,) = page.stories
        return found

    async def told(self) -> list[str]:
        """The severities that were told, in order."""
        return [row.severity for row in await self.world.alerts("story")]


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    """Nothing reported yet."""
    async with polling(store, lambda url: parse_catalog(catalog(url)), now=NOW) as world:
        yield Desk(world)


@pytest.mark.parametrize("feed", ["agency", "other", "official"])
async def test_an_agency_or_an_official_source_alone_may_be_urgent(desk: Desk, feed: str) -> None:
    """Nobody else has to say it; of an official source the reasons say that it is one."""
    assert await desk.report(feed, *URGENT) == 1
    story = await desk.story()
    assert story.severity is Severity.URGENT
    assert (OFFICIAL_REASON in story.reasons) == (feed == "official")
    assert AGGREGATORS_REASON not in story.reasons
    assert await desk.told() == ["urgent"]


async def test_aggregators_alone_are_never_urgent(desk: Desk) -> None:
    """However many repeat it; the reason says why it is not louder."""
    assert await desk.report("aggregator", *URGENT) == 1
    assert await desk.report("echo", *URGENT) == 0
    story = await desk.story()
    assert story.feeds == ("aggregator", "echo")
    assert story.severity is Severity.NOTABLE
    assert story.reasons[-1] == AGGREGATORS_REASON
    assert await desk.told() == ["notable"]


@pytest.mark.parametrize(("feed", "said"), list(product(["agency", "official"], [URGENT, CALM])))
async def test_an_aggregators_word_becomes_urgent_when_somebody_else_reports_it(
    desk: Desk, feed: str, said: tuple[str, str]
) -> None:
    """However calmly: it is the same event, and no longer only an aggregator's."""
    await desk.report("aggregator", *URGENT)
    assert await desk.report(feed, *said) == 1
    story = await desk.story()
    assert story.severity is Severity.URGENT
    assert AGGREGATORS_REASON not in story.reasons
    assert await desk.told() == ["notable", "urgent"]


async def test_an_aggregator_may_make_a_story_urgent_that_an_agency_reports_calmly(
    desk: Desk,
) -> None:
    """It is not alone then."""
    await desk.report("agency", *CALM)
    await desk.report("aggregator", *URGENT)
    assert (await desk.story()).severity is Severity.URGENT


async def test_what_is_not_urgent_keeps_its_severity_whoever_reports_it(desk: Desk) -> None:
    """An aggregator's notable story is notable."""
    await desk.report("aggregator", *CALM)
    story = await desk.story()
    assert story.severity is Severity.NOTABLE
    assert AGGREGATORS_REASON not in story.reasons


@pytest.mark.parametrize(
    ("language", "official", "aggregators"),
    [
        ("en", "an official source says so", "so far only aggregators report it"),
        ("ru", "официальный источник", "пишут только агрегаторы"),
        ("ky", "расмий булак", "агрегаторлор гана жазууда"),
    ],
)
def test_why_says_whose_word_it_is_in_the_readers_language(
    language: str, official: str, aggregators: str
) -> None:
    """As every other reason."""
    said = alerts.why_story(Severity.URGENT, (OFFICIAL_REASON, AGGREGATORS_REASON), language).text
    assert official in said
    assert aggregators in said
    if language != "en":
        assert str(OFFICIAL_REASON) not in said


async def test_the_most_trusted_report_leads_whenever_it_came(desk: Desk) -> None:
    """Its headline and text are told, and told messages are edited; among equals the first that
    came leads.
    """
    for feed, leads in (
        ("aggregator", "aggregator"),
        ("echo", "aggregator"),
        ("other", "other"),
        ("agency", "other"),
        ("official", "official"),
    ):
        await desk.report(feed, URGENT[0], f"{URGENT[1]} So says the {feed}.")
        assert (await desk.story()).lead.feed == leads
    shown = news.story(await desk.story(), Style.FULL, "en", {}, zone="UTC", now=NOW)
    assert "So says the official." in shown.text
    assert len(await desk.world.alerts("edit")) >= 2
    async with desk.world.store.reading() as db:
        asked = {
            "day": NOW.date(),
            "home": "KGS",
            "zone": "UTC",
            "language": "en",
            "topics": ["security"],
        }
        digest = await day_digest(db, desk.world.catalog, **asked)  # type: ignore[arg-type]
    assert digest.story is not None
    assert digest.story.lead.feed == "official"


async def test_a_report_in_the_readers_language_goes_before_a_more_trusted_one(desk: Desk) -> None:
    """A reader who cannot read the official source is not helped by it."""
    await desk.report("official", *URGENT)
    text = (
        "Бомба сработала в 11:20 у северных ворот. Милиция ищет серый фургон, сообщил сотрудник "
        "УВД Кубат Эрмеков."
    )
    await desk.report("russian", "Взрыв на рынке в Оше: 14 погибших, 37 раненых", text)
    story = await desk.story()
    assert story.lead.feed == story.told_in("en").lead.feed == "official"
    assert story.told_in("ru").lead.feed == "russian"


SECOND = "A second paragraph, for those who may read everything."


@pytest.mark.parametrize(
    ("feed", "allows"),
    [
        ("whole", Style.FULL),
        ("short", Style.BRIEF),
        ("bare", Style.HEADLINE),
        ("unsaid", Style.BRIEF),
    ],
)
async def test_nobody_is_told_more_than_the_feed_allows(
    desk: Desk, feed: str, allows: Style
) -> None:
    """An alert, a page of news and a digest: the narrower of what is asked and what is allowed."""
    await desk.report(feed, URGENT[0], f"&lt;p&gt;{URGENT[1]}&lt;/p&gt;&lt;p&gt;{SECOND}&lt;/p&gt;")
    story = await desk.story()
    for style in Style:
        as_alert = alerts.story(story, alert=1, style=style, language="en", feed_names={})
        as_news = news.story(story, style, "en", {}, zone="UTC", now=NOW)
        for said in (as_alert.text, as_news.text):
            assert (SECOND in said) == (style is Style.FULL and allows is Style.FULL), style
            assert (URGENT[1] in said) == (Style.HEADLINE not in (style, allows)), style


def test_a_page_carries_both_keys() -> None:
    """As a feed does."""
    page = parse_catalog(
        '[pages.site]\nurl = "https://news.example/"\nitem = "li"\nlink = "a"\ntrust = 3\nstyle = '
        '"headline"\n'
    ).news["site"]
    assert (page.trust, page.style) == (3, Style.HEADLINE)


async def test_the_verb_tells_no_more_than_the_feed_allows(tmp_path: Path) -> None:
    """`jarchy digest --style full` of a feed that says nothing about its style."""
    async with Publishers() as publishers:
        publishers.put(
            "/unsaid.xml",
            rss(("1", URGENT[0], f"&lt;p&gt;{URGENT[1]}&lt;/p&gt;&lt;p&gt;{SECOND}&lt;/p&gt;")),
        )
        (tmp_path / "catalog.toml").write_text(catalog(publishers.url))
        settings = {
            "CATALOG": str(tmp_path / "catalog.toml"),
            "LOG_LEVEL": "error",
            "TIME_ZONE": "UTC",
        }
        await asyncio.to_thread(jarchy, tmp_path, "poll", "unsaid", **settings)
    words = [
        "digest",
        "--date",
        f"{NOW:%Y-%m-%d}",
        "--plain",
        "--style",
        "full",
        "--language",
        "en",
    ]
    done = await asyncio.to_thread(jarchy, tmp_path, *words, **settings)
    assert done.stdout.decode().rstrip("\n") == f"{URGENT[0]}\n\n{URGENT[1]}"
