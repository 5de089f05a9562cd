"""Disputes: the series that another source contradicts; polls begin and end them, cards show."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, select

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
    sources = {of.source for of in wanted}
    rows = await db.execute(_OF_SOURCES, {"sources": list(sources)})
    return _series(rows).intersection(wanted)


async def about(db: Db, pairs: Collection[Pair]) -> set[Series]:
    """The series of these pairs that are contradicted."""
    if not pairs:
        return set()
    rows = await db.execute(_OF_BASES, {"bases": list({pair.base for pair in pairs})})
    return {of for of in _series(rows) if of.pair in pairs}


# few are contradicted at a time: what is read beyond those asked for is next to nothing
_CONTRADICTED = select(dispute.c.source, dispute.c.base, dispute.c.quote, dispute.c.kind)
_OF_SOURCES = _CONTRADICTED.where(dispute.c.source.in_(bindparam("sources", expanding=True)))
_OF_BASES = _CONTRADICTED.where(dispute.c.base.in_(bindparam("bases", expanding=True)))


def _series(rows: Iterable[Any]) -> set[Series]:
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


def _shared_statement() -> Select[str, str]:
    other = stored.alias("other")
    same = and_(
        other.c.base == stored.c.base,
        other.c.quote == stored.c.quote,
        other.c.source != stored.c.source,
    )
    both = select(stored.c.base, stored.c.quote).join_from(stored, other, same)
    return both.where(stored.c.source == bindparam("of")).distinct()


_SHARED = _shared_statement()


async def shared(db: Db, source: str) -> set[Pair]:
    """The pairs of a source that another source has too."""
    return {Pair(row.base, row.quote) for row in await db.execute(_SHARED, {"of": source})}
