"""Round amounts of a currency, as people send them."""

from __future__ import annotations

from decimal import Decimal

# Of the home currency: what the smallest of the round amounts is worth at least. For RUB/KGS that
# amount is 1,000 roubles.
WORTH_SENDING = 500
LARGEST_ROUND = 10**11  # a currency worth less than that has no round amounts anybody sends


def round_amounts(per_unit: Decimal) -> tuple[Decimal, ...]:
    """Five round amounts of a currency that is worth so much at home, the smallest first."""
    first = 1
    while per_unit * first < WORTH_SENDING and first < LARGEST_ROUND:
        first *= 10
    return tuple(Decimal(first * times) for times in (1, 5, 10, 50, 100))
