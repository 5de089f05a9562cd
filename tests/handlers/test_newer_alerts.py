"""A press under an alert that a program of a newer version stored."""

from __future__ import annotations

from sqlalchemy import update

import storage.alerts
from bot.alerts import notices
from bot.i18n import t
from storage.schema import alert
from tests.factories import a_notice
from tests.handlers.conftest import NOW, READER, World


async def test_a_press_under_an_alert_that_cannot_be_read_is_answered(world: World) -> None:
    """In general words: it is not out of date, and a replica of its version can tell."""
    shown = await world.ask("/help")
    async with world.store.writing() as db:
        made = notices.alert(READER, a_notice("notice.well", {"source": "nbkr"}), now=NOW)
        number = await storage.alerts.enqueue(db, made)
        changed = update(alert).where(alert.c.id == number)
        await db.execute(changed.values(payload={"v": 99}))
    for button in ("why", "snooze", "mute"):
        said = await world.press(READER, shown["message_id"], f"{button}:{number}")
        assert said == t("error.unexpected", "en")
    assert (await world.ask("100 usd", fits="100"))["text"]
