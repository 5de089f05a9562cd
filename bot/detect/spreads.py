"""The spread between banks' rates of a currency on the same days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from bot.model.channels import Spread
from bot.model.rates import RateKind, SeenRate

RATES_LAST = timedelta(days=4)  # a long weekend: older ones are no rate to compare
BANKS = 2  # that make a spread


def spreads(
    rates: Iterable[SeenRate], *, home: str, codes: Sequence[str], today: date
) -> tuple[Spread, ...]:
    """The two banks that differ most, of each currency that several quote against `home`."""
    by_code: dict[str, list[SeenRate]] = defaultdict(list)
    for rate in rates:
        # our own arithmetic is nobody's rate
        ours = rate.pair.quote != home or rate.kind is RateKind.CROSS
        if not ours and rate.effective_on >= today - RATES_LAST:
            by_code[rate.pair.base].append(rate)
    found: list[Spread] = []
    for code in codes:
        ranked = sorted(by_code[code], key=lambda rate: (rate.per_unit, rate.source))
        several = len({rate.source for rate in ranked}) >= BANKS
        if several and ranked[0].per_unit != ranked[-1].per_unit:
            found.append(Spread(lowest=ranked[0], highest=ranked[-1]))
    return tuple(found)
