"""The worth of round amounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import storage.rates
from bot.detect import amounts
from bot.detect.quoted import must_know
from bot.detect.series import holding
from bot.errors import UserError
from bot.model.rates import Pair, RateKind, SeenRate, Series
from bot.readers.rates import leading_source, local_day
from bot.sources.specs import Catalog
from storage.db import Db

UNCHANGED = timedelta(days=14)  # a rate nobody changed for longer is none of last week


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Round amounts of a currency, and the rates that tell their worth now and a week ago."""

    amounts: tuple[Decimal, ...]
    latest: SeenRate
    week_ago: SeenRate | None
    today: date


async def round_amounts(
    db: Db, catalog: Catalog, code: str, *, home: str, now: datetime
) -> Amounts:
    """The worth of a currency's round amounts at home, as people who send money ask for it.

    UserError without a rate.
    """
    source = leading_source(catalog, home)
    today = local_day(catalog, source, now)
    week = today - timedelta(days=7)
    history: list[SeenRate] = []
    if code != home:
        series = Series(source, Pair(code, home), RateKind(catalog.rates[source].kind))
        history = await storage.rates.history(db, series, since=week - UNCHANGED, until=today)
    if not history:
        must_know([code], await storage.rates.known_series(db), home=home)
        raise UserError("error.no_conversion", base=code, quote=home)
    latest = history[-1]
    return Amounts(
        amounts=amounts.round_amounts(latest.per_unit),
        latest=latest,
        week_ago=holding(history, week).get(latest.series),
        today=today,
    )
