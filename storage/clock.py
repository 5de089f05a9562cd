"""The database's clock, followed when somebody sets it.

Times ahead (leases, pace, expiry, the next poll) move back with it, once: in the first transaction
that sees the new time, before anything is stored by it, so that nothing is ever moved that is on
the new clock already. Of several replicas that see the same step one moves; a count in the database
tells the others. A step while nothing ran is seen at the next start, by what is stored from later
than now.

Set forward, it ends every lease at once, though those who hold them are at work. How far it leapt
does not matter: a machine that stood still sees others' time leap too, and must move nothing of
theirs. The moment is written down, and for the span of a lease after it nobody takes what another
holds: by then each lease has ended that was given by the old time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from sqlalchemy import bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import boottime
from storage.schema import delivery, inbox, pace

log = structlog.get_logger(__name__)

# the note of the moment that the clock had reached before it was set back last
HANDLED = "clock handled"
SLOT_AHEAD = timedelta(seconds=15)  # more than the farthest slot that a sender reserves lies ahead
# the note of the moment, on the new time, at which it was seen to be set last
LEAPT = "clock leapt"
SET_BACK = timedelta(seconds=2)  # a clock that lost so much was set, not steered
SET_FORWARD = timedelta(seconds=2)  # likewise; a lease outlives its use by more


class _Seen(NamedTuple):
    """The database's clock at our boot, between two bounds, and how many steps back it had."""

    least: datetime
    most: datetime
    steps: int


@dataclass(slots=True)
class ClockWatch:
    """One store's knowledge of its database's clock."""

    seen: _Seen | None = None

    def stands(self, now: datetime) -> bool:
        """Whether the clock, which says `now`, goes on from where it was seen last, by boot time;
        not if it never was.
        """
        if self.seen is None:
            return False
        at_boot = now - timedelta(seconds=boottime())
        return self.seen.least - SET_BACK < at_boot < self.seen.most + SET_FORWARD

    def following(self) -> Following:
        """A transaction's view of the clock; what it sees counts once that is committed."""
        return Following(self)


@dataclass(slots=True)
class Following:
    """The clock as one transaction sees it."""

    watch: ClockWatch
    _new: _Seen | None = field(default=None)

    async def look(self, db: AsyncConnection, now: datetime, asked: float) -> None:
        """The clock said `now`, `asked` then on our own clock.

        A step back moves all times back, one forward is noted for who would take leases.
        """
        # it was read between `asked` and this moment of our own clock, which runs since boot
        most, least = now - timedelta(seconds=asked), now - timedelta(seconds=boottime())
        last = self._new or self.watch.seen
        if last is None:
            self._new = _Seen(least, most, await self._first(db, now))
        elif last.least - most >= SET_BACK:
            self._new = _Seen(least, most, await self._step(db, now, last, last.least - most))
        else:
            self._new = _Seen(least, most, last.steps)
            if least - last.most >= SET_FORWARD:
                log.warning("the clock was set forward", seconds=_seconds(least - last.most))
                await _note_step(db, now)

    async def _first(self, db: AsyncConnection, now: datetime) -> int:
        """Follow a step that nobody was there to see: what is stored is from later than `now`."""
        known = await _latest(db, now)
        if known is None or known - now < SET_BACK:
            return await _steps(db)
        await db.execute(text(_COUNT))
        steps = await _steps(db)
        handled = (
            await db.execute(text("SELECT value FROM mark WHERE name = :name"), {"name": HANDLED})
        ).scalar()
        # the step that left such times behind was followed when it happened
        if handled is not None and known <= datetime.fromisoformat(handled):
            return steps
        await self._follow(db, now, known - now, steps)
        return steps + 1

    async def _step(self, db: AsyncConnection, now: datetime, last: _Seen, span: timedelta) -> int:
        await db.execute(text(_COUNT))
        steps = await _steps(db)
        if steps > last.steps:  # another replica was quicker
            return steps
        await self._follow(db, now, span, steps)
        await _note_step(db, now)  # a lease from before an earlier step forward was moved too
        return steps + 1

    async def _follow(
        self, db: AsyncConnection, now: datetime, span: timedelta, steps: int
    ) -> None:
        log.warning("the clock was set back", seconds=_seconds(span))
        await db.execute(
            text("UPDATE mark SET value = :steps WHERE name = 'clock'"), {"steps": str(steps + 1)}
        )
        await db.execute(text(_MARK), {"name": HANDLED, "moment": (now + span).isoformat()})
        await set_back(db, span, now=now)

    def committed(self) -> None:
        """Take over what the transaction saw: whoever comes next compares the clock with that."""
        if self._new is not None:
            self.watch.seen = self._new


# the row's lock is what lets one replica after the other look at it
_COUNT = """
INSERT INTO mark (name, value) VALUES ('clock', '0')
ON CONFLICT (name) DO UPDATE SET value = mark.value
"""


_MARK = """
INSERT INTO mark (name, value) VALUES (:name, :moment)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())


async def _note_step(db: AsyncConnection, now: datetime) -> None:
    await db.execute(text(_MARK), {"name": LEAPT, "moment": now.isoformat()})


async def leapt(db: AsyncConnection, now: datetime, span: timedelta) -> bool:
    """Whether a lease of `span` that seems to have ended may not have: the clock was set since.

    `now` is this transaction's.
    """
    query = text("SELECT value FROM mark WHERE name = :name")
    moment = (await db.execute(query, {"name": LEAPT})).scalar()
    return moment is not None and now - span < datetime.fromisoformat(moment) <= now


async def _latest(db: AsyncConnection, now: datetime) -> datetime | None:
    """The latest moment the database's clock has shown: it is never much ahead of a slot."""
    newest = select(inbox.c.received_at).order_by(inbox.c.update_id.desc()).limit(1)
    received = (await db.execute(newest)).scalar()
    slot = (await db.execute(select(func.max(pace.c.tat)))).scalar()
    known: list[datetime] = []
    # its time was the clock's own, while a slot may rightly lie a little ahead
    if received is not None:
        known.append(received)
    if slot is not None and slot - now > SLOT_AHEAD:
        known.append(slot)
    return max(known, default=None)


async def _steps(db: AsyncConnection) -> int:
    return int(
        (await db.execute(text("SELECT value FROM mark WHERE name = 'clock'"))).scalar() or 0
    )


async def set_back(db: AsyncConnection, span: timedelta, *, now: datetime) -> None:
    """Move the times that lie ahead back by `span`.

    Without it nothing would be sent until the clock is there again. Who subscribed "later" than
    `now` did so before the step.
    """
    values: dict[str, Any] = {"span": span}
    if db.dialect.name == "sqlite":  # whose times are microseconds
        values = {"span": span // timedelta(microseconds=1)}
    for statement in _BACK:
        await db.execute(text(statement), values)
    if db.dialect.name == "postgresql" and await _has_queue(db):
        for statement in _QUEUE_BACK:
            await db.execute(text(statement), values)
    later = text("UPDATE subscription SET since_at = since_at - :span WHERE since_at > :now")
    it_is = bindparam("now", now, delivery.c.not_before.type)
    await db.execute(later.bindparams(it_is), values)
    # the hours of the day that is now are reckoned when these are over
    over = text("UPDATE chat SET quiet_ends_at = :now WHERE quiet_ends_at IS NOT NULL")
    await db.execute(over.bindparams(it_is))


async def _has_queue(db: AsyncConnection) -> bool:
    """Whether the queue's tables are there: a schema that is being made may not have them yet."""
    there = text("SELECT to_regclass('procrastinate_workers') IS NOT NULL")
    return bool((await db.execute(there)).scalar())


#: A replica that died before the step would count as alive until its last heartbeat is past again,
#: and what it was at would stay its own; those that live say at once when they were heard of.
_QUEUE_BACK = (
    "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - :span",
    """
    UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - :span
    WHERE status = 'todo' AND scheduled_at IS NOT NULL
    """,
)
_BACK = (
    """
    UPDATE delivery
    SET not_before = not_before - :span, expires_at = expires_at - :span,
      lease_until = lease_until - :span
    WHERE state IN ('pending', 'leased')
    """,
    # each by an index of its own; when what is held is looked at follows from the quiet hours
    "UPDATE delivery SET expires_at = expires_at - :span WHERE state = 'held'",
    "UPDATE delivery SET expires_at = expires_at - :span WHERE state = 'withheld'",
    "UPDATE alert SET expires_at = expires_at - :span WHERE fanned_at IS NULL",
    "UPDATE chat SET tat = tat - :span WHERE tat IS NOT NULL",
    "UPDATE pace SET tat = tat - :span, paused_until = paused_until - :span",
    "UPDATE inbox SET lease_until = lease_until - :span WHERE finished_at IS NULL",
    "UPDATE lease SET until = until - :span",
    "UPDATE source SET next_due_at = next_due_at - :span WHERE next_due_at IS NOT NULL",
    "UPDATE own_feed SET next_due_at = next_due_at - :span",
    # silences for so many hours or days, and how long what was written may be confirmed
    "UPDATE subscription SET snoozed_until = snoozed_until - :span WHERE snoozed_until IS NOT NULL",
    "UPDATE rule SET snoozed_until = snoozed_until - :span WHERE snoozed_until IS NOT NULL",
    "UPDATE news_filter SET until_at = until_at - :span WHERE until_at IS NOT NULL",
    "UPDATE broadcast SET until_at = until_at - :span",
)
