"""`/news` and `/search` over an archive of a million entries and one of ten thousand: look-ups must
not grow.

From the question to its words, by what the handlers call, on a store as it is after half a year. A
search has fifteen sets of words in turn, each asked once before: readers look for what others look
for. What the first time takes, when the database reads pages of its own that nobody else needed,
stands in a line of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median

from bench import shelf, world
from bench.figure import Figure, Goal
from bot.model.filters import Sense, StoredFilter, Trait
from bot.readers.following import topics_offered
from bot.readers.news import news_page
from bot.readers.search import found_page
from bot.render import news as render
from bot.render.text import Message
from bot.sources.specs import Catalog
from storage.db import Db, Store

FEW_ENTRIES, MANY_ENTRIES, QUICK_ENTRIES = 10_000, 1_000_000, 100_000
BOTH = ("SQLite", "PostgreSQL")
MOST = 20.0  # milliseconds
SETS = 15  # of words that a search is asked with
ASKED = 45  # times each, beside the first time with each set
ZONE = "Asia/Bishkek"

#: What is asked about some words, on an open store.
Ask = Callable[[Db, Catalog, str], Awaitable[Message]]


NONE = ("",)  # words of a question that has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question by its name, and the words that it is asked with in turn."""

    name: str
    ask: Ask
    words: Sequence[str] = NONE


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """The archives are written side by side, then asked one by one; medians."""
    many = QUICK_ENTRIES if quick else MANY_ENTRIES
    figures: list[Figure] = []
    async with AsyncExitStack() as stack:
        opened: dict[str, tuple[Store, Store]] = {}
        async with asyncio.TaskGroup() as filling:
            for name in BOTH:
                empty = world.sqlite_store if name == "SQLite" else world.postgres_store
                small, large = [await stack.enter_async_context(empty()) for _ in range(2)]
                filling.create_task(shelf.fill(small, FEW_ENTRIES))
                filling.create_task(shelf.fill(large, many))
                opened[name] = small, large
        for name, (small, large) in opened.items():
            new: list[list[float]] = [[], []]
            for question in _questions():
                again: list[float] = []
                for index, store in enumerate((small, large)):
                    spans = await _spans(store, question)
                    again.append(median(spans[SETS:]))
                    if question.words != NONE:
                        new[index] += spans[:SETS]
                figures.append(_figure(f"{many:,} entries, {name}: {question.name}", *again))
            medians = [median(spans) for spans in new]
            figures.append(_figure(f"{many:,} entries, {name}: /search, the first time", *medians))
    return figures


def _figure(name: str, baseline: float, value: float) -> Figure:
    first = name.endswith("first time")
    return Figure(
        name=name,
        value=value,
        unit="ms",
        baseline=baseline,
        goal=None if first else Goal(of="figure", most=MOST),
        note=f"{FEW_ENTRIES:,} entries",
    )


async def _spans(store: Store, question: Question) -> list[float]:
    """The milliseconds from a question to its words, each time."""
    catalog = shelf.catalog()
    spans: list[float] = []
    for words in islice(cycle(question.words), SETS + ASKED):
        start = time.perf_counter()
        async with store.reading() as db:
            said = await question.ask(db, catalog, words)
        spans.append((time.perf_counter() - start) * 1000)
        assert said.text
    return spans


def _news(
    topic: str | None = None, *, number: int = 0, filters: Sequence[StoredFilter] = ()
) -> Ask:
    async def ask(db: Db, catalog: Catalog, _words: str) -> Message:
        page = await news_page(
            db, catalog, topic=topic, number=number, now=shelf.NOW, filters=filters
        )
        assert page.stories
        topics = topics_offered(catalog)
        return render.page(page, "ru", zone=ZONE, now=shelf.NOW, topics=topics)

    return ask


def _search(*, number: int = 0) -> Ask:
    async def ask(db: Db, catalog: Catalog, words: str) -> Message:
        page = await found_page(db, catalog, words, language="ru", number=number)
        return render.found(page, "ru", zone=ZONE, now=shelf.NOW)

    return ask


def _muted() -> list[StoredFilter]:
    """What a reader muted: a word that many stories have, one that nearly none has, a source, and a
    place.
    """
    muted = [
        (Trait.WORD, shelf.vocabulary("ru")[60]),
        (Trait.WORD, shelf.names("en")[0]),
        (Trait.SOURCE, "f7"),
        (Trait.PLACE, "osh"),
    ]
    found: list[StoredFilter] = []
    for number, (trait, what) in enumerate(muted):
        found.append(
            StoredFilter(id=number, chat=1, sense=Sense.NEVER, trait=trait, what=what, said=what)
        )
    return found


def _of_ranks(first: int, last: int, *, at_once: int = 1) -> list[str]:
    """Words of some of these ranks, so many at once, in one language after the other."""
    found: list[str] = []
    languages = cycle(shelf.LETTERS)
    for number in range(SETS):
        rank = first + (last - first) * number // SETS
        words = shelf.vocabulary(next(languages))[rank : rank + at_once]
        found.append(" ".join(words))
    return found


def _names() -> list[str]:
    found: list[str] = []
    for language in shelf.LETTERS:
        found += shelf.names(language)[: SETS // len(shelf.LETTERS)]
    return found


def _questions() -> tuple[Question, ...]:
    return (
        Question(name="/news", ask=_news()),
        Question(name="/news, the tenth page", ask=_news(number=9)),
        Question(name="/news of a topic that many have", ask=_news(shelf.BUSY)),
        Question(name="/news of a topic that only old ones have", ask=_news(shelf.OLD)),
        Question(name="/news of a topic that few have", ask=_news(shelf.RARE)),
        Question(name="/news with filters", ask=_news(filters=_muted())),
        Question(name="/search, a frequent word", ask=_search(), words=_of_ranks(10, 60)),
        Question(name="/search, a second page", ask=_search(number=1), words=_of_ranks(11, 61)),
        Question(name="/search, a seldom word", ask=_search(), words=_of_ranks(100, 1_000)),
        Question(name="/search, a name", ask=_search(), words=_names()),
        Question(name="/search, two words", ask=_search(), words=_of_ranks(20, 400, at_once=2)),
        Question(name="/search, three of a headline", ask=_search(), words=shelf.phrases(SETS)),
    )
