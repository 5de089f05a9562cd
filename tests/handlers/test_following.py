"""/alerts: below the chat's rules stands what it follows."""

from __future__ import annotations

from datetime import timedelta

import storage.alerts
import storage.chats
from bot.alerts.moves import RateMoved
from bot.model.alerts import Alert, Audience, Lane, Severity
from tests.handlers.conftest import NOW, READER, STRANGER, World
from tests.handlers.test_every_kind import MOVED


async def test_alerts_list_what_is_followed_and_when_it_last_spoke(world: World) -> None:
    """What another chat was told is not what this one was."""
    follows = ["pair:USD/KGS", "topic:security", "digest:08:30@Asia/Bishkek"]
    await world.ask("/alerts")
    await world.ask("/alerts", chat=STRANGER)
    async with world.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, follows, now=NOW - timedelta(days=1))
        await storage.chats.subscribe(db, STRANGER, follows[1:2], now=NOW - timedelta(days=1))
        told = Alert(
            dedup_key="told",
            payload=RateMoved(MOVED),
            severity=Severity.NOTABLE,
            lane=Lane.ALERT,
            audience=Audience(subscription=follows[0]),
            created_at=NOW,
            expires_at=NOW + timedelta(hours=1),
        )
        await storage.alerts.enqueue(db, told)
    world.bot.worker.wake()
    await world.done()
    said = (await world.ask("/alerts"))["text"].splitlines()
    assert any(line.startswith("USD/KGS · last alert: ") for line in said), said
    assert {"Security", "Digest: every day at 08:30"} <= set(said)
    assert "Коопсуздук" in (await world.ask("/alerts", chat=STRANGER))["text"].splitlines()
