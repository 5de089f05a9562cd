"""Series: the rows that rates refer to, made when the first rate of one comes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import and_, bindparam, select

from bot.model.rates import Pair, RateKind, Series
from storage.db import Db, unless_there
from storage.schema import series

#: Built once, like all that polls ask; `said` of a series is what it is asked with.
IS_SERIES = and_(
    series.c.source == bindparam("of_source"),
    series.c.base == bindparam("of_base"),
    series.c.quote == bindparam("of_quote"),
    series.c.kind == bindparam("of_kind"),
)
_NUMBER = select(series.c.id).where(IS_SERIES)


def said(of: Series) -> dict[str, object]:
    """What `IS_SERIES` is asked with about a series."""
    return {f"of_{name}": value for name, value in _as_row(of).items()}


async def number_of(db: Db, of: Series) -> int:
    """The row of a series, made where there is none."""
    found = (await db.execute(_NUMBER, said(of))).scalar()
    if found is not None:
        return int(found)
    await db.execute(unless_there(db, series), _as_row(of))
    # asked again: another process may have made it in between
    return int((await db.execute(_NUMBER, said(of))).scalar_one())


async def numbers_of(db: Db, wanted: Sequence[Series]) -> dict[Series, int]:
    """The rows of these series, made where there are none."""
    numbers = await _rows_of(db, {of.source for of in wanted})
    if missing := [of for of in dict.fromkeys(wanted) if of not in numbers]:
        await db.execute(unless_there(db, series), [_as_row(of) for of in missing])
        # asked again: another process may have made some in between
        numbers = await _rows_of(db, {of.source for of in wanted})
    return numbers


_ROWS_OF = select(series.c.id, series.c.source, series.c.base, series.c.quote, series.c.kind).where(
    series.c.source.in_(bindparam("sources", expanding=True))
)


async def _rows_of(db: Db, sources: Collection[str]) -> dict[Series, int]:
    numbers: dict[Series, int] = {}
    for row in await db.execute(_ROWS_OF, {"sources": list(sources)}):
        numbers[Series(row.source, Pair(row.base, row.quote), RateKind(row.kind))] = row.id
    return numbers


def _as_row(of: Series) -> dict[str, str]:
    return {
        "source": of.source,
        "base": of.pair.base,
        "quote": of.pair.quote,
        "kind": of.kind.value,
    }
