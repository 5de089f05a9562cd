"""The hands of the demonstration: its buttons, in three languages, and what they do."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.demo.keeper import Keeper, State
from bot.demo.travel import DAY_A_SECOND, HOUR_A_SECOND, Travel
from bot.demo.world import World
from bot.emulator import Control
from bot.errors import BotError

Words = Mapping[str, str]


def words(en: str, ru: str, ky: str) -> Words:
    """The same in the three languages."""
    return {"en": en, "ru": ru, "ky": ky}


TIME = words("Time", "Время", "Убакыт")
HAPPENS = words("Let something happen", "Пусть что-то случится", "Бир нерсе болсун")
BOT = words("The bot", "Бот", "Бот")

#: What comes at each moment, by its hour.
COMES = {
    9: words("morning digest", "утренняя сводка", "эртеңки топтом"),
    15: words("the bank publishes", "банк публикует курсы", "банк курсун жарыялайт"),
    16: words("the news of the day", "новости дня", "күндүн жаңылыктары"),
    18: words("evening digest", "вечерняя сводка", "кечки топтом"),
}


def written(moment: datetime) -> str:
    """A moment for people: "15.08.2023, 09:00"."""
    return f"{moment:%d.%m.%Y, %H:%M}"


@dataclass(slots=True)
class Hold:
    """The bot's database, as another program may hold it: nobody else can write."""

    file: Path | None = None
    _by: sqlite3.Connection | None = None

    @property
    def held(self) -> bool:
        """Whether it is held now."""
        return self._by is not None

    def take(self) -> None:
        """Hold it."""
        if self.file is not None and self._by is None:
            by = sqlite3.connect(self.file, timeout=5, isolation_level=None)
            try:
                by.execute("BEGIN IMMEDIATE")
            except sqlite3.Error:
                by.close()
                raise
            self._by = by

    def give_back(self) -> None:
        """Let others write again."""
        if self._by is not None:
            self._by.close()
            self._by = None


def time_hands(travel: Travel) -> list[Control]:
    """What people do with the demonstration's time."""

    async def next_moment() -> str:
        return written(await travel.next())

    async def next_day() -> str:
        return written(await travel.day())

    def coming() -> Words:
        moment = travel.world.upcoming()
        return {
            language: f"{moment:%H:%M} · {what}" for language, what in COMES[moment.hour].items()
        }

    def player(speed: float) -> Control:
        async def play() -> Words:
            if travel.speed == speed:
                travel.pause()
                return words("Time runs as ours", "Время идёт как у нас", "Убакыт биздикиндей")
            travel.play(speed)
            return words("Time runs", "Время пошло", "Убакыт жүрдү")

        name, label = "hours", words("An hour a second", "Час в секунду", "Секундада саат")
        if speed == DAY_A_SECOND:
            name, label = "days", words("A day a second", "День в секунду", "Секундада күн")
        return Control(
            id=f"play-{name}",
            label=label,
            run=play,
            group=TIME,
            pressed=lambda: travel.speed == speed,
        )

    return [
        Control(
            id="next",
            label=words("Next", "Дальше", "Улантуу"),
            run=next_moment,
            group=TIME,
            hint=coming,
        ),
        Control(
            id="next-day",
            label=words("Next day", "Следующий день", "Кийинки күн"),
            run=next_day,
            group=TIME,
        ),
        player(HOUR_A_SECOND),
        player(DAY_A_SECOND),
    ]


def event_hands(world: World) -> list[Control]:
    """What people let happen."""

    async def story() -> Words:
        world.injected.story(world.now())
        return words(
            "Four agencies write about it, one after the other",
            "Об этом пишут четыре агентства, одно за другим",
            "Бул тууралуу төрт агенттик биринин артынан бири жазат",
        )

    async def quake() -> Words:
        world.injected.quake(world.now())
        return words("The earth shook", "Земля вздрогнула", "Жер титиреди")

    return [
        Control(
            id="story",
            label=words("A big story", "Важная новость", "Чоң кабар"),
            run=story,
            group=HAPPENS,
        ),
        Control(
            id="quake",
            label=words("An earthquake", "Землетрясение", "Жер титирөө"),
            run=quake,
            group=HAPPENS,
        ),
    ]


def bot_hands(keeper: Keeper, hold: Hold) -> list[Control]:
    """What people do to the bot's process and its database."""

    async def freeze() -> Words:
        if keeper.state is State.FROZEN:
            keeper.thaw()
            return words("The bot goes on", "Бот ожил", "Бот уланды")
        keeper.freeze()
        return words("The bot stands still", "Бот замер", "Бот катып калды")

    async def kill() -> Words:
        await keeper.kill()
        return words("Killed, without a last word", "Убит, без прощаний", "Бир сөзсүз өлтүрүлдү")

    async def start() -> Words:
        try:
            await keeper.start()
        except BotError:  # with its database locked, say
            return words("It cannot start now", "Сейчас он не стартует", "Азыр башталбай жатат")
        return words("The bot is back", "Бот снова здесь", "Бот кайра келди")

    async def lock() -> Words:
        if hold.held:
            hold.give_back()
            return words("The database is free", "База свободна", "База бош")
        try:
            hold.take()
        except sqlite3.Error:
            return words("It is busy just now", "Она сейчас занята", "Ал азыр бош эмес")
        return words("Nobody can write to it", "В неё никто не пишет", "Ага эч ким жаза албайт")

    return [
        Control(
            id="freeze",
            label=words("Freeze", "Заморозить", "Тоңдуруу"),
            run=freeze,
            group=BOT,
            pressed=lambda: keeper.state is State.FROZEN,
            usable=lambda: keeper.state in {State.AWAKE, State.FROZEN},
        ),
        Control(
            id="kill",
            label=words("Kill", "Убить", "Өлтүрүү"),
            run=kill,
            group=BOT,
            usable=lambda: keeper.state in {State.AWAKE, State.FROZEN},
        ),
        Control(
            id="start",
            label=words("Start", "Запустить", "Баштоо"),
            run=start,
            group=BOT,
            usable=lambda: keeper.state is State.ASLEEP,
        ),
        Control(
            id="lock",
            label=words("Lock its database", "Запереть базу", "Базаны бекитүү"),
            run=lock,
            group=BOT,
            pressed=lambda: hold.held,
        ),
    ]
