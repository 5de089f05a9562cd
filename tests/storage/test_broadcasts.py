"""Broadcasts in the store, on every database: whom one reaches, how far it has come, its end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

import storage.alerts
import storage.broadcasts
import storage.chats
import storage.claims
import storage.deliveries
import storage.fan_out
import storage.lapsed
import storage.privacy
import storage.retention
from bot.alerts.broadcasts import Broadcast, alert
from bot.model.alerts import EVERYBODY, State
from bot.model.broadcasts import Progress, Step
from bot.model.chats import ChatKind, Wakes
from bot.telegram.outcomes import BLOCKED
from storage.claims import Claim
from storage.db import Db, Store
from storage.deliveries import Mark
from storage.schema import broadcast, delivery
from tests.factories import NOW, chat

SECURITY = "topic:security"
WORDS = Broadcast(text="To all")


async def people(db: Db) -> None:
    """Five who are written to, of three kinds, and two who are not; some follow security."""
    await storage.chats.add(db, chat(1), now=NOW)
    await storage.chats.add(db, chat(2, wakes=Wakes.URGENT), now=NOW)
    await storage.chats.add(db, chat(3), now=NOW)
    await storage.chats.add(db, chat(-10, kind=ChatKind.GROUP), now=NOW)
    await storage.chats.add(db, chat(-20, kind=ChatKind.CHANNEL), now=NOW)
    for silent in (4, 5):
        await storage.chats.add(db, chat(silent), now=NOW)
    for number in (1, 2, 4, -10):
        await storage.chats.subscribe(db, number, [SECURITY], now=NOW + timedelta(days=1))
    await storage.chats.stop(db, 4)
    await storage.chats.close(db, 5, why=BLOCKED.why)


async def sent_to(store: Store, audience: str, *, chunk: int | None = None) -> tuple[int, set[int]]:
    """A broadcast's alert, and the chats that its fan-out takes."""
    async with store.writing() as db:
        pk = await storage.alerts.enqueue(db, alert("1", WORDS, audience, now=NOW))
    assert pk is not None
    made: int | None = 0
    while made is not None:
        async with store.writing() as db:
            made = await storage.fan_out.fan_out(db, chunk=chunk)
    async with store.reading() as db:
        query = select(delivery.c.chat_id).where(delivery.c.alert_id == pk)
        return pk, set((await db.execute(query)).scalars())


@pytest.mark.parametrize("chunk", [None, 1, 2])
@pytest.mark.parametrize(
    ("audience", "chats"), [(EVERYBODY, {1, 2, 3, -10, -20}), (SECURITY, {1, 2, -10})]
)
async def test_a_broadcast_reaches_those_who_were_counted(
    store: Store, audience: str, chats: set[int], chunk: int | None
) -> None:
    """In chunks of any size; not who asked for silence or blocked the bot, but also who wants only
    urgent stories, and who came after an earlier one.
    """
    async with store.writing() as db:
        await people(db)
    async with store.reading() as db:
        reach = await storage.broadcasts.reach(db, audience)
    _, taken = await sent_to(store, audience, chunk=chunk)
    assert taken == chats
    assert reach.total == len(chats)
    assert reach.kinds[ChatKind.GROUP] == 1
    assert reach.kinds[ChatKind.CHANNEL] == (audience == EVERYBODY)


async def test_a_snoozed_topic_is_left_alone(store: Store) -> None:
    """As long as its readers asked for."""
    async with store.writing() as db:
        await people(db)
        await storage.chats.snooze(db, 1, SECURITY, span=timedelta(hours=1))
        reach = await storage.broadcasts.reach(db, SECURITY)
    _, taken = await sent_to(store, SECURITY)
    assert taken == {2, -10}
    assert reach.total == 2


async def claim(store: Store, limit: int) -> Claim:
    """Some of what waits, leased."""
    async with store.writing() as db:
        return await storage.claims.claim(
            db,
            token="t",
            rate=1000,
            horizon=timedelta(seconds=1),
            lease=timedelta(minutes=1),
            limit=limit,
        )


async def test_a_stopped_broadcast_goes_to_nobody_else(store: Store) -> None:
    """Sent messages stay counted; one that was on its way and did not arrive is not tried again."""
    async with store.writing() as db:
        await people(db)
    pk, _ = await sent_to(store, EVERYBODY)
    first, second = (await claim(store, 2)).deliveries
    async with store.writing() as db:
        await storage.deliveries.finish(db, [Mark(first.id, first.fence, State.SENT, 7)])
        so_far = await storage.broadcasts.progress(db, pk)
    assert so_far == Progress(sent=1, failed=0, waiting=4, stopped=0, open=True)
    async with store.writing() as db:
        await storage.broadcasts.stop(db, pk)
        again = Mark(second.id, second.fence, State.PENDING, retry_in=timedelta(0))
        await storage.deliveries.finish(db, [again])
    assert (await claim(store, 10)).deliveries == ()
    async with store.writing() as db:
        await storage.lapsed.expire(db)
        ended = await storage.broadcasts.progress(db, pk)
    assert ended == Progress(sent=1, failed=1, waiting=0, stopped=3, open=False)


async def test_a_broadcast_stopped_before_its_fan_out_ends_with_it(store: Store) -> None:
    """Nobody who was not reached yet gets a delivery."""
    async with store.writing() as db:
        await people(db)
        pk = await storage.alerts.enqueue(db, alert("1", WORDS, EVERYBODY, now=NOW))
        assert pk is not None
        await storage.fan_out.fan_out(db, chunk=2)
        await storage.broadcasts.stop(db, pk)
        assert await storage.fan_out.fan_out(db, chunk=2) is None
        ended = await storage.broadcasts.progress(db, pk)
    assert ended == Progress(sent=0, failed=0, waiting=0, stopped=2, open=False)


async def test_a_broadcast_that_is_not_sent_ends(store: Store) -> None:
    """It is nobody's then, and forgotten at the next tidying; a new one takes its place at once."""
    async with store.writing() as db:
        await people(db)
        old = await storage.broadcasts.begin(db, 1)
        number = await storage.broadcasts.begin(db, 1)
        await storage.broadcasts.begin(db, 2)
        assert await storage.broadcasts.of_chat(db, old, 1) is None
        mine = await storage.broadcasts.awaited(db, 1)
        assert mine is not None
        assert mine.id == number
        assert mine.step is Step.ASKED
        assert await storage.broadcasts.of_chat(db, number, 2) is None
        past = NOW - timedelta(days=9999)
        await db.execute(update(broadcast).where(broadcast.c.id == number).values(until_at=past))
        assert await storage.broadcasts.awaited(db, 1) is None
        assert await storage.broadcasts.of_chat(db, number, 1) is None
        await storage.retention._broadcasts(db, NOW)
        left = (await db.execute(select(broadcast.c.chat_id))).scalars().all()
        assert left == [2]
        assert len((await storage.privacy.export(db, 2)).tables["broadcast"]) == 1
        await storage.privacy.erase(db, 2)
        assert (await db.execute(select(broadcast.c.chat_id))).all() == []
