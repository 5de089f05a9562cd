"""Arithmetic with published rates: direct, inverse, or crossed through a third currency.

Rates of two sources are never mixed: they are set at other hours, by other rules, and their cross
is nobody's number. A dealer has two prices, and each holds in one direction only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from bot.convert.numbers import to_decimal
from bot.model.rates import Pair, Rate, RateKind

_DEALER = frozenset({RateKind.BUY, RateKind.SELL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`amount` source units in target units, and the published rates that led there, in their
    order.

    `rate` is target units for one source unit. Both are exact where the decimal ends, else 40
    digits. The path is empty when both currencies are the same.
    """

    result: Decimal
    rate: Decimal
    path: tuple[Rate, ...]

    @property
    def cross(self) -> bool:
        """Whether this is our own arithmetic over two rates, not a number anybody published."""
        return len(self.path) > 1

    @property
    def effective_on(self) -> date | None:
        """The day of the oldest rate used: an answer is no fresher than that."""
        return min((rate.effective_on for rate in self.path), default=None)


@dataclass(frozen=True, slots=True)
class _Leg:
    """One rate used in one direction: `factor` units of `end` for one unit of `start`."""

    start: str
    end: str
    factor: Fraction
    rate: Rate

    @property
    def inverse(self) -> bool:
        return self.rate.pair.quote == self.start


def convert(
    amount: Decimal, source: str, target: str, rates: Sequence[Rate], home: str = "KGS"
) -> Answer | None:
    """Say what `amount` of `source` is in `target`, or None when these rates do not tell.

    `rates` holds what is valid now, of any sources; of two effective days the later is used. An
    official number comes before a dealer's, a published one before a cross, a source that quotes in
    the home currency before others.
    """
    if source == target:
        return Answer(result=amount, rate=Decimal(1), path=())
    at_home = _at_home(rates, home)
    ways = _ways(source, target, rates)
    best = min(ways, key=lambda way: _rank(way, at_home), default=None)
    if best is None:
        return None
    # fractions until the end: two rounded steps of a cross would show in the last digits
    factor = Fraction(1)
    for leg in best:
        factor *= leg.factor
    return Answer(
        result=to_decimal(Fraction(amount) * factor),
        rate=to_decimal(factor),
        path=tuple(leg.rate for leg in best),
    )


def _ways(source: str, target: str, rates: Iterable[Rate]) -> Iterator[tuple[_Leg, ...]]:
    """Every way of one or two steps; two steps are of one source, and both or none a dealer's."""
    legs = list(_legs(rates))
    out: list[_Leg] = []
    back: list[_Leg] = []
    for leg in legs:
        if leg.start == source and leg.end == target:
            yield (leg,)
        elif leg.start == source:
            out.append(leg)
        elif leg.end == target:
            back.append(leg)
    # a bank quotes a few dozen pairs: both lists are short enough to try each with each
    for first in out:
        for second in back:
            if first.end == second.start and _book(first.rate) == _book(second.rate):
                yield first, second


def _book(rate: Rate) -> tuple[str, RateKind | None]:
    """Rates that may be crossed: of one source and kind; a dealer's two sides are one kind."""
    if rate.kind in _DEALER:
        return rate.source, None
    return rate.source, rate.kind


def _legs(rates: Iterable[Rate]) -> Iterator[_Leg]:
    for rate in rates:
        # no price, and 1 / 0 the other way round
        if rate.value <= 0 or rate.units <= 0:
            continue
        price = Fraction(rate.value) / rate.units
        if rate.kind is not RateKind.SELL:  # whoever brings the base is paid the buying price
            yield _Leg(rate.pair.base, rate.pair.quote, price, rate)
        if rate.kind is not RateKind.BUY:  # whoever wants the base pays the selling price
            yield _Leg(rate.pair.quote, rate.pair.base, 1 / price, rate)


def _at_home(rates: Iterable[Rate], home: str) -> frozenset[str]:
    """The sources that quote in the home currency."""
    sources = set()
    for rate in rates:
        if rate.pair.quote == home:
            sources.add(rate.source)
    return frozenset(sources)


def _rank(
    way: tuple[_Leg, ...], at_home: frozenset[str]
) -> tuple[int, int, int, int, int, str, Pair]:
    """Smaller is better; the source and the pair only make the choice stable."""
    rate = way[0].rate
    return (
        int(rate.kind in _DEALER),
        len(way),
        int(rate.source not in at_home),
        # a number as it was published before its reciprocal
        sum(leg.inverse for leg in way),
        -min(leg.rate.effective_on for leg in way).toordinal(),
        rate.source,
        rate.pair,
    )
