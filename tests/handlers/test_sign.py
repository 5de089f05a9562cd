"""The sign that an answer is under way: shown to who waits, and in nobody's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from bot.emulator.faults import Fault
from handlers import sign
from handlers.context import Context
from handlers.signs import SIGNS_A_SECOND, Signs
from tests.handlers.conftest import GROUP, READER, World, days

NEVER = 3600.0
WAVE = [f"1.{190 + number % 30}0" for number in range(100)]


@pytest.fixture
async def slow(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Event]:
    """Charts that are drawn when the event says so, and a reader who waits for nothing at all."""
    world.bot.services.signs.after = 0.0
    drawn = asyncio.Event()
    workers = world.bot.services.workers
    run = workers.run

    async def wait(job: Callable[..., bytes], *args: object, **options: float) -> bytes:
        await drawn.wait()
        return await run(job, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(workers, "run", wait)
    await world.keep(days("RUB/KGS", WAVE))
    yield drawn
    drawn.set()


async def seen(world: World, chat: int = READER) -> None:
    """A sign in a chat, waited for."""
    await world.emulator.calls.wait(
        lambda call: call.method == "sendChatAction" and call.chat_id == chat, timeout=30
    )


async def photo(world: World, chat: int = READER, after: int = 0) -> None:
    """A chart in a chat, waited for."""
    await world.emulator.calls.wait(
        lambda call: call.method == "sendPhoto" and call.chat_id == chat, after=after, timeout=30
    )


async def test_who_waits_for_a_chart_sees_a_photo_coming(world: World, slow: asyncio.Event) -> None:
    """For as long as it takes, and no longer."""
    signs = world.bot.services.signs
    signs.again = 0.01
    actions: list[str] = []
    coming = asyncio.Event()

    def look(event: dict[str, Any]) -> None:
        if event["kind"] == "action":
            actions.append(event["action"])
        if actions[-1:] == ["upload_photo"]:
            signs.again = NEVER
            coming.set()

    world.emulator.world.observers.append(look)
    await world.emulator.send_text(READER, "/chart RUB 90d")
    await coming.wait()
    assert set(actions) <= {"typing", "upload_photo"}
    slow.set()
    await photo(world)
    assert world.emulator.calls[-1].method == "sendPhoto"


@pytest.mark.parametrize(
    "fault",
    [
        Fault.hang(method="sendChatAction"),
        Fault.flood(600, method="sendChatAction"),
        Fault.forbidden(method="sendChatAction"),
    ],
    ids=["hangs", "flood", "blocked"],
)
async def test_a_sign_that_fails_delays_nothing_and_is_not_tried_again(
    world: World, slow: asyncio.Event, fault: Fault
) -> None:
    world.bot.services.signs.again = 0.0
    mine = replace(fault)  # which counts
    world.emulator.faults.add(mine)
    await world.emulator.send_text(READER, "/chart RUB 90d")
    while not mine.hits:  # noqa: ASYNC110 - a call that hangs makes no event here
        await asyncio.sleep(0.01)
    slow.set()
    await photo(world)
    assert mine.hits == 1


async def test_where_telegram_wants_no_sign_the_next_question_has_none(
    world: World, slow: asyncio.Event
) -> None:
    fault = Fault.flood(600, method="sendChatAction")
    world.emulator.faults.add(fault)
    await world.emulator.send_text(READER, "/chart RUB 90d")
    await seen(world)
    slow.set()
    await photo(world)
    before = world.emulator.calls.total
    await world.emulator.send_text(READER, "/chart RUB 1y")
    await photo(world, after=before)
    assert fault.hits == 1


async def test_in_a_group_only_who_asks_the_bot_sees_one(world: World, slow: asyncio.Event) -> None:
    world.bot.services.signs.again = NEVER
    await world.emulator.send_text(GROUP, "what is the dollar doing?", user_id=READER)
    await world.emulator.send_text(GROUP, "/chart RUB 90d", user_id=READER)
    await seen(world, GROUP)
    slow.set()
    await photo(world, GROUP)
    assert len(world.emulator.calls.of("sendChatAction", GROUP)) == 1


async def test_an_answer_that_leaves_ends_it(world: World) -> None:
    """Also before it was seen."""
    world.bot.services.signs.after = 0.0
    begun = sign.Sign(world.bot.services, READER, None)
    begun.begin()
    begun.end()
    await world.ask("/help")
    assert begun._timer is not None
    assert begun._timer.cancelled()
    assert begun._task is None


def test_all_chats_together_see_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """When everything is slow, answers are worth more."""
    signs, now = Signs(), 100.0
    monkeypatch.setattr("handlers.signs.time.monotonic", lambda: now)
    assert [signs.allow() for _ in range(SIGNS_A_SECOND + 3)] == [True] * SIGNS_A_SECOND + [
        False
    ] * 3
    now += 1
    assert signs.allow()


async def test_a_press_whose_change_has_to_wait_is_answered_first(world: World) -> None:
    """The button stops spinning; the change comes when the chat may be written to, and the press is
    answered once.
    """
    settings = await world.ask("/settings")
    world.bot.services.signs.after = 0.0
    world.bot.services.quiet.keep(READER, 2.0)
    before = world.emulator.calls.total
    await world.press(READER, settings["message_id"], "style:headline")
    assert not world.emulator.calls.of("editMessageText", READER)
    await world.emulator.calls.wait(
        lambda call: call.method == "editMessageText" and call.accepted, after=before, timeout=30
    )
    await world.ask("/help")  # what comes after the press is handled after it
    assert len(await world.calls("answerCallbackQuery")) == 1


async def test_what_is_said_of_a_press_after_its_answer_comes_as_a_message(world: World) -> None:
    """A handler that fails behind its answer, say: the words are not lost."""
    settings = await world.ask("/settings")
    answer = Context.answer

    async def answer_twice(context: Context, text: str = "", *, alert: bool = False) -> None:
        await answer(context)
        await answer(context, text, alert=alert)

    with patch.object(Context, "answer", answer_twice):
        await world.press(READER, settings["message_id"], "style:headline")
        await world.tells(READER, "Saved")
