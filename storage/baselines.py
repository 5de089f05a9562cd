"""Baselines: the rate that a series' drift is measured from, the last one that was told of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, update

from bot.model.alerts import Severity
from bot.model.rates import Pair, Rate, RateKind, Series, rate_from_json, rate_to_json
from storage.db import Db
from storage.schema import series
from storage.series import IS_SERIES, said


async def among(db: Db, wanted: Collection[Series]) -> dict[Series, tuple[Rate, Severity | None]]:
    """The last alerted rate of each of these series, and its severity: None where watching began
    with it. A series that is not watched yet is not there.
    """
    columns = (series.c.source, series.c.base, series.c.quote, series.c.kind)
    query = select(*columns, series.c.alerted, series.c.alerted_severity).where(
        series.c.source.in_({of.source for of in wanted}),
        series.c.base.in_({of.pair.base for of in wanted}),
        series.c.quote.in_({of.pair.quote for of in wanted}),
        series.c.alerted.is_not(None),
    )
    found: dict[Series, tuple[Rate, Severity | None]] = {}
    for row in await db.execute(query):
        of = Series(row.source, Pair(row.base, row.quote), RateKind(row.kind))
        if of in wanted and row.alerted is not None:  # a JSON null is a value to PostgreSQL
            severity = Severity(row.alerted_severity) if row.alerted_severity else None
            found[of] = rate_from_json(row.alerted), severity
    return found


async def get(db: Db, of: Series) -> tuple[Rate, Severity | None] | None:
    """The baseline of one series, see `among`."""
    return (await among(db, [of])).get(of)


async def put(db: Db, told: Sequence[Rate], *, severity: Severity | None, now: datetime) -> None:
    """Remember rates that were alerted (or first seen, without severity): drift starts there."""
    if not told:
        return
    same = {"severity": severity and severity.value, "at": now}
    rows = [{**said(one.series), "told": rate_to_json(one), **same} for one in told]
    await db.execute(_PUT, rows)


_PUT = (
    update(series)
    .where(IS_SERIES)
    .values(
        alerted=bindparam("told"),
        alerted_severity=bindparam("severity"),
        alerted_at=bindparam("at"),
    )
)
