"""Rates: append-only, a row a revision; `latest` is the newest effective day up to a given one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Date,
    ScalarSelect,
    Select,
    bindparam,
    func,
    insert,
    or_,
    select,
    union_all,
)

from bot.model.rates import Pair, Rate, RateKind, SeenRate, Series
from storage.db import Db, unless_there
from storage.schema import rate, series
from storage.series import IS_SERIES, number_of, numbers_of, said

ROWS_AT_ONCE = 1000  # of a past in one statement

_later = rate.alias("later")
#: The last word on a day: no later revision exists.
_IS_CURRENT: ColumnElement[bool] = ~(
    select(_later.c.revision)
    .where(
        _later.c.series_id == rate.c.series_id,
        _later.c.effective_on == rate.c.effective_on,
        _later.c.revision > rate.c.revision,
    )
    .exists()
)
_COLUMNS = (
    series.c.source,
    series.c.base,
    series.c.quote,
    series.c.kind,
    rate.c.effective_on,
    rate.c.revision,
    rate.c.value,
    rate.c.units,
    rate.c.seen_at,
)


def _seen(row: Any) -> SeenRate:  # noqa: ANN401 - a result row
    return SeenRate(
        source=row.source,
        pair=Pair(row.base, row.quote),
        kind=RateKind(row.kind),
        effective_on=row.effective_on,
        value=row.value,
        units=row.units,
        seen_at=row.seen_at,
        revision=row.revision,
    )


# The statements of a poll are built once: building one costs as much as running it.
_RATES = select(*_COLUMNS).join_from(rate, series, rate.c.series_id == series.c.id)


async def add(db: Db, rates: Iterable[Rate], *, seen_at: datetime) -> list[SeenRate]:
    """Store new rates: a first value or a revision. Returns just those, in the order given."""
    offered = list(rates)
    numbers = await numbers_of(db, [item.series for item in offered])
    added: list[SeenRate] = []
    for start in range(0, len(offered), ROWS_AT_ONCE):
        some = offered[start : start + ROWS_AT_ONCE]
        last = await _last_words(db, [(numbers[one.series], one.effective_on) for one in some])
        rows: list[dict[str, object]] = []
        for item in some:
            about = (numbers[item.series], item.effective_on)
            revision = 0
            if (before := last.get(about)) is not None:
                if (before.value, before.units) == (item.value, item.units):
                    continue
                revision = before.revision + 1
            last[about] = new = _revised(item, seen_at, revision)
            added.append(new)
            rows.append(
                {
                    "series_id": numbers[item.series],
                    "effective_on": item.effective_on,
                    "revision": revision,
                    "value": item.value,
                    "units": item.units,
                    "seen_at": seen_at,
                }
            )
        if rows:
            await db.execute(insert(rate), rows)
    return added


_LAST_WORDS = _RATES.add_columns(rate.c.series_id).where(
    rate.c.series_id.in_(bindparam("numbers", type_=rate.c.series_id.type, expanding=True)),
    rate.c.effective_on.in_(bindparam("days", type_=rate.c.effective_on.type, expanding=True)),
    _IS_CURRENT,
)


async def _last_words(
    db: Db, about: Sequence[tuple[int, date]]
) -> dict[tuple[int, date], SeenRate]:
    """The last word on each of these series and days, and on others of the same days."""
    numbers, days = {number for number, _ in about}, {day for _, day in about}
    rows = await db.execute(_LAST_WORDS, {"numbers": list(numbers), "days": list(days)})
    return {(row.series_id, row.effective_on): _seen(row) for row in rows.all()}


def _revised(item: Rate, seen_at: datetime, revision: int) -> SeenRate:
    return SeenRate(
        source=item.source,
        pair=item.pair,
        kind=item.kind,
        effective_on=item.effective_on,
        value=item.value,
        units=item.units,
        seen_at=seen_at,
        revision=revision,
    )


async def add_history(db: Db, rates: Sequence[Rate], *, seen_at: datetime) -> int:
    """Store many rates where none is yet: for seeds, backfills. Returns how many were offered."""
    ids: dict[Series, int] = {}
    rows: list[dict[str, object]] = []
    for item in rates:
        if item.series not in ids:
            ids[item.series] = await number_of(db, item.series)
        rows.append(
            {
                "series_id": ids[item.series],
                "effective_on": item.effective_on,
                "revision": 0,
                "value": item.value,
                "units": item.units,
                "seen_at": seen_at,
            }
        )
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        await db.execute(unless_there(db, rate), some)
    return len(rows)


async def differing(db: Db, rates: Iterable[Rate]) -> list[tuple[SeenRate, Rate]]:
    """The rates whose day is stored at another price, each behind what is stored."""
    found: list[tuple[SeenRate, Rate]] = []
    by_series: dict[Series, list[Rate]] = {}
    for item in rates:
        by_series.setdefault(item.series, []).append(item)
    for of, items in by_series.items():
        days = [item.effective_on for item in items]
        stored = await history(db, of, since=min(days), until=max(days))
        known = {one.effective_on: one for one in stored}
        for item in items:
            old = known.get(item.effective_on)
            # by unit: a bank that quotes per 100 what it quoted per 10 has changed no price
            if old is not None and old.per_unit != item.per_unit:
                found.append((old, item))
    return found


_IN_RANGE = _RATES.where(
    rate.c.effective_on.between(bindparam("since"), bindparam("until")), _IS_CURRENT
).order_by(rate.c.effective_on)
_HISTORY = _IN_RANGE.where(IS_SERIES)


async def history(db: Db, of: Series, *, since: date, until: date) -> list[SeenRate]:
    """One series, oldest first, `since` and `until` included, each day's last word."""
    asked = {**said(of), "since": since, "until": until}
    return [_seen(row) for row in await db.execute(_HISTORY, asked)]


async def before(db: Db, new: Rate, *, reach: timedelta) -> list[SeenRate]:
    """The past that a rate is judged by: its series in the `reach` of days before its own, oldest
    first, so that a revision has the same as the value it replaces.
    """
    day = new.effective_on
    return await history(db, new.series, since=day - reach, until=day - timedelta(days=1))


_BASES: BindParameter[list[str]] = bindparam("bases", expanding=True)
_QUOTES: BindParameter[list[str]] = bindparam("quotes", expanding=True)
_SOURCES: BindParameter[list[str]] = bindparam("sources", expanding=True)
_PASTS = _IN_RANGE.where(
    series.c.source.in_(_SOURCES), series.c.base.in_(_BASES), series.c.quote.in_(_QUOTES)
)


def _mixed(wanted: Collection[Series]) -> dict[str, object]:
    """What statements about several series, and such as mix theirs, are asked with."""
    return {
        "sources": list({of.source for of in wanted}),
        "bases": list({of.pair.base for of in wanted}),
        "quotes": list({of.pair.quote for of in wanted}),
    }


async def pasts(
    db: Db, rates: Collection[Rate], *, reach: timedelta
) -> dict[Series, list[SeenRate]]:
    """The rates of each of these series in the `reach` of days before these rates, and on their
    own, oldest first; few statements, however many they are.
    """
    found: dict[Series, list[SeenRate]] = {}
    for since, until in _stretches({one.effective_on for one in rates}, reach):
        wanted = {one.series for one in rates if since <= one.effective_on <= until}
        # so many rows are read in one go that nobody waits for them
        most = max(1, ROWS_AT_ONCE // ((until - since).days + 1))
        ordered = sorted(wanted, key=str)
        for start in range(0, len(ordered), most):
            some = frozenset(ordered[start : start + most])
            asked = {**_mixed(some), "since": since, "until": until}
            for row in await db.execute(_PASTS, asked):
                seen = _seen(row)
                if seen.series in some:
                    found.setdefault(seen.series, []).append(seen)
    return found


def _stretches(days: Iterable[date], reach: timedelta) -> list[tuple[date, date]]:
    """The days that are within `reach` before some of these, as few stretches of days."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        since = day - reach
        if found and since <= found[-1][1]:
            since, _ = found.pop()
        found.append((since, day))
    return found


_REVISION = _RATES.where(
    IS_SERIES,
    rate.c.effective_on == bindparam("day"),
    rate.c.revision == bindparam("revision"),
)


async def before_revision(db: Db, new: SeenRate) -> SeenRate | None:
    """The value of the same day that `new` revised; None when `new` is the first."""
    asked = {"day": new.effective_on, "revision": new.revision - 1}
    row = (await db.execute(_REVISION, said(new.series) | asked)).first()
    if row is None:
        return None
    return _seen(row)


def _around_statement(*, narrow: bool) -> CompoundSelect[Any]:
    """Three parts, each found by seeks: a day for every series, then that day's last revision."""
    day = bindparam("day", type_=Date)
    own = rate.alias("own")

    def edge(aggregate: Any, *where: ColumnElement[bool]) -> ScalarSelect[Any]:  # noqa: ANN401 - max or min
        found = select(aggregate(own.c.effective_on)).where(own.c.series_id == series.c.id, *where)
        return found.correlate(series).scalar_subquery()

    holding = edge(func.max, own.c.effective_on <= day)
    inner = rate.alias("inner_own")
    until = select(func.max(inner.c.effective_on)).where(
        inner.c.series_id == series.c.id, inner.c.effective_on <= day
    )
    # the one before that which holds, however many days ago: changes are measured from it
    before = edge(func.max, own.c.effective_on < until.correlate(series).scalar_subquery())
    coming = edge(func.min, own.c.effective_on > day)
    last = rate.alias("last")
    revision = (
        select(func.max(last.c.revision))
        .where(last.c.series_id == rate.c.series_id, last.c.effective_on == rate.c.effective_on)
        .correlate(rate)
        .scalar_subquery()
    )
    wanted = [series.c.source == bindparam("source")]
    if narrow:
        codes: BindParameter[list[str]] = bindparam("codes", expanding=True)
        wanted.append(or_(series.c.base.in_(codes), series.c.quote.in_(codes)))
    parts: list[Select[Any]] = []
    for edge_day in (before, holding, coming):
        part = select(series.c.id, *_COLUMNS).join_from(
            series, rate, rate.c.series_id == series.c.id
        )
        parts.append(
            part.where(*wanted, rate.c.effective_on == edge_day, rate.c.revision == revision)
        )
    return union_all(*parts).order_by("id", "effective_on")


# built once, not for each card
_AROUND_ALL = _around_statement(narrow=False)
_AROUND_NARROW = _around_statement(narrow=True)


async def around(db: Db, source: str, day: date, *, codes: Collection[str] = ()) -> list[SeenRate]:
    """For every series of a source: the rate that holds on `day`, its neighbours before and after.

    `codes` narrows it to the series that have one of these currencies. Index look-ups only, so that
    five million stored rates answer as quickly as five thousand.
    """
    statement = _AROUND_ALL
    values: dict[str, object] = {"source": source, "day": day}
    if codes:
        statement = _AROUND_NARROW
        values["codes"] = list(codes)
    return [_seen(row) for row in await db.execute(statement, values)]


def _newest_statement() -> Select[Any]:
    last = select(func.max(rate.c.effective_on)).where(
        rate.c.series_id == series.c.id, rate.c.effective_on <= bindparam("until")
    )
    days = (
        select(last.correlate(series).scalar_subquery().label("day"))
        .where(series.c.source == bindparam("of"))
        .subquery()
    )
    return select(func.max(days.c.day))


_NEWEST = _newest_statement()


async def newest_day(db: Db, source: str, *, until: date = date.max) -> date | None:
    """The last effective day of a source up to `until`, or None; one look-up a series."""
    found: date | None = (await db.execute(_NEWEST, {"of": source, "until": until})).scalar()
    return found


_HOLDING = (
    _RATES.where(IS_SERIES, rate.c.effective_on <= bindparam("day"), _IS_CURRENT)
    .order_by(rate.c.effective_on.desc())
    .limit(1)
)


async def holding(db: Db, of: Series, day: date) -> SeenRate | None:
    """The rate of a series that holds on a day, or None before its first."""
    row = (await db.execute(_HOLDING, {**said(of), "day": day})).first()
    if row is None:
        return None
    return _seen(row)


async def known_series(db: Db, source: str | None = None) -> list[Series]:
    """Every series stored, of one source or of all."""
    query = select(series.c.source, series.c.base, series.c.quote, series.c.kind).order_by(
        series.c.id
    )
    if source is not None:
        query = query.where(series.c.source == source)
    found: list[Series] = []
    for row in await db.execute(query):
        found.append(Series(row.source, Pair(row.base, row.quote), RateKind(row.kind)))
    return found


def _elsewhere_statement() -> Select[Any]:
    other = rate.alias("other")
    newest = (
        select(func.max(other.c.effective_on))
        .where(other.c.series_id == series.c.id, other.c.effective_on <= bindparam("day"))
        .correlate(series)
        .scalar_subquery()
    )
    return _RATES.where(
        series.c.base.in_(_BASES),
        series.c.quote.in_(_QUOTES),
        series.c.source.not_in(_SOURCES),
        rate.c.effective_on == newest,
        _IS_CURRENT,
    )


_ELSEWHERE = _elsewhere_statement()


async def elsewhere(db: Db, wanted: Collection[Series], *, on: date) -> list[SeenRate]:
    """The rates of the same pairs that other sources hold on a day: for a second opinion.

    Of several series also of pairs that only mix theirs; they are of one source.
    """
    rows = await db.execute(_ELSEWHERE, {**_mixed(wanted), "day": on})
    return [_seen(row) for row in rows]
