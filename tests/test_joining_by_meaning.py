"""Stories told apart by vectors, where words do not decide."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

import bot.ingest.meaning
import storage.entries
from bot.detect.meaning import installed
from bot.model.news import Entry
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from bot.workers import Workers
from storage.db import Db, Store
from storage.schema import entry as entry_table
from tests.factories import NOW
from tests.world import World, polling

pytestmark = pytest.mark.cases  # what is decided, whatever the database

HAY = (
    "Ministry bans export of hay until June",
    "The dry winter is the reason, the ministry of agriculture said.",
)
METAL = (
    "Ministry bans export of scrap metal until June",
    "Smelters at home lack metal, the ministry of economy said.",
)
APRICOTS = (
    "Apricot growers of Batken praise the harvest",
    "Markets near Batken are full of apricots, and growers want more buyers abroad.",
)
ONE, OTHER = bytes([127, *[0] * 383]), bytes([0, 127, *[0] * 382])

needs_it = pytest.mark.skipif(not installed(), reason="the extra `meaning`")


def catalog(url: str) -> Catalog:
    return parse_catalog(
        "".join(
            f'[feeds.{key}]\nurl = "{url}/{key}.xml"\nlanguage = "en"\n'
            for key in ("one", "two", "three")
        )
    )


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Agencies that were polled once."""
    async with polling(store, catalog, now=NOW, meaning=True) as made:
        await first_polls(made)
        yield made


async def test_where_no_process_is_free_words_decide_and_nobody_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slow documents have all processes: what is written with such a report is written."""
    monkeypatch.setattr(bot.ingest.meaning, "PATIENCE", 0.05)
    made, asked = bot.ingest.meaning._made, list[str]()
    async with Workers(size=1) as busy:

        async def of_busy_ones(_: Workers, texts: Sequence[str]) -> Mapping[str, bytes]:
            asked.extend(texts)
            return await made(busy, texts)

        monkeypatch.setattr(bot.ingest.meaning, "_made", of_busy_ones)
        slow = asyncio.create_task(busy.run(time.sleep, 600, timeout=600))
        await asyncio.sleep(0)
        await world.report("one", ("hay", *HAY))
        await world.report("two", ("metal", *METAL))
        assert asked
        assert not slow.done()
        assert {"hay", "metal"} <= (await stories(world)).keys()
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)


async def first_polls(world: World) -> None:
    for key, word in (("one", "Sheep"), ("two", "Horses"), ("three", "Goats")):
        await world.report(key, (f"first {key}", word, "."))


class Vectors:
    """Stands for the worker: what each headline means, and who asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **means: bytes) -> None:
        self.means, self.asked = means, list[str]()
        monkeypatch.setattr(bot.ingest.meaning, "_made", self)

    async def __call__(self, _workers: Workers, texts: Sequence[str]) -> Mapping[str, bytes]:
        """The vectors of the texts that it knows."""
        heads = {text: text.partition("\n")[0] for text in texts}
        self.asked += heads.values()
        found: dict[str, bytes] = {}
        for text, head in heads.items():
            for word, vector in self.means.items():
                if word in head:
                    found[text] = vector
        return found


async def stories(world: World) -> dict[str, int]:
    """The story of each entry, by its id."""
    return {row.guid: row.story_id for row in await world.stored(entry_table)}


async def kept(world: World) -> dict[str, bytes | None]:
    """The vector of each entry, by its id."""
    return {row.guid: row.meaning for row in await world.stored(entry_table)}


async def test_two_reports_that_mean_the_same_are_one_story(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    Vectors(monkeypatch, hay=ONE, metal=ONE)
    await world.report("one", ("hay", *HAY))
    await world.report("two", ("metal", *METAL))
    found = await stories(world)
    assert found["hay"] == found["metal"]


async def test_two_that_do_not_are_two_and_what_is_far_from_both_is_never_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = Vectors(monkeypatch, hay=ONE, metal=OTHER)
    await world.report("one", ("hay", *HAY))
    assert vectors.asked == []  # nothing to compare it with
    await world.report("two", ("metal", *METAL), ("apricots", *APRICOTS))
    found = await stories(world)
    assert found["hay"] != found["metal"]
    assert sorted(vectors.asked) == sorted([HAY[0], METAL[0]])


async def test_a_vector_is_kept_and_made_once_until_the_words_change(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = Vectors(monkeypatch, hay=ONE, metal=OTHER, wheat=OTHER)
    await world.report("one", ("hay", *HAY))
    await world.report("two", ("metal", *METAL))
    assert (await kept(world))["hay"] == ONE
    assert (await kept(world))["metal"] == OTHER
    vectors.asked.clear()
    wheat = HAY[0].replace("hay", "wheat"), HAY[1].replace("dry", "wet")
    await world.report("three", ("wheat", *wheat))
    assert vectors.asked == [wheat[0]]
    await world.report("one", ("hay", f"{HAY[0]}, and of straw", HAY[1]))
    assert (await kept(world))["hay"] is None


IRON = ("Ministry bans export of scrap iron until June", "Smelters lack iron.")


async def test_a_stored_reports_vector_is_written_once_for_all_polls_of_a_batch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them may carry it."""
    Vectors(monkeypatch, hay=ONE, metal=OTHER, iron=OTHER)
    monkeypatch.setattr(world.ingest._kept, "_patience", 60.0)  # both are stored together
    await world.report("one", ("h", *HAY))
    keep = storage.entries.keep_meanings
    written: list[int] = []

    async def noted(db: Db, vectors: Mapping[int, bytes]) -> None:
        written.append(len(vectors))
        await keep(db, vectors)

    monkeypatch.setattr(storage.entries, "keep_meanings", noted)
    world.feed("two", ("m", *METAL))
    world.feed("three", ("i", *IRON))
    await asyncio.gather(world.poll("two"), world.poll("three"))
    assert sum(written) == 1
    assert (await kept(world))["h"] == ONE


async def test_others_have_their_turn_between_two_comparisons(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is two hundred polls."""
    Vectors(monkeypatch)
    await world.report("one", ("h", *HAY))
    turns = 0
    seen: list[int] = []
    undecided = bot.ingest.meaning.stories.undecided

    def noted(one: Entry, other: Entry) -> bool:
        seen.append(turns)
        return undecided(one, other)

    async def turning() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(bot.ingest.meaning.stories, "undecided", noted)
    other = asyncio.create_task(turning())
    await world.report("two", ("m", *METAL), ("i", *IRON))
    other.cancel()
    assert len(seen) == 2
    assert seen[0] < seen[1]


async def test_without_vectors_words_decide(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies or is too slow, and one that fails as nobody foresaw."""
    vectors = Vectors(monkeypatch)
    await world.report("one", ("hay", *HAY))
    await world.report("two", ("metal", *METAL))
    assert vectors.asked

    async def fail(_workers: Workers, _texts: Sequence[str]) -> Mapping[str, bytes]:
        raise RuntimeError

    monkeypatch.setattr(bot.ingest.meaning, "_made", fail)
    wheat = HAY[0].replace("hay", "wheat"), HAY[1].replace("dry", "wet")
    await world.report("three", ("wheat", *wheat))
    assert len(set((await stories(world)).values())) >= 3 + 2
    assert set((await kept(world)).values()) == {None}


async def test_a_worker_that_cannot_is_no_trouble(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the package is there and its model is not."""
    async with polling(store, catalog, now=NOW, meaning=True, in_workers=True) as world:
        await first_polls(world)
        await world.report("one", ("hay", *HAY))
        monkeypatch.setattr(bot.ingest.meaning.meaning, "vectors", int)  # fails on texts
        await world.report("two", ("metal", *METAL))
        assert set((await kept(world)).values()) == {None}


@needs_it
async def test_the_worker_makes_them(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.ingest.meaning, "SECONDS", 100.0)  # on a machine that is busy
    async with polling(store, catalog, now=NOW, meaning=True, in_workers=True) as world:
        await first_polls(world)
        await world.report("one", ("hay", *HAY))
        await world.report("two", ("metal", *METAL))
        found = await kept(world)
        assert {len(found[key] or b"") for key in ("hay", "metal")} == {384}
        told = await stories(world)
        assert told["hay"] != told["metal"]
