"""Rates as they are shown: the card, what holds now, the history of a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import storage.rates
from bot.detect.freshness import freshness
from bot.errors import UserError
from bot.model.rates import CardRow, Freshness, Pair, RateCard, RateKind, SeenRate, Series
from bot.readers.disputes import disputes
from bot.sources.specs import Catalog, PollSpec
from storage.db import Db

#: What a card and a digest show when the reader chose nothing, in this order.
CURRENCIES = ("USD", "EUR", "RUB", "KZT", "CNY")
SLICE = 1000  # days of history read at once: ten years in one go would hold the loop for 30 ms
RESTING_DAYS = 4  # a rate older than a long weekend is not resting, it is late


def leading_source(catalog: Catalog, home: str) -> str:
    """The source whose rates against `home` lead: the first of the catalog that quotes it;
    UserError when none does.
    """
    leader = catalog.leader(home) or next(
        (spec for spec in catalog.rates.values() if not spec.disabled), None
    )
    if leader is not None:
        return leader.key
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
        by_code = await _by_code(db, source, day, home, ())
    if not by_code:
        raise UserError("error.no_rates")
    unknown = [code for code in codes if code not in by_code]
    if unknown:
        raise UserError("error.currency", code=unknown[0], known=", ".join(sorted(by_code)))
    chosen = codes or [code for code in CURRENCIES if code in by_code] or sorted(by_code)[:5]
    rows = tuple(_row(by_code[code], day, past=day < today) for code in chosen)
    if all(row.today is None and row.tomorrow is None for row in rows):
        days = [item.effective_on for items in by_code.values() for item in items]
        nearest = min(days, key=lambda one: abs(one - day))
        raise UserError("error.no_rates_on", day=day, nearest=nearest)
    newest = max(
        filter(None, [row.tomorrow or row.today for row in rows]),
        key=lambda item: item.effective_on,
    )
    holding = max((row.today.effective_on for row in rows if row.today), default=None)
    return RateCard(
        source=source,
        source_names=dict(spec.names),
        zone=spec.poll.zone,
        kind=newest.kind,
        quote=newest.pair.quote,
        on=day,
        rows=rows,
        freshness=await _freshness_of(db, source, spec.poll, newest, now)
        if day >= today
        else Freshness.CURRENT,
        seen_at=newest.seen_at if _seen_as_published(spec.poll, newest) else None,
        holds_from=holding,
        next_on=next((row.tomorrow.effective_on for row in rows if row.tomorrow), None),
        expected_by=spec.poll.between[1] if spec.poll.between else None,
        disputes=await disputes(db, catalog, rows) if day >= today else (),
    )


async def _by_code(
    db: Db, source: str, day: date, home: str, codes: Sequence[str]
) -> dict[str, list[SeenRate]]:
    """A source's rates around a day by the currency that is not `home`; of some currencies only, or
    of all.
    """
    found: dict[str, list[SeenRate]] = {}
    for item in await storage.rates.around(
        db, source, day, codes=[code for code in codes if code != home]
    ):
        found.setdefault(item.pair.base if item.pair.quote == home else item.pair.quote, []).append(
            item
        )
    return found


def _seen_as_published(poll: PollSpec, newest: SeenRate) -> bool:
    """Whether it came to us when it was published: not when it was backfilled, or was there before
    we were.
    """
    return newest.seen_at.astimezone(ZoneInfo(poll.zone)).date() <= newest.effective_on


def _row(rates: Sequence[SeenRate], day: date, *, past: bool) -> CardRow:
    held = [item for item in rates if item.effective_on <= day]
    coming = [item for item in rates if item.effective_on > day]
    return CardRow(
        pair=rates[0].pair,
        today=held[-1] if held else None,
        tomorrow=coming[0]
        if coming and not past and (coming[0].effective_on - day).days <= RESTING_DAYS
        else None,
        previous=held[-2] if len(held) > 1 else None,
    )


async def _freshness_of(
    db: Db, source: str, poll: PollSpec, newest: SeenRate, now: datetime
) -> Freshness:
    """How the card stands; currencies that are set more seldom than others rest while their bank
    publishes.
    """
    found = _freshness(poll, newest, now)
    if found is Freshness.LATE:
        last = await storage.rates.newest_day(db, source, until=poll.near(now)[1])
        published = replace(newest, effective_on=last) if last is not None else newest
        if _freshness(poll, published, now) is not Freshness.LATE:
            return Freshness.RESTING
    return found


def _freshness(poll: PollSpec, newest: SeenRate, now: datetime) -> Freshness:
    return freshness(newest, window=poll.last_window(now), zone=ZoneInfo(poll.zone), now=now)


async def current_rates(db: Db, catalog: Catalog, *, now: datetime) -> list[SeenRate]:
    """What holds now, of every enabled source: each series' latest rate effective by today, where
    the source is.
    """
    held: dict[Series, SeenRate] = {}
    for spec in catalog.rates.values():
        if spec.disabled:
            continue
        today = local_day(catalog, spec.key, now)
        for item in await storage.rates.around(db, spec.key, today):
            if item.effective_on <= today:
                held[item.series] = item  # oldest first: the last one stays
    return list(held.values())


async def chart_history(
    db: Db, catalog: Catalog, pair: Pair, *, home: str, days: int, now: datetime
) -> list[SeenRate]:
    """A pair's last days, oldest first, of the source that leads for it; UserError when there are
    not two.

    What is announced for tomorrow is in it. `home` chooses what is named to somebody who asks for
    an unknown currency.
    """
    leader = catalog.leader(pair.quote)
    enabled = {key for key, spec in catalog.rates.items() if not spec.disabled}
    stored = await storage.rates.known_series(db)
    must_know([pair.base, pair.quote], stored, home=home)
    known = [one for one in stored if one.pair == pair and one.source in enabled]
    order = list(RateKind)
    known.sort(key=lambda one: (leader is None or one.source != leader.key, order.index(one.kind)))
    for series in known:
        end = local_day(catalog, series.source, now).toordinal() + 1
        history: list[SeenRate] = []
        for first in range(max(1, end - 1 - days), end + 1, SLICE):
            since, until = date.fromordinal(first), date.fromordinal(min(end, first + SLICE - 1))
            history += await storage.rates.history(db, series, since=since, until=until)
        if len(history) > 1:
            return history
    raise UserError("error.no_chart", pair=str(pair))


def must_know(codes: Sequence[str], stored: Sequence[Series], *, home: str) -> None:
    """UserError for a currency nobody gives a rate of, naming those that have one against
    `home`.
    """
    known = {code for one in stored for code in (one.pair.base, one.pair.quote)}
    if not known:
        raise UserError("error.no_rates")
    near = {
        code for one in stored if home in (pair := (one.pair.base, one.pair.quote)) for code in pair
    } - {home}
    for code in codes:
        if code not in known:
            raise UserError("error.currency", code=code, known=", ".join(sorted(near or known)))
