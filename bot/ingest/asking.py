"""The operators are asked again about a story that they let through, or may yet: its publisher says
otherwise now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import storage.alerts
import storage.stories
from bot.alerts import edits, reads
from bot.alerts import stories as kind_stories
from bot.alerts.notices import Notice, tell
from bot.detect import identity
from bot.ingest.telling import CORRECTED_WITHIN, MOST_EDITS, NewsPolicy
from bot.model.alerts import Approval
from bot.model.news import Entry, StoredEntry, Story
from bot.reasons import Quote, SourceKey
from bot.sources.specs import NewsSpec
from bot.sources.standing import led
from storage.alerts import StoredAlert
from storage.db import Db


@dataclass(frozen=True, kw_only=True)
class NewWords:
    """What a `stored` report of a story says now, and the report `was` that told it before: the
    same one, where it was changed.
    """

    stored: StoredEntry
    item: Entry
    was: StoredEntry

    @property
    def why(self) -> str:
        """What is unique to these words."""
        return f"{identity.headline_key(self.item) or ''}:{identity.text_key(self.item)}"


async def asked_about(db: Db, story: int) -> StoredAlert | None:
    """The latest alert of a story that an operator let through, or may yet; None where nobody was
    asked, or what was told needed no word and only a louder one waits for it.
    """
    told = await storage.alerts.by_keys(db, kind_stories.keys(story))
    open_ones = {Approval.APPROVED}
    if all(alert.approval is not None for alert in told):
        open_ones.add(Approval.WAITING)
    asked = [alert for alert in told if alert.approval in open_ones]
    return asked[-1] if asked else None


async def said_by_now(db: Db, story: int, feeds: Mapping[str, NewsSpec]) -> Story | None:
    """A story as its publishers tell it by now, also by reports and words that operators have not
    let through: who has not got it is told nothing that is said to be taken back.
    """
    found = await storage.stories.get(db, story, unapproved=True)
    if found is None:
        return None
    keys = [edits.asked_key(one.pk) for one in found.entries]
    worded: dict[int, edits.Wording] = {}
    for asked in filter(reads, await storage.alerts.all_asked(db, keys)):
        wording = edits.wording_of(asked)
        # what was let through stands in the archive
        if wording is not None and asked.approval is not Approval.APPROVED:
            worded[wording.entry] = wording
    entries: list[StoredEntry] = []
    for one in found.entries:
        wording = worded.get(one.pk)
        said = one if wording is None else replace(one, entry=wording.put_in(one.entry))
        entries.append(said)
    return led(replace(found, entries=tuple(entries)), feeds)


async def ask(
    db: Db,
    words: NewWords,
    told: StoredAlert,
    policy: NewsPolicy,
    *,
    now: datetime,
    sparing: bool = False,
) -> None:
    """Ask the operators about new words, with the old ones; once about the same. A `sparing`
    question is none after a few about that report.
    """
    wording = edits.Wording.of(words.stored, words.item)
    until = now + CORRECTED_WITHIN
    asked = edits.correction(told.id, wording, words.why, now=now, expires_at=until)
    often = await storage.alerts.asked(db, asked.supersede_key or "") >= MOST_EDITS
    if sparing and often:
        return
    number = await storage.alerts.enqueue(db, asked)
    if number is None and await _said_its_last(db, asked.dedup_key):
        # under another key, because the first is spent
        again = edits.correction(
            told.id, wording, f"{words.why}:{now.isoformat()}", now=now, expires_at=until
        )
        number = await storage.alerts.enqueue(db, again)
    if number is None:
        return
    question = Notice.of(
        "notice.correction",
        held=number,
        was=Quote(words.was.headline or words.was.entry.title),
        was_text=Quote(words.was.entry.beginning),
        title=Quote(words.item.title),
        text=Quote(words.item.beginning),
        link=words.item.link or "",
        feeds=SourceKey(words.stored.feed),
    )
    await tell(db, policy.admins, question, now=now)


async def _said_its_last(db: Db, dedup_key: str) -> bool:
    """Whether a question about the same words is settled so that they may be asked about again:
    they were let through, or others took their place, and now they stand there once more.
    """
    (before,) = await storage.alerts.by_keys(db, [dedup_key])
    if before.approval is Approval.APPROVED:
        return True
    waits = await storage.alerts.waiting(db, before.id)
    return before.approval is Approval.WAITING and waits is None
