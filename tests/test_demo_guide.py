"""The three steps of the first minute are taken by what they say, and by nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from bot.demo.guide import Guide
from bot.demo.travel import Travel
from bot.emulator import Chat, Emulator
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


def told(*messages: Message, turned: bool) -> tuple[list[bool], str | None]:
    """Which steps are taken in a chat that has these messages, and what is offered next."""
    travel = Turn()
    now = BEGIN
    if turned:
        travel.turned_at, now = TURNED, TURNED
    emulator = Emulator(clock=now.timestamp)
    chat: Chat = emulator.add_private(emulator.add_user(1001, "Aigul", "en"))
    for one in messages:
        emulator.world.add_message(chat, {"from": emulator.world.bot_json, **to_api(one)})
    said = cast("dict[str, Any]", Guide(cast("Travel", travel))(chat))
    return [step["done"] for step in said["steps"]], said["offer"]


def test_a_currency_that_is_ticked_is_the_first_step_and_offers_a_day() -> None:
    assert told(GREETING, turned=False) == ([False, False, False], None)
    assert told(CHOSEN, turned=False) == ([True, False, False], "next-day")


def test_settings_take_no_step_with_their_ticks_and_keys() -> None:
    for turned in (False, True):
        assert told(GREETING, SETTINGS, turned=turned) == ([False, False, False], None)


def test_an_alert_after_the_turn_is_the_last_step() -> None:
    assert told(CHOSEN, ALERT, turned=False) == ([True, False, False], "next-day")
    assert told(CHOSEN, ALERT, turned=True) == ([True, True, True], "next")
