"""The rates that somebody names: which currencies are known, which series a rule watches or a chart
draws, which rate held on a day.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from bot.detect.series import AnyRate, holding, nearest_day
from bot.errors import UserError
from bot.model.rates import Pair, RateKind, Series
from bot.model.rules import Rule

#: The kinds that a rule of three taps may watch: a pair's rate for everybody.
FOR_EVERYBODY = frozenset({RateKind.OFFICIAL, RateKind.REFERENCE})
MOST_PAIRS = 12  # named to somebody whose own is not there


def must_know(codes: Sequence[str], stored: Sequence[Series], *, home: str) -> None:
    """UserError for a currency nobody gives a rate of, naming those that have one at home."""
    known, near = set(), set()
    for one in stored:
        pair = {one.pair.base, one.pair.quote}
        known |= pair
        if home in pair:
            near |= pair - {home}
    if not known:
        raise UserError("error.no_rates")
    for code in codes:
        if code not in known:
            raise UserError("error.currency", code=code, known=", ".join(sorted(near or known)))


def watched(rule: Rule, known: Sequence[Series], *, leader: str | None) -> Series:
    """The series that a rule watches; UserError names what there is instead.

    That of the `leader`, the source which leads for its pair, else the first that has it. Where a
    pair has no official rate, its reference rate is what a rule without a kind means.
    """
    by_kind: dict[RateKind, list[Series]] = {}
    for one in known:
        if one.pair == rule.pair:
            by_kind.setdefault(one.kind, []).append(one)
    fitting = by_kind.get(rule.kind, [])
    if not fitting and rule.kind is RateKind.OFFICIAL:
        fitting = by_kind.get(RateKind.REFERENCE, [])
    for one in fitting:
        if one.source == leader:
            return one
    if fitting:
        return fitting[0]
    if by_kind:
        raise UserError(
            "error.rule.kind", pair=str(rule.pair), kind=rule.kind, known=tuple(by_kind)
        )
    raise _no_rate(rule.pair, known)


def drawable(
    pair: Pair, known: Sequence[Series], *, sources: Collection[str], leader: str | None
) -> list[Series]:
    """The series of a pair that these sources have, in the order of trying to draw one.

    The `leader`, the source which leads for the pair, goes first; then by kind.
    """
    order = list(RateKind)  # the official one first, our own arithmetic last
    found: list[Series] = []
    for one in known:
        if one.pair == pair and one.source in sources:
            found.append(one)
    found.sort(key=lambda one: (one.source != leader, order.index(one.kind)))
    return found


def held_on(rates: Sequence[AnyRate], day: date, *, latest: date) -> list[AnyRate]:
    """The rate of each series that holds on a day; the rates of one series are oldest first.

    UserError where there is none: of a day beyond `latest`, today where the last of the sources is,
    only what is announced is known.
    """
    days = {rate.effective_on for rate in rates}
    if day > latest and day not in days:
        raise UserError("error.date_future", day=day)
    if not days:
        raise UserError("error.no_rates")
    held = holding(rates, day)
    if not held:
        raise UserError("error.no_rates_on", day=day, nearest=nearest_day(rates, day))
    return list(held.values())


def _no_rate(pair: Pair, known: Sequence[Series]) -> UserError:
    """The error that nobody gives a pair's rate, with what stands nearest to it: the pair the other
    way round, other currencies in the same one, else other pairs of the same currencies.
    """
    try:
        must_know([pair.base, pair.quote], known, home=pair.quote)
    except UserError as error:
        return error
    pairs = {one.pair for one in known}
    turned = Pair(pair.quote, pair.base)
    if turned in pairs:
        return UserError("error.rule.turned", pair=str(pair), example=f"/alert {turned} 1%")
    near = quoted_in(pair.quote, known)
    if not near:
        for one in pairs:
            if {one.base, one.quote} & {pair.base, pair.quote}:
                near.add(str(one))
    said = ", ".join(sorted(near)[:MOST_PAIRS])
    return UserError("error.rule.pair", pair=str(pair), known=said)


def quoted_in(quote: str, known: Sequence[Series]) -> set[str]:
    """The currencies that have a rate in this one."""
    found = set()
    for one in known:
        if one.pair.quote == quote:
            found.add(one.pair.base)
    return found


def watchable(home: str, known: Sequence[Series], *, usual: Sequence[str]) -> list[str]:
    """The currencies that own rules can watch against `home`, the usual ones first."""
    codes = quoted_in(home, [one for one in known if one.kind in FOR_EVERYBODY])
    first = [code for code in usual if code in codes]
    return first + sorted(codes.difference(first))


def followable(
    home: str, brought: Sequence[str], *, usual: Sequence[str], chosen: Collection[str] = ()
) -> tuple[str, ...]:
    """The currencies to follow against `home`, the usual ones first: those that a source brings,
    or the usual ones before any source has brought one, and those that are `chosen` already.
    """
    first = [code for code in usual if code != home]
    if brought:
        # others than the usual ones where a country's sources have none of these
        first = [code for code in first if code in brought] or list(brought[: len(usual)])
    return (*first, *sorted(set(chosen).difference(first)))
