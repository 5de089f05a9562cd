"""Whether to believe a rate, and whether its source still speaks: held, disputed, stale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import structlog

import storage.disputes
import storage.marks
import storage.rates
import storage.sources
from bot.convert import convert
from bot.detect import plausibility
from bot.ingest.notices import tell
from bot.model.rates import Move, Rate, RateKind, SeenRate
from bot.readers.disputes import rival
from bot.sources.specs import RateSpec
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
    shared = await storage.rates.shared(db, key) if added else set()
    found = []
    for new in added:
        fresh = now.date() - new.effective_on <= OLDEST_NEWS
        other = await rival(db, new) if fresh and new.pair in shared else None
        if other is None:
            continue
        found.append(new)
        begun = await storage.disputes.begin(db, new.series, other.source)
        await storage.disputes.begin(db, other.series, new.source)
        if begun:
            values = {"bank": key, "rate": f"{new.per_unit:f}", "pair": str(new.pair)}
            theirs = {"other": other.source, "theirs": f"{other.per_unit:f}"}
            await tell(db, admins, "notice.dispute", {**values, **theirs}, now=now)
    return found


async def settled(db: Db, added: Sequence[SeenRate]) -> list[SeenRate]:
    """Other sources' newest rates whose dispute these rates ended: they may be told now."""
    judged = {new.series for new in added}
    found = []
    for series in sorted(await storage.disputes.about(db, {new.pair for new in added}), key=str):
        newest = await storage.rates.holding(db, series, date.max)
        if newest is not None and await rival(db, newest) is None:
            await storage.disputes.end(db, series)
            if series not in judged:
                found.append(newest)
    return found


async def believed(
    db: Db, spec: RateSpec, rates: Sequence[Rate], *, admins: Sequence[int], now: datetime
) -> tuple[list[Rate], int]:
    """The plausible rates of this poll, and the smallest number of times a held one has been seen
    (0: none is held).
    """
    trusted: list[Rate] = []
    held: list[int] = []
    near = spec.poll.near(now)
    told: set[date] = set()  # far days the operators were asked about: one question for a document
    changed = await _changed(db, rates)
    beside = _siblings(changed)
    for new, before in changed:
        far = await _far(db, new, near)
        if far is not None:
            beside_it = sum(one.effective_on == new.effective_on for one, _ in changed) - 1
            asked = () if new.effective_on in told else admins
            times = await _held(db, spec, new, far, admins=asked, more=beside_it, now=now)
            told.add(new.effective_on)
        else:
            found = await _judged(db, new, before, beside.get(new.effective_on, ()))
            if found.standing is plausibility.Standing.REFUSED:
                why = "; ".join(map(str, found.reasons))
                log.warning("rate refused", source=spec.key, pair=str(new.pair), why=why)
                continue
            times = None
            if found.reasons:
                times = await _held(db, spec, new, found, admins=admins, now=now)
        if times is None:
            trusted.append(new)
        elif times:
            held.append(times)
    return trusted, min(held, default=0)


async def _changed(db: Db, rates: Sequence[Rate]) -> list[tuple[Rate, list[SeenRate]]]:
    """The rates that say something new, oldest first, each with the past it is judged by."""
    changed: list[tuple[Rate, list[SeenRate]]] = []
    for new in sorted(rates, key=lambda item: item.effective_on):
        day = new.effective_on
        past = await storage.rates.history(db, new.series, since=day - COMPARED_PAST, until=day)
        if not (past and past[-1].effective_on == day and past[-1].per_unit == new.per_unit):
            changed.append((new, [item for item in past if item.effective_on < day]))
    return changed


def _siblings(changed: Sequence[tuple[Rate, list[SeenRate]]]) -> dict[date, list[Move]]:
    """The moves of one page by its day, to notice that two of its rows changed places."""
    beside: dict[date, list[Move]] = {}
    for new, before in changed:
        if before:
            beside.setdefault(new.effective_on, []).append(Move(old=before[-1], new=new))
    return beside


async def _judged(
    db: Db, new: Rate, before: Sequence[Rate], siblings: Sequence[Move]
) -> plausibility.Plausibility:
    """How plausible a rate is; crosses are only reckoned where nobody else has vouched for it."""
    others: list[Rate] = [*await storage.rates.elsewhere(db, new.series, on=new.effective_on)]
    found = plausibility.judge(before, new, others, siblings=siblings)
    if found.standing is plausibility.Standing.HELD:
        others += await _crosses(db, new)
        found = plausibility.judge(before, new, others, siblings=siblings)
    return found


async def _far(db: Db, new: Rate, near: tuple[date, date]) -> plausibility.Plausibility | None:
    """Why a rate's day cannot be meant, or None; a day that is known already is only revised."""
    if near[0] <= new.effective_on <= near[1]:
        return None
    newest = await storage.rates.holding(db, new.series, date.max)
    known = await storage.rates.holding(db, new.series, new.effective_on)
    if known is not None and known.effective_on == new.effective_on:
        return None
    return plausibility.far_day(new, near, newest.effective_on if newest is not None else None)


async def _held(
    db: Db,
    spec: RateSpec,
    new: Rate,
    found: plausibility.Plausibility,
    *,
    admins: Sequence[int],
    now: datetime,
    more: int = 0,
) -> int | None:
    """Put a value aside, tell the operators and ask other sources the first time; None when it is
    now believed.

    Else how many polls brought it; 0 when an operator rejected it, and nobody needs to ask again.
    `more` rates stand or fall with this one.
    """
    held = await storage.rates.hold(db, new, reasons=found.reasons, now=now)
    if held.state == "rejected":
        return 0
    if (
        not found.ok
        and held.state == "held"
        and (found.needs_source or held.times < CONFIRMING_POLLS)
    ):
        if held.times == 1:
            said = f"{new.pair} {new.value}" + (f" (+{more})" if more else "")
            values = {"source": spec.key, "rate": said, "held": str(held.id)}
            await tell(db, admins, "notice.held", values, now=now, reasons=found.reasons)
            await storage.sources.ask(db, await _seconds(db, new), now=now)
        return held.times
    await storage.rates.release(db, new)
    return None


async def _seconds(db: Db, new: Rate) -> list[str]:
    """The other sources that know both currencies of a rate."""
    known: dict[str, set[str]] = {}
    for one in await storage.rates.known_series(db):
        known.setdefault(one.source, set()).update((one.pair.base, one.pair.quote))
    known.pop(new.source, None)
    wanted = {new.pair.base, new.pair.quote}
    return [key for key, codes in known.items() if wanted <= codes]


async def _crosses(db: Db, new: Rate) -> list[Rate]:
    """The pair by way of another bank's own currency: our arithmetic, enough to compare with."""
    found = []
    for key in await _seconds(db, new):
        around = await storage.rates.around(db, key, new.effective_on)
        latest = {one.series: one for one in around if one.effective_on <= new.effective_on}
        homes = Counter(code for one in latest for code in (one.pair.base, one.pair.quote))
        home = homes.most_common(1)[0][0] if homes else new.pair.quote
        answer = convert(Decimal(1), new.pair.base, new.pair.quote, list(latest.values()), home)
        if answer is not None:
            on = min(rate.effective_on for rate in answer.path)
            kind, value = RateKind.CROSS, answer.rate
            found.append(
                Rate(source=key, pair=new.pair, kind=kind, effective_on=on, value=value, units=1)
            )
    return found


async def confirmed(db: Db, new: SeenRate) -> bool:
    """Whether another source, or a cross by way of one, says the same."""
    others: list[Rate] = [*await storage.rates.elsewhere(db, new.series, on=new.effective_on)]
    return plausibility.agreeing(new, [*others, *await _crosses(db, new)]) is not None


async def watch(db: Db, spec: RateSpec, *, admins: Sequence[int], now: datetime) -> None:
    """Tell the operators once that a source answers but brings nothing new, and once of its end."""
    # a rate of a day far ahead, let through by an operator, says nothing about today
    newest = await storage.rates.newest_day(db, spec.key, until=spec.poll.near(now)[1])
    if newest is None:
        return
    name = storage.marks.stale(spec.key)
    told = await storage.marks.get(db, name)
    stuck = spec.poll.missed(newest, now) >= STUCK_DAYS
    if stuck == (told is not None):
        return
    if stuck:
        await storage.marks.put(db, name, str(newest))
    else:
        await storage.marks.drop(db, name)
    word = "notice.stale" if stuck else "notice.fresh"
    await tell(db, admins, word, {"bank": spec.key, "day": str(newest)}, now=now)
