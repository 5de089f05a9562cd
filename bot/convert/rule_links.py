"""A chat's own rule in links and buttons: a short form, read as carefully as what people type."""

from __future__ import annotations

import re

from bot.convert.rules import parse_rule
from bot.errors import UserError
from bot.model.rates import RateKind
from bot.model.rules import Condition, Direction, Rule

_OPERATORS = {
    (Condition.LEVEL, Direction.DOWN, False): ("lt", "<", ""),
    (Condition.LEVEL, Direction.DOWN, True): ("le", "<=", ""),
    (Condition.LEVEL, Direction.UP, False): ("gt", ">", ""),
    (Condition.LEVEL, Direction.UP, True): ("ge", ">=", ""),
    (Condition.PERCENT, Direction.BOTH, False): ("pb", "", "%"),
    (Condition.PERCENT, Direction.UP, False): ("pu", "+", "%"),
    (Condition.PERCENT, Direction.DOWN, False): ("pd", "-", "%"),
    (Condition.ABSOLUTE, Direction.BOTH, False): ("ab", "", ""),
    (Condition.ABSOLUTE, Direction.UP, False): ("au", "+", ""),
    (Condition.ABSOLUTE, Direction.DOWN, False): ("ad", "-", ""),
}
_TYPED = {short: (before, after) for short, before, after in _OPERATORS.values()}
# A start parameter may hold A-Z, a-z, 0-9, _ and - (Bot API, "Deep linking"), and 64 of them.
_LINK = re.compile(
    r"(?P<base>[A-Z]{3})_(?P<quote>[A-Z]{3})_(?P<kind>[a-z]{3,9})"
    r"_(?P<operator>[a-z]{2})_(?P<amount>\d+(?:-\d+)?)"
    r"(?:_w(?P<window>\d{1,3}))?(?P<once>_once)?(?:_u(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d))?",
    re.ASCII,
)


def to_link(rule: Rule) -> str:
    """A rule in at most 58 of the signs a link's payload may hold: `RUB_KGS_official_lt_1-05`."""
    operator = _OPERATORS[rule.condition, rule.direction, rule.inclusive][0]
    parts = [
        rule.pair.base,
        rule.pair.quote,
        rule.kind.value,
        operator,
        format(rule.amount, "f").replace(".", "-"),
    ]
    if rule.window:
        parts.append(f"w{rule.window}")
    if rule.once:
        parts.append("once")
    if rule.until:
        parts.append("u" + rule.until.isoformat().replace("-", ""))
    return "_".join(parts)


def from_link(text: str) -> Rule:
    """The inverse, for what anybody may have made up: UserError when it is no rule."""
    match = _LINK.fullmatch(text)
    if match is None or match["kind"] not in list(RateKind) or match["operator"] not in _TYPED:
        raise UserError("error.stale")
    # written as somebody would type it, and read by the same reader: one set of limits for both
    before, after = _TYPED[match["operator"]]
    typed = (
        f"{match['kind']} {match['base']}/{match['quote']} "
        f"{before}{match['amount'].replace('-', '.')}{after}"
    )
    if match["window"]:
        typed += f" in {match['window']}d"
    if match["once"]:
        typed += " once"
    if match["year"]:
        typed += f" until {match['year']}-{match['month']}-{match['day']}"
    return parse_rule(typed, home=match["quote"])
