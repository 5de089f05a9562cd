"""The digest of a day, told at the time a chat chose: key, life and words."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import ClassVar

import storage.chats
from bot.alerts.kind import Desk, Reader, Told
from bot.i18n import name_of
from bot.model.alerts import Alert, Audience, DigestDue, Lane, Severity
from bot.model.rates import Pair
from bot.model.subjects import DigestSubject, pairs_of, topics_of
from bot.readers.digest import day_digest
from bot.readers.rates import CURRENCIES
from bot.render import digest as render
from bot.render.text import Message
from storage.alerts import StoredAlert

LATE = timedelta(minutes=10)
LASTS = timedelta(hours=6)


class Digests(Told):
    """The digest of a day."""

    payload: ClassVar[type[DigestDue]] = DigestDue
    own: ClassVar[bool] = True  # of what each chat follows

    async def words(self, desk: Desk, told: StoredAlert, reader: Reader) -> Message | None:
        """The day's rates and its one story, of what the chat follows."""
        due: DigestDue = told.payload
        keys = await storage.chats.subscriptions(desk.db, reader.chat)
        pairs = pairs_of(keys)
        found = await day_digest(
            desk.db,
            desk.catalog,
            day=due.day,
            home=reader.home,
            zone=reader.time_zone,
            language=reader.language,
            codes=[code for code in CURRENCIES if Pair(code, reader.home) in pairs],
            topics=topics_of(keys),
        )
        names = dict(desk.catalog.rates[found.source].names) if found.source else {}
        return render.digest(
            found.rates,
            found.story,
            reader.style,
            reader.language,
            found.day,
            late=due.late,
            source_name=name_of(names, reader.language),
            feed_names=desk.catalog.feed_names,
        )


def alert(subject: DigestSubject, day: date, slot: datetime, *, now: datetime) -> Alert:
    """The digest of a day whose time came at `slot`; a newer one takes the place of what is not
    sent yet.
    """
    return Alert(
        dedup_key=f"{subject}:{day}",
        payload=DigestDue(day=day, late=now - slot > LATE),
        severity=Severity.INFO,
        lane=Lane.ROUTINE,
        audience=Audience(subscription=str(subject)),
        created_at=slot,  # for those who wanted it then
        expires_at=slot
        + (slot + LASTS - now),  # the store counts the time that is left from its own now
        supersede_key=str(subject),
    )
