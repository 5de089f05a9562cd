"""Many polls at one time: stored together, each whole, and nobody's trouble but their own."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from string import ascii_letters

import pytest

import storage.entries
import storage.notes
import storage.sources
import storage.stories
from bot.errors import BotError, StorageError
from bot.ingest import documents, keeping
from bot.ingest.found import DECIDED, NewsFound
from bot.ingest.keeping import ENTRIES_AT_ONCE
from bot.ingest.together import Together
from bot.model.news import Entry
from bot.reasons import reason, said
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.db import Store
from storage.schema import entry
from tests.world import NOW, World, polling

UNSTORED = reason("poll.unstored", error="ValueError")
FEEDS = 12
ATTACK = "Gunmen attack a border post, three soldiers killed"


def catalog(url: str) -> Catalog:
    """A dozen agencies."""
    return parse_catalog(
        "".join(
            f'[feeds.s{number}]\nname = {{ en = "S{number}" }}\nurl = "{url}/s{number}.xml"\n'
            f'language = "en"\n'
            for number in range(FEEDS)
        )
    )


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    """Each agency was polled once, and brought a quiet story."""
    async with polling(store, catalog, now=NOW) as made:
        for number in range(FEEDS):
            made.feed(f"s{number}", (f"{number}", f"Apples of orchard {number} are ripe", "Sweet."))
        await together(made)
        yield made


async def together(world: World) -> list[str | None]:
    """Poll all agencies at once; the error of each."""
    reports = await asyncio.gather(*(world.poll(f"s{number}") for number in range(FEEDS)))
    return [report.error for report in reports]


@pytest.mark.cases
async def test_polls_that_bring_nothing_are_one_transaction_and_one_statement(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are under way: whoever ends first waits for the others, a little."""
    calls: list[int] = []
    record = storage.sources.record_success

    async def counted(db: object, polls: Sequence[storage.sources.Good], **rest: object) -> None:
        calls.append(len(polls))
        await record(db, polls, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(storage.sources, "record_success", counted)
    monkeypatch.setattr(world.ingest._kept, "_patience", 60.0)
    assert await together(world) == [None] * FEEDS
    assert calls == [FEEDS]


async def test_polls_of_one_source_follow_one_another(world: World) -> None:
    """Whoever asks for one while another is under way finds no story new that is told already."""
    world.feed("s3", ("attack", ATTACK, "The border service says so."))
    reports = await asyncio.gather(*(world.poll("s3") for _ in range(3)))
    assert [(one.new, one.alerts, one.error) for one in reports] == [
        (1, 1, None),
        *2 * [(0, 0, None)],
    ]


def poison(patched: pytest.MonkeyPatch) -> None:
    """Let the attack be an entry that cannot be stored."""
    make = keeping.keep_entries.__globals__["_new_entry"]

    def made(found: object, item: Entry, *judged: object, **rest: object) -> object:
        if item.title == ATTACK:
            raise ValueError(item.title)
        return make(found, item, *judged, **rest)

    patched.setattr("bot.ingest.stories._new_entry", made)


async def test_an_entry_that_cannot_be_stored_is_its_own_sources_failure_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others of its transaction are stored and told; it is tried again, and told then."""
    for number in range(FEEDS):
        world.feed(f"s{number}", (f"new{number}", f"Bridge {number} is open again", "At last."))
    world.feed("s3", ("attack", ATTACK, "The border service says so."))
    with monkeypatch.context() as patched:
        poison(patched)
        errors = await together(world)
    assert errors == [UNSTORED if number == 3 else None for number in range(FEEDS)]
    async with world.store.reading() as db:
        stories = await storage.stories.latest(db, limit=100)
    titles = {story.lead.entry.title for story in stories}
    assert {f"Bridge {number} is open again" for number in range(FEEDS) if number != 3} <= titles
    assert ATTACK not in titles
    assert (await world.poll("s3")).alerts == 1


async def test_an_entry_that_cannot_be_stored_takes_none_of_its_source_along(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are stored and told at once; it is tried at each poll, and said meanwhile."""
    calm = [(f"n{number}", f"Bridge {number} is open again", "At last.") for number in range(9)]
    quake = ("quake", "Earthquake of magnitude 6.1 in Osh kills people", "Houses fell in Osh.")
    world.feed("s3", *calm[:4], ("attack", ATTACK, "The border service says so."), quake, *calm[4:])
    with monkeypatch.context() as patched:
        poison(patched)
        reports = [await world.poll("s3"), await world.poll("s3")]
    assert [(one.new, one.alerts, one.outcome) for one in reports] == [
        (10, 1, "partly"),
        (0, 0, "partly"),
    ]
    assert {one.error for one in reports} == {UNSTORED}
    last = await world.poll("s3")
    assert (last.new, last.alerts, last.error) == (1, 1, None)


async def test_a_link_too_long_for_the_databases_index_is_no_link(world: World) -> None:
    """PostgreSQL takes none of 2,704 bytes; its entry is stored, and the others are no worse."""
    letters = random.Random(1)
    for number in range(FEEDS):
        world.feed(f"s{number}", (f"new{number}", f"Bridge {number} is open again", "At last."))
    endless = "".join(letters.choices(ascii_letters, k=20_000))
    world.feed("s3", (endless, "A bridge without end is open", "At last."))
    errors = await together(world)
    assert errors == [None] * FEEDS
    assert "A bridge without end is open" in {row.title for row in await world.stored(entry)}


@pytest.mark.cases
async def test_a_document_with_more_entries_than_a_statement_takes_is_read_from_its_beginning(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest stand there; the others would be everybody's trouble."""
    monkeypatch.setattr(documents, "MOST_ENTRIES", 3)
    world.feed("s0", *((f"n{item}", f"Bridge {item} is open", "Text.") for item in range(5)))
    report = await world.poll("s0")
    assert (report.fetched, report.new, report.error) == (3, 3, None)


@pytest.mark.parametrize("count", [24, 25, 51])
@pytest.mark.cases
async def test_F26_many_new_entries_are_stored_in_pieces_all_of_them_and_in_silence(
    world: World, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """So many at once from a known feed are a flood, whichever piece they are in."""
    # of the same event each: all are compared with all
    monkeypatch.setattr(keeping, "ENTRIES_AT_ONCE", 24)
    items = [(f"n{item}", f"{ATTACK} number {item}", "Text.") for item in range(count)]
    world.feed("s0", *items)
    report = await world.poll("s0")
    assert (report.new, report.alerts, report.error) == (count, 0, None)
    assert (await world.poll("s0")).new == 0


async def test_F26_what_many_sources_bring_is_not_written_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few entries of each are many of all, and others wait for the one that writes."""
    monkeypatch.setattr(world.ingest._kept, "_most", 8)
    monkeypatch.setattr(world.ingest._kept, "_patience", 60.0)
    written: list[int] = []
    keep = keeping.keep_entries

    async def counted(
        db: object, found: Sequence[NewsFound], *rest: object, **now: object
    ) -> object:
        written.append(sum(len(one.judged) for one in found))
        return await keep(db, found, *rest, **now)  # type: ignore[arg-type]

    monkeypatch.setattr(keeping, "keep_entries", counted)
    for number in range(FEEDS):
        items = [(f"n{number}{item}", f"Bridge {item} of {number}", "Text.") for item in range(3)]
        world.feed(f"s{number}", *items)
    assert await together(world) == [None] * FEEDS
    assert written == [6] * (FEEDS // 2)
    # what is decided takes as long as many that are only written
    written.clear()
    monkeypatch.setattr(world.ingest._kept, "_most", 3 * (DECIDED + 1))
    for number in range(FEEDS):
        report = (f"a{number}", f"{ATTACK} at post {number}", f"The post is number {number}.")
        world.feed(f"s{number}", report)
    assert await together(world) == [None] * FEEDS
    assert written == [3] * (FEEDS // 3)


async def test_F26_whoever_writes_beside_a_flood_has_its_turn_between_two_pieces(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reply that comes during the first piece does not wait for the others."""
    count = 6 * ENTRIES_AT_ONCE
    world.feed("s0", *((f"n{item}", f"Bridge {item} is green", "Text.") for item in range(count)))
    add = storage.stories.add_alone
    order: list[str] = []
    replies: list[asyncio.Task[None]] = []

    async def reply() -> None:
        async with world.store.writing() as db:
            await storage.notes.put(db, "reply", "x")
        order.append("reply")

    async def noted(db: object, new: Sequence[storage.entries.NewEntry], **rest: object) -> None:
        order.append("piece")
        if not replies:
            replies.append(asyncio.create_task(reply()))
            await asyncio.sleep(0.05)  # it stands in the queue for the writing connection
        await add(db, new, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(storage.stories, "add_alone", noted)
    assert (await world.poll("s0")).new == count
    await replies[0]
    assert order.index("reply") <= 3
    assert order.count("piece") >= 6


async def test_F26_a_flood_whose_store_ends_in_the_middle_is_stored_to_its_end_by_the_next_poll(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stored entries are known, the others are new; the document is asked for again."""
    count = 3 * ENTRIES_AT_ONCE
    world.feed("s0", *((f"n{item}", f"Bridge {item} is green", "Text.") for item in range(count)))
    add = storage.stories.add_alone
    pieces: list[int] = []

    async def ends(db: object, new: Sequence[storage.entries.NewEntry], **rest: object) -> None:
        pieces.append(len(new))
        if len(pieces) == 2:
            raise StorageError(said("the server is away"))
        await add(db, new, **rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(storage.stories, "add_alone", ends)
        with pytest.raises(StorageError):
            await world.poll("s0")
    assert (await world.poll("s0")).new == count - ENTRIES_AT_ONCE


async def test_F21_after_a_flood_one_of_whose_entries_cannot_be_stored_news_is_told_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pieces are stored by a first try, and a second finds nearly nothing new: it is the whole
    flood all the same, of which the operators hear, and the next poll is none.
    """
    bridges = [
        (f"n{item}", f"Bridge {item} is open", "Text.") for item in range(2 * ENTRIES_AT_ONCE + 10)
    ]
    broken = ("bad", ATTACK, "Text.")
    world.feed("s0", broken, *bridges)
    with monkeypatch.context() as patched:
        poison(patched)
        report = await world.poll("s0")
    assert report.alerts == 0
    assert ("notice.flood", {"source": "s0", "n": str(len(bridges))}) in await world.notices()
    world.feed("s0", broken, *bridges)
    assert (await world.poll("s0")).alerts == 1


async def test_what_is_due_is_found_without_those_that_are_not(world: World) -> None:
    """By when they are due and by who was wished for."""
    async with world.store.writing() as db:
        await storage.sources.ask(db, ["s5"], now=world.now)
        keys = {f"s{number}" for number in range(FEEDS)}
        due = await storage.sources.due(db, now=world.now, known=keys)
    assert list(due) == ["s5"]


async def test_of_many_that_are_due_those_are_found_that_wait_longest_and_are_known(
    world: World,
) -> None:
    """Sources of an earlier catalog stay due for ever, and are in nobody's way."""
    good = [
        storage.sources.Good(key=f"old{number}", next_due_at=NOW - timedelta(days=9))
        for number in range(5)
    ]
    for number in range(FEEDS):
        late = NOW - timedelta(minutes=number)
        good.append(storage.sources.Good(key=f"s{number}", next_due_at=late))
    async with world.store.writing() as db:
        await storage.sources.record_success(db, good, now=NOW)
    keys = {f"s{number}" for number in range(FEEDS)}
    async with world.store.reading() as db:
        due = await storage.sources.due(db, now=NOW, known=keys, most=2)
    assert list(due)[:2] == [f"s{FEEDS - 1}", f"s{FEEDS - 2}"]
    assert len(due) < FEEDS
    assert due.keys() <= keys


class BrokenError(BotError):
    """An error that a batch may fail with."""


async def test_what_waits_while_a_batch_is_done_is_the_next() -> None:
    """One alone, then all that came meanwhile, at most so many."""
    batches: list[list[int]] = []
    go = asyncio.Event()

    async def do(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        await go.wait()
        return [item * 10 for item in items]

    do_together = Together(do, most=3)
    first = asyncio.create_task(do_together(0))
    while not batches:  # noqa: ASYNC110 - a list
        await asyncio.sleep(0)
    others = [asyncio.create_task(do_together(item)) for item in range(1, 6)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(first, *others) == [0, 10, 20, 30, 40, 50]
    assert batches == [[0], [1, 2, 3], [4, 5]]


async def test_a_batch_has_as_much_as_it_may_weigh_and_what_is_heavier_is_done_alone() -> None:
    """Nobody waits for what stands behind a full batch; and nothing is too heavy to be done."""
    batches: list[list[int]] = []

    async def do(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        return list(items)

    endless = Together(do, most=10, weigh=lambda item: item, patience=3600.0, expected=lambda: 1000)
    # the last fill a batch, or it would wait for others
    weights = [6, 4, 11, 3, 8, 12]
    assert await asyncio.gather(*(endless(item) for item in weights)) == weights
    assert batches == [[6, 4], [11], [3], [8], [12]]


async def test_whoever_is_cancelled_takes_nobody_along() -> None:
    """The one that does a batch, and one that waits: the others' items are done, each once."""
    done: list[int] = []
    began, go = asyncio.Event(), asyncio.Event()

    async def do(items: Sequence[int]) -> list[int]:
        began.set()
        await go.wait()
        done.extend(items)
        return list(items)

    do_together = Together(do, most=10)
    tasks = [asyncio.create_task(do_together(item)) for item in range(4)]
    await began.wait()
    tasks[0].cancel()  # does the batch
    tasks[2].cancel()  # waits
    await asyncio.sleep(0)
    go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [results[1], results[3]] == [1, 3]
    assert isinstance(results[0], asyncio.CancelledError)
    assert done == [0, 1, 2, 3]


async def test_a_batch_whose_doer_is_cancelled_is_ended_before_and_never_done_again() -> None:
    """Nobody could tell whether its COMMIT arrived: a failure would be counted twice."""
    batches: list[list[int]] = []
    go = asyncio.Event()

    async def do(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        await go.wait()
        return list(items)

    do_together = Together(do, most=10)
    does, waits, other = [asyncio.create_task(do_together(item)) for item in range(3)]
    while not batches:  # noqa: ASYNC110 - a list
        await asyncio.sleep(0)
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
    does.cancel()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not does.done(), "nothing goes on behind a caller that was cancelled"
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await does
    assert await other == 2
    assert batches == [[0, 1, 2]]


async def test_what_fails_in_an_unknown_way_is_done_again_for_those_who_still_wait() -> None:
    """By the next of them, without the one that it failed for and without who left."""
    batches: list[list[int]] = []
    go = asyncio.Event()

    async def do(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        await go.wait()
        if len(batches) == 1:
            raise ValueError("unknown")
        return list(items)

    do_together = Together(do, most=10)
    does, waits, other = [asyncio.create_task(do_together(item)) for item in range(3)]
    while not batches:  # noqa: ASYNC110 - a list
        await asyncio.sleep(0)
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
    go.set()
    with pytest.raises(ValueError, match="unknown"):
        await does
    assert await other == 2
    assert [item for batch in batches[1:] for item in batch if item != 0] == [2]


async def test_a_batch_waits_for_those_that_are_expected_and_not_for_ever() -> None:
    """As many as are under way, as many as it may have, or until its patience ends."""
    batches: list[list[int]] = []

    async def do(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        return list(items)

    endless = Together(do, most=2, patience=3600.0, expected=lambda: 3)
    first = asyncio.create_task(endless(0))
    for _ in range(20):
        await asyncio.sleep(0)
    assert batches == []
    assert await asyncio.gather(first, endless(1)) == [0, 1]
    assert batches == [[0, 1]]
    short = Together(do, most=2, patience=0.01, expected=lambda: 3)
    assert await short(2) == 2


async def test_a_trouble_of_the_batch_is_everybodys() -> None:
    """Nobody waits for ever for what failed."""

    async def do(_items: Sequence[int]) -> list[int]:
        raise BrokenError("away")

    do_together = Together(do, most=10)
    results = await asyncio.gather(*(do_together(n) for n in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [BrokenError] * 3
