"""The database's clock set forward while deliveries, updates and roles are in hand: on both
databases, with one sender and with two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

import storage.inbox
import storage.lapsed
import storage.leases
import storage.notes
from bot.deliver.compose import Composer
from bot.deliver.editor import ChannelEditor
from bot.deliver.unread import UnreadAlerts
from bot.deliver.worker import Worker
from bot.model.alerts import Lane, State
from bot.running import process_name
from bot.sources.specs import Catalog
from bot.telegram.outcomes import Outcome
from storage.clock import LEAPT
from storage.db import Store, db_now
from storage.inbox import Received
from storage.opening import open_store
from storage.schema import delivery
from tests.faults.test_clock_set_back import shift
from tests.faults.test_senders import READER, bench
from tests.world import Sending, World

HOUR, SPAN = timedelta(hours=1), timedelta(seconds=30)


class LateAnswers:
    """Telegram's answers to a worker, which it reads when the test says so."""

    def __init__(self, one: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read = asyncio.Event()
        post = one.worker.api.post

        async def late(method: str, body: Any) -> Outcome:
            outcome = await post(method, body)
            await self.read.wait()
            return outcome

        monkeypatch.setattr(one.worker.api, "post", late)
        # a lease that ends by its span meanwhile, or an answer that late, is another fault
        monkeypatch.setattr("bot.deliver.claims.LEASE", HOUR / 2)
        monkeypatch.setattr("bot.deliver.flights.HANGING", 1000.0)


class Tidied:
    """The number of looks on a store for leases that ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._looks = 0
        self._news = asyncio.Event()
        tidy = storage.lapsed.tidy

        async def counted(*arguments: Any, **options: Any) -> int:
            freed = await tidy(*arguments, **options)
            self._looks += 1
            self._news.set()
            return freed

        monkeypatch.setattr("storage.lapsed.tidy", counted)
        for stage in ("claims", "slots", "upkeep"):
            monkeypatch.setattr(f"bot.deliver.{stage}.IDLE", 0.1)
        monkeypatch.setattr("bot.deliver.upkeep.TIDY", 0.1)

    async def more(self, count: int) -> None:
        """Wait for so many looks from now on."""
        goal = self._looks + count
        while self._looks < goal:
            self._news.clear()
            await self._news.wait()


async def forget_the_step(store: Store) -> None:
    """Undo what the store noticed of it: what remains is what a process knows of its own."""
    async with store.writing() as db:
        await db_now(db)
        await storage.notes.drop(db, LEAPT)


async def settled(one: World, number: int) -> None:
    """Wait until nothing of a chat is under way."""
    while {state for state, _ in await one.rows(number)} & {"leased", "pending"}:  # noqa: ASYNC110 - rows
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("lane", [Lane.ALERT, Lane.ROUTINE])
@pytest.mark.parametrize("known", [True, False], ids=["step seen", "step unseen"])
async def test_T1_what_arrived_before_a_step_and_is_not_marked_yet_comes_once(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch, lane: Lane, *, known: bool
) -> None:
    """Its lease ended by the new time while its answer was on its way; the same process knows that
    it has it, also when it does not know why the lease ended.
    """
    async with bench(migrated_url) as one:
        tidied, late = Tidied(monkeypatch), LateAnswers(one, monkeypatch)
        async with Sending(one):
            await one.alert(lane)
            await one.arrived(READER)
            shift(monkeypatch, HOUR)
            if not known:
                await forget_the_step(one.store)
            await tidied.more(5)
            assert await one.rows(READER) == [("leased", None)]
            late.read.set()
            await settled(one, READER)
            await one.alert(lane)  # and it goes on at once
            await one.arrived(READER, 2)
        assert [state for state, _ in await one.rows(READER)] == ["sent", "sent"]
    assert one.accepted(READER) == 2


@pytest.mark.postgres
async def test_T1_what_one_sender_holds_at_a_step_is_not_taken_by_another(
    migrated_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of what is in flight nor of what is queued; its own leases end by their span."""
    async with bench(migrated_postgres_url) as one, AsyncExitStack() as stack:
        late = LateAnswers(one, monkeypatch)
        second = await open_store(migrated_postgres_url)
        stack.push_async_callback(second.close)
        async with Sending(one):
            await one.alert()
            await one.arrived(READER)
            tidied = Tidied(monkeypatch)
            other = Worker(
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
            task = asyncio.create_task(other.run())
            stack.callback(task.cancel)
            await tidied.more(3)  # both have seen the old time
            shift(monkeypatch, HOUR)
            await tidied.more(8)
            assert await one.rows(READER) == [("leased", None)]
            late.read.set()
            await settled(one, READER)
            other.stop()
            await task
        assert [state for state, _ in await one.rows(READER)] == ["sent"]
    assert one.accepted(READER) == 1


async def one_is_leased(world: World) -> None:
    """A delivery that somebody claimed a moment ago, who says no more."""
    await world.alert()
    async with world.store.writing() as db:
        await storage.fan_out.fan_out(db)
        until = await db_now(db) + SPAN
        held = update(delivery).values(state=State.LEASED.value, lease_until=until)
        await db.execute(held)


async def leased(store: Store, lease: timedelta) -> str:
    """The state of the one delivery, after a look for leases of this span that ended."""
    async with store.writing() as db:
        await storage.lapsed.tidy(db, lease=lease)
        return (await db.execute(select(delivery.c.state))).scalar_one()


async def test_T1_a_lease_of_a_dead_process_ends_a_span_after_the_step(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell it from one at work before; it does not wait for ever."""
    async with bench(migrated_url) as one:
        await one_is_leased(one)
        shift(monkeypatch, HOUR)
        assert await leased(one.store, SPAN) == "leased"
        monkeypatch.setattr("storage.clock.SET_FORWARD", 2 * SPAN)  # time goes on
        shift(monkeypatch, HOUR + SPAN)
        assert await leased(one.store, SPAN) == "pending"


async def test_T1_an_update_under_way_is_not_taken_over_at_a_step(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder prolongs it soon; one that nobody holds is taken at once."""
    later: Callable[[int], Received] = lambda number: Received(  # noqa: E731 - a table of two
        update_id=number, chat=number, kind="message", body="{}"
    )
    store = await open_store(migrated_url)
    async with store.writing() as db:
        await storage.inbox.add(db, [later(1), later(2)], holder="a", lease=SPAN)
        await db.execute(
            update(storage.inbox.inbox)
            .where(storage.inbox.inbox.c.update_id == 2)
            .values(holder=None, lease_until=None)
        )
    shift(monkeypatch, HOUR)
    async with store.writing() as db:
        taken = await storage.inbox.take_over(db, holder="b", lease=SPAN)
        assert [item.update_id for item in taken] == [2]
    monkeypatch.setattr("storage.clock.SET_FORWARD", 2 * SPAN)  # time goes on
    shift(monkeypatch, HOUR + SPAN)
    async with store.writing() as db:
        taken = await storage.inbox.take_over(db, holder="c", lease=SPAN)
        assert [item.update_id for item in taken] == [1, 2]
    await store.close()


async def test_T1_a_role_stays_with_its_holder_at_a_step(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has it believes so for the span that it was given; what was given back is free at once,
    and a dead one's is free a span later.
    """
    store = await open_store(migrated_url)

    async def take(name: str, holder: str) -> bool:
        async with store.writing() as db:
            return await storage.leases.acquire(db, name, holder=holder, span=SPAN) is not None

    assert await take("poll", "a")
    assert await take("hooks", "a")
    shift(monkeypatch, HOUR)
    assert not await take("poll", "b")
    async with store.writing() as db:
        await storage.leases.release(db, "hooks", holder="a")
    assert await take("hooks", "b")
    assert await take("poll", "a")
    monkeypatch.setattr("storage.clock.SET_FORWARD", 2 * SPAN)  # time goes on
    shift(monkeypatch, HOUR + SPAN)
    assert await take("poll", "b")
    await store.close()


async def test_T1_a_clock_that_is_set_forward_and_back_ends_no_lease(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease given before both steps is moved back with the times ahead, and is none of those."""
    async with bench(migrated_url) as one:
        await one_is_leased(one)
        for step in (HOUR, timedelta(0)):
            shift(monkeypatch, step)
            assert await leased(one.store, SPAN) == "leased"
