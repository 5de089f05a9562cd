"""An entry is recognised by all it has; sequences of a feed's documents, on every database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from itertools import product
from typing import Any

import pytest

import storage.stories
from bot.ingest import IngestReport, keeping
from bot.ingest.found import COMPARED, FLOOD
from bot.ingest.keeping import ENTRIES_AT_ONCE
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.db import Store
from storage.schema import entry
from tests.world import World, polling

NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)  # noon in Bishkek


def catalog(url: str) -> Catalog:
    """Two agencies of Bishkek, and a ministry's page."""
    feeds = "".join(
        f"""
[feeds.{key}]
name = {{ en = "{key}" }}
url = "{url}/{key}.xml"
language = "en"
"""
        for key in ("one", "two")
    )
    page = f"""
[pages.ministry]
url = "{url}/list"
item = "li"
link = "a"
language = "en"
"""
    return parse_catalog(feeds + page)


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Nothing polled yet; one operator."""
    async with polling(store, catalog, now=NOW) as made:
        yield made


@dataclass(frozen=True)
class Item:
    """An item as a feed has it; what is None is not there."""

    title: str | None = None
    text: str | None = None
    guid: str | None = None
    link: str | None = None
    date: datetime | str | None = NOW

    def __str__(self) -> str:
        date = format_datetime(self.date) if isinstance(self.date, datetime) else self.date
        parts = {
            "title": self.title,
            "description": self.text,
            "guid": self.guid,
            "link": self.link,
            "pubDate": date,
        }
        told = [f"<{name}>{escape(text)}</{name}>" for name, text in parts.items() if text]
        return f"<item>{''.join(told)}</item>"


def ago(**length: float) -> datetime:
    """A moment so long before the time of the test."""
    return NOW - timedelta(**length)


WEATHER = Item(
    "Weather for today", "It stays warm and dry in the capital.", "w", "https://a.example/w",
    ago(days=1),
)  # fmt: skip
EXPLOSION = "Explosion at a shopping centre in Bishkek kills three people, ten wounded"
EXPLOSION_TEXT = "The blast went off in the morning on the ground floor, rescuers are at work."
QUAKE = "Earthquake of magnitude 6.1 in Osh region kills people, houses destroyed"
QUAKE_TEXT = "The tremor was felt in Osh and Uzgen; the ministry of emergencies has sent teams."


async def poll(world: World, *items: Item, key: str = "one") -> IngestReport:
    """A feed serves these and is polled."""
    body = f"<rss version='2.0'><channel><title>A</title>{''.join(map(str, items))}</channel></rss>"
    world.serve(key, body.encode())
    report = await world.poll(key)
    assert report.error is None
    return report


async def polls(world: World, *documents: Sequence[Item]) -> list[tuple[int, int]]:
    """New entries and alerts of each document, the newest item first in each; every document is
    served once more with a difference that is none, and brings nothing then.
    """
    told: list[tuple[int, int]] = []
    for document in documents:
        report = await poll(world, *document)
        told.append((report.new, report.alerts))
        again = await poll(world, *reversed(document))
        assert (again.new, again.alerts) == (0, 0)
    return told


async def stories(world: World) -> int:
    """The number of stories."""
    return len({row.story_id for row in await world.stored(entry)})


@pytest.mark.cases(keep=5)
@pytest.mark.parametrize("hour", [0.1, 10, 14, 19.5, 23.9])
@pytest.mark.parametrize("day", ["25.11.2026", "Wed, 25 Nov 2026", "2026-11-25T00:00:00+06:00"])
async def test_F20_an_article_of_today_is_fresh_all_day(
    world: World, hour: float, day: str
) -> None:
    """Whatever the hour at which it is seen; the day before it is not fresh any more."""
    midnight = datetime(2026, 11, 24, 18, tzinfo=UTC)
    world.now = midnight - timedelta(hours=1)
    await poll(world, WEATHER)
    world.now = midnight + timedelta(hours=hour)
    blast = Item(EXPLOSION, EXPLOSION_TEXT, "b", "https://a.example/b", day)
    quake = Item(QUAKE, QUAKE_TEXT, "q", "https://a.example/q", "24.11.2026")
    report = await poll(world, blast, *[quake] * (hour > 4), WEATHER)
    assert report.alerts == 1
    (told,) = [row for row in await world.stored(entry) if row.guid == "b"]
    assert told.seen_at == world.now


def blast(**other: str | datetime | None) -> Item:
    """The explosion of nine minutes ago, as its feed has it."""
    usual = {"guid": "b", "link": "https://a.example/b", "date": ago(minutes=9)}
    return Item(EXPLOSION, EXPLOSION_TEXT, **{**usual, **other})  # type: ignore[arg-type]


def tremor(**other: str | datetime | None) -> Item:
    """The earthquake of a minute ago."""
    usual = {"guid": "q", "link": "https://a.example/q", "date": ago(minutes=1)}
    return Item(QUAKE, QUAKE_TEXT, **{**usual, **other})  # type: ignore[arg-type]


def weather(**other: str | datetime | None) -> Item:
    """Yesterday's forecast."""
    usual = {"guid": "w", "link": "https://a.example/w", "date": ago(days=1)}
    return Item(WEATHER.title, WEATHER.text, **{**usual, **other})  # type: ignore[arg-type]


HOME = "https://a.example/"
PAGE = "https://a.example/operative"
#: What all three entries have, or what each has of its own, in every way that is no identity.
WEAK: dict[str, tuple[dict[str, str | None], ...]] = {
    "one guid": ({"guid": "top"},) * 3,
    "one guid and one link": ({"guid": "top", "link": PAGE},) * 3,
    "one link": ({"link": PAGE},) * 3,
    "the home page as link": ({"link": HOME},) * 3,
    "one link, no guid": ({"link": PAGE, "guid": None},) * 3,
    "the home page, no guid": ({"link": HOME, "guid": None},) * 3,
    "fragments, no guid": tuple({"link": f"{PAGE}#{n}", "guid": None} for n in "abc"),
    "fragments, one guid": tuple({"link": f"{PAGE}#{n}", "guid": "x"} for n in "abc"),
    "neither link nor guid": ({"link": None, "guid": None},) * 3,
    "one guid, no link": ({"link": None, "guid": "x"},) * 3,
}


@pytest.mark.cases(keep=5)
@pytest.mark.parametrize("dated", [True, False], ids=["dated", "undated"])
@pytest.mark.parametrize("weak", list(WEAK))
async def test_F18_each_event_is_stored_and_told_once_whatever_key_is_weak(
    world: World, weak: str, *, dated: bool
) -> None:
    """Nothing is stored anew at each poll, and nothing is taken for another event."""
    keys: list[dict[str, str | datetime | None]] = [dict(each) for each in WEAK[weak]]
    if not dated:
        for each in keys:
            each["date"] = None
    old, new, newest = weather(**keys[0]), blast(**keys[1]), tremor(**keys[2])
    assert await polls(world, [old], [new, old], [newest, new, old]) == [(1, 0), (1, 1), (1, 1)]
    assert await stories(world) == 3


@pytest.mark.cases(keep=5)
@pytest.mark.parametrize("weak", list(WEAK))
async def test_F18_a_feed_of_one_item_at_a_time_tells_each_event(world: World, weak: str) -> None:
    """The event told before is not in the document any more."""
    keys = [dict(each) for each in WEAK[weak]]
    old = weather(**keys[0])
    new = blast(**keys[1], date=ago(hours=5))
    newest = tremor(**keys[2])
    assert await polls(world, [old], [new], [newest]) == [(1, 0), (1, 1), (1, 1)]
    assert await stories(world) == 3


@pytest.mark.cases
async def test_F18_a_guid_given_to_another_article_is_another_story(world: World) -> None:
    """Neither the old entry nor its alert becomes the new one."""
    told = await polls(
        world, [WEATHER], [blast(guid="top"), WEATHER], [tremor(guid="top"), WEATHER]
    )
    assert told == [(1, 0), (1, 1), (1, 1)]
    assert [row.kind for row in await world.alerts()] == ["story", "story"]
    kept = {row.title: row.link for row in await world.stored(entry)}
    assert kept[EXPLOSION] == "https://a.example/b"
    assert kept[QUAKE] == "https://a.example/q"


@pytest.mark.cases
async def test_F11_a_story_of_a_date_to_come_is_one_of_now(world: World) -> None:
    """It is told, and stands on top of nothing that comes later."""
    await polls(world, [WEATHER], [blast(date=ago(days=-30)), WEATHER])
    (told,) = await world.alerts("story")
    async with world.store.reading() as db:
        found = await storage.stories.latest(db, before=NOW)
    assert told.payload["story"] in {one.pk for one in found}


@pytest.mark.cases
async def test_F18_what_is_edited_into_another_event_elsewhere_is_another_story(
    world: World,
) -> None:
    """Though its id, its link and its time stay, as those of a channel's post do."""
    same = {"guid": "top", "link": "https://a.example/top", "date": NOW}
    told = await polls(
        world, [WEATHER], [blast(**same), WEATHER], [tremor(**same), WEATHER], [blast(**same)]
    )
    assert told == [(1, 0), (1, 1), (1, 1), (0, 0)]
    assert [row.kind for row in await world.alerts()] == ["story", "story"]


RAID = "Armed men attack the border post of Maksat in Batken region, soldiers killed"


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize("text", [None, "Details follow."])
@pytest.mark.parametrize(
    "weak",
    [
        {"guid": "top", "link": PAGE, "date": None},
        {"guid": "top", "link": PAGE},
        {"guid": "top", "link": None},
        {"guid": None, "link": PAGE, "date": None},
    ],
)
async def test_F18_bare_headlines_of_one_id_are_events_of_their_own(
    world: World, weak: dict[str, Any], text: str | None
) -> None:
    """All in one document, where nothing but the headline tells them apart."""
    items = [Item(title, text, **weak) for title in (EXPLOSION, QUAKE, RAID)]
    assert await polls(world, [WEATHER], [*items, WEATHER]) == [(1, 0), (3, 3)]
    assert await stories(world) == 4


HOSTAGES = "Armed men take hostages at a bank in Bishkek"


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize("minutes", [0, 95])
@pytest.mark.parametrize("guid", ["top", None])
@pytest.mark.parametrize(
    ("title", "text"),
    [
        (HOSTAGES, "Police have closed the streets around it; shots were heard in the south."),
        (HOSTAGES, None),
        ("Army declares mobilisation of reservists", "All under forty are to report at night."),
    ],
)
async def test_F18_a_live_page_that_tells_the_next_event_there_is_another_story(
    world: World, minutes: int, guid: str | None, title: str, text: str | None
) -> None:
    """One id and one link, the same city or none, minutes later: it is told, and nothing of the
    first is edited into it.
    """
    first = Item(EXPLOSION, text and EXPLOSION_TEXT, guid, PAGE)
    await poll(world, WEATHER)
    assert (await poll(world, first, WEATHER)).alerts == 1
    world.now = NOW + timedelta(minutes=minutes)
    second = replace(first, title=title, text=text, date=world.now)
    assert await polls(world, [second, WEATHER]) == [(1, 1)]
    assert [row.kind for row in await world.alerts()] == ["story", "story"]


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize("mark", ["token", "sid", "PHPSESSID", "utm_source", "t", "unheard_of"])
@pytest.mark.parametrize("guid", [None, "link"])
async def test_F18_a_link_with_a_token_and_no_guid_is_the_same_article(
    world: World, mark: str, guid: str | None
) -> None:
    """Another one at each poll; also where the guid is the link."""

    def served(token: str) -> list[Item]:
        items: list[Item] = []
        for make in (tremor, blast, weather):
            plain = make()
            link = f"{plain.link}?id=7&{mark}={token}"
            items.append(make(link=link, guid=guid and link))
        return items

    first, *later = [served(token) for token in ("aaa", "bbb", "ccc")]
    assert await polls(world, first[2:], first, *later) == [(1, 0), (2, 2), (0, 0), (0, 0)]


@pytest.mark.cases
@pytest.mark.parametrize("title", [None, ""])
async def test_F18_items_without_titles_are_stories_of_their_own(
    world: World, title: str | None
) -> None:
    """Their first sentence is the headline, and corrected like one."""
    first = Item(title, "It stays warm today.", "0", "https://a.example/0", ago(hours=3))
    second = Item(title, f"{EXPLOSION}. {EXPLOSION_TEXT}", "1", "https://a.example/1")
    third = Item(title, f"{QUAKE}. {QUAKE_TEXT}", "2", "https://a.example/2")
    told = await polls(world, [first], [second, first], [third, second, first])
    assert told == [(1, 0), (1, 1), (1, 1)]
    assert await stories(world) == 3
    corrected = Item(title, f"{EXPLOSION}, one of them a child. {EXPLOSION_TEXT}", "1", second.link)
    assert await polls(world, [corrected]) == [(0, 0)]
    assert corrected.text in {row.summary for row in await world.stored(entry)}
    assert [row.kind for row in await world.alerts()] == ["story", "story", "edit"]


MOVED = {
    "https": lambda n: (f"g{n}", f"https://a.example/{n}"),
    "utm": lambda n: (f"http://a.example/{n}?utm_source=rss", f"http://a.example/{n}?utm_source=x"),
    "ids": lambda n: (f"new-{n}", f"http://a.example/{n}"),
    "addresses": lambda n: (f"g{n}", f"https://new.example/articles/{n}.html"),
    "both": lambda n: (f"new-{n}", f"https://new.example/articles/{n}.html"),
    "links for ids": lambda n: (f"https://new.example/{n}", f"https://new.example/{n}"),
}


LONG = "It has a text of its own, and one that is long enough."
#: Each way once, and with and without a text and a date: the others are for the long run.
QUICK = {
    *(("https", "", True), ("utm", LONG, False), ("ids", "", True)),
    *(("addresses", "", False), ("both", LONG, True), ("links for ids", "", False)),
}


@pytest.mark.cases
@pytest.mark.parametrize(
    ("way", "text", "dated"),
    [
        pytest.param(
            *(way, text, dated),
            id=f"{way}-{'text' if text else 'no text'}-{'dated' if dated else 'undated'}",
            marks=() if (way, text, dated) in QUICK else pytest.mark.slow,
        )
        for way, text, dated in product(MOVED, (LONG, ""), (True, False))
    ],
)
async def test_F13_a_site_that_changes_its_ids_and_links_brings_nothing_new(
    world: World, way: str, text: str, *, dated: bool
) -> None:
    """However many entries, and however long after: none is stored, nobody is told."""

    def served(move: bool) -> list[Item]:
        items: list[Item] = []
        for n in range(30):
            guid, link = f"g{n}", f"http://a.example/{n}"
            if move:
                guid, link = MOVED[way](n)
            title = f"Armed men attack the border post of village {n}, soldiers killed"
            date = ago(minutes=20 * n) if dated else None
            items.append(Item(title, text and f"{text} {n}", guid, link, date))
        return items

    assert await polls(world, served(move=False)) == [(30, 0)]
    world.now += timedelta(days=20)
    assert await polls(world, served(move=True)) == [(0, 0)]


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize(
    "change",
    [
        {"title": f"{EXPLOSION} - ministry"},
        {"text": "The blast went off at nine in the morning on the first floor."},
        {"title": "Four people dead after explosion at Bishkek centre", "text": "Rescuers work."},
        {"title": "Bishkek blast: what is known", "text": "Other words.", "date": ago(minutes=3)},
        {"title": f"UPDATED: {EXPLOSION}", "date": NOW},
    ],
)
async def test_F15_an_edited_entry_is_known_and_reworded(
    world: World, change: dict[str, str]
) -> None:
    """The same guid and link: nothing is new, nobody is told twice."""
    before = blast()
    after = Item(**{**before.__dict__, **change})
    assert await polls(world, [WEATHER], [before, WEATHER], [after, WEATHER]) == [
        (1, 0), (1, 1), (0, 0),
    ]  # fmt: skip
    assert after.title in {row.title for row in await world.stored(entry)}


@pytest.mark.cases
async def test_F15_what_is_taken_back_among_all_that_is_worded_anew_is_taken_back(
    world: World,
) -> None:
    """More entries than an editor writes have other words: whoever counts reports knows of it."""
    first = [
        Item(f"Bridge {n} is open", f"Text {n}.", f"p{n}", f"https://a.example/p{n}", ago(hours=5))
        for n in range(FLOOD + 1)
    ]
    anew = [replace(one, title=f"{one.title} to all") for one in first]
    anew[3] = replace(anew[3], title=f"RETRACTED: {first[3].title}")
    assert await polls(world, [WEATHER], first, anew) == [(1, 0), (len(first), 0), (0, 0)]
    assert [row.title for row in await world.stored(entry) if row.retracts] == [anew[3].title]


@pytest.mark.cases
async def test_F15_what_is_corrected_to_and_fro_says_its_last_word(world: World) -> None:
    """Each change is an edit, also back to words that the message had before."""
    await poll(world, WEATHER)
    other = replace(blast(), title="Explosion at a shopping centre in Bishkek kills two people")
    for count, item in enumerate([blast(), other, blast(), other]):
        world.now = NOW + timedelta(minutes=count)
        await polls(world, [item, WEATHER])
    assert [row.kind for row in await world.alerts()] == ["story", "edit", "edit", "edit"]


@pytest.mark.cases
@pytest.mark.parametrize("link", ["https://a.example/b", "https://a.example/b-2"])
async def test_F15_what_is_deleted_and_published_again_is_not_told_twice(
    world: World, link: str
) -> None:
    """Under a new guid, and maybe with a new link and a new time."""
    again = blast(guid="b2", link=link, date=ago(minutes=1))
    reports = [await poll(world, *items) for items in ([WEATHER], [blast(), WEATHER], [WEATHER])]
    world.now += timedelta(minutes=1)
    reports.append(await poll(world, again, WEATHER))
    assert [report.alerts for report in reports] == [0, 1, 0, 0]
    assert await stories(world) == 2


FELT = "Earthquake felt in Bishkek"
ONCE_MORE = "Explosion in Bishkek"


@pytest.mark.cases
@pytest.mark.parametrize("key", ["one", "two"])
@pytest.mark.parametrize(
    ("title", "before", "hours", "after"),
    [
        (
            FELT, "The tremor of magnitude 4.1 had its centre 40 km south of the city.", 11,
            "A new tremor of magnitude 6.3 came at night, people were killed, houses destroyed.",
        ),
        (
            FELT, "The tremor of magnitude 4.1 had its centre 40 km south of the city.", 1,
            "A new tremor of magnitude 6.3 came 15 km from it, people were killed.",
        ),
        (
            ONCE_MORE, "The blast at the Osh bazaar killed three people, the police say.", 23,
            "Two people died this morning in a cafe on Chui avenue, a gas bottle exploded.",
        ),
        (
            ONCE_MORE, "The blast at the Osh bazaar killed three people, the police say.", 6,
            "Seven were killed when a car blew up beside the barracks of the guard.",
        ),
    ],
)  # fmt: skip
async def test_F19_the_same_headline_hours_later_is_another_event(
    world: World, title: str, before: str, hours: int, after: str, key: str
) -> None:
    """Told by the same agency or by another one."""
    for feed in ("one", "two"):
        await poll(world, WEATHER, key=feed)
    world.now = NOW - timedelta(hours=hours) + timedelta(minutes=2)
    first = Item(title, before, "1", "https://a.example/1", ago(hours=hours))
    assert (await poll(world, first, WEATHER)).alerts == 1
    world.now = NOW
    second = Item(title, after, "2", "https://a.example/2", ago(minutes=2))
    served = [second, first, WEATHER] if key == "one" else [second, WEATHER]
    report = await poll(world, *served, key=key)
    assert (report.new, report.alerts) == (1, 1)


@pytest.mark.cases
async def test_F19_the_same_headline_and_text_stays_one_story(world: World) -> None:
    """Another agency takes over the report, hours later."""
    for feed in ("one", "two"):
        await poll(world, WEATHER, key=feed)
    world.now = ago(hours=6)
    assert (await poll(world, blast(date=ago(hours=6)), WEATHER)).alerts == 1
    world.now = NOW
    assert (await poll(world, blast(date=ago(minutes=3)), WEATHER, key="two")).alerts == 0


IN_NARYN = (
    "A quake of magnitude 6.1 struck Naryn region; two people were killed in At-Bashy and rescuers "
    "are at work there."
)
IN_BATKEN = (
    "A quake of magnitude 5.2 struck Batken region; one person was killed in Leilek, schools are "
    "closed and teams were sent."
)


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize("hours", [0.7, 5, 30, 100])
async def test_F19_one_page_for_whatever_shakes_next_tells_each_event(
    world: World, hours: float
) -> None:
    """One id, link and headline: what was told of the first is not edited into the second."""
    page = Item("Earthquake in Kyrgyzstan kills people", IN_NARYN, "top", PAGE)
    await poll(world, WEATHER)
    assert (await poll(world, page, WEATHER)).alerts == 1
    world.now = NOW + timedelta(hours=hours)
    second = replace(page, text=IN_BATKEN, date=world.now - timedelta(minutes=3))
    assert await polls(world, [second, WEATHER]) == [(1, 1)]
    assert [row.kind for row in await world.alerts()] == ["story", "story"]
    assert {IN_NARYN, IN_BATKEN} <= {row.summary for row in await world.stored(entry)}


NAMESAKE = "Earthquake in Kyrgyzstan kills people"


@pytest.mark.cases(keep=3)
@pytest.mark.parametrize("guid", ["g", None])
@pytest.mark.parametrize(
    ("before", "after"), [(IN_NARYN, IN_BATKEN), (IN_NARYN, IN_NARYN), ("", "")]
)
@pytest.mark.parametrize("days", [0.2, 20])
async def test_F19_a_known_headline_under_an_id_and_link_of_its_own_is_another_event(
    world: World, guid: str | None, before: str, after: str, days: float
) -> None:
    """Without a date, too: the time at which it is had stands for it."""
    first = Item(NAMESAKE, before, guid and "1", "https://a.example/1", None)
    second = Item(NAMESAKE, after, guid and "2", "https://a.example/2", None)
    assert await polls(world, [WEATHER], [first, WEATHER]) == [(1, 0), (1, 1)]
    world.now += timedelta(days=days)
    told = await polls(world, [second, first, WEATHER])
    if days > 1:
        assert told == [(1, 1)]
    else:  # the same words within hours are the same report, put up again
        assert told == [(int(before != after or not before), int(before != after))]
    assert before in {row.summary for row in await world.stored(entry)}


@pytest.mark.cases
async def test_F19_two_articles_under_one_headline_at_one_time_are_both_told(world: World) -> None:
    """With ids and links of their own, and streets: neither takes the other's place."""
    texts = (
        "The blast went off in a house on Kievskaya street, one person was killed, police said.",
        "The blast went off in a cafe on Akhunbaev street, four persons were killed, police said.",
    )
    one, other = (
        Item(ONCE_MORE, text, f"{n}", f"https://a.example/{n}", ago(minutes=n))
        for n, text in enumerate(texts)
    )
    await polls(world, [WEATHER])
    assert await polls(world, [one, WEATHER], [other, one, WEATHER]) == [(1, 1), (1, 1)]
    assert set(texts) <= {row.summary for row in await world.stored(entry)}


@pytest.mark.cases
async def test_F19_a_page_that_lists_a_known_headline_with_another_article_tells_it(
    world: World,
) -> None:
    """Though the list has neither dates nor texts; its article is read before that is decided."""

    async def told(**articles: str) -> int:
        items: list[str] = []
        for name, text in articles.items():
            body = (
                f"<html><body><article><h1>x</h1><p>{text}</p><p>{text}</p></article></body></html>"
            )
            world.publishers.put(f"/{name}", body.encode(), kind="text/html")
            title = WEATHER.title if name == "w" else NAMESAKE
            items.append(f"<li><a href='/{name}'>{title}</a></li>")
        page = f"<html><body><ul>{''.join(items)}</ul></body></html>"
        world.publishers.put("/list", page.encode(), kind="text/html")
        return (await world.poll("ministry")).alerts

    weather = "It stays warm and dry in the capital and in all regions of the country."
    assert await told(w=weather) == 0
    assert await told(one=IN_NARYN, w=weather) == 1
    world.now += timedelta(hours=2)
    assert await told(two=IN_BATKEN, one=IN_NARYN, w=weather) == 1
    assert await told(two=IN_BATKEN, w=weather) == 0


@pytest.mark.cases(keep=2)
@pytest.mark.parametrize("guid", ["g", None])
@pytest.mark.parametrize("link", ["https://a.example/", "https://a.example/news.php?id="])
async def test_F19_a_warning_in_the_same_words_each_day_is_told_each_day(
    world: World, guid: str | None, link: str
) -> None:
    """However long the formula is; published again within hours it stays one."""
    words = (
        "The Ministry of Emergency Situations declares an air raid alert in Kyiv and the region. "
        "Missiles were launched, go to the shelters at once."
    )
    await poll(world, WEATHER)
    told: list[int] = []
    for day in range(4):
        for hour in (0, 5):
            world.now = NOW + timedelta(days=day, hours=hour)
            own = f"{day}-{hour}"
            raid = Item(
                "Air raid alert in Kyiv, missiles launched",
                words,
                guid and own,
                f"{link}{own}",
                world.now,
            )
            told.append((await poll(world, raid, WEATHER)).alerts)
    assert told == [1, 0] * 4


def backlog(hours: float = 4) -> list[Item]:
    """Two dozen attacks of the time that a feed was away, the youngest of them as old as told."""
    items: list[Item] = []
    for n in range(1, 25):
        title = f"Armed men attack the border post of village {n}, soldiers killed"
        at = ago(hours=hours, minutes=5 * n)
        items.append(Item(title, f"Shots at post {n}.", f"g{n}", f"https://a.example/{n}", at))
    return items


@pytest.mark.cases
async def test_F21_a_fresh_urgent_story_is_told_among_a_backlog(world: World) -> None:
    """The backlog in silence, and the operators hear of it."""
    assert await polls(world, [WEATHER], [blast(date=ago(minutes=1)), *backlog(), WEATHER]) == [
        (1, 0),
        (25, 1),
    ]
    assert [said for said, _ in await world.notices()] == ["notice.flood"]


@pytest.mark.cases
async def test_F21_what_is_left_of_a_flood_after_a_kill_is_backlog_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few as it is then: the poll that goes on with it tells the operators, and nobody else."""
    await poll(world, WEATHER)
    left = ENTRIES_AT_ONCE // (1 + COMPARED)  # in a piece
    items = [
        Item(f"Armed men attack the border post of village {n}, soldiers killed", f"Shots {n}.",
             f"g{n}", f"https://a.example/{n}", ago(hours=4, minutes=n))
        for n in range(4 * left)
    ]  # fmt: skip
    keep = keeping.keep_entries
    begun: list[object] = []

    async def dies(*asked: Any, **rest: Any) -> Any:
        begun.append(asked)
        if len(begun) == 4:
            raise asyncio.CancelledError
        return await keep(*asked, **rest)

    with monkeypatch.context() as patched:
        patched.setattr(keeping, "keep_entries", dies)
        with pytest.raises(asyncio.CancelledError):
            await poll(world, *items, WEATHER)
    report = await poll(world, *items, WEATHER)
    assert (report.new, report.alerts) == (left, 0)
    assert [values["n"] for _, values in await world.notices()] == [str(4 * left)]
    # and that was all of it
    assert (await poll(world, blast(), *items, WEATHER)).alerts == 1


@pytest.mark.cases
async def test_F21_the_fresh_one_is_told_in_whichever_piece_of_the_flood_it_is_stored(
    world: World,
) -> None:
    """Its poll says so, for others wait for that word: a feed may list the newest last."""
    older = [
        Item(
            f"Bridge {n} is open",
            f"Text {n} of it.",
            f"p{n}",
            f"https://a.example/p{n}",
            ago(hours=5),
        )
        for n in range(ENTRIES_AT_ONCE + 5)
    ]
    assert await polls(world, [WEATHER], [*older, blast(date=ago(minutes=1))]) == [
        (1, 0),
        (ENTRIES_AT_ONCE + 6, 1),
    ]


@pytest.mark.cases
@pytest.mark.parametrize("date", [None, "25.11.2026", ago(hours=2), NOW + timedelta(days=1)])
async def test_F21_what_does_not_say_that_it_is_fresh_is_backlog(
    world: World, date: datetime | str | None
) -> None:
    """No date, a day, too old, or not yet."""
    told = await polls(world, [WEATHER], [blast(date=date), *backlog(), WEATHER])
    assert told == [(1, 0), (25, 0)]


@pytest.mark.cases
async def test_F14_what_stands_behind_an_empty_first_document_is_backlog(world: World) -> None:
    """As where a site was being repaired; what came since the last look is news, as ever after."""
    world.now = ago(minutes=45)
    assert await polls(world, []) == [(0, 0)]
    world.now = NOW
    backlog_and_news = [tremor(date=ago(minutes=40)), blast(date=ago(hours=2)), WEATHER]
    assert await polls(world, backlog_and_news) == [(3, 1)]
    titles = {row.story_id: row.title for row in await world.stored(entry)}
    assert [titles[told.about_story] for told in await world.alerts()] == [QUAKE]


@pytest.mark.cases
async def test_F21_a_first_poll_and_a_site_that_dates_all_anew_stay_silent(world: World) -> None:
    """However urgent."""
    assert await polls(world, [blast(date=ago(minutes=1)), *backlog()]) == [(25, 0)]
    anew = [Item(f"{QUAKE} {n}", f"{n}", f"n{n}", None, NOW) for n in range(25)]
    assert await polls(world, anew) == [(25, 0)]
