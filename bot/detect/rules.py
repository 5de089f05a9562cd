"""A chat's own rules: a level, a move, a move within days. Read, written back, decided, previewed.

    RUB < 1            a level; also `RUB ниже 1`, `RUB 1ден төмөн`, `≤`, `≥`
    USD 1%             a move of 1 % in a fixing, or since the rule last spoke; `USD +1%` only rises, `USD -1%` falls
    USD 0.5            the same by half a som; `USD ±0.5` says so whatever the rate
    USD 85             a level where the number is near the rate (`as_level`), for nobody waits for a move of 85 som
    доллар к рублю > 90  currencies by any name, the second one instead of the chat's own
    EUR 3% 7d          3 % within seven days
    sell USD < 87      a dealer's rate; official otherwise
    … once             one message and no more
    … until 2026-12-31

A rule also has a short form for links and buttons (`to_link`, `from_link`), read as carefully as what a person types.

A level rule speaks when the level is crossed, then rests until the rate has come back by `MARGIN`: a rate that
trembles on the level is one message. A move rule is measured from where it last spoke, so it re-arms itself.
Kyrgyz puts the comparison after the number and an ending on it, Russian before it: order does not matter here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, Self

from bot.errors import UserError
from bot.model.alerts import rate_from_json, rate_to_json
from bot.model.rates import Move, Pair, Rate, RateKind

MARGIN = Decimal("0.25")  # percent of the level: more than an official rate's tremble, less than anybody's interest
LEVEL_FROM = Decimal(
    "0.25"
)  # of the rate: no official rate moves by a quarter, so a bare number from here on is a level
SMALLEST = Decimal("0.1")  # percent; below it a rule speaks on every fixing of every pair
LONGEST = 366  # days of a window
WIDEST = 16  # characters of an amount: no rate needs more, and a link has no room for more
NEAR, FAR = Decimal("0.005"), Decimal("0.03")  # how far round figures lie from a rate, and from each other
PERCENTS = tuple(
    Decimal(tenths) / 10 for tenths in (1, 2, 3, 5, 10, 15, 20, 25, 30, 40, 50, 70, 100, 150, 200, 300, 500)
)


class Condition(StrEnum):
    """What is compared: the rate with a level, or its change in percent or in money."""

    LEVEL = "level"
    PERCENT = "percent"
    ABSOLUTE = "absolute"


class Direction(StrEnum):
    """Which way counts; a level is always one of the first two."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of one chat. `amount` is a rate, percent, or quote units for one base unit; `window` is days.

    `inclusive`: a level counts as reached when touched (`≤`, `≥`). `until` is the last day it is in force.
    """

    pair: Pair
    kind: RateKind = RateKind.OFFICIAL
    condition: Condition
    amount: Decimal
    direction: Direction = Direction.BOTH
    inclusive: bool = False
    window: int | None = None
    once: bool = False
    until: date | None = None

    @property
    def level(self) -> Decimal | None:
        """The rate that has to be passed, when that is the condition."""
        return self.amount if self.condition is Condition.LEVEL else None

    def __str__(self) -> str:
        """As a person would type it; `parse_rule` reads it back as the same rule."""
        kind = "" if self.kind is RateKind.OFFICIAL else f"{self.kind} "
        amount = format(self.amount, "f")
        if self.condition is Condition.LEVEL:
            sign = (">" if self.direction is Direction.UP else "<") + ("=" if self.inclusive else "")
            what = f"{sign} {amount}"
        else:
            sign = {Direction.UP: "+", Direction.DOWN: "-", Direction.BOTH: ""}[self.direction]
            what = sign + amount + ("%" if self.condition is Condition.PERCENT else "")
        gap = " in " if self.condition is Condition.ABSOLUTE else " "  # "1 100d" would be read as a thousand
        window = f"{gap}{self.window}d" if self.window else ""
        until = f" until {self.until}" if self.until else ""
        return f"{kind}{self.pair} {what}{window}{' once' if self.once else ''}{until}"

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {
            "v": 1,
            "pair": str(self.pair),
            "kind": self.kind.value,
            "condition": self.condition.value,
            "amount": format(self.amount, "f"),
            "direction": self.direction.value,
            "inclusive": self.inclusive,
            "window": self.window,
            "once": self.once,
            "until": self.until.isoformat() if self.until else None,
            "paused": False,  # a program before this one reads it; whether a rule rests is a column
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(
            pair=Pair.parse(data["pair"]),
            kind=RateKind(data["kind"]),
            condition=Condition(data["condition"]),
            amount=Decimal(data["amount"]),
            direction=Direction(data["direction"]),
            inclusive=data["inclusive"],
            window=data["window"],
            once=data["once"],
            until=date.fromisoformat(data["until"]) if data["until"] else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """What a rule remembers: whether it may speak, and the rate it last spoke of (or began with)."""

    armed: bool = True
    anchor: Rate | None = None
    fired_on: date | None = None

    def to_json(self) -> dict[str, Any]:
        """Version 1 of the stored form."""
        return {
            "v": 1,
            "armed": self.armed,
            "anchor": rate_to_json(self.anchor) if self.anchor else None,
            "fired_on": self.fired_on.isoformat() if self.fired_on else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read any version we ever wrote."""
        return cls(
            armed=data["armed"],
            anchor=rate_from_json(data["anchor"]) if data["anchor"] else None,
            fired_on=date.fromisoformat(data["fired_on"]) if data["fired_on"] else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A rule's condition came true with `move.new`; `move.old` is what it was measured from."""

    rule: Rule
    move: Move
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The days a rule would have spoken on, oldest first."""

    dates: tuple[date, ...]

    @property
    def count(self) -> int:
        """How often."""
        return len(self.dates)


# --- in links and buttons -------------------------------------------------------------------------------------

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
_LINK = re.compile(
    r"(?P<base>[A-Z]{3})_(?P<quote>[A-Z]{3})_(?P<kind>[a-z]{3,9})_(?P<operator>[a-z]{2})_(?P<amount>\d+(?:-\d+)?)"
    r"(?:_w(?P<window>\d{1,3}))?(?P<once>_once)?(?:_u(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d))?",
    re.ASCII,
)


def to_link(rule: Rule) -> str:
    """A rule in at most 58 of the signs a link's payload may hold: `RUB_KGS_official_lt_1-05`."""
    operator = _OPERATORS[rule.condition, rule.direction, rule.inclusive][0]
    parts = [rule.pair.base, rule.pair.quote, rule.kind.value, operator, format(rule.amount, "f").replace(".", "-")]
    parts += [f"w{rule.window}"] if rule.window else []
    parts += ["once"] if rule.once else []
    parts += ["u" + rule.until.isoformat().replace("-", "")] if rule.until else []
    return "_".join(parts)


def from_link(text: str) -> Rule:
    """The inverse, for what anybody may have made up: UserError when it is no rule."""
    match = _LINK.fullmatch(text)
    if match is None or match["kind"] not in {kind.value for kind in RateKind} or match["operator"] not in _TYPED:
        raise UserError("error.stale")
    before, after = _TYPED[match["operator"]]
    typed = f"{match['kind']} {match['base']}/{match['quote']} {before}{match['amount'].replace('-', '.')}{after}"
    typed += f" in {match['window']}d" if match["window"] else ""
    typed += " once" if match["once"] else ""
    typed += f" until {match['year']}-{match['month']}-{match['day']}" if match["year"] else ""
    return parse_rule(typed, home=match["quote"])


# --- offering -------------------------------------------------------------------------------------------------


def offered(pair: Pair, kind: RateKind, latest: Decimal) -> tuple[tuple[Rule, ...], ...]:
    """Rules worth a button, row by row: levels at round figures near the latest rate, a day's moves, a week's."""
    levels = [
        Rule(pair=pair, kind=kind, condition=Condition.LEVEL, amount=amount, direction=direction)
        for direction, amount in _round_levels(latest)
    ]

    def moves(sizes: Sequence[int], window: int | None = None) -> tuple[Rule, ...]:
        return tuple(
            Rule(pair=pair, kind=kind, condition=Condition.PERCENT, amount=Decimal(size), window=window)
            for size in sizes
        )

    return tuple(levels), moves((1, 2, 3, 5)), moves((3, 5), 7)


def stepped(rule: Rule, *, up: bool) -> Rule | None:
    """The rule at the next larger or smaller round figure; None where there is none."""
    if rule.condition is Condition.PERCENT:
        larger = [size for size in PERCENTS if size > rule.amount]
        smaller = [size for size in PERCENTS if size < rule.amount]
        amount = (larger[0] if larger else None) if up else (smaller[-1] if smaller else None)
    else:
        step = _round_step(rule.amount * (NEAR if rule.condition is Condition.LEVEL else Decimal("0.1")))
        amount = _multiple(rule.amount, step, up=up)
    if amount is None or amount <= 0 or len(format(amount, "f")) > WIDEST:
        return None
    return replace(rule, amount=amount)


def _round_levels(latest: Decimal) -> list[tuple[Direction, Decimal]]:
    """Two figures below and two above, the far ones at rounder places; never on the rate itself."""
    near, far = _round_step(latest * NEAR), _round_step(latest * FAR)
    margin = latest * MARGIN / 100
    below, above = _multiple(latest - margin, near, up=False), _multiple(latest + margin, near, up=True)
    further = _multiple(below, far, up=False), _multiple(above, far, up=True)
    lows = [amount for amount in (further[0], below) if amount > 0]
    return [(Direction.DOWN, amount) for amount in lows] + [(Direction.UP, above), (Direction.UP, further[1])]


def _round_step(size: Decimal) -> Decimal:
    """The smallest of …, 0.1, 0.2, 0.5, 1, 2, 5, … that is not less than `size`."""
    power = Decimal(1).scaleb(size.adjusted())
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= size)


def _multiple(value: Decimal, step: Decimal, *, up: bool) -> Decimal:
    """The next multiple of `step` strictly beyond `value`, without idle zeros."""
    whole = value // step
    times = whole + 1 if up else whole - (value % step == 0)
    found = (times * step).normalize()
    return found.quantize(Decimal(1)) if found == found.to_integral_value() else found


# --- deciding -------------------------------------------------------------------------------------------------


def initial_state(rule: Rule, history: Sequence[Rate]) -> RuleState:
    """The state of a rule made now: moves count from the latest rate; a level already reached has to be left first."""
    if not history:
        return RuleState()
    latest = history[-1]
    return RuleState(armed=not (rule.condition is Condition.LEVEL and _reached(rule, latest)), anchor=latest)


def evaluate(
    rule: Rule, state: RuleState, history: Sequence[Rate], new: Rate, *, now: datetime
) -> tuple[Fired | None, RuleState]:
    """Decide about `new` and say what to remember; speaks at most once an effective day.

    `history` is the same series oldest first; rates from `new`'s day on are ignored. A finished or expired rule says
    nothing and remembers what it knew.
    """
    finished = rule.once and state.fired_on is not None
    expired = rule.until is not None and max(now.date(), new.effective_on) > rule.until
    told = state.fired_on is not None and new.effective_on <= state.fired_on
    if finished or expired or told:
        return None, state
    past = _before(history, new.effective_on)
    if state.anchor is None:
        if not past:
            return None, replace(initial_state(rule, [new]), fired_on=state.fired_on)
        state = replace(initial_state(rule, past[:1]), fired_on=state.fired_on)
    if rule.condition is Condition.LEVEL:
        return _evaluate_level(rule, state, past, new)
    return _evaluate_move(rule, state, past, new)


def preview(rule: Rule, history: Sequence[Rate]) -> Preview:
    """The days of `history` (oldest first, one series) on which the rule would have spoken, had it been made then."""
    fired = replay_rule(replace(rule, until=None), history)
    return Preview(dates=tuple(each.move.new.effective_on for each in fired))


def replay_rule(rule: Rule, rates: Sequence[Rate]) -> list[Fired]:
    """Each time the rule speaks when `rates` come one after another."""
    if not rates:
        return []
    state = initial_state(rule, rates[:1])
    found: list[Fired] = []
    for at in range(1, len(rates)):
        start = max(0, at - (rule.window or 1) - 1)
        now = datetime.combine(rates[at].effective_on, time(12), tzinfo=UTC)
        fired, state = evaluate(rule, state, rates[start:at], rates[at], now=now)
        if fired is not None:
            found.append(fired)
    return found


def _before(history: Sequence[Rate], day: date) -> Sequence[Rate]:
    """The part before `day`, sought from the end: ten thousand rules look at the same long history."""
    end = len(history)
    while end and history[end - 1].effective_on >= day:
        end -= 1
    return history if end == len(history) else history[:end]


def _reached(rule: Rule, rate: Rate) -> bool:
    value = rate.per_unit
    if rule.inclusive and value == rule.amount:
        return True
    return value > rule.amount if rule.direction is Direction.UP else value < rule.amount


def _left(rule: Rule, rate: Rate) -> bool:
    """Whether the rate has come back past the level by the margin."""
    margin = rule.amount * MARGIN / 100
    value = rate.per_unit
    return value <= rule.amount - margin if rule.direction is Direction.UP else value >= rule.amount + margin


def _evaluate_level(rule: Rule, state: RuleState, past: Sequence[Rate], new: Rate) -> tuple[Fired | None, RuleState]:
    if not state.armed:
        return None, replace(state, armed=_left(rule, new))
    if not _reached(rule, new):
        return None, state
    old = past[-1] if past else state.anchor or new
    side = "above" if rule.direction is Direction.UP else "below"
    fired = Fired(rule=rule, move=Move(old=old, new=new), reasons=(f"{side} {rule.amount}, was {old.per_unit}",))
    return fired, RuleState(armed=False, anchor=new, fired_on=new.effective_on)


def _evaluate_move(rule: Rule, state: RuleState, past: Sequence[Rate], new: Rate) -> tuple[Fired | None, RuleState]:
    if rule.window is None:
        olds = [*([state.anchor] if state.anchor else []), *past[-1:]]
    else:
        olds = _window(rule.window, state, past, new)
    # The largest move is from the lowest or the highest of them; a year's window is a year of rates.
    ends = [end(olds, key=lambda old: old.per_unit) for end in (min, max)] if olds else []
    moves = [Move(old=old, new=new) for old in sorted(ends, key=lambda old: old.effective_on)]
    moves = [move for move in moves if _large(rule, move)]
    if not moves:
        return None, state
    move = max(moves, key=lambda move: abs(move.percent))
    change = f"{move.percent:+.2f}".replace("-", "−")
    reason = f"{change} % since {move.old.effective_on}"
    return (
        Fired(rule=rule, move=move, reasons=(reason,)),
        RuleState(armed=True, anchor=new, fired_on=new.effective_on),
    )


def _window(days: int, state: RuleState, past: Sequence[Rate], new: Rate) -> list[Rate]:
    """What was in force within the window, but nothing from before the rule last spoke."""
    start = new.effective_on - timedelta(days=days)
    if state.fired_on is not None:
        start = max(start, state.fired_on)
    first = len(past)
    while first and past[first - 1].effective_on > start:
        first -= 1
    return list(past[max(first - 1, 0) :])


def _large(rule: Rule, move: Move) -> bool:
    change = move.percent if rule.condition is Condition.PERCENT else move.new.per_unit - move.old.per_unit
    if rule.direction is Direction.UP:
        return change >= rule.amount
    if rule.direction is Direction.DOWN:
        return -change >= rule.amount
    return abs(change) >= rule.amount


# --- reading --------------------------------------------------------------------------------------------------

_KINDS = {
    RateKind.OFFICIAL: ("official", "официальный", "расмий"),
    RateKind.REFERENCE: ("reference",),
    RateKind.BUY: ("buy", "buying", "покупка", "покупки", "сатып алуу"),
    RateKind.SELL: ("sell", "selling", "продажа", "продажи", "сатуу"),
    RateKind.MID: ("mid",),
    RateKind.CROSS: ("cross",),
}
_BELOW = ("<", "≤", "below", "under", "less", "ниже", "меньше", "дешевле", "төмөн", "аз", "арзан")
_ABOVE = (">", "≥", "above", "over", "more", "выше", "больше", "дороже", "жогору", "көп", "кымбат")
_ONCE = ("once", "один раз", "однажды", "разово", "бир жолу")
_UNTIL = ("until", "till", "до", "чейин")
_LINK_WORDS = ("to", "vs", "against", "к", "ко", "в", "во")  # between two currencies; before anything else a filler
_FILLER = ("than", "чем", "if", "when", "когда", "если", "in", "за", "within", "ичинде", "на", "by", "is", "the", "a",
           "rate", "курс", "курса", "курсу", "курсы", "of", "at", "for", "по", "при", "будет", "станет", "болсо",
           "болгондо", "falls", "drops", "rises", "goes", "gets", "упадёт", "упадет", "опустится", "вырастет",
           "поднимется", "түшсө", "көтөрүлсө", "өссө")  # fmt: skip
_UNITS = {"d": 1, "day": 1, "days": 1, "д": 1, "дн": 1, "день": 1, "дня": 1, "дней": 1, "күн": 1, "күндө": 1,
          "w": 7, "week": 7, "weeks": 7, "неделя": 7, "неделю": 7, "недели": 7, "недель": 7, "апта": 7, "жума": 7,
          "m": 30, "month": 30, "months": 30, "месяц": 30, "месяца": 30, "месяцев": 30, "ай": 30}  # fmt: skip

_WORDS: dict[str, tuple[str, str]] = {
    **{word: ("kind", kind.value) for kind, words in _KINDS.items() for word in words},
    **dict.fromkeys(_BELOW, ("side", Direction.DOWN.value)),
    **dict.fromkeys(_ABOVE, ("side", Direction.UP.value)),
    **dict.fromkeys(_ONCE, ("once", "")),
    **dict.fromkeys(_UNTIL, ("until", "")),
    **dict.fromkeys(_LINK_WORDS, ("link", "")),
    **dict.fromkeys(_FILLER, ("filler", "")),
}
_NUMBER = r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?"
_SIGNS = {"+": Direction.UP, "-": Direction.DOWN, "−": Direction.DOWN, "±": Direction.BOTH}
_TOKEN = re.compile(
    rf"""(?P<date>\d{{4}}-\d\d-\d\d|\d{{1,2}}\.\d{{1,2}}\.\d{{4}})
       |(?P<span>\d+)\s?(?P<unit>{"|".join(sorted(_UNITS, key=len, reverse=True))})(?!\w)
       |(?P<number>{_NUMBER})(?P<ending>д[аеоө]н|т[аеоө]н)?(?![\d.,]*\d)
       |(?P<percent>%|процент\w*|percent|пайыз\w*)
       |(?P<link>\s*/\s*|-(?=[^\W\d_]))
       |(?P<sign>\+/-|[+\-−±])
       |(?P<side><=|>=|=<|=>|[<>≤≥])
       |(?P<phrase>один\ раз|бир\ жолу|сатып\ алуу)(?!\w)
       |(?P<word>[^\W\d_]+)
       |(?P<mark>\S)""",
    re.VERBOSE | re.IGNORECASE,
)
_CODE_HERE = re.compile(r"[A-Za-z]{3}(?!\w)")


class CurrencyFound(Protocol):
    """What a reader of currencies finds: one code, or two of a pair, and the place in the text behind them."""

    @property
    def codes(self) -> tuple[str, ...]:
        """ISO 4217 codes."""

    @property
    def end(self) -> int:
        """The place in the text behind them."""


class DayFound(Protocol):
    """What a reader of days finds, likewise."""

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
    return CodeFound(codes=(match.group().upper(),), end=match.end()) if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRule:
    """A rule as it was typed; `bare`: a number stood there alone, without a sign, a percent, a window or a side."""

    rule: Rule
    bare: bool


def parse_rule(text: str, *, home: str, currency: ReadCurrency = code_at, day: ReadDay | None = None) -> Rule:
    """Read a rule as a person types it; `home` is the currency others are quoted in.

    `currency` and `day` read these at a place of the text; without them only codes and full dates are known. UserError
    (`error.rule.*`) says what is missing or cannot be read. A bare number is a move here: see `parse_typed_rule`.
    """
    return parse_typed_rule(text, home=home, currency=currency, day=day).rule


def parse_typed_rule(
    text: str, *, home: str, currency: ReadCurrency = code_at, day: ReadDay | None = None
) -> TypedRule:
    """The same, telling whether its number was bare and may be a level: `as_level` decides that beside a rate."""
    draft = _Draft(home=home.upper(), currency=currency, day=day)
    at = 0
    while at < len(text):
        if text[at].isspace() or text[at] in ",;:.":
            at += 1
            continue
        at = draft.read(text, at)
    rule = draft.rule()
    bare = rule.condition is Condition.ABSOLUTE and draft.sign is None and draft.side is None
    return TypedRule(rule=rule, bare=bare)


def as_level(rule: Rule, latest: Decimal) -> Rule:
    """A bare number beside the latest rate: a level when it is at least `LEVEL_FROM` of it, else the move it was.

    Above the rate (or on it) the level speaks when it is risen past, below it when it is fallen past. UserError when
    it is a level and has a window, which only moves have.
    """
    if rule.amount < latest * LEVEL_FROM:
        return rule
    if rule.window is not None:
        raise UserError("error.rule.level_window")
    direction = Direction.UP if rule.amount >= latest else Direction.DOWN
    return replace(rule, condition=Condition.LEVEL, direction=direction)


@dataclass(slots=True, kw_only=True)
class _Draft:
    """What has been read of a rule so far."""

    home: str
    currency: ReadCurrency
    day: ReadDay | None
    codes: list[str] = field(default_factory=list)
    linked: bool = False  # the word before the place says that a second currency follows
    kind: RateKind = RateKind.OFFICIAL
    side: Direction | None = None
    inclusive: bool = False
    sign: Direction | None = None
    amount: Decimal | None = None
    percent: bool = False
    window: int | None = None
    once: bool = False
    until: date | None = None
    until_said: bool = False

    def read(self, text: str, at: int) -> int:
        """Put what stands at `at` where it belongs; the place behind it."""
        if (end := self._read_until(text, at)) is not None:
            return end
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unclear(text[at:])
        linked, self.linked = self.linked, False
        if match["word"] or match["phrase"] or match["mark"]:
            return self._read_word(match, linked=linked)
        self._take(match)
        return match.end()

    def _read_until(self, text: str, at: int) -> int | None:
        """The end of the last day that stands here; None when none does.

        Before "until" was said (Kyrgyz says it behind) only a day with a name in it is one: "20.11" may be a rate.
        """
        if self.day is None or self.until is not None:
            return None
        try:
            found = self.day(text, at)
        except UserError:
            if not self.until_said:
                return None  # "0.5" is no day
            raise UserError("error.rule.date", part=text[at:].split(maxsplit=1)[0][:WIDEST]) from None
        if found is None or not (self.until_said or any(letter.isalpha() for letter in text[at : found.end])):
            return None
        self.until = found.on
        return found.end

    def _take(self, match: re.Match[str]) -> None:
        """Put one token without words where it belongs."""
        text = match.group()
        if match["date"]:
            self.until = _read_date(text)
        elif match["span"]:
            self._set_window(int(match["span"]) * _UNITS[match["unit"].lower()])
        elif match["number"]:
            self._set_amount(match["number"])
        elif match["percent"]:
            self.percent = True
        elif match["link"]:
            if not self.codes:
                raise _unclear(text)
            self.linked = True
        elif match["sign"]:
            self.sign = _SIGNS.get(text, Direction.BOTH)
        else:
            self._set_side(Direction.UP if text[0] in ">≥" or text == "=>" else Direction.DOWN)
            self.inclusive = text not in "<>"

    def _read_word(self, match: re.Match[str], *, linked: bool) -> int:
        word = " ".join(match.group().lower().split())
        role, value = _WORDS.get(word, ("", ""))
        if not role:
            found = self.currency(match.string, match.start())
            if found is None:
                raise _unclear(match.string[match.start() :])
            for place, code in enumerate(found.codes):
                self._take_code(code, linked=linked or place > 0)
            return found.end
        if role == "kind":
            self.kind = RateKind(value)
        elif role == "side":
            self._set_side(Direction(value))
        elif role == "once":
            self.once = True
        elif role == "until":
            self.until_said = True
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
            self.codes = [code]  # "сом за доллар": the chat's own currency is what it is quoted in anyway
        elif not self.codes or (len(self.codes) == 1 and linked):
            self.codes.append(code)
        elif code != self.home or len(self.codes) > 1:
            raise UserError("error.rule.two_currencies", first=self.codes[0], second=code)

    def _pair(self) -> Pair:
        if not self.codes:
            raise UserError("error.rule.no_currency")
        base, quote = self.codes[0], self.codes[1] if len(self.codes) > 1 else self.home
        if base == quote:
            raise UserError("error.rule.same_currency", code=base)
        return Pair(base, quote)

    def _set_side(self, side: Direction) -> None:
        if self.side not in {None, side}:
            raise UserError("error.rule.two_sides")
        self.side = side

    def _set_amount(self, text: str) -> None:
        if self.amount is not None:
            raise UserError("error.rule.two_amounts", part=text)
        amount = Decimal(re.sub(r"\s", "", text).replace(",", "."))
        if len(format(amount, "f")) > WIDEST:
            raise _unclear(text)
        self.amount = amount

    def _set_window(self, days: int) -> None:
        if not 1 <= days <= LONGEST:
            raise UserError("error.rule.window", longest=LONGEST)
        self.window = days

    def rule(self) -> Rule:
        """The rule, when everything it needs was said and fits together."""
        pair = self._pair()
        if self.amount is None:
            raise UserError("error.rule.no_amount")
        if self.amount <= 0:
            raise UserError("error.rule.amount")
        if self.until_said and self.until is None:
            raise UserError("error.rule.date", part="")
        condition, direction = self._condition()
        if condition is Condition.PERCENT and self.amount < SMALLEST:
            raise UserError("error.rule.too_small", smallest=f"{SMALLEST} %")
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

    def _condition(self) -> tuple[Condition, Direction]:
        if self.side is not None and not self.percent:
            if self.sign is not None:
                raise UserError("error.rule.amount")
            if self.window is not None:
                raise UserError("error.rule.level_window")
            return Condition.LEVEL, self.side
        direction = self.sign or Direction.BOTH
        if self.side is Direction.DOWN and self.sign is None:
            # "USD < 1 %" could mean "falls by 1 %" or "moves less than that": ask rather than guess.
            raise UserError("error.rule.percent_side")
        return (Condition.PERCENT if self.percent else Condition.ABSOLUTE), direction


def _unclear(rest: str) -> UserError:
    return UserError("error.rule.unclear", part=(rest.split(maxsplit=1) or [""])[0][:WIDEST])


def _read_date(text: str) -> date:
    try:
        if "-" in text:
            return date.fromisoformat(text)
        day, month, year = (int(part) for part in text.split("."))
        return date(year, month, day)
    except ValueError:
        raise UserError("error.rule.date", part=text) from None
