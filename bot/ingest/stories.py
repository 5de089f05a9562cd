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
# so many new entries at once from a known feed: its ids changed, or it was down for long
FLOOD = 20
SAME_EVENT = timedelta(hours=48)  # the same headline later than that is another event
MOST_EDITS = 5  # edits of one message at most: beyond, one more agency is no news to anybody
ASKED_TEXT = 500  # characters of a story in the question to the operator


async def unknown_entries(db: Db, spec: NewsSpec, entries: Sequence[Entry]) -> list[Entry]:
    """The entries that this feed has not brought before, neither by id nor by link."""
    ids: list[str] = []
    links: list[str] = []
    for item in entries:
        ids.append(item.id)
        if item.link:
            links.append(normalise_link(item.link))
    known_ids, known_links = await storage.news.known(db, spec.key, ids, links)
    unknown: list[Entry] = []
    for item in entries:
        # By link too: a site that changes all its ids would have a hundred new entries at once.
        if item.id not in known_ids and _link_key(item) not in known_links:
            unknown.append(item)
    return unknown


def _link_key(item: Entry) -> str | None:
    """What an entry's address is compared by; None where it has none."""
    if not item.link:
        return None
    return normalise_link(item.link)


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
    """Store one entry in its story, and tell the story when it is fresh, notable and security.

    `feeds` says how far the story's other reporters are trusted. What comes back is the number of
    alerts.
    """
    at = min(item.published_at or now, now)  # a date in the future is somebody's mistake
    title = title_key(item.title)
    pk = await _story_of(db, item, verdict, title, now=now)
    before = None
    if pk is not None:
        before = await storage.news.get(db, pk)
    counts = weighed(verdict, spec, before, feeds)
    if pk is None:
        pk = await storage.news.add_story(db, at=at, verdict=counts)
    else:
        await storage.news.join_story(db, pk, counts)
    await storage.news.add_entry(
        db,
        spec.key,
        item,
        story_pk=pk,
        link_key=_link_key(item),
        title_key=title,
        verdict=verdict,
        now=now,
    )
    language = item.language or verdict.language
    if before and not quiet and (spec.key not in before.feeds or language not in before.languages):
        # one more agency, or a language somebody reads: the message told says so
        await _edit(db, pk, f"{spec.key}:{item.id}", now=now)
    weak = counts.severity is Severity.INFO
    if quiet or now - at > FRESH_FOR or (weak and policy != "two_sources"):
        return 0  # for two sources a second agency counts, however it words the event
    return await _break(db, pk, policy=policy, admins=admins, feeds=feeds, now=now)


async def _story_of(
    db: Db, item: Entry, verdict: Verdict, title: str, *, now: datetime
) -> int | None:
    """The story that an entry is about; None when it begins one.

    Likeness beyond the headline is asked of security alone: that is what may be told twice.
    """
    since, language = now - SAME_EVENT, verdict.language
    pk = await storage.news.same_title(db, title, since=since)
    if pk is not None or not verdict.security:
        return pk
    recent = await storage.news.recent(db, since=since, language=language)
    # other languages' too, where numbers and places are compared instead of words
    recent += await storage.news.recent(db, since=since, language=language, abroad="security")
    told = stories.best_match(replace(item, language=language), recent, now=now)
    if told is None:
        return None
    return told[0].story


async def reword_entries(
    db: Db,
    spec: NewsSpec,
    entries: Sequence[Entry],
    *,
    feeds: Mapping[str, NewsSpec],
    now: datetime,
) -> None:
    """Store the headlines that a feed has changed since, and edit them where they were told.

    Nobody is told anew. An id that stands in the feed twice has no headline of its own, and a
    page's list gives no text.
    """
    if spec.article is not None:
        return
    times = Counter(item.id for item in entries)
    known = await storage.news.titles(db, spec.key, [key for key in times if times[key] == 1])
    changed: list[Entry] = []
    for item in entries:
        if item.id in known and known[item.id][2] != title_key(item.title):
            changed.append(item)
    for item in changed:
        pk, story_pk, _ = known[item.id]
        await storage.news.correct(db, pk, item, title_key=title_key(item.title))
        story = await storage.news.get(db, story_pk)
        if story is None or len(changed) > FLOOD:  # so many at once: no editor wrote them
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
        if now >= expires_at:
            continue
        if await storage.alerts.times_got(db, edits.key(told.id)) >= MOST_EDITS:
            continue
        await storage.alerts.enqueue(db, edits.alert(told.id, why, now=now, expires_at=expires_at))


def judge_entry(item: Entry, spec: NewsSpec) -> Verdict:
    """What the detectors think of an entry, with the topics that are fixed for its feed."""
    language = item.language or spec.language
    found = judged(item.title, item.summary or item.content, language, fixed=spec.topics)
    if not found.security:  # how grave a text sounds counts for security alone
        found = replace(found, severity=Severity.INFO)
    return replace(found, language=language or found.language)
