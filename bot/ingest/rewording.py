"""The consequences of a feed's changed words: corrections, and stories that got graver.

A story that needed an operator's word needs it again: its new words wait beside it, and nothing
tells them before (`edits.Wording`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import storage.alerts
import storage.clues
import storage.entries
import storage.stories
import storage.told
from bot.detect import identity
from bot.detect.corrections import is_taken_back, mending, mends, retracts
from bot.detect.endings import says_it_is_over
from bot.detect.revisions import tells_otherwise
from bot.ingest.asking import NewWords, ask, asked_about, said_by_now
from bot.ingest.found import NewsFound
from bot.ingest.telling import (
    FRESH_FOR,
    NewsPolicy,
    Worth,
    ask_again,
    break_story,
    edit_story,
    take_back,
)
from bot.model.news import Entry, Mending, StoredEntry, Story, Verdict
from bot.readers.news import as_told
from bot.sources.standing import led, weighed
from storage.alerts import StoredAlert
from storage.db import Db


@dataclass(frozen=True, kw_only=True)
class _Changed:
    """A stored report of a story, `led`, and what it says now."""

    story: Story
    stored: StoredEntry
    item: Entry

    @property
    def title_key(self) -> str:
        return identity.headline_key(self.item) or ""

    @property
    def text_key(self) -> str:
        return identity.text_key(self.item)

    @cached_property
    def after(self) -> Story:
        """The story as the report words it now."""
        changed = replace(self.stored, entry=self.item)
        return replace(
            self.story,
            entries=tuple(changed if one is self.stored else one for one in self.story.entries),
        )

    @property
    def same_headline(self) -> bool:
        """Whether its text alone is another one."""
        return self.title_key == (identity.headline_key(self.stored.entry) or "")

    @property
    def why(self) -> str:
        """The part of an edit's key that makes it unique to this correction."""
        why = f"{self.stored.feed}:{self.stored.entry.id}:{self.title_key}"
        if not self.same_headline:
            return why
        return f"{why}:{self.item.published_at if self.same_words else self.text_key}"

    @cached_property
    def corrects(self) -> bool:
        """Whether it says otherwise than it did, and not only in other words."""
        if not self.same_headline:
            return True
        return not self.same_words and tells_otherwise(self.stored.entry, self.item)

    @property
    def takes_back(self) -> bool:
        """Whether it is taken back now, and nobody else reports it who has not."""
        return is_taken_back(self.after) and not is_taken_back(self.story)

    @property
    def worth(self) -> Worth:
        """How long it is worth an edit; a text that changes by itself is no news at each poll."""
        if not self.same_headline:
            return Worth.ALWAYS
        return Worth.CORRECTED if self.corrects else Worth.FRESH

    @property
    def same_words(self) -> bool:
        """Whether its time alone is another one."""
        return self.same_headline and self.text_key == identity.text_key(self.stored.entry)

    @property
    def mends_otherwise(self) -> bool:
        """Whether the story is put right or taken back by its words now, or is so no more."""
        was, is_now = mending(self.story), mending(self.after)
        return _by(was) != _by(is_now)

    def is_shown(self, policy: NewsPolicy) -> bool:
        """Whether its words are read by anybody, before or now: others are not worth an edit."""
        mended = mending(self.after)
        if self.mends_otherwise or (mended is not None and mended[0].pk == self.stored.pk):
            return True
        language = self.stored.entry.language or ""
        lead = as_told(self.story, policy.feeds).told_in(language).lead
        return lead.pk == self.stored.pk


def _by(mended: tuple[StoredEntry, Mending] | None) -> tuple[int, Mending] | None:
    """The number of the report by which a story is mended, and how."""
    return None if mended is None else (mended[0].pk, mended[1])


async def reword_entries(db: Db, found: NewsFound, policy: NewsPolicy, *, now: datetime) -> int:
    """Store the words that a feed has changed since, and edit them where they were told.

    Nobody is told anew but of what became graver by it; how many alerts that is.
    """
    if not found.reworded:
        return 0
    known = await storage.entries.numbers(db, found.spec.key, [item.id for item in found.reworded])
    # others were forgotten since they were read
    changed = [(item, *known[item.id]) for item in found.reworded if item.id in known]
    if found.rewritten:
        changed = await _take_untold(db, changed)
    alerts = 0
    for item, pk, story_pk in changed:
        story = await storage.stories.get(db, story_pk)
        if story is not None:
            story = led(story, policy.feeds)
        mine = [one for one in story.entries if one.pk == pk] if story else []
        if not mine:  # it may be one that an operator has not let through
            story, mine = await _aside(db, pk, story_pk, policy)
        if story is None or not mine:
            await _take(db, pk, item, found)
            continue
        one = _Changed(story=story, stored=mine[0], item=item)
        alerts += await _reword(db, found, one, policy, now=now)
    return alerts


async def _aside(
    db: Db, pk: int, story_pk: int, policy: NewsPolicy
) -> tuple[Story | None, list[StoredEntry]]:
    """A story with what nobody is shown of it, and the entry among that."""
    story = await storage.stories.get(db, story_pk, unapproved=True)
    if story is None:
        return None, []
    story = led(story, policy.feeds)
    return story, [one for one in story.entries if one.pk == pk]


async def _take_untold(
    db: Db, changed: Sequence[tuple[Entry, int, int]]
) -> list[tuple[Entry, int, int]]:
    """Take the words of entries whose stories nobody was told of, by two statements; the others of
    these entries, each with its number and its story's.
    """
    told = await storage.told.stories(db, {story_pk for _, _, story_pk in changed})
    untold: list[tuple[int, Entry, str, str, bool]] = []
    others: list[tuple[Entry, int, int]] = []
    for item, pk, story_pk in changed:
        if story_pk in told:
            others.append((item, pk, story_pk))
        else:
            key, text_key = identity.headline_key(item) or "", identity.text_key(item)
            untold.append((pk, item, key, text_key, retracts(item)))
    await storage.entries.correct_all(db, untold)
    return others


async def _reword(
    db: Db, found: NewsFound, one: _Changed, policy: NewsPolicy, *, now: datetime
) -> int:
    """Follow one changed report; how many alerts."""
    # no editor wrote so many at once: none is judged anew
    many = found.rewritten
    worse = None if many else await _worse(db, found, one, policy)
    asked = await _needed_a_word(db, one, policy)
    wait = asked is not None and worse is None and not one.same_words
    if asked is not None and wait and _waits(one, asked, now=now):
        if not many:
            words = NewWords(stored=one.stored, item=one.item, was=one.stored)
            await ask(db, words, asked, policy, now=now, sparing=one.same_headline)
            said = await said_by_now(db, one.story.pk, policy.feeds)
            if said is not None and is_taken_back(said):
                await take_back(db, one.story.pk)
        return 0
    await _take(db, one.stored.pk, one.item, found)
    if many:
        return 0
    if not (found.quiet or one.same_words):
        await ask_again(db, one.story.pk, policy, now=now)
    if one.takes_back:
        await take_back(db, one.story.pk)
    if asked is None and one.is_shown(policy):
        await edit_story(db, one.story.pk, one.why, now=now, worth=one.worth)
    if worse is None:
        return 0
    return await _raise(db, found, one, worse, policy, now=now)


async def _take(db: Db, pk: int, item: Entry, found: NewsFound) -> None:
    key, text_key = identity.headline_key(item) or "", identity.text_key(item)
    vector = found.meanings.get(item.id)
    # an article keeps its date, by which it is fresh or not; an institute corrects what it measured
    at = None if found.spec.verdict(item) is None else item.published_at
    await storage.entries.correct(
        db,
        pk,
        item,
        title_key=key,
        text_key=text_key,
        meaning=vector,
        retracts=retracts(item),
        at=at,
    )


# --- what needs an operator's word ----------------------------------------------------------------


async def _needed_a_word(db: Db, one: _Changed, policy: NewsPolicy) -> StoredAlert | None:
    """The latest alert of a story that an operator let through, or may yet, with words that are
    read; None where nobody was asked.
    """
    if not one.is_shown(policy):
        return None
    return await asked_about(db, one.story.pk)


def _waits(one: _Changed, told: StoredAlert, *, now: datetime) -> bool:
    """Whether new words are worth a question: those that correct nothing only while the message is
    edited.
    """
    return one.corrects or now < told.created_at + FRESH_FOR


# --- what got graver ------------------------------------------------------------------------------


async def _worse(db: Db, found: NewsFound, one: _Changed, policy: NewsPolicy) -> Verdict | None:
    """The verdict on a report's new words, where they are graver than all of its story so far."""
    if says_it_is_over(one.item) or mends(one.item) is not None:  # however grave it sounds
        return None
    verdict = found.judged_anew[one.item]
    await storage.clues.add(db, [(clue, one.story.pk) for clue in verdict.clues])
    if not verdict.security:
        return None
    counts = weighed(verdict, found.spec, one.story, policy.feeds)
    return counts if counts.severity.rank > one.story.severity.rank else None


async def _raise(
    db: Db, found: NewsFound, one: _Changed, counts: Verdict, policy: NewsPolicy, *, now: datetime
) -> int:
    """Tell a story that a report's new words made graver; how many alerts."""
    await storage.entries.raise_severity(db, one.stored.pk, counts.severity)
    await storage.stories.join_story(db, one.story.pk, counts)
    at = min(found.spec.told_at(one.item) or one.stored.seen_at, now)
    if found.quiet or now - at > FRESH_FOR:
        return 0
    return await break_story(db, one.story.pk, policy, now=now)
