"""More is reported of a story: the messages that told it are edited where they stand, silently."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

import storage.alerts
import storage.chats
from bot.alerts.kind import Kind, Kit, Reader
from bot.alerts.stories import Stories
from bot.i18n import clock
from bot.model.alerts import Alert, Audience, Lane, Payload, Severity
from bot.model.news import Entry, StoredEntry
from bot.model.subjects import SECURITY
from bot.render import outcomes
from bot.render.alerts import snooze_button, topic_button
from bot.render.text import Button, Message
from storage.alerts import StoredAlert


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The words that a feed has put in place of an entry's, until an operator lets them through."""

    story: int
    entry: int
    title: str
    summary: str
    content: str
    updated_at: datetime | None

    @classmethod
    def of(cls, stored: StoredEntry, changed: Entry) -> Self:
        """The wording of a `stored` entry after it was `changed`."""
        return cls(
            story=stored.story,
            entry=stored.pk,
            title=changed.title,
            summary=changed.summary,
            content=changed.content,
            updated_at=changed.updated_at,
        )

    def put_in(self, entry: Entry) -> Entry:
        """The entry in these words."""
        return replace(
            entry,
            title=self.title,
            summary=self.summary,
            content=self.content,
            updated_at=self.updated_at,
        )

    @property
    def form(self) -> dict[str, Any]:
        """The stored form."""
        at = self.updated_at and self.updated_at.isoformat()
        words = {"title": self.title, "summary": self.summary, "content": self.content}
        return {"story": self.story, "entry": self.entry, **words, "updated_at": at}

    @classmethod
    def read(cls, form: Mapping[str, Any]) -> Self:
        """The wording that `form` wrote."""
        at = form["updated_at"] and datetime.fromisoformat(form["updated_at"])
        return cls(**{**form, "updated_at": at})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryGrew(Payload):
    """More is reported of the story that alert `told` carried; a `wording` waits for a word."""

    KIND = "edit"
    VERSION = 2  # 1 had no wording

    told: int
    wording: Wording | None = None

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form; 2 where there is a wording."""
        if self.wording is None:
            return {"v": 1, "told": self.told}
        return {"v": self.VERSION, "told": self.told, "wording": self.wording.form}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        form = data.get("wording")
        return cls(told=data["told"], wording=form and Wording.read(form))


class Edits(Kind):
    """A story that grew after it was told."""

    payload = StoryGrew
    texts = (
        "news.sources",
        *outcomes.TEXTS,
        "news.read_on",
    )

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """The story as it is now, under the buttons of the message that told it."""
        first = await storage.alerts.get(kit.db, StoryGrew.read(told.payload).told)
        if first is None:  # forgotten
            return None
        # as the first alert and not as this one: its buttons carry that number
        return await Stories().words(kit, first, reader)

    async def switched(self, kit: Kit, told: StoredAlert, reader: Reader) -> Mapping[str, Button]:
        """A button back for who left the topic, and the end of silence for who asked for one."""
        first = StoryGrew.read(told.payload).told
        state = await storage.chats.following(kit.db, reader.chat, str(SECURITY))
        if state is None:
            return {f"mute:{first}": topic_button(first, reader.language, left=True)}
        if state.snoozed_until is None:
            return {}
        at = clock(state.snoozed_until, reader.time_zone)
        return {f"snooze:{first}": snooze_button(first, reader.language, until=at)}

    def revises(self, told: StoredAlert) -> int | None:
        """The alert that told the story."""
        return StoryGrew.read(told.payload).told


def wording_of(asked: StoredAlert) -> Wording | None:
    """The new words that an alert asks an operator about; None of any other alert."""
    if asked.payload.kind != StoryGrew.KIND:
        return None
    return StoryGrew.read(asked.payload).wording


def key(told: int) -> str:
    """All edits of one alert have it: a newer one takes the place of what is not sent yet."""
    return f"edit:{told}"


def alert(told: int, why: str, *, now: datetime, expires_at: datetime) -> Alert:
    """An edit of the messages of alert `told`; `why` is unique."""
    return Alert(
        dedup_key=f"{key(told)}:{_digest(why)}",
        payload=StoryGrew(told=told),
        severity=Severity.INFO,
        lane=Lane.ROUTINE,  # it takes slots that news could have
        audience=Audience(told=told),
        created_at=now,
        expires_at=expires_at,
        supersede_key=key(told),
    )


def asked_key(entry: int) -> str:
    """All questions about an entry's new words have it: a newer one takes the place of a former."""
    return f"wording:{entry}"


def _digest(why: str) -> str:
    return hashlib.sha256(why.encode()).hexdigest()[:16]


def correction(
    told: int, wording: Wording, why: str, *, now: datetime, expires_at: datetime
) -> Alert:
    """The question whether an entry's new words may take the place of those that alert `told` told.

    It takes the place of an earlier one about that entry; `why` is unique to the words.
    """
    asked = asked_key(wording.entry)
    return replace(
        alert(told, why, now=now, expires_at=expires_at),
        dedup_key=f"{asked}:{_digest(why)}",
        payload=StoryGrew(told=told, wording=wording),
        supersede_key=asked,
        approval=True,
    )
