"""A document's way: read and judged in a worker process, and looked up with others."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from bot.detect import topics
from bot.ingest.documents import Documents
from bot.ingest.recognising import Read
from bot.sources.catalog import parse_catalog
from bot.sources.listed import one_after_another
from bot.sources.specs import Catalog
from bot.workers import WorkerError, Workers
from storage.db import Store
from storage.schema import clue, entry
from tests.publishers import QUIET, rss
from tests.world import NOW, World, polling

FEEDS = 12
QUAKE = "Earthquake of magnitude 6.1 in Osh kills people"
LONG = "The council of the city approved the plan for repairing the road. " * 5


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
    """Nobody was polled yet."""
    async with polling(store, catalog, now=NOW) as made:
        yield made


def names(world: World, monkeypatch: pytest.MonkeyPatch, *failing: object) -> list[str]:
    """The jobs that worker processes are given from now on; `failing` ones end their process."""
    run, given = type(world.ingest.workers).run, list[str]()

    async def noted(self: Workers, job: Callable[..., Any], *args: object, **rest: Any) -> object:
        function = job.func if isinstance(job, partial) else job
        given.append(function.__name__)
        if function in failing:
            raise WorkerError("the worker died")
        return await run(self, job, *args, **rest)

    monkeypatch.setattr(type(world.ingest.workers), "run", noted)
    return given


async def kept(world: World, key: str) -> list[tuple[object, ...]]:
    """A feed's stored entries, with what was decided."""
    columns = (entry.c.guid, entry.c.topics, entry.c.severity, entry.c.language)
    query = select(*columns).where(entry.c.feed == key).order_by(entry.c.guid)
    async with world.store.reading() as db:
        return [tuple(row) for row in await db.execute(query)]


async def clues(world: World) -> list[int]:
    """The clues by which all entries are found."""
    async with world.store.reading() as db:
        return list((await db.execute(select(clue.c.hash).order_by(clue.c.hash))).scalars())


def publish(world: World, *more: tuple[str, str, str], key: str = "s0") -> None:
    """A feed of thirty long entries, one of them grave."""
    long = [(f"n{number}", f"Road {number} is repaired", LONG) for number in range(30)]
    world.feed(key, *more, *long[:7], ("quake", QUAKE, LONG), *long[7:])


async def test_a_document_is_read_and_judged_by_one_way_to_the_process(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one, and what is new in a later one; so no text is judged where others wait."""
    given = names(world, monkeypatch)
    publish(world)
    assert (await world.poll("s0")).new == 31
    publish(world, ("later", "A bridge is open again", LONG))
    assert (await world.poll("s0")).new == 1
    assert given == ["one_after_another"] * 2


BLAST = {
    "ru": ("Взрыв на рынке в Оше: погибли 14 человек", "Бомба взорвалась у ворот рынка."),
    "ky": ("Оштогу базарда жарылуу: 14 киши каза тапты", "Жарылуу дарбазада болду."),
}


@pytest.mark.parametrize("language", list(BLAST))
async def test_what_a_feed_says_of_its_language_is_not_believed_against_its_text(
    world: World, language: str
) -> None:
    """Nor what the catalog says; or an urgent story would be told to nobody."""
    world.feed("s0", QUIET)
    assert (await world.poll("s0")).error is None
    served = rss(("blast", *BLAST[language]), QUIET)
    world.serve("s0", served.replace(b"<channel>", b"<channel><language>en-US</language>"))
    assert (await world.poll("s0")).alerts == 1
    (_, (_, _, severity, told)) = await kept(world, "s0")
    assert (severity, told) == ("urgent", language)


ENDED = "the process ended"


def no_verdict(*_asked: object, **_rest: object) -> list[object]:
    """A detector that a text is too much for."""
    raise ValueError("no")


@pytest.mark.parametrize("trouble", [ENDED, "no verdict"])
async def test_S16_what_ends_the_process_or_the_verdict_costs_the_way_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """All is read and judged by itself then, and stored as ever."""
    publish(world, key="s1")
    assert (await world.poll("s1")).error is None
    found_by = await clues(world)
    publish(world)
    with monkeypatch.context() as patched:
        given = names(world, patched, *([one_after_another] if trouble == ENDED else []))
        if trouble != ENDED:
            patched.setattr("bot.ingest.documents.judged_in", no_verdict)
        report = await world.poll("s0")
    assert (report.new, report.error) == (31, None)
    assert (given[0], given[-1]) == ("one_after_another", "judged_all")
    assert await kept(world, "s0") == await kept(world, "s1")
    assert set(await clues(world)) == set(found_by)


async def test_an_old_document_that_is_read_whole_is_not_judged_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One entry of it is new: that one is judged."""
    publish(world)
    await world.poll("s0")
    judged: list[str] = []
    judge = topics.judged

    def counted(title: str, *rest: Any, **options: Any) -> object:
        judged.append(title)
        return judge(title, *rest, **options)

    monkeypatch.setattr(topics, "judged", counted)
    monkeypatch.setattr("bot.sources.plain_feeds.read", lambda *_asked: None)  # by feedparser
    publish(world, ("later", "A bridge is open again", LONG * 9))
    assert (await world.poll("s0")).new == 1
    assert judged == ["A bridge is open again"]


@pytest.mark.parametrize(("hours", "found"), [(71, True), (73, False)])
async def test_what_a_first_document_has_of_days_ago_is_found_by_no_clue(
    world: World, hours: int, found: bool
) -> None:
    """No report of today is one of that event, and its index has millions of rows."""
    at = format_datetime(NOW - timedelta(hours=hours)).encode()
    body = rss(("n1", "Road 1 is repaired", LONG))
    world.serve("s0", re.sub(rb"(?<=<pubDate>)[^<]+", at, body))
    assert (await world.poll("s0")).new == 1
    assert bool(await clues(world)) is found


async def test_documents_that_are_read_at_one_time_are_looked_up_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction costs as much as what a dozen of them ask."""
    together: list[int] = []
    look = type(world.ingest)._recognise_all
    all_read, read = asyncio.Barrier(FEEDS), Documents.read

    async def counted(self: object, asked: Sequence[Read]) -> object:
        together.append(len(asked))
        return await look(self, asked)  # type: ignore[arg-type]

    async def beside_others(self: Documents, *asked: Any, **rest: Any) -> object:
        place = await all_read.wait()
        for _ in range(9 * place):  # they come one after another
            await asyncio.sleep(0)
        return await read(self, *asked, **rest)

    monkeypatch.setattr(type(world.ingest), "_recognise_all", counted)
    monkeypatch.setattr(Documents, "read", beside_others)
    monkeypatch.setattr(world.ingest._recognised, "_patience", 60.0)
    for number in range(FEEDS):
        world.feed(f"s{number}", (f"{number}", f"Apples of orchard {number} are ripe", "Sweet."))
    async with asyncio.timeout(30):
        await asyncio.gather(*(world.poll(f"s{number}") for number in range(FEEDS)))
    assert together == [FEEDS]


async def test_a_document_that_cannot_be_read_keeps_no_other_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does one without an entry: nobody waits to be looked up with them."""
    monkeypatch.setattr(world.ingest._recognised, "_patience", 60.0)
    world.serve("s0", b"no feed")
    world.feed("s1")
    world.feed("s2", ("a", "Apples are ripe", "Sweet."))
    async with asyncio.timeout(30):
        reports = [await world.poll(key) for key in ("s0", "s1", "s2")]
    assert [one.outcome for one in reports] == ["failed", "ok", "ok"]
    assert reports[2].new == 1
    assert world.ingest._read == set()
