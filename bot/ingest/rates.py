"""The consequences of a bank's rates: stored, judged as moves and by chats' rules, corrected."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import storage.alerts
import storage.baselines
import storage.held_rates
import storage.rates
import storage.rules
from bot.alerts import KINDS, Kind, corrections, kind_of, reads
from bot.alerts import moves as kind_moves
from bot.alerts import rules as kind_rules
from bot.detect import moves
from bot.detect.rules import evaluate
from bot.ingest import trust
from bot.model.alerts import Severity
from bot.model.rates import Rate, SeenRate, Series
from bot.model.rules import RuleState
from bot.sources.specs import RateSpec
from storage.alerts import StoredAlert
from storage.db import Db

#: Kinds of alert that a revised figure may make again, or undo.
JUDGED_ANEW = {kind_moves.RateMoved.KIND, kind_rules.RuleFired.KIND}
HISTORY = timedelta(days=400)  # a rule looks back 366 days at most, and to the rate before them


async def keep_rates(
    db: Db,
    spec: RateSpec,
    believed: Sequence[Rate],
    *,
    quiet: bool,
    admins: Sequence[int],
    now: datetime,
) -> tuple[list[SeenRate], int]:
    """Store rates believed or approved, with all that follows; what was new, and its alerts."""
    approved = await storage.held_rates.approved(db, spec.key)
    for item in approved:
        await storage.held_rates.release(db, item)
    # What the bank says now goes before what was approved of its earlier word on the same day.
    rates = {(item.series, item.effective_on): item for item in [*approved, *believed]}
    added = await storage.rates.add(db, rates.values(), seen_at=now)
    disputed = await trust.disputed(db, spec.key, added, admins=admins, now=now)
    pasts = Pasts(db)
    alerts = await _moves(db, added, disputed, pasts, quiet=quiet, now=now)
    for new in added:
        if new.revision:
            # it may have been held while another document said what was stored
            await storage.held_rates.release(db, new)
            alerts += await _revise_rules(db, new, now=now)
            alerts += await _revise_others(db, new, now=now)
    agreed = [new for new in added if new not in disputed]
    alerts += await judge_by_rules(db, agreed, pasts, now=now)
    for new in await trust.settled(db, added):
        alerts += await _moves(db, [new], (), pasts, quiet=False, now=now)
        alerts += await judge_by_rules(db, [new], pasts, now=now)
    return added, alerts


class Pasts:
    """The past of each stored rate, asked of the store once for moves and rules alike.

    What `trust` judges a rate by is another question: asked of every rate of a document, new or
    not, and before any of them is stored.
    """

    def __init__(self, db: Db) -> None:
        self._db = db
        self._newest: dict[Series, tuple[date, list[SeenRate]]] = {}

    async def of(self, new: SeenRate) -> list[SeenRate]:
        """The rates of its series before its day, oldest first; nothing is stored meanwhile."""
        known = self._newest.get(new.series)
        if known is not None and known[0] == new.effective_on:
            return known[1]
        past = await storage.rates.before(self._db, new, reach=HISTORY)
        # of the newest day alone: a document may bring years, each day with a past of its own
        if known is None or known[0] < new.effective_on:
            self._newest[new.series] = (new.effective_on, past)
        return past


async def revise_rates(db: Db, added: Sequence[SeenRate], *, now: datetime) -> None:
    """Correct what was told of a past that a backfill revised; it is no news."""
    for new in added:
        known = await _baselines(db, [new.series])
        baseline = known.get(new.series) or moves.Baseline(rate=new)
        past = await storage.rates.before(db, new, reach=HISTORY)
        await _revise_move(db, past, new, baseline, now=now)
        await _revise_rules(db, new, now=now)
        await _revise_others(db, new, now=now)


async def _baselines(db: Db, of: Collection[Series]) -> dict[Series, moves.Baseline]:
    """The rates that these series' drifts are measured from; none where watching begins."""
    known = await storage.baselines.among(db, of)
    return {
        series: moves.Baseline(rate=rate, severity=severity)
        for series, (rate, severity) in known.items()
    }


async def _fixings_before(db: Db, added: Collection[SeenRate]) -> dict[SeenRate, SeenRate]:
    """The rate of its series before each of these, where there is one that is not too old."""
    of_day: dict[tuple[str, date], list[SeenRate]] = {}
    for new in added:
        of_day.setdefault((new.source, new.effective_on), []).append(new)
    found: dict[SeenRate, SeenRate] = {}
    for (source, day), those in of_day.items():
        codes = {new.pair.base for new in those}
        past: dict[Series, SeenRate] = {}
        for one in await storage.rates.around(db, source, day, codes=codes):  # oldest first
            if day - HISTORY <= one.effective_on < day:
                past[one.series] = one
        found |= {new: past[new.series] for new in those if new.series in past}
    return found


async def _moves(
    db: Db,
    added: Sequence[SeenRate],
    disputed: Collection[SeenRate],
    pasts: Pasts,
    *,
    quiet: bool,
    now: datetime,
) -> int:
    """Enqueue the big moves among new rates, and say how many.

    Where watching a series begins, its drift is measured from there. Of a disputed rate nothing new
    is said, and drift goes on being measured from what was said last.
    """
    if not added:
        return 0
    alerts = 0
    oldest_first = sorted(added, key=lambda item: item.effective_on)
    baselines = await _baselines(db, {new.series for new in added})
    fixings: Mapping[SeenRate, SeenRate] = {}
    if not quiet:
        fixings = await _fixings_before(db, added)
    first: list[Rate] = []
    for new in oldest_first:
        if new.series not in baselines:
            # where a backfill came first the new rate may be a move already
            first.append(fixings.get(new, new))
            baselines[new.series] = moves.Baseline(rate=first[-1])
    await storage.baselines.put(db, first, severity=None, now=now)
    if quiet:
        return 0
    for new in oldest_first:
        baseline, found = baselines[new.series], None
        before = fixings.get(new)
        if new not in disputed and before and moves.may_be_big(before, new, baseline):
            found = moves.big_move(await pasts.of(new), new, baseline, now=now)
        if found is not None:
            baselines[new.series] = found.baseline
            await storage.baselines.put(db, [new], severity=found.severity, now=now)
            alerts += await _tell_move(db, found, new, now=now)
        elif new.revision:
            settled: Sequence[Rate] = ()
            if new not in disputed:  # without a past nothing is a move: it is only corrected
                settled = await pasts.of(new)
            alerts += await _revise_move(db, settled, new, baseline, now=now)
            baselines |= await _baselines(db, [new.series])
    return alerts


async def _tell_move(db: Db, found: moves.BigMove, new: SeenRate, *, now: datetime) -> int:
    """Enqueue a move once a day, direction and severity.

    Once more when the first was taken back before anybody heard of it.
    """
    if found.severity is Severity.URGENT and not await trust.confirmed(db, new):
        found = replace(found, moved=replace(found.moved, confirmed=False))
    made = kind_moves.alert(found, now=now)
    if await storage.alerts.enqueue(db, made) is not None:
        return 1
    if not new.revision:
        return 0
    for known in await storage.alerts.by_keys(db, [made.dedup_key]):
        if not (await storage.alerts.withdraw(db, known.id)).reached:
            again = kind_moves.once_more(made, new.revision)
            return int(await storage.alerts.enqueue(db, again) is not None)
    return 0


async def _revise_move(
    db: Db, past: Sequence[Rate], new: SeenRate, baseline: moves.Baseline, *, now: datetime
) -> int:
    """Correct a revised figure where it was told; who still waits hears only the new one.

    That is a move or nothing. Drift is measured from what was heard.
    """
    told = list(filter(reads, await storage.alerts.by_keys(db, kind_moves.keys(new))))
    alerts = 0
    reached: StoredAlert | None = None
    waiting: StoredAlert | None = None
    for one in told:
        # An alert may have reached some chats and be on its way to others: it is both then.
        left = await storage.alerts.withdraw(db, one.id)
        if left.reached:
            reached = one
            alerts += await _correct(db, one, new, now=now)
        if left.waiting:
            waiting = one
    heard = replace(baseline, rate=new)
    if waiting is not None:
        before = _baseline_of(reached or told[0])
        found = moves.big_move(past, new, before, now=now)
        if found is not None:
            alerts += await _move_again(db, found, waiting, new.revision)
        elif reached is None:
            heard = before
    if baseline.rate.effective_on == new.effective_on:
        await storage.baselines.put(db, [heard.rate], severity=heard.severity, now=now)
    return alerts


async def _move_again(db: Db, found: moves.BigMove, withdrawn: StoredAlert, revision: int) -> int:
    """A move in place of one taken back, for those who would have got that and did not."""
    # as of then: who subscribed since would not have got the first one either
    first = kind_moves.alert(found, now=withdrawn.created_at)
    those = replace(first.audience, told=withdrawn.id)
    again = kind_moves.once_more(replace(first, audience=those), revision)
    return int(await storage.alerts.enqueue(db, again) is not None)


async def _correct(db: Db, told: StoredAlert, new: SeenRate, *, now: datetime) -> int:
    """Tell those who got an alert what its figure is now."""
    old = kind_of(told).rate(told)
    # revised back: what they know is the last correction
    if old is None or old.per_unit == new.per_unit:
        old = await storage.rates.before_revision(db, new)
    if old is None or old.per_unit == new.per_unit:
        return 0
    corrects = told.post or corrections.RateCorrected.POST
    correction = corrections.alert(told.id, old, new, now=now, corrects=corrects)
    return int(await storage.alerts.enqueue(db, correction) is not None)


async def _revise_rules(db: Db, new: SeenRate, *, now: datetime) -> int:
    """Correct what chats' rules told of a rate; take back, to judge anew, what nobody heard."""
    kind = kind_rules.RuleFired.KIND
    about = await storage.alerts.about_rate(db, kind, new.series, new.effective_on)
    spoken = list(filter(reads, about))
    if not spoken:
        return 0
    rules = {item.id: item for item in await storage.rules.ever_watching(db, new.series)}
    alerts = 0
    corrected: set[int] = set()
    # a rule that was changed may have spoken twice: its last word is corrected
    for told in reversed(spoken):
        fired = kind_rules.RuleFired.read(told.payload)
        left = await storage.alerts.withdraw(db, told.id)
        if left.reached and fired.number not in corrected:
            corrected.add(fired.number)
            alerts += await _correct(db, told, new, now=now)
            continue
        rule = rules.get(fired.number)
        if left.waiting and rule is not None and rule.state.fired_on == new.effective_on:
            # as it was before it spoke, so that the new figure is judged from there
            await storage.rules.remember(db, fired.number, RuleState(anchor=fired.move.old))
    return alerts


async def _revise_others(db: Db, new: SeenRate, *, now: datetime) -> int:
    """Correct what any other kind told of a rate (`Kind.rate`); who still waits hears nothing.

    What it would say of the new figure is its own decision.
    """
    alerts = 0
    for name, kind in KINDS.items():
        if name in JUDGED_ANEW or type(kind).rate is Kind.rate:
            continue
        about = await storage.alerts.about_rate(db, name, new.series, new.effective_on)
        for told in filter(reads, about):
            if (await storage.alerts.withdraw(db, told.id)).reached:
                alerts += await _correct(db, told, new, now=now)
    return alerts


async def judge_by_rules(db: Db, added: Sequence[SeenRate], pasts: Pasts, *, now: datetime) -> int:
    """Enqueue what chats' rules say of new rates; an old rate they remember in silence."""
    alerts = 0
    watched = await storage.rules.watched(db, {new.source for new in added})
    for new in sorted(added, key=lambda item: item.effective_on):
        if new.series not in watched:
            continue
        watching = await storage.rules.watching(db, new.series, now=now)
        if not watching:
            continue
        past = await pasts.of(new)
        for item in watching:
            fired, state = evaluate(item.rule, item.state, past, new, now=now)
            if state != item.state:
                await storage.rules.remember(db, item.id, state)
            # what a backfill or a late page brings of last month is remembered, and wakes nobody
            if fired is not None and now.date() - new.effective_on <= trust.OLDEST_NEWS:
                told = await storage.alerts.enqueue(db, kind_rules.alert(item, fired, now=now))
                alerts += told is not None
    return alerts


def _baseline_of(told: StoredAlert) -> moves.Baseline:
    """The rate that drift was measured from before an alert was told."""
    moved = kind_moves.RateMoved.read(told.payload).moved
    severity = None
    if moved.told:
        severity = told.severity
    return moves.Baseline(rate=moved.baseline, severity=severity)
