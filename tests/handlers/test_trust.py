"""The views of a reader and an operator of sources that disagree, or stand still."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import storage.rates
from bot.ingest import Ingest
from bot.sources.catalog import parse_catalog
from tests.handlers.conftest import CATALOG, NOW, READER, World
from tests.publishers import Publishers, daily

SECOND = """
[rates.second]
parser = "nbkr"
name = { en = "Second Bank" }
urls = ["http://127.0.0.1:9/second.xml"]
rank = 200
"""


async def test_R8_the_card_shows_both_banks_by_name_and_the_operator_hears_of_it(
    world: World,
) -> None:
    """Both numbers on the card, one word to the operator, no alert."""
    await world.ask("/help")
    tomorrow = NOW.date() + timedelta(days=1)
    async with Publishers() as banks:
        both = parse_catalog((CATALOG + SECOND).replace("http://127.0.0.1:9", banks.url))
        world.bot.services.catalog = both
        ingest: Ingest = replace(world.bot.ingest, admins=(READER,))
        banks.put("/second.xml", daily(f"{tomorrow:%d.%m.%Y}", "84,9000", "98,9000", "1,1950"))
        await ingest.poll(both.rates["second"])
        banks.put("/daily.xml", daily(f"{tomorrow:%d.%m.%Y}", "84,8100", "98,8523", "1,1948"))
        await ingest.poll(both.rates["nbkr"])
        assert "disagree" not in (await world.ask("/rates USD", fits="official rate"))["text"]
        banks.put("/daily.xml", daily(f"{tomorrow:%d.%m.%Y}", "89,9000", "98,8523", "1,1948"))
        assert (await ingest.poll(both.rates["nbkr"])).alerts == 0
    world.bot.worker.wake()
    world.bot.services.cards.forget()
    shown = (await world.ask("/rates USD EUR", fits="official rate"))["text"]
    assert "Sources disagree on USD/KGS: National Bank 89.9000 ·\u00a0Second Bank 84.9000." in shown
    assert shown.count("disagree") == 1
    told = await world.emulator.wait_message(
        READER, lambda m: "alert nobody" in m.get("text", ""), timeout=20
    )
    assert told["text"].startswith("National Bank says USD/KGS 89.9000, second says 84.9000.")


async def test_R3_the_operator_is_told_by_name_that_a_bank_stands_still(world: World) -> None:
    """Its last day as people write it, in `/status` too; and again when new rates are there."""
    await world.ask("/help")
    async with world.bot.store.reading() as db:
        assert await storage.rates.newest_day(db, "nbkr") == NOW.date()
    async with Publishers() as bank:
        spec = parse_catalog(CATALOG.replace("http://127.0.0.1:9", bank.url)).rates["nbkr"]
        later = NOW + timedelta(days=4)
        ingest: Ingest = replace(world.bot.ingest, admins=(READER,), clock=lambda: later)
        shown = []
        for day in (NOW, later):
            bank.put("/daily.xml", daily(f"{day:%d.%m.%Y}", "84,7935", "98,8523", "1,1948"))
            await ingest.poll(spec)
            world.bot.worker.wake()
            shown.append((await world.ask("/status", fits="National Bank – "))["text"])
    assert "🟠 National Bank" in shown[0]
    assert "last rates: 20\u00a0Oct" in shown[0]
    assert "🟢 National Bank" in shown[1]
    assert "last rates" not in shown[1]
    stood = await world.emulator.wait_message(
        READER, lambda m: "nothing new" in m.get("text", ""), timeout=20
    )
    assert stood["text"] == (
        "National Bank publishes nothing new: its latest rates are for 20\u00a0Oct. I keep "
        "showing them with their date."
    )
    again = await world.emulator.wait_message(
        READER, lambda m: "publishes again" in m.get("text", ""), timeout=20
    )
    assert again["text"] == "National Bank publishes again: the rates for 24\u00a0Oct have come."
