"""What waits, and since when, as the figures, the page and the verbs count it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

import storage.alerts
import storage.fan_out
import storage.overview
from bot.model.alerts import Approval, Lane, State
from storage.db import Db, Store
from storage.opening import open_store
from storage.schema import alert, delivery
from tests.factories import NOW
from tests.storage.test_deliveries import an_alert, claim, fan_all, readers, sent

MINUTE = timedelta(minutes=1)


async def waits(db: Db, now: datetime) -> dict[Lane, tuple[int, timedelta]]:
    """What waits in each lane where something does; the whole says the same of all together."""
    lanes = await storage.overview.lanes(db, now=now)
    whole = await storage.overview.summary(db, now=now)
    found = {one.lane: (one.waiting, one.oldest) for one in lanes if one.oldest is not None}
    assert whole.waiting == sum(waiting for waiting, _ in found.values())
    assert whole.oldest == max((oldest for _, oldest in found.values()), default=None)
    return found


async def test_an_alert_waits_from_its_decision_until_its_last_chat_has_it(store: Store) -> None:
    """Before any chat was given it, and where its fan-out stands still in the middle; not what
    waits for an operator's word, or is too late.
    """
    late = NOW + 10 * MINUTE
    async with store.writing() as db:
        await readers(db, 1, 2)
        await storage.alerts.enqueue(db, an_alert(lane=Lane.URGENT))
        await storage.alerts.enqueue(db, an_alert("asked", approval=Approval.WAITING))
        assert await waits(db, late) == {Lane.URGENT: (1, 10 * MINUTE)}
        assert await storage.fan_out.fan_out(db, chunk=1) == 1
        assert await waits(db, late) == {Lane.URGENT: (2, 10 * MINUTE)}
        await sent(db, await claim(db))
        assert await waits(db, late) == {Lane.URGENT: (1, 10 * MINUTE)}
        await fan_all(db)
        assert await waits(db, NOW - MINUTE) == {Lane.URGENT: (1, timedelta(0))}
        await sent(db, await claim(db))
        await storage.alerts.enqueue(db, an_alert("over", lives=-MINUTE))
        assert await waits(db, late) == {}


async def test_a_lane_waits_since_its_first_alert_does_whatever_their_numbers(store: Store) -> None:
    """An old alert whose story grew a minute ago hides no newer one that stands for longer."""
    late = NOW + 20 * MINUTE
    async with store.writing() as db:
        await readers(db, 1, 2)
        old = await storage.alerts.enqueue(db, an_alert("old"))
        await storage.alerts.enqueue(db, an_alert("new", at=NOW + MINUTE))
        await fan_all(db)
        grown = {"among_kept": True, "grew_at": late - MINUTE}
        await db.execute(update(alert).where(alert.c.id == old).values(**grown))
        assert await waits(db, late) == {Lane.ALERT: (4, 19 * MINUTE)}


async def test_what_was_taken_to_be_sent_and_ended_otherwise_was_let_go(store: Store) -> None:
    """Not what is still to come, has come or was refused. What nobody began with is only counted
    where it is one chat's own: it may be an answer that was tried before.
    """
    async with store.writing() as db:
        await readers(db, 1, 2, 3, 4)
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
        await claim(db)
        for chat, state in ((1, State.EXPIRED), (2, State.SENT), (3, State.DEAD)):
            ended = update(delivery).where(delivery.c.chat_id == chat)
            await db.execute(ended.values(state=state.value))
        unbegun = await storage.alerts.enqueue(db, an_alert("unbegun"))
        await fan_all(db)
        late = update(delivery).where(delivery.c.alert_id == unbegun)
        await db.execute(late.values(state=State.EXPIRED.value))
        assert await storage.overview.let_go(db) == {1: 1}
        own = update(alert).where(alert.c.id == unbegun)
        await db.execute(own.values(audience_chat=4))
        assert await storage.overview.let_go(db) == {1: 2, 2: 1, 3: 1, 4: 1}


@pytest.mark.postgres
async def test_what_is_fanned_out_during_a_look_is_counted(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each statement of PostgreSQL's sees what was committed before it, not before the look."""
    store = await open_store(migrated_postgres_url)
    async with store.writing() as db:
        await readers(db, 1)
        await storage.alerts.enqueue(db, an_alert())

    def then_fanned_out(name: str) -> None:
        count = getattr(storage.overview, name)

        async def counted(db: Db) -> Sequence[Any]:
            found: Sequence[Any] = await count(db)
            async with store.writing() as beside:
                await fan_all(beside)
            return found

        monkeypatch.setattr(storage.overview, name, counted)

    then_fanned_out("_open_alerts")
    then_fanned_out("_open_deliveries")
    async with store.reading() as db:
        lanes = await storage.overview.lanes(db, now=NOW + MINUTE)
    await store.close()
    assert [one.oldest for one in lanes if one.waiting] == [MINUTE]
