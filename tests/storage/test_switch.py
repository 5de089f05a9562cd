"""The switch of all alerts and paused sources in the store, on every database."""

from __future__ import annotations

from datetime import timedelta

import storage.alerts
import storage.chats
import storage.claims
import storage.fan_out
import storage.overview
import storage.sources
import storage.switch
from bot.alerts.answers import alert as answer
from bot.alerts.broadcasts import Broadcast, alert
from bot.alerts.notices import alert as notice
from bot.model.alerts import EVERYBODY, Lane
from bot.model.calls import Call
from storage.db import Store
from tests.factories import NOW, a_notice, chat


async def claimed(store: Store) -> list[int]:
    """The chats that something is due for now."""
    async with store.writing() as db:
        while await storage.fan_out.fan_out(db) is not None:
            pass
        found = await storage.claims.claim(
            db,
            token="t",
            rate=1000,
            horizon=timedelta(seconds=1),
            lease=timedelta(minutes=1),
        )
    return [one.chat for one in found.deliveries]


async def test_while_alerts_are_stopped_answers_and_notices_leave_alone(store: Store) -> None:
    """Also in a chat for which something else waits before them; then all that waited leaves."""
    async with store.writing() as db:
        for number in (1, 2, 3):
            await storage.chats.add(db, chat(number), now=NOW)
        assert await storage.switch.off_since(db, "t") is None
        assert await storage.switch.turn_off(db, "t")
        assert not await storage.switch.turn_off(db, "t")
        assert await storage.switch.off_since(db, "t") is not None
        # what an operator told the bot of another token is not this one's
        assert await storage.switch.off_since(db, "u") is None
        await storage.alerts.enqueue(db, alert("1", Broadcast(text="x"), EVERYBODY, now=NOW))
        why = {"source": "s", "why": "w"}
        await storage.alerts.enqueue(db, notice(1, a_notice("notice.source", why), now=NOW))
        call = Call(method="sendMessage", parameters={"text": "a"})
        late = answer(2, 2, call, flood=False, now=NOW, lasts=timedelta(1))
        await storage.alerts.enqueue(db, late)
    assert sorted(await claimed(store)) == [1, 2]
    assert await claimed(store) == []
    async with store.writing() as db:
        found = await storage.overview.overview(db, now=NOW)
        assert {one.lane: one.waiting for one in found.lanes}[Lane.ROUTINE] == 3
        assert await storage.switch.turn_on(db, "t")
        assert not await storage.switch.turn_on(db, "t")
    assert await claimed(store) == [3]  # the others' first messages are still out


async def test_a_paused_source_is_not_due_whoever_wishes_it(store: Store) -> None:
    """Until it is resumed; what was wished for meanwhile holds then."""
    async with store.writing() as db:
        await storage.sources.ask(db, ["a", "b"], now=NOW)
        await storage.sources.pause(db, "a", paused=True, now=NOW)
        await storage.sources.pause(db, "c", paused=True, now=NOW)
        due = await storage.sources.due(db, now=NOW, known={"a", "b", "c"})
        assert list(due) == ["b"]
        await storage.sources.pause(db, "a", paused=False, now=NOW)
        due = await storage.sources.due(db, now=NOW, known={"a", "b", "c"})
        assert sorted(due) == ["a", "b"]
