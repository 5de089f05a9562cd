"""The content of a day's digest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import storage.rates
import storage.stories
from bot.detect.digests import by_worth, rates_of_day
from bot.detect.filters import keeps_back
from bot.errors import UserError
from bot.model.filters import StoredFilter
from bot.model.news import Story
from bot.model.rates import SeenRate
from bot.model.subjects import DIGEST_CURRENCIES, in_order
from bot.readers.looked import looked_at
from bot.readers.news import as_told
from bot.readers.rates import leading_source
from bot.sources.specs import Catalog
from storage.db import Db


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The content of a day's digest: rates in order, and the one story worth it, if any."""

    day: date
    source: str | None
    rates: tuple[SeenRate, ...]
    story: Story | None
    #: Of a currency whose rate for the day after is known, that rate.
    following: Mapping[str, SeenRate] = field(default_factory=dict)
    left_out: int = 0  # stories that were worth more, and that the chat's filters keep back


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
    filters: Sequence[StoredFilter] = (),
    chat: int | None = None,
    known_at: datetime | None = None,
    order: Sequence[str] = (),
) -> Digest:
    """The rates that hold on a day, and its most severe story, in the reader's language first, but
    none that the `chat` withholds; of the reports that were `known_at` a time alone. Who chose
    currencies and no topic asked for no story; who chose none has the usual ones in its `order`.
    """
    try:
        source = leading_source(catalog, home)
    except UserError:
        source = None
    held: Mapping[str, SeenRate] = {}
    following: Mapping[str, SeenRate] = {}
    if source is not None:
        around = await storage.rates.around(db, source, day)
        held, following = rates_of_day(around, day, home=home)
    start = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    end = start + timedelta(days=1)
    last = end - timedelta(microseconds=1)  # the store takes both ends as belonging to it
    stories = await storage.stories.latest(
        db, since=start, before=last, limit=200, unasked=False, reader=chat, kin=catalog.kin
    )
    current = [as_told(story, catalog.news) for story in _as_known(stories, known_at)]
    ranked: list[Story] = []
    if topics or not codes:
        ranked = by_worth(current, language=language, topics=topics)
    wanted = codes or in_order(DIGEST_CURRENCIES, order)
    told, left_out = await _first_let_through(ranked, filters, catalog)
    return Digest(
        day=day,
        source=source,
        rates=tuple(held[code] for code in wanted if code in held),
        story=told,
        following=following,
        left_out=left_out,
    )


async def _first_let_through(
    ranked: Sequence[Story], filters: Sequence[StoredFilter], catalog: Catalog
) -> tuple[Story | None, int]:
    """The first story that no filter keeps back, and how many before it are kept back."""
    left_out = 0
    for story in ranked:
        if not filters or keeps_back(filters, looked_at(story, catalog)) is None:
            return story, left_out
        left_out += 1
        await asyncio.sleep(0)  # the words of a long text take a millisecond
    return None, left_out


def _as_known(stories: Sequence[Story], at: datetime | None) -> list[Story]:
    """Stories without the reports that were not there at a time; of None, as they are."""
    if at is None:
        return list(stories)
    known: list[Story] = []
    for story in stories:
        reports = tuple(one for one in story.entries if one.seen_at <= at)
        if reports:
            severity = max((one.severity for one in reports), key=lambda one: one.rank)
            known.append(replace(story, entries=reports, severity=severity))
    return known
