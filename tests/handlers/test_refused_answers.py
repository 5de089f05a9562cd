"""Answers that Telegram refuses or does not take at once: the reader hears something all the
same.
"""

from __future__ import annotations

import asyncio

import pytest

from bot.emulator import Fault
from bot.emulator.faults import Kind
from bot.model.chats import ChatKind
from tests.handlers.conftest import GROUP, READER, STRANGER, World

FORUM, CHANNEL = -1002000000777, -1001234567890


@pytest.mark.parametrize(
    "refusal",
    [
        "can't parse entities: x",
        "BUTTON_URL_INVALID",
        "ENTITY_BOUNDS_INVALID",
        "message is too long",
        "message to be replied not found",
        "not enough rights to send text messages to the chat",
        "something nobody has seen",
    ],
)
async def test_G20_an_answer_refused_as_it_is_comes_in_plain_words(
    world: World, refusal: str
) -> None:
    """Once refused, once sent."""
    world.emulator.faults.add(
        Fault.bad_request(refusal, method="sendMessage", chat_id=READER, times=1)
    )
    answer = await world.ask("/rates USD")
    assert "84" in answer["text"]


async def test_G20_where_not_even_plain_words_are_taken_the_reader_is_told_so(world: World) -> None:
    """Two refusals, then a word of ours that has nothing to refuse."""
    world.emulator.faults.add(
        Fault.bad_request("something nobody has seen", method="sendMessage", times=2)
    )
    answer = await world.ask("/rates USD")
    assert answer["text"]
    assert "84" not in answer["text"]


@pytest.mark.parametrize("refusal", ["message thread not found", "TOPIC_CLOSED", "TOPIC_DELETED"])
async def test_G20_an_answer_to_a_topic_that_is_gone_comes_in_general(
    world: World, refusal: str
) -> None:
    """Where the others read too."""
    world.emulator.add_group(FORUM, "Forum", members=[STRANGER], admins=[READER], is_forum=True)
    world.emulator.add_topic(FORUM, 7, "Rates")
    world.emulator.faults.add(
        Fault.bad_request(refusal, method="sendMessage", chat_id=FORUM, times=1)
    )
    asked = await world.emulator.send_text(FORUM, "/rates USD", user_id=STRANGER, thread_id=7)
    answer = await world.emulator.wait_message(
        FORUM, lambda m: m.get("from", {}).get("is_bot", False), after=asked, timeout=20
    )
    assert "message_thread_id" not in answer


@pytest.mark.parametrize(
    "refusal",
    [
        "message to edit not found",
        "message can't be edited",
        "MESSAGE_ID_INVALID",
        "there is no text",
    ],
)
async def test_G20_an_edit_that_is_refused_becomes_a_new_message(
    world: World, refusal: str
) -> None:
    """What the button was to show is shown."""
    menu = await world.ask("/settings")
    world.emulator.faults.add(Fault.bad_request(refusal, method="editMessageText"))
    await world.emulator.press(READER, menu["message_id"], "set:language")
    await world.emulator.wait_message(
        READER, lambda m: "reply_markup" in m or "text" in m, after=menu["message_id"]
    )


async def test_G20_a_button_under_a_message_that_telegram_no_longer_shows_is_answered(
    world: World,
) -> None:
    """Too old to be changed: a new message."""
    menu = await world.ask("/settings")
    await world.emulator.press(READER, menu["message_id"] + 1000, "set:language")
    await world.emulator.wait_message(READER, after=menu["message_id"])


async def test_G21_a_long_wait_is_kept_and_ends_in_one_late_answer(world: World) -> None:
    """Nothing is sent before, whatever is asked meanwhile; the last question has its answer
    then.
    """
    calls = world.emulator.calls
    world.emulator.faults.add(Fault.flood(13, method="sendMessage", chat_id=READER, times=1))
    await world.emulator.send_text(READER, "/help")
    refused = await calls.wait(lambda call: call.method == "sendMessage" and call.code == 429)
    await world.emulator.send_text(READER, "/rates USD")
    answer = await world.emulator.wait_message(
        READER, lambda m: m.get("from", {}).get("is_bot", False), timeout=60
    )
    sent = next(call for call in calls.of("sendMessage", READER) if call.number > refused.number)
    assert sent.at - refused.at >= 13
    assert "84" in answer["text"]
    assert len([m for m in world.emulator.messages(READER) if m["from"]["is_bot"]]) == 1


async def test_G21_a_short_wait_is_kept_to_the_second(world: World) -> None:
    """By the handler itself."""
    calls = world.emulator.calls
    world.emulator.faults.add(Fault.flood(3, method="sendMessage", chat_id=READER, times=1))
    await world.ask("/help")
    first, second = [call.at for call in calls.of("sendMessage", READER)]
    assert second - first >= 3


async def test_G15_what_was_asked_before_an_outage_is_answered_after_it(world: World) -> None:
    """Longer than a handler waits: the outbox keeps the answer."""
    calls = world.emulator.calls
    fault = world.emulator.faults.add(Fault(Kind.HTML, code=502, method="[!a]*"))
    world.emulator.faults.remove(fault)
    await world.emulator.updates.polled()
    world.emulator.faults.add(Fault(Kind.HTML, code=502, method="send*"))
    world.emulator.faults.add(Fault(Kind.HTML, code=502, method="getMe"))
    await world.emulator.send_text(READER, "/rates USD")
    await calls.wait(lambda call: call.method == "getMe" and call.code == 502, timeout=40)
    await calls.wait(
        lambda call: call.method == "getMe" and call.code == 502, timeout=40, after=calls.total
    )
    world.emulator.faults.clear()
    answer = await world.emulator.wait_message(
        READER, lambda m: m.get("from", {}).get("is_bot", False), timeout=30
    )
    assert "84" in answer["text"]


async def test_G19_an_answer_to_a_group_that_moved_reaches_it(world: World) -> None:
    """Under its new id."""
    old, new = -4100, -1004000004100
    world.emulator.add_group(old, "Family", type="group", members=[STRANGER], admins=[READER])
    asked = world.emulator.calls.total
    world.emulator.faults.add(Fault.slow(1.0, method="sendMessage", chat_id=old, times=1))
    await world.emulator.send_text(old, "/rates USD", user_id=STRANGER)
    await asyncio.sleep(0)
    world.emulator.migrate(old, new)
    await world.emulator.calls.wait(
        lambda call: call.method == "sendMessage" and call.accepted and call.chat_id in {old, new},
        after=asked,
        timeout=20,
    )


@pytest.mark.parametrize(
    ("chat", "status", "right"),
    [(CHANNEL, "administrator", "can_post_messages"), (GROUP, "restricted", "can_send_messages")],
)
async def test_without_the_right_to_write_nobody_is_told_that_we_can(
    world: World, chat: int, status: str, right: str
) -> None:
    """Whoever did it hears what is missing, once; with the right given, the channel is greeted."""
    emulator = world.emulator
    if chat == CHANNEL:
        emulator.add_channel(CHANNEL, "News", owner=READER, bot_status="left")
    emulator.set_bot_status(chat, status, by=READER, rights={right: False})
    said = await emulator.wait_message(READER, timeout=20)
    assert "may not" in said["text"]
    emulator.set_bot_status(
        chat, status, by=READER, rights={right: False, "can_invite_users": True}
    )
    await world.ask("/help")
    assert len([m for m in emulator.messages(READER) if "may not" in m.get("text", "")]) == 1
    emulator.set_bot_status(chat, "administrator", by=READER, rights={right: True})
    if chat == CHANNEL:
        await emulator.wait_message(
            READER, lambda m: "now I can post" in m.get("text", ""), timeout=20
        )
    async with world.bot.store.reading() as db:
        import storage.chats

        known = await storage.chats.get(db, chat)
    assert known is not None
    assert known.kind is (ChatKind.CHANNEL if chat == CHANNEL else ChatKind.GROUP)
