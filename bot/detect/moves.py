"""Big moves of one series: which new rate is worth interrupting somebody for.

Facts of the outside world this is shaped by:

* Official rates carried over a weekend or a holiday are the old number again, not a move of 0 %.
  Only values that differ from the one before are fixings, and only they tell how much a pair
  usually moves.
* USD/KGS stood still for a year (half of its changes under 0.03 %) and then moved 11.7 % in a day;
  RUB/KGS moves 0.5 % on an ordinary day. One threshold for both is either deaf or a nuisance.
* The National Bank publishes a little earlier or later each day, so "24 hours" is counted in
  effective days, not by the clock: Tuesday's rate may alert after Monday's, a second value for
  Monday may not.

"Usual" is the median absolute change of the changed days in the window, so that one old shock in it
does not hide the next one.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median

from bot.detect.series import before, in_force_since
from bot.model.alerts import Severity
from bot.model.rates import Move, Rate, percent_between
from bot.reasons import Reason, reason

HUNDREDTH = Decimal("0.01")
YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePolicy:
    """The sizes that count as big, in percent of the older value; argued on NBKR's rates of
    2021-2023.

    `certain`: a move against the previous fixing, or a drift since the last alert, of this size
    always alerts. 3 % is what a reader of any currency expects to be told; in an ordinary year it
    happens to RUB/KGS a dozen times and to USD/KGS once or twice.

    Below `certain` an alert is a courtesy, subject to `rest`:

    `factor`, `floor`: a single change of `factor` × usual, never under `floor`. Five medians happen
    about once in two hundred days when changes are bell-shaped; 1.5 % keeps a pair that stands
    still from alerting at 0.06 %. `extreme`: a new high or low of the window counts when the drift
    since the last alert is at least this; otherwise a trend would make a "new high" every day.
    `rest`: days since the last alert before a courtesy may follow. `quiet`, `lively`, `quiet_rest`:
    a pair that stands still (usual change under `quiet`, or nineteen days in twenty of the past
    year under `lively`) has its certain alerts and at most one courtesy a year, a jump: there a
    level is crossed by trifles. The year is asked too because a steady tremble has a median and no
    large days.

    `window`: days looked back for usual, high and low. `known`: days the history must reach back
    before a high or low means anything. `samples`: changes needed before "usual" is believed.
    `urgent`: from this size it goes before other alerts: it happens about once in a decade to an
    official rate. `fresh`: days after which a rate is history, not news (a long weekend and its
    bridge day).
    """

    certain: Decimal = Decimal(3)
    factor: Decimal = Decimal(5)
    floor: Decimal = Decimal("1.5")
    extreme: Decimal = Decimal(2)
    rest: int = 30
    quiet_rest: int = 365
    quiet: Decimal = Decimal("0.2")
    lively: Decimal = Decimal("0.3")
    window: int = 90
    known: int = 60
    samples: int = 15
    urgent: Decimal = Decimal(10)
    fresh: int = 5


DEFAULT_POLICY = MovePolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The rate last told to readers; `severity` is None for the first one known, told to nobody."""

    rate: Rate
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A big move of `new` against `baseline`: the last alerted rate, or where watching began.

    `rules` names the conditions that fired (`fixing`, `drift`, `high`, `low`), the first of which
    leads the message; `extreme_since` is the day of the last comparable move or level, when known.
    `usual` is the usual size of a daily move in percent; `told` is False when nothing was ever
    alerted and the baseline is where watching began. A move is not `confirmed` when it is large and
    one source alone says so.
    """

    baseline: Rate
    previous: Rate
    new: Rate
    rules: tuple[str, ...]
    usual: Decimal
    extreme_since: date | None = None
    told: bool = True
    confirmed: bool = True

    @property
    def headline(self) -> Move:
        """The change that the leading condition speaks of."""
        if self.rules[:1] == ("fixing",):
            return Move(old=self.previous, new=self.new)
        return Move(old=self.baseline, new=self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class BigMove:
    """A decision to alert: what moved, how loud, why; `baseline` is the one to keep from now on."""

    moved: Moved
    severity: Severity
    reasons: tuple[Reason, ...]

    @property
    def baseline(self) -> Baseline:
        """The rate that the next one's drift is measured from."""
        return Baseline(rate=self.moved.new, severity=self.severity)


def big_move(
    history: Sequence[Rate],
    new: Rate,
    baseline: Baseline | None,
    policy: MovePolicy = DEFAULT_POLICY,
    *,
    now: datetime,
) -> BigMove | None:
    """Say whether `new` is a big move against the previous fixing or against the last alerted rate.

    `history` is the same series oldest first, one rate an effective day; days from `new`'s on are
    ignored, so a revision is judged against the same past as the value it replaces. Without a
    `baseline` (nothing was ever alerted) drift is measured from the first rate of `history`. None
    when there is nothing to say: too small, a day already told about at this severity, or a rate
    too old to be news.
    """
    past = before(history, new.effective_on)
    if not past or (now.date() - new.effective_on).days > policy.fresh:
        return None
    base = baseline or Baseline(rate=past[0])
    previous = past[-1]
    # a late correction of a day before the last alert: its readers know a newer rate already
    if new.effective_on < base.rate.effective_on:
        return None
    case = _Case(past=past, base=base, previous=previous, new=new, policy=policy)
    rules = case.certain_rules() or case.courtesy_rules()
    if not rules:
        return None
    decision = case.decide(rules)
    told_today = base.severity is not None and base.rate.effective_on == new.effective_on
    if told_today and decision.severity.rank <= (base.severity or Severity.INFO).rank:
        return None
    return decision


def may_be_big(
    previous: Rate, new: Rate, baseline: Baseline, policy: MovePolicy = DEFAULT_POLICY
) -> bool:
    """Whether `big_move` is to be asked, with the whole past: never of an ordinary day's change."""
    jump = abs(percent_between(previous, new))
    drift = abs(percent_between(baseline.rate, new))
    return jump >= min(policy.certain, policy.floor) or drift >= min(policy.certain, policy.extreme)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One new rate with everything it is compared with; `past` ends with `previous`."""

    past: Sequence[Rate]
    base: Baseline
    previous: Rate
    new: Rate
    policy: MovePolicy

    @property
    def fixing(self) -> Decimal:
        return percent_between(self.previous, self.new)

    @property
    def drift(self) -> Decimal:
        return percent_between(self.base.rate, self.new)

    def certain_rules(self) -> tuple[str, ...]:
        """The conditions that always alert."""
        rules = []
        # the fixing first: it leads the message, being the newer of the two
        if abs(self.fixing) >= self.policy.certain:
            rules.append("fixing")
        if abs(self.drift) >= self.policy.certain:
            rules.append("drift")
        return tuple(rules)

    def courtesy_rules(self) -> tuple[str, ...]:
        """The conditions that alert only after a rest since the last alert."""
        policy = self.policy
        jumped = abs(self.fixing) >= policy.floor
        drifted = abs(self.drift) >= policy.extreme
        rested = (self.new.effective_on - self.base.rate.effective_on).days
        # asked first, because the rest walks through a year of rates
        if rested < policy.rest or not (jumped or drifted):
            return ()
        usual = self.usual()
        if usual is None:
            return ()
        still = usual < policy.quiet or not self.lively()
        if still and rested < policy.quiet_rest:
            return ()
        rules: list[str] = []
        if jumped and abs(self.fixing) >= usual * policy.factor:
            rules.append("fixing")
        if drifted and not still and (level := self.extreme_level()):
            rules.append(level)
        return tuple(rules)

    def decide(self, rules: tuple[str, ...]) -> BigMove:
        """Name the decision's size, loudness and reasons."""
        policy = self.policy
        level = self.extreme_level()
        if level and level not in rules:
            rules = (*rules, level)
        fixing, drift = self.fixing, self.drift
        usual = self.usual()
        sizes = {"fixing": abs(fixing)}  # all other conditions speak of the drift
        size = max(sizes.get(rule, abs(drift)) for rule in rules)
        severity = _severity(size, policy)
        words = {
            "fixing": reason(
                "fixing",
                "{change} % against the fixing of {day}",
                change=_signed(fixing),
                day=self.previous.effective_on,
            ),
            "drift": self._drifted(drift),
            "high": reason("high", "highest in {days} days", days=policy.window),
            "low": reason("low", "lowest in {days} days", days=policy.window),
        }
        reasons = [words[rule] for rule in rules]  # in their order: the leading one first
        if rules[0] in {"high", "low"}:  # whose reason alone would tell no size
            reasons.append(words["drift"])
        shown = Decimal(0)
        if usual is not None:
            shown = usual.quantize(HUNDREDTH)
            reasons.append(reason("usual", "a usual day moves {usual} %", usual=shown))
        if rules[0] == "fixing":
            extreme_since = self.last_like_this()
        else:
            extreme_since = self.last_level()
        moved = Moved(
            baseline=self.base.rate,
            previous=self.previous,
            new=self.new,
            told=self.base.severity is not None,
            rules=rules,
            usual=shown,
            extreme_since=extreme_since,
        )
        return BigMove(moved=moved, severity=severity, reasons=tuple(reasons))

    def _drifted(self, drift: Decimal) -> Reason:
        """The change since the last alert, or since we began to watch."""
        since = {"change": _signed(drift), "day": self.base.rate.effective_on}
        if self.base.severity is None:
            return reason("drift_first", "{change} % since the first rate of {day}", **since)
        return reason("drift", "{change} % since the alert of {day}", **since)

    def usual(self) -> Decimal | None:
        """The median absolute change in percent of the days it changed; None when few are known."""
        start = self.new.effective_on - timedelta(days=self.policy.window)
        sizes: list[Decimal] = []
        for old, new in pairwise(in_force_since(self.past, start)):
            if old.per_unit != new.per_unit:  # an equal one is carried over a weekend, no fixing
                sizes.append(abs(percent_between(old, new)))
        if len(sizes) < self.policy.samples:
            return None
        return median(sizes)

    def lively(self) -> bool:
        """Whether of last year's days over one in twenty moved by the policy's `lively`."""
        start = max(self.past[0].effective_on, self.new.effective_on - YEAR)
        large = 0
        for old, new in pairwise(in_force_since(self.past, start)):
            if abs(percent_between(old, new)) >= self.policy.lively:
                large += 1
        # of days, not of fixings: a pair that stands still has hardly any
        return large * 20 > (self.new.effective_on - start).days

    def extreme_level(self) -> str | None:
        """`high` or `low` when no value of the window reached `new`'s; None of a short past too."""
        day, value = self.new.effective_on, self.new.per_unit
        if (day - self.past[0].effective_on).days < self.policy.known:
            return None
        window = in_force_since(self.past, day - timedelta(days=self.policy.window))
        values = [rate.per_unit for rate in window]
        if not values:
            return None
        # strictly: a value that only comes back to the old high is none
        if value > max(values):
            return "high"
        if value < min(values):
            return "low"
        return None

    def last_like_this(self) -> date | None:
        """The day of the latest earlier change as large in the same direction, or None."""
        percent = self.fixing
        for old, new in pairwise(reversed(self.past)):
            earlier = percent_between(new, old)
            if earlier * percent > 0 and abs(earlier) >= abs(percent):
                return old.effective_on
        return None

    def last_level(self) -> date | None:
        """The latest earlier day as high (after a rise) or as low (after a fall), or None."""
        reached = operator.le
        if self.drift > 0:
            reached = operator.ge
        for rate in reversed(self.past):
            if reached(rate.per_unit, self.new.per_unit):
                return rate.effective_on
        return None


def _severity(size: Decimal, policy: MovePolicy) -> Severity:
    if size >= policy.urgent:
        return Severity.URGENT
    if size >= policy.certain:
        return Severity.NOTABLE
    return Severity.INFO


def _signed(percent: Decimal) -> str:
    # the true minus, as wide as the plus: reasons are read by people
    return f"{percent.quantize(HUNDREDTH):+f}".replace("-", "−")


def replay(rates: Iterable[Rate], policy: MovePolicy = DEFAULT_POLICY) -> Iterator[BigMove]:
    """Decide about one series, `rates` oldest first, as if each had come on its own day.

    The first rate is what the first drift is measured from, however long ago that is.
    """
    history: list[Rate] = []
    baseline: Baseline | None = None
    for rate in rates:
        now = datetime.combine(rate.effective_on, time(12), tzinfo=UTC)
        move = big_move(history, rate, baseline, policy, now=now)
        baseline = baseline or Baseline(rate=rate)
        if move is not None:
            baseline = move.baseline
            yield move
        # a table carries a weekend's rate forward, and an equal value is no fixing
        if not history or history[-1].per_unit != rate.per_unit:
            history.append(rate)
