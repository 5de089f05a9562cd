"""Disputes: begun once, asked by series and by pair, and taken over from a database that kept them
as marks.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, insert

import storage.disputes
import storage.notes
from bot.model.rates import Pair, RateKind, Series
from storage.connecting import connect_for_writing
from storage.db import Store
from storage.opening import open_store
from storage.schema import note
from storage.versions import SCRIPTS

DOLLAR = Series("nbkr", Pair("USD", "KGS"), RateKind.OFFICIAL)
ROUBLE = Series("nbkr", Pair("RUB", "KGS"), RateKind.OFFICIAL)
CROSS = Series("cbr", Pair("KGS", "RUB"), RateKind.OFFICIAL)


async def test_a_dispute_begins_once_and_ends(store: Store) -> None:
    async with store.writing() as db:
        assert await storage.disputes.begin(db, DOLLAR, "ecb")
        assert not await storage.disputes.begin(db, DOLLAR, "cbr")
        assert await storage.disputes.begin(db, CROSS, "nbkr")
        assert await storage.disputes.among(db, [DOLLAR, ROUBLE]) == {DOLLAR}
        assert await storage.disputes.among(db, [ROUBLE]) == set()
        assert await storage.disputes.about(db, {CROSS.pair, ROUBLE.pair}) == {CROSS}
        assert await storage.disputes.about(db, {Pair("USD", "RUB")}) == set()
        await storage.disputes.end(db, DOLLAR)
        assert await storage.disputes.among(db, [DOLLAR, ROUBLE, CROSS]) == {CROSS}


async def test_nothing_is_asked_about_nothing(store: Store) -> None:
    async with store.reading() as db:
        assert await storage.disputes.among(db, []) == set()
        assert await storage.disputes.about(db, []) == set()


async def test_disputes_that_an_older_program_kept_as_marks_are_taken_over(
    database_url: str,
) -> None:
    """On both databases; other marks stay where they are."""
    kept = {
        "dispute:nbkr:USD/KGS:official": "cbr",
        "dispute:cbr:KGS/RUB:official": "nbkr",
        "stale:ecb": "2026-11-01",
    }
    older = connect_for_writing(database_url)
    async with older.writing() as db:
        await db.run_sync(_upgrade)
        for name, value in kept.items():
            await db.execute(insert(note).values(name=name, value=value))
    await older.close()
    store = await open_store(database_url)
    async with store.reading() as db:
        assert await storage.disputes.among(db, [DOLLAR, ROUBLE, CROSS]) == {DOLLAR, CROSS}
        assert await storage.notes.among(db, list(kept)) == {
            storage.notes.stale("ecb"): "2026-11-01"
        }
    await store.close()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "0007")
