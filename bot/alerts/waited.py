"""Alerts that waited for the end of a chat's quiet hours, told in one message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import storage.alerts
import storage.chats
import storage.filters
import storage.quiet
import storage.stories
from bot.alerts.kind import Brief, Kind, Kit, Reader, is_told_together, kind_among
from bot.detect.filters import Looked, keeps_back
from bot.errors import NewerError
from bot.model.alerts import Alert, Audience, Lane, Payload, Severity
from bot.model.chats import Sound
from bot.model.filters import StoredFilter
from bot.render import quiet as render
from bot.render.text import Message
from storage.alerts import StoredAlert

LASTS = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatWaited(Payload):
    """All that was held for one chat in its quiet `hours`, as written; empty when it has none any
    more. What that was stands with the deliveries.
    """

    KIND = "waited"

    hours: str

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": self.VERSION, "hours": self.hours}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(hours=data["hours"])


class Waited(Kind):
    """All that waited."""

    payload = WhatWaited
    texts = (
        "button.why",
        "filters.left_out",
        "move.effective",
        "waited.title",
        "waited.before",
        "waited.after",
        "waited.more",
        "waited.why",
        "waited.why_past",
        "waited.tune",
    )
    own = True  # of what each chat was not told

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """Rates that moved as a table, stories as headlines, as they are now; what is over, muted
        or no longer followed is left out.
        """
        briefs: list[Brief] = []
        left_out = 0
        unread: list[int] = []
        async for one, brief in _parts(kit, told, reader, unread):
            if brief is not None:
                briefs.append(brief)
            left_out += one is None
        return render.waited(
            briefs,
            reader.language,
            alert=told.id,
            home=reader.home,
            source_names=kit.source_names,
            left_out=left_out,
            unread=len(unread),
            channel=reader.channel,
        )

    async def why(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """Because of the quiet hours; and when each part of it was decided."""
        parts: list[tuple[datetime, Brief]] = []
        async for one, brief in _parts(kit, told, reader, []):
            if one is not None and brief is not None:
                parts.append((one.created_at, brief))
        hours = WhatWaited.read(told.payload).hours
        return render.why_waited(hours, parts, reader.language, reader.time_zone)


def alert(chat: int, hours: str | None, last: int, now: datetime) -> Alert:
    """The alert about what was held for a chat, up to its `last` delivery; without sound."""
    return Alert(
        dedup_key=f"waited:{last}",
        payload=WhatWaited(hours=hours or ""),
        severity=Severity.INFO,
        lane=Lane.ALERT,  # alerts are in it: a lost answer must not lose them
        audience=Audience(chat=chat),
        created_at=now,
        expires_at=now + LASTS,
    )


async def _parts(
    kit: Kit, told: StoredAlert, reader: Reader, unread: list[int]
) -> AsyncIterator[tuple[StoredAlert | None, Brief | None]]:
    """Each alert that waited, with what it says now; nothing in the place of one that is muted.

    What this program cannot read joins the `unread`.
    """
    # asked now: while it waited the chat may have unfollowed it, turned it off or filtered it
    chat = await storage.chats.get(kit.db, reader.chat)
    sounds = {} if chat is None else chat.sounds
    follows = set(await storage.chats.subscriptions(kit.db, reader.chat))
    filters = await storage.filters.of_chat(kit.db, reader.chat)
    for number in await storage.quiet.collected(kit.db, told.id, reader.chat):
        one = await storage.alerts.get(kit.db, number)
        audience = await storage.alerts.audience(kit.db, number)
        if one is None or audience is None:
            continue
        try:
            kind = kind_among(kit.kinds, one)
            kind.payload.read(one.payload)  # what it consists of, too
        except NewerError:  # the rest is told without it
            unread.append(number)
            continue
        if not is_told_together(kind.payload):
            continue
        if audience.subscription is not None and audience.subscription not in follows:
            continue
        if one.post is not None and sounds.get(one.post) is Sound.OFF:
            continue
        if await _keeps_back(kit, filters, kind, one):
            yield None, None
            continue
        yield one, await kind.brief(kit, one, reader)


async def _keeps_back(
    kit: Kit, filters: Sequence[StoredFilter], kind: Kind, told: StoredAlert
) -> bool:
    """Whether the chat's filters keep an alert back, by what they say now."""
    if not filters:
        return False
    number, story = kind.story(told), kind.news(told)
    if number is not None:
        story = await storage.stories.get(kit.db, number)
    return story is not None and keeps_back(filters, Looked(story, told.near)) is not None
