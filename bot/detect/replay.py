"""Yesterday's rates through today's rules: a table of `date,USD,EUR,…` replayed day by day.

Such tables carry a weekend's rate forward, so that a row is a calendar day and an equal value is no
fixing.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.detect.moves import DEFAULT_POLICY, BigMove, MovePolicy, replay
from bot.detect.offers import as_level
from bot.detect.rules import Fired, replay_rule
from bot.errors import ParseError
from bot.model.alerts import Severity
from bot.model.rates import CODE, Pair, Rate, RateKind
from bot.model.rules import Rule, TypedRule
from bot.reasons import Reason, reason

SOURCE = "history"  # no publisher: a table does not say whose rates it has


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One alert of a replay; `percent` is signed, from `old` to `new`, both for one unit."""

    pair: Pair
    effective_on: date
    rule: str
    percent: Decimal
    old: Decimal
    new: Decimal
    severity: Severity
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, Any]:
        """The line that `jarchy detect moves` prints: rates as strings, the percent as a number."""
        return {
            "pair": str(self.pair),
            "effective_on": self.effective_on.isoformat(),
            "rule": self.rule,
            "percent": round(float(self.percent), 4),
            "old": format(self.old, "f"),
            "new": format(self.new, "f"),
            "severity": self.severity.value,
            "reasons": [str(reason) for reason in self.reasons],
        }


def replay_csv(
    lines: Iterable[str],
    quote: str,
    own: TypedRule | None = None,
    policy: MovePolicy = DEFAULT_POLICY,
) -> list[Replayed]:
    """Every alert of the table in order of day and pair, by the policy or by a chat's `own` rule.

    `quote` is the currency the columns are priced in. ParseError names the line that cannot be
    read; UserError says what is wrong with the rule.
    """
    series = read_table(lines, quote)
    found: list[Replayed] = []
    for rates in series:
        if own is None:
            # a rule judges one pair, the policy all of them
            found += map(_big, replay(rates, policy))
        elif rates and rates[0].pair == own.rule.pair:
            rule = own.rule
            if own.bare:  # judged beside the first rate, as on the day a chat would have made it
                rule = as_level(rule, rates[0].per_unit)
            for fired in replay_rule(rule, rates):
                found.append(_own(rule, fired))
    return sorted(found, key=lambda each: (each.effective_on, each.pair))


def read_table(lines: Iterable[str], quote: str) -> list[list[Rate]]:
    """One list of rates a column, oldest first; an empty cell is an absent rate, not zero."""
    rows = csv.reader(lines)
    header = [cell.strip() for cell in next(rows, [])]
    codes = header[1:]
    if not codes or header[0].lower() != "date" or not all(CODE.fullmatch(code) for code in codes):
        raise ParseError(reason("table.head", "the first line must be date,USD,EUR,…"))
    table: list[list[Rate]] = [[] for _ in codes]
    for number, row in enumerate(rows, start=2):
        if not "".join(row).strip():  # spreadsheets end a table with rows of commas
            continue
        for column, rate in _read_row(row, codes, quote, number):
            table[column].append(rate)
    for rates in table:
        # tables come with the newest day first, too
        rates.sort(key=lambda rate: rate.effective_on)
    return table


def _read_row(
    row: list[str], codes: list[str], quote: str, number: int
) -> Iterator[tuple[int, Rate]]:
    if len(row) > len(codes) + 1:
        raise ParseError(
            reason("table.cells", "line {line} has more cells than the first line", line=number)
        )
    try:
        day = _read_day(row[0].strip())
    except ValueError:
        raise ParseError(
            reason("table.date", "line {line} has no date: {cell}", line=number, cell=repr(row[0]))
        ) from None
    for column, cell in enumerate(row[1:]):
        if not cell.strip():
            continue
        try:
            value = Decimal(cell.strip())
        except InvalidOperation:
            words = "line {line} has no number for {code}: {cell}"
            raise ParseError(
                reason("table.number", words, line=number, code=codes[column], cell=repr(cell))
            ) from None
        if not value.is_finite() or value <= 0:  # Decimal reads "NaN" and "Infinity", too
            words = "line {line}: {cell} is not a price of {code}"
            raise ParseError(
                reason("table.price", words, line=number, code=codes[column], cell=repr(cell))
            )
        rate = Rate(
            source=SOURCE,
            pair=Pair(codes[column], quote),
            kind=RateKind.OFFICIAL,
            effective_on=day,
            value=value,
        )
        yield column, rate


def _read_day(text: str) -> date:
    """A day as spreadsheets write it: 2026-01-05, with any dash, or 05.01.2026; else ValueError."""
    local = re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./](\d{4})", text)
    if local is not None:
        return date(int(local[3]), int(local[2]), int(local[1]))
    # hyphens and dashes from U+2010 to U+2015, and the minus sign
    return date.fromisoformat(re.sub("[\u2010-\u2015\u2212]", "-", text))


def _big(move: BigMove) -> Replayed:
    headline = move.moved.headline
    return Replayed(
        pair=headline.new.pair,
        effective_on=headline.new.effective_on,
        rule=move.moved.rules[0],
        percent=headline.percent,
        old=headline.old.per_unit,
        new=headline.new.per_unit,
        severity=move.severity,
        reasons=move.reasons,
    )


def _own(rule: Rule, fired: Fired) -> Replayed:
    move = fired.move
    return Replayed(
        pair=rule.pair,
        effective_on=move.new.effective_on,
        rule=str(rule),
        percent=move.percent,
        old=move.old.per_unit,
        new=move.new.per_unit,
        severity=Severity.NOTABLE,
        reasons=fired.reasons,
    )
