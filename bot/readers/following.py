"""The subjects that a chat follows, and when each of them last spoke to that chat."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import storage.alerts
import storage.chats
from bot.detect.quoted import followable
from bot.model.subjects import (
    CURRENCIES,
    READERS_TOPICS,
    SECURITY,
    DigestSubject,
    PairSubject,
    TopicSubject,
    WeekSubject,
    digests_of,
    in_order,
    pairs_of,
    topics_of,
    weeks_of,
)
from bot.readers.rules import rule_currencies
from bot.sources.hazards import HazardSpec
from bot.sources.specs import Catalog
from storage.db import Db


@dataclass(frozen=True, slots=True)
class Followed:
    """A subscription and the last time that it told this chat something, if it is remembered."""

    subject: PairSubject | TopicSubject | DigestSubject | WeekSubject
    told_at: datetime | None


async def currencies_offered(
    db: Db, home: str, *, chosen: Collection[str] = (), order: Collection[str] = ()
) -> tuple[str, ...]:
    """The currencies to follow against `home`, those that are `chosen` already among them, in the
    `order` of the chat.
    """
    brought = await rule_currencies(db, home=home)
    found = followable(home, brought, usual=CURRENCIES, chosen=chosen)
    return tuple(in_order(found, order))


def topics_offered(catalog: Catalog, *, chosen: Collection[str] = ()) -> tuple[str, ...]:
    """The topics that a source of news may bring, those that are `chosen` already among them: an
    institute measures dangers alone, and without any source a topic would bring nothing, ever.
    """
    news = [spec for spec in catalog.news.values() if not spec.disabled]
    offered = set(chosen)
    if news:
        offered.add(SECURITY.topic)
    if any(not isinstance(spec, HazardSpec) for spec in news):
        offered.update(READERS_TOPICS)
    return tuple(topic for topic in READERS_TOPICS if topic in offered)


async def followed(db: Db, chat_id: int) -> list[Followed]:
    """A chat's currencies, topics, digests and summary of the week, in the order in which they are
    offered.
    """
    keys = await storage.chats.subscriptions(db, chat_id)
    pairs = pairs_of(keys)
    order = in_order((pair.base for pair in pairs), await storage.chats.currency_order(db, chat_id))
    pairs.sort(key=lambda pair: (order.index(pair.base), pair))
    topics = [topic for topic in READERS_TOPICS if topic in topics_of(keys)]
    subjects: list[PairSubject | TopicSubject | DigestSubject | WeekSubject] = []
    subjects += map(PairSubject, pairs)
    subjects += map(TopicSubject, topics)
    digests = digests_of(keys)
    digests.sort(key=lambda digest: digest.at)
    subjects += digests
    subjects += weeks_of(keys)
    told = await storage.alerts.last_told(db, chat_id, list(map(str, subjects)))
    return [Followed(subject, told.get(str(subject))) for subject in subjects]
