"""The summary of a week, told on Monday at the hour of a chat's digests: key, life and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self

import storage.chats
import storage.filters
import storage.told
from bot.alerts.kind import Kind, Kit, Reader
from bot.i18n import name_of
from bot.model.alerts import Alert, Audience, Lane, Payload, Severity
from bot.model.chats import Post
from bot.model.subjects import (
    DIGEST_CURRENCIES,
    SECURITY,
    WeekSubject,
    bases_of,
    in_order,
    topics_of,
    weeks_of,
)
from bot.model.weeks import DAYS
from bot.readers.week import week_summary
from bot.render import week as render
from bot.render.text import Message
from storage.alerts import StoredAlert

LASTS = timedelta(days=1)
#: In which nobody is told of a week twice, whatever became of the hour or the zone meanwhile.
APART = timedelta(days=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekDue(Payload):
    """A summary of the week that began on the Monday `first`."""

    KIND = "week"
    POST = Post.DIGESTS

    first: date

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {"v": self.VERSION, "first": self.first.isoformat()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(first=date.fromisoformat(data["first"]))


class Weeks(Kind):
    """The summary of a week."""

    payload = WeekDue
    texts = (
        "week.title",
        "week.same",
        "week.between",
        "week.security",
        "week.calm",
        "week.picture",
        "filters.left_out",
    )
    own = True  # of what each chat follows

    async def words(self, kit: Kit, told: StoredAlert, reader: Reader) -> Message | None:
        """The week of the currencies and of the news that the chat follows, as of a digest; nothing
        where it wants none any more, or had it at the hour that it chose before.
        """
        keys = await storage.chats.subscriptions(kit.db, reader.chat)
        since = told.created_at - APART
        if not weeks_of(keys) or await storage.told.was_told(
            kit.db, reader.chat, WeekDue.KIND, since=since
        ):
            return None
        order = await storage.chats.currency_order(kit.db, reader.chat)
        codes, topics = bases_of(keys, reader.home, order=order), topics_of(keys)
        found = await week_summary(
            kit.db,
            kit.catalog,
            first=WeekDue.read(told.payload).first,
            home=reader.home,
            zone=reader.time_zone,
            language=reader.language,
            codes=codes or in_order(DIGEST_CURRENCIES, order),
            security=SECURITY.topic in topics or not (topics or codes),
            filters=await storage.filters.of_chat(kit.db, reader.chat),
            chat=reader.chat,
        )
        name = ""
        if found.source is not None:
            name = name_of(kit.source_names(found.source), reader.language)
        return render.week(found, reader.language, source_name=name)


def alert(subject: WeekSubject, monday: date, slot: datetime, *, now: datetime) -> Alert:
    """The summary of the week before a Monday, whose time came at `slot`."""
    # the store counts the time that is left from its own now
    expires_at = slot + (slot + LASTS - now)
    return Alert(
        dedup_key=f"{subject}:{monday}",
        payload=WeekDue(first=monday - DAYS),
        severity=Severity.INFO,
        lane=Lane.ROUTINE,
        audience=Audience(subscription=str(subject)),
        created_at=slot,  # for those who wanted it then
        expires_at=expires_at,
        supersede_key=str(subject),
    )
