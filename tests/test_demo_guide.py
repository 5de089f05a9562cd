"""The three steps of the first minute are taken by what they say, and by nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

from bot.demo.guide import Guide
from bot.demo.travel import Travel
from bot.emulator import Chat, Emulator, Member
from bot.model.chats import Style, Wakes
from bot.render.alerts import mute_button, snooze_button, why_button
from bot.render.settings import settings
from bot.render.text import Message, message
from bot.render.welcome import start
from bot.render.wire import to_api

BEGIN = datetime(2023, 8, 14, 10, tzinfo=UTC)
TURNED = BEGIN + timedelta(days=1)


class Turn:
    """A calendar that was turned, or not yet."""

    turned_at: datetime | None = None


GREETING = start("en", currencies=["USD"], topics=["security"])
CHOSEN = start("en", currencies=["USD"], topics=["security"], chosen=["cur:USD"])
SETTINGS = settings(
    "en",
    zone="Asia/Bishkek",
    now=BEGIN,
    style=Style.BRIEF,
    wakes=Wakes.IMPORTANT,
    digests=[],
    following=[],
    quiet=None,
    channels=True,
)
ALERT = message(
    "USD +2 %",
    [[why_button(7, "en")], [snooze_button(7, "en"), mute_button(7, "USD", "en")]],
)


DIGEST = message("USD 88.27")


class Scene(NamedTuple):
    """A private chat, whose guide sees what happens in it."""

    travel: Turn
    emulator: Emulator
    chat: Chat
    guide: Guide

    @classmethod
    def at(cls, now: datetime, *, turned: datetime | None = None) -> Scene:
        """A chat without messages, at a time."""
        travel = Turn()
        travel.turned_at = turned
        emulator = Emulator(clock=now.timestamp)
        chat: Chat = emulator.add_private(emulator.add_user(1001, "Aigul", "en"))
        guide = Guide(cast("Travel", travel))
        emulator.world.observers.append(guide.see)
        return cls(travel, emulator, chat, guide)

    def say(self, one: Message, *, silent: bool = False) -> dict[str, Any]:
        """A message of the bot comes."""
        world = self.emulator.world
        return world.add_message(self.chat, {"from": world.bot_json, **to_api(one)}, silent=silent)

    def shown(self) -> tuple[list[bool], str | None]:
        """The steps taken, and what is offered next."""
        said = cast("dict[str, Any]", self.guide(self.chat))
        return [step["done"] for step in said["steps"]], said["offer"]


def told(*messages: Message, turned: bool, silent: bool = False) -> tuple[list[bool], str | None]:
    """The steps taken in a chat that has these messages, and what is offered next."""
    scene = Scene.at(TURNED, turned=TURNED) if turned else Scene.at(BEGIN)
    for one in messages:
        scene.say(one, silent=silent)
    return scene.shown()


def test_a_currency_that_is_ticked_is_the_first_step_and_offers_a_day() -> None:
    assert told(GREETING, turned=False) == ([False, False, False], None)
    assert told(CHOSEN, turned=False) == ([True, False, False], "next-day")


def test_a_step_is_taken_though_its_keyboard_is_gone_before_anybody_looks() -> None:
    """Done closes the greeting's keys; a new beginning takes the step back."""
    scene = Scene.at(BEGIN)
    world, greeting = scene.emulator.world, scene.say(GREETING)
    ticked = world.change_message(scene.chat, greeting, to_api(CHOSEN))
    world.change_message(scene.chat, ticked, {"reply_markup": None})
    assert scene.shown() == ([True, False, False], "next-day")
    scene.guide.begin_anew()
    assert scene.shown() == ([False, False, False], None)


def test_settings_take_no_step_with_their_ticks_and_keys() -> None:
    for turned in (False, True):
        assert told(GREETING, SETTINGS, turned=turned) == ([False, False, False], None)


def test_an_alert_after_the_turn_is_the_last_step() -> None:
    assert told(CHOSEN, ALERT, turned=False) == ([True, False, False], "next-day")
    assert told(CHOSEN, ALERT, turned=True) == ([True, True, True], "next")


def test_a_digest_after_the_turn_is_the_last_step_too() -> None:
    """It has no button and comes without a sound; an answer, which has one, takes no step."""
    assert told(CHOSEN, DIGEST, turned=True) == ([True, True, False], "next-day")
    assert told(CHOSEN, DIGEST, turned=False, silent=True) == ([True, False, False], "next-day")
    assert told(CHOSEN, DIGEST, turned=True, silent=True) == ([True, True, True], "next")


def test_what_came_without_a_sound_before_the_turn_takes_no_step() -> None:
    """It was due by itself, of no day that was turned."""
    scene = Scene.at(BEGIN)
    scene.say(DIGEST, silent=True)
    scene.travel.turned_at = TURNED
    assert scene.shown() == ([False, False, False], None)


def test_a_group_is_told_what_to_ask_in_each_of_its_topics() -> None:
    """Once the bot is there, and until it was asked in that topic."""
    emulator = Emulator(clock=BEGIN.timestamp)
    street = emulator.add_group(-1001, "Street", owner=1, bot_status="left", is_forum=True)
    emulator.add_topic(street.id, 2, "Rates")
    guide = Guide(cast("Travel", Turn()))

    def says() -> dict[str, list[str]]:
        said = cast("dict[str, Any]", guide(street)["say"])
        return {topic: [one["text"] for one in asked] for topic, asked in said.items()}

    assert says() == {}
    street.bot = Member(status="member")
    assert says() == {"general": ["/subscribe", "/board on"], "2": ["/here"]}
    for more in ({"text": "/subscribe"}, {"text": "/here", "message_thread_id": 2}):
        emulator.world.add_message(street, more)
    assert says() == {"general": ["/board on"], "2": []}
