"""Reports that put right or take back what their publisher told before, and the stories they are
about: told ones too that are too old for any other report to join.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import storage.entries
import storage.stories
from bot.alerts.stories import StoryBroke
from bot.detect.corrections import is_taken_back, mended, mends
from bot.ingest.asking import NewWords, ask, asked_about, said_by_now
from bot.ingest.found import NewsFound
from bot.ingest.telling import NewsPolicy, Worth, edit_story, take_back
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
    house = spec.publisher or spec.key
    if house not in before.houses:
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


async def mended_story(db: Db, new: NewEntry, *, now: datetime) -> Story | None:
    """The story that a feed told and puts right or takes back now, however long ago it was; None
    without one.
    """
    if mends(new.item) is None:
        return None
    since = now - ALERTS_KEPT
    told = await storage.entries.told(db, new.feed, kind=StoryBroke.KIND, since=since)
    # hundreds of comparisons: whoever writes waits for them, so that such an entry weighs much
    # (`bot.ingest.found`), but no answer does
    stored = await asyncio.to_thread(mended, new.item, told)
    if stored is None:
        return None
    return await storage.stories.get(db, stored.story)
