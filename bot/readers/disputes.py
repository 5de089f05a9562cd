"""What other sources say against a rate."""

from __future__ import annotations

from collections.abc import Sequence

import storage.disputes
import storage.rates
from bot.detect.disputes import contradicted, may_contradict
from bot.model.rates import CardRow, Dispute, SeenRate
from bot.sources.specs import Catalog
from storage.db import Db


async def rival(db: Db, new: SeenRate) -> SeenRate | None:
    """Another source's rate that contradicts this one, if any."""
    for other in await storage.rates.elsewhere(db, new.series, on=new.effective_on):
        if not may_contradict(new, other):
            continue
        held = await storage.rates.holding(db, new.series, other.effective_on)
        if contradicted(new, other, held):
            return other
    return None


async def disputes(db: Db, catalog: Catalog, rows: Sequence[CardRow]) -> tuple[Dispute, ...]:
    """What other sources say of the rows that are in dispute."""
    newest = {rate.series: rate for row in rows if (rate := row.tomorrow or row.today)}
    disputed = await storage.disputes.among(db, newest)
    found = []
    for series, ours in newest.items():
        theirs = await rival(db, ours) if series in disputed else None
        if theirs is not None:
            spec = catalog.rates.get(theirs.source)
            found.append(Dispute(ours=ours, theirs=theirs, names=dict(spec.names) if spec else {}))
    return tuple(found)
