"""Stories that new entries are about, found by their clues and then compared.

A new entry is compared with the few stories that share several clues with it
(`bot/detect/clues.py`), whatever their language and topic, and with no others: what that costs does
not depend on how many stories there are.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import storage.clues
import storage.entries
from bot.detect import identity, stories
from bot.detect.clues import CLUES_SHARED, worth
from bot.ingest.recognising import fingerprint_of
from bot.model.news import StoredEntry, Verdict
from storage.db import Db
from storage.entries import NewEntry

SAME_EVENT = timedelta(hours=48)  # the same headline later than that is another event
COMPARED = 4  # stories that an entry is compared with at most, those with the most clues first

Key = tuple[str, str]
"""An entry's feed and id."""


async def told_in_other_words(
    db: Db, new: NewEntry, *, beside: Collection[int], since: datetime, now: datetime
) -> int | None:
    """The story that tells of an entry's event, in whatever words and language, none of those
    `beside` it; None without.
    """
    verdict = new.verdict
    having = await storage.clues.stories(db, verdict.clues)
    likely = _likely(verdict.clues, having)
    reports: list[StoredEntry] = []
    for stored in await storage.entries.reports(db, likely, since=since):
        if stored.story not in beside and not told_apart(new, stored):
            reports.append(stored)
    said = replace(new.item, language=verdict.language)
    told = stories.best_match(said, reports, now=now, meaning=new.meaning)
    if told is None:
        return None
    return told[0].story


async def joining(db: Db, new: Sequence[NewEntry], *, since: datetime, now: datetime) -> set[Key]:
    """The keys of the entries that may tell of a stored story's event, or of an earlier entry's.

    Two statements, however many they are; those it names are decided one by one.
    """
    if not new:
        return set()
    compared = await compared_with(db, [entry.verdict for entry in new], since=since)
    found: set[Key] = set()
    # the latest alone: what all of a batch have costs no more than what the index says of a clue
    here: dict[int, deque[int]] = defaultdict(lambda: deque(maxlen=storage.clues.SLOTS))
    unstored: dict[int, StoredEntry] = {}
    for index, entry in enumerate(new):
        earlier: list[StoredEntry] = []
        for one in _likely(entry.verdict.clues, here):
            if one not in unstored:
                unstored[one] = _unstored(new[one], now)
            earlier.append(unstored[one])
        if await _told(entry, [*compared[index], *earlier], now=now):
            found.add((entry.feed, entry.item.id))
        for clue in entry.verdict.clues:
            here[clue].append(index)
    return found


def told_apart(new: NewEntry, stored: StoredEntry) -> bool:
    """Whether a feed tells of another event under words that it had before: all of them again by
    formula, or their headline alone over an article that names others.
    """
    if new.feed != stored.feed:
        return False
    ours, theirs = fingerprint_of(new.item), fingerprint_of(stored.entry)
    if identity.said_anew(ours, theirs, abs(new.at - stored.at)):
        return True
    return identity.another_article(ours, theirs)


async def compared_with(
    db: Db, verdicts: Sequence[Verdict], *, since: datetime
) -> list[list[StoredEntry]]:
    """The stored reports that entries of these verdicts are compared with, by two statements."""
    having = await storage.clues.stories(db, {clue for one in verdicts for clue in one.clues})
    likely = [_likely(one.clues, having) for one in verdicts]
    reports: dict[int, list[StoredEntry]] = {}
    wanted = {pk for some in likely for pk in some}
    for stored in await storage.entries.reports(db, wanted, since=since):
        reports.setdefault(stored.story, []).append(stored)
    return [[one for pk in some for one in reports.get(pk, ())] for some in likely]


def _unstored(new: NewEntry, now: datetime) -> StoredEntry:
    """An entry of this batch as it is compared, though no story has it yet."""
    item = replace(new.item, language=new.item.language or new.verdict.language)
    return StoredEntry(pk=0, feed=new.feed, entry=item, seen_at=now, story=0, meaning=new.meaning)


async def _told(entry: NewEntry, candidates: Sequence[StoredEntry], *, now: datetime) -> bool:
    if not candidates:
        return False
    await asyncio.sleep(0)  # a comparison takes a part of a millisecond, and others wait
    item = replace(entry.item, language=entry.verdict.language)
    return stories.best_match(item, candidates, now=now, meaning=entry.meaning) is not None


def _likely(clues: Iterable[int], having: Mapping[int, Collection[int]]) -> list[int]:
    """The stories that share enough clues, those with the most and the newest first."""
    shared: dict[int, int] = {}
    for clue in clues:
        points = worth(clue)
        for pk in having.get(clue, ()):
            shared[pk] = shared.get(pk, 0) + points
    # beside one that shares many clues, one that shares few is chance
    least = max(CLUES_SHARED, max(shared.values(), default=0) / 2)
    enough = [pk for pk, points in shared.items() if points >= least]
    return sorted(enough, key=lambda pk: (-shared[pk], -pk))[:COMPARED]
