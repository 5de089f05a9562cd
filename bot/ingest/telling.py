"""A story is told, as the operator's policy has it; its messages are edited where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial
from typing import Self

import storage.alerts
import storage.chats
import storage.kept_back
import storage.places
import storage.stories
import storage.told
import storage.withheld
from bot.alerts import digest_edits, edits
from bot.alerts import stories as kind_stories
from bot.alerts.digests import LASTS, DigestDue
from bot.alerts.notices import Notice, tell
from bot.model.alerts import Approval, Severity
from bot.model.news import Story
from bot.model.places import Place
from bot.readers.looked import near_by_now, places_near
from bot.readers.news import still_confirmed
from bot.reasons import Quote, SourceKey
from bot.sources.hazards import is_measured_urgent
from bot.sources.specs import NewsSpec
from bot.sources.standing import led
from storage.db import Db

FRESH_FOR = timedelta(hours=12)  # older entries are stored, not told: a backlog is not news
CORRECTED_WITHIN = timedelta(days=2)  # a correction is worth sending for as long after itself
MOST_EDITS = 5  # edits of one message at most: beyond, one more agency is no news to anybody
MOST_CORRECTIONS = 3  # beyond these, of texts that say otherwise: some count by themselves
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsPolicy:
    """An operator's choices about news: when a story is told, who is asked, how feeds are trusted.

    `an_hour` is how many stories an hour are told without asking the operators; `places` are the
    catalog's, where hazards are felt.
    """

    security: str
    an_hour: int
    admins: Sequence[int]
    feeds: Mapping[str, NewsSpec]
    places: Mapping[str, Place]

    def knowing(self, specs: Sequence[NewsSpec]) -> Self:
        """The same choices, with these feeds as they are polled now."""
        return replace(self, feeds={**self.feeds, **{spec.key: spec for spec in specs}})


async def break_story(db: Db, pk: int, policy: NewsPolicy, *, now: datetime) -> int:
    """Tell a story as loud as the loudest report of it, as the operator's policy has it."""
    story = await storage.stories.get(db, pk)
    if story is None or "security" not in story.topics:
        return 0
    if policy.security == "two_sources" and not still_confirmed(story, policy.feeds):
        return 0
    calm = story.severity is Severity.INFO
    if calm and not await _calm_may_be_told(db, policy, now=now):
        return 0
    near = places_near(story, policy.feeds, policy.places)
    if calm and not await _calm_is_wanted(db, near):
        return 0
    first = await _told_before(db, story)
    approval = policy.security == "approve"
    # calm ones have an hour of their own, beyond which nobody is asked
    if not calm:
        approval = approval or await _too_many(db, story, policy, now=now)
    alert = kind_stories.alert(story, approval=approval, now=now, answers=first, near=near)
    stored = await storage.alerts.enqueue(db, alert)
    if stored is not None and alert.approval:
        asked = led(story, policy.feeds)
        if first is not None:  # its other words were told
            asked = asked.worst
        lead = asked.lead.entry
        question = Notice.of(
            "notice.story",
            held=stored,
            severity=story.severity,
            title=Quote(lead.title),
            text=Quote(lead.beginning),
            link=lead.link or "",
            feeds=tuple(map(SourceKey, story.feeds)),
        )
        await tell(db, policy.admins, question, now=now, reasons=story.reasons)
    return int(stored is not None)


async def _too_many(db: Db, story: Story, policy: NewsPolicy, *, now: datetime) -> bool:
    """Whether the last hour told so many stories that an operator decides about this one.

    Where there is no operator nobody could, and what is dangerous is not kept back for ever. What
    an institute measured as urgent is no rumour, and no number of it is too many.
    """
    if not policy.admins or is_measured_urgent(story, policy.feeds):
        return False
    return await _told_in_an_hour(db, policy, now=now, calm=False) >= policy.an_hour


async def _calm_may_be_told(db: Db, policy: NewsPolicy, *, now: datetime) -> bool:
    """Whether somebody may want a calm story, and the hour has room for one: what is cheap to ask.

    Beyond it nobody is asked, where an operator decides about what is graver: it stands in /news.
    """
    somewhere = bool(policy.places) and await storage.places.anybody(db)
    if not somewhere and not await storage.chats.wants_all(db):
        return False
    return await _told_in_an_hour(db, policy, now=now, calm=True) < policy.an_hour


async def _calm_is_wanted(db: Db, near: frozenset[str]) -> bool:
    """Whether somebody wants a calm story: all of them, or those of a place that it is `near`."""
    if near and await storage.places.anybody_at(db, near):
        return True
    return await storage.chats.wants_all(db)


async def _told_in_an_hour(db: Db, policy: NewsPolicy, *, now: datetime, calm: bool) -> int:
    of, most = kind_stories.StoryBroke.KIND, policy.an_hour
    institutes = [key for key, spec in policy.feeds.items() if spec.measures]
    return await storage.told.times_told(
        db, of, since=now - HOUR, until=now, most=most, calm=calm, institutes=institutes
    )


async def _told_before(db: Db, story: Story) -> int | None:
    """The latest alert that told a story before it became as grave as it is; None without one."""
    lesser = kind_stories.keys(story.pk, below=story.severity)
    told = await storage.alerts.by_keys(db, lesser)
    return told[-1].id if told else None


async def let_go_if_confirmed(db: Db, pk: int, policy: NewsPolicy) -> None:
    """Let go the channels' posts of a story that wait for a second publisher, where it has one."""
    story = await storage.stories.get(db, pk)
    if story is not None and still_confirmed(story, policy.feeds):
        await storage.withheld.confirmed(db, pk)


async def ask_again(db: Db, pk: int, policy: NewsPolicy, *, now: datetime) -> None:
    """Let those whom a story was kept from be asked about it again: it grew, or says otherwise."""
    near = partial(near_by_now, db, pk, policy.feeds, policy.places)
    await storage.kept_back.ask_again(db, pk, now=now, near=near)


class Worth(Enum):
    """How long an edit of a story's messages is worth making, and how often."""

    FRESH = auto()  # while the story is, a few times: it grew, or is worded anew
    CORRECTED = auto()  # however late, a few times more: its text says otherwise
    ALWAYS = auto()  # however late and often: its headline, its end, what it was mended by


async def edit_story(
    db: Db, pk: int, why: str, *, now: datetime, worth: Worth = Worth.FRESH
) -> None:
    """Edit the messages of a story as long as it is `worth` that; `why` is unique.

    What was corrected to and fro says its last word too, as long as the message was not edited
    often: some pages show two headlines by turns.
    """
    for told in await storage.alerts.by_keys(db, kind_stories.keys(pk)):
        expires_at = told.created_at + FRESH_FOR
        if worth is not Worth.FRESH:
            expires_at = max(expires_at, now + CORRECTED_WITHIN)
        elif now >= expires_at:
            continue
        often = await storage.alerts.times_got(db, edits.key(told.id))
        # what a story grew by takes nothing from what is corrected
        enough = often >= MOST_EDITS + MOST_CORRECTIONS * (worth is Worth.CORRECTED)
        if enough and worth is not Worth.ALWAYS:
            continue
        edit = edits.alert(told.id, why, now=now, expires_at=expires_at)
        known = await storage.alerts.enqueue(db, edit) is None
        if known and worth is not Worth.FRESH and not enough:
            # under a key of its own, or it would be taken for the edit that said the same before
            again = f"{why}:{now.isoformat()}"
            edit = edits.alert(told.id, again, now=now, expires_at=expires_at)
            await storage.alerts.enqueue(db, edit)


async def take_back(db: Db, pk: int) -> None:
    """Let nobody else hear of a story that its publisher took back, no channel either; what waits
    for an operator's word is theirs to reject, unless it was told without one before it got worse.
    """
    await storage.withheld.drop(db, pk)
    alerts = await storage.alerts.by_keys(db, kind_stories.keys(pk))
    unasked = any(told.approval is None for told in alerts)
    for told in alerts:
        if unasked or told.approval is not Approval.WAITING:
            await storage.alerts.withdraw(db, told.id)


async def edit_digests(db: Db, pk: int, language: str, *, now: datetime) -> None:
    """Edit the digests that told a story in another language to readers of this one, in which it is
    reported now.

    Where each of its topics has another story in that language, they were told that one instead.
    """
    story = await storage.stories.get(db, pk)
    if story is None or await _has_others(db, story, language, now=now):
        return
    begun = min(one.seen_at for one in story.entries)
    digests = await storage.told.of_kind(db, DigestDue.KIND, since=now - LASTS, until=now)
    for digest in digests:
        # a late one told more than was there at its hour
        if begun <= digest.created_at and not DigestDue.read(digest.payload).late:
            await storage.alerts.enqueue(db, digest_edits.alert(digest, pk, language, now=now))


async def _has_others(db: Db, story: Story, language: str, *, now: datetime) -> bool:
    """Whether each topic of a story has another story of the last day in a language."""
    latest = await storage.stories.latest(db, since=now - 24 * HOUR, before=now, limit=200)
    topics: set[str] = set()
    others = 0
    for one in latest:
        if one.pk != story.pk and language in one.languages:
            topics.update(one.topics)
            others += 1
    return others > 0 and topics.issuperset(story.topics)
