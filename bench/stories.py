"""The cost of deciding about one new entry where there are a thousand stories, and fifty thousand.

All detection of an entry: judged, its headline looked up, the few stories that share clues with it
fetched and compared. The stories are of made words, some of which run through thousands of them as
a war or an election does; a fifth of the entries asked about tell of a stored event in other words.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter

from bench import world
from bench.figure import Figure, Goal
from bot.detect.clues import clues_of
from bot.ingest.stories import judge_entry, story_of
from bot.languages import language
from bot.model.alerts import Severity
from bot.model.news import Entry, Verdict
from bot.sources.catalog import parse_catalog
from storage.db import Store
from storage.entries import NewEntry
from storage.stories import add_alone

FEW_STORIES, MANY_STORIES, FEWER_STORIES = 1_000, 50_000, 10_000
ASKED = 400
AT_ONCE = 50
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
LETTERS = "abdefghiklmnoprstuvz"


class Newsroom:
    """Writes entries of made words, the same ones each time."""

    def __init__(self) -> None:
        self._random = random.Random(7)
        self._common = [stem for stem, _ in language("en").rows("common") if len(stem) > 3]
        self._rare = [self._word() for _ in range(30_000)]
        self._hot = self._rare[:60]  # what these days are about

    def _word(self) -> str:
        return "".join(self._random.choices(LETTERS, k=8))

    def entry(self, number: int, about: list[str] | None = None) -> Entry:
        """One entry; `about` are the words of its event, its own where there are none."""
        words = about or self.event()
        told = self._random.sample(words, k=len(words) - 1)
        title = " ".join([*told[:6], *self._random.choices(self._common, k=2)])
        text = self._random.choices(self._common, k=60) + told * 3
        self._random.shuffle(text)
        return Entry(
            id=f"e{number}",
            title=title.capitalize(),
            link=f"https://news.example/{number}",
            summary=" ".join(text).capitalize() + ".",
            published_at=NOW,
            language="en",
        )

    def event(self) -> list[str]:
        """The words of an event: rare ones, and two that many events of these days have."""
        return [*self._random.choices(self._rare, k=10), *self._random.choices(self._hot, k=2)]


async def measure(quick: bool) -> list[Figure]:  # noqa: FBT001 - the measurements' common shape
    """Medians of a few hundred entries, with few stories and with many."""
    room, spec = Newsroom(), parse_catalog('[feeds.a]\nurl = "http://a.example/"\n').news["a"]
    many = FEWER_STORIES if quick else MANY_STORIES
    events: list[list[str]] = []
    costs: list[float] = []
    async with world.sqlite_store() as store:
        for size in (FEW_STORIES, many):
            await _grow(store, room, events, size)
            taken: list[float] = []
            joined = 0
            for number in range(ASKED):
                about = events[number * 7 % len(events)] if number % 5 == 0 else None
                item = room.entry(-number - 1 - size, about)
                async with store.writing() as db:
                    started = perf_counter()
                    verdict = judge_entry(item, spec)
                    new = _new(item, verdict, f"{number}")
                    joined += await story_of(db, new, beside=(), now=NOW) is not None
                    taken.append(perf_counter() - started)
            assert joined >= ASKED / 5 * 0.8, joined
            costs.append(median(taken) * 1000)
    return [
        Figure(
            name=f"all detection of an entry, {many:,} stories",
            value=costs[1],
            unit="ms",
            goal=Goal(of="figure", most=3),
        ),
        Figure(
            name=f"the same, beside {FEW_STORIES:,} stories",
            value=costs[1],
            unit="ms",
            baseline=costs[0],
            goal=Goal(of="ratio", most=2),
            note=f"{FEW_STORIES:,} stories",
        ),
    ]


async def _grow(store: Store, room: Newsroom, events: list[list[str]], size: int) -> None:
    """Store stories until there are so many."""
    while len(events) < size:
        new: list[NewEntry] = []
        for _ in range(AT_ONCE):
            events.append(room.event())
            item = room.entry(len(events), events[-1])
            verdict = Verdict(
                security=False,
                score=0.0,
                severity=Severity.INFO,
                language="en",
                clues=clues_of(item),
            )
            new.append(_new(item, verdict, item.id))
        async with store.writing() as db:
            await add_alone(db, new, now=NOW - timedelta(hours=1))


def _new(item: Entry, verdict: Verdict, title_key: str) -> NewEntry:
    return NewEntry(
        feed="f", item=item, at=NOW, link_key=item.link, title_key=title_key, verdict=verdict
    )
