"""Vectors of what entries tell that are new or in other words now, where these do not say whether
it is about security, or whether a story tells it too.

Asked before anything is written: making one takes a tenth of a second, and nobody waits for that
inside a transaction. What comes too late, or not at all, is decided by words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

import storage.sources
from bot.detect import meaning, security, stories
from bot.detect.topics import Meant, judged_by_meaning
from bot.ingest.found import Found, NewsFound
from bot.ingest.joining import SAME_EVENT, compared_with
from bot.ingest.stories import as_stored, language_said
from bot.model.news import Entry, StoredEntry, Verdict
from bot.workers import WorkerError, Workers
from storage.db import Store

log = structlog.get_logger(__name__)

VECTORS_TOGETHER = 16  # vectors of the polls that are written together: two seconds of a processor
# of these for stories, where so many are wanted for them; the others tell security
OF_STORIES = 8
SECONDS = 10.0  # a process's start, the model's, and so many vectors
# seconds for which polls that would be written wait for a free process: documents may have all
PATIENCE = 2.0


async def with_meanings(
    store: Store, workers: Workers, found: Sequence[Found], *, now: datetime
) -> list[Found]:
    """The findings of polls, with the vectors of undecided entries and of what they may tell again,
    and with the verdicts that those vectors make.

    Nothing is lost without them, so no entry that makes trouble here takes the others with it.
    """
    try:
        return await _with_meanings(store, workers, found, now=now)
    except Exception as error:
        if storage.sources.is_away(error):
            raise
        log.exception("words alone decide")
        return list(found)


async def _with_meanings(
    store: Store, workers: Workers, found: Sequence[Found], *, now: datetime
) -> list[Found]:
    news = [one for one in found if isinstance(one, NewsFound) and not one.backlog]
    asked = [(item, verdict) for one in news for item, verdict in one.judged.items()]
    pairs = await _undecided(store, asked, now=now)
    doubted = _doubted(news)
    wanted = _wanted([item for _, item, _ in doubted], pairs)
    if not wanted:
        return list(found)
    made = await _made(workers, wanted)
    theirs: dict[int, bytes] = {}
    for _, stored in pairs:
        vector = made.get(meaning.as_read(stored.entry))
        if stored.meaning is None and vector is not None:
            theirs[stored.pk] = vector
    judged = await _judged_again(workers, doubted, made)
    # by identity: an equal entry of another feed is judged by that feed's topics
    asked_of = {id(item) for _, item, _ in doubted} | {id(item) for item, _ in pairs}
    return [_with(one, made, judged, asked_of, theirs) for one in found]


_Doubted = tuple[NewsFound, Entry, Verdict]


def _doubted(news: Sequence[NewsFound]) -> list[_Doubted]:
    """New entries, and those in other words now, of which words do not tell whether they are about
    security; not what alerts nobody anyway.
    """
    doubted: list[_Doubted] = []
    for one in news:
        if one.quiet:
            continue
        for item, verdict in (*one.judged.items(), *one.judged_anew.items()):
            # what an institute measured needs no words
            if security.undecided(verdict) and one.spec.verdict(item) is None:
                doubted.append((one, item, verdict))
    return doubted


def _wanted(doubted: Sequence[Entry], pairs: Sequence[tuple[Entry, StoredEntry]]) -> Sequence[str]:
    """The texts whose vectors are asked, each once; neither question takes all the room."""
    of_stories: dict[str, None] = {}  # each once, in their order
    for item, stored in pairs:
        of_stories[meaning.as_read(item)] = None
        if stored.meaning is None:
            of_stories[meaning.as_read(stored.entry)] = None
    # stories leave room for security, and have at least OF_STORIES for themselves
    room = VECTORS_TOGETHER - min(len(of_stories), OF_STORIES)
    wanted = dict.fromkeys([meaning.as_read(item) for item in doubted[:room]])
    return list(wanted | of_stories)[:VECTORS_TOGETHER]


async def _judged_again(
    workers: Workers, doubted: Sequence[_Doubted], made: Mapping[str, bytes]
) -> Mapping[int, Verdict]:
    """The verdicts on entries that have a vector, by the entry's identity in memory; none where
    the worker could not give them.
    """
    texts: list[Meant] = []
    judged: list[_Doubted] = []
    for one, item, verdict in doubted:
        vector = made.get(meaning.as_read(item))
        if vector is not None:
            text, language = item.summary or item.content, language_said(item, one.spec)
            texts.append((item.title, text, language, one.spec.topics, vector))
            judged.append((one, item, verdict))
    if not texts:
        return {}
    try:
        verdicts = await workers.run(judged_by_meaning, texts, timeout=SECONDS, patience=PATIENCE)
    except WorkerError as error:
        log.warning("security is told by words alone", texts=len(texts), error=str(error))
        return {}
    found: dict[int, Verdict] = {}
    for (one, item, before), verdict in zip(judged, verdicts, strict=True):
        said = as_stored(verdict, item, one.spec)
        # the facts are of the words, which a vector does not change
        found[id(item)] = replace(said, clues=before.clues)
    return found


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
        if not reports:
            continue
        await asyncio.sleep(0)  # a comparison takes a part of a millisecond, and others wait
        said = replace(item, language=verdict.language)
        pairs += [(item, stored) for stored in reports if stories.undecided(said, stored.entry)]
    return pairs


async def _made(workers: Workers, texts: Sequence[str]) -> Mapping[str, bytes]:
    """The vectors of texts, by text; none where they could not be made in time."""
    if not texts:
        return {}
    try:
        vectors = await workers.run(meaning.vectors, texts, timeout=SECONDS, patience=PATIENCE)
    except WorkerError as error:
        log.warning("words alone decide", texts=len(texts), error=str(error))
        return {}
    return dict(zip(texts, vectors, strict=True))


def _with(
    found: Found,
    made: Mapping[str, bytes],
    judged: Mapping[int, Verdict],
    asked: Collection[int],
    theirs: Mapping[int, bytes],
) -> Found:
    """One of the polls with its vectors and what they decided; a stored entry's vector goes with
    each poll that may need it.
    """
    if not isinstance(found, NewsFound):
        return found
    meanings: dict[str, bytes] = {}
    for item in (*found.judged, *found.judged_anew):
        if id(item) in asked and (vector := made.get(meaning.as_read(item))) is not None:
            meanings[item.id] = vector
    return replace(
        found,
        judged=_anew(found.judged, judged),
        judged_anew=_anew(found.judged_anew, judged),
        meanings=meanings,
        recalled=theirs if meanings else {},
    )


def _anew(
    by_words: Mapping[Entry, Verdict], by_vectors: Mapping[int, Verdict]
) -> Mapping[Entry, Verdict]:
    return {item: by_vectors.get(id(item), verdict) for item, verdict in by_words.items()}
