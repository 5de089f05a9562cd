"""Travelling in the demonstration's time: to the next moment, through a day, or at a speed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.demo.keeper import Keeper, State
from bot.demo.world import MOMENTS, ZONE, World

HELD_AT_MOST = 12.0  # seconds that a moment lasts for a bot that does not finish
HOP = 1.0  # seconds between two leaps while time plays
#: By the names of their buttons: seconds of the demonstration's time in one of ours, at most. The
#: fastest is reached only while the bot is away, and without it the end would be there at once.
SPEEDS = {"hours": 3600.0, "six-hours": 6 * 3600.0, "days": 86400.0, "fastest": 7 * 86400.0}
PACE_OVER = 5.0  # seconds over which it is measured how fast time runs
PACE_FROM = 1.0  # seconds after which there is something to measure


class Pace:
    """How fast time really runs while it plays: it waits for the bot wherever something is due."""

    def __init__(self) -> None:
        self._past: deque[tuple[float, datetime]] = deque()

    def note(self, at: float, moment: datetime) -> None:
        """The demonstration's time was that `moment`, at a time of our own clock in seconds."""
        self._past.append((at, moment))
        while at - self._past[0][0] > PACE_OVER and len(self._past) > 2:
            self._past.popleft()

    @property
    def reached(self) -> float | None:
        """Seconds of its time in one of ours, lately; None as long as nobody can say."""
        if not self._past:
            return None
        (begun, first), (at, last) = self._past[0], self._past[-1]
        if at - begun < PACE_FROM:
            return None
        return (last - first).total_seconds() / (at - begun)


@dataclass(slots=True)
class Travel:
    """The demonstration's time in our hands: one journey at a time."""

    world: World
    keeper: Keeper
    on_turn: Callable[[], None] = lambda: None
    troubled: Callable[[], bool] = lambda: False
    turned_at: datetime | None = None  # the moment it was turned to first
    speed: float | None = None  # seconds of its time in one of ours, at most, while it plays
    pace: Pace = field(default_factory=Pace)
    _playing: asyncio.Task[None] | None = None
    _way: asyncio.Lock = field(default_factory=asyncio.Lock)

    def upcoming(self) -> tuple[datetime, str | None]:
        """The next moment, and what is due for a chat then; None where it is one of the world's."""
        moment, foreseen = self.world.upcoming(), self.keeper.foreseen
        if foreseen is not None and self.world.now() < foreseen[0] < moment:
            return foreseen[0].astimezone(ZONE), foreseen[1]
        return moment, None

    async def next(self) -> datetime:
        """On to the next moment, held until the bot has done what is due then."""
        async with self._way:
            return await self._onward()

    async def day(self) -> datetime:
        """Through the moments of a day and what is due between them, each held."""
        async with self._way:
            for _ in MOMENTS:
                moment = self.world.upcoming()
                while await self._onward() < moment:
                    pass
        return self.world.now()

    async def _onward(self) -> datetime:
        # a reader may have chosen another hour just now
        await self.keeper.foresee()
        return await self._to(self.upcoming()[0])

    def play(self, speed: float) -> None:
        """Let time run at a speed, until `pause` or the end of what is replayed.

        Time that is played on from there has no end.
        """
        self.pause()
        self.speed, self.pace = speed, Pace()
        ends_at = self.world.ends_at
        if ends_at is not None and ends_at <= self.world.now():
            ends_at = None
        self._playing = asyncio.create_task(self._play(speed, ends_at))

    def pause(self) -> None:
        """Let time run at the wall clock's speed again."""
        self.speed = None
        if self._playing is not None:
            self._playing.cancel()
            self._playing = None

    @asynccontextmanager
    async def nobody(self) -> AsyncIterator[None]:
        """Nobody travels meanwhile, and nobody has travelled before."""
        self.pause()
        async with self._way:
            yield
            self.turned_at = None

    async def _play(self, speed: float, ends_at: datetime | None) -> None:
        while ends_at is None or self.world.now() < ends_at:
            begun = time.monotonic()
            self.pace.note(begun, self.world.now())
            async with self._way:
                await self.keeper.foresee()
                now, moment = self.world.now(), self.upcoming()[0]
                if ends_at is not None:
                    moment = min(moment, ends_at)
                target = min(now + timedelta(seconds=speed * HOP), moment)
                if target == moment:
                    await self._to(moment)
                else:
                    self._turn(target)
            takes = (target - now).total_seconds() / speed
            await asyncio.sleep(max(0.0, takes - (time.monotonic() - begun)))
        self.speed = self._playing = None
        self.on_turn()

    async def _to(self, moment: datetime) -> datetime:
        self._turn(moment)
        # one that is frozen, killed or troubled on order holds nobody up
        if self.keeper.state is State.AWAKE and not self.troubled():
            with suppress(TimeoutError):
                async with asyncio.timeout(HELD_AT_MOST):
                    await self.keeper.settled(self.world.fresh())
            self.on_turn()
        return moment

    def _turn(self, moment: datetime) -> None:
        self.world.turn_to(moment)
        self.turned_at = self.turned_at or moment
        self.keeper.turn()
        self.on_turn()
