"""Rates as they are shown: the card, what holds now, the history of a pair."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from itertools import chain
from zoneinfo import ZoneInfo

import storage.rates
from bot.detect.cards import chosen, row, seen_as_published, shown
from bot.detect.freshness import freshness
from bot.detect.quoted import drawable, held_on, must_know
from bot.detect.series import holding, nearest_day
from bot.errors import UserError
from bot.model.rates import CardRow, Freshness, Pair, RateCard, SeenRate
from bot.model.subjects import CURRENCIES
from bot.readers.disputes import disputes
from bot.sources.specs import Catalog, RateSpec
from bot.sources.timetable import PollSpec
from storage.db import Db

# Of a history, so that ten years do not hold the loop: so many take it for 10 ms.
DAYS_AT_ONCE = 400


def leading_source(catalog: Catalog, home: str) -> str:
    """The source whose rates against `home` are shown, as the catalog has it.

    UserError when no source is enabled.
    """
    leader = catalog.leading(home)
    if leader is None:
        raise UserError("error.no_rates")
    return leader.key


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
    usual: Sequence[str] = CURRENCIES,
) -> RateCard:
    """The card of the leading source against `home`, today's or a past day's; without `codes` of
    the `usual` currencies.

    UserError for an unknown currency, a day in the future, a day or a store without rates.
    """
    source = leading_source(catalog, home)
    today = local_day(catalog, source, now)
    day = on or today
    # banks announce tomorrow's rate today
    if day > today + timedelta(days=1):
        raise UserError("error.date_future", day=day)
    spec = catalog.rates[source]
    by_code = await _by_code(db, source, day, home, codes or usual)
    if not by_code or not by_code.keys() >= set(codes):
        by_code = await _by_code(db, source, day, home, ())  # so that what is known can be named
    wanted = chosen(codes, by_code, usual=usual)
    rows = tuple(row(by_code[code], day, past=day < today) for code in wanted)
    newest = shown(rows).newest
    if newest is None:
        stored = chain.from_iterable(by_code.values())
        raise UserError("error.no_rates_on", day=day, nearest=nearest_day(stored, day))
    # over a weekend tomorrow has the rate of today; before the bank has published it has none yet
    if day > today and newest.effective_on < day and _comes(spec.poll, newest, today):
        raise UserError("error.date_future", day=day)
    card = _card_of(spec, rows, newest, day)
    # a past day's card is neither late nor disputed: what is said of it is of that day
    if day < today:
        return card
    return replace(
        card,
        freshness=await _freshness_of(db, source, spec.poll, newest, now),
        disputes=await disputes(db, catalog, rows),
    )


def _comes(poll: PollSpec, newest: SeenRate, today: date) -> bool:
    """Whether a bank publishes a rate of tomorrow yet: today, where its rates come a day ahead."""
    ahead = newest.seen_at.astimezone(ZoneInfo(poll.zone)).date() < newest.effective_on
    return poll.publishes_on(today if ahead else today + timedelta(days=1))


def _card_of(spec: RateSpec, rows: tuple[CardRow, ...], newest: SeenRate, day: date) -> RateCard:
    """The card of these rows by itself; `newest` is one of the latest of them."""
    found = shown(rows)
    card = RateCard(
        source=spec.key,
        source_names=dict(spec.names),
        zone=spec.poll.zone,
        kind=newest.kind,
        quote=newest.pair.quote,
        on=day,
        rows=rows,
        holds_from=found.holds_from,
        next_on=found.next_on,
    )
    if spec.poll.between is not None:
        card = replace(card, expected_by=spec.poll.between[1])
    if seen_as_published(newest, ZoneInfo(spec.poll.zone)):
        card = replace(card, seen_at=newest.seen_at)
    return card


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


async def _freshness_of(
    db: Db, source: str, poll: PollSpec, newest: SeenRate, now: datetime
) -> Freshness:
    """The freshness of a card; the bank's other rates are only asked for when this one lags."""
    judge = partial(
        freshness, newest, window=poll.last_window(now), zone=ZoneInfo(poll.zone), now=now
    )
    found = judge()
    # a document that came in time may be without this currency
    if found is Freshness.LATE:
        last = await storage.rates.newest_day(db, source, until=poll.near(now)[1])
        found = judge(published_for=last)
    return found


async def current_rates(db: Db, catalog: Catalog, *, now: datetime) -> list[SeenRate]:
    """The rates that hold now of every enabled source: each series' latest by its today."""
    found: list[SeenRate] = []
    for spec in catalog.enabled_rates:
        today = local_day(catalog, spec.key, now)
        around = await storage.rates.around(db, spec.key, today)
        found += holding(around, today).values()
    return found


async def rates_on(db: Db, catalog: Catalog, day: date, *, now: datetime) -> list[SeenRate]:
    """The rates that held on a day, of every enabled source; of tomorrow, where it is announced.

    UserError for a day that nobody has a rate for.
    """
    around: list[SeenRate] = []
    latest = date.min
    for spec in catalog.enabled_rates:
        latest = max(latest, local_day(catalog, spec.key, now))
        around += await storage.rates.around(db, spec.key, day)
    return held_on(around, day, latest=latest)


async def chart_history(
    db: Db, catalog: Catalog, pair: Pair, *, home: str, days: int, now: datetime
) -> list[SeenRate]:
    """A pair's last days, oldest first, of the source that leads for it.

    What is announced for tomorrow is in it. `home` chooses what is named to somebody who asks for
    an unknown currency. UserError when there are not two days.
    """
    stored = await storage.rates.known_series(db)
    must_know([pair.base, pair.quote], stored, home=home)
    leader = catalog.leader(pair.quote)
    sources = {spec.key for spec in catalog.enabled_rates}
    leading = None if leader is None else leader.key
    for series in drawable(pair, stored, sources=sources, leader=leading):
        # tomorrow's rate may be announced: the chart ends with it
        end = local_day(catalog, series.source, now).toordinal() + 1
        history: list[SeenRate] = []
        for first in range(max(1, end - 1 - days), end + 1, DAYS_AT_ONCE):
            since = date.fromordinal(first)
            until = date.fromordinal(min(end, first + DAYS_AT_ONCE - 1))
            history += await storage.rates.history(db, series, since=since, until=until)
        # of one day alone there is no line to be drawn; another bank may have more
        if len(history) > 1:
            return history
    raise UserError("error.no_chart", pair=str(pair))
