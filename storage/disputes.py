"""Disputes: the series that another source contradicts; polls begin and end them, cards show."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, delete, or_, select

from bot.model.rates import Pair, RateKind, Series
from storage.db import Db, upsert
from storage.schema import dispute
from storage.schema import series as stored


async def begin(db: Db, series: Series, against: str) -> bool:
    """Note that the source `against` contradicts a series; whether that is new."""
    known = await db.execute(select(dispute.c.against).where(_is(series)))
    row = {
        "source": series.source,
        "base": series.pair.base,
        "quote": series.pair.quote,
        "kind": series.kind.value,
        "against": against,
    }
    statement = upsert(db, dispute).values(**row)
    key = ["source", "base", "quote", "kind"]
    await db.execute(statement.on_conflict_do_update(index_elements=key, set_={"against": against}))
    return known.first() is None


async def end(db: Db, series: Series) -> None:
    """Forget that a series was contradicted."""
    await db.execute(delete(dispute).where(_is(series)))


async def among(db: Db, wanted: Collection[Series]) -> set[Series]:
    """The contradicted ones among these series."""
    if not wanted:
        return set()
    return await _series(db, or_(*map(_is, wanted)))


async def about(db: Db, pairs: Collection[Pair]) -> set[Series]:
    """The series of these pairs that are contradicted."""
    if not pairs:
        return set()
    those: list[ColumnElement[bool]] = []
    for pair in pairs:
        those.append(and_(dispute.c.base == pair.base, dispute.c.quote == pair.quote))
    return await _series(db, or_(*those))


async def _series(db: Db, where: ColumnElement[bool]) -> set[Series]:
    rows = await db.execute(
        select(dispute.c.source, dispute.c.base, dispute.c.quote, dispute.c.kind).where(where)
    )
    found: set[Series] = set()
    for row in rows:
        found.add(Series(row.source, Pair(row.base, row.quote), RateKind(row.kind)))
    return found


def _is(series: Series) -> ColumnElement[bool]:
    return and_(
        dispute.c.source == series.source,
        dispute.c.base == series.pair.base,
        dispute.c.quote == series.pair.quote,
        dispute.c.kind == series.kind.value,
    )


async def shared(db: Db, source: str) -> set[Pair]:
    """The pairs of a source that another source has too."""
    other = stored.alias("other")
    same = and_(
        other.c.base == stored.c.base,
        other.c.quote == stored.c.quote,
        other.c.source != stored.c.source,
    )
    query = (
        select(stored.c.base, stored.c.quote)
        .join_from(stored, other, same)
        .where(stored.c.source == source)
    )
    return {Pair(row.base, row.quote) for row in await db.execute(query.distinct())}
