"""A beginning of the demonstration: a day of the bank's history, and a bot that knows only that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path

import storage.baselines
import storage.rates
from bot.clock import TurnedClock
from bot.demo.guide import Guide
from bot.demo.hands import Hold
from bot.demo.keeper import Keeper, State
from bot.demo.stretch import ChoiceError, Stretch, day_fields, read_stretch
from bot.demo.travel import Travel
from bot.demo.words import Words, words
from bot.demo.world import FIRST_DAY, World
from bot.detect.moves import replay
from bot.emulator import Control, Emulator
from bot.errors import BotError
from bot.model.alerts import Severity
from bot.model.rates import Pair, Rate, RateKind, Series
from storage.opening import open_store

#: By the names of their buttons: stretches worth replaying, and what the buttons say.
STRETCHES = {
    "spring": (Stretch(date(2022, 2, 1), date(2022, 4, 30)), "demo.spring"),
    "storm": (Stretch(date(2022, 2, 21)), "demo.storm"),
    "rouble": (Stretch(FIRST_DAY), "demo.rouble"),
}


@dataclass(slots=True, kw_only=True)
class Beginning:
    """All that a beginning sets back; each has a database of its own in the `folder`."""

    emulator: Emulator
    world: World
    keeper: Keeper
    travel: Travel
    guide: Guide
    hold: Hold
    folder: Path

    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def first(self) -> None:
        """Start the bot on a new database."""
        with self.keeper.replacing():
            await self._found()

    async def anew(self, stretch: Stretch) -> None:
        """Forget everything and begin on another day."""
        with self.keeper.replacing():
            async with self.travel.nobody():
                self.hold.give_back()
                await self.keeper.stop()
                self.emulator.begin_anew()
                self.guide.begin_anew()
                self.world.begin(stretch)
                await self._found()

    async def _found(self) -> None:
        file = self.folder / f"demo{next(self._numbers)}.db"
        self.hold.file = file
        self.keeper.database_url, self.keeper.catalog = f"sqlite:///{file}", self.world.catalog()
        await seed(self.keeper.database_url, self.world)
        await self.keeper.start()

    def hands(self) -> list[Control]:
        """A button for each of those stretches, and one for any other."""
        known = self.world.known

        async def chosen(first: str, last: str) -> Words:
            try:
                stretch = read_stretch(first, last, known=known)
            except ChoiceError as refusal:
                return refusal.words
            return await self._begun(stretch)

        any_other = Control(
            id="begin",
            label=words("demo.replay"),
            run=chosen,
            group=words("demo.anew"),
            usable=self._usable,
            days=day_fields(known),
        )
        return [*(self._hand(name) for name in STRETCHES), any_other]

    def _hand(self, name: str) -> Control:
        stretch, label = STRETCHES[name]

        async def begin() -> Words:
            return await self._begun(stretch)

        return Control(
            id=f"begin-{name}",
            label=words(label),
            run=begin,
            group=words("demo.anew"),
            usable=self._usable,
        )

    def _usable(self) -> bool:
        return self.keeper.state is not State.WAKING

    async def _begun(self, stretch: Stretch) -> Words:
        try:
            await self.anew(stretch)
        except BotError:
            return words("demo.cannot_start")
        return words("demo.begun")


async def seed(url: str, world: World) -> None:
    """Everything the bank published before the first day, and what readers were last told of it."""
    rates: list[Rate] = []
    series: dict[Series, list[Rate]] = defaultdict(list)
    for day, values in world.history():
        for code, value in values.items():
            rate = Rate(
                source="nbkr",
                pair=Pair(code, "KGS"),
                kind=RateKind.OFFICIAL,
                effective_on=day,
                value=value,
            )
            rates.append(rate)
            series[rate.series].append(rate)
    clock = TurnedClock(world.ahead)
    store = await open_store(url)
    store.turned = lambda: clock.ahead
    try:
        async with store.writing() as db:
            await storage.rates.add_history(db, rates, seen_at=clock())
            for history in series.values():
                # Without it the first move would be measured from the oldest rate of the store.
                last, severity = history[-1], Severity.INFO  # of one that has not moved yet
                for told in replay(history):
                    last, severity = told.moved.new, told.severity
                await storage.baselines.put(db, [last], severity=severity, now=clock())
    finally:
        await store.close()
