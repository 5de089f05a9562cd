"""A chat's own rules beside the store: what can be watched, tried on stored history, offered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import storage.rates
from bot.detect.offers import as_level, offered
from bot.detect.rules import initial_state, preview
from bot.errors import UserError
from bot.model.rates import Pair, RateKind, SeenRate, Series
from bot.model.rules import Condition, Direction, Rule, RuleState
from bot.readers.rates import CURRENCIES, local_day, must_know
from bot.sources.specs import Catalog
from storage.db import Db

TRIED_FOR = timedelta(days=365)  # of history: long enough to be called a year in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A rule tried on the past year: what it watches, the history, the days it would have spoken.

    `state` is what is stored of it when it is saved now.
    """

    rule: Rule
    series: Series
    state: RuleState
    history: tuple[SeenRate, ...]
    fired: tuple[date, ...]
    today: date

    @property
    def latest(self) -> SeenRate | None:
        """The last rate of the history: the one to compare a number with."""
        if not self.history:
            return None
        return self.history[-1]


async def try_rule(
    db: Db, catalog: Catalog, rule: Rule, *, now: datetime, bare: bool = False
) -> Proposal:
    """A rule on stored history; UserError when nobody gives such a rate, or its last day is over.

    A `bare` number (`TypedRule`) becomes a level where it is near the latest rate.

    The source that leads for the pair is watched, else the first that has it. Where a pair has no
    official rate, its reference rate is what a rule without a kind means.
    """
    series = _watched(catalog, rule, await storage.rates.known_series(db))
    today = local_day(catalog, series.source, now)
    if rule.until is not None and rule.until < today:
        raise UserError("error.rule.date_past", day=rule.until)
    rule = replace(rule, kind=series.kind)
    # to tomorrow: its rate is known today, and the rule will be asked about it next
    history = await storage.rates.history(
        db, series, since=today - TRIED_FOR, until=today + timedelta(days=1)
    )
    if bare and history:
        rule = as_level(rule, history[-1].per_unit)
    # a long window takes 20 ms, which others would wait
    tried = await asyncio.to_thread(preview, rule, history)
    return Proposal(
        rule=rule,
        series=series,
        state=initial_state(rule, history),
        history=tuple(history),
        fired=tried.dates,
        today=today,
    )


def _watched(catalog: Catalog, rule: Rule, stored: Sequence[Series]) -> Series:
    """The series that a rule watches; UserError names what there is instead."""
    known: list[Series] = []
    by_kind: dict[RateKind, list[Series]] = {}
    for one in stored:
        if one.source not in catalog.rates:  # the past of a source that brings nothing any more
            continue
        known.append(one)
        if one.pair == rule.pair:
            by_kind.setdefault(one.kind, []).append(one)
    fitting = by_kind.get(rule.kind, [])
    if not fitting and rule.kind is RateKind.OFFICIAL:
        fitting = by_kind.get(RateKind.REFERENCE, [])
    leader = catalog.leader(rule.pair.quote)
    for one in fitting:
        if leader is not None and one.source == leader.key:
            return one
    if fitting:
        return fitting[0]
    if by_kind:
        raise UserError(
            "error.rule.kind", pair=str(rule.pair), kind=rule.kind, known=tuple(by_kind)
        )
    must_know([rule.pair.base, rule.pair.quote], known, home=rule.pair.quote)
    near = _bases(known, rule.pair.quote)
    raise UserError("error.rule.pair", pair=str(rule.pair), known=", ".join(sorted(near)) or "–")


def _bases(known: Sequence[Series], quote: str) -> set[str]:
    """The currencies that have a rate in this one."""
    found = set()
    for one in known:
        if one.pair.quote == quote:
            found.add(one.pair.base)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Where a pair stands, and the rules worth a button, row by row."""

    latest: SeenRate
    today: date
    rules: tuple[tuple[Rule, ...], ...]


async def rule_currencies(db: Db, *, home: str) -> list[str]:
    """What own rules can watch against `home`, the usual ones first."""
    plain = []
    for one in await storage.rates.known_series(db):
        if one.kind in {RateKind.OFFICIAL, RateKind.REFERENCE}:
            plain.append(one)
    codes = _bases(plain, home)
    usual = []
    for code in CURRENCIES:
        if code in codes:
            usual.append(code)
    return usual + sorted(codes.difference(usual))


async def offer_rules(db: Db, catalog: Catalog, pair: Pair, *, now: datetime) -> Offer:
    """Rules at round figures near a pair's latest rate; UserError when there is none."""
    plain = Rule(pair=pair, condition=Condition.LEVEL, amount=Decimal(1), direction=Direction.UP)
    series = _watched(catalog, plain, await storage.rates.known_series(db))
    today = local_day(catalog, series.source, now)
    history = await storage.rates.history(
        db, series, since=today - TRIED_FOR, until=today + timedelta(days=1)
    )
    if not history:
        raise UserError("error.no_rates")
    return Offer(
        latest=history[-1], today=today, rules=offered(pair, series.kind, history[-1].per_unit)
    )
