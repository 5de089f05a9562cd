"""Answers that Telegram refuses or does not take at once: the reader hears something all the
same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

import storage.alerts
import storage.chats
from bot.alerts.notices import alert as notice
from bot.emulator import Fault
from bot.emulator.calls import Call
from bot.emulator.faults import Kind
from bot.i18n import t
from bot.intake.inbox import AT_ONCE
from bot.model.chats import ChatKind
from tests.factories import a_notice
from tests.handlers.conftest import GROUP, NOW, READER, RUSSIAN, STRANGER, World, days, no_time
from tests.waiting import until

FORUM, CHANNEL = -1002000000777, -1001234567890
DARK = "chart:RUB/KGS:90d:dark"
#: How an answer leaves that is not words: a file, a picture, another picture in its place.
WAYS = [("sendDocument", "/mydata"), ("sendPhoto", "/chart RUB 90d"), ("editMessageMedia", DARK)]
ONCE = [Fault.server_error, Fault.reset, Fault.lost_reply]


def each_way_with_each_fault() -> list[Any]:
    """Each way once; every other pair is left to the long run, for a chart takes seconds."""
    return [
        pytest.param(*way, fault, marks=() if row == column else pytest.mark.slow)
        for row, way in enumerate(WAYS)
        for column, fault in enumerate(ONCE)
    ]


async def test_G20_an_answer_refused_as_it_is_comes_in_plain_words(scene: World) -> None:
    """Once refused, once sent."""
    for refusal in (
        "can't parse entities: x",
        "BUTTON_URL_INVALID",
        "ENTITY_BOUNDS_INVALID",
        "message is too long",
        "message to be replied not found",
        "not enough rights to send text messages to the chat",
        "something nobody has seen",
    ):
        fault = Fault.bad_request(refusal, method="sendMessage", chat_id=READER, times=1)
        scene.emulator.faults.add(fault)
        answer = await scene.ask("/rates USD")
        assert "84" in answer["text"], refusal
        assert fault.hits == 1, refusal


async def test_G20_where_not_even_plain_words_are_taken_the_reader_is_told_so(scene: World) -> None:
    """Two refusals, then a word of ours that has nothing to refuse."""
    scene.emulator.faults.add(
        Fault.bad_request("something nobody has seen", method="sendMessage", times=2)
    )
    answer = await scene.ask("/rates USD")
    assert answer["text"]
    assert "84" not in answer["text"]


async def test_G20_an_answer_to_a_topic_that_is_gone_comes_in_general(scene: World) -> None:
    """Where the others read too."""
    emulator = scene.emulator
    emulator.add_group(FORUM, "Forum", members=[STRANGER], admins=[READER], is_forum=True)
    emulator.add_topic(FORUM, 7, "Rates")
    for refusal in ("message thread not found", "TOPIC_CLOSED", "TOPIC_DELETED"):
        emulator.faults.add(
            Fault.bad_request(refusal, method="sendMessage", chat_id=FORUM, times=1)
        )
        asked = await emulator.send_text(FORUM, "/rates USD", user_id=STRANGER, thread_id=7)
        answer = await emulator.wait_message(
            FORUM, lambda m: m.get("from", {}).get("is_bot", False), after=asked, timeout=20
        )
        assert "message_thread_id" not in answer, refusal


async def test_G20_an_edit_that_is_refused_becomes_a_new_message(scene: World) -> None:
    """The text that the button was to show is shown."""
    menu = await scene.ask("/settings")
    for refusal in (
        "message to edit not found",
        "message can't be edited",
        "MESSAGE_ID_INVALID",
        "there is no text",
    ):
        after = scene.emulator.messages(READER)[-1]["message_id"]
        fault = Fault.bad_request(refusal, method="editMessageText")
        scene.emulator.faults.add(fault)
        await scene.emulator.press(READER, menu["message_id"], "set:language")
        await scene.emulator.wait_message(
            READER, lambda m: "reply_markup" in m or "text" in m, after=after
        )
        scene.emulator.faults.remove(fault)


async def test_G20_a_button_under_a_message_that_telegram_no_longer_shows_is_answered(
    scene: World,
) -> None:
    """Too old to be changed: a new message."""
    menu = await scene.ask("/settings")
    await scene.emulator.press(READER, menu["message_id"] + 1000, "set:language")
    await scene.emulator.wait_message(READER, after=menu["message_id"])


@pytest.mark.usefixtures("impatient")
async def test_G21_a_long_wait_is_kept_and_ends_in_one_late_answer(scene: World) -> None:
    """Nothing is sent before, whatever is asked meanwhile; the last question has its answer
    then.
    """
    calls = scene.emulator.calls
    scene.emulator.faults.add(Fault.flood(3, method="sendMessage", chat_id=READER, times=1))
    await scene.emulator.send_text(READER, "/help")
    refused = await calls.wait(lambda call: call.method == "sendMessage" and call.code == 429)
    await scene.emulator.send_text(READER, "/rates USD")
    answer = await scene.emulator.wait_message(
        READER, lambda m: m.get("from", {}).get("is_bot", False), timeout=60
    )
    sent = next(call for call in calls.of("sendMessage", READER) if call.number > refused.number)
    assert sent.at - refused.at >= 3
    assert "84" in answer["text"]
    assert len([m for m in scene.emulator.messages(READER) if m["from"]["is_bot"]]) == 1


@pytest.mark.usefixtures("impatient")
async def test_G21_who_said_stop_hears_what_they_ask_though_it_is_late(scene: World) -> None:
    """That there will be no alerts, and the rates: an answer is no alert."""
    await scene.ask("/start")
    for question, says in (("/stop", "/start"), ("/rates USD", "84")):
        scene.emulator.faults.add(Fault.flood(2, method="sendMessage", chat_id=READER, times=1))
        asked = await scene.emulator.send_text(READER, question)
        answer = await scene.emulator.wait_message(
            READER, lambda m: m["from"]["is_bot"], after=asked, timeout=40
        )
        assert says in answer["text"]


@pytest.mark.slow
async def test_G21_the_waits_of_many_chats_hold_up_no_other(scene: World) -> None:
    """More chats than are served at a time are left alone for nine seconds; one is not."""
    chats = range(5001, 5001 + AT_ONCE + 8)
    for chat in chats:
        scene.emulator.add_private(scene.emulator.add_user(chat, "Busy", "en"))
    floods = [Fault.flood(9, method="sendMessage", chat_id=chat, times=1) for chat in chats]
    for flood in floods:
        scene.emulator.faults.add(flood)
    for chat in chats:
        await scene.emulator.send_text(chat, "/help")
    async with asyncio.timeout(30):
        while sum(flood.hits for flood in floods) < AT_ONCE:  # noqa: ASYNC110 - makes no event
            await asyncio.sleep(0.05)
    async with asyncio.timeout(4):
        await scene.ask("/help")


async def test_G21_a_short_wait_is_kept_to_the_second(scene: World) -> None:
    """By the handler itself."""
    calls = scene.emulator.calls
    scene.emulator.faults.add(Fault.flood(3, method="sendMessage", chat_id=READER, times=1))
    await scene.ask("/help")
    first, second = [call.at for call in calls.of("sendMessage", READER)]
    assert second - first >= 3


@pytest.fixture
async def charted(world: World) -> World:
    """A bank with history enough for a chart."""
    await world.keep(days("RUB/KGS", [f"1.{190 + number % 30}0" for number in range(100)]))
    return world


async def wanted(world: World, wish: str, chat: int = READER) -> int:
    """Write a wish, or press it under a chart; returns how many calls there were before."""
    if wish.startswith("/"):
        calls = world.emulator.calls.total
        await world.emulator.send_text(chat, wish)
    else:
        chart = await drawn(world, chat)
        calls = world.emulator.calls.total
        await world.emulator.press(chat, chart["message_id"], wish)
    return calls


async def drawn(world: World, chat: int = READER) -> dict[str, Any]:
    """A reader's chart, drawn and sent if there is none."""
    for message in world.emulator.messages(chat):
        if "photo" in message:
            return message
    return await world.ask("/chart RUB 90d", chat=chat, fits="RUB/KGS")


async def refused(world: World, after: int, chat: int = READER) -> Call:
    """The next call to a reader that Telegram told to wait."""
    return await world.emulator.calls.wait(
        lambda call: call.code == 429 and call.chat_id == chat, after=after, timeout=20
    )


async def next_to(world: World, chat: int, after: int) -> Call:
    """The next message, or change of one, for a chat; another's press is let go meanwhile."""
    return await world.emulator.calls.wait(
        lambda call: call.chat_id == chat and call.method != "answerCallbackQuery",
        after=after,
        timeout=40,
    )


async def each_for_a_reader(promise: Callable[[int, str, str], Awaitable[None]]) -> None:
    """Keep a promise of (chat, method, wish) in each way, all at once: what waits, waits."""
    async with asyncio.TaskGroup() as tasks:
        for chat, (method, wish) in zip((READER, STRANGER, RUSSIAN), WAYS, strict=True):
            tasks.create_task(promise(chat, method, wish))


@pytest.mark.slow
async def test_G21_files_and_pictures_keep_a_short_wait_to_the_second(charted: World) -> None:
    """And come then, as they were."""

    async def kept(chat: int, method: str, wish: str) -> None:
        charted.emulator.faults.add(Fault.flood(3, method=method, chat_id=chat, times=1))
        before = await wanted(charted, wish, chat)
        told = await refused(charted, before, chat)
        again = await next_to(charted, chat, told.number)
        assert (again.method, again.accepted) == (method, True)
        assert again.at - told.at >= 3

    await each_for_a_reader(kept)


@pytest.mark.usefixtures("impatient")
async def test_G21_files_and_pictures_told_to_wait_long_end_in_one_late_word(
    charted: World,
) -> None:
    """Nothing is sent before."""

    async def late(chat: int, method: str, wish: str) -> None:
        charted.emulator.faults.add(Fault.flood(3, method=method, chat_id=chat, times=1))
        told = await refused(charted, await wanted(charted, wish, chat), chat)
        word = await next_to(charted, chat, told.number)
        assert (word.method, word.accepted) == ("sendMessage", True)
        assert word.at - told.at >= 3

    await each_for_a_reader(late)


@pytest.mark.usefixtures("impatient")
async def test_G21_files_and_pictures_keep_the_quiet_that_words_were_told(charted: World) -> None:
    """Questions meanwhile have the one late answer."""

    async def quiet(chat: int, _method: str, wish: str) -> None:
        if wish != "/mydata":
            await drawn(charted, chat)
        charted.emulator.faults.add(Fault.flood(4, method="sendMessage", chat_id=chat, times=1))
        told = await refused(charted, await wanted(charted, "/help", chat), chat)
        await wanted(charted, wish, chat)
        late = await next_to(charted, chat, told.number)
        assert late.at - told.at >= 4
        assert late.accepted
        said = str(charted.emulator.messages(chat)[-1])
        assert (t("error.unexpected", "en") if wish == "/mydata" else "RUB/KGS") in said

    await each_for_a_reader(quiet)


async def test_G21_a_groups_file_keeps_the_quiet_of_whom_it_is_sent_to(charted: World) -> None:
    """The group, which was told nothing, hears why there is no file."""
    charted.emulator.faults.add(Fault.flood(60, method="sendMessage", chat_id=READER, times=1))
    told = await refused(charted, await wanted(charted, "/help"))
    asked = await charted.emulator.send_text(GROUP, "/mydata", user_id=READER)
    said = await charted.emulator.wait_message(
        GROUP, lambda m: m["from"]["is_bot"], after=asked, timeout=20
    )
    assert said["text"] in {t("error.unexpected", language) for language in ("en", "ky")}
    assert not [c for c in charted.emulator.calls.since(told.number) if c.chat_id == READER]


@pytest.mark.parametrize(("method", "wish", "fault"), each_way_with_each_fault())
async def test_G20_files_and_pictures_that_fail_once_are_sent_again(
    charted: World, method: str, wish: str, fault: Any
) -> None:
    """Without a word; when nobody knows whether they arrived, once more."""
    charted.emulator.faults.add(fault(method=method, chat_id=READER, times=1))
    before = await wanted(charted, wish)
    first = await next_to(charted, READER, before)
    again = await next_to(charted, READER, first.number)
    assert [first.method, again.method] == [method, method]
    assert again.accepted
    await charted.ask("/help")
    sent = [c.method for c in charted.emulator.calls.since(before) if c.chat_id == READER]
    assert sent == [method, method, "sendMessage"]


@pytest.mark.parametrize("known", [False, True], ids=["drawn", "known"])
@pytest.mark.parametrize("fault", [Fault.reset, Fault.lost_reply])
async def test_G6_G20_a_picture_that_nobody_knows_to_have_arrived_is_followed_by_its_words(
    charted: World, fault: Any, *, known: bool
) -> None:
    """Once more and then in words, which are no copy of a picture that did arrive."""
    charted.bot.services.rest = no_time
    last = 0
    if known:
        last = (await charted.ask("/chart RUB 90d", fits="RUB/KGS"))["message_id"]
    charted.emulator.faults.add(fault(method="sendPhoto", chat_id=READER))
    await charted.emulator.send_text(READER, "/chart RUB 90d")
    words = await charted.emulator.wait_message(
        READER, lambda m: m["from"]["is_bot"] and "text" in m, after=last, timeout=20
    )
    assert "RUB/KGS" in words["text"]
    sent = [one for one in charted.emulator.messages(READER) if one["message_id"] > last]
    assert len([one for one in sent if "photo" in one]) == (2 if fault == Fault.lost_reply else 0)


@pytest.mark.parametrize("known", [False, True], ids=["drawn", "known"])
async def test_G20_a_change_of_a_picture_in_doubt_is_said(charted: World, *, known: bool) -> None:
    """Its words stay as they are, so that a reader would see nothing."""
    charted.bot.services.rest = no_time
    chart = await drawn(charted)
    if known:
        for data in (DARK, DARK.removesuffix(":dark")):
            await charted.emulator.press(READER, chart["message_id"], data)
    charted.emulator.faults.add(Fault.reset(method="editMessageMedia", chat_id=READER))
    await charted.emulator.press(READER, chart["message_id"], DARK)
    words = await charted.emulator.wait_message(READER, after=chart["message_id"], timeout=20)
    assert words["text"] == t("error.unexpected", "en")


async def test_G20_what_a_press_was_to_be_told_in_doubt_is_a_message(scene: World) -> None:
    """Where nobody knows whether the word over the chat was seen."""
    menu = await scene.ask("/start")
    scene.bot.services.rest = no_time
    scene.emulator.faults.add(Fault.reset(method="answerCallbackQuery"))
    with suppress(TimeoutError):
        await scene.emulator.press(READER, menu["message_id"], "nonsense", timeout=0.1)
    await scene.emulator.wait_message(
        READER, lambda m: "out of date" in m.get("text", ""), after=menu["message_id"], timeout=20
    )


async def test_G20_a_picture_for_a_topic_that_is_gone_comes_in_general(charted: World) -> None:
    """As a picture."""
    emulator = charted.emulator
    emulator.add_group(FORUM, "Forum", members=[STRANGER], admins=[READER], is_forum=True)
    emulator.add_topic(FORUM, 7, "Rates")
    refusal = "message thread not found"
    emulator.faults.add(Fault.bad_request(refusal, method="sendPhoto", chat_id=FORUM, times=1))
    asked = await emulator.send_text(FORUM, "/chart RUB 90d", user_id=STRANGER, thread_id=7)
    answer = await emulator.wait_message(
        FORUM, lambda m: m.get("from", {}).get("is_bot", False), after=asked, timeout=20
    )
    assert "photo" in answer
    assert "message_thread_id" not in answer


async def test_G20_a_picture_that_is_refused_comes_as_words(charted: World) -> None:
    """As often as it is refused."""
    charted.emulator.faults.add(Fault.bad_request("PHOTO_INVALID", method="sendPhoto"))
    answer = await charted.ask("/chart RUB 90d", fits="RUB/KGS")
    assert "photo" not in answer


async def test_G21_an_answer_keeps_the_quiet_that_an_alert_was_told(scene: World) -> None:
    """Whoever of us Telegram said it to."""
    told = notice(READER, a_notice("notice.gone", {"chat": "1", "why": "blocked"}), now=scene.now)
    await scene.ask("/help")
    scene.emulator.faults.add(Fault.flood(5, method="sendMessage", chat_id=READER, times=1))
    before = scene.emulator.calls.total
    async with scene.store.writing() as db:
        await storage.alerts.enqueue(db, told)
    scene.bot.worker.wake()
    flood = await refused(scene, before)
    await scene.ask("/help")
    sent = [c for c in scene.emulator.calls.since(flood.number) if c.chat_id == READER]
    assert all(c.at - flood.at >= 5 for c in sent)


async def test_G20_what_is_asked_in_another_chat_is_answered_after_a_failure(scene: World) -> None:
    """Within the seconds that Telegram waits for it."""
    scene.emulator.faults.add(Fault.server_error(method="answerInlineQuery", times=1))
    found = await scene.emulator.inline_query(READER, "100 usd")
    assert found


async def test_G21_who_made_us_an_administrator_hears_what_came_of_it_in_time(scene: World) -> None:
    """Not while Telegram wants silence in their private chat."""
    scene.emulator.faults.add(Fault.flood(5, method="sendMessage", chat_id=READER, times=1))
    told = await refused(scene, await wanted(scene, "/help"))
    scene.emulator.add_channel(CHANNEL, "News", owner=READER, bot_status="left")
    scene.emulator.set_bot_status(CHANNEL, "administrator", by=READER)
    await scene.tells(READER, "now I can post")
    sent = [c for c in scene.emulator.calls.since(told.number) if c.chat_id == READER]
    assert all(c.at - told.at >= 5 for c in sent)


async def test_G15_what_was_asked_before_an_outage_is_answered_after_it(scene: World) -> None:
    """Longer than a handler waits: the outbox keeps the answer."""
    calls = scene.emulator.calls
    fault = scene.emulator.faults.add(Fault(Kind.HTML, code=502, method="[!a]*"))
    scene.emulator.faults.remove(fault)
    await scene.emulator.updates.polled()
    scene.emulator.faults.add(Fault(Kind.HTML, code=502, method="send*"))
    scene.emulator.faults.add(Fault(Kind.HTML, code=502, method="getMe"))
    await scene.emulator.send_text(READER, "/rates USD")
    await calls.wait(lambda call: call.method == "getMe" and call.code == 502, timeout=40)
    await calls.wait(
        lambda call: call.method == "getMe" and call.code == 502, timeout=40, after=calls.total
    )
    scene.emulator.faults.clear()
    answer = await scene.emulator.wait_message(
        READER, lambda m: m.get("from", {}).get("is_bot", False), timeout=30
    )
    assert "84" in answer["text"]


async def test_G15_while_telegram_is_away_answers_ask_it_nothing(scene: World) -> None:
    """One asks for all; the answers come when it is back."""
    for method in ("send*", "getMe"):
        scene.emulator.faults.add(Fault.server_error(502, method=method))
    await scene.emulator.send_text(READER, "/help")  # it goes to the outbox, whose sender notices
    await until(lambda: scene.worker.reach.away)
    before = scene.emulator.calls.total
    for reader in (STRANGER, RUSSIAN):
        await scene.emulator.send_text(reader, "/rates USD")
    while len(await scene.alerts()) < 3:  # noqa: ASYNC110 - an alert makes no event here
        await asyncio.sleep(0.02)
    asked = {call.chat_id for call in scene.emulator.calls.since(before)}
    assert not asked & {STRANGER, RUSSIAN}
    scene.emulator.faults.clear()
    for reader in (STRANGER, RUSSIAN):
        await scene.tells(reader, "84")


async def test_G19_an_answer_to_a_group_that_moved_reaches_it(scene: World) -> None:
    """Under its new id."""
    old, new = -4100, -1004000004100
    scene.emulator.add_group(old, "Family", type="group", members=[STRANGER], admins=[READER])
    asked = scene.emulator.calls.total
    scene.emulator.faults.add(Fault.slow(1.0, method="sendMessage", chat_id=old, times=1))
    await scene.emulator.send_text(old, "/rates USD", user_id=STRANGER)
    await asyncio.sleep(0)
    scene.emulator.migrate(old, new)
    await scene.emulator.calls.wait(
        lambda call: call.method == "sendMessage" and call.accepted and call.chat_id in {old, new},
        after=asked,
        timeout=20,
    )


@pytest.mark.parametrize(
    ("chat", "status", "right"),
    [(CHANNEL, "administrator", "can_post_messages"), (GROUP, "restricted", "can_send_messages")],
)
async def test_without_the_right_to_write_nobody_is_told_that_we_can(
    scene: World, chat: int, status: str, right: str
) -> None:
    """Whoever did it hears what is missing, once; with the right given, the channel is greeted."""
    emulator = scene.emulator
    if chat == CHANNEL:
        emulator.add_channel(CHANNEL, "News", owner=READER, bot_status="left")
    emulator.set_bot_status(chat, status, by=READER, rights={right: False})
    said = await emulator.wait_message(READER, timeout=20)
    assert "may not" in said["text"]
    emulator.set_bot_status(
        chat, status, by=READER, rights={right: False, "can_invite_users": True}
    )
    await scene.ask("/help")
    assert len([m for m in emulator.messages(READER) if "may not" in m.get("text", "")]) == 1
    emulator.set_bot_status(chat, "administrator", by=READER, rights={right: True})
    if chat == CHANNEL:
        await emulator.wait_message(
            READER, lambda m: "now I can post" in m.get("text", ""), timeout=20
        )
    async with scene.bot.store.reading() as db:
        known = await storage.chats.get(db, chat)
    assert known is not None
    assert known.kind is (ChatKind.CHANNEL if chat == CHANNEL else ChatKind.GROUP)


@pytest.mark.usefixtures("impatient")
async def test_G21_a_person_who_never_wrote_gets_a_late_answer_and_nothing_else(
    scene: World,
) -> None:
    """Who made us a channel's administrator while Telegram wanted silence there."""
    emulator = scene.emulator
    emulator.add_channel(CHANNEL, "News", owner=STRANGER, bot_status="left")
    asked = emulator.calls.total
    emulator.faults.add(Fault.flood(2, method="sendMessage", chat_id=STRANGER, times=1))
    emulator.set_bot_status(
        CHANNEL, "administrator", by=STRANGER, rights={"can_post_messages": True}
    )
    await emulator.calls.wait(
        lambda call: call.code == 429 and call.chat_id == STRANGER, after=asked, timeout=30
    )
    said = await emulator.wait_message(STRANGER, timeout=60)
    assert "News" in said["text"]
    async with scene.bot.store.reading() as db:
        known = await storage.chats.get(db, STRANGER)
    assert known is not None
    assert not known.active
    await scene.ask("/start", chat=STRANGER)
    assert await scene.active(STRANGER)


async def test_G19_what_was_chosen_in_a_group_just_before_it_moved_holds_in_the_new_one(
    scene: World,
) -> None:
    """Telegram tells first who may choose, and with that the new number; then the tap is obeyed."""
    old, new = -4100, -1004000004100
    emulator = scene.emulator
    emulator.add_group(old, "Family", type="group", members=[STRANGER], admins=[READER])
    menu = await scene.ask("/settings", chat=old)
    emulator.add_group(new, "Family", members=[STRANGER], admins=[READER])
    emulator.world.chat(old).migrated_to = new
    for tap in ("lang:ru", "top:economy"):
        await emulator.press(old, menu["message_id"], tap, user_id=READER, timeout=30)
        scene.now += timedelta(seconds=1)
    await scene.done()
    async with scene.bot.store.reading() as db:
        known = await storage.chats.get(db, new)
        assert await storage.chats.get(db, old) is None
        assert "topic:economy" in await storage.chats.subscriptions(db, new)
    assert known is not None
    assert known.language == "ru"


async def test_G19_what_is_said_in_a_new_group_before_its_move_is_told_changes_nothing(
    scene: World,
) -> None:
    """Settings and subscriptions are those of the group that moved."""
    old, new = -4100, -1004000004100
    emulator = scene.emulator
    emulator.add_group(old, "Family", type="group", members=[STRANGER], admins=[READER])
    await scene.ask("/start", chat=old)
    async with scene.bot.store.writing() as db:
        await storage.chats.change(db, old, language="ky", style="headline")
        await storage.chats.subscribe(db, old, ["topic:economy"], now=NOW)
    emulator.add_group(new, "Family", members=[STRANGER], admins=[READER])
    await scene.ask("/start", chat=new)
    author = {"from": emulator.world.bot_json}
    arrived = emulator.world.add_message(
        emulator.world.chat(new), author | {"migrate_from_chat_id": old}
    )
    emulator.push_update({"message": arrived})
    await emulator.send_text(new, "/help", user_id=READER)
    await emulator.wait_message(
        new, lambda m: t("command.rates", "ky")[1:] in m.get("text", ""), timeout=30
    )
    async with scene.bot.store.reading() as db:
        known = await storage.chats.get(db, new)
        assert await storage.chats.get(db, old) is None
        assert await storage.chats.subscriptions(db, new) == ("topic:economy",)
    assert known is not None
    assert (known.language, known.style) == ("ky", "headline")


@pytest.mark.parametrize(
    "refusal", ["can't parse entities: x", "BUTTON_URL_INVALID", "something nobody has seen"]
)
async def test_G20_an_inline_answer_that_is_refused_comes_in_plain_words(
    scene: World, refusal: str
) -> None:
    """Without entities and buttons; the words are there."""
    fault = Fault.bad_request(refusal, method="answerInlineQuery", times=1)
    scene.emulator.faults.add(fault)
    found = await scene.emulator.inline_query(READER, "100 usd")
    assert fault.hits == 1
    shown = [one["input_message_content"] for one in found["results"]]
    assert any("84" in one["message_text"] for one in shown)
    assert not any("entities" in one for one in shown)
    assert not any("reply_markup" in one for one in found["results"])
