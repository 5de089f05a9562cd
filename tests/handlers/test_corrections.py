"""A figure that was alerted and then revised by its bank."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

import storage.baselines
import storage.chats
import storage.rates
from bot.ingest import Ingest
from bot.sources.catalog import parse_catalog
from storage.schema import alert
from tests.factories import rate
from tests.handlers.conftest import CATALOG, NOW, READER, STRANGER, World
from tests.publishers import Publishers, daily


async def test_R5_a_revised_figure_is_corrected_once_to_those_who_got_it(world: World) -> None:
    """One message, answering the one that carried the mistake; history and baseline follow; others
    hear nothing.
    """
    await world.ask("/help")
    await world.ask("/help", chat=STRANGER)
    async with world.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, ["pair:USD/KGS"], now=NOW)
    ingest: Ingest = world.bot.ingest
    day = NOW.date() + timedelta(days=1)
    async with Publishers() as bank:
        spec = parse_catalog(CATALOG.replace("http://127.0.0.1:9", bank.url)).rates["nbkr"]

        async def publish(usd: str, *, ahead: int = 0) -> int:
            bank.put(
                "/daily.xml",
                daily(f"{day + timedelta(days=ahead):%d.%m.%Y}", usd, "98,8523", "1,1948"),
            )
            made = (await ingest.poll(spec)).alerts
            world.bot.worker.wake()
            return made

        assert await publish("84,8100") == 0
        assert await publish("89,9000", ahead=1) == 1
        told = await world.emulator.wait_message(
            READER, lambda m: "89.9" in m.get("text", ""), timeout=20
        )
        async with world.bot.store.writing() as db:  # who asks now was not told the mistake
            await storage.chats.subscribe(db, STRANGER, ["pair:USD/KGS"], now=NOW)
        assert await publish("88,9000", ahead=1) == 1
        correction = await world.emulator.wait_message(
            READER, lambda m: "Correction: USD/KGS" in m.get("text", ""), timeout=20
        )
        assert "89.9000 → 88.9000" in correction["text"]
        assert correction["reply_to_message"]["message_id"] == told["message_id"]
        assert await publish("88,9000", ahead=1) == 0
        assert not [one for one in await world.calls("sendMessage") if one.chat_id == STRANGER][1:]
    async with world.bot.store.reading() as db:
        known = await storage.baselines.get(db, rate().series)
        history = await storage.rates.history(
            db, rate().series, since=day, until=day + timedelta(days=1)
        )
        kinds = list((await db.execute(select(alert.c.kind).order_by(alert.c.id))).scalars())
    assert known is not None
    assert str(known[0].value) == str(history[-1].value) == "88.9000"
    assert kinds == ["move", "correction"]
