"""The database's clock set back while alerts wait and are stored: on both databases, with one
sender and with two.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Select, Table, func, select, text

import storage.broadcasts
import storage.chats
import storage.claims
import storage.fan_out
import storage.filters
import storage.inbox
import storage.leases
import storage.own_feeds
import storage.pace
import storage.quiet
import storage.rules
import storage.sources
from bot.alerts import waited
from bot.deliver.compose import Composer
from bot.deliver.editor import ChannelEditor
from bot.deliver.unread import UnreadAlerts
from bot.deliver.worker import Worker
from bot.model.filters import Filter, Sense, Trait
from bot.model.own_feeds import OwnFeed
from bot.model.quiet import QuietHours
from bot.model.rules import Condition, Rule
from bot.running import process_name
from bot.sources.specs import Catalog
from storage.alerts import OPEN
from storage.clock import boottime
from storage.db import Store, db_now
from storage.inbox import Received
from storage.opening import open_store
from storage.schema import (
    alert,
    broadcast,
    chat,
    delivery,
    inbox,
    lease,
    metadata,
    news_filter,
    own_feed,
    pace,
    rule,
    source,
    subscription,
)
from storage.types import UtcDateTime
from tests.deliver.test_worker import Running
from tests.factories import chat as a_chat
from tests.factories import rate
from tests.faults.test_senders import READER, bench
from tests.world import SECURITY

#: What waits for a moment, by table.
WAITS: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (delivery, ("not_before", "lease_until")),
    (chat, ("tat",)),
    (pace, ("tat", "paused_until")),
    (inbox, ("lease_until",)),
    (lease, ("until",)),
    (source, ("next_due_at",)),
    (own_feed, ("next_due_at",)),
    (subscription, ("snoozed_until",)),
    (rule, ("snoozed_until",)),
    (news_filter, ("until_at",)),
    (broadcast, ("until_at",)),
)
#: What lies ahead and is not asked for by itself: an alert's and a delivery's life is told by the
#: tests of their own, quiet hours are reckoned anew.
OTHERS = {"alert.expires_at", "delivery.expires_at", "chat.quiet_begins_at", "chat.quiet_ends_at"}
#: How the column of a moment that lies ahead is called.
AHEAD = re.compile(r"until|due_at|not_before|expires|tat$|_begins_at|_ends_at")
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def shift(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Set the clock of either database."""
    server: Select[tuple[object]] = select(func.clock_timestamp() + by)
    monkeypatch.setattr("storage.db._machine_now", lambda: datetime.now(UTC) + by)
    monkeypatch.setattr("storage.db._CLOCK", server)


async def left(store: Store) -> list[timedelta]:
    """The time for which each alert that is not closed is still worth sending."""
    async with store.reading() as db:
        now = await db_now(db)
        return [
            until - now
            for until in (
                await db.execute(select(alert.c.expires_at).order_by(alert.c.id))
            ).scalars()
        ]


@pytest.mark.parametrize("by", [-MINUTE, -DAY])
async def test_T7_an_alert_stored_just_as_the_clock_is_set_back_has_its_whole_life(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch, by: timedelta
) -> None:
    """One stored just before and one just after the step: both lives end when they should, and both
    are sent.
    """
    hour = timedelta(hours=1)
    async with bench(migrated_url) as one:
        await one.alert(lasts=hour)
        shift(monkeypatch, by)
        await one.alert(lasts=hour)
        lives = await left(one.store)
        assert all(
            hour - timedelta(minutes=5) < life <= hour + timedelta(seconds=2) for life in lives
        ), lives
        async with Running(one):
            await one.arrived(READER, 2)


async def test_T7_a_step_seen_by_what_was_rolled_back_is_followed_by_the_next(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moved once, by the first transaction that is committed."""
    async with bench(migrated_url) as one:
        await one.alert(lasts=DAY)
        shift(monkeypatch, -DAY)
        with pytest.raises(ZeroDivisionError):
            async with one.store.writing() as db:
                await db_now(db)
                raise ZeroDivisionError
        for _ in range(3):
            async with one.store.writing() as db:
                await db_now(db)
        (life,) = await left(one.store)
        assert DAY - timedelta(minutes=5) < life <= DAY + timedelta(seconds=2)


@pytest.mark.parametrize("by", [-MINUTE, -DAY])
async def test_T8_a_clock_set_back_stops_no_sending(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch, by: timedelta
) -> None:
    """Everything that was paced, leased or put off until then goes on at once."""
    readers = range(READER, READER + 6)
    async with bench(migrated_url, readers=len(readers)) as one, Running(one):
        await one.alert()
        for number in readers:
            await one.arrived(number)
        shift(monkeypatch, by)
        await one.alert()
        for number in readers:
            await one.arrived(number, 2, timeout=20)


@pytest.mark.parametrize("by", [-MINUTE, -DAY])
async def test_T8_the_first_slot_after_a_step_is_within_five_seconds(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch, by: timedelta
) -> None:
    """By the row itself, not by when a busy machine comes to it: a sender had reserved four seconds
    ahead, the chat had just had its burst, and another had been told to wait.
    """
    async with bench(migrated_url) as one:
        await one.alert(lasts=DAY)
        async with one.store.writing() as db:
            await storage.fan_out.fan_out(db)
            before = await db_now(db)
            await storage.pace.pause_token(db, "t", timedelta(seconds=2))
            await db.execute(pace.update().values(tat=before + timedelta(seconds=4)))
            await db.execute(chat.update().values(tat=before + storage.pace.PRIVATE_BURST))
            await db.execute(delivery.update().values(not_before=before + timedelta(seconds=4)))
        shift(monkeypatch, by)
        async with one.store.writing() as db:
            now = await db_now(db)
            (waits,) = (await db.execute(select(delivery.c.not_before))).scalars()
            assert waits - now <= timedelta(seconds=5)
            await db.execute(delivery.update().values(not_before=now))
            words = {"token": "t", "rate": 25.0, "horizon": timedelta(seconds=5), "lease": MINUTE}
            paused = await storage.claims.claim(db, **words)
            assert paused.first_in <= timedelta(seconds=3)
            await db.execute(pace.update().values(paused_until=None))
            found = await storage.claims.claim(db, **words)
            assert len(found.deliveries) == 1
            assert found.first_in <= timedelta(seconds=5)


def test_every_moment_that_lies_ahead_is_known_here() -> None:
    """By the name of its column."""
    named = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.c
        if isinstance(column.type, UtcDateTime) and AHEAD.search(column.name)
    }
    assert named == {f"{table.name}.{name}" for table, names in WAITS for name in names} | OTHERS


async def test_T8_nothing_that_waited_waits_longer(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leases, pauses, paces, what is tried again, when a source is due, and silences with an end:
    each by as much as before.
    """
    async with bench(migrated_url) as one:
        await one.alert(lasts=DAY)
        async with one.store.writing() as db:
            await storage.fan_out.fan_out(db)
            soon = await db_now(db) + MINUTE
            await storage.sources.ask(db, ["bank"], now=soon)
            own = OwnFeed(key="k", url="https://a.example/rss", name="A")
            await storage.own_feeds.add(db, own, now=soon)
            await storage.leases.acquire(db, "poll", holder="a", span=MINUTE)
            await storage.pace.pause_token(db, "t", MINUTE)
            question = Received(update_id=1, chat=READER, kind="message", body="{}")
            await storage.inbox.add(db, [question], holder="a", lease=MINUTE)
            muted = Filter(sense=Sense.NEVER, trait=Trait.WORD, what="x", said="x")
            await storage.filters.add(db, READER, [muted])
            series = rate().series
            level = Rule(pair=series.pair, condition=Condition.LEVEL, amount=Decimal(84))
            await storage.rules.propose(db, READER, series, level, now=soon)
            await storage.broadcasts.begin(db, READER)
            for table, values in WAITS:
                await db.execute(table.update().values(dict.fromkeys(values, soon)))
        shift(monkeypatch, -DAY)
        async with one.store.writing() as db:
            now = await db_now(db)
            for table, values in WAITS:
                for name in values:
                    until = (await db.execute(select(table.c[name]))).scalar_one()
                    assert until - now <= MINUTE + timedelta(seconds=2), (table.name, name)
                    assert until > now - MINUTE, (table.name, name)


@pytest.mark.postgres
async def test_T8_a_replica_that_died_before_the_step_is_noticed_after_it(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last heartbeat does not lie ahead, nor does what the queue is to try again."""
    async with bench(migrated_postgres_url) as one:
        async with one.store.writing() as db:
            soon = {"soon": await db_now(db) + MINUTE}
            beat = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (:soon)"
            await db.execute(text(beat), soon)
            failed = (
                "INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at) "
                "VALUES ('jarchy', 'tidy', :soon)"
            )
            await db.execute(text(failed), soon)
        shift(monkeypatch, -DAY)
        async with one.store.writing() as db:
            now = await db_now(db)
            moments = (
                "SELECT last_heartbeat FROM procrastinate_workers "
                "UNION ALL SELECT scheduled_at FROM procrastinate_jobs"
            )
            for moment in (await db.execute(text(moments))).scalars():
                assert now - MINUTE < moment <= now + MINUTE + timedelta(seconds=2)


@pytest.mark.postgres
async def test_T8_several_replicas_that_see_one_step_move_the_times_once(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And each of two steps once, whoever sees them first."""
    async with bench(migrated_postgres_url) as one:
        await one.alert(lasts=DAY)
        others = [await open_store(migrated_postgres_url) for _ in range(3)]
        stores = [one.store, *others]
        try:
            for steps in (1, 2):
                for store in stores:
                    async with store.writing() as db:
                        await db_now(db)
                shift(monkeypatch, -MINUTE * steps)

                async def look(store: Store) -> None:
                    async with store.writing() as db:
                        await db_now(db)

                await asyncio.gather(*[look(store) for store in stores])
                (life,) = await left(one.store)
                assert DAY - timedelta(seconds=30) < life <= DAY + timedelta(seconds=2), steps
        finally:
            for store in others:
                await store.close()


@pytest.mark.postgres
async def test_T8_two_senders_go_on_after_a_step(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Side by side, each alert once."""
    async with bench(migrated_postgres_url) as one:
        second = await open_store(migrated_postgres_url)
        worker = Worker(
            store=second,
            api=one.worker.api,
            composer=Composer(second, Catalog()),
            editor=ChannelEditor(feeds={}),
            unread=UnreadAlerts(one._tell),
            token_name="t",
            holder=process_name(),
            rate=500.0,
            on_trouble=one._tell,
        )
        task = asyncio.create_task(worker.run())
        try:
            async with Running(one):
                await one.alert()
                await one.arrived(READER)
                shift(monkeypatch, -MINUTE)
                await one.alert()
                await one.arrived(READER, 2, timeout=20)
        finally:
            worker.stop()
            await task
            await second.close()
        assert one.accepted(READER) == 2


async def test_T8_a_slow_answer_is_no_step(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that stood still between question and answer has not seen the clock go back."""
    ahead = timedelta(0)

    def late() -> float:
        return boottime() + ahead.total_seconds()

    # what is read after the answer; the question came before
    monkeypatch.setattr("storage.clock.boottime", late)
    async with store.writing() as db:
        await storage.pace.pause_token(db, "t", timedelta(minutes=1))
    async with store.reading() as db:
        before = (await db.execute(select(pace.c.paused_until))).scalar_one()
    ahead = timedelta(seconds=10)
    async with store.writing() as db:
        await db_now(db)
    async with store.reading() as db:
        assert (await db.execute(select(pace.c.paused_until))).scalar_one() == before
        assert (await db.execute(select(func.count()).select_from(delivery))).scalar_one() == 0


@pytest.mark.parametrize("by", [-MINUTE, -DAY])
async def test_T8_a_clock_set_back_while_nothing_ran_is_seen_at_the_start(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch, by: timedelta
) -> None:
    """Everything paced and put off goes at once, and the start after that moves nothing again."""
    async with bench(migrated_url) as one:
        async with Running(one):
            await one.alert(lasts=DAY)
            await one.arrived(READER)
        question = Received(update_id=1, chat=READER, kind="message", body="{}")
        async with one.store.writing() as db:  # which stays of a time that seems to come
            await storage.inbox.add(db, [question], holder="a", lease=MINUTE)
        await one.alert(lasts=DAY)
        shift(monkeypatch, by)
        for _ in range(2):  # two starts
            store = await open_store(migrated_url)
            async with store.writing() as db:
                await db_now(db)
            life = (await left(store))[-1]
            assert DAY - timedelta(minutes=5) < life <= DAY + timedelta(seconds=5)
            await store.close()
        one.store = await open_store(migrated_url)
        one.restart()
        async with Running(one):
            await one.arrived(READER, 2, timeout=30)
        await one.store.close()


async def test_T8_who_subscribed_before_the_step_is_told_what_is_decided_after_it(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though that seems to have been later."""
    async with bench(migrated_url, readers=0) as one:
        one.emulator.add_private(one.emulator.add_user(READER, "R", "en"))
        async with one.store.writing() as db:
            now = await db_now(db)
            await storage.chats.add(db, a_chat(READER), now=now)
            await storage.chats.subscribe(db, READER, [SECURITY], now=now)
        shift(monkeypatch, -DAY)
        one.now = now - DAY + MINUTE
        await one.alert(lasts=DAY)
        async with Running(one):
            await one.arrived(READER)


async def test_T8_quiet_hours_are_those_of_the_day_that_is_now(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not those that were to begin a day later."""
    async with bench(migrated_url) as one:
        hours = QuietHours(time(1), time(1, 30))
        async with one.store.writing() as db:
            await storage.chats.change(db, READER, quiet=str(hours), time_zone="UTC")
        shift(monkeypatch, -3 * DAY)
        async with one.store.writing() as db:
            now = await db_now(db)
            await storage.quiet.end(db, waited.alert)
            (begins,) = (await db.execute(select(chat.c.quiet_begins_at))).scalars()
            assert begins == hours.at(now, "UTC")[0]


@pytest.mark.parametrize("state", OPEN)
async def test_T7_whatever_a_delivery_waits_for_its_life_is_as_long_as_before(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """Also in its chat's quiet hours, and until its channel's policy lets it go."""
    async with bench(migrated_url) as one:
        await one.alert(lasts=DAY)
        async with one.store.writing() as db:
            await storage.fan_out.fan_out(db)
            await db.execute(delivery.update().values(state=state))
        shift(monkeypatch, -DAY)
        async with one.store.writing() as db:
            now = await db_now(db)
            (until,) = (await db.execute(select(delivery.c.expires_at))).scalars()
            assert DAY - timedelta(minutes=5) < until - now <= DAY + timedelta(seconds=2)
