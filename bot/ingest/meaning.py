"""Vectors of what new entries tell, where their words do not say whether a story tells it too.

Asked before anything is written: making one takes a tenth of a second, and nobody waits for that
inside a transaction. What comes too late, or not at all, is decided by words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

import storage.sources
from bot.detect import meaning, stories
from bot.ingest.found import Found, NewsFound
from bot.ingest.joining import SAME_EVENT, compared_with
from bot.model.news import Entry, StoredEntry, Verdict
from bot.workers import WorkerError, Workers
from storage.db import Store

log = structlog.get_logger(__name__)

MOST = 16  # vectors of the polls that are written together: two seconds of a processor
SECONDS = 10.0  # a process's start, the model's, and so many vectors


async def with_meanings(
    store: Store, workers: Workers, found: Sequence[Found], *, now: datetime
) -> list[Found]:
    """What polls found, with the vectors of undecided entries and of what they may tell again.

    Nothing is lost without them, so no entry that makes trouble here takes the others with it.
    """
    try:
        return await _with_meanings(store, workers, found, now=now)
    except Exception as error:
        if storage.sources.is_away(error):
            raise
        log.exception("stories are told apart by words alone")
        return list(found)


async def _with_meanings(
    store: Store, workers: Workers, found: Sequence[Found], *, now: datetime
) -> list[Found]:
    news = [one for one in found if isinstance(one, NewsFound) and not one.backlog]
    asked = [(item, verdict) for one in news for item, verdict in one.judged.items()]
    pairs = await _undecided(store, asked, now=now)
    if not pairs:
        return list(found)
    texts: dict[str, None] = {}  # each once, in their order
    for item, stored in pairs:
        texts[meaning.as_read(item)] = None
        if stored.meaning is None:
            texts[meaning.as_read(stored.entry)] = None
    made = await _made(workers, list(texts)[:MOST])
    theirs: dict[int, bytes] = {}
    for _, stored in pairs:
        vector = made.get(meaning.as_read(stored.entry))
        if stored.meaning is None and vector is not None:
            theirs[stored.pk] = vector
    asked_of = {id(item) for item, _ in pairs}
    return [_with(one, made, asked_of, theirs) for one in found]


async def _undecided(
    store: Store, asked: Sequence[tuple[Entry, Verdict]], *, now: datetime
) -> list[tuple[Entry, StoredEntry]]:
    """New entries, each with a stored report that it may tell of by its words, or may not."""
    if not asked:
        return []
    async with store.reading() as db:
        verdicts = [verdict for _, verdict in asked]
        compared = await compared_with(db, verdicts, since=now - SAME_EVENT)
    pairs: list[tuple[Entry, StoredEntry]] = []
    for (item, verdict), reports in zip(asked, compared, strict=True):
        said = replace(item, language=verdict.language)
        pairs += [(item, stored) for stored in reports if stories.undecided(said, stored.entry)]
    return pairs


async def _made(workers: Workers, texts: Sequence[str]) -> Mapping[str, bytes]:
    """The vectors of texts, by text; none where they could not be made in time."""
    if not texts:
        return {}
    try:
        vectors = await workers.run(meaning.vectors, texts, timeout=SECONDS)
    except WorkerError as error:
        log.warning("stories are told apart by words alone", texts=len(texts), error=str(error))
        return {}
    return dict(zip(texts, vectors, strict=True))


def _with(
    found: Found, made: Mapping[str, bytes], asked: Collection[int], theirs: Mapping[int, bytes]
) -> Found:
    """One of the polls with its vectors; a stored entry's go with each poll that may need it."""
    if not isinstance(found, NewsFound):
        return found
    meanings: dict[str, bytes] = {}
    for item in found.judged:
        if id(item) in asked and (vector := made.get(meaning.as_read(item))) is not None:
            meanings[item.id] = vector
    return replace(found, meanings=meanings, recalled=theirs if meanings else {})
