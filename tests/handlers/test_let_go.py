"""Updates that are answered in general words, or let go without any: presses nobody can read,
presses under nothing, and whatever failed.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from telegram import Update

import storage.chats
from bot import at_hand, metrics
from bot.i18n import t
from handlers.reading import read
from handlers.serving import LONGEST_QUERY_ID, let_go, sorry
from tests.handlers.conftest import GROUP, READER, RUSSIAN, STRANGER, World

CHAT = {"id": READER, "type": "private", "first_name": "Aigul"}
FORUM = -1002000000779


def person(number: int, language: str = "en") -> dict[str, Any]:
    """Somebody, as Telegram says who it is."""
    return {"id": number, "is_bot": False, "first_name": "Somebody", "language_code": language}


def pressed(query: str, who: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A button's press."""
    return {"id": query, "from": who, "chat_instance": "1", "data": "x", **fields}


async def answered(world: World, answer: asyncio.Future[Any]) -> tuple[str | None, bool]:
    """The words of a press's answer, and whether they have to be read."""
    async with asyncio.timeout(20):
        said = await answer
    return said.get("text") or None, bool(said.get("show_alert"))


async def test_G13_a_press_that_nobody_can_read_is_let_go_by_its_number_alone(scene: World) -> None:
    """A number that is none is not even sent to Telegram."""
    services, calls = scene.bot.services, scene.emulator.calls
    number, answer = scene.emulator.api.answers.ask()
    await let_go(services, {"callback_query": {"id": number, "from": "?"}})
    assert await answered(scene, answer) == (None, False)
    asked = len(calls.of("answerCallbackQuery"))
    for query in (None, "5", {}, {"id": None}, {"id": 5}, {"id": ""}, {"id": "x"}, {"id": "٣"},
                  {"id": "9" * (LONGEST_QUERY_ID + 1)}, {"id": ["1"]}):  # fmt: skip
        await let_go(services, {"callback_query": query})
    await let_go(services, {"message": {"id": "5"}})
    assert len(calls.of("answerCallbackQuery")) == asked
    await let_go(services, {"callback_query": {"id": "9" * LONGEST_QUERY_ID}})
    assert len(calls.of("answerCallbackQuery")) == asked + 1


async def test_G2_whoever_waits_for_an_answer_is_told_that_there_is_none(scene: World) -> None:
    """In the chat's language, or the client's where the chat is not known; nobody else is told."""
    services, bot = scene.bot.services, scene.bot.application.bot
    await scene.ask("/help")
    shown, others = len(scene.emulator.messages(READER)), len(scene.emulator.messages(RUSSIAN))
    async with scene.store.reading() as db:
        known = await storage.chats.get(db, READER)
    assert known is not None

    async def regret(**update: Any) -> None:
        services.chats[READER] = known  # a job may have forgotten all chats meanwhile
        await sorry(services, Update.de_json({"update_id": 1, **update}, bot))

    message = {"message_id": 1, "date": 1, "chat": CHAT, "text": "x"}
    number, answer = scene.emulator.api.answers.ask()
    await regret(callback_query=pressed(number, person(READER, "ru"), message=message))
    assert await answered(scene, answer) == (t("error.unexpected", "en"), True)
    await regret(edited_message={**message, "edit_date": 1, "from": person(READER)})
    await regret(inline_query={"id": "1", "from": person(READER), "query": "", "offset": ""})
    await regret(callback_query=pressed("5", person(READER), inline_message_id="x"))
    assert len(scene.emulator.messages(READER)) == shown
    await regret(message={**message, "from": person(READER, "ru")})
    assert scene.emulator.messages(READER)[shown:][0]["text"] == t("error.unexpected", "en")
    await regret(
        message={**message, "chat": {**CHAT, "id": RUSSIAN}, "from": person(RUSSIAN, "ru")}
    )
    assert scene.emulator.messages(RUSSIAN)[others:][0]["text"] == t("error.unexpected", "ru")
    await regret(message={**message, "chat": {**CHAT, "id": STRANGER}})
    assert scene.emulator.messages(STRANGER)[-1]["text"] == t("error.unexpected", "en")
    # as is what was pressed so long ago that Telegram takes no answer to it
    before = len(scene.emulator.messages(READER))
    for who in (STRANGER, READER):
        await regret(callback_query=pressed("5", person(who), message=message))
    told = [one["text"] for one in scene.emulator.messages(READER)[before:]]
    assert told == [t("error.unexpected", "en")]
    # and in the topic where it was asked
    forum = {"id": FORUM, "type": "supergroup", "title": "Market", "is_forum": True}
    scene.emulator.add_group(FORUM, "Market", members=[READER], is_forum=True)
    scene.emulator.add_topic(FORUM, 5, "Rates")
    asked = {**message, "chat": forum, "message_thread_id": 5, "is_topic_message": True}
    await regret(message={**asked, "from": person(READER)})
    assert scene.emulator.messages(FORUM)[-1]["message_thread_id"] == 5


async def test_S11_a_press_under_nothing_is_out_of_date_and_paced_like_any_other(
    world: World,
) -> None:
    """By whoever pressed; in their language."""
    services = world.bot.services

    async def press(who: dict[str, Any]) -> tuple[str | None, bool]:
        number, answer = world.emulator.api.answers.ask()
        query = pressed(number, who, inline_message_id="abc")
        world.emulator.push_update({"callback_query": query})
        return await answered(world, answer)

    assert await press(person(RUSSIAN, "ru")) == (t("error.stale", "ru"), True)
    assert RUSSIAN not in services.chats
    services.buckets[RUSSIAN] = (time.monotonic() + 10_000, False)
    words, read = await press(person(RUSSIAN, "ru"))
    assert words not in {None, t("error.stale", "ru")}
    assert read
    assert await press(person(RUSSIAN, "ru")) == (None, False)
    await world.ask("/help")
    async with world.store.reading() as db:  # a job may have forgotten all chats meanwhile
        known = await storage.chats.get(db, READER)
    assert known is not None
    services.chats[READER] = known
    assert await press(person(READER, "ru")) == (t("error.stale", "en"), True)


async def test_S11_a_button_of_no_route_is_out_of_date(scene: World) -> None:
    """By its first word and by how many follow."""
    for data in ("", "-", "x", "why", "why:1:2", "done:1"):
        answer = await scene.emulator.press(READER, 1, data, user_id=READER)
        found = (answer.get("text"), answer.get("show_alert"))
        assert found == (t("error.stale", "en"), True), data


async def test_an_answer_has_taken_all_the_time_since_its_question_came(scene: World) -> None:
    """Also what it waited for its turn, before anybody looked at it."""

    def spent() -> float:
        return metrics.REGISTRY.get_sample_value("jarchy_reply_seconds_sum") or 0.0

    asked = {"message_id": 1, "date": 1, "chat": CHAT, "from": person(READER), "text": "/help"}
    question = read({"update_id": 1, "message": asked}, scene.bot.application.bot)
    before = spent()
    at_hand.begin(1, arrived=time.perf_counter() - 1000)
    await scene.bot.application.process_update(question)
    assert spent() - before >= 1000


async def test_each_answer_is_timed_and_a_mistake_is_answered_where_it_was_made(
    scene: World,
) -> None:
    """A mistake in words as a message, one of a button over it; both are counted."""

    def timed() -> float:
        return metrics.REGISTRY.get_sample_value("jarchy_reply_seconds_count") or 0.0

    def spent() -> float:
        return metrics.REGISTRY.get_sample_value("jarchy_reply_seconds_sum") or 0.0

    before, took, begun = timed(), spent(), time.perf_counter()
    await scene.ask("/rates 2035-01-01")
    assert await scene.press(READER, 1, "nonsense") == t("error.stale", "en")
    await scene.ask("/help")
    assert timed() in {before + 2, before + 3}  # the last may be counted a moment later
    assert 0 < spent() - took < time.perf_counter() - begun
    assert GROUP not in scene.bot.services.chats
