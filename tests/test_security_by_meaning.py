"""The poll asks vectors of entries of which words do not tell whether they are about security."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

import bot.ingest.meaning
from bot.cli.judging import judged_as_polled
from bot.detect import security
from bot.detect.meaning import installed
from bot.ingest.found import FLOOD
from bot.workers import WorkerError
from storage.db import Store
from storage.schema import entry as entry_table
from tests.detect.test_security_by_meaning import AGAINST, FOR, PLAIN, TABLE
from tests.factories import NOW
from tests.test_joining_by_meaning import Vectors, catalog, first_polls, kept
from tests.world import World, polling

pytestmark = pytest.mark.cases  # what is decided, whatever the database

WATER = (
    "Officials warn of high water in the river",
    "Snow in the mountains melts early this year, the ministry said.",
)
CAR = ("Man is questioned about a missing car", "He said that he had sold it in spring.")
CONCERT = (
    "Singer opens a season of concerts in Batken",
    "Tickets for the theatre were sold in an hour, and the singer thanked the town.",
)

#: As grave as what wakes readers, where it is about security at all.
RIVER = ("Officials warn of high water in the river, 12 people died last year", "")
CUP = ("Cup final ends in a storm of protest, two killed", "")
#: Words that leave nothing to doubt, of which those become.
CALM = ("Officials look at a river", "It rests.")
ENDED = ("Cup final ends", "The cup stays at home.")

needs_it = pytest.mark.skipif(not installed(), reason="the extra `meaning`")


@pytest.fixture
async def world(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Agencies that were polled once, and a table of our own."""
    monkeypatch.setattr(security, "by_meaning", lambda _code: TABLE)
    async with polling(store, catalog, now=NOW, meaning=True) as made:
        await first_polls(made)
        yield made


async def security_of(world: World) -> dict[str, bool]:
    """Whether each entry is about security, by its id."""
    return {row.guid: "security" in row.topics for row in await world.stored(entry_table)}


async def test_vectors_tell_security_either_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nobody is told what they take from it; the vector is kept, and clues stay."""
    Vectors(monkeypatch, water=FOR, car=AGAINST)
    await world.report("one", ("water", *WATER), ("car", *CAR))
    found = await security_of(world)
    assert found["water"]
    assert not found["car"]
    vectors = await kept(world)
    assert (vectors["water"], vectors["car"]) == (FOR, AGAINST)


async def test_without_a_vector_words_decide(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the worker is too slow."""
    vectors = Vectors(monkeypatch)
    await world.report("one", ("water", *WATER), ("car", *CAR))
    found = await security_of(world)
    assert sorted(vectors.asked) == sorted([WATER[0], CAR[0]])
    assert not found["water"]
    assert found["car"]


async def test_a_worker_that_cannot_judge_anew_leaves_what_words_decided(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vector is kept all the same."""
    Vectors(monkeypatch, water=FOR)

    def fail(_texts: object) -> None:
        raise WorkerError("too slow")

    monkeypatch.setattr(bot.ingest.meaning, "judged_by_meaning", fail)
    await world.report("one", ("water", *WATER))
    assert not (await security_of(world))["water"]
    assert (await kept(world))["water"] == FOR


async def test_what_words_decide_is_never_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = Vectors(monkeypatch, Police=AGAINST, Singer=FOR)
    await world.report("one", ("plain", PLAIN, "They are in custody."), ("concert", *CONCERT))
    assert vectors.asked == []
    found = await security_of(world)
    assert found["plain"]
    assert not found["concert"]


async def test_a_first_poll_asks_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its entries alert nobody."""
    vectors = Vectors(monkeypatch, water=FOR)
    async with polling(store, catalog, now=NOW, meaning=True) as world:
        await world.report("one", ("water", *WATER))
        assert vectors.asked == []


async def test_both_questions_have_their_part(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many entries are doubted, no more vectors are asked than there is time for."""
    vectors = Vectors(monkeypatch)
    monkeypatch.setattr(bot.ingest.meaning, "VECTORS_TOGETHER", 3)
    many = [(f"water{number}", f"{WATER[0]} {number}", WATER[1]) for number in range(9)]
    await world.report("one", *many)
    assert len(vectors.asked) == 3


async def test_without_the_extra_nothing_is_asked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = Vectors(monkeypatch, water=FOR)
    async with polling(store, catalog, now=NOW) as world:
        await first_polls(world)
        await world.report("one", ("water", *WATER))
        assert vectors.asked == []
        assert not (await security_of(world))["water"]


@needs_it
async def test_the_worker_judges_as_the_verb_does(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One encoding serves both questions."""
    monkeypatch.setattr(bot.ingest.meaning, "SECONDS", 100.0)  # on a machine that is busy
    async with polling(store, catalog, now=NOW, meaning=True, in_workers=True) as world:
        await first_polls(world)
        await world.report("one", ("water", *WATER), ("car", *CAR))
        found, vectors = await security_of(world), await kept(world)
        assert {len(vectors[key] or b"") for key in ("water", "car")} == {384}
    assert found["water"] == judged_as_polled(*WATER, "en").security
    assert found["car"] == judged_as_polled(*CAR, "en").security


@pytest.mark.cases
@pytest.mark.parametrize(
    ("before", "after", "vector", "alerts"),
    [
        pytest.param(CALM, RIVER, FOR, 1, id="for"),
        pytest.param(CALM, RIVER, None, 0, id="words alone are calm", marks=pytest.mark.slow),
        pytest.param(ENDED, CUP, AGAINST, 0, id="against"),
        pytest.param(ENDED, CUP, None, 1, id="words alone are grave", marks=pytest.mark.slow),
    ],
)
async def test_corrected_words_are_judged_like_new_ones(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    before: tuple[str, str],
    after: tuple[str, str],
    vector: bytes | None,
    alerts: int,
) -> None:
    """By their vector where words leave it undecided; it is kept in the place of the old one."""
    vectors = Vectors(monkeypatch)
    assert await world.report("one", ("it", *before)) == 0
    vectors.asked.clear()
    if vector is not None:
        vectors.means = {after[0]: vector}
    assert await world.report("one", ("it", *after)) == alerts
    assert vectors.asked == [after[0]]
    assert (await kept(world))["it"] == vector


async def test_of_words_that_change_by_themselves_no_vector_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No editor writes so many at once."""
    vectors = Vectors(monkeypatch)
    calm = [(f"w{n}", f"Officials look at river {n}", "It is calm.") for n in range(FLOOD + 1)]
    await world.report("one", *calm[:FLOOD])
    await world.report("one", *calm)
    vectors.asked.clear()
    await world.report("one", *[(key, f"{WATER[0]} {key}", WATER[1]) for key, _, _ in calm])
    assert vectors.asked == []
