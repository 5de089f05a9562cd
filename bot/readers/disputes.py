"""Other sources' contradiction of a rate."""

from __future__ import annotations

from collections.abc import Sequence

import storage.disputes
import storage.rates
from bot.detect.disputes import contradicting, rivals
from bot.model.rates import CardRow, Dispute, SeenRate, Series
from bot.sources.specs import Catalog
from storage.db import Db


async def rival(db: Db, new: SeenRate) -> SeenRate | None:
    """Another source's rate that contradicts this one, if any, as `bot.detect.disputes` judges."""
    others = await storage.rates.elsewhere(db, [new.series], on=new.effective_on)
    held: list[tuple[SeenRate, SeenRate | None]] = []
    for other in rivals(new, others):
        ours = await storage.rates.holding(db, new.series, other.effective_on)
        held.append((other, ours))
    return contradicting(new, held)


async def disputes(db: Db, catalog: Catalog, rows: Sequence[CardRow]) -> tuple[Dispute, ...]:
    """The disputes about these rows: our rate, and the other source's."""
    newest: dict[Series, SeenRate] = {}
    for row in rows:
        rate = row.tomorrow or row.today
        if rate is not None:
            newest[rate.series] = rate
    # a row of the store says that there is a dispute; with whom is asked anew, as rates came since
    disputed = await storage.disputes.among(db, newest)
    found = []
    for series, ours in newest.items():
        if series not in disputed:
            continue
        theirs = await rival(db, ours)
        if theirs is not None:
            found.append(Dispute(ours=ours, theirs=theirs, names=_names(catalog, theirs.source)))
    return tuple(found)


def _names(catalog: Catalog, source: str) -> dict[str, str]:
    """A source's names by language; none of one that left the catalog and whose rates are here."""
    spec = catalog.rates.get(source)
    if spec is None:
        return {}
    return dict(spec.names)
