"""The digest of a day, told at the time a chat chose: key, life and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

import storage.alerts
import storage.chats
import storage.filters
import storage.stories
import storage.told
from bot.alerts.kind import Kind, Kit, Reader, followed
from bot.i18n import moment, name_of
from bot.model.alerts import About, Alert, Audience, Lane, Payload, Severity
from bot.model.chats import Post, Style
from bot.model.subjects import DigestSubject, bases_of, digests_of, topics_of
from bot.readers.digest import Digest, day_digest
from bot.readers.news import as_told
from bot.render import digest as render
from bot.render.here import message_address
from bot.render.phrases import phrase, when
from bot.render.text import Message, Rich, link
from storage.alerts import StoredAlert
from storage.told import Heard

LATE = timedelta(minutes=10)  # behind its hour, from which on it says that it is late
LASTS = timedelta(hours=6)  # of its hour; who was away for longer gets none of that day


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestDue(Payload):
    """A digest for the calendar day `day`; `late` when its time was missed and caught up."""

    KIND = "digest"
    POST = Post.DIGESTS

    day: date
    late: bool = False

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": self.VERSION, "day": self.day.isoformat(), "late": self.late}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(day=date.fromisoformat(data["day"]), late=data["late"])


class Digests(Kind):
    """The digest of a day."""

    payload = DigestDue
    texts = (
        "digest.late",
        "digest.empty",
        "digest.told",
        "rates.rate",
        "rates.tomorrow",
        "filters.left_out",
        "news.read_on",
    )
    own = True  # of what each chat follows

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """The day's rates and its one story, of what the chat follows, by its headline alone where
        an alert told it already; nothing where the chat wants no digest of that hour any more.
        """
        keys = await storage.chats.subscriptions(kit.db, reader.chat)
        if not await _is_wanted(kit, told, keys):
            return None
        due = DigestDue.read(told.payload)
        return await _shown(kit, due, await _found(kit, due, reader, keys), reader)


async def words_again(kit: Kit, told: StoredAlert, reader: Reader, story: int) -> Message | None:
    """A digest with its story as that is reported now; None where it told another one."""
    keys = await storage.chats.subscriptions(kit.db, reader.chat)
    due = DigestDue.read(told.payload)
    found = await _found(kit, due, reader, keys, known_at=told.created_at)
    if found.story is None or found.story.pk != story:
        return None
    now = await storage.stories.get(kit.db, story)
    if now is None:
        return None
    return await _shown(kit, due, replace(found, story=as_told(now, kit.catalog.news)), reader)


async def _found(
    kit: Kit,
    due: DigestDue,
    reader: Reader,
    keys: Sequence[str],
    *,
    known_at: datetime | None = None,
) -> Digest:
    """The digest of a chat that follows `keys`; with `known_at` of reports known by then."""
    order = await storage.chats.currency_order(kit.db, reader.chat)
    return await day_digest(
        kit.db,
        kit.catalog,
        day=due.day,
        home=reader.home,
        zone=reader.time_zone,
        language=reader.language,
        codes=bases_of(keys, reader.home, order=order),
        order=order,
        topics=topics_of(keys),
        filters=await storage.filters.of_chat(kit.db, reader.chat),
        chat=reader.chat,
        known_at=known_at,
    )


async def _shown(kit: Kit, due: DigestDue, found: Digest, reader: Reader) -> Message:
    style, source_name, before = reader.style, "", None
    if found.story is not None:
        about = About(story=found.story.pk)
        before = await storage.told.heard(kit.db, reader.chat, about)
    if before is not None:
        style = Style.HEADLINE  # the chat has read the rest
    if found.source is not None:
        source_name = name_of(kit.source_names(found.source), reader.language)
    return render.digest(
        found.rates,
        found.story,
        style,
        reader.language,
        found.day,
        late=due.late,
        source_name=source_name,
        feed_names=kit.catalog.feed_names,
        following=found.following,
        left_out=found.left_out,
        zone=reader.time_zone,
        told=_told(before, due.day, reader),
    )


def _told(before: Heard | None, day: date, reader: Reader) -> Rich | None:
    """The time at which its alert told the story; a way to that message where one leads there."""
    if before is None:
        return None
    zone, way = reader.time_zone, None
    if before.message:
        way = message_address(reader.chat, before.message)
    today = datetime.combine(day, time(12), ZoneInfo(zone))
    if way is None:
        here = when(before.at, reader.language, zone, now=today)
        return phrase("digest.told", reader.language, at=here)
    at = moment(before.at, reader.language, zone, now=today)
    return link(phrase("digest.told", reader.language, at=at), way)


async def _is_wanted(kit: Kit, told: StoredAlert, keys: Sequence[str]) -> bool:
    """Whether the chat still wants the digest of that hour; in another zone it is the same one."""
    audience = await storage.alerts.audience(kit.db, told.id)
    due = None if audience is None else followed(audience)
    if not isinstance(due, DigestSubject):
        return True
    return due.at in {one.at for one in digests_of(keys)}


def alert(subject: DigestSubject, day: date, slot: datetime, *, now: datetime) -> Alert:
    """The digest of a day whose time came at `slot`; a newer one replaces it while it is unsent."""
    # the store counts the time that is left from its own now
    expires_at = slot + (slot + LASTS - now)
    return Alert(
        dedup_key=f"{subject}:{day}",
        payload=DigestDue(day=day, late=now - slot > LATE),
        severity=Severity.INFO,
        lane=Lane.ROUTINE,
        audience=Audience(subscription=str(subject)),
        created_at=slot,  # for those who wanted it then
        expires_at=expires_at,
        supersede_key=str(subject),
    )
