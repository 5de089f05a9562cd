"""The pace of what claims bring, in a time that only passes while nobody has anything to do: how
long a claim takes is the test's, and no busy machine adds to it.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from bot.deliver.claims import Claims
from bot.deliver.signals import Signals
from bot.deliver.slots import Slots
from bot.model.alerts import Lane
from bot.telegram import quiet
from storage.claims import Claim
from tests.deliver.test_slots import delivery
from tests.factories import NOW

SECONDS = 12
BEGUN = 1000.0


class Leaping(asyncio.SelectorEventLoop):
    """A loop whose clock leaps to the next moment that somebody waits for."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGUN

    def time(self) -> float:
        """The clock."""
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]  # asyncio's own
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]  # likewise
        super()._run_once()  # type: ignore[misc]  # likewise


@dataclass
class Row:
    """The token's shared row and an outbox without end, asked in `took` seconds each time."""

    loop: Leaping
    took: float
    tat: datetime = NOW
    claimed: int = 0

    async def claim(
        self,
        _db: object,
        *,
        rate: float,
        horizon: timedelta,
        lease: timedelta,
        limit: int,
        turns: int,
        end: datetime | None,
        answer_in: timedelta,
        above: Lane | None,
        **_other: object,
    ) -> Claim:
        """Slots of the row, as `storage.claims.claim` gives them."""
        now, every = NOW + timedelta(seconds=self.loop.now - BEGUN), timedelta(seconds=1 / rate)
        shared = self.tat not in {end, NOW}
        start = max(now + answer_in, self.tat)
        room = int((now + max(horizon, every) - start) / every)
        found = max(min(limit, room), 0)
        if above is not None:  # all that waits is of one lane
            found = 0
        slots = max(min(found + turns, room), 0)
        if slots:
            self.tat = start + every * slots
        self.claimed += found
        await asyncio.sleep(self.took)
        items = tuple(delivery(self.claimed - number) for number in range(found))
        return Claim(
            at=now,
            deliveries=items,
            first_in=start - now,
            every=every,
            lease=lease,
            slots=slots,
            full=room <= 0,
            shared=shared,
            end=self.tat,
        )


class Quiet:
    """The other parts that a claim asks, which have nothing to do here."""

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[object]:
        """A transaction."""
        yield None

    def version(self) -> None:
        """No telling whether anything was written, as on a server."""

    def now(self) -> datetime:
        """A time that nobody goes by."""
        return NOW

    async def fan_out(self) -> bool:
        """Nothing."""
        return False

    async def tidy(self, _begun: float, *, lease: timedelta) -> bool:  # noqa: ARG002 - as it is called
        """Nothing."""
        return False


async def nobody(_db: object, _claimed: object, _above: Lane, _left_out: object) -> set[int]:
    """No chat waits for something of another lane."""
    return set()


async def sender(row: Row, rate: float, left: list[float]) -> None:
    """One process: it claims, and lets go what has its turn, as the worker does."""
    signals = Signals()
    slots = Slots(rate, by_row=True, has_room=lambda: True, is_away=lambda: False)
    slots.start()
    nothing: Any = Quiet()
    claims = Claims(
        store=nothing,
        slots=slots,
        upkeep=nothing,
        unread=SimpleNamespace(alerts=()),  # type: ignore[arg-type]  # all can be read
        refusals=SimpleNamespace(down=False),  # type: ignore[arg-type]  # nothing is refused
        reach=SimpleNamespace(away=False),  # type: ignore[arg-type]  # Telegram is there
        signals=signals,
        quiet=quiet.Quiet(),
        token_name="t",
        rate=rate,
        is_sending=lambda: False,
    )
    claiming = asyncio.create_task(claims.keep_claiming())
    try:
        while True:
            if not slots.queue:
                signals.claim.set()
            now = row.loop.now
            if slots.queue and slots.delivery_in(now) <= 0:
                slots.take()
                if not claims.enough():
                    signals.claim.set()
                slots.leave(now)
                left.append(now)
                continue
            signals.feed.clear()
            timer = row.loop.call_later(max(slots.next_in(now), 0.0005), signals.feed.set)
            await signals.feed.wait()
            timer.cancel()
            if claiming.done():
                claiming.result()
    finally:
        claiming.cancel()


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Leaping]:
    """The loop, by whose clock claims and slots go."""
    made = Leaping()
    for room in ("claims", "slots"):
        monkeypatch.setattr(f"bot.deliver.{room}.boottime", made.time)
    yield made
    made.close()


@pytest.mark.cases(keep=6)
@pytest.mark.parametrize("senders", [1, 2])
@pytest.mark.parametrize("took", [0.002, 0.1, 0.6, 1.5])
@pytest.mark.parametrize("rate", [25.0, 200.0, 1000.0])
def test_P24_nine_tenths_of_the_rate_leave_in_each_second_however_long_a_claim_takes(
    loop: Leaping, monkeypatch: pytest.MonkeyPatch, rate: float, took: float, senders: int
) -> None:
    """From the first that leaves on, and never more than the rate; looks for what goes before the
    queue, which take as long, cost none of it.
    """
    row = Row(loop, took)
    monkeypatch.setattr("storage.claims.claim", row.claim)
    monkeypatch.setattr("storage.claims.outranked", nobody)
    left: list[float] = []

    async def run() -> None:
        tasks = [asyncio.create_task(sender(row, rate, left)) for _ in range(senders)]
        await asyncio.sleep(SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    loop.run_until_complete(run())
    seconds = Counter(math.floor(moment - left[0]) for moment in left)
    assert left[0] - BEGUN <= 2 * took + 0.01  # the first claim's slots pass until its answer
    for second in range(SECONDS - 6):
        assert 0.9 * rate <= seconds[second] <= rate, seconds


@pytest.mark.parametrize("rate", [25.0, 100.0])
@pytest.mark.cases(keep=1)
def test_P24_one_claim_that_takes_long_stops_nobody_but_its_own_process(
    loop: Leaping, monkeypatch: pytest.MonkeyPatch, rate: float
) -> None:
    """One that waited four seconds, for a lock or a server that starts, says nothing of the next:
    who took its time for theirs reserved as much ahead, and nobody sent for as long again.
    """
    row = Row(loop, 0.005)
    waits = [4.0]

    async def claim(db: object, **words: Any) -> Claim:
        found = await row.claim(db, **words)
        if waits and loop.now > BEGUN + 2:
            await asyncio.sleep(waits.pop())
        return found

    monkeypatch.setattr("storage.claims.claim", claim)
    monkeypatch.setattr("storage.claims.outranked", nobody)
    left: tuple[list[float], list[float]] = ([], [])

    async def run() -> None:
        tasks = [asyncio.create_task(sender(row, rate, one)) for one in left]
        await asyncio.sleep(SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    loop.run_until_complete(run())
    stood, other = sorted((max(b - a for a, b in pairwise(one)) for one in left), reverse=True)
    assert 3 < stood < 5
    assert other < 1
    seconds = Counter(math.floor(moment - BEGUN) for one in left for moment in one)
    # the slots that it had reserved pass with it
    assert all(0.9 * rate <= seconds[second] <= rate for second in range(7, SECONDS)), seconds
