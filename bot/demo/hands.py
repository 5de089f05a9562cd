"""The hands of the demonstration: its buttons, and what they do."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from bot.demo.foresight import DIGEST, QUIET_ENDS
from bot.demo.hindrance import Hindrance
from bot.demo.keeper import Keeper, State
from bot.demo.stretch import written_day
from bot.demo.travel import SPEEDS, Travel
from bot.demo.words import Words, filled, words
from bot.demo.world import World
from bot.emulator import Control
from bot.errors import BotError
from bot.i18n import number
from bot.languages import LANGUAGES

#: What is due for a chat, by what the bot calls it.
DUE = {DIGEST: "demo.digest", QUIET_ENDS: "demo.quiet_ends"}
#: What comes at each moment of the world, by its hour.
COMES = {9: "demo.morning", 15: "demo.publishes", 16: "demo.news", 18: "demo.evening"}
#: What the buttons of the speeds say.
PLAYS = {
    "hours": "demo.hours",
    "six-hours": "demo.six_hours",
    "days": "demo.days",
    "fastest": "demo.fastest",
}


KEPT = 0.9  # of its speed: a button that reaches less says how much it is
DAY = 86400  # seconds


def written(moment: datetime) -> str:
    """A moment for people: "15.08.2023, 09:00"."""
    return f"{moment:%d.%m.%Y, %H:%M}"


@dataclass(slots=True)
class Hold:
    """The bot's database, as another program may hold it: nobody else can write."""

    file: Path | None = None
    hindrance: Hindrance = field(default_factory=Hindrance)
    _by: sqlite3.Connection | None = None

    @property
    def held(self) -> bool:
        """Whether the database is held now."""
        return self._by is not None

    def take(self) -> None:
        """Begin a transaction that writes, so that nobody else can."""
        if self.file is not None and self._by is None:
            # the driver begins no transaction by itself: the next statement takes the lock at once
            by = sqlite3.connect(self.file, timeout=5, isolation_level=None)
            try:
                by.execute("BEGIN IMMEDIATE")
            except sqlite3.Error:
                by.close()
                raise
            self._by = by
            self.hindrance.begins()

    def give_back(self) -> None:
        """Let others write again."""
        if self._by is not None:
            self._by.close()
            self._by = None
            self.hindrance.ends()


def _under_way(travel: Travel) -> Words:
    """While time plays: how fast it really is, where that is not what the button says, and until
    when.
    """
    said: list[Words] = []
    reached, ends_at = travel.pace.reached, travel.world.ends_at
    if reached is not None and travel.speed is not None and reached < KEPT * travel.speed:
        days = Decimal(reached) / DAY
        said.append(
            {
                code: text.format(days=number(days, code, digits=1 if days < 10 else 0))
                for code, text in words("demo.pace").items()
            }
        )
    if ends_at is not None and ends_at > travel.world.now():
        said.append(filled("demo.until", day=written_day(ends_at)))
    return {code: " · ".join(one[code] for one in said) for code in LANGUAGES} if said else {}


def time_hands(travel: Travel) -> list[Control]:
    """The controls of the demonstration's time."""

    async def next_moment() -> str:
        return written(await travel.next())

    async def next_day() -> str:
        return written(await travel.day())

    def coming() -> Words:
        moment, due = travel.upcoming()
        said = words(COMES[moment.hour] if due is None else DUE[due])
        return {language: f"{moment:%H:%M} · {what}" for language, what in said.items()}

    def usable() -> bool:
        # a journey asked for now would be made in the next beginning
        return not travel.keeper.replaced

    def player(name: str, speed: float) -> Control:
        async def play() -> Words:
            if travel.speed == speed:
                travel.pause()
                return words("demo.as_ours")
            travel.play(speed)
            return words("demo.runs")

        def under_way() -> Words:
            return _under_way(travel) if travel.speed == speed else {}

        return Control(
            id=f"play-{name}",
            label=words(PLAYS[name]),
            run=play,
            group=words("demo.time"),
            pressed=lambda: travel.speed == speed,
            usable=usable,
            hint=under_way,
        )

    return [
        Control(
            id="next",
            label=words("demo.next"),
            run=next_moment,
            group=words("demo.time"),
            usable=usable,
            hint=coming,
        ),
        Control(
            id="next-day",
            label=words("demo.next_day"),
            run=next_day,
            group=words("demo.time"),
            usable=usable,
        ),
        *[player(name, speed) for name, speed in SPEEDS.items()],
    ]


def event_hands(world: World) -> list[Control]:
    """The controls that let something happen."""

    async def story() -> Words:
        world.injected.story(world.now())
        return words("demo.told")

    async def quake() -> Words:
        world.injected.quake(world.now())
        return words("demo.shook")

    return [
        Control(
            id="story",
            label=words("demo.story"),
            run=story,
            group=words("demo.happens"),
        ),
        Control(
            id="quake",
            label=words("demo.quake"),
            run=quake,
            group=words("demo.happens"),
        ),
    ]


def bot_hands(keeper: Keeper, hold: Hold) -> list[Control]:
    """The controls of the bot's process and its database."""
    return [*_process_hands(keeper), _database_hand(keeper, hold)]


def _process_hands(keeper: Keeper) -> list[Control]:
    """The process stands still, goes on, is killed and begins again."""

    async def freeze() -> Words:
        if keeper.state is State.FROZEN:
            keeper.thaw()
            return words("demo.thawed")
        keeper.freeze()
        return words("demo.frozen")

    async def kill() -> Words:
        await keeper.kill()
        return words("demo.killed")

    async def start() -> Words:
        try:
            await keeper.start()
        except BotError:  # with its database locked, say
            return words("demo.cannot_start")
        return words("demo.started")

    return [
        Control(
            id="freeze",
            label=words("demo.freeze"),
            run=freeze,
            group=words("demo.bot"),
            pressed=lambda: keeper.state is State.FROZEN,
            usable=lambda: keeper.state in {State.AWAKE, State.FROZEN},
        ),
        Control(
            id="kill",
            label=words("demo.kill"),
            run=kill,
            group=words("demo.bot"),
            usable=lambda: keeper.state in {State.AWAKE, State.FROZEN},
        ),
        Control(
            id="start",
            label=words("demo.start"),
            run=start,
            group=words("demo.bot"),
            usable=lambda: keeper.state is State.ASLEEP,
        ),
    ]


def _database_hand(keeper: Keeper, hold: Hold) -> Control:
    """The database is locked, and given back."""

    async def lock() -> Words:
        if hold.held:
            hold.give_back()
            return words("demo.unlocked")
        try:
            hold.take()
        except sqlite3.Error:
            return words("demo.busy")
        return words("demo.locked")

    return Control(
        id="lock",
        label=words("demo.lock"),
        run=lock,
        group=words("demo.bot"),
        pressed=lambda: hold.held,
        # what is only being filled is nobody else's yet
        usable=lambda: not keeper.replaced,
    )
