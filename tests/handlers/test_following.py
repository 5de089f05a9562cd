"""/alerts: below the chat's rules stands what it follows."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

import storage.alerts
import storage.chats
import storage.rules
from bot.alerts.moves import RateMoved
from bot.alerts.rules import alert
from bot.convert.rules import parse_rule
from bot.detect.rules import Fired
from bot.model.alerts import Alert, Audience, Lane, Severity
from bot.model.rates import Move
from bot.model.rules import RuleState
from storage.db import db_now
from storage.schema import delivery
from tests.factories import rate
from tests.handlers.conftest import NOW, READER, STRANGER, World
from tests.handlers.test_every_kind import MOVED


async def told(world: World) -> None:
    """Whoever follows the dollar is told of it."""
    async with world.bot.store.writing() as db:
        one = Alert(
            dedup_key="told",
            payload=RateMoved(MOVED),
            severity=Severity.NOTABLE,
            lane=Lane.ALERT,
            audience=Audience(subscription="pair:USD/KGS"),
            created_at=NOW,
            expires_at=NOW + timedelta(hours=1),
        )
        await storage.alerts.enqueue(db, one)
    world.bot.worker.wake()
    await world.done()


async def test_alerts_list_what_is_followed_and_when_it_last_spoke(scene: World) -> None:
    """Alerts of another chat are not this one's; the day is the program's, as everything else that
    is shown, and not the machine's (a demonstration has its own).
    """
    # the digest's hour is not now: the program would send it where a test lasts for seconds
    follows = ["pair:USD/KGS", "topic:security", "digest:20:30@Asia/Bishkek"]
    await scene.ask("/alerts")
    await scene.ask("/alerts", chat=STRANGER)
    async with scene.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, follows, now=NOW - timedelta(days=1))
        await storage.chats.subscribe(db, STRANGER, follows[1:2], now=NOW - timedelta(days=1))
    await told(scene)
    said = (await scene.ask("/alerts"))["text"].splitlines()
    assert "USD/KGS ·\u00a0last alert: 20\u00a0Oct" in said
    assert {"Security", "Digest: every day at 20:30"} <= set(said)
    assert "Коопсуздук" in (await scene.ask("/alerts", chat=STRANGER))["text"].splitlines()


async def test_status_says_how_long_ago_something_was_sent_by_the_programs_day(
    scene: World,
) -> None:
    """Three hours, though the machine's calendar is years away from the program's."""
    await scene.ask("/start")
    async with scene.bot.store.writing() as db:
        await storage.chats.subscribe(db, READER, ["pair:USD/KGS"], now=NOW - timedelta(days=1))
    await told(scene)
    async with scene.bot.store.writing() as db:
        now = await db_now(db)
        await db.execute(update(delivery).values(finished_at=now - timedelta(hours=3, minutes=1)))
    assert "Last sent 3\u00a0h" in (await scene.ask("/status"))["text"]


async def test_a_rule_last_spoke_on_the_day_on_which_it_was_heard(scene: World) -> None:
    """As a subscription does: a bank publishes today what counts tomorrow, and that is the day that
    the rule remembers.
    """
    await scene.ask("/help")
    new = rate("USD/KGS", "91", "2021-10-21")
    asked = parse_rule("USD > 90", home="KGS")
    async with scene.bot.store.writing() as db:
        number = await storage.rules.propose(db, READER, new.series, asked, now=NOW)
        proposed = await storage.rules.get(db, READER, number, pending=True)
        assert proposed is not None
        await storage.rules.save(db, proposed, RuleState(fired_on=new.effective_on))
        fired = Fired(rule=asked, move=Move(old=rate("USD/KGS", "84"), new=new), reasons=())
        await storage.alerts.enqueue(db, alert(proposed, fired, now=NOW))
    scene.bot.worker.wake()
    await scene.done()
    said = (await scene.ask("/alerts", fits="USD/KGS > 90"))["text"]
    assert "1. USD/KGS > 90 ·\u00a0last alert: 20\u00a0Oct" in said
