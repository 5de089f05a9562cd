"""A bank's document that is longer than any bank's: nobody waits while it is read."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bot.ingest import documents
from bot.sources.catalog import parse_catalog
from bot.sources.specs import Catalog
from storage.db import Store
from tests.publishers import bank_page
from tests.world import polling

#: Where a document is read, no database decides.
pytestmark = pytest.mark.cases

MONDAY = date(2021, 10, 18)
NOON = datetime(2021, 10, 18, 12, tzinfo=UTC)
NOTES = b"<!-- a note of the bank -->" * 4_000


def catalog(url: str) -> Catalog:
    """One bank."""
    return parse_catalog(f"""
[rates.nbkr]
name = {{ en = "National Bank" }}
urls = ["{url}/nbkr.xml"]
""")


async def test_S16_a_banks_long_document_holds_nobody_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker process reads it; one that takes too long is that source's trouble, and is read
    again at the next poll.
    """
    async with polling(store, catalog, now=NOON, in_workers=True) as world:
        bank, workers = world.catalog.rates["nbkr"], world.ingest.workers
        world.publishers.put("/nbkr.xml", bank_page(MONDAY, {"USD": "84.70"}))
        assert (await world.ingest.poll(bank)).new == 1
        assert not workers.processes
        long = bank_page(MONDAY, {"USD": "84.70", "EUR": "98.10"})
        world.publishers.put(
            "/nbkr.xml", long.replace(b"</CurrencyRates>", NOTES + b"</CurrencyRates>")
        )
        with monkeypatch.context() as impatient:
            impatient.setattr(documents, "PARSE_SECONDS", 0.0)
            report = await world.ingest.poll(bank)
        assert report.error is not None
        assert report.error.code == "document.given_up"
        assert (await world.ingest.poll(bank)).new == 1
        assert workers.processes
