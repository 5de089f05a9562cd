"""What a digest tells of a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import storage.news
import storage.rates
from bot.detect.digests import story_of_the_day
from bot.errors import UserError
from bot.model.news import Story
from bot.model.rates import RateKind, SeenRate
from bot.readers.rates import leading_source
from bot.sources.specs import Catalog
from bot.sources.standing import led
from storage.db import Db

DIGEST_CURRENCIES = ("USD", "EUR", "RUB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a digest tells of a day: rates in order, and the one story worth it, if any."""

    day: date
    source: str | None
    rates: tuple[SeenRate, ...]
    story: Story | None


async def day_digest(
    db: Db,
    catalog: Catalog,
    *,
    day: date,
    home: str,
    zone: str,
    language: str,
    codes: Sequence[str] = (),
    topics: Sequence[str] = (),
) -> Digest:
    """The rates that hold on a day, and its most severe story, in the reader's language first."""
    try:
        source = leading_source(catalog, home)
    except UserError:
        source = None
    rates: list[SeenRate] = []
    if source is not None:
        held: dict[str, SeenRate] = {}
        for item in await storage.rates.around(db, source, day):
            # a digest names one source for all its rates; our own arithmetic is not that source's
            if item.pair.quote != home or item.kind is RateKind.CROSS:
                continue
            if item.effective_on <= day:
                held[item.pair.base] = item  # oldest first: the last one holds
        for code in codes or DIGEST_CURRENCIES:
            if code in held:
                rates.append(held[code])
    start = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    end = start + timedelta(days=1)
    last = end - timedelta(microseconds=1)  # the store takes both ends as belonging to it
    stories = await storage.news.latest(db, since=start, before=last, limit=200, unasked=False)
    led_by_trust = [led(story, catalog.news) for story in stories]
    told = story_of_the_day(led_by_trust, language=language, topics=topics)
    return Digest(day=day, source=source, rates=tuple(rates), story=told)
