"""Reports that put right or take back what their publisher told before, or say that it is over, and
the stories they are about: told ones too that are too old for any other report to join.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import storage.entries
import storage.stories
from bot.alerts.stories import StoryBroke
from bot.detect.corrections import is_taken_back, mended, mends
from bot.detect.endings import ending, says_it_is_over
from bot.detect.identity import is_home
from bot.detect.stories import compare, sketch
from bot.ingest.asking import NewWords, ask, asked_about, said_by_now
from bot.ingest.found import NewsFound
from bot.ingest.recognising import fingerprint_of
from bot.ingest.telling import NewsPolicy, Worth, edit_story, take_back
from bot.model.alerts import Severity
from bot.model.news import Entry, Mending, StoredEntry, Story
from bot.readers.news import as_told
from bot.sources.specs import NewsSpec
from bot.sources.standing import led
from storage.db import Db
from storage.entries import NewEntry
from storage.retention import ALERTS_KEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What a report does to its story, which its publisher told; `again` is whether that was said
    before in the same words.
    """

    how: Mending
    again: bool


def mending_of(
    item: Entry, spec: NewsSpec, before: Story | None, feeds: Mapping[str, NewsSpec]
) -> Mended | None:
    """What an entry does to the story it joins; None of a report. Nobody corrects another's."""
    how = None if before is None else mends(item)
    if before is None or how is None:
        return None
    before = led(before, feeds)
    if (spec.publisher or spec.key) not in before.houses:
        return None
    again = any(one.entry.title == item.title for one in before.entries)
    return Mended(how=how, again=again)


async def tell_mended(
    db: Db,
    found: NewsFound,
    new: NewEntry,
    before: Story,
    mended: Mended,
    policy: NewsPolicy,
    *,
    now: datetime,
) -> None:
    """Edit the messages of a story that a new report mends, once, or set the report aside and ask
    the operator who let the story through; who has not got one yet hears nothing of what was taken
    back. Said among what was missed while a source was away it counts as well, at a first poll not.
    """
    asked = await asked_about(db, before.pk)
    stored = None
    if asked is not None and not mended.again:
        stored = await storage.entries.set_aside(db, new.feed, new.item.id)
    if found.state.first_ok_at is None:
        return
    said = await said_by_now(db, before.pk, policy.feeds)
    if said is not None and is_taken_back(said):
        await take_back(db, before.pk)
    if asked is None and not mended.again:
        why = f"{new.feed}:{new.item.id}"
        await edit_story(db, before.pk, why, now=now, worth=Worth.ALWAYS)
    if asked is not None and stored is not None and not await _asked_before(db, stored, policy):
        was = as_told(before, policy.feeds).lead
        await ask(db, NewWords(stored=stored, item=new.item, was=was), asked, policy, now=now)


async def _asked_before(db: Db, stored: StoredEntry, policy: NewsPolicy) -> bool:
    """Whether another report under the same headline waits beside this one, or waited in vain: its
    publisher says it in another feed, or under another id.
    """
    story = await storage.stories.get(db, stored.story, unapproved=True)
    if story is None:
        return False
    reports = led(story, policy.feeds).entries
    (house,) = {one.house for one in reports if one.pk == stored.pk}
    others = [one for one in reports if one.pk != stored.pk and one.house == house]
    return any(one.entry.title == stored.entry.title for one in others)


async def told_story(
    db: Db,
    new: NewEntry,
    before: Story | None,
    feeds: Mapping[str, NewsSpec],
    *,
    now: datetime,
) -> Story | None:
    """The story that a report belongs to: `before`, by its words, unless its publisher told one, in
    whichever of its feeds and however long ago, that it puts right or takes back, where `before` is
    told by others alone, or that it says is over, where there is none but of ends.
    """
    mending = mends(new.item) is not None
    if mending:
        known = before is not None and _house(new.feed, feeds) in led(before, feeds).houses
    else:
        # what is grave by itself may be another event, of which nobody heard
        grave = new.verdict.severity is Severity.URGENT
        # one that begins with an end is of somebody who had not told the event
        told_it = before is not None and not says_it_is_over(before.lead.entry)
        known = told_it or grave or not says_it_is_over(new.item)
    if known:
        return before
    since = now - ALERTS_KEPT
    sisters = _sisters(new.feed, feeds)
    told = await storage.entries.told(db, sisters, kind=StoryBroke.KIND, since=since)
    # hundreds of comparisons: whoever writes waits for them, so that such an entry weighs much
    # (`bot.ingest.found`), but no answer does
    find = _told_before if mending else _begun_before
    stored = await asyncio.to_thread(find, new, told)
    if stored is None:
        return before
    found = await storage.stories.get(db, stored.story)
    ended = not mending and found is not None and ending(found) is not None
    return before if ended else found


def _sisters(feed: str, feeds: Mapping[str, NewsSpec]) -> list[str]:
    """The feeds of a feed's publisher, with itself."""
    house = _house(feed, feeds)
    return [feed, *(key for key in feeds if key != feed and _house(key, feeds) == house)]


def _house(feed: str, feeds: Mapping[str, NewsSpec]) -> str:
    spec = feeds.get(feed)
    return (spec and spec.publisher) or feed


def _told_before(new: NewEntry, told: Sequence[StoredEntry]) -> StoredEntry | None:
    """The report among those told that an entry mends: the article at its own address, which feeds
    of one publisher share, else by its words.
    """
    link = new.item.link
    if link and not is_home(link):
        there = [one for one in told if fingerprint_of(one.entry).link_key == new.link_key]
        # one address for all that a page tells names none of it
        if len({one.story for one in there}) == 1:
            return there[0]
    return mended(new.item, told)


def _begun_before(new: NewEntry, told: Sequence[StoredEntry]) -> StoredEntry | None:
    """The latest report among those told of an event that an entry says is over."""
    said = sketch(new.item)
    return next((one for one in told if compare(said, sketch(one.entry)).same), None)
