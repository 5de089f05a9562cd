"""Whether to believe a rate, and whether its source still speaks: held, disputed, stale."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import structlog

import storage.disputes
import storage.held_rates
import storage.notes
import storage.rates
import storage.sources
from bot.alerts.notices import Notice, held_rate, tell
from bot.convert import convert
from bot.detect import plausibility
from bot.detect.series import holding
from bot.ingest.found import two_documents
from bot.model.rates import HeldState, Move, Pair, Rate, RateKind, SeenRate, Series
from bot.readers.disputes import rival
from bot.reasons import Printed, SourceKey
from bot.sources.specs import RateSpec
from bot.sources.timetable import LONGEST_HOLIDAY
from storage.db import Db

log = structlog.get_logger(__name__)

# a rate effective longer ago than a long weekend is history, not news
OLDEST_NEWS = timedelta(days=5)
COMPARED_PAST = timedelta(days=60)  # the past a new value is compared with
STUCK_DAYS = 3  # days of publication that went by with nothing new, before the operators are told
CONFIRMING_POLLS = 2  # polls that must bring the same implausible value before it is believed


async def disputed(
    db: Db, key: str, added: Sequence[SeenRate], *, admins: Sequence[int], now: datetime
) -> list[SeenRate]:
    """The new rates that another source contradicts; the operators are told when that begins."""
    if not added:
        return []
    shared = await storage.disputes.shared(db, key)
    found: list[SeenRate] = []
    for new in added:
        # A question to the store for each rate, so only where another source can know better.
        if new.pair not in shared or now.date() - new.effective_on > OLDEST_NEWS:
            continue
        other = await rival(db, new)
        if other is None:
            continue
        found.append(new)
        begun = await storage.disputes.begin(db, new.series, other.source)
        await storage.disputes.begin(db, other.series, new.source)
        if begun:
            between = {
                "bank": SourceKey(key),
                "other": SourceKey(other.source),
                "pair": str(new.pair),
            }
            ours, theirs = Printed(new.per_unit), Printed(other.per_unit)
            told = Notice.of("notice.dispute", between, rate=ours, theirs=theirs)
            await tell(db, admins, told, now=now)
    return found


async def settled(db: Db, added: Sequence[SeenRate]) -> list[SeenRate]:
    """Other sources' newest rates whose dispute these rates ended: they may be told now."""
    judged = {new.series for new in added}
    found: list[SeenRate] = []
    open_disputes = await storage.disputes.about(db, {new.pair for new in added})
    # Sorted: a set has no order, and what these bring is told in the order of this loop.
    for series in sorted(open_disputes, key=str):
        newest = await storage.rates.holding(db, series, date.max)
        if newest is not None and await rival(db, newest) is None:
            await storage.disputes.end(db, series)
            if series not in judged:
                found.append(newest)
    return found


async def believed(
    db: Db, spec: RateSpec, rates: Sequence[Rate], *, admins: Sequence[int], now: datetime
) -> tuple[list[Rate], int]:
    """The plausible rates of this poll, and how often the least seen of the held ones came.

    That is 0 where none is held.
    """
    trusted: list[Rate] = []
    held: list[int] = []
    near = spec.poll.near(now)
    last = _last_days(rates)
    told: set[date] = set()  # far days the operators were asked about: one question for a document
    changed = await _changed(db, rates)
    per_day = Counter(new.effective_on for new, _ in changed)
    beside = _siblings(changed)
    others = await _others(db, [new for new, _ in changed])
    for new, before in changed:
        far = await _far(db, new, near, last[new.series])
        if far is not None:
            beside_it = per_day[new.effective_on] - 1
            asked: Sequence[int] = admins
            if new.effective_on in told:
                asked = ()
            times = await _held(db, new, far, admins=asked, more=beside_it, now=now)
            told.add(new.effective_on)
        else:
            said = others.get((new.effective_on, new.pair), ())
            found = await _judged(db, new, before, said, beside.get(new.effective_on, ()))
            if found.standing is plausibility.Standing.REFUSED:
                why = "; ".join(map(str, found.reasons))
                log.warning("rate refused", source=spec.key, pair=str(new.pair), why=why)
                continue
            times = None
            if found.reasons:
                times = await _held(db, new, found, admins=admins, now=now)
        if times is None:
            trusted.append(new)
        elif times:
            held.append(times)
    return trusted, min(held, default=0)


async def contradicted(
    db: Db, rates: Sequence[Rate], *, admins: Sequence[int], now: datetime
) -> None:
    """Put aside what two documents of a bank say differently of one day, but what is stored.

    Asking again would prove nothing, and another bank is near to both: an operator decides, or the
    bank, by saying one thing in both. One question is asked for all of a poll, and its answer asks
    the next.
    """
    asked: list[tuple[Rate, storage.held_rates.Held]] = []
    for rate in rates:
        day = rate.effective_on
        known = await storage.rates.history(db, rate.series, since=day, until=day)
        if known and known[-1].per_unit == rate.per_unit:
            continue
        held = await storage.held_rates.hold(db, rate, reasons=(two_documents(rate),), now=now)
        if held.times == 1:
            asked.append((rate, held))
    if not asked:
        return
    new, held = asked[0]
    question = held_rate(new, held.id, more=len(asked) - 1)
    await tell(db, admins, question, now=now, reasons=(two_documents(new),))


async def _changed(db: Db, rates: Sequence[Rate]) -> list[tuple[Rate, list[SeenRate]]]:
    """The rates that say something new, oldest first, each with the past it is judged by."""
    changed: list[tuple[Rate, list[SeenRate]]] = []
    pasts = await storage.rates.pasts(db, rates, reach=COMPARED_PAST)
    for new in sorted(rates, key=lambda item: item.effective_on):
        day = new.effective_on
        known_days = pasts.get(new.series, [])
        first = bisect_left(known_days, day - COMPARED_PAST, key=_day)
        past = known_days[first : bisect_right(known_days, day, key=_day)]
        if past and past[-1].effective_on == day:
            known = past.pop()  # a revision is judged by the days before it
            if known.per_unit == new.per_unit:
                continue
        changed.append((new, past))
    return changed


def _day(one: Rate) -> date:
    return one.effective_on


async def _others(db: Db, rates: Sequence[Rate]) -> dict[tuple[date, Pair], list[Rate]]:
    """The rates of other sources on the day of each of these, by day and pair."""
    by_day: dict[date, set[Series]] = {}
    for new in rates:
        by_day.setdefault(new.effective_on, set()).add(new.series)
    found: dict[tuple[date, Pair], list[Rate]] = {}
    for day, wanted in by_day.items():
        for other in await storage.rates.elsewhere(db, wanted, on=day):
            found.setdefault((day, other.pair), []).append(other)
    return found


def _siblings(changed: Sequence[tuple[Rate, list[SeenRate]]]) -> dict[date, list[Move]]:
    """The moves of one page by its day, to notice that two of its rows changed places."""
    beside: dict[date, list[Move]] = {}
    for new, before in changed:
        if before:
            beside.setdefault(new.effective_on, []).append(Move(old=before[-1], new=new))
    return beside


async def _judged(
    db: Db,
    new: Rate,
    before: Sequence[Rate],
    others: Sequence[Rate],
    siblings: Sequence[Move],
) -> plausibility.Plausibility:
    """The plausibility of a rate; crosses are only reckoned where nobody else vouches for it."""
    found = plausibility.judge(before, new, others, siblings=siblings)
    if found.standing is plausibility.Standing.HELD:
        # only now: a cross takes all rates around that day of every source that knows both
        others = [*others, *await _crosses(db, new)]
        found = plausibility.judge(before, new, others, siblings=siblings)
    return found


def _last_days(rates: Sequence[Rate]) -> dict[Series, date]:
    """The newest day that a poll brought of each series."""
    last: dict[Series, date] = {}
    for one in rates:
        last[one.series] = max(one.effective_on, last.get(one.series, date.min))
    return last


async def _far(
    db: Db, new: Rate, near: tuple[date, date], last: date
) -> plausibility.Plausibility | None:
    """The reasons for which a rate's day cannot be meant, or None.

    A day that is known already is only revised, by a list of days that reaches to the near ones
    (`last` is the newest of the series in this poll), or not long after it was published. Alone it
    is today's rate under a mistyped day, and would put another figure into the past.
    """
    if near[0] <= new.effective_on <= near[1]:
        return None
    newest = await storage.rates.holding(db, new.series, date.max)
    newest_day = None
    if newest is not None:
        newest_day = newest.effective_on
    found = plausibility.far_day(new, near, newest_day)
    if found is None or newest_day is None:
        return found
    known = await storage.rates.holding(db, new.series, new.effective_on)
    if known is None or known.effective_on != new.effective_on:
        return found
    listed = near[0] <= last <= near[1] or last >= newest_day
    if listed or newest_day - new.effective_on <= LONGEST_HOLIDAY:
        return None
    return found


async def _held(
    db: Db,
    new: Rate,
    found: plausibility.Plausibility,
    *,
    admins: Sequence[int],
    now: datetime,
    more: int = 0,
) -> int | None:
    """Put a value aside: None when it is now believed, else how many polls brought it.

    The first time the operators are told and other sources asked. It is 0 when an operator rejected
    it, and nobody needs to ask again. `more` rates stand or fall with this one.
    """
    held = await storage.held_rates.hold(db, new, reasons=found.reasons, now=now)
    if held.state is HeldState.REJECTED:
        return 0
    confirmed_by_itself = not found.needs_source and held.times >= CONFIRMING_POLLS
    # plausible by now, or let through since it was put aside, or brought again and again
    if found.ok or held.state is not HeldState.HELD or confirmed_by_itself:
        await storage.held_rates.release(db, new)
        return None
    # once: each poll brings the value again
    if held.times == 1:
        question = held_rate(new, held.id, more=more)
        await tell(db, admins, question, now=now, reasons=found.reasons)
        await storage.sources.ask(db, await _seconds(db, new), now=now)
    return held.times


async def _seconds(db: Db, new: Rate) -> list[str]:
    """The other sources that know both currencies of a rate."""
    known: dict[str, set[str]] = {}
    for one in await storage.rates.known_series(db):
        known.setdefault(one.source, set()).update((one.pair.base, one.pair.quote))
    known.pop(new.source, None)
    wanted = {new.pair.base, new.pair.quote}
    seconds: list[str] = []
    for key, codes in known.items():
        if wanted <= codes:
            seconds.append(key)
    return seconds


async def _crosses(db: Db, new: Rate) -> list[Rate]:
    """The pair by way of another bank's own currency: our arithmetic, enough to compare with."""
    found: list[Rate] = []
    for key in await _seconds(db, new):
        homes = Counter[str]()
        around = await storage.rates.around(db, key, new.effective_on)
        latest = holding(around, new.effective_on)
        for series in latest:
            homes.update([series.pair.base, series.pair.quote])
        home = new.pair.quote
        if homes:  # a bank's own currency is in every one of its rates: the commonest is it
            ((home, _),) = homes.most_common(1)
        answer = convert(Decimal(1), new.pair.base, new.pair.quote, list(latest.values()), home)
        if answer is None:
            continue
        cross = Rate(
            source=key,
            pair=new.pair,
            kind=RateKind.CROSS,
            effective_on=min(rate.effective_on for rate in answer.path),
            value=answer.rate,
            units=1,
        )
        found.append(cross)
    return found


async def confirmed(db: Db, new: SeenRate) -> bool:
    """Whether another source, or a cross by way of one, says the same."""
    others: list[Rate] = [*await storage.rates.elsewhere(db, [new.series], on=new.effective_on)]
    return plausibility.agreeing(new, [*others, *await _crosses(db, new)]) is not None


async def watch(db: Db, spec: RateSpec, *, admins: Sequence[int], now: datetime) -> None:
    """Tell the operators once that a source answers but brings nothing new, and once of its end."""
    # a rate of a day far ahead, let through by an operator, says nothing about today
    newest = await storage.rates.newest_day(db, spec.key, until=spec.poll.near(now)[1])
    if newest is None:
        return
    name = storage.notes.stale(spec.key)
    told = await storage.notes.get(db, name)
    stuck = spec.poll.missed(newest, now) >= STUCK_DAYS
    bank = {"bank": SourceKey(spec.key)}
    if stuck and told is None:
        await storage.notes.put(db, name, str(newest))
        await tell(db, admins, Notice.of("notice.stale", bank, day=newest), now=now)
    if not stuck and told is not None:
        await storage.notes.drop(db, name)
        await tell(db, admins, Notice.of("notice.fresh", bank, day=newest), now=now)
