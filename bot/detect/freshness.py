"""Whether a source's rates are those of the day, rest over a weekend, or are late."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.model.rates import Freshness, SeenRate


def freshness(
    newest: SeenRate,
    *,
    window: date,
    zone: ZoneInfo,
    now: datetime,
    published_for: date | None = None,
) -> Freshness:
    """The freshness of the newest rate; `window` is the day, in `zone`, of the bank's last
    publishing.

    Late when that window brought nothing: no rate of its own day, or, of a bank whose rates come
    the day before they count, none of a later day. `published_for` is the newest day the bank has
    a rate of any currency for: some currencies are set more seldom than others, and rest while
    their bank publishes.
    """
    # some banks publish today what counts from tomorrow; which kind this is, its newest rate tells
    ahead = newest.seen_at.astimezone(zone).date() < newest.effective_on
    expected = window + timedelta(days=ahead)
    if max(newest.effective_on, published_for or date.min) < expected:
        return Freshness.LATE
    if newest.effective_on >= now.astimezone(zone).date():
        return Freshness.CURRENT
    return Freshness.RESTING
