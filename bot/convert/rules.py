"""A chat's own rule as people write it: a level, a move, a move within days.

    RUB < 1            a level; also `RUB ниже 1`, `RUB 1ден төмөн`, `≤`, `≥`
    USD 1%             a move of 1 % in a fixing, or since the rule last spoke
    USD +1%, USD -1%   only when it rises, only when it falls; "rises by 1 %" likewise
    USD 0.5            a move of half a som; `USD ±0.5` says so whatever the rate
    USD 85             a level where the number is near the rate (`offers.as_level`)
    USD falls to 85    a level, on the side that it moves to; "falls by 2" a move, whatever the rate
    UZS > 1,2к         a number with its thousands, as in a question
    доллар к рублю > 90   currencies by any name, the second one instead of the chat's own
    EUR 3% 7d          3 % within seven days; "3% in a week" likewise
    sell USD < 87      a dealer's rate; official otherwise
    … once             one message and no more
    … until 2026-12-31

Words of every language are understood (`bot/languages/*/rules.py`). Kyrgyz puts the comparison
after the number and an ending on it, Russian before it: order does not matter here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Protocol

from bot.convert.dates import day_at
from bot.convert.mentions import currency_at
from bot.convert.numbers import to_decimal
from bot.convert.plain import plain_text
from bot.convert.rule_tokens import BY, TO, amount_roles, parts, scale_of, spans, token
from bot.errors import UserError
from bot.model.rates import Pair, RateKind
from bot.model.rules import AMOUNT_WIDTH, Condition, Direction, Rule, TypedRule

SMALLEST_PERCENT = Decimal("0.1")  # below it a rule speaks on every fixing of every pair
LONGEST_WINDOW = 366  # days

_SIGNS = {"+": Direction.UP, "-": Direction.DOWN, "−": Direction.DOWN, "±": Direction.BOTH}
_SIDES = {
    "<": Direction.DOWN, "<=": Direction.DOWN, "=<": Direction.DOWN, "≤": Direction.DOWN,
    ">": Direction.UP, ">=": Direction.UP, "=>": Direction.UP, "≥": Direction.UP,
}  # fmt: skip
_CODE_HERE = re.compile(r"[A-Za-z]{3}(?!\w)")


class CurrencyFound(Protocol):
    """A currency in a text: one code, or two of a pair, and the place right behind them."""

    @property
    def codes(self) -> tuple[str, ...]:
        """ISO 4217 codes."""

    @property
    def end(self) -> int:
        """The place in the text behind them."""


class DayFound(Protocol):
    """The finding of a reader of days: the day, and where in the text it ended."""

    @property
    def on(self) -> date:
        """The day."""

    @property
    def end(self) -> int:
        """The place in the text behind it."""


ReadCurrency = Callable[[str, int], CurrencyFound | None]
ReadDay = Callable[[str, int], DayFound | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFound:
    """A code and the place behind it."""

    codes: tuple[str, ...]
    end: int


def code_at(text: str, at: int) -> CodeFound | None:
    """The three Latin letters at `at`, in capitals; None where there are others."""
    match = _CODE_HERE.match(text, at)
    if match is None:
        return None
    return CodeFound(codes=(match.group().upper(),), end=match.end())


def parse_rule(
    text: str, *, home: str, currency: ReadCurrency = code_at, day: ReadDay | None = None
) -> Rule:
    """Read a rule as a person types it; `home` is the currency others are quoted in.

    `currency` and `day` read these at a place of the text; without them only codes and full dates
    are known. UserError (`error.rule.*`) says what is missing or cannot be read. A bare number is a
    move here: see `parse_typed_rule`.
    """
    return parse_typed_rule(text, home=home, currency=currency, day=day).rule


def parse_typed_rule(
    text: str, *, home: str, currency: ReadCurrency = code_at, day: ReadDay | None = None
) -> TypedRule:
    """A rule, and whether its number was bare and may be a level: `as_level` decides by a rate."""
    draft = _Draft(home=home.upper(), currency=currency, day=day)
    at = 0
    while at < len(text):
        if text[at].isspace() or text[at] in ",;:.?!":
            at += 1
            continue
        at = draft.read(text, at)
    rule = draft.rule()
    bare = draft.is_bare(rule.condition)
    return TypedRule(rule=rule, bare=bare, named_first=draft.named_first)


def read_rule(
    text: str, *, home: str, today: date, must_know: Callable[[Sequence[str]], None]
) -> TypedRule:
    """A rule as a person types it, currencies and days by any name; UserError says what is wrong.

    `must_know` refuses currencies that nobody gives a rate of: of all that is wrong with a rule it
    is said first. A day without its year is the next one after `today`.
    """

    def known_currency(text: str, at: int) -> CurrencyFound | None:
        found = currency_at(text, at) or code_at(text, at)
        if found is not None:
            must_know(found.codes)
        return found

    day = partial(day_at, today=today, ahead=True)
    typed = parse_typed_rule(plain_text(text), home=home, currency=known_currency, day=day)
    # the chat's own currency may stand there unsaid
    must_know([typed.rule.pair.base, typed.rule.pair.quote])
    return typed


@dataclass(slots=True, kw_only=True)
class _Draft:
    """The parts of a rule that have been read so far."""

    home: str
    currency: ReadCurrency
    day: ReadDay | None
    codes: list[str] = field(default_factory=list)
    linked: bool = False  # the word before the place says that a second currency follows
    kind: RateKind = RateKind.OFFICIAL
    side: Direction | None = None
    inclusive: bool = False
    sign: Direction | None = None
    moved: Direction | None = None  # by a word: "rises by 2 %"
    amount: Decimal | None = None
    percent: bool = False
    window: int | None = None
    once: bool = False
    until: date | None = None
    until_said: str = ""  # the word that says so
    to_amount: bool = False  # that word came before the figure: "до 85" is "to 85" as well
    before: str = ""  # what the words before the place make of a figure: `amount_roles`
    of_amount: str = ""  # and what they made of the amount
    named_first: bool = False  # the currency stood before it

    def read(self, text: str, at: int) -> int:
        """Put what stands at `at` where it belongs; the place behind it."""
        if (end := self._read_until(text, at)) is not None:
            return end
        match = token().match(text, at)
        if match is None:
            raise _unclear(text[at:])
        linked, self.linked = self.linked, False
        if match["word"] or match["phrase"] or match["mark"]:
            return self._read_word(match, linked=linked)
        self._take(match)
        return match.end()

    def _read_until(self, text: str, at: int) -> int | None:
        """The end of the last day that stands here; None when none does."""
        if self.day is None or self.until is not None:
            return None
        try:
            found = self.day(text, at)
        except UserError:
            if not self.until_said:
                return None  # "0.5" is no day
            part = text[at:].split(maxsplit=1)[0][:AMOUNT_WIDTH]
            raise UserError("error.rule.date", part=part) from None
        if found is None:
            return None
        # Before "until" was said (Kyrgyz says it behind) only a day with a name in it is one:
        # "20.11" may be a rate.
        if not self.until_said and not any(map(str.isalpha, text[at : found.end])):
            return None
        self.until = found.on
        return found.end

    def _take(self, match: re.Match[str]) -> None:
        """Put one token without words where it belongs."""
        text = match.group()
        if match["date"]:
            self.until = _read_date(text)
            self.before = ""
        elif match["span"]:
            self.before = ""
            self._set_window(int(match["span"]) * spans()[match["unit"].lower()])
        elif match["number"]:
            self._set_amount(match["number"], scale_of(match))
        elif match["percent"]:
            self.percent = True
        elif match["link"]:
            if not self.codes:
                raise _unclear(text)
            self.linked = True
        elif match["sign"]:
            self.sign = _SIGNS.get(text, Direction.BOTH)
        else:
            self._set_side(_SIDES[text])
            # "<=" and its like: the level itself counts
            self.inclusive = text not in "<>"

    def _read_word(self, match: re.Match[str], *, linked: bool) -> int:
        word = " ".join(match.group().lower().split())
        role, value = parts().get(word, ("", ""))
        if not role:
            found = self.currency(match.string, match.start())
            if found is None:
                raise _unclear(match.string[match.start() :])
            self.before = ""  # "USD to RUB 90", "курс на доллар 90"
            for index, code in enumerate(found.codes):
                self._take_code(code, linked=linked or index > 0)
            return found.end
        self.before = amount_roles().get(word, self.before)
        if role == "kind":
            self.kind = RateKind(value)
        elif role == "side":
            self._set_side(Direction(value))
        elif role == "move":
            self._set_moved(Direction(value))
        elif role == "once":
            self.once = True
        elif role == "span":
            self._set_window(int(value))
        elif role == "until":
            self.until_said, self.to_amount = word, self.amount is None
        elif role == "link":
            self.linked = bool(self.codes)
        return match.end()

    def _take_code(self, code: str, *, linked: bool) -> None:
        """The base, the quote, or one of them once more ("$ USD", "USD > 90 KGS")."""
        if linked and self.codes == [code]:
            raise UserError("error.rule.same_currency", code=code)
        if code in self.codes or (len(self.codes) == 1 and code == self.home and not linked):
            return
        if self.codes == [self.home] and not linked:
            # "сом за доллар": the chat's own currency is what it is quoted in anyway
            self.codes = [code]
        elif not self.codes or (len(self.codes) == 1 and linked):
            self.codes.append(code)
        elif code != self.home or len(self.codes) > 1:
            raise UserError("error.rule.two_currencies", first=self.codes[0], second=code)

    def _pair(self) -> Pair:
        if not self.codes:
            raise UserError("error.rule.no_currency")
        base, quote = self.codes[0], self.home
        if len(self.codes) > 1:
            quote = self.codes[1]
        if base == quote:
            raise UserError("error.rule.same_currency", code=base)
        return Pair(base, quote)

    def _set_side(self, side: Direction) -> None:
        if self.side not in {None, side}:
            raise UserError("error.rule.two_sides")
        self.side = side

    def _set_moved(self, moved: Direction) -> None:
        """Up or down; where both are said, "rises or falls", either."""
        if self.moved not in {None, moved}:
            moved = Direction.BOTH
        self.moved = moved

    def _set_amount(self, text: str, scale: Fraction) -> None:
        if self.amount is not None:
            raise UserError("error.rule.two_amounts", part=text)
        amount = Decimal(re.sub(r"\s", "", text).replace(",", "."))
        if scale != 1:
            amount = to_decimal(Fraction(amount) * scale)
        if len(format(amount, "f")) > AMOUNT_WIDTH:
            raise _unclear(text)
        self.amount, self.of_amount = amount, self.before
        self.named_first = bool(self.codes)

    def _set_window(self, days: int) -> None:
        if not 1 <= days <= LONGEST_WINDOW:
            raise UserError("error.rule.window", longest=LONGEST_WINDOW)
        self.window = days

    def rule(self) -> Rule:
        """The rule, when everything it needs was said and fits together."""
        pair = self._pair()
        if self.amount is None:
            raise UserError("error.rule.no_amount")
        if self.amount <= 0:
            raise UserError("error.rule.amount")
        is_level = self.to_amount or self.moved is not None
        if self.until_said and self.until is None and not is_level:
            raise UserError("error.rule.date", part=self.until_said)
        condition, direction = self._condition()
        if condition is Condition.PERCENT and self.amount < SMALLEST_PERCENT:
            raise UserError("error.rule.too_small", smallest=SMALLEST_PERCENT)
        return Rule(
            pair=pair,
            kind=self.kind,
            condition=condition,
            amount=self.amount,
            direction=direction,
            inclusive=self.inclusive and condition is Condition.LEVEL,
            window=self.window,
            once=self.once,
            until=self.until,
        )

    def is_bare(self, condition: Condition) -> bool:
        """Whether nothing says that the amount is a move, or a level."""
        moves = self.sign is not None or self.side is not None or self.of_amount == BY
        return condition is Condition.ABSOLUTE and not moves

    def _condition(self) -> tuple[Condition, Direction]:
        if self.percent:
            return Condition.PERCENT, self._percent_direction()
        if self.of_amount == BY:
            return Condition.ABSOLUTE, self._move_direction()
        side = self.side or self._reached()
        if side is None:
            return Condition.ABSOLUTE, self.sign or self.moved or Direction.BOTH
        if self.sign is not None:
            raise UserError("error.rule.amount")
        if self.moved not in {None, Direction.BOTH, side}:  # "rises below 80"
            raise UserError("error.rule.two_sides")
        if self.window is not None:
            raise UserError("error.rule.level_window")
        return Condition.LEVEL, side

    def _percent_direction(self) -> Direction:
        if self.side is Direction.DOWN and self.sign is None:
            # "USD < 1 %" could mean "falls by 1 %" or "moves less than that": ask, do not guess
            raise UserError("error.rule.percent_side")
        return self.sign or self.moved or Direction.BOTH

    def _move_direction(self) -> Direction:
        """The direction of a move: "falls by more than 2", "dearer by 2"."""
        if self.side is Direction.DOWN and self.moved is not None:  # "falls by less than 2"
            raise UserError("error.rule.two_sides")
        return self.sign or self.moved or self.side or Direction.BOTH

    def _reached(self) -> Direction | None:
        """The side of the level that a move goes to: "falls to 80", "80ге чейин түшсө"."""
        to = self.of_amount == TO or (self.until_said and self.until is None)
        return self.moved if to and self.moved is not Direction.BOTH else None


def _unclear(rest: str) -> UserError:
    return UserError("error.rule.unclear", part=(rest.split(maxsplit=1) or [""])[0][:AMOUNT_WIDTH])


def _read_date(text: str) -> date:
    try:
        if "-" in text:
            return date.fromisoformat(text)
        day, month, year = map(int, text.split("."))
        return date(year, month, day)
    except ValueError:
        raise UserError("error.rule.date", part=text) from None
