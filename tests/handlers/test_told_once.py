"""A move that a chat's subscription and rules of its own see is one message that names each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

import storage.chats
import storage.rates
import storage.rules
from bot.convert.rules import parse_rule
from bot.detect.rules import initial_state
from bot.model.chats import ChatKind, Post, Sound
from bot.model.rates import Series
from storage.schema import delivery
from tests.factories import chat as a_chat
from tests.handlers.conftest import GROUP, NOW, RUSSIAN, STRANGER, days
from tests.handlers.test_rules import YEAR, data, labels, pressed_under, publish
from tests.world import READER, World

PAIR = "pair:RUB/KGS"
CHANNEL = -1002000000009


async def watching(world: World, chat: int, *rules: str, follows: bool = True) -> list[int]:
    """A chat that follows the rouble, and has rules of its own; their numbers."""
    found = []
    async with world.bot.store.writing() as db:
        if follows:
            await storage.chats.subscribe(db, chat, [PAIR], now=NOW)
        for words in rules:
            own = parse_rule(words, home="KGS")
            series = Series("nbkr", own.pair, own.kind)
            past = await storage.rates.history(db, series, since=NOW.date(), until=world.now.date())
            number = await storage.rules.propose(db, chat, series, own, now=NOW)
            waiting = await storage.rules.get(db, chat, number, pending=True)
            assert waiting is not None
            await storage.rules.save(db, waiting, initial_state(own, past))
            found.append(number)
    return found


async def settled(world: World) -> None:
    """A bank that is watched since yesterday."""
    await world.keep(days("RUB/KGS", YEAR))
    await publish(world, "84,7935", "1,1950")  # a source's first rates wake nobody
    world.now += timedelta(days=1)


async def told(world: World, chat: int) -> dict[str, Any]:
    """The bank publishes a leap; the one message about it that the chat gets."""
    before = len(world.emulator.messages(chat))
    await publish(world, "84,7935", "1,3100")
    await world.done()
    (message,) = world.emulator.messages(chat)[before:]
    return dict(message)


#: What the message, its buttons and its *Why?* say: the subscription, a rule, the button of a rule
#: and what takes that back.
SAID = {
    READER: ("Your subscription: RUB", "Your alert: ", "Pause > 1.2", "Resume > 1.2"),
    RUSSIAN: ("Ваша подписка: RUB", "Ваше оповещение: ", "Пауза: > 1,2", "Включить: > 1,2"),
    STRANGER: ("Жазылууңуз: RUB", "Эскертүүңүз: ", "Тындыруу: > 1,2", "Улантуу: > 1,2"),
}


@pytest.mark.cases(keep=1)
@pytest.mark.parametrize("chat", SAID)
async def test_a_subscription_and_two_rules_are_one_message_that_names_each(
    world: World, chat: int
) -> None:
    """Each has its button, one snoozes all; a rule for once is done, another speaks again."""
    await settled(world)
    await world.ask("/start", chat=chat)
    once, other = await watching(world, chat, "RUB > 1.2 once", "RUB 2%")
    message = await told(world, chat)
    follows, asked_for, pause, resume = SAID[chat]
    level, percent = [one for one in message["text"].split("\n") if one.startswith(asked_for)]
    assert "RUB/KGS >" in level
    assert "RUB/KGS ±2" in percent
    assert follows in message["text"].split("\n")
    assert sum(map(len, labels(message))) == 6
    number = message["message_id"]
    assert not await world.press(chat, number, data(message, "why:"))
    why = await world.emulator.wait_message(chat, lambda m: m["message_id"] > number, timeout=20)
    assert why["text"].count(follows) == 1
    assert why["text"].count(asked_for) == 2

    # it is done: what it can do is begin anew
    (mine,) = [one for row in keys(message) for one in row if one["text"] == resume]
    begun = await pressed_under(world, message, mine["callback_data"], pause, chat=chat)
    stop = mine["callback_data"].replace("unmute", "mute")
    changed = await pressed_under(world, begun, stop, resume, chat=chat)
    assert await standing(world, chat) == ((PAIR,), {once: True, other: False})
    await pressed_under(world, changed, mine["callback_data"], pause, chat=chat)
    await world.press(chat, number, data(message, "snooze:"))
    async with world.bot.store.reading() as db:
        (series,) = {one.series for one in await storage.rules.of_chat(db, chat)}
        assert await storage.rules.watching(db, series, now=world.now) == []
    await world.press(chat, number, data(message, "snooze:").replace("snooze", "unsnooze"))
    world.now += timedelta(days=1)
    before = len(world.emulator.messages(chat))
    await publish(world, "84,7935", "1,1950")
    await world.done()
    (again,) = world.emulator.messages(chat)[before:]
    assert "±2" in again["text"]
    assert " > 1" not in again["text"]


async def test_what_is_resumed_while_the_rest_is_snoozed_is_silent_as_long_and_says_so(
    world: World,
) -> None:
    """One button snoozes all that a message names: what is followed again would not keep to it."""
    await settled(world)
    await world.ask("/start")
    await watching(world, READER, "RUB > 1.2", "RUB 2%")
    message = await told(world, READER)
    number, snooze = message["message_id"], data(message, "snooze:")
    (mute,) = [one["callback_data"] for row in keys(message) for one in row if "RUB" in one["text"]]
    unmute = mute.replace("mute", "unmute")
    until = f"{world.now + timedelta(hours=8 + 6):%H:%M}"
    await pressed_under(world, message, snooze, f"Off until {until}")
    await pressed_under(world, message, mute, "Unmute RUB")
    said = await world.emulator.press(READER, number, unmute)
    assert said["text"] == f"Resumed: RUB. Still silent until {until}."
    shown = await world.tells(READER, message["text"][:20])
    assert any(f"Off until {until}" in row for row in labels(shown))
    async with world.bot.store.reading() as db:
        state = await storage.chats.following(db, READER, PAIR)
    assert state is not None
    assert state.snoozed_until is not None
    await pressed_under(world, message, snooze.replace("snooze", "unsnooze"), "Snooze")
    await world.press(READER, number, mute)
    assert (await world.emulator.press(READER, number, unmute))["text"] == "Resumed: RUB"


async def test_an_alert_that_is_resumed_in_its_list_rests_no_more(world: World) -> None:
    """There is no button there that says until when."""
    await settled(world)
    await world.ask("/start")
    (number,) = await watching(world, READER, "RUB 2%", follows=False)
    message = await told(world, READER)
    await world.press(READER, message["message_id"], data(message, "snooze:"))
    listed = await world.ask("/alerts")
    for what in ("open", "pause", "resume"):
        await world.press(READER, listed["message_id"], f"rule:{what}:{number}")
    async with world.bot.store.reading() as db:
        assert await storage.rules.rests_until(db, number, now=world.now) is None


@pytest.mark.parametrize("rules", [(), ("RUB 2%",)])
async def test_a_move_names_an_alert_only_to_who_had_it(
    world: World, rules: tuple[str, ...]
) -> None:
    """It is told in the same words to all, by the day alone; its *Why?* knows whose it is, and at
    which hour of the same day it came.
    """
    await settled(world)
    for chat in (READER, RUSSIAN):
        await world.ask("/start", chat=chat)
    await watching(world, RUSSIAN)
    await told(world, RUSSIAN)
    world.now += timedelta(days=1)
    async with world.bot.store.writing() as db:  # by the database's clock it was now
        this_morning = world.now - timedelta(hours=1)
        await db.execute(update(delivery).values(finished_at=this_morning))
    await watching(world, READER, *rules)
    before = {chat: len(world.emulator.messages(chat)) for chat in (READER, RUSSIAN)}
    await publish(world, "84,7935", "1,2000")
    await world.done()
    for chat, alert, last in (
        (READER, "since the alert of", "its last big move"),
        (RUSSIAN, "с оповещения", "прошлое резкое изменение"),
    ):
        (message,) = world.emulator.messages(chat)[before[chat] :]
        assert alert not in message["text"]
        await world.press(chat, message["message_id"], data(message, "why:"))
        why = await world.emulator.wait_message(
            chat, lambda m, than=message: m["message_id"] > than["message_id"], timeout=20
        )
        assert (alert in why["text"]) is (chat == RUSSIAN)
        assert (last in why["text"]) is (chat == READER)
        assert ("09:00" in why["text"]) is (chat == RUSSIAN)


def keys(message: dict[str, Any]) -> list[list[dict[str, str]]]:
    """The buttons under a message."""
    return list(message["reply_markup"]["inline_keyboard"])


async def standing(world: World, chat: int) -> tuple[tuple[str, ...], dict[int, bool]]:
    """The subscriptions of a chat, and which of its rules are paused."""
    async with world.bot.store.reading() as db:
        rules = {one.id: one.paused for one in await storage.rules.of_chat(db, chat)}
        return await storage.chats.subscriptions(db, chat), rules


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sounds", "silent", "named"),
    [
        ({Post.RULES: Sound.SILENT}, False, ("subscription", "> 1.2", "±2")),
        ({Post.RATES: Sound.OFF}, False, ("> 1.2", "±2")),
        ({Post.RULES: Sound.OFF}, False, ()),
        ({Post.RATES: Sound.SILENT}, False, ("subscription", "> 1.2", "±2")),
        (
            dict.fromkeys((Post.RATES, Post.RULES), Sound.SILENT),
            True,
            ("subscription", "> 1.2", "±2"),
        ),
    ],
)
async def test_it_is_as_loud_as_the_loudest_of_them_and_names_what_is_wanted(
    world: World, sounds: dict[Post, Sound], silent: bool, named: tuple[str, ...]
) -> None:
    await settled(world)
    await world.ask("/start")
    await watching(world, READER, "RUB > 1.2", "RUB 2%")
    async with world.bot.store.writing() as db:
        chosen = " ".join(f"{post}={sound}" for post, sound in sorted(sounds.items()))
        await storage.chats.change(db, READER, sounds=chosen)
    message = await told(world, READER)
    assert world.emulator.silent(READER, message["message_id"]) == silent
    for words in ("subscription", "> 1.2", "±2"):
        assert (words in message["text"]) == (words in named), words


@pytest.mark.cases(keep=1)
@pytest.mark.parametrize("kind", [ChatKind.CHANNEL, ChatKind.GROUP])
async def test_in_groups_and_channels_too(world: World, kind: ChatKind) -> None:
    """In a channel without the buttons that change anything."""
    await settled(world)
    chat = GROUP
    if kind is ChatKind.CHANNEL:
        chat = CHANNEL
        world.emulator.add_channel(CHANNEL, "Rates", owner=READER, bot_status="administrator")
    async with world.bot.store.writing() as db:
        await storage.chats.add(db, a_chat(chat, kind=kind), now=NOW)
    await watching(world, chat, "RUB > 1.2", "RUB 2%")
    message = await told(world, chat)
    assert message["text"].count("Your alert: ") == 2
    assert "Your subscription: RUB" in message["text"]
    assert len(keys(message)) == (1 if kind is ChatKind.CHANNEL else 3)
