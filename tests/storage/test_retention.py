"""The rows that are forgotten, those that stay, and in how small pieces."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select, update

import storage.alerts
import storage.chats
import storage.entries
import storage.fan_out
import storage.inbox
import storage.rates
import storage.rules
import storage.stories
from bot.alerts.notices import Notice
from bot.alerts.notices import alert as notice
from bot.model.alerts import Audience, Severity
from bot.model.news import Verdict
from bot.model.rules import Condition, Direction, Rule
from bot.reasons import ChatNumber
from bot.telegram.outcomes import BLOCKED, DEACTIVATED, KICKED
from storage.db import Store
from storage.entries import NewEntry
from storage.inbox import Received
from storage.retention import (
    ALERTS_KEPT,
    BODIES_KEPT,
    CLOSED_CHATS_KEPT,
    STEPS,
    STORIES_KEPT,
    UPDATES_KEPT,
)
from storage.schema import alert, chat, delivery, entry, inbox, metadata, story, story_topic
from tests import factories
from tests.factories import a_notice

DAY = timedelta(days=1)
QUIET = Verdict(security=False, score=0.0, severity=Severity.INFO, topics=("economy",))


async def forget(store: Store, piece: int = 2_000, *, now: datetime | None = None) -> list[int]:
    """Forget as the hourly job does, at a time of the test's choice; the sizes of the pieces."""
    sizes = []
    for step in STEPS:
        rows = 1
        while rows:
            async with store.writing() as db:
                rows = await step(db, now or datetime.now(UTC), piece)
            sizes.append(rows)
    return [size for size in sizes if size]


async def count(store: Store) -> dict[str, int]:
    """Rows of each table."""
    async with store.reading() as db:
        return {
            table.name: (await db.execute(select(func.count()).select_from(table))).scalar_one()
            for table in metadata.sorted_tables
        }


async def updates(store: Store, *ages: timedelta, done: bool = True) -> None:
    """Updates received so long ago."""
    now = datetime.now(UTC)
    async with store.writing() as db:
        for number, age in enumerate(ages, 1 if done else 1001):
            item = Received(update_id=number, chat=1, kind="message", body="hello")
            await storage.inbox.add(db, [item], holder="a", lease=DAY)
            if done:
                await storage.inbox.finish(db, [(number, "done")])
            values = {"received_at": now - age, **({"finished_at": now - age} if done else {})}
            await db.execute(update(inbox).where(inbox.c.update_id == number).values(**values))


async def test_what_people_wrote_is_forgotten_after_a_day_and_its_number_after_a_week(
    store: Store,
) -> None:
    """An update that is not finished is kept however old it is."""
    minute = timedelta(minutes=1)
    await updates(
        store,
        BODIES_KEPT - minute,
        BODIES_KEPT + minute,
        UPDATES_KEPT - minute,
        UPDATES_KEPT + minute,
    )
    await updates(store, UPDATES_KEPT * 2, done=False)
    await forget(store)
    async with store.reading() as db:
        rows = (
            await db.execute(select(inbox.c.update_id, inbox.c.body).order_by(inbox.c.update_id))
        ).all()
    assert [tuple(row) for row in rows] == [(1, "hello"), (2, None), (3, None), (1001, "hello")]


async def alerts(store: Store, ages: list[timedelta], *, chats: int = 1) -> None:
    """Alerts decided so long ago, delivered to so many chats."""
    now = datetime.now(UTC)
    async with store.writing() as db:
        for number in range(1, chats + 1):
            await storage.chats.add(db, factories.chat(number), now=now - STORIES_KEPT)
            await storage.chats.subscribe(db, number, ["topic:security"], now=now - STORIES_KEPT)
        for age in ages:
            one = notice(1, a_notice("notice.gone", {"age": str(age)}), now=now - age)
            await storage.alerts.enqueue(
                db, replace(one, audience=Audience(subscription="topic:security"))
            )
            while await storage.fan_out.fan_out(db) is not None:
                pass
            newest = select(func.max(alert.c.id)).scalar_subquery()
            values = {"expires_at": now - age + DAY}
            await db.execute(update(alert).where(alert.c.id == newest).values(**values))
            await db.execute(
                update(delivery)
                .where(delivery.c.alert_id == newest)
                .values(state="sent", finished_at=now - age)
            )


async def test_alerts_go_with_their_deliveries_after_a_month(store: Store) -> None:
    """Younger ones stay: what corrections and Why? need."""
    await alerts(
        store, [ALERTS_KEPT + 2 * DAY, ALERTS_KEPT + 2 * DAY + timedelta(hours=1), DAY], chats=3
    )
    await forget(store)
    left = await count(store)
    assert (left["alert"], left["delivery"]) == (1, 3)


async def test_the_number_of_a_forgotten_alert_is_not_given_again(store: Store) -> None:
    """A button of last year does not explain an alert of today."""
    await alerts(store, [ALERTS_KEPT * 3, ALERTS_KEPT * 2])
    await forget(store)
    async with store.writing() as db:
        assert (await db.execute(select(alert.c.id))).all() == []
        new = await storage.alerts.enqueue(
            db, notice(1, a_notice("notice.gone"), now=datetime.now(UTC))
        )
    assert new == 3


async def test_an_alert_that_is_still_open_is_kept(store: Store) -> None:
    """Deliveries under way, or not yet made."""
    await alerts(store, [ALERTS_KEPT * 2, DAY])
    async with store.writing() as db:
        await db.execute(update(delivery).where(delivery.c.alert_id == 1).values(state="pending"))
    await forget(store)
    assert (await count(store))["alert"] == 2


async def test_an_alert_that_nobody_approved_is_forgotten_too(store: Store) -> None:
    """It was never fanned out, and it is too late."""
    now = datetime.now(UTC)
    async with store.writing() as db:
        await storage.alerts.enqueue(
            db,
            replace(notice(1, a_notice("notice.gone"), now=now - ALERTS_KEPT * 2), approval=True),
        )
        await db.execute(update(alert).values(expires_at=now - ALERTS_KEPT))
        await storage.alerts.enqueue(db, notice(1, a_notice("notice.gone"), now=now))
    await forget(store)
    assert (await count(store))["alert"] == 1


async def test_stories_go_with_their_entries_after_half_a_year_and_rates_never(
    store: Store,
) -> None:
    """The history of rates is what readers ask for."""
    now = datetime.now(UTC)
    async with store.writing() as db:
        for number, age in enumerate([STORIES_KEPT + DAY, STORIES_KEPT - DAY, DAY]):
            pk = await storage.stories.add_story(db, at=now - age, verdict=QUIET)
            item = factories.entry(id=f"e{number}", published_at=now - age)
            at = now - age
            new = NewEntry(
                feed="feed", item=item, at=at, link_key=None, title_key=str(number), verdict=QUIET
            )
            await storage.entries.add_entry(db, new, story_pk=pk, now=at)
        await storage.rates.add(
            db, [factories.rate(on="2001-01-03")], seen_at=now - 20 * STORIES_KEPT
        )
    await forget(store)
    left = await count(store)
    assert (left["story"], left["entry"], left["story_topic"], left["rate"]) == (2, 2, 2, 1)
    async with store.reading() as db:
        assert set((await db.execute(select(entry.c.guid))).scalars()) == {"e1", "e2"}
        assert set((await db.execute(select(story_topic.c.story_id))).scalars()) == set(
            (await db.execute(select(story.c.id))).scalars()
        )


async def test_G7_a_chat_that_blocked_the_bot_is_forgotten_after_ninety_days(store: Store) -> None:
    """With all about it, also what operators were told; not who came back, asked for silence, or is
    not gone long.
    """
    began = datetime.now(UTC)
    gone, young, back, silent, here = -1001, 1002, 1003, 1004, 1005
    series = factories.rate().series
    own = Rule(
        pair=series.pair, condition=Condition.LEVEL, amount=Decimal(85), direction=Direction.UP
    )
    async with store.writing() as db:
        for number in (gone, young, back, silent, here):
            await storage.chats.add(db, factories.chat(number), now=began)
            await storage.chats.subscribe(db, number, ["topic:security"], now=began)
            await storage.rules.propose(db, number, series, own, now=began)
        for number in (gone, back):
            await storage.chats.close(db, number, why=BLOCKED.why)
        await storage.chats.stop(db, silent)
        await storage.chats.close(db, silent, why=BLOCKED.why)
        told = notice(here, Notice.of("notice.gone", {"chat": ChatNumber(gone)}), now=began)
        await storage.alerts.enqueue(db, told)
        while await storage.fan_out.fan_out(db) is not None:
            pass
        await db.execute(update(delivery).values(state="sent"))
    await forget(store, now=began + CLOSED_CHATS_KEPT - DAY)
    assert (await count(store))["chat"] == 5
    async with store.writing() as db:
        await storage.chats.activate(db, back)
        await storage.chats.close(db, young, why=KICKED.why)
        later = began + timedelta(days=10)
        await db.execute(update(chat).where(chat.c.id == young).values(inactive_at=later))
    await forget(store, now=began + CLOSED_CHATS_KEPT + DAY)
    async with store.reading() as db:
        for table in metadata.sorted_tables:
            assert str(gone) not in str((await db.execute(select(table))).all()), table.name
        left = (await db.execute(select(chat.c.id).order_by(chat.c.id))).scalars().all()
    assert left == [young, back, silent, here]
    rows = await count(store)
    assert (rows["subscription"], rows["rule"]) == (4, 4)


async def test_chats_that_are_gone_go_in_pieces(store: Store) -> None:
    """Many that left on one day are forgotten a few a transaction."""
    began = datetime.now(UTC)
    async with store.writing() as db:
        for number in range(1, 26):
            await storage.chats.add(db, factories.chat(number), now=began)
            await storage.chats.close(db, number, why=DEACTIVATED.why)
    assert await forget(store, 10, now=began + CLOSED_CHATS_KEPT + DAY) == [10, 10, 5]


async def test_a_backlog_goes_in_pieces(store: Store) -> None:
    """No transaction forgets more than a piece: replies and marks get in between."""
    await alerts(store, [ALERTS_KEPT * 2, DAY], chats=25)
    await updates(store, *[UPDATES_KEPT + DAY] * 15)
    sizes = await forget(store, piece=10)
    assert max(sizes) == 10
    assert sum(sizes) == 15 + 15 + 25 + 1  # bodies, updates, deliveries, an alert


async def test_where_somebody_is_goes_with_the_updates_end_and_words_stay_for_a_day(
    store: Store,
) -> None:
    """A place shared, also one that is only answered; before it had its effect it stays, a crash
    must not lose it.
    """
    bodies = {
        1: '{"update_id":1,"message":{"location":{"latitude":42.87,"longitude":74.56}}}',
        2: (
            '{"update_id":2,"message":{"text":"hi",'
            '"reply_to_message":{"location":{"latitude":42.87}}}}'
        ),
        3: r'{"update_id":3,"message":{"text":"my \"location\" is a secret"}}',
        4: '{"update_id":4,"message":{"location":{"latitude":42.87,"longitude":74.56}}}',
    }
    rows = [
        Received(update_id=number, chat=1, kind="message", body=body)
        for number, body in bodies.items()
    ]
    async with store.writing() as db:
        await storage.inbox.add(db, rows, holder="a", lease=DAY)
        await storage.inbox.finish(db, [(1, "done"), (2, "ignored"), (3, "failed")])
    async with store.reading() as db:
        kept = {row.update_id: row.body for row in await db.execute(select(inbox))}
    assert kept == {1: None, 2: None, 3: bodies[3], 4: bodies[4]}
