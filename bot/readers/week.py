"""The facts of a week's summary: each currency's week, and the stories about security."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import storage.rates
import storage.stories
from bot.detect.digests import by_worth
from bot.detect.filters import keeps_back
from bot.detect.quoted import drawable
from bot.detect.weeks import currency_week
from bot.errors import UserError
from bot.model.filters import StoredFilter
from bot.model.news import Story
from bot.model.rates import Pair
from bot.model.subjects import SECURITY
from bot.model.weeks import DAYS, CurrencyWeek, WeekSummary
from bot.readers.looked import looked_at
from bot.readers.news import as_told
from bot.readers.rates import leading_source
from bot.sources.specs import Catalog
from storage.db import Db

PAST = timedelta(days=30)  # drawn before the week: what is usual
MOST_STORIES = 3
MOST_COUNTED = 500


async def week_summary(
    db: Db,
    catalog: Catalog,
    *,
    first: date,
    home: str,
    zone: str,
    language: str,
    codes: Sequence[str],
    security: bool,
    filters: Sequence[StoredFilter] = (),
    chat: int | None = None,
) -> WeekSummary:
    """The week of these currencies against `home` and, where the chat follows `security`, of the
    news about it, without what it withholds.
    """
    source, currencies = await _currencies(db, catalog, first, home, codes)
    found = WeekSummary(first=first, source=source, currencies=tuple(currencies))
    if not security:
        return found
    begin = datetime.combine(first, time(), ZoneInfo(zone)).astimezone(UTC)
    stories = await storage.stories.latest(
        db,
        topics=[SECURITY.topic],
        since=begin,
        before=begin + DAYS - timedelta(microseconds=1),
        limit=MOST_COUNTED,
        unasked=False,
        reader=chat,
        kin=catalog.kin,
    )
    kept = await _let_through(stories, filters, catalog)
    ranked = by_worth([as_told(story, catalog.news) for story in kept], language=language)
    return WeekSummary(
        first=first,
        source=source,
        currencies=found.currencies,
        stories=tuple(ranked[:MOST_STORIES]),
        count=len(kept),
        left_out=len(stories) - len(kept),
    )


async def _currencies(
    db: Db, catalog: Catalog, first: date, home: str, codes: Sequence[str]
) -> tuple[str | None, list[CurrencyWeek]]:
    """The leading source, and each currency's week by what it says."""
    try:
        source = leading_source(catalog, home)
    except UserError:
        return None, []
    known = await storage.rates.known_series(db, source)
    found: list[CurrencyWeek] = []
    for code in codes:
        pair = Pair(code, home)
        for series in drawable(pair, known, sources=[source], leader=source)[:1]:
            until = first + DAYS - timedelta(days=1)
            history = await storage.rates.history(db, series, since=first - PAST, until=until)
            week = currency_week(history, first)
            if week is not None:
                found.append(week)
    return source, found


async def _let_through(
    stories: Sequence[Story], filters: Sequence[StoredFilter], catalog: Catalog
) -> list[Story]:
    kept: list[Story] = []
    for story in stories:
        if not filters or keeps_back(filters, looked_at(story, catalog)) is None:
            kept.append(story)
        if filters:
            await asyncio.sleep(0)  # the words of a long text take a millisecond
    return kept
