"""A held rate and its operator: Approve, Reject, and everybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

import storage.rates
from bot.ingest import Ingest
from bot.sources.catalog import RateSpec, parse_catalog
from storage.schema import held_rate
from tests.e2e.program import Publishers
from tests.e2e.test_whole import daily
from tests.factories import rate
from tests.handlers.conftest import CATALOG, NOW, READER, STRANGER, World

TOMORROW = NOW.date() + timedelta(days=1)


class Desk:
    """A bank that printed a comma in the wrong place, and the operator who hears of it."""

    def __init__(self, world: World, bank: Publishers) -> None:
        self.world, self.bank = world, bank
        self.ingest: Ingest = replace(world.bot.ingest, admins=(READER,))
        self.spec: RateSpec = parse_catalog(CATALOG.replace("http://127.0.0.1:9", bank.url)).rates["nbkr"]

    async def publish(self, usd: str, rub: str = "1,1948") -> int:
        """The bank publishes tomorrow's rates and is polled; how many were new."""
        self.bank.put("/daily.xml", daily(f"{TOMORROW:%d.%m.%Y}", usd, "98,8523", rub))
        new = (await self.ingest.poll(self.spec)).new
        self.world.bot.worker.wake()
        return new

    async def notice(self) -> dict[str, Any]:
        """The operator's message with its buttons."""
        return await self.world.emulator.wait_message(READER, lambda m: "847.9350" in m.get("text", ""), timeout=20)

    async def press(self, who: int, message: int, data: str) -> str | None:
        """Press a button; what it was answered with."""
        answer = await self.world.emulator.press(who, message, data, user_id=who)
        return answer.get("text") or None

    async def states(self) -> list[str]:
        """Where the held values stand."""
        async with self.world.bot.store.reading() as db:
            return list((await db.execute(select(held_rate.c.state))).scalars())

    async def dollar(self, on: date = TOMORROW) -> str:
        """The dollar that counts on a day."""
        async with self.world.bot.store.reading() as db:
            got = await storage.rates.history(db, rate().series, since=NOW.date(), until=on)
        return str(got[-1].value)


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Desk]:
    """Everything polled once; the operator known, the shifted dollar held."""
    await world.ask("/help")
    await world.ask("/help", chat=STRANGER)
    world.bot.services.admins = frozenset({READER})
    async with Publishers() as bank:
        made = Desk(world, bank)
        await made.publish("84,8100")
        await made.publish("847,9350")
        yield made


async def test_S9_S11_only_the_operator_decides_and_only_once(desk: Desk) -> None:
    """A stranger's press, a forged number and a second press are stale; nothing changes by them."""
    shown = await desk.notice()
    approve, reject = (button["callback_data"] for button in shown["reply_markup"]["inline_keyboard"][0])
    theirs = await desk.world.ask("/help", chat=STRANGER)
    assert await desk.press(STRANGER, theirs["message_id"], approve)
    for forged in (
        "held:approve:999",
        "held:approve:-1",
        "held:approve:1e3",
        "held:erase:1",
        f"held:approve:{'9' * 30}",
    ):
        assert await desk.press(READER, shown["message_id"], f"held:{forged}"), forged
    assert await desk.states() == ["held"]
    assert await desk.press(READER, shown["message_id"], reject) is None
    assert await desk.press(READER, shown["message_id"], approve)
    assert await desk.states() == ["rejected"]


async def test_R2_an_approved_value_is_stored_with_what_follows(desk: Desk) -> None:
    """By the poll the press asks for, or by the next one: once."""
    shown = await desk.notice()
    approve = shown["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    assert await desk.dollar() == "84.8100"
    assert await desk.press(READER, shown["message_id"], approve) is None
    await desk.publish("847,9350", rub="1,1949")
    assert await desk.dollar() == "847.9350"
    assert await desk.states() == ["released"]


async def test_R2_a_rejected_value_that_comes_again_stays_rejected_silently(desk: Desk) -> None:
    """The old value stays; nobody is asked a second time; another value is judged afresh."""
    shown = await desk.notice()
    reject = shown["reply_markup"]["inline_keyboard"][0][1]["callback_data"]
    await desk.press(READER, shown["message_id"], reject)
    await desk.publish("847,9350", rub="1,1949")
    await desk.publish("847,9350", rub="1,1950")
    assert await desk.dollar() == "84.8100"
    assert await desk.states() == ["rejected"]
    await desk.publish("84,9000")
    assert await desk.dollar() == "84.9000"
