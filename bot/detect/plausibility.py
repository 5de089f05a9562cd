"""Is this number believable? What is not is held: never sent as it is, never silently dropped.

Facts of the outside world:

* Publishers change a nominal ("per 100") without notice, shift a comma, and swap two rows; all of
  these look like the move of the century. Ratios near 10, 100, 1000 and their inverses are a shift
  until somebody else agrees.
* A real shock exists: 2022-02-26 the som lost 11.75 % to the dollar in a day, and a devaluation may
  be larger still. Hence nothing is refused for being large, only asked for again.
* The same page fetched twice repeats its own mistake: a shift or a swap needs a second *source*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from bot.model.rates import Move, Rate
from bot.reasons import Percent, Reason, Share, reason

LARGEST_UNASKED = Decimal(15)  # percent; above the largest true move of a day we know of (11.75 %)
AGREEMENT = Decimal(2)  # percent between sources of one pair, beyond which they disagree
# a shifted value lies this near to 10^k times the last one, in parts of it
SHIFT_SLACK = Decimal("0.25")
SWAP_SLACK = Decimal("1.5")  # percent; a day's honest move of each, beside the swap


class Standing(StrEnum):
    """The verdict on a value."""

    OK = "ok"
    HELD = "held"  # kept aside, asked for again, shown to the operator
    REFUSED = "refused"  # not a price at all: nothing can confirm it


@dataclass(frozen=True, slots=True, kw_only=True)
class Plausibility:
    """A judgement of a value, with reasons; `needs_source`: asking again would prove nothing."""

    standing: Standing
    reasons: tuple[Reason, ...] = ()
    needs_source: bool = False

    @property
    def ok(self) -> bool:
        """Whether it may be stored and alerted."""
        return self.standing is Standing.OK


def far_day(new: Rate, near: tuple[date, date], newest: date | None) -> Plausibility | None:
    """Whether a rate is of a day its publisher cannot mean: a mistyped year, an old page again.

    `near` are the first and the last day a rate published now may be effective on, `newest` the
    last day we have of the series: a publisher that only goes on after a long silence is old, and
    no mistake. None when all is well.
    """
    first, last = near
    backwards = newest is not None and new.effective_on < min(first, newest)
    if not backwards and new.effective_on <= last:
        return None
    words = "effective on {day}, far from the days it publishes for"
    far = reason("far_day", words, day=new.effective_on)
    return Plausibility(standing=Standing.HELD, reasons=(far,), needs_source=True)


def judge(
    history: Sequence[Rate],
    new: Rate,
    others: Sequence[Rate] = (),
    *,
    siblings: Sequence[Move] = (),
) -> Plausibility:
    """Compare `new` with its own series, with other sources and with its neighbours on the page.

    `history`: the same series oldest first; an empty one means a new currency, which is believed.
    `others`: the latest rates of the same pair from other sources. `siblings`: the same page's
    other pairs, from their last rate to the one beside `new`, to notice swapped rows. A value a
    second source agrees with is never held.
    """
    # never held: no second source and no operator makes a price of it
    if not new.value.is_finite() or new.value <= 0 or new.units <= 0:
        words = "{value} for {units} is not a price"
        no_price = reason("no_price", words, value=new.value, units=new.units)
        return Plausibility(standing=Standing.REFUSED, reasons=(no_price,))
    last = _last(history, new)
    if last is None or new.per_unit == last.per_unit:
        return Plausibility(standing=Standing.OK)
    suspicion = _shift(last, new) or _swap(last, new, siblings) or _leap(last, new)
    if suspicion is None:
        return Plausibility(standing=Standing.OK)
    ally = agreeing(new, others)
    if ally is not None:
        agrees = reason("agrees", "{source} agrees", source=ally.source)
        return Plausibility(standing=Standing.OK, reasons=(*suspicion.reasons, agrees))
    return suspicion


def agreeing(rate: Rate, others: Sequence[Rate]) -> Rate | None:
    """The first rate of another source for the same pair within the tolerance, or None.

    Old rates prove nothing: only those effective within three days of `rate` are heard.
    """
    for other in others:
        near = abs((other.effective_on - rate.effective_on).days) <= 3
        if (
            other.pair == rate.pair
            and other.source != rate.source
            and near
            and not disagree(rate, other)
        ):
            return other
    return None


def disagree(one: Rate, other: Rate) -> bool:
    """Whether two rates of one pair are over 2 % apart: both are shown then, neither alerts."""
    return abs(Move(old=one, new=other).percent) > AGREEMENT


def _last(history: Sequence[Rate], new: Rate) -> Rate | None:
    """The rate that held before `new`'s day."""
    for rate in reversed(history):
        if rate.effective_on < new.effective_on:
            return rate
    return None


def _shift(last: Rate, new: Rate) -> Plausibility | None:
    """A power of ten to the last value: a shifted comma, or a nominal that changed unsaid."""
    ratio = new.per_unit / last.per_unit
    power = round(ratio.log10())
    if power == 0 or abs(ratio.scaleb(-power) - 1) > SHIFT_SLACK:
        return None
    times = Decimal(f"{ratio.normalize():.4g}")
    words = "decimal shift: {times} times the rate of {day}"
    reasons = [reason("shift", words, times=times, day=last.effective_on)]
    if new.units != last.units:
        words = "units changed from {old} to {new}"
        reasons.append(reason("units", words, old=last.units, new=new.units))
    return Plausibility(standing=Standing.HELD, reasons=tuple(reasons), needs_source=True)


def _swap(last: Rate, new: Rate, siblings: Sequence[Move]) -> Plausibility | None:
    """Two rows that changed places: it has a neighbour's last value, and that one has its own."""
    own = abs(Move(old=last, new=new).percent)
    for sibling in siblings:
        if sibling.new.pair == new.pair or sibling.new.pair.quote != new.pair.quote:
            continue
        here = _apart(new, sibling.old)
        there = _apart(sibling.new, last)
        # currencies that cost nearly the same pass each other by moving as usual
        if max(here, there) <= SWAP_SLACK and own > 3 * max(here, there):
            words = "took the value of {pair}, which took this one's: rows swapped"
            swapped = reason("swapped", words, pair=sibling.new.pair)
            return Plausibility(standing=Standing.HELD, reasons=(swapped,), needs_source=True)
    return None


def _apart(one: Rate, other: Rate) -> Decimal:
    return abs((one.per_unit - other.per_unit) / other.per_unit * 100)


def _leap(last: Rate, new: Rate) -> Plausibility | None:
    percent = Move(old=last, new=new).percent
    if abs(percent) <= LARGEST_UNASKED:
        return None
    leap = reason(
        "leap",
        "{percent} % against {day}, more than {most} %",
        percent=Percent(f"{percent:+.2f}"),
        day=last.effective_on,
        most=Share(LARGEST_UNASKED),
    )
    return Plausibility(standing=Standing.HELD, reasons=(leap,))
