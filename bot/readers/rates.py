"""Rates as they are shown: the card, what holds now, the history of a pair."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import storage.rates
from bot.detect.freshness import freshness
from bot.detect.quoted import must_know
from bot.errors import UserError
from bot.model.rates import CardRow, Freshness, Pair, RateCard, RateKind, SeenRate, Series
from bot.readers.disputes import disputes
from bot.sources.specs import Catalog, RateSpec
from bot.sources.timetable import PollSpec
from storage.db import Db

#: What a card and a digest show when the reader chose nothing, in this order.
CURRENCIES = ("USD", "EUR", "RUB", "KZT", "CNY")
# Of a history, so that ten years do not hold the loop: so many take it for 10 ms.
DAYS_AT_ONCE = 400
CURRENCIES_SHOWN = 5  # of a source that quotes none of the usual ones
RESTING_DAYS = 4  # a rate older than a long weekend is not resting, it is late


def leading_source(catalog: Catalog, home: str) -> str:
    """The source whose rates against `home` lead: the first of the catalog that quotes it.

    UserError when no source is enabled.
    """
    leader = catalog.leader(home)
    if leader is not None:
        return leader.key
    for spec in catalog.rates.values():
        if not spec.disabled:
            return spec.key
    raise UserError("error.no_rates")


def local_day(catalog: Catalog, source: str, now: datetime) -> date:
    """Today, where the source is."""
    return now.astimezone(ZoneInfo(catalog.rates[source].poll.zone)).date()


async def rate_card(
    db: Db,
    catalog: Catalog,
    *,
    home: str,
    now: datetime,
    codes: Sequence[str] = (),
    on: date | None = None,
) -> RateCard:
    """The card of the leading source against `home`, today's or a past day's.

    UserError for an unknown currency, a day in the future, a day or a store without rates.
    """
    source = leading_source(catalog, home)
    today = local_day(catalog, source, now)
    day = on or today
    if day > today + timedelta(days=1):
        raise UserError("error.date_future", day=day)
    spec = catalog.rates[source]
    by_code = await _by_code(db, source, day, home, codes or CURRENCIES)
    if not by_code or not by_code.keys() >= set(codes):
        by_code = await _by_code(db, source, day, home, ())  # so that what is known can be named
    chosen = _chosen(codes, by_code)
    rows = tuple(_row(by_code[code], day, past=day < today) for code in chosen)
    held, announced = _shown(rows)
    if not held and not announced:
        raise UserError("error.no_rates_on", day=day, nearest=_nearest_day(by_code, day))
    # what is announced is of a later day than all that holds
    newest = max(announced or held, key=_effective_on)
    card = _card_of(spec, rows, newest, day)
    # a past day's card is neither late nor disputed: what is said of it is of that day
    if day < today:
        return card
    return replace(
        card,
        freshness=await _freshness_of(db, source, spec.poll, newest, now),
        disputes=await disputes(db, catalog, rows),
    )


def _card_of(spec: RateSpec, rows: tuple[CardRow, ...], newest: SeenRate, day: date) -> RateCard:
    """What a card says of its rows by itself; `newest` is one of the latest of them."""
    held, announced = _shown(rows)
    card = RateCard(
        source=spec.key,
        source_names=dict(spec.names),
        zone=spec.poll.zone,
        kind=newest.kind,
        quote=newest.pair.quote,
        on=day,
        rows=rows,
        holds_from=max(map(_effective_on, held), default=None),
        next_on=next(map(_effective_on, announced), None),
    )
    if spec.poll.between is not None:
        card = replace(card, expected_by=spec.poll.between[1])
    if _seen_as_published(spec.poll, newest):
        card = replace(card, seen_at=newest.seen_at)
    return card


def _shown(rows: Sequence[CardRow]) -> tuple[list[SeenRate], list[SeenRate]]:
    """The rates of a card that hold on its day, and those that are announced beside them."""
    held: list[SeenRate] = []
    announced: list[SeenRate] = []
    for row in rows:
        if row.today is not None:
            held.append(row.today)
        if row.tomorrow is not None:
            announced.append(row.tomorrow)
    return held, announced


def _chosen(codes: Sequence[str], by_code: Mapping[str, Sequence[SeenRate]]) -> Sequence[str]:
    """The currencies of a card: those asked for, else the usual ones, else a few of what there is.

    UserError for one that nobody has a rate of, or when there is none at all.
    """
    if not by_code:
        raise UserError("error.no_rates")
    for code in codes:
        if code not in by_code:
            raise UserError("error.currency", code=code, known=", ".join(sorted(by_code)))
    if codes:
        return codes
    usual = []
    for code in CURRENCIES:
        if code in by_code:
            usual.append(code)
    return usual or sorted(by_code)[:CURRENCIES_SHOWN]


def _effective_on(rate: SeenRate) -> date:
    return rate.effective_on


def _nearest_day(by_code: Mapping[str, Sequence[SeenRate]], day: date) -> date:
    """The day with a rate that lies nearest, which a reader is offered instead."""
    days: list[date] = []
    for rates in by_code.values():
        days += map(_effective_on, rates)
    return min(days, key=lambda one: abs(one - day))


async def _by_code(
    db: Db, source: str, day: date, home: str, codes: Sequence[str]
) -> dict[str, list[SeenRate]]:
    """A source's rates around a day by their foreign currency; without `codes` all of them."""
    foreign = set(codes) - {home}
    found: dict[str, list[SeenRate]] = defaultdict(list)
    for item in await storage.rates.around(db, source, day, codes=sorted(foreign)):
        code = item.pair.base
        if code == home:  # a bank abroad quotes it in its own currency
            code = item.pair.quote
        found[code].append(item)
    return found


def _seen_as_published(poll: PollSpec, newest: SeenRate) -> bool:
    """Whether a rate came to us when it was published, and not by a backfill or our first poll."""
    return newest.seen_at.astimezone(ZoneInfo(poll.zone)).date() <= newest.effective_on


def _row(rates: Sequence[SeenRate], day: date, *, past: bool) -> CardRow:
    """What holds on a day, what held before it, and what is announced for the next days."""
    row = CardRow(pair=rates[0].pair)
    for rate in rates:  # oldest first
        if rate.effective_on <= day:
            row = replace(row, today=rate, previous=row.today)
        elif row.tomorrow is None and not past and _soon(rate, day):
            row = replace(row, tomorrow=rate)
    return row


def _soon(rate: SeenRate, day: date) -> bool:
    """Whether an announced rate holds from the next working day on, a long weekend in between."""
    return (rate.effective_on - day).days <= RESTING_DAYS


async def _freshness_of(
    db: Db, source: str, poll: PollSpec, newest: SeenRate, now: datetime
) -> Freshness:
    """How the card stands; the store is asked of the bank's other rates only when this one lags."""
    judge = partial(
        freshness, newest, window=poll.last_window(now), zone=ZoneInfo(poll.zone), now=now
    )
    found = judge()
    if found is Freshness.LATE:
        last = await storage.rates.newest_day(db, source, until=poll.near(now)[1])
        found = judge(published_for=last)
    return found


async def current_rates(db: Db, catalog: Catalog, *, now: datetime) -> list[SeenRate]:
    """What holds now of every enabled source: each series' latest rate by today, where it is."""
    held: dict[Series, SeenRate] = {}
    for spec in catalog.rates.values():
        if spec.disabled:
            continue
        today = local_day(catalog, spec.key, now)
        for item in await storage.rates.around(db, spec.key, today):
            if item.effective_on <= today:
                held[item.series] = item  # oldest first: the last one stays
    return list(held.values())


async def rates_on(db: Db, catalog: Catalog, day: date, *, now: datetime) -> list[SeenRate]:
    """What held on a day of every enabled source; of tomorrow, where it is announced.

    UserError for a day that nobody has a rate for.
    """
    held: dict[Series, SeenRate] = {}
    days: set[date] = set()
    latest = date.min
    for spec in catalog.rates.values():
        if spec.disabled:
            continue
        latest = max(latest, local_day(catalog, spec.key, now))
        for item in await storage.rates.around(db, spec.key, day):
            days.add(item.effective_on)
            if item.effective_on <= day:
                held[item.series] = item  # oldest first: the last one stays
    if day > latest and day not in days:
        raise UserError("error.date_future", day=day)
    if not days:
        raise UserError("error.no_rates")
    if not held:
        nearest = min(days, key=lambda one: abs(one - day))
        raise UserError("error.no_rates_on", day=day, nearest=nearest)
    return list(held.values())


async def chart_history(
    db: Db, catalog: Catalog, pair: Pair, *, home: str, days: int, now: datetime
) -> list[SeenRate]:
    """A pair's last days, oldest first, of the source that leads for it.

    What is announced for tomorrow is in it. `home` chooses what is named to somebody who asks for
    an unknown currency. UserError when there are not two days.
    """
    stored = await storage.rates.known_series(db)
    must_know([pair.base, pair.quote], stored, home=home)
    for series in _drawn(catalog, pair, stored):
        end = local_day(catalog, series.source, now).toordinal() + 1
        history: list[SeenRate] = []
        for first in range(max(1, end - 1 - days), end + 1, DAYS_AT_ONCE):
            since = date.fromordinal(first)
            until = date.fromordinal(min(end, first + DAYS_AT_ONCE - 1))
            history += await storage.rates.history(db, series, since=since, until=until)
        if len(history) > 1:
            return history
    raise UserError("error.no_chart", pair=str(pair))


def _drawn(catalog: Catalog, pair: Pair, stored: Sequence[Series]) -> list[Series]:
    """The series of a pair that enabled sources have, in the order of trying to draw one."""
    found: list[Series] = []
    for one in stored:
        spec = catalog.rates.get(one.source)
        if one.pair == pair and spec is not None and not spec.disabled:
            found.append(one)
    leader = catalog.leader(pair.quote)
    order = list(RateKind)  # the official one first, our own arithmetic last
    found.sort(key=lambda one: (leader is None or one.source != leader.key, order.index(one.kind)))
    return found
