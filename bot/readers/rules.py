"""A chat's own rules beside the store: what can be watched, tried on stored history, offered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import storage.rates
from bot.detect.offers import offered
from bot.detect.proposals import Proposal, proposed
from bot.detect.quoted import watchable, watched
from bot.errors import UserError
from bot.model.rates import Pair, SeenRate, Series
from bot.model.rules import Condition, Direction, Rule
from bot.model.subjects import CURRENCIES
from bot.readers.rates import local_day
from bot.sources.specs import Catalog
from storage.db import Db

TRIED_FOR = timedelta(days=365)  # of history: long enough to be called a year in words


async def try_rule(
    db: Db, catalog: Catalog, rule: Rule, *, now: datetime, bare: bool = False
) -> Proposal:
    """A rule on stored history; UserError when nobody gives such a rate, or its last day is over.

    A `bare` number (`TypedRule`) becomes a level where it is near the latest rate.
    """
    series = await _series_of(db, catalog, rule)
    today = local_day(catalog, series.source, now)
    history = await _tried_on(db, series, today)
    # a long window takes 20 ms, which others would wait
    return await asyncio.to_thread(proposed, rule, series, history, today=today, bare=bare)


async def _series_of(db: Db, catalog: Catalog, rule: Rule) -> Series:
    """The series that a rule watches, of those whose source still brings something."""
    known: list[Series] = []
    for one in await storage.rates.known_series(db):
        if one.source in catalog.rates:
            known.append(one)
    first = catalog.leader(rule.pair.quote)
    leader = None if first is None else first.key
    return watched(rule, known, leader=leader)


async def _tried_on(db: Db, series: Series, today: date) -> list[SeenRate]:
    """The past year to tomorrow, whose rate is known today: a rule will be asked about it next."""
    return await storage.rates.history(
        db, series, since=today - TRIED_FOR, until=today + timedelta(days=1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The latest rate of a pair, and the rules worth a button, row by row."""

    latest: SeenRate
    today: date
    rules: tuple[tuple[Rule, ...], ...]


async def rule_currencies(db: Db, *, home: str) -> list[str]:
    """The currencies that own rules can watch against `home`, the usual ones first."""
    known = await storage.rates.known_series(db)
    return watchable(home, known, usual=CURRENCIES)


async def offer_rules(db: Db, catalog: Catalog, pair: Pair, *, now: datetime) -> Offer:
    """Rules at round figures near a pair's latest rate; UserError when there is none."""
    plain = Rule(pair=pair, condition=Condition.LEVEL, amount=Decimal(1), direction=Direction.UP)
    series = await _series_of(db, catalog, plain)
    today = local_day(catalog, series.source, now)
    history = await _tried_on(db, series, today)
    if not history:
        raise UserError("error.no_rates")
    return Offer(
        latest=history[-1], today=today, rules=offered(pair, series.kind, history[-1].per_unit)
    )
