"""Commands and questions that are edited: the answer already given is edited, too."""

from __future__ import annotations

import pkgutil
from typing import Any

import pytest

from bot.emulator import Fault
from bot.errors import StorageError
from bot.intake.received import KINDS
from bot.reasons import said
from handlers.reading import COMPLETE
from storage.schema import broadcast, inbox
from tests.handlers.conftest import GROUP, READER, RUSSIAN, STRANGER, World, days


async def edited(world: World, asked: int, text: str, fits: str, *, chat: int = READER) -> Any:
    """Edit a question; the first message below it that then says what fits."""
    await world.emulator.edit_text(chat, asked, text)
    return await world.emulator.wait_message(
        chat,
        lambda m: fits in m.get("text", m.get("caption", "")),
        after=asked,
        timeout=20,
    )


def below(world: World, asked: int, *, chat: int = READER) -> list[int]:
    """The numbers of the messages below a question."""
    messages = world.emulator.messages(chat)
    return [m["message_id"] for m in messages if m["message_id"] > asked]


async def question(world: World, text: str, fits: str, *, chat: int = READER) -> tuple[int, Any]:
    """Ask; the question's number and its answer."""
    answer = await world.ask(text, chat=chat, fits=fits)
    said = [m for m in world.emulator.messages(chat) if m.get("text") == text]
    return said[-1]["message_id"], answer


@pytest.mark.parametrize(
    ("was", "answer", "now", "then"),
    [
        ("100 usd", "8,479.35", "200 usd", "16,958.70"),
        ("/rates usd", "84.7935", "/rates eur", "98.8523"),
        ("/convert 1 usd", "84.79", "5 eur", "494.26"),
        ("helo", "/help", "100 usd", "8,479.35"),
        ("/ratse", "/help", "/rates usd", "84.7935"),
        ("100 usd", "8,479.35", "thanks!", "/help"),
        ("100 usd", "8,479.35", "100 usd usd", "stays the same"),
    ],
)
@pytest.mark.cases(keep=4)
async def test_an_edited_question_is_answered_in_its_answer(
    scene: World, was: str, answer: str, now: str, then: str
) -> None:
    asked, first = await question(scene, was, answer)
    second = await edited(scene, asked, now, then)
    assert second["message_id"] == first["message_id"]
    assert "edit_date" in second
    assert below(scene, asked) == [first["message_id"]]


async def test_edits_follow_each_other(scene: World) -> None:
    asked, first = await question(scene, "1 usd", "84.79")
    for amount, worth in ((2, "169.59"), (3, "254.38"), (4, "339.17")):
        last = await edited(scene, asked, f"{amount} usd", worth)
        assert last["message_id"] == first["message_id"]


async def test_buttons_go_with_the_answer_that_had_them(scene: World) -> None:
    asked, first = await question(scene, "100 usd", "8,479.35")
    assert "reply_markup" in first
    second = await edited(scene, asked, "100 usd, 50 eur", "4,942.62")
    assert "reply_markup" not in second


async def test_an_answer_that_is_gone_or_too_old_is_given_anew(scene: World) -> None:
    world = scene
    for why in ("message to edit not found", "message can't be edited", "message is too old"):
        asked, first = await question(world, "100 usd", "8,479.35")
        if why.endswith("not found"):
            world.emulator.world.delete_message(
                world.emulator.world.chat(READER), first["message_id"]
            )
        else:
            refusal = Fault.bad_request(why, method="editMessageText", times=1)
            world.emulator.faults.add(refusal)
        second = await edited(world, asked, "200 usd", "16,958.70")
        assert second["message_id"] > first["message_id"]
        # and it is this one that is edited from now on
        third = await edited(world, asked, "300 usd", "25,438.05")
        assert third["message_id"] == second["message_id"]


async def test_words_take_the_place_of_a_picture_and_a_picture_that_of_words(scene: World) -> None:
    await scene.keep(days("USD/KGS", ["84.1", "84.2", "84.3", "84.4", "84.5", "84.6", "84.7"]))
    asked, first = await question(scene, "100 usd", "8,4")
    picture = await edited(scene, asked, "/chart usd", "USD/KGS")
    assert picture["message_id"] == first["message_id"]
    assert "photo" in picture
    other = await edited(scene, asked, "/chart usd 7d", "USD/KGS")
    assert other["message_id"] == first["message_id"]
    words = await edited(scene, asked, "/rates eur", "98.8523")
    assert "photo" not in words
    await scene.emulator.calls.wait(lambda call: call.method == "deleteMessage")
    assert below(scene, asked) == [words["message_id"]]


async def test_an_edit_of_what_was_no_question_is_ignored(scene: World) -> None:
    """Nor does an edit count that changes nothing a bot sees, or one in a group that is not for
    us.
    """
    asked, first = await question(scene, "100 usd", "8,479.35")
    (said,) = [m for m in scene.emulator.messages(READER) if m["message_id"] == asked]
    scene.emulator.push_update({"edited_message": {**said, "edit_date": said["date"]}})
    talk = await scene.emulator.send_text(GROUP, "100 usd", user_id=STRANGER)
    await scene.emulator.edit_text(GROUP, talk, "200 usd")
    unknown = {**said, "message_id": 10_000, "edit_date": said["date"], "text": "well"}
    scene.emulator.push_update({"edited_message": unknown})
    moved = {"location": {"latitude": 42.87, "longitude": 74.59}}
    where = {name: value for name, value in said.items() if name not in {"text", "entities"}}
    scene.emulator.push_update({"edited_message": {**where, **moved, "edit_date": said["date"]}})
    later, last = await question(scene, "/rates usd", "84.7935")
    assert below(scene, asked) == [first["message_id"], later, last["message_id"]]
    (kept,) = [m for m in scene.emulator.messages(READER) if m["message_id"] == first["message_id"]]
    assert "edit_date" not in kept
    assert below(scene, talk, chat=GROUP) == []


OTHER = {"id": 77, "is_bot": True, "first_name": "Other", "username": "other_bot"}
PERSON = {"id": STRANGER, "is_bot": False, "first_name": "Bakyt"}
POSTS = {"id": -1003000000001, "type": "channel", "title": "Somebody's channel"}
LINKED = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
NOT_FOR_US: dict[str, dict[str, Any]] = {
    "another bot's": {"from": OTHER},
    "made by another bot": {"from": PERSON, "via_bot": OTHER},
    "a forwarded one": {
        "from": PERSON,
        "forward_origin": {"type": "user", "date": 1, "sender_user": PERSON},
    },
    "the linked channel's post": {
        "from": LINKED,
        "sender_chat": POSTS,
        "is_automatic_forward": True,
    },
}


@pytest.mark.parametrize("fields", NOT_FOR_US.values(), ids=NOT_FOR_US)
async def test_G23_an_edit_of_what_is_not_for_us_is_ignored(
    scene: World, fields: dict[str, Any]
) -> None:
    """Though it names us; a person's own is answered."""
    group = {"id": GROUP, "type": "supergroup", "title": "Market"}
    for number, author in enumerate((fields, {"from": PERSON}), start=1):
        text = f"@jarchy_bot {number}00 usd"
        edit = {"message_id": 900_000 + number, "date": 1, "edit_date": 2, "chat": group}
        scene.emulator.push_update({"edited_message": {**edit, **author, "text": text}})
    await scene.emulator.wait_message(GROUP, lambda m: "16,958.70" in m.get("text", ""))
    assert len(scene.emulator.calls.of("sendMessage")) == 1


async def test_G23_a_channels_own_posts_are_not_answered_in_it(world: World) -> None:
    """Posts there are for its readers: neither a question nor the edit of one, nor asked for."""
    channel = int(POSTS["id"])
    world.emulator.add_channel(channel, "Somebody's channel", owner=READER)
    post = await world.emulator.send_text(channel, "/rates usd", user_id=READER)
    await world.emulator.edit_text(channel, post, "/rates eur")
    await world.ask("/rates usd", fits="84")
    assert {one.kind for one in await world.stored(inbox)} == {"message"}
    assert below(world, post, chat=channel) == []


def test_what_is_handled_is_what_is_read() -> None:
    """And asked for: of messages nothing but those written to us, and their edits."""
    assert COMPLETE.keys() == set(KINDS)


async def test_an_edit_commands_nothing_of_an_operators(desk: World) -> None:
    """That is written as a command there and then."""
    asked, first = await question(desk, "helo", "/help")
    await desk.emulator.edit_text(READER, asked, "/broadcast")
    later, last = await question(desk, "/privacy", "")
    assert await desk.stored(broadcast) == []
    assert below(desk, asked) == [first["message_id"], later, last["message_id"]]


async def test_a_question_that_nothing_is_remembered_of_is_answered_anew(scene: World) -> None:
    """As after a restart."""
    asked, _ = await question(scene, "100 usd", "8,479.35")
    _, later = await question(scene, "/rates usd", "84.7935")  # so that the first is done with
    scene.bot.services.questions.forget(READER, asked)
    second = await edited(scene, asked, "200 usd", "16,958.70")
    assert second["message_id"] > later["message_id"]


async def test_in_a_group_a_mention_or_a_command_is_answered_in_place(scene: World) -> None:
    asked = await scene.emulator.send_text(GROUP, "@jarchy_bot 100 usd", user_id=STRANGER)
    first = await scene.emulator.wait_message(
        GROUP, lambda m: "479,35" in m.get("text", ""), after=asked
    )
    second = await edited(scene, asked, "/rates eur", "98,8523", chat=GROUP)
    assert second["message_id"] == first["message_id"]


async def test_an_edited_mistake_is_explained_in_the_readers_language(scene: World) -> None:
    asked, first = await question(scene, "/rates доллар", "84,7935", chat=RUSSIAN)
    second = await edited(scene, asked, "/rates долор", "долор", chat=RUSSIAN)
    assert second["message_id"] == first["message_id"]


async def test_an_edit_while_the_database_is_away_is_answered_when_it_is_back(
    scene: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the answer that stands there; and the next edit changes that one too."""
    asked, first = await question(scene, "100 usd", "8,479.35")
    away = _away_first(monkeypatch, "storage.chats.subscriptions", times=2)
    scene.bot.inbox._retries = (0.01, 0.01, 0.01)
    second = await edited(scene, asked, "/subscribe", "Tap to switch")
    assert away == [1, 2]
    assert second["message_id"] == first["message_id"]
    third = await edited(scene, asked, "200 usd", "16,958.70")
    assert third["message_id"] == first["message_id"]
    assert below(scene, asked) == [first["message_id"]]


async def test_an_edit_that_failed_after_words_of_its_answer_leaves_one_answer(
    scene: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words took the place of a picture; taking that back failed, and is done with the next try."""
    await scene.keep(days("USD/KGS", ["84.1", "84.2", "84.3", "84.4", "84.5", "84.6", "84.7"]))
    asked = await scene.emulator.send_text(READER, "/chart usd")
    await scene.emulator.wait_message(READER, lambda m: "photo" in m, after=asked, timeout=20)
    away = _away_first(monkeypatch, "handlers.context.Context._remove", times=1)
    scene.bot.inbox._retries = (0.01, 0.01, 0.01)
    words = await edited(scene, asked, "/rates eur", "98.8523")
    await scene.emulator.calls.wait(lambda call: call.method == "deleteMessage")
    assert away == [1]
    assert below(scene, asked) == [words["message_id"]]


def _away_first(monkeypatch: pytest.MonkeyPatch, name: str, *, times: int) -> list[int]:
    """Let a call fail for so many times as it does while the database is away; which did."""
    away: list[int] = []
    real = pkgutil.resolve_name(name)

    async def fails_first(*args: Any, **values: Any) -> Any:
        if len(away) < times:
            away.append(len(away) + 1)
            raise StorageError(said("database is locked"))
        return await real(*args, **values)

    monkeypatch.setattr(name, fails_first)
    return away
