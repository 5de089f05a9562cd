"""Held rates: values that nobody believes yet, until another source or an operator speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update

from bot.model.overview import HeldRate
from bot.model.rates import HeldState, Pair, Rate, RateKind
from bot.reasons import Reason, reasons_from_json, reasons_to_json
from storage.db import Db, upsert
from storage.schema import held_rate, series
from storage.series import number_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A value put aside: its id, how many polls brought it, and where it stands."""

    id: int
    times: int
    state: HeldState


async def hold(db: Db, item: Rate, *, reasons: Sequence[Reason], now: datetime) -> Held:
    """Put an implausible value aside, or count it again; returns where it stands by now."""
    values = {
        "series_id": await number_of(db, item.series),
        "effective_on": item.effective_on,
        "value": item.value,
        "units": item.units,
        "seen_at": now,
        "reasons": reasons_to_json(reasons),
        "state": HeldState.HELD.value,
    }
    statement = upsert(db, held_rate).values(**values)
    again = statement.on_conflict_do_update(
        index_elements=["series_id", "effective_on", "value", "units"],
        # its reasons and its state stay: an operator may have spoken already
        set_={"seen_times": held_rate.c.seen_times + 1},
    )
    row = (
        await db.execute(again.returning(held_rate.c.id, held_rate.c.seen_times, held_rate.c.state))
    ).one()
    return Held(id=row.id, times=row.seen_times, state=HeldState(row.state))


async def release(db: Db, item: Rate) -> None:
    """A held value was confirmed and becomes a rate like any other."""
    series_id = await number_of(db, item.series)
    same = (
        held_rate.c.series_id == series_id,
        held_rate.c.effective_on == item.effective_on,
        held_rate.c.value == item.value,
        held_rate.c.units == item.units,
    )
    await db.execute(update(held_rate).where(*same).values(state=HeldState.RELEASED.value))


def _put_aside() -> Select[Any]:
    columns = (held_rate.c.effective_on, held_rate.c.value, held_rate.c.units)
    named = (series.c.source, series.c.base, series.c.quote, series.c.kind)
    return select(*named, *columns).join_from(
        held_rate, series, held_rate.c.series_id == series.c.id
    )


def _rate(row: Any) -> Rate:  # noqa: ANN401 - a result row
    return Rate(
        source=row.source,
        pair=Pair(row.base, row.quote),
        kind=RateKind(row.kind),
        effective_on=row.effective_on,
        value=row.value,
        units=row.units,
    )


async def decide(db: Db, held: int, *, approve: bool) -> Rate | None:
    """An operator's word on a held value, given once; None when it is not held.

    An approved one becomes a rate with the next poll of its source, and all that follows from it
    there. Rates held for their impossible day are decided together: they are one document's. What
    another document said of the day of an approved value is rejected with that word.
    """
    verdict = HeldState.REJECTED
    if approve:
        verdict = HeldState.APPROVED
    open_one = (held_rate.c.id == held, held_rate.c.state == HeldState.HELD.value)
    what = (held_rate.c.reasons, held_rate.c.effective_on, held_rate.c.series_id)
    changed = await db.execute(
        update(held_rate).where(*open_one).values(state=verdict.value).returning(*what)
    )
    row = changed.first()
    if row is None:
        return None
    # one word decides all rates that are held for the same impossible day
    held_for = reasons_from_json(row.reasons)
    if any(reason.code == "far_day" for reason in held_for):
        own = select(series.c.source).where(series.c.id == row.series_id).scalar_subquery()
        of_the_source = select(series.c.id).where(series.c.source == own)
        waiting = select(held_rate.c.id, held_rate.c.reasons).where(
            held_rate.c.series_id.in_(of_the_source),
            held_rate.c.effective_on == row.effective_on,
            held_rate.c.state == HeldState.HELD.value,
        )
        # compared as values: the same reasons may be written in two ways, or versions
        with_it: list[int] = []
        for one in await db.execute(waiting):
            if reasons_from_json(one.reasons) == held_for:
                with_it.append(one.id)
        together = update(held_rate).where(held_rate.c.id.in_(with_it))
        await db.execute(together.values(state=verdict.value))
    decided = _rate((await db.execute(_put_aside().where(held_rate.c.id == held))).one())
    if approve:
        same = (decided.series, decided.effective_on)
        for other in await asked_with(db, held):
            if (other.rate.series, other.rate.effective_on) == same:
                its_row = update(held_rate).where(held_rate.c.id == other.id)
                await db.execute(its_row.values(state=HeldState.REJECTED.value))
    return decided


async def waiting_rates(db: Db) -> list[HeldRate]:
    """The held values that wait for an operator's word, oldest first."""
    waits = held_rate.c.state == HeldState.HELD.value
    query = _put_aside().add_columns(held_rate.c.id, held_rate.c.reasons).where(waits)
    rows = await db.execute(query.order_by(held_rate.c.id))
    return [_waiting(row) for row in rows]


async def asked_with(db: Db, held: int) -> list[HeldRate]:
    """The values still held for which the question about this one stood too, oldest first: one is
    asked for all in which documents of a source contradict each other.
    """
    query = _put_aside().add_columns(held_rate.c.id, held_rate.c.reasons)
    decided = _waiting((await db.execute(query.where(held_rate.c.id == held))).one())
    if not _is_contradicted(decided.reasons):
        return []
    waits = held_rate.c.state == HeldState.HELD.value
    beside = query.where(waits, series.c.source == decided.rate.source).order_by(held_rate.c.id)
    found = map(_waiting, await db.execute(beside))
    return [one for one in found if _is_contradicted(one.reasons)]


def _waiting(row: Any) -> HeldRate:  # noqa: ANN401 - a result row
    return HeldRate(id=row.id, rate=_rate(row), reasons=reasons_from_json(row.reasons))


def _is_contradicted(held_for: Sequence[Reason]) -> bool:
    """Whether a value is held because another document of its source says otherwise."""
    return any(reason.code == "row.two_documents" for reason in held_for)


async def approved(db: Db, source: str) -> list[Rate]:
    """The held values of a source that an operator let through and that are not stored yet."""
    let_through = held_rate.c.state == HeldState.APPROVED.value
    query = _put_aside().where(let_through, series.c.source == source)
    return [_rate(row) for row in await db.execute(query.order_by(held_rate.c.effective_on))]
