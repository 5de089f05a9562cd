"""What follows from a feed's entries: stories that join, break, grow and are corrected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import storage.alerts
import storage.news
from bot.alerts import edits
from bot.alerts import stories as kind_stories
from bot.detect import stories
from bot.detect.stories import title_key
from bot.detect.topics import judged
from bot.ingest.notices import tell
from bot.model.alerts import Severity
from bot.model.news import Entry, Verdict
from bot.sources.links import normalise_link
from bot.sources.specs import NewsSpec
from bot.sources.standing import led, weighed
from storage.db import Db

FRESH_FOR = timedelta(hours=12)  # older entries are stored, not told: a backlog is not news
FLOOD = (
    20  # so many new entries at once from a known feed: its ids changed, or it was down for long
)
SAME_EVENT = timedelta(hours=48)
MOST_EDITS = 5  # edits of one message at most: beyond, one more agency is no news to anybody
ASKED_TEXT = 500  # characters of a story in the question to the operator


async def unknown_entries(db: Db, spec: NewsSpec, entries: Sequence[Entry]) -> list[Entry]:
    """Those that this feed has not brought before, neither by id nor by link."""
    links = [normalise_link(item.link) for item in entries if item.link]
    ids, known_links = await storage.news.known(db, spec.key, [item.id for item in entries], links)
    unknown: list[Entry] = []
    for item in entries:
        link = normalise_link(item.link) if item.link else None
        if item.id not in ids and link not in known_links:
            unknown.append(item)
    return unknown


async def keep_entry(
    db: Db,
    spec: NewsSpec,
    item: Entry,
    verdict: Verdict,
    *,
    quiet: bool,
    policy: str,
    admins: Sequence[int],
    feeds: Mapping[str, NewsSpec],
    now: datetime,
) -> int:
    """Store one entry in its story, and tell the story when it is fresh, about security and
    notable.

    `feeds` says how far the story's other reporters are trusted.
    """
    at = min(item.published_at or now, now)
    title = title_key(item.title)
    pk = await storage.news.same_title(db, title, since=now - SAME_EVENT)
    if pk is None and verdict.security:
        since, language = now - SAME_EVENT, verdict.language
        recent = await storage.news.recent(db, since=since, language=language)
        recent += await storage.news.recent(db, since=since, language=language, abroad="security")
        told = stories.best_match(replace(item, language=verdict.language), recent, now=now)
        pk = told[0].story if told is not None else None
    before = await storage.news.get(db, pk) if pk is not None else None
    counts = weighed(verdict, spec, before, feeds)
    if pk is None:
        pk = await storage.news.add_story(db, at=at, verdict=counts)
    else:
        await storage.news.join_story(db, pk, counts)
    link = normalise_link(item.link) if item.link else None
    await storage.news.add_entry(
        db, spec.key, item, story_pk=pk, link_key=link, title_key=title, verdict=verdict, now=now
    )
    language = item.language or verdict.language
    if before and not quiet and (spec.key not in before.feeds or language not in before.languages):
        await _edit(db, pk, f"{spec.key}:{item.id}", now=now)
    weak = counts.severity is Severity.INFO
    if quiet or now - at > FRESH_FOR or (weak and policy != "two_sources"):
        return 0  # for two sources a second agency counts, however it words the event
    return await _break(db, pk, policy=policy, admins=admins, feeds=feeds, now=now)


async def reword_entries(
    db: Db,
    spec: NewsSpec,
    entries: Sequence[Entry],
    *,
    feeds: Mapping[str, NewsSpec],
    now: datetime,
) -> None:
    """Headlines that a feed has changed since: stored, and edited where they were told; nobody is
    told anew.

    An id that stands in the feed twice has no headline of its own, and a page's list gives no text.
    """
    twice = Counter(item.id for item in entries)
    if spec.article is not None:
        return
    once = [item for item in entries if twice[item.id] == 1]
    known = await storage.news.titles(db, spec.key, [item.id for item in once])
    brought = [item for item in once if item.id in known]
    changed = [item for item in brought if known[item.id][2] != title_key(item.title)]
    for item in changed:
        pk, story_pk, _ = known[item.id]
        await storage.news.correct(db, pk, item, title_key=title_key(item.title))
        story = await storage.news.get(db, story_pk)
        if story is None or len(changed) > FLOOD:
            continue
        mine = next((one for one in story.entries if one.pk == pk), None)
        if mine is None:
            continue
        shown = led(story, feeds).told_in(mine.entry.language or "").lead
        if shown.pk == pk:  # a headline that nobody is shown is not worth an edit
            await _edit(db, story_pk, f"{spec.key}:{item.id}:{item.title}", now=now)


async def _break(
    db: Db,
    pk: int,
    *,
    policy: str,
    admins: Sequence[int],
    feeds: Mapping[str, NewsSpec],
    now: datetime,
) -> int:
    """Tell a story as loud as the loudest report of it, as the operator's policy has it."""
    story = await storage.news.get(db, pk)
    if story is None or "security" not in story.topics or story.severity is Severity.INFO:
        return 0
    if policy == "two_sources" and len(story.feeds) < 2:
        return 0
    alert = kind_stories.alert(story, approval=policy == "approve", now=now)
    stored = await storage.alerts.enqueue(db, alert)
    if stored is not None and alert.approval:
        lead = led(story, feeds).lead.entry
        text = (lead.summary or lead.content)[:ASKED_TEXT]
        values = {
            "title": lead.title,
            "text": text,
            "link": lead.link or "",
            "feeds": ", ".join(story.feeds),
            "severity": story.severity.value,
            "held": str(stored),
        }
        await tell(db, admins, "notice.story", values, now=now, reasons=story.reasons)
    return int(stored is not None)


async def _edit(db: Db, pk: int, why: str, *, now: datetime) -> None:
    """Edit the messages of a story while it is fresh, a few times; `why` is unique."""
    for told in await storage.alerts.by_keys(db, kind_stories.keys(pk)):
        expires_at = told.created_at + FRESH_FOR
        if (
            now >= expires_at
            or await storage.alerts.times_got(db, edits.key(told.id)) >= MOST_EDITS
        ):
            continue
        await storage.alerts.enqueue(db, edits.alert(told.id, why, now=now, expires_at=expires_at))


def judge_entry(item: Entry, spec: NewsSpec) -> Verdict:
    """What the detectors think of an entry, with the topics that are fixed for its feed."""
    language = item.language or spec.language
    found = judged(item.title, item.summary or item.content, language, fixed=spec.topics)
    return replace(
        found,
        severity=found.severity if found.security else Severity.INFO,
        language=language or found.language,
    )
