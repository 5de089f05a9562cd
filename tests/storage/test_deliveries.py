"""The outbox's promises, on every database: who is told, once, in which order, and how fast."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select, update

import storage.alerts
import storage.chats
import storage.claims
import storage.deliveries
import storage.fan_out
import storage.lapsed
import storage.pace
import storage.places
import storage.supergroups
import storage.superseding
from bot.alerts.answers import alert as late_answer
from bot.alerts.edits import StoryGrew
from bot.alerts.notices import Notice
from bot.model.alerts import Alert, Approval, Audience, Lane, Severity, State
from bot.model.calls import Call
from bot.model.chats import ChatKind, Wakes
from bot.reasons import read
from bot.telegram.outcomes import BLOCKED, KICKED, NO_RIGHT
from storage.chats import STOPPED
from storage.claims import Claim
from storage.db import Db, Store, db_now
from storage.deliveries import Mark
from storage.opening import open_store
from storage.schema import alert, chat, delivery, pace, subscription
from tests.factories import NOW
from tests.factories import chat as a_chat
from tests.storage.many import repeat

KEY = "topic:security"
FAST = 10_000.0
SECOND = timedelta(seconds=1)


def an_alert(
    name: str = "a", *, at: datetime = NOW, lives: timedelta = timedelta(hours=1), **changes: Any
) -> Alert:
    """A notice to the subscribers of one key."""
    fields: dict[str, Any] = {
        "dedup_key": name,
        "payload": Notice(msgid="notice.test"),
        "severity": Severity.NOTABLE,
        "lane": Lane.ALERT,
        "audience": Audience(subscription=KEY),
        "created_at": at,
        "expires_at": at + lives,
    }
    return Alert(**{**fields, **changes})


async def readers(
    db: Db, *ids: int, kind: ChatKind = ChatKind.PRIVATE, since: datetime = NOW
) -> None:
    """Chats that want to know."""
    for number in ids:
        await storage.chats.add(db, a_chat(number, kind=kind), now=NOW)
        await storage.chats.subscribe(db, number, [KEY], now=since)


async def many_readers(db: Db, count: int) -> None:
    """Chats that want to know, numbered from 1."""
    await readers(db, 1)
    await repeat(db, chat, "id", range(2, count + 1))
    await repeat(db, subscription, "chat_id", range(2, count + 1))


async def fan_all(db: Db, **chunk: int) -> None:
    """Fan out everything that is open."""
    while await storage.fan_out.fan_out(db, **chunk) is not None:
        pass


async def claim(db: Db, **changes: Any) -> Claim:
    """A claim whose pace is no obstacle."""
    fields: dict[str, Any] = {"token": "t", "rate": FAST, "horizon": SECOND, "lease": 30 * SECOND}
    return await storage.claims.claim(db, **{**fields, **changes})


async def told(db: Db, **where: Any) -> list[tuple[int, str]]:
    """Chat and state of every delivery, by chat."""
    query = select(delivery.c.chat_id, delivery.c.state).order_by(delivery.c.chat_id, delivery.c.id)
    return [(row.chat_id, row.state) for row in await db.execute(query.filter_by(**where))]


async def sent(db: Db, got: Claim) -> None:
    """Mark all of a claim as sent."""
    await storage.deliveries.finish(
        db,
        [
            Mark(id=one.id, fence=one.fence, state=State.SENT, message_id=7)
            for one in got.deliveries
        ],
    )


async def forget_chat_pace(db: Db) -> None:
    """Forget the chats' pace, as if they had been quiet for long."""
    await db.execute(update(chat).values(tat=None))


async def test_a_decision_is_stored_once_for_ever(store: Store) -> None:
    """The same dedup key again gives None, in the same transaction or a later one."""
    async with store.writing() as db:
        assert await storage.alerts.enqueue(db, an_alert()) is not None
        assert await storage.alerts.enqueue(db, an_alert()) is None
    async with store.writing() as db:
        assert await storage.alerts.enqueue(db, an_alert(at=NOW + SECOND)) is None


async def test_fan_out_goes_on_after_a_transaction_that_failed(store: Store) -> None:
    """Every reader gets exactly one delivery, though a chunk was rolled back in between."""
    async with store.writing() as db:
        await readers(db, *range(1, 8))
        await storage.alerts.enqueue(db, an_alert())
    async with store.writing() as db:
        assert await storage.fan_out.fan_out(db, chunk=3) == 3
    with pytest.raises(RuntimeError):
        async with store.writing() as db:
            assert await storage.fan_out.fan_out(db, chunk=3) == 3
            raise RuntimeError
    async with store.writing() as db:
        assert [await storage.fan_out.fan_out(db, chunk=3) for _ in range(3)] == [3, 1, None]
        assert await told(db) == [(number, "pending") for number in range(1, 8)]


async def test_a_chat_that_has_its_delivery_already_is_passed_by_a_fan_out(store: Store) -> None:
    """A group that moved among the chats still to come brought it along; the others of its chunk
    get theirs, and so do those of the next alert.
    """
    async with store.writing() as db:
        await readers(db, *range(1, 7))
        first = await storage.alerts.enqueue(db, an_alert())
        assert first is not None
    async with store.writing() as db:
        assert await storage.fan_out.fan_out(db, chunk=3) == 3
        await db.execute(
            update(delivery)
            .where(delivery.c.chat_id == 2)
            .values(chat_id=5, state=State.SENT.value, message_id=7)
        )
    async with store.writing() as db:
        assert [await storage.fan_out.fan_out(db, chunk=3) for _ in range(3)] == [2, 0, None]
        assert await told(db) == [
            (1, "pending"),
            (3, "pending"),
            (4, "pending"),
            (5, "sent"),
            (6, "pending"),
        ]
        await storage.alerts.enqueue(db, an_alert("next"))
        assert await storage.fan_out.fan_out(db) == 6


async def test_only_active_chats_that_asked_before_and_do_not_snooze_are_told(store: Store) -> None:
    """Chat 1 asked in time; 2 left, 3 asked later, 4 snoozes, 5's snooze is over."""
    async with store.writing() as db:
        await readers(db, 1, 2, 4, 5)
        await readers(db, 3, since=NOW + SECOND)
        await storage.chats.close(db, 2, why=BLOCKED.why)
        await storage.chats.snooze(db, 4, KEY, span=timedelta(hours=1))
        await storage.chats.snooze(db, 5, KEY, span=-SECOND)
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
        assert [number for number, _ in await told(db)] == [1, 5]


async def test_a_chat_has_one_delivery_out_at_a_time_in_the_order_of_alerts(store: Store) -> None:
    """I6: the second is claimed only after the first was marked."""
    async with store.writing() as db:
        await readers(db, 1)
        pks = [await storage.alerts.enqueue(db, an_alert(name)) for name in "abc"]
        await fan_all(db)
        for pk in pks:
            got = await claim(db)
            assert [one.alert for one in got.deliveries] == [pk]
            assert (await claim(db)).deliveries == ()
            await sent(db, got)


async def test_a_delivery_to_be_retried_keeps_its_place(store: Store) -> None:
    """The next alert of that chat waits until the first is sent or dead."""
    async with store.writing() as db:
        await readers(db, 1)
        for name in "ab":
            await storage.alerts.enqueue(db, an_alert(name))
        await fan_all(db)
        one = (await claim(db)).deliveries[0]
        await storage.deliveries.finish(
            db, [Mark(id=one.id, fence=one.fence, state=State.PENDING, retry_in=60 * SECOND)]
        )
        assert (await claim(db)).deliveries == ()


async def test_lanes_go_before_each_other_and_never_two_of_a_chat_at_once(store: Store) -> None:
    """Urgent first, though it was decided last; a chat's other lanes wait for it."""
    async with store.writing() as db:
        await readers(db, 1, 2)
        for lane in (Lane.ROUTINE, Lane.ALERT, Lane.URGENT):
            await storage.alerts.enqueue(db, an_alert(lane.name, lane=lane))
        await fan_all(db)
        for lane in (Lane.URGENT, Lane.ALERT, Lane.ROUTINE):
            assert (await claim(db, above=lane)).deliveries == ()
            got = await claim(db)
            assert [(one.chat, one.lane) for one in got.deliveries] == [(1, lane), (2, lane)]
            await sent(db, got)


async def test_a_newer_alert_replaces_only_what_was_not_sent(store: Store) -> None:
    """Sent stays sent, waiting is superseded, and an alert not yet fanned out is never fanned
    out.
    """
    async with store.writing() as db:
        await readers(db, 1, 2)
        old = await storage.alerts.enqueue(db, an_alert("old", supersede_key="usd"))
        await fan_all(db)
        await sent(db, await claim(db, limit=1))
        middle = await storage.alerts.enqueue(db, an_alert("middle", supersede_key="usd"))
        new = await storage.alerts.enqueue(db, an_alert("new", supersede_key="usd"))
        await storage.alerts.enqueue(db, an_alert("other", supersede_key="eur"))
        await fan_all(db)
        assert await told(db, alert_id=old) == [(1, "sent"), (2, "superseded")]
        assert await told(db, alert_id=middle) == []
        assert await told(db, alert_id=new) == [(1, "pending"), (2, "pending")]


async def test_an_approved_alert_takes_the_place_of_the_older_then_and_not_before(
    store: Store,
) -> None:
    """Whoever has not got an older one gets it, for the last one may never be sent; what is
    replaced has its end, and what was not fanned out is not any more.
    """
    async with store.writing() as db:
        await readers(db, 1)
        old = await storage.alerts.enqueue(db, an_alert("old", supersede_key="7"))
        await fan_all(db)
        new = await storage.alerts.enqueue(db, an_alert("new", supersede_key="7", approval=True))
        still = await storage.alerts.enqueue(db, an_alert("still", supersede_key="8"))
        last = await storage.alerts.enqueue(db, an_alert("last", supersede_key="8", approval=True))
        assert new is not None
        assert last is not None
        assert await told(db) == [(1, "pending")]
        for one in (new, last):
            await storage.alerts.decide(db, one, Approval.APPROVED)
        await fan_all(db)
        assert await told(db, alert_id=old) == [(1, "superseded")]
        assert await told(db, alert_id=still) == []
        assert await told(db, state="pending") == [(1, "pending")] * 2
        ended = select(delivery.c.finished_at).where(delivery.c.alert_id == old)
        assert (await db.execute(ended)).scalar() is not None


async def test_an_alert_is_overtaken_by_a_later_one_of_its_key_and_by_no_other(
    store: Store,
) -> None:
    """Not by itself, by an older one, or for what became of another."""
    async with store.writing() as db:

        async def waiting(name: str, key: str) -> int:
            made = an_alert(name, supersede_key=key, approval=True)
            number = await storage.alerts.enqueue(db, made)
            assert number is not None
            return number

        first, other = await waiting("a", "7"), await waiting("b", "8")
        assert not await storage.superseding.is_overtaken(db, first)
        later = await waiting("c", "7")
        overtaken = [
            await storage.superseding.is_overtaken(db, one) for one in (first, other, later)
        ]
    assert overtaken == [True, False, False]


async def test_an_alert_of_another_kind_replaces_nothing(store: Store) -> None:
    """Whatever its `supersede_key` is; and one that has the very key of another kind's stops
    loudly, for nobody would be told.
    """
    async with store.writing() as db:
        await readers(db, 1)
        first = await storage.alerts.enqueue(db, an_alert("a", supersede_key="7"))
        assert first is not None
        payload = StoryGrew(told=first)
        await storage.alerts.enqueue(db, an_alert("b", supersede_key="7", payload=payload))
        assert await storage.alerts.enqueue(db, an_alert("a")) is None
        with pytest.raises(RuntimeError, match="notice and edit"):
            await storage.alerts.enqueue(db, an_alert("a", payload=payload))
        await fan_all(db)
        assert await told(db, alert_id=first) == [(1, "pending")]


async def test_what_expired_is_never_claimed_but_closed(store: Store) -> None:
    """I5."""
    async with store.writing() as db:
        await readers(db, 1)
        await storage.alerts.enqueue(db, an_alert("late", lives=-SECOND))
        fresh = await storage.alerts.enqueue(db, an_alert("fresh"))
        await fan_all(db)
        assert [one.alert for one in (await claim(db)).deliveries] == [fresh]
        assert await storage.lapsed.expire(db) == 1
        assert await told(db) == [(1, "expired"), (1, "leased")]


async def test_many_that_expired_are_closed_a_chunk_a_tick_while_others_are_sent(
    store: Store,
) -> None:
    """After an outage no transaction closes them all, and what is fresh does not wait for that."""
    async with store.writing() as db:
        await many_readers(db, 25)
        await storage.alerts.enqueue(db, an_alert("late", lives=-SECOND))
        fresh = await storage.alerts.enqueue(db, an_alert("fresh", at=NOW + SECOND))
        await fan_all(db)
    left, sent = [], 0
    while not left or left[-1]:
        async with store.writing() as db:
            await storage.lapsed.expire(db, chunk=10)
            late = (delivery.c.alert_id != fresh, delivery.c.state == State.PENDING.value)
            left.append(
                (
                    await db.execute(select(func.count()).select_from(delivery).where(*late))
                ).scalar_one()
            )
            taken = (await claim(db, limit=5)).deliveries
            assert {one.alert for one in taken} <= {fresh}
            await storage.deliveries.finish(
                db, [Mark(one.id, one.fence, State.SENT, 1) for one in taken]
            )
            sent += len(taken)
    assert left == [15, 5, 0]
    assert sent == 15


@pytest.mark.postgres
async def test_a_chat_closed_while_a_fan_out_gives_it_a_delivery_has_that_closed_too(
    migrated_postgres_url: str,
) -> None:
    """Neither transaction sees the other's row; the next look at what waits does, says why, and
    touches nobody else.
    """
    store = await open_store(migrated_postgres_url)
    async with store.writing() as db:
        await readers(db, 1, 2, 3)
        await storage.alerts.enqueue(db, an_alert())
    async with store.writing() as fanning:
        assert await storage.fan_out.fan_out(fanning) == 3
        async with store.writing() as closing:
            await storage.chats.close(closing, 2, why=BLOCKED.why)
            await storage.chats.close(closing, 3, why=BLOCKED.why)
            await storage.chats.activate(closing, 3)
    async with store.writing() as db:
        assert await told(db) == [(1, "pending"), (2, "pending"), (3, "pending")]
        await storage.lapsed.expire(db)
        assert await told(db) == [(1, "pending"), (2, "dead"), (3, "pending")]
        why = select(delivery.c.error).where(delivery.c.chat_id == 2)
        assert read((await db.execute(why)).scalar_one()) == BLOCKED.why
    await store.close()


@pytest.mark.postgres
async def test_G21_alerts_given_to_a_chat_while_it_says_stop_are_closed_and_its_answers_are_not(
    migrated_postgres_url: str,
) -> None:
    """By the next look at what waits, which says why; nor do they leave before it."""
    store = await open_store(migrated_postgres_url)
    async with store.writing() as db:
        await readers(db, 1, 2)
        call = Call(method="sendMessage", parameters={})
        answer = late_answer(2, 2, call, flood=True, now=NOW, lasts=timedelta(days=99999))
        await storage.alerts.enqueue(db, an_alert())
        await storage.alerts.enqueue(db, answer)
    async with store.writing() as fanning:
        await fan_all(fanning)
        async with store.writing() as stopping:
            await storage.chats.stop(stopping, 2)
    async with store.writing() as db:
        assert await told(db) == [(1, "pending"), (2, "pending"), (2, "pending")]
        assert [one.chat for one in (await claim(db)).deliveries] == [1]
        await storage.lapsed.expire(db)
        assert [one.chat for one in (await claim(db)).deliveries] == [2]
        query = select(alert.c.awaited, delivery.c.state, delivery.c.error)
        theirs = query.join(delivery, delivery.c.alert_id == alert.c.id).where(
            delivery.c.chat_id == 2
        )
        found = {row.awaited: (row.state, row.error) for row in await db.execute(theirs)}
        assert found == {False: ("dead", STOPPED), True: ("leased", None)}
    await store.close()


async def test_G21_to_a_chat_that_said_stop_go_answers_alone(store: Store) -> None:
    """Not where Telegram closed it besides; what closes alerts of closed chats leaves them."""
    async with store.writing() as db:
        await readers(db, 1, 2)
        await storage.chats.stop(db, 1)
        await storage.chats.stop(db, 2)
        await storage.chats.close(db, 2, why=BLOCKED.why)
        for one in (1, 2):
            call = Call(method="sendMessage", parameters={})
            answer = late_answer(one, one, call, flood=True, now=NOW, lasts=timedelta(days=99999))
            await storage.alerts.enqueue(db, answer)
            await storage.alerts.enqueue(db, an_alert(f"to {one}", audience=Audience(chat=one)))
        await fan_all(db)
        await storage.lapsed.expire(db)
        assert await told(db) == [(1, "pending")]
        # given to a chat that said it at that moment, and not closed yet
        await readers(db, 3)
        await storage.alerts.enqueue(db, an_alert("to 3", audience=Audience(chat=3)))
        await fan_all(db)
        values = {"active": False, "stopped": True, "inactive_why": STOPPED}
        await db.execute(update(chat).where(chat.c.id == 3).values(**values))
        taken = (await claim(db)).deliveries
        assert [one.chat for one in taken] == [1]


async def test_G24_what_left_the_queue_before_it_could_give_way_gives_way_to_nothing(
    store: Store,
) -> None:
    """The last of it may leave while the database is waited for."""
    async with store.writing() as db:
        await readers(db, 1)
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
        assert await storage.claims.outranked(db, [], Lane.ROUTINE) == set()


async def test_G24_a_chat_is_outranked_by_what_may_leave_now_on_a_lane_above(store: Store) -> None:
    """Not by what its own lane holds, nor by what waits for its time or is over."""
    async with store.writing() as db:
        await readers(db, *range(1, 6))
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
        taken = (await claim(db)).deliveries
        await forget_chat_pace(db)
        now = await db_now(db)
        for number, changes in {
            1: {"lane": Lane.URGENT},
            2: {"lane": Lane.ALERT},
            3: {"lane": Lane.URGENT, "not_before": now + SECOND},
            4: {"lane": Lane.URGENT, "expires_at": now},
        }.items():
            values = {"state": State.PENDING, "not_before": now, "expires_at": now + SECOND}
            row = {"alert_id": 1000 + number, "chat_id": number, **values, **changes}
            await db.execute(delivery.insert().values(**row))
        assert await storage.claims.outranked(db, taken, Lane.ALERT) == {1}


async def test_the_first_lane_is_given_out_first_whatever_was_decided_before(store: Store) -> None:
    """A long fan-out keeps nobody waiting for what is urgent."""
    async with store.writing() as db:
        await readers(db, 1, 2, 3)
        await storage.alerts.enqueue(db, an_alert("long"))
        assert await storage.fan_out.fan_out(db, chunk=2) == 2
        urgent = await storage.alerts.enqueue(db, an_alert("urgent", lane=Lane.URGENT))
        assert await storage.fan_out.fan_out(db) == 3
        given = select(delivery.c.chat_id).where(delivery.c.alert_id == urgent)
        assert len((await db.execute(given)).all()) == 3


@pytest.mark.parametrize(
    ("severity", "heard"), [(Severity.NOTABLE, True), (Severity.INFO, False)], ids=str
)
async def test_what_is_near_is_graver_by_one_level_and_no_more(
    store: Store, severity: Severity, heard: bool
) -> None:
    """Who wants what is urgent hears there of what is important, and not of what is calm."""
    async with store.writing() as db:
        await readers(db, 1)
        await storage.chats.change(db, 1, wakes=Wakes.URGENT)
        await storage.places.toggle(db, 1, "osh")
        audience = Audience(subscription=KEY, near=frozenset({"osh"}))
        await storage.alerts.enqueue(db, an_alert(severity=severity, audience=audience))
        await fan_all(db)
        assert await told(db) == ([(1, "pending")] if heard else [])


async def test_claims_never_give_more_slots_than_the_rate_in_any_second(store: Store) -> None:
    """Slots of many claims of random sizes, with more of them for replies."""
    dice, rate, slots = random.Random(7), 40.0, []
    async with store.writing() as db:
        await many_readers(db, 300)
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
    taken = 0
    for _ in range(25):
        async with store.writing() as db:
            got = await claim(
                db,
                rate=rate,
                limit=dice.randint(1, 20),
                horizon=5 * SECOND,
                turns=dice.randint(0, 2),
            )
        slots += [got.at + got.first_in + got.every * number for number in range(got.slots)]
        taken += len(got.deliveries)
    assert taken > 100
    slots.sort()
    for first, later in zip(slots, slots[int(rate) + 1 :], strict=False):
        assert later - first >= SECOND


async def _times(store: Store, kind: ChatKind, count: int, step: timedelta) -> list[timedelta]:
    """When each of `count` alerts to one chat may go, on a clock that moves by `step` more than the
    database's own.
    """
    times: list[timedelta] = []
    async with store.writing() as db:
        await readers(db, 1, kind=kind)
        for number in range(count):
            await storage.alerts.enqueue(db, an_alert(str(number)))
        await fan_all(db)
        begun = await db_now(db)
        for tick in range(2 * 60 * count):
            if len(times) == count:
                break
            got = await claim(db)
            # what a busy machine takes has passed for the chat too
            times += [got.at - begun + tick * step] * len(got.deliveries)
            await sent(db, got)
            if not got.deliveries or step < SECOND:
                tat = (await db.execute(select(chat.c.tat))).scalar_one()
                await db.execute(update(chat).values(tat=tat - step))
    return times


async def test_G14_a_groups_21st_message_in_a_minute_is_delayed_not_dropped(store: Store) -> None:
    """Of 24 alerts at once at most 20 go in any minute, and all go in the end."""
    times = await _times(store, ChatKind.GROUP, 24, timedelta(milliseconds=750))
    assert len(times) == 24
    for first, later in zip(times, times[20:], strict=False):
        assert later - first >= timedelta(seconds=60)


async def test_P24_no_slot_is_before_the_answer_to_the_claim_is_heard(store: Store) -> None:
    """A sender beside others would lose it; the row is moved for those it gave, and no farther."""
    async with store.writing() as db:
        await readers(db, 1)
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
        rate = {"rate": 10.0, "horizon": 2 * SECOND}
        got = await claim(db, answer_in=SECOND, turns=3, **rate)
        assert (len(got.deliveries), got.slots) == (1, 4)
        assert got.first_in == SECOND
        after = await claim(db, turns=1, end=got.end, **rate)
        assert got.at + SECOND + 4 * got.every <= after.at + after.first_in + SECOND / 1000
        assert after.at + after.first_in <= got.at + SECOND + 4 * got.every + SECOND / 1000


@pytest.mark.parametrize("kind", [ChatKind.PRIVATE, ChatKind.GROUP])
async def test_four_messages_for_a_chat_that_was_quiet_leave_at_once(
    store: Store, kind: ChatKind
) -> None:
    async with store.writing() as db:
        await readers(db, 1, kind=kind)
        for name in "abcd":
            await storage.alerts.enqueue(db, an_alert(name))
        await fan_all(db)
        for _ in range(4):
            got = await claim(db)
            assert len(got.deliveries) == 1
            await sent(db, got)


async def test_a_claim_tells_what_ends_before_its_lease_and_who_else_takes_slots(
    store: Store,
) -> None:
    """A sender that comes back to slots where it left them is alone; an hour later it is too."""
    async with store.writing() as db:
        await readers(db, 1, 2)
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
        ends_at = await db_now(db) + 20 * SECOND
        first = delivery.c.chat_id == 1
        await db.execute(update(delivery).where(first).values(expires_at=ends_at))
        got = await claim(db, turns=1)
        left = {one.chat: one.expires_in for one in got.deliveries}
        assert left == {1: ends_at - got.at, 2: None}
        again = await claim(db, turns=1, end=got.end)
        assert not again.shared
        for reserved, shared in ((9 * SECOND, True), (timedelta(hours=-1), False)):
            await db.execute(update(pace).values(tat=await db_now(db) + reserved))
            assert (await claim(db, end=got.end)).shared == shared


async def test_a_person_gets_a_short_burst_and_then_one_a_second(store: Store) -> None:
    """At most four at once."""
    times = await _times(store, ChatKind.PRIVATE, 8, timedelta(milliseconds=250))
    assert len(times) == 8
    for number, at in enumerate(times):
        assert at - times[0] >= (number - 3) * SECOND


async def test_p3_a_mark_under_an_old_fence_changes_nothing(store: Store) -> None:
    """A sender that slept through its lease cannot overwrite what the next one did."""
    async with store.writing() as db:
        await readers(db, 1)
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
        old = await claim(db, lease=-SECOND)
        assert await storage.lapsed.tidy(db, lease=SECOND) == 1
        new = await claim(db)
        assert new.deliveries[0].fence > old.deliveries[0].fence
        await sent(db, old)
        assert await told(db) == [(1, "leased")]
        await sent(db, new)
        await storage.deliveries.release(db, old.deliveries)
        assert await told(db) == [(1, "sent")]


async def test_the_first_claims_of_all_senders_reserve_different_slots(store: Store) -> None:
    """Nobody has sent under this token before; each claim's slots end where the next one's
    begin.
    """
    async with store.writing() as db:
        await readers(db, *range(1, 11))
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)

    async def one() -> Claim:
        async with store.writing() as db:
            return await claim(db, rate=1.0, horizon=60 * SECOND, limit=2)

    claims = await asyncio.gather(*(one() for _ in range(5)))
    ends = sorted(
        claimed.end for claimed in claims if claimed.end is not None and claimed.deliveries
    )
    assert len(ends) > 1
    assert all(later - earlier >= 2 * SECOND for earlier, later in pairwise(ends))


async def test_P3_a_late_mark_counts_while_nobody_took_the_delivery_again(store: Store) -> None:
    """The database was away for longer than the lease: what was sent then is not sent once more."""
    async with store.writing() as db:
        await readers(db, 1, 2)
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
        late = await claim(db, lease=-SECOND)
        assert await storage.lapsed.tidy(db, lease=SECOND) == 2
        await storage.deliveries.finish(
            db, [Mark(*mark(late, 0), State.SENT, 7), Mark(*mark(late, 1), State.DEAD)]
        )
        assert await told(db) == [(1, "sent"), (2, "dead")]
        assert (await claim(db)).deliveries == ()


def mark(claimed: Claim, number: int) -> tuple[int, int]:
    """The row and the fence of one delivery."""
    return claimed.deliveries[number].id, claimed.deliveries[number].fence


async def test_tidy_frees_ended_leases_only(store: Store) -> None:
    """Chat 1's sender is gone, chat 2's is at work."""
    async with store.writing() as db:
        await readers(db, 1, 2)
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
        await claim(db, lease=-SECOND, limit=1)
        await claim(db, limit=1)
        assert await storage.lapsed.tidy(db, lease=SECOND) == 1
        assert await told(db) == [(1, "pending"), (2, "leased")]
        assert await storage.lapsed.free_all(db) == 1


async def test_what_is_released_may_be_taken_at_once(store: Store) -> None:
    """With its tries and doubts as they were."""
    async with store.writing() as db:
        await readers(db, 1)
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
        await db.execute(update(delivery).values(tries=3, doubts=1))
        await storage.deliveries.release(db, (await claim(db)).deliveries)
        again = (await claim(db)).deliveries
    assert [(one.tries, one.doubts) for one in again] == [(3, 1)]


async def test_two_claimers_at_once_never_share_a_delivery(store: Store) -> None:
    """Also at their very first claim, before the token has a row."""
    async with store.writing() as db:
        await many_readers(db, 100)
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)

    async def one() -> list[int]:
        async with store.writing() as db:
            return [item.id for item in (await claim(db, limit=30)).deliveries]

    taken = [pk for ids in await asyncio.gather(*(one() for _ in range(5))) for pk in ids]
    assert len(taken) == len(set(taken))
    assert len(taken) <= 100


async def test_a_paused_token_sends_nothing_and_says_for_how_long(store: Store) -> None:
    """Another token goes on."""
    async with store.writing() as db:
        await readers(db, 1)
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
        await storage.pace.pause_token(db, "t", 60 * SECOND)
        got = await claim(db)
        assert got.deliveries == ()
        assert timedelta(seconds=50) < got.first_in <= 60 * SECOND
        assert got.paused == got.first_in
        assert len((await claim(db, token="other")).deliveries) == 1


async def test_a_delivery_says_which_alert_was_the_newest_when_it_was_claimed(
    store: Store,
) -> None:
    """Whoever that is for: what was rendered before it may be out of date."""
    async with store.writing() as db:
        await readers(db, 1)
        first = await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
        last = await storage.alerts.enqueue(db, an_alert("b", audience=Audience(chat=2)))
        got = [(one.alert, one.newest) for one in (await claim(db)).deliveries]
    assert got == [(first, last)]


@pytest.mark.parametrize("kind", [ChatKind.PRIVATE, ChatKind.GROUP, ChatKind.CHANNEL])
async def test_a_paused_chat_waits_and_the_others_do_not(store: Store, kind: ChatKind) -> None:
    """Whatever kind of chat it is."""
    async with store.writing() as db:
        await readers(db, 1, 2, kind=kind)
        await storage.alerts.enqueue(db, an_alert())
        await fan_all(db)
        await storage.chats.pause(db, 1, 60 * SECOND)
        assert [one.chat for one in (await claim(db)).deliveries] == [2]


async def test_a_closed_chat_gets_nothing_until_it_is_active_again(store: Store) -> None:
    """Waiting deliveries are dead with the reason; those of after its return are sent."""
    async with store.writing() as db:
        await readers(db, 1)
        await storage.alerts.enqueue(db, an_alert("a"))
        await fan_all(db)
        await storage.chats.close(db, 1, why=BLOCKED.why)
        await storage.alerts.enqueue(db, an_alert("b"))
        await fan_all(db)
        assert await told(db) == [(1, "dead")]
        assert read((await db.execute(select(delivery.c.error))).scalar_one()) == BLOCKED.why
        await storage.chats.activate(db, 1)
        await storage.alerts.enqueue(db, an_alert("c"))
        await fan_all(db)
        assert len((await claim(db)).deliveries) == 1


async def test_G19_what_was_closed_with_a_group_that_moved_waits_again_for_whatever_reason(
    store: Store,
) -> None:
    """It may have been closed twice, for two reasons; what was dead before stays so, and what may
    have arrived.
    """
    async with store.writing() as db:
        await readers(db, -5, kind=ChatKind.GROUP)
        for name in ("long dead", "doubted", "waits"):
            await storage.alerts.enqueue(db, an_alert(name))
        await fan_all(db)
        first, second, _ = (await db.execute(select(delivery.c.id).order_by(delivery.c.id))).all()
        dead = {"state": State.DEAD.value, "error": "chat not found"}
        one = delivery.c.id == first.id
        await db.execute(update(delivery).where(one).values(**dead, finished_at=NOW))
        one = delivery.c.id == second.id
        later = NOW + timedelta(days=36_500)
        await db.execute(update(delivery).where(one).values(**dead, finished_at=later, doubts=2))
    for why in (NO_RIGHT.why, KICKED.why):
        async with store.writing() as db:
            await storage.chats.close(db, -5, why=why)
    async with store.writing() as db:
        await storage.supergroups.migrate(db, -5, -100500)
        assert await told(db) == [(-100500, "dead"), (-100500, "dead"), (-100500, "pending")]


async def test_G19_a_group_that_moved_to_its_own_number_keeps_everything(store: Store) -> None:
    """It lost its row, its subscriptions and what waited for it."""
    async with store.writing() as db:
        await readers(db, -5, kind=ChatKind.GROUP)
        await storage.alerts.enqueue(db, an_alert("a"))
        await fan_all(db)
        before = await storage.chats.subscriptions(db, -5)
        await storage.supergroups.migrate(db, -5, -5)
        assert before
        assert await storage.chats.subscriptions(db, -5) == before
        assert await storage.chats.get(db, -5) is not None
        assert await told(db) == [(-5, "pending")]


async def test_G8_a_migrated_group_keeps_its_deliveries_and_gets_none_twice(store: Store) -> None:
    """Also when the new id has a delivery of the same alert already, and when told twice."""
    async with store.writing() as db:
        await readers(db, -5, kind=ChatKind.GROUP)
        first = await storage.alerts.enqueue(db, an_alert("a"))
        await fan_all(db)
        await readers(db, -100500, kind=ChatKind.GROUP)
        second = await storage.alerts.enqueue(db, an_alert("b"))
        own = await storage.alerts.enqueue(db, an_alert("c", audience=Audience(chat=-5)))
        await fan_all(db)
        for _ in range(2):
            await storage.supergroups.migrate(db, -5, -100500)
        got = []
        for _ in range(5):
            await forget_chat_pace(db)
            part = await claim(db)
            await sent(db, part)
            got += [(one.chat, one.alert) for one in part.deliveries]
        assert got == [(-100500, first), (-100500, second), (-100500, own)]
        assert (await db.execute(select(func.count()).select_from(chat))).scalar_one() == 1
        assert (
            await db.execute(select(alert.c.audience_chat).where(alert.c.id == own))
        ).scalar_one() == -100500
        assert (await db.execute(select(func.count()).select_from(pace))).scalar_one() == 1
