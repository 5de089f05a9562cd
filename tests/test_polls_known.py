"""Of a document that changed only what is new is read, and nothing is decided otherwise for it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence

import pytest

import storage.sources
import storage.stories
from bot.ingest import recognising
from bot.sources import plain_feeds
from bot.sources.catalog import parse_catalog
from bot.sources.feeds import feed_entries, new_entries
from bot.sources.listed import ITEM_HASH, Listed
from bot.sources.specs import Catalog
from storage.db import Store
from tests.world import NOW, World, polling

URL = "https://agency.example/feed"
ITEM = (
    "<item><title>{title}</title><link>{link}</link><guid isPermaLink='false'>{guid}</guid>"
    "<pubDate>Sat, 28 Nov 2026 {hour}:00:00 +0000</pubDate><description>{text}</description></item>"
)


def words(number: int) -> str:
    """Words that only this item has: nothing else tells of its event."""
    said = hashlib.sha256(str(number).encode()).hexdigest()
    letters = said.translate(str.maketrans("0123456789", "ghiklmnopr"))
    return " ".join(letters[start : start + 8] for start in range(0, 48, 8))


def item(number: int, **other: str) -> str:
    """One item of a feed, as it stands there every time."""
    said = {
        "title": f"Report {number}: {words(number)}",
        "link": f"https://agency.example/{number}",
        "guid": f"g{number}",
        "hour": f"{number % 24:02d}",
        "text": f"A text of its own: {words(number)}, {words(number + 1000)}.",
    }
    return ITEM.format(**{**said, **other})


def document(*items: str, language: str = "en", built: str = "now") -> bytes:
    """A feed."""
    head = f"<title>A</title><language>{language}</language><lastBuildDate>{built}</lastBuildDate>"
    return f'<rss version="2.0"><channel>{head}{"".join(items)}</channel></rss>'.encode()


def listed(body: bytes, known: bytes = b"", url: str = URL) -> Listed:
    """A poll's reading of it."""
    return new_entries(body, url=url, content_type=None, known=known)


def test_without_known_items_all_is_read() -> None:
    """And each item has its hash."""
    body = document(item(1), item(2))
    first = listed(body)
    assert first.entries == feed_entries(body, url=URL, content_type=None)
    assert (first.count, first.skipped, len(first.items)) == (2, False, 2 * ITEM_HASH)


def test_known_items_are_left_out_wherever_they_stand() -> None:
    """Also when the feed around them was built anew."""
    known = listed(document(item(1), item(2))).items
    again = listed(document(item(3), item(2), item(1), built="later"), known)
    assert [entry.id for entry in again.entries] == ["g3"]
    assert (again.count, again.skipped, len(again.items)) == (3, True, 3 * ITEM_HASH)


@pytest.mark.parametrize("field", ["title", "text", "link", "hour"])
def test_an_item_that_changed_is_read(field: str) -> None:
    """Whatever of it changed; nothing else is."""
    known = listed(document(item(1), item(2))).items
    other = {"title": "Other", "text": "Other", "link": "https://agency.example/o", "hour": "20"}
    if field == "hour":  # its id, link and words are its own
        again = listed(document(item(1), item(2, hour="20")), known)
    else:
        again = listed(document(item(1), item(2, **{field: other[field]})), known)
    assert [entry.id for entry in again.entries] == ["g2"]


@pytest.mark.parametrize("field", ["title", "text", "link", "guid"])
def test_all_is_read_where_a_new_item_has_something_in_common_with_a_known_one(field: str) -> None:
    """The meaning of an item depends on both: a link that all have says nothing of any."""
    known = listed(document(item(1), item(2))).items
    shared = {
        "title": f"Report 1: {words(1)}",
        "text": f"A text of its own: {words(1)}, {words(1001)}.",
        "link": "https://agency.example/1",
        "guid": "g1",
    }
    again = listed(document(item(3, **{field: shared[field]}), item(1), item(2)), known)
    assert not again.skipped
    assert len(again.entries) >= 2


def test_items_mean_something_else_in_another_language_or_place() -> None:
    """And are read anew when we read them otherwise."""
    body = document(item(1), item(2))
    known = listed(body).items
    assert not listed(document(item(1), item(2), language="ru"), known).skipped
    assert not listed(body, known, url="https://other.example/feed").skipped
    assert listed(body, known).entries == ()


def test_a_feed_that_is_not_plain_is_read_whole() -> None:
    """feedparser gives no items to compare."""
    body = document(item(1), "<item><title>One <b>bold</b></title></item>")
    assert (listed(body).items, listed(body).count) == (b"", 2)


def catalog(url: str) -> Catalog:
    """One agency."""
    return parse_catalog(f'[feeds.a]\nname = {{ en = "A" }}\nurl = "{url}/a.xml"\n')


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """The agency was polled once."""
    async with polling(store, catalog, now=NOW) as made:
        made.serve("a", document(*(item(number) for number in range(20, 0, -1))))
        assert (await made.poll("a")).new == 20
        yield made


async def test_a_poll_looks_only_for_what_is_new(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One item more of twenty: one entry is looked for, judged and stored."""
    asked: list[int] = []
    marks = recognising._fingerprints

    async def counted(read: recognising.Read) -> object:
        asked.append(len(read.entries))
        return await marks(read)

    monkeypatch.setattr(recognising, "_fingerprints", counted)
    world.serve("a", document(*(item(number) for number in range(21, 0, -1))))
    report = await world.poll("a")
    assert (report.fetched, report.new, report.error) == (21, 1, None)
    assert asked == [1]
    world.serve("a", document(*(item(number) for number in range(21, 0, -1)), built="later"))
    assert (await world.poll("a")).new == 0
    assert asked == [1]


async def test_a_corrected_headline_is_stored_though_all_else_is_known(world: World) -> None:
    """It keeps its id, and is no new entry."""
    items = [item(number) for number in range(20, 0, -1)]
    items[3] = item(17, title=f"The council refuses {words(17)}")
    world.serve("a", document(*items))
    assert (await world.poll("a")).new == 0
    async with world.store.reading() as db:
        stories = await storage.stories.latest(db, limit=100)
    assert f"The council refuses {words(17)}" in {story.lead.entry.title for story in stories}


async def test_an_entry_that_may_be_a_stored_one_is_read_with_all_that_stands_beside_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new id and the same headline but for its capitals: the whole document is read again."""
    knowns: list[int] = []
    apart = plain_feeds.Known.apart

    def noted(self: plain_feeds.Known, items: Sequence[object], language: str | None) -> object:
        new, hashes = apart(self, items, language)  # type: ignore[arg-type]
        knowns.append(len(items) - len(new))
        return new, hashes

    monkeypatch.setattr(plain_feeds.Known, "apart", noted)
    twin = item(21, title=f"REPORT 5 - {words(5).upper()}!")
    world.serve("a", document(twin, *(item(number) for number in range(20, 0, -1))))
    await world.poll("a")
    assert knowns == [20, 0]


async def test_what_was_not_stored_is_not_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hashes are noted in the transaction that stores their entries."""

    async def fails(_db: object, new: Sequence[object], **_also: object) -> None:
        if new:
            raise ValueError("no")

    world.serve("a", document(*(item(number) for number in range(21, 0, -1))))
    with monkeypatch.context() as patched:
        patched.setattr(storage.stories, "add_alone", fails)
        assert (await world.poll("a")).error is not None
    assert (await world.poll("a")).new == 1


async def test_a_quiet_source_is_asked_less_often_and_the_pace_is_kept_in_the_store(
    store: Store,
) -> None:
    """Between the catalog's bounds; a failure in between changes nothing of it."""

    def bounded(url: str) -> Catalog:
        pace = 'poll = { every = "5m", slowest = "30m" }'
        return parse_catalog(f'[feeds.a]\nname = {{ en = "A" }}\nurl = "{url}/a.xml"\n{pace}\n')

    async def pause() -> int | None:
        async with store.reading() as db:
            return (await storage.sources.states(db, ["a"]))["a"].pause

    async with polling(store, bounded, now=NOW) as world:
        world.serve("a", document(item(1)))
        await world.poll("a")
        assert await pause() == 300
        await world.poll("a")
        await world.poll("a")
        assert await pause() == 432
        world.serve("a", b"broken")
        assert (await world.poll("a")).error is not None
        assert await pause() == 432
        world.serve("a", document(item(2), item(1)))
        await world.poll("a")
        assert await pause() == 300
