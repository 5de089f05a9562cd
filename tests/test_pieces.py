"""What one poll brings is stored in pieces that weigh little, whatever it is; a store that ends
between two loses nothing and tells nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import StorageError
from bot.ingest import keeping
from bot.ingest.documents import Looked
from bot.ingest.found import COMPARED, DECIDED, FLOOD, RATED, Found, IngestReport, NewsFound
from bot.ingest.stories import judge_entries
from bot.model.alerts import Severity
from bot.model.news import Entry, Verdict
from bot.reasons import said
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog, NewsSpec
from bot.workers import Workers
from storage.db import Db, Store
from storage.schema import entry, note
from storage.sources import SourceState
from tests.sources.test_hazards import AT, feature, summary
from tests.waiting import turns_of_others
from tests.world import NOW, OPERATOR, SAMPLE, World, polling

SMALL = 2 * (1 + DECIDED)  # of a piece: two that are decided
ATTACK = "Gunmen attack a border post, three soldiers killed"
BANKS = ("nbkr", "one", "two", "three")
KNOWN = ("known", "Apples of the orchard are ripe", "Sweet.")


def catalog(url: str) -> Catalog:
    """An agency."""
    return parse_catalog(f'[feeds.one]\nurl = "{url}/one.xml"\nlanguage = "en"\n')


@pytest.fixture
async def world(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """An agency that was polled once."""
    monkeypatch.setattr(keeping, "ENTRIES_AT_ONCE", SMALL)
    async with polling(store, catalog, now=NOW) as made:
        await made.report("one", KNOWN)
        yield made


def bridges(count: int, words: str = "is open") -> list[tuple[str, str, str]]:
    """Calm entries."""
    return [
        (f"n{number}", f"Bridge {number} of the Chui valley {words}", f"Lorry {number} passed.")
        for number in range(count)
    ]


def attacks(count: int) -> list[tuple[str, str, str]]:
    """Entries of an event each, that are told."""
    towns = ("Osh", "Talas", "Naryn", "Batken", "Karakol", "Uzgen")
    told: list[tuple[str, str, str]] = []
    for number in range(count):
        text = f"It happened at house {number} of {towns[number]}."
        told.append((f"a{number}", f"Explosion in {towns[number]} kills {number + 2} people", text))
    return told


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[NewsFound]:
    """The finds that are stored, a transaction each."""
    written: list[NewsFound] = []
    keep = keeping.keep_entries

    async def noting(db: Db, found: Sequence[NewsFound], *rest: object, **now: object) -> object:
        written.extend(found)
        return await keep(db, found, *rest, **now)  # type: ignore[arg-type]

    monkeypatch.setattr(keeping, "keep_entries", noting)
    return written


async def test_F26_known_entries_that_all_have_other_words_are_stored_in_pieces(
    world: World, pieces: list[NewsFound]
) -> None:
    """Each is stored, in none of so many that others wait for it, and nobody is told anything."""
    count = SMALL + 8
    await world.report("one", *bridges(count))
    pieces.clear()
    changed = bridges(count, "was closed after an attack that killed nine soldiers")
    assert await world.report("one", *changed) == 0
    assert max(len(one.reworded) for one in pieces) == SMALL
    assert sum(len(one.reworded) for one in pieces) == count
    assert {title for _, title, _ in changed} <= {row.title for row in await world.stored(entry)}
    assert not [row for row in await world.stored(note) if row.name.startswith("rewriting")]
    # once they are stored, a single one is an editor's again
    grave = ("n0", ATTACK, "It happened at dawn.")
    assert await world.report("one", grave, *changed[1:]) == 1


async def test_F26_a_store_that_ends_among_entries_in_other_words_goes_on_as_it_began(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are left are few, and are no editor's work all the same."""
    count = SMALL + 8
    await world.report("one", *bridges(count))
    changed = [(name, f"{ATTACK} at post {name}", text) for name, _, text in bridges(count)]
    world.feed("one", *changed)
    reword = keeping.reword_entries
    left = [1]

    async def ends(db: Db, found: NewsFound, *rest: object, **now: object) -> int:
        if not left:
            raise StorageError(said("the server is away"))
        left.pop()
        return await reword(db, found, *rest, **now)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(keeping, "reword_entries", ends)
        with pytest.raises(StorageError):
            await world.poll("one")
    titles = {row.title for row in await world.stored(entry)}
    assert len({title for _, title, _ in changed} & titles) == SMALL
    assert (await world.poll("one")).alerts == 0
    assert {title for _, title, _ in changed} <= {row.title for row in await world.stored(entry)}


async def test_F26_among_many_in_other_words_one_that_waits_for_a_word_keeps_its_own(
    world: World,
) -> None:
    """The operator decides about what was asked."""
    world.ingest = replace(world.ingest, security_policy="approve", admins=[OPERATOR])
    grave = ("n0", ATTACK, "It happened at dawn.")
    others = bridges(FLOOD + 1)[1:]
    await world.report("one", *others, KNOWN)
    assert await world.report("one", grave, *others) == 1
    changed = [(name, f"{title} | Agency", text) for name, title, text in (grave, *others)]
    await world.report("one", *changed)
    titles = {row.title for row in await world.stored(entry)}
    assert {title for _, title, _ in changed[1:]} | {ATTACK} <= titles
    assert changed[0][1] not in titles


async def test_F26_what_is_told_is_stored_in_pieces_and_told_once_where_the_store_ends_between(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next poll tells the others, which are no flood for having been stored in parts."""
    told = attacks(5)
    world.feed("one", *told, KNOWN)
    keep = keeping.keep_entries
    stored: list[int] = []

    async def ends(db: Db, found: Sequence[NewsFound], *rest: object, **now: object) -> object:
        stored.append(sum(len(one.judged) for one in found))
        if len(stored) == 2:
            raise StorageError(said("the server is away"))
        return await keep(db, found, *rest, **now)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(keeping, "keep_entries", ends)
        with pytest.raises(StorageError):
            await world.poll("one")
    assert stored == [2, 2]
    report = await world.poll("one")
    assert (report.new, report.alerts) == (3, 3)
    assert len(await world.alerts("story")) == 5


async def test_what_was_stored_before_a_piece_that_cannot_be_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever polls hears of all alerts: their messages go out at once."""
    world.feed("one", ("bad", ATTACK, "The border service says so."), *attacks(4), KNOWN)
    make = keeping.keep_entries.__globals__["_new_entry"]

    def made(found: object, item: Entry, *judged: object, **rest: object) -> object:
        if item.title == ATTACK:
            raise ValueError(item.title)
        return make(found, item, *judged, **rest)

    monkeypatch.setattr("bot.ingest.stories._new_entry", made)
    report = await world.poll("one")
    assert (report.new, report.alerts, report.outcome) == (4, 4, "partly")


async def test_F26_what_several_banks_bring_at_one_time_is_not_written_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rate is judged by its past, by other banks and by rules: a document of them is much."""
    kept: list[int] = []
    keep = keeping.Keeper.keep

    async def noting(self: keeping.Keeper, found: Sequence[Found]) -> list[IngestReport]:
        kept.append(len(found))
        return await keep(self, found)

    monkeypatch.setattr(keeping.Keeper, "keep", noting)
    async with polling(store, banks, now=NOW) as world:
        monkeypatch.setattr(world.ingest._kept, "_patience", 60.0)
        monkeypatch.setattr(world.ingest._kept, "_most", 2 * (1 + RATED) * len(SAMPLE))
        for key in BANKS:
            world.bank(NOW.date(), key)
        await asyncio.gather(*map(world.poll, BANKS))
    assert kept == [2, 2]


async def test_F26_measured_events_are_judged_with_a_turn_for_others_after_each() -> None:
    """The clues of one take a millisecond; by its size it needs no other process."""
    spec = parse_catalog(
        '[hazards.usgs]\nname = { en = "USGS" }\nurl = "http://127.0.0.1/usgs"\nformat = "usgs"\n'
        "near = { latitude = 42.87, longitude = 74.59, radius_km = 600 }\nat_least = 4.5\n"
    ).news["usgs"]
    quakes = [feature(f"us{number}", mag=4.6 + number / 10) for number in range(20)]
    events = spec.listed(AT + timedelta(hours=1), b"")(summary(*quakes)).entries
    async with turns_of_others() as turns:
        judged = await judge_entries(Workers(), spec, events)
    assert list(judged) == list(events)
    assert all(verdict.security for verdict in judged.values())
    assert turns() >= len(events) == len(quakes)


def banks(url: str) -> Catalog:
    """Four banks."""
    return parse_catalog(
        "".join(
            f'[rates.{key}]\nname = {{ en = "{key}" }}\nurls = ["{url}/{key}.xml"]\n'
            'parser = "nbkr"\nkind = "official"\npoll = { every = "1h" }\n'
            for key in BANKS
        )
    )


def an_entry(number: int) -> Entry:
    return Entry(id=str(number), title=f"Title {number}", link=None, published_at=None)


SPEC = parse_catalog('[feeds.one]\nurl = "http://127.0.0.1/one.xml"\n').news["one"]


@given(
    security=st.lists(st.booleans(), max_size=60),
    reworded=st.integers(0, 3 * FLOOD),
    quiet=st.booleans(),
    most=st.integers(1, 100),
)
def test_pieces_are_the_whole_in_its_order_and_none_is_too_heavy(
    security: list[bool], reworded: int, quiet: bool, most: int
) -> None:
    """However many entries there are of which weight; one that is heavier stands alone."""
    whole = a_find(SPEC, security, reworded, quiet=quiet)
    pieces = whole.pieces(most)
    new = [item for one in pieces for item in reversed(one.judged)]
    assert new == list(reversed(whole.judged))
    assert [item for one in pieces for item in one.reworded] == list(whole.reworded)
    for one in pieces:
        assert one.weight <= most or len(one.judged) + len(one.reworded) == 1
        assert (one.rewritten, one.backlog) == (whole.rewritten, whole.backlog)
    assert sum(one.weight for one in pieces) == whole.weight
    assert 1 < COMPARED < DECIDED


def test_F26_a_labelled_entry_weighs_as_one_that_is_decided_however_calm() -> None:
    """It is compared with hundreds; of a first poll with nothing."""
    calm = Verdict(security=False, score=0, severity=Severity.INFO)
    label = Entry(id="c", title="Correction: Bridge of the Chui valley is open", language="en")
    first = replace(a_find(SPEC, [], 0, quiet=True), judged={an_entry(0): calm, label: calm})
    later = replace(first, state=SourceState(key=SPEC.key, first_ok_at=NOW))
    assert (first.weight, later.weight) == (2, 2 + DECIDED)


def a_find(spec: NewsSpec, security: list[bool], reworded: int, *, quiet: bool) -> NewsFound:
    """A find of so many entries, new and in other words."""
    judged = {
        an_entry(number): Verdict(security=grave, score=0, severity=Severity.INFO, language="en")
        for number, grave in enumerate(security)
    }
    return NewsFound(
        spec=spec,
        state=SourceState(key=spec.key),
        looked=Looked(url=spec.url),
        judged=judged,
        reworded=[an_entry(1000 + number) for number in range(reworded)],
        quiet=quiet,
    )
