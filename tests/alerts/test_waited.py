"""Alerts that waited for the end of quiet hours, where a part of them cannot be read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

import storage.alerts
import storage.chats
import storage.filters
from bot.alerts import KINDS, Kit, Reader
from bot.alerts.waited import WhatWaited
from bot.alerts.waited import alert as waited_alert
from bot.model.chats import Style
from bot.model.filters import Filter, Sense, Trait
from bot.sources.specs import Catalog
from storage.db import Store
from storage.schema import alert, delivery
from tests.factories import NOW
from tests.factories import chat as a_chat
from tests.storage.test_deliveries import KEY
from tests.storage.test_withheld import broken, report

READER = 5


@pytest.mark.parametrize("form", [{"payload": {"v": 9}}, {"kind": "bulletin"}])
async def test_what_cannot_be_read_takes_nothing_else_away(
    store: Store, form: dict[str, Any]
) -> None:
    """It is counted with what has no room; the rest is told in the summary, and explained."""
    async with store.writing() as db:
        await storage.chats.add(db, a_chat(READER), now=NOW)
        await storage.chats.subscribe(db, READER, [KEY], now=NOW)
        good = await broken(db, await report(db, "one"), "good")
        bad = await broken(db, await report(db, "two"), "bad")
        pk = await storage.alerts.enqueue(db, waited_alert(READER, "22:00-08:00", 2, NOW))
        assert pk is not None
        row = {"chat_id": READER, "lane": 1, "state": "collected", "within": pk}
        row |= {"not_before": NOW, "expires_at": NOW + timedelta(hours=1)}
        both = [{"alert_id": one, **row} for one in (good, bad)]
        await db.execute(insert(delivery), both)
        await db.execute(update(alert).where(alert.c.id == bad).values(**form))
        told = await storage.alerts.get(db, pk)
        assert told is not None
        kit = Kit(db=db, catalog=Catalog(), kinds=KINDS)
        reader = Reader(chat=READER, language="en", style=Style.BRIEF, home="KGS", time_zone="UTC")
        kind = KINDS[WhatWaited.KIND]
        message, why = await kind.words(kit, told, reader), await kind.why(kit, told, reader)
    assert message is not None
    assert why is not None
    assert message.text.endswith("and 1\u00a0more: /news")
    assert why.text.count("•") == 1


async def test_who_wants_a_place_alone_reads_in_the_morning_of_what_was_felt_there(
    store: Store,
) -> None:
    """As they would have heard of it in the night, though no report names the place."""
    place = Filter(sense=Sense.ONLY, trait=Trait.PLACE, what="batken", said="Batken")
    async with store.writing() as db:
        await storage.chats.add(db, a_chat(READER), now=NOW)
        await storage.chats.subscribe(db, READER, [KEY], now=NOW)
        felt = await broken(db, await report(db, "one"), "felt")
        far = await broken(db, await report(db, "two"), "far")
        pk = await storage.alerts.enqueue(db, waited_alert(READER, "22:00-08:00", 2, NOW))
        assert pk is not None
        row = {"chat_id": READER, "lane": 1, "state": "collected", "within": pk}
        row |= {"not_before": NOW, "expires_at": NOW + timedelta(hours=1)}
        await db.execute(insert(delivery), [{"alert_id": one, **row} for one in (felt, far)])
        await db.execute(update(alert).where(alert.c.id == felt).values(near=["batken"]))
        await storage.filters.add(db, READER, [place])
        told = await storage.alerts.get(db, pk)
        assert told is not None
        kit = Kit(db=db, catalog=Catalog(), kinds=KINDS)
        reader = Reader(chat=READER, language="en", style=Style.BRIEF, home="KGS", time_zone="UTC")
        why = await KINDS[WhatWaited.KIND].why(kit, told, reader)
    assert why is not None
    assert why.text.count("•") == 1
