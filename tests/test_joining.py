"""Entries join the story they tell of, whatever its topic and however many others came since."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

import storage.clues
import storage.retention
import storage.stories
from bot.detect.clues import CLUES_SHARED, clues_of, worth
from bot.model.alerts import Severity
from bot.model.news import Verdict
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.db import Store
from storage.entries import NewEntry
from storage.retention import CLUES_KEPT
from storage.schema import clue
from storage.schema import entry as entry_table
from tests.factories import NOW, entry
from tests.world import World, polling

pytestmark = pytest.mark.cases  # what is decided, whatever the database

HARVEST = (
    "Walnut harvest in Arslanbob breaks a record",
    (
        "Families in Arslanbob gathered 1,850 tonnes of walnuts this autumn, foresters said. "
        "Buyers from Izmir pay 240 som a kilo, and the cooperative of Dashman will build a dryer."
    ),
)
HARVEST_TOO = (
    "Arslanbob's forest gives more walnuts than ever",
    (
        "The forestry office counted 1,850 tonnes of walnuts in Arslanbob. The Dashman cooperative "
        "plans a dryer, because buyers from Izmir now pay 240 som for a kilo, families there said."
    ),
)
OTHER = (
    "Apricot growers of Batken ask for water",
    "Canals near Batken are dry, and growers of apricots ask the ministry for pumps before spring.",
)
BLAST = (
    "Explosion at a market in Osh kills 14, 37 wounded",
    "The bomb went off at 11:20 by the northern gate; police look for a van, said Kubat Ermekov.",
)
VZRYV = (
    "Взрыв на рынке в Оше: 14 погибших, 37 раненых",
    "Бомба сработала в 11:20 у северных ворот. Милиция ищет фургон, сообщил Кубат Эрмеков.",
)


def catalog(url: str) -> Catalog:
    return parse_catalog(
        "".join(
            f'[feeds.{key}]\nurl = "{url}/{key}.xml"\nlanguage = "{language}"\n'
            for key, language in (("one", "en"), ("two", "en"), ("russian", "ru"))
        )
    )


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Each agency was polled once, and brought a quiet story of its own."""
    async with polling(store, catalog, now=NOW) as made:
        for key, word in (("one", "Sheep"), ("two", "Horses"), ("russian", "Яки")):
            await made.report(key, (f"first {key}", word, "."))
        yield made


async def sizes(world: World) -> list[int]:
    """The numbers of entries that the stories have, the largest first."""
    count = Counter(row.story_id for row in await world.stored(entry_table))
    return sorted(count.values(), reverse=True)


async def crowd(store: Store, count: int) -> None:
    """Store `count` other stories."""
    new = []
    for number in range(count):
        item = entry(
            id=f"c{number}",
            title=f"Village {number:x}qua{number:x} opens its school number {number}",
            summary=f"The school of {number:x}qua{number:x} has room for {number} pupils now.",
        )
        verdict = Verdict(
            security=False,
            score=0,
            severity=Severity.INFO,
            language="en",
            clues=clues_of(item),
        )
        key = f"{number}"
        new.append(
            NewEntry(feed="crowd", item=item, at=NOW, link_key=key, title_key=key, verdict=verdict)
        )
    async with store.writing() as db:
        await storage.stories.add_alone(db, new, now=NOW)


async def test_a_calm_story_in_other_words_is_one_story_after_many_others(world: World) -> None:
    """Not only what is grave, and not only among the latest few hundred."""
    await world.report("one", ("a", *HARVEST))
    await crowd(world.store, 700)
    await world.report("two", ("b", *HARVEST_TOO), ("c", *OTHER))
    assert (await sizes(world))[:2] == [2, 1]


async def test_a_backlog_is_stored_without_looking_for_its_events_in_other_words(
    world: World,
) -> None:
    """So many at once tell nobody anything, and looking for each would hold up whoever writes."""
    await world.report("one", ("harvest", *HARVEST))
    others = [(f"n{number}", f"Notice {number * 7919}", "As usual.") for number in range(24)]
    await world.report("two", ("too", *HARVEST_TOO), *others)
    assert await sizes(world) == [1] * (3 + 1 + 25)


async def test_two_reports_of_one_event_in_one_poll_are_one_story(world: World) -> None:
    await world.report("one", ("a", *HARVEST), ("b", *HARVEST_TOO), ("c", *OTHER))
    assert (await sizes(world))[:2] == [2, 1]


SHUT = (
    "Torugart border crossing closed after shooting",
    "Two border guards were wounded at Torugart border crossing in Naryn, the service said.",
)
OPEN = (
    "Torugart border crossing reopened",
    "The Torugart border crossing in Naryn works as before the shooting, the service said.",
)


@pytest.mark.parametrize(
    ("key", "title", "text", "stories"),
    [
        (
            "one",
            "Torugart border crossing closed again after new shooting",
            "Three guards were wounded at Torugart border crossing in Naryn, the service said.",
            [2, 1],
        ),
        (
            "two",
            "Torugart border crossing closed, two guards wounded in a shooting",
            "Two border guards were wounded at Torugart border crossing in Naryn, it was said.",
            [3],
        ),
    ],
    ids=["again", "a late report"],
)
async def test_what_begins_anew_after_its_end_is_told_anew(
    world: World, key: str, title: str, text: str, stories: list[int]
) -> None:
    """The message of what ended says that it is over, and an edit of it rings nobody."""
    assert await world.report("one", ("s", *SHUT)) == 1
    world.now += timedelta(hours=2)
    assert await world.report("two", ("o", *OPEN)) == 0
    world.now += timedelta(hours=2)
    assert await world.report(key, ("a", title, text)) == len(stories) - 1
    assert (await sizes(world))[: len(stories)] == stories


async def test_the_next_event_of_the_kind_is_told_hours_after_the_end_and_once(
    world: World,
) -> None:
    """Nobody calls the next shooting "again" who did not report the one before; whoever reports
    the next one too joins its story.
    """
    assert await world.report("one", ("s", *SHUT)) == 1
    world.now += timedelta(hours=2)
    assert await world.report("two", ("o", *OPEN)) == 0
    world.now += timedelta(hours=20)
    words = "Shooting shuts Torugart border crossing", SHUT[1].replace("said", "told reporters")
    assert await world.report("one", ("n", *words)) == 1
    world.now += timedelta(minutes=20)
    assert await world.report("two", ("t", *SHUT)) == 0
    assert (await sizes(world))[:2] == [2, 2]


async def test_an_event_in_two_languages_is_found_after_many_others(world: World) -> None:
    await world.report("one", ("a", *BLAST))
    await crowd(world.store, 700)
    await world.report("russian", ("v", *VZRYV))
    assert (await sizes(world))[:2] == [2, 1]


async def test_what_is_alike_and_another_event_is_compared_and_stays_alone(world: World) -> None:
    """Clues only find; the comparison decides."""
    one = entry(title=BLAST[0], summary=BLAST[1])
    elsewhere = entry(
        title=BLAST[0].replace("Osh", "Naryn"), summary=BLAST[1].replace("northern", "southern")
    )
    shared = set(clues_of(one)) & set(clues_of(elsewhere))
    assert sum(map(worth, shared)) >= CLUES_SHARED
    await world.report("one", ("a", *BLAST))
    await world.report("two", ("b", elsewhere.title, elsewhere.summary))
    assert (await sizes(world))[0] == 1


async def test_a_clue_keeps_its_latest_stories_alone(store: Store) -> None:
    """A clue of every report costs no more than its slots; a story has one of them."""
    slots = storage.clues.SLOTS
    async with store.writing() as db:
        await storage.clues.add(db, [(7, story) for story in range(1, 3 * slots + 1)])
        await storage.clues.add(db, [(7, 3 * slots), (-(2**63) + 1, 5)])
        found = await storage.clues.stories(db, [7, -(2**63) + 1, 8])
    assert sorted(found[7]) == list(range(2 * slots + 1, 3 * slots + 1))
    assert found[-(2**63) + 1] == [5]
    assert 8 not in found


async def test_what_found_a_story_finds_the_one_that_it_was_joined_with(store: Store) -> None:
    async with store.writing() as db:
        await storage.clues.add(db, [(7, 2), (8, 2), (8, 1), (9, 3)])
        await storage.stories.join(db, 2, into=1)
        found = await storage.clues.stories(db, [7, 8, 9])
    assert found == {7: [1], 8: [1], 9: [3]}


async def test_clues_are_forgotten_when_it_would_be_another_event(world: World) -> None:
    await world.report("one", ("a", *HARVEST))
    later = NOW + CLUES_KEPT + timedelta(hours=1)
    world.now = later
    await world.report("two", ("c", *OTHER))
    before = len(await world.stored(clue))
    async with world.store.writing() as db:
        for step in storage.retention.STEPS:
            await step(db, later)
    kept = {row.hash for row in await world.stored(clue)}
    assert 0 < len(kept) < before
    assert kept == set(clues_of(entry(title=OTHER[0], summary=OTHER[1])))
