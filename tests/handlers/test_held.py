"""A held rate and its operator: Approve, Reject, and everybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

import storage.rates
from bot.ingest import trust
from bot.sources.catalog import parse_catalog
from storage.schema import held_rate
from tests.factories import rate
from tests.handlers.conftest import CATALOG, NOW, READER, STRANGER, World
from tests.publishers import Publishers

TOMORROW = NOW.date() + timedelta(days=1)


@pytest.fixture
async def desk(world: World) -> AsyncIterator[World]:
    """A bank that printed a comma in the wrong place after a good poll, and the operator who hears
    of it.
    """
    await world.ask("/help")
    await world.ask("/help", chat=STRANGER)
    world.bot.services.admins = frozenset({READER})
    world.ingest = replace(world.bot.ingest, admins=(READER,))
    async with Publishers() as bank:
        world.publishers, world.catalog = (
            bank,
            parse_catalog(CATALOG.replace("http://127.0.0.1:9", bank.url)),
        )
        await publish(world, "84,8100")
        await publish(world, "847,9350")
        yield world


async def publish(desk: World, usd: str, rub: str = "1,1948") -> int:
    """The bank publishes tomorrow's rates and is polled; how many were new."""
    return (await desk.publish(TOMORROW, USD=usd, RUB=rub)).new


async def notice(desk: World) -> dict[str, Any]:
    """The operator's message with its buttons."""
    return await desk.tells(READER, "847.9350")


async def states(desk: World) -> list[str]:
    """The states of the held values."""
    return [row.state for row in await desk.stored(held_rate)]


async def dollar(desk: World, on: date = TOMORROW) -> str:
    """The dollar that counts on a day."""
    async with desk.store.reading() as db:
        got = await storage.rates.history(db, rate().series, since=NOW.date(), until=on)
    return str(got[-1].value)


async def test_S9_S11_only_the_operator_decides_and_only_once(desk: World) -> None:
    """A stranger's press, a forged number and a second press are stale; nothing changes by them."""
    shown = await notice(desk)
    assert [one["style"] for one in shown["reply_markup"]["inline_keyboard"][0]] == [
        "success",
        "danger",
    ]
    approve, reject = (
        button["callback_data"] for button in shown["reply_markup"]["inline_keyboard"][0]
    )
    theirs = await desk.ask("/help", chat=STRANGER)
    assert await desk.press(STRANGER, theirs["message_id"], approve)
    for forged in (
        "held:approve:999",
        "held:approve:-1",
        "held:approve:1e3",
        "held:erase:1",
        f"held:approve:{'9' * 30}",
    ):
        assert await desk.press(READER, shown["message_id"], f"held:{forged}"), forged
    assert await states(desk) == ["held"]
    assert await desk.press(READER, shown["message_id"], reject) is None
    assert await desk.press(READER, shown["message_id"], approve)
    assert await states(desk) == ["rejected"]


async def test_R2_an_approved_value_is_stored_with_what_follows(desk: World) -> None:
    """By the poll the press asks for, or by the next one: once."""
    shown = await notice(desk)
    approve = shown["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    assert await dollar(desk) == "84.8100"
    assert await desk.press(READER, shown["message_id"], approve) is None
    await publish(desk, "847,9350", rub="1,1949")
    assert await dollar(desk) == "847.9350"
    assert await states(desk) == ["released"]


async def test_R2_a_rejected_value_that_comes_again_stays_rejected_silently(desk: World) -> None:
    """The old value stays; nobody is asked a second time; another value is judged afresh."""
    shown = await notice(desk)
    reject = shown["reply_markup"]["inline_keyboard"][0][1]["callback_data"]
    await desk.press(READER, shown["message_id"], reject)
    await publish(desk, "847,9350", rub="1,1949")
    await publish(desk, "847,9350", rub="1,1950")
    assert await dollar(desk) == "84.8100"
    assert await states(desk) == ["rejected"]
    await publish(desk, "84,9000")
    assert await dollar(desk) == "84.9000"


async def test_R12_the_answer_to_what_two_documents_contradict_each_other_in_asks_the_next(
    desk: World,
) -> None:
    """One question stood for all of a poll; what is approved of a day rejects the other word."""
    said = [("USD/KGS", "84.9"), ("USD/KGS", "85.1"), ("EUR/KGS", "99.1"), ("EUR/KGS", "98.1")]
    async with desk.store.writing() as db:
        rates = [rate(pair, value, str(TOMORROW)) for pair, value in said]
        await trust.contradicted(db, rates, admins=[READER], now=NOW)
    desk.worker.wake()
    for words, button in (("84.9 (+3)", 0), ("99.1 (+1)", 1), ("98.1", 0)):
        shown = await desk.tells(READER, words)
        pressed = shown["reply_markup"]["inline_keyboard"][0][button]["callback_data"]
        assert await desk.press(READER, shown["message_id"], pressed) is None
    decided = ["approved", "rejected", "rejected", "approved"]
    assert await states(desk) == ["held", *decided], "that of another trouble waits on"
