"""Answers to questions about money: conversions, and what round amounts are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import storage.rates
from bot.convert import Answer, Question, convert
from bot.errors import UserError
from bot.model.rates import Pair, Rate, RateKind, SeenRate, Series
from bot.readers.rates import CURRENCIES, leading_source, local_day, must_know
from bot.sources.specs import Catalog
from storage.db import Db

WORTH_SENDING = (
    500  # of home currency: the smallest of the round amounts; for RUB/KGS that is 1,000 roubles
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One equation of an answer: `amount` of `base` in `quote`."""

    amount: Decimal
    base: str
    quote: str
    answer: Answer


def conversions(asked: Question, rates: Sequence[Rate], *, home: str) -> list[Conversion]:
    """A question's answers: each reading of its amount, and the way back too where no target was
    said.

    UserError when no source relates the two currencies.
    """
    target = asked.target or (
        home if asked.source != home else next(code for code in CURRENCIES if code != home)
    )
    ways = (
        [(asked.source, target)]
        if asked.target
        else [(asked.source, target), (target, asked.source)]
    )
    found = []
    for base, quote in ways:
        must_know([base, quote], [rate.series for rate in rates], home=home)
        for amount in [asked.amount] if asked.other is None else [asked.amount, asked.other]:
            answer = convert(amount, base, quote, rates, home)
            if answer is None:
                raise UserError("error.no_conversion", base=base, quote=quote)
            found.append(Conversion(amount=amount, base=base, quote=quote, answer=answer))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Round amounts of a currency and the rates that tell what they are worth, now and a week
    ago.
    """

    amounts: tuple[Decimal, ...]
    latest: SeenRate
    week_ago: SeenRate | None
    today: date


async def round_amounts(
    db: Db, catalog: Catalog, code: str, *, home: str, now: datetime
) -> Amounts:
    """What round amounts of a currency are worth at home, as people who send money ask; UserError
    without a rate.
    """
    source = leading_source(catalog, home)
    today = local_day(catalog, source, now)
    series = (
        Series(source, Pair(code, home), RateKind(catalog.rates[source].kind))
        if code != home
        else None
    )
    week = today - timedelta(days=7)
    since = week - timedelta(
        days=14
    )  # a rate that nobody changed for longer is no rate of last week
    history = await storage.rates.history(db, series, since=since, until=today) if series else []
    if not history:
        must_know([code], await storage.rates.known_series(db), home=home)
        raise UserError("error.no_conversion", base=code, quote=home)
    latest = history[-1]
    first = next(
        10**power
        for power in range(12)
        if latest.per_unit * 10**power >= WORTH_SENDING or power == 11
    )
    return Amounts(
        amounts=tuple(Decimal(first * times) for times in (1, 5, 10, 50, 100)),
        latest=latest,
        week_ago=next((one for one in reversed(history) if one.effective_on <= week), None),
        today=today,
    )
