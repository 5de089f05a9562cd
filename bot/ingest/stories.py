"""The consequences of a feed's entries: stories that join, break, grow and are corrected."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog

import storage.brought
import storage.entries
import storage.stories
import storage.withheld
from bot.detect import hazards, stories
from bot.detect.clues import clued
from bot.detect.corrections import is_taken_back, mends, retracts, tells_anew
from bot.detect.endings import begins_anew, says_it_is_over
from bot.detect.topics import judged, judged_all
from bot.ingest.found import Kept, NewsFound, may_be_of_old
from bot.ingest.joining import SAME_EVENT, joining, told_apart, told_in_other_words
from bot.ingest.mending import mending_of, tell_mended, told_story
from bot.ingest.recognising import fingerprint_of
from bot.ingest.telling import (
    FRESH_FOR,
    NewsPolicy,
    Worth,
    ask_again,
    break_story,
    edit_digests,
    edit_story,
    let_go_if_confirmed,
)
from bot.model.alerts import Severity
from bot.model.news import Entry, Mending, Story, Verdict
from bot.sources.specs import NewsSpec
from bot.sources.standing import led, weighed
from bot.workers import WorkerError, Workers
from storage.db import Db
from storage.entries import NewEntry

log = structlog.get_logger(__name__)

FRESH_AFTER_ITS_DAY = timedelta(hours=3)  # an entry of which the publisher said the day alone
# characters of the new entries of one poll; more are judged in a worker process. A thousand take
# half a millisecond, and the way to another process as long
JUDGED_HERE = 2_000
JUDGED_TOGETHER = 100  # of these so many in one job
JUDGE_SECONDS = 10.0  # a job's start and its first hundred entries


Text = tuple[str, str, str | None]
"""The text by which an entry is judged: its title, its words, the language it is said to be in."""


async def keep_entries(
    db: Db, found: Sequence[NewsFound], policy: NewsPolicy, *, now: datetime
) -> dict[str, Kept]:
    """Store the new entries of polls, each in its story, the oldest of a poll first; tell stories
    that are fresh, notable and security. What was kept of each source.

    Another process may have stored some meanwhile.
    """
    recalled: dict[int, bytes] = {}  # of polls that were found together each may carry the same
    for one in found:
        recalled.update(one.recalled)
    await storage.entries.keep_meanings(db, recalled)
    stored = await _stored_meanwhile(db, found)
    new: list[tuple[NewsFound, NewEntry]] = []
    for one in found:
        for item, verdict in reversed(list(one.judged.items())):  # feeds list the newest first
            if (one.spec.key, item.id) not in stored:
                new.append((one, _new_entry(one, item, verdict, now=now)))
    alone, others = await _apart(db, new, now=now)
    await storage.stories.add_alone(db, alone, now=now)
    count = Counter(entry.feed for _, entry in new)
    alerts = Counter[str]()
    for one, entry in others:
        alerts[entry.feed] += await _keep_entry(db, one, entry, policy, now=now)
    return {key: Kept(new=count[key], alerts=alerts[key]) for key in count}


async def _stored_meanwhile(db: Db, found: Sequence[NewsFound]) -> set[tuple[str, str]]:
    """The entries found that are stored meanwhile, as (feed, id)."""
    new = {one.spec.key for one in found if one.state.first_ok_at is None}
    bare = new - await storage.brought.having(db, new)
    ids = [(one.spec.key, item.id) for one in found for item in one.judged]
    return await storage.brought.among(db, [one for one in ids if one[0] not in bare])


def _new_entry(found: NewsFound, item: Entry, verdict: Verdict, *, now: datetime) -> NewEntry:
    known = found.fingerprints.get(item) or fingerprint_of(item)
    return NewEntry(
        feed=found.spec.key,
        item=item,
        # a date in the future is somebody's mistake
        at=min(found.spec.told_at(item) or now, now),
        link_key=known.link_key,
        title_key=known.title_key or "",
        text_key=known.text_key,
        verdict=verdict,
        meaning=found.meanings.get(item.id),
        retracts=retracts(item),
    )


async def _apart(
    db: Db, new: Sequence[tuple[NewsFound, NewEntry]], *, now: datetime
) -> tuple[list[NewEntry], list[tuple[NewsFound, NewEntry]]]:
    """The entries that begin a story and alert nobody, and the others.

    The former are not about security, and what nobody has told: neither under their headline nor
    in other words.
    """
    since = now - SAME_EVENT
    headlines = {entry.title_key for _, entry in new} - {""}
    known = await storage.entries.told_titles(db, headlines, since=since)
    calm = [entry for one, entry in new if not entry.verdict.security and not one.backlog]
    joined = await joining(db, calm, since=since, now=now)
    alone: list[NewEntry] = []
    others: list[tuple[NewsFound, NewEntry]] = []
    for one, entry in new:
        security = entry.verdict.security
        alike = entry.title_key in known or (entry.feed, entry.item.id) in joined
        # of a first poll nothing was told before
        of_old = one.state.first_ok_at is not None and may_be_of_old(entry.item)
        if security or alike or of_old:
            others.append((one, entry))
            continue
        alone.append(entry)
        if entry.title_key:
            known.add(entry.title_key)  # a second one of these may join it
    return alone, others


async def _keep_entry(
    db: Db, found: NewsFound, new: NewEntry, policy: NewsPolicy, *, now: datetime
) -> int:
    """Store one entry in its story, and tell the story where it is news; how many alerts."""
    spec, item, verdict = found.spec, new.item, new.verdict
    quiet = found.quiet and item.id not in found.loud
    before = await _reported_so_far(db, spec, new, policy.feeds, now=now)
    before = await told_story(db, new, before, policy.feeds, now=now)
    mended = mending_of(item, spec, before, policy.feeds)
    over = before is not None and says_it_is_over(item)
    label = mends(item)
    # what is taken back is no event, though its report never came here
    settled = over or label is Mending.TAKEN_BACK or (before is not None and label is not None)
    if settled:  # that makes nothing worse, however grave it sounds
        verdict = replace(verdict, severity=Severity.INFO)
    counts = weighed(verdict, spec, before, policy.feeds)
    if before is None:
        pk = await storage.stories.add_story(db, at=new.at, verdict=counts)
    else:
        pk = before.pk
        await storage.stories.join_story(db, pk, counts)
    await storage.entries.add_entry(db, new, story_pk=pk, now=now)
    language = item.language or verdict.language
    grown = before and (spec.key not in before.feeds or language not in before.languages)
    if before is not None and mended is not None:
        await tell_mended(db, found, new, before, mended, policy, now=now)
    elif (grown or over) and not quiet:
        # one more agency, a language somebody reads, or its end: the message told says so
        worth = Worth.ALWAYS if over else Worth.FRESH
        await edit_story(db, pk, f"{spec.key}:{item.id}", now=now, worth=worth)
        if before and language is not None and language not in before.languages:
            await edit_digests(db, pk, language, now=now)
    if before is not None and not settled and not quiet:
        await ask_again(db, pk, policy, now=now)
    if over:  # a channel that has not posted it needs not hear of it
        await storage.withheld.drop(db, pk)
    if quiet or _stale(new, now):
        return 0
    if before is not None and not over:
        await let_go_if_confirmed(db, pk, policy)
    # for two sources a second agency counts, however it words the event
    if policy.security != "two_sources" and _adds_nothing(counts, before, over=settled):
        return 0
    return await break_story(db, pk, policy, now=now)


async def _reported_so_far(
    db: Db, spec: NewsSpec, new: NewEntry, feeds: Mapping[str, NewsSpec], *, now: datetime
) -> Story | None:
    """The story that an entry belongs to, before it does; None where it begins one.

    Where it tells of what has begun anew, or what was taken back, it may belong to a later one,
    which others began; what takes back belongs to the one that stands.
    """
    ended: set[int] = set()
    gone: Story | None = None
    while True:
        pk = None
        if new.verdict.security:
            pk = await _measured_story(db, spec, new, feeds, beside=ended, now=now)
        # an institute's events are events of their own, however alike their words
        if pk is None and spec.verdict(new.item) is None:
            pk = await story_of(db, new, beside=ended, now=now)
        story = None
        if pk is not None:
            story = await storage.stories.get(db, pk)
        if story is None:
            return gone
        mine = led(story, feeds)
        if mends(new.item) is not None and is_taken_back(mine):
            gone = gone or story
        elif not (begins_anew(new.item, story, new.at) or tells_anew(new.item, mine, new.at)):
            return story
        ended.add(story.pk)


def _adds_nothing(counts: Verdict, before: Story | None, *, over: bool) -> bool:
    """Whether a calm report gives no cause to tell its story: not even to those who want all."""
    if counts.severity is not Severity.INFO:
        return False
    if over or not counts.security:
        return True
    return before is not None and before.severity is not Severity.INFO


def _stale(new: NewEntry, now: datetime) -> bool:
    """Whether an entry is no news any more; one dated by the day alone is fresh all that day."""
    return now - new.at > (FRESH_AFTER_ITS_DAY if new.item.day_only else FRESH_FOR)


async def _measured_story(
    db: Db,
    spec: NewsSpec,
    new: NewEntry,
    feeds: Mapping[str, NewsSpec],
    *,
    beside: Collection[int],
    now: datetime,
) -> int | None:
    """The story of the hazard that an entry is about, by values, in whatever language; none of
    those `beside` it.

    A report can only be of what an institute measured; a measurement of what anybody reported.
    """
    since = now - SAME_EVENT
    if spec.measures:
        recent = await storage.entries.recent(db, topic="security", since=since)
    else:
        # few entries are such reports, and few of thousands of sources measure
        if not (kinds := hazards.kinds_reported(new.item)):
            return None
        institutes = [key for key, one in feeds.items() if one.measures]
        recent = await storage.entries.measured(db, institutes, kinds, since=since)
    recent = [stored for stored in recent if stored.story not in beside]
    return hazards.measured_story(new.item, new.feed, recent, at=new.at)


async def story_of(db: Db, new: NewEntry, *, beside: Collection[int], now: datetime) -> int | None:
    """The story that an entry is about, none of those `beside` it; None when it begins one.

    Under one headline texts and times must agree; beyond it the few stories are asked that have
    several of its clues.
    """
    since = now - SAME_EVENT
    if new.title_key:
        for stored in await storage.entries.same_title(db, new.title_key, since=since):
            if stored.story in beside or told_apart(new, stored):
                continue
            if stories.one_headline(new.item, stored, now=now).same:
                return stored.story
    return await told_in_other_words(db, new, beside=beside, since=since, now=now)


def said_before(
    spec: NewsSpec, entries: Sequence[Entry], verdicts: Sequence[Verdict]
) -> dict[Text, Verdict]:
    """The verdicts that came with a document, by what they were made of."""
    return {_text(item, spec): one for item, one in zip(entries, verdicts, strict=bool(verdicts))}


async def judge_entries(
    workers: Workers,
    spec: NewsSpec,
    new: Sequence[Entry],
    before: Mapping[Text, Verdict] = MappingProxyType({}),
) -> dict[Entry, Verdict]:
    """The detectors' verdicts on new entries, in their order; some of these were made `before`.

    Few are judged here, many in a worker process: a text takes milliseconds, and others wait for
    the loop. An entry that ends the process is stored as one about nothing.
    """
    judged: dict[Entry, Verdict] = {}
    worded: list[Entry] = []
    for item in new:
        measured = _by_size(item, spec)
        if measured is None:
            worded.append(item)
            continue
        judged[item] = measured
        await asyncio.sleep(0)  # its clues take a millisecond
    if not judged:
        return await _judge_words(workers, spec, new, before)
    judged |= await _judge_words(workers, spec, worded, before)
    return {item: judged[item] for item in new}


async def _judge_words(
    workers: Workers, spec: NewsSpec, new: Sequence[Entry], before: Mapping[Text, Verdict]
) -> dict[Entry, Verdict]:
    judged: dict[Entry, Verdict] = {}
    if before and all(_text(item, spec) in before for item in new):
        for item in new:
            judged[item] = as_stored(before[_text(item, spec)], item, spec)
        return judged
    if sum(len(item.summary or item.content) for item in new) <= JUDGED_HERE:
        for item in new:
            judged[item] = judge_entry(item, spec)
            await asyncio.sleep(0)
        return judged
    for start in range(0, len(new), JUDGED_TOGETHER):
        some = new[start : start + JUDGED_TOGETHER]
        for item, found in zip(some, await _judged(workers, spec, some), strict=True):
            judged[item] = as_stored(found, item, spec)
    return judged


async def _judged(workers: Workers, spec: NewsSpec, some: Sequence[Entry]) -> Sequence[Verdict]:
    """Verdicts of a worker process; the entry it cannot judge is found by halving."""
    seconds = JUDGE_SECONDS * (1 + len(some) / JUDGED_TOGETHER)
    texts = [_text(item, spec) for item in some]
    try:
        return await workers.run(judged_all, texts, spec.topics, timeout=seconds)
    except WorkerError as error:
        if len(some) == 1:
            log.warning("entry not judged", source=spec.key, entry=some[0].id, error=str(error))
            language = language_said(some[0], spec)
            return [Verdict(security=False, score=0, severity=Severity.INFO, language=language)]
    half = len(some) // 2
    first = await _judged(workers, spec, some[:half])
    return [*first, *await _judged(workers, spec, some[half:])]


def judge_entry(item: Entry, spec: NewsSpec) -> Verdict:
    """The detectors' verdict on an entry, with the topics that are fixed for its feed."""
    measured = _by_size(item, spec)
    if measured is not None:
        return measured
    title, text, language = _text(item, spec)
    found = judged(title, text, language, fixed=spec.topics)
    return as_stored(clued(found, title, text, language), item, spec)


def _text(item: Entry, spec: NewsSpec) -> Text:
    return item.title, item.summary or item.content, language_said(item, spec)


def _by_size(item: Entry, spec: NewsSpec) -> Verdict | None:
    """The verdict on what was measured; None of anything else."""
    known = spec.verdict(item)
    if known is None:
        return None
    return clued(known, item.title, "", language_said(item, spec))


def language_said(item: Entry, spec: NewsSpec) -> str | None:
    """The language that an entry is said to be in."""
    return item.language or spec.language


def as_stored(found: Verdict, item: Entry, spec: NewsSpec) -> Verdict:
    """A detector's verdict as the flow keeps it."""
    language = language_said(item, spec) or found.language
    severity = found.severity
    if not found.security:  # how grave a text sounds counts for security alone
        severity = Severity.INFO
    if (language, severity) == (found.language, found.severity):
        return found
    return replace(found, language=language, severity=severity)
