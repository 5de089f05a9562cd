"""One budget for all that is sent: replies go first and never starve alerts, chats keep their pace,
no debt is left.

The first tests run the whole program beside an emulated Telegram with its real limits; the others
the sender alone.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

import storage.chats
import storage.claims
from bench.lanes import PER_GROUP, Plan, Report, beside_questions
from bot.clock import boottime
from bot.deliver.claims import HORIZON, SLOWEST
from bot.deliver.limits import REPLY_BURSTS, ChatPaces, Gate
from bot.deliver.slots import Slots
from bot.deliver.worker import Worker
from bot.emulator import TEST_TOKEN, Emulator
from bot.emulator.calls import Call
from bot.model.alerts import Lane
from bot.model.chats import ChatKind
from bot.telegram.api import Api
from bot.telegram.session import open_session
from storage.db import Store, db_now
from storage.opening import held_store
from storage.pace import GROUP_BURST, GROUP_EVERY
from storage.schema import chat as chat_table
from storage.schema import pace
from tests import forkserver
from tests.factories import NOW
from tests.factories import chat as a_chat
from tests.world import Sending, World

READERS = range(3001, 3031)
GROUP = -1001000000001
MINUTE = 60.0
SOON = 5.0  # seconds from an alert's decision until it leaves
# messages more that may arrive in a second on a busy machine: then it is Telegram's own limit, 30
JITTER = 5


def kept(report: Report, plan: Plan) -> None:
    """Check all that must hold of every run."""
    assert len(report.delays) == plan.alerts
    assert report.refused == 0
    assert report.most_a_second <= plan.rate + JITTER
    assert report.most_in_a_group <= PER_GROUP
    # what a slow claim reserves ahead of its own end
    assert report.ahead <= HORIZON.total_seconds() + 2 * SLOWEST


@pytest.mark.cases
async def test_G24_alerts_leave_beside_more_questions_than_the_rate_also_after_a_kill(
    migrated_url: str,
) -> None:
    """More than twice the rate: no alert waits for their end, Telegram refuses nothing."""
    plan = Plan(questions=24, alerts=4, every=0.5, before=2, killed_after=2, rate=10, chats=24)
    report = await beside_questions(migrated_url, plan, forkserver.start)
    kept(report, plan)
    assert report.replies > 0


@pytest.mark.slow  # beside the lanes of one process, on both databases
@pytest.mark.postgres
async def test_G24_replicas_share_the_budget(migrated_postgres_url: str) -> None:
    """Two programs on one database: the rate is that of both together."""
    plan = Plan(questions=24, alerts=4, every=0.5, before=2, replicas=2, rate=10, chats=24)
    kept(await beside_questions(migrated_postgres_url, plan, forkserver.start), plan)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("questions", "killed_after"), [(28, None), (50, 10), (60, None)])
async def test_G24_twenty_alerts_beside_minutes_of_questions_are_told_at_once(
    migrated_url: str, questions: float, killed_after: int | None
) -> None:
    """Each within five seconds of its decision."""
    plan = Plan(questions=questions, killed_after=killed_after, before=60, every=3)
    report = await beside_questions(migrated_url, plan, forkserver.start)
    kept(report, plan)
    assert max(report.delays) <= SOON


# ── the sender alone ────────────────────────────────────────────────────────


@asynccontextmanager
async def sender(store: Store, *, rate: float = 40.0) -> AsyncIterator[World]:
    """A worker before a Telegram, with readers and a group."""
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(Emulator(open_chats=True))
        session = await stack.enter_async_context(open_session())
        bench = World(store)
        bench.send_through(
            emulator, Api(session, url=emulator.api_url, token=TEST_TOKEN), rate=rate
        )
        for number in READERS:
            emulator.add_private(emulator.add_user(number, "R", "en"))
        emulator.add_group(GROUP, "Neighbours", members=[READERS[0]])
        yield bench


async def ask_on(worker: Worker, chat_of: Callable[[], int], left: Callable[[str], None]) -> None:
    """Somebody who is answered and asks again, for ever."""
    while True:
        await worker.turn(chat_of())
        left("reply")


@pytest.mark.parametrize(("lane", "part"), [(Lane.URGENT, 3), (Lane.ALERT, 3), (Lane.ROUTINE, 10)])
@pytest.mark.cases(keep=1)
async def test_G24_whatever_is_asked_each_lane_keeps_its_part(
    store: Store, lane: Lane, part: int
) -> None:
    """The urgent and alert lanes a third of what leaves, the routine lane a tenth; replies have the
    rest.
    """
    async with sender(store) as bench:
        await bench.readers(READERS)
        order: list[str] = []
        post = bench.worker.api.post

        async def noting(method: str, body: bytes) -> object:
            order.append("delivery")
            return await post(method, body)

        bench.worker.api.post = noting  # type: ignore[method-assign, assignment]
        await bench.alert(lane)
        async with asked_on(bench, 20, order.append), Sending(bench):
            for number in READERS:
                await bench.arrived(number, timeout=60)
        first = order.index("delivery")
        last = len(order) - order[::-1].index("delivery")
        between = order[first:last]
        assert between.count("delivery") == len(READERS)
        assert between.count("reply") >= len(READERS), "replies go first"
        # claims come in portions, and between two of them nothing waits here
        assert between.count("reply") <= 1.5 * (part - 1) * len(READERS)


@asynccontextmanager
async def asked_on(bench: World, askers: int, left: Callable[[str], None]) -> AsyncIterator[None]:
    """Strangers (`askers` of them) who are answered and ask again, meanwhile."""
    strangers = iter(range(10_000, 10**6))
    asking = [
        asyncio.create_task(ask_on(bench.worker, lambda: next(strangers), left))
        for _ in range(askers)
    ]
    yield
    for one in asking:
        one.cancel()


@pytest.mark.cases
async def test_G24_beside_questions_an_urgent_alert_goes_before_a_routine_one_under_way(
    store: Store,
) -> None:
    """Deliveries claimed and not begun give way, also to another alert for the same chats."""
    async with sender(store) as bench:
        await bench.readers(READERS)
        async with asked_on(bench, 20, lambda _: None), Sending(bench):
            await bench.alert(Lane.ROUTINE)
            before = (await bench.arrived(READERS[0])).number
            await bench.alert(Lane.URGENT)
            for number in READERS:
                await bench.tells(number, "chat 2")
            after = bench.emulator.calls.total
        text_of = {
            (number, told["message_id"]): told["text"]
            for number in READERS
            for told in bench.emulator.messages(number)
        }
        left = [
            text_of[call.chat_id, call.message_id]
            for call in bench.emulator.calls.since(before)
            if call.number <= after and call.accepted and call.chat_id in READERS
        ]
        # on their way when it came, and one or two for each claim
        assert sum("chat 1" in text for text in left) <= 8


@pytest.mark.postgres
async def test_G24_beside_questions_a_replica_claims_no_more_than_it_can_send(
    migrated_postgres_url: str,
) -> None:
    """While replies take every slot, what it holds does not grow from claim to claim until its
    leases end.
    """
    async with held_store(migrated_postgres_url) as store, sender(store, rate=25.0) as bench:
        await bench.readers(range(3001, 3101))
        await bench.alert(Lane.ROUTINE)
        slots, claims = bench.worker.slots, bench.worker._claims
        asking = [slots.wait_for_turn() for _ in range(60)]
        for _ in range(40):
            claims._took = 0.01  # however busy this machine is
            await claims._claim(None)
            slots._slots.clear()  # as if replies had left in them
        assert 0 < len(slots.queue) < 25
        assert not any(one.done() for one in asking)


@pytest.mark.cases
async def test_G24_those_who_ask_at_once_are_answered_in_the_order_they_asked(store: Store) -> None:
    """Beyond the rate each waits for its turn; who is away meanwhile holds up nobody."""
    async with sender(store, rate=20.0) as bench:
        answered: list[int] = []

        async def ask(number: int) -> None:
            await bench.worker.turn(number)
            answered.append(number)

        async with Sending(bench):
            await bench.worker.turn(1)
            asking = [asyncio.create_task(ask(number)) for number in range(100, 140)]
            await asyncio.sleep(0)
            asking[30].cancel()
            await asyncio.wait(asking)
        assert answered == [number for number in range(100, 140) if number != 130]


@pytest.mark.cases
async def test_G24_what_waits_at_a_stop_is_answered_within_the_rate(store: Store) -> None:
    """The worker is gone, the handlers end their work."""
    async with sender(store, rate=20.0) as bench:
        async with Sending(bench):
            asking = [asyncio.create_task(bench.worker.turn(number)) for number in range(100, 106)]
            await asyncio.wait(asking[:1])
        await asyncio.wait_for(asyncio.gather(*asking), 30)


@pytest.mark.cases
async def test_G24_a_row_far_ahead_is_healed_by_the_first_claim(store: Store) -> None:
    """Minutes of debt, as an earlier version left them, are forgotten at the start."""
    async with sender(store) as bench:
        await bench.reader(READERS[0])
        await bench.alert()
        async with store.writing() as db:
            await db.execute(
                pace.insert().values(name="t", tat=await db_now(db) + timedelta(seconds=813))
            )
        async with Sending(bench):
            await bench.arrived(READERS[0], timeout=30)
        async with store.writing() as db:
            tat = (await db.execute(select(pace.c.tat))).scalar_one()
            assert tat - await db_now(db) <= HORIZON


async def test_G24_no_claim_runs_further_ahead_than_the_horizon(store: Store) -> None:
    """However many wait for a slot: those beyond it wait for the next claim, and never more than
    the rate is given.
    """
    dice, rate = random.Random(24), 25.0
    taken = 0
    async with store.writing() as db:
        begun = await db_now(db)
    for _ in range(30):
        async with store.writing() as db:
            got = await storage.claims.claim(
                db,
                token="t",
                rate=rate,
                horizon=HORIZON,
                lease=timedelta(seconds=30),
                turns=dice.randint(0, 5000),
            )
            tat = (await db.execute(select(pace.c.tat))).scalar_one()
            assert tat - got.at <= HORIZON
            taken += got.slots
    async with store.writing() as db:
        spent = await db_now(db) - begun
    assert taken <= rate * (spent + HORIZON).total_seconds() + 1


@pytest.mark.parametrize("rate", [0.5, 1.0, 3.0, 10.0, 25.0, 30.0, 200.0, 1000.0])
def test_G24_no_second_has_more_than_the_rate_however_replies_and_deliveries_come(
    rate: float,
) -> None:
    """Of what leaves through the gate at random moments; and what waits all the time leaves at 95 %
    of it at least.
    """
    dice, gate, now, left = random.Random(rate), Gate(rate, last=100.0), 100.0, []
    while len(left) < 5 * rate + 20:
        now += dice.random() / rate / dice.choice([1, 3, 50])
        reply = dice.random() < 0.5
        if gate.wait(now, first=reply) <= 0:
            gate.take(now, reply=reply)
            left.append(now)
    for first, later in zip(left, left[max(1, int(rate)) :], strict=False):
        assert later - first >= 1.0
    if rate >= 10:
        assert gate.pace >= 0.95 * rate


@pytest.mark.parametrize("rate", [3.0, 10.0, 25.0, 30.0])
async def test_G24_no_second_has_more_than_the_rate_where_a_busy_machine_keeps_replies_waiting(
    rate: float,
) -> None:
    """Messages let go together leave together, up to half a second later."""
    dice, now = random.Random(rate), boottime() + 60
    slots = Slots(rate, by_row=False, has_room=lambda: True, is_away=lambda: False)
    slots.start()
    left: list[float] = []
    while len(left) < 10 * rate:
        for _ in range(int(rate) - len(slots.replies)):
            slots.wait_for_turn()
        waiting = list(slots.replies)
        slots.answer(now)
        turn, now = now, now + dice.random() / dice.choice([2, 20, 200])
        for one in waiting:
            if one.done():
                slots.answered(turn, now)
                left.append(now)
    for first, later in zip(left, left[int(rate) :], strict=False):
        assert later - first >= 1.0


# ── each chat's own pace ────────────────────────────────────────────────────


def test_G14_any_mix_of_replies_and_alerts_stays_below_twenty_a_minute_and_alerts_come_first() -> (
    None
):
    """For an hour of a group that never stops asking, with an alert now and then."""
    dice, paces, now, told, waited = random.Random(14), ChatPaces(), 1000.0, [], []
    alert_since: float | None = None
    while now < 4600:
        now += 0.25
        if alert_since is None and dice.random() < 0.01:
            alert_since = now
        if alert_since is not None and paces.wait(GROUP, now, GROUP_BURST.total_seconds()) <= 0:
            waited.append(now - alert_since)
            alert_since = None
        elif paces.wait(GROUP, now, REPLY_BURSTS[False]) > 0:
            continue
        paces.take(GROUP, now)
        told.append(now)
    assert len(waited) > 20
    assert max(waited) <= 2 * GROUP_EVERY.total_seconds(), "replies leave room for an alert"
    assert (
        max(
            sum(first <= at < first + MINUTE for at in told[index:])
            for index, first in enumerate(told)
        )
        <= 20
    )


async def in_the_group(bench: World, count: int) -> list[Call]:
    """Answer a group so many times, and everything that it got."""

    async def answer() -> None:
        await bench.worker.turn(GROUP)
        await bench.worker.api.call("sendMessage", chat_id=GROUP, text="an answer")

    await asyncio.gather(*(answer() for _ in range(count)))
    return [call for call in bench.emulator.calls if call.chat_id == GROUP and call.accepted]


def spread(calls: list[Call]) -> None:
    """A burst of at most four, then one in four seconds.

    What a busy machine sends late comes closer to the next; less than one message's time closer,
    and a minute has still no more than twenty.
    """
    late = GROUP_EVERY.total_seconds() / 2
    times = [call.at for call in calls]
    for index, first in enumerate(times):
        for more, later in enumerate(times[index + 1 :], 1):
            assert (
                later - first
                >= more * GROUP_EVERY.total_seconds() - GROUP_BURST.total_seconds() - late
            )


@pytest.mark.cases
async def test_G14_replies_to_a_group_count_with_its_alerts_and_are_delayed_not_dropped(
    store: Store,
) -> None:
    """Four answers and an alert for one group: all arrive, none before its time."""
    async with sender(store) as bench:
        await bench.reader(GROUP, ChatKind.GROUP)
        async with Sending(bench):
            answering = asyncio.create_task(in_the_group(bench, 4))
            await bench.arrived(GROUP)
            await bench.alert()
            await answering
            await bench.arrived(GROUP, 5, timeout=60)
        calls = [call for call in bench.emulator.calls if call.chat_id == GROUP]
        assert len(calls) == 5
        assert all(call.accepted for call in calls)
        spread(calls)


@pytest.mark.cases
async def test_G14_the_alert_of_a_group_takes_the_room_of_an_answer(store: Store) -> None:
    """Two answers and an alert are what leaves at once; a third answer waits, as a fourth would."""
    async with sender(store) as bench:
        await bench.reader(GROUP, ChatKind.GROUP)
        async with Sending(bench):
            await in_the_group(bench, 2)
            await bench.alert()
            await bench.arrived(GROUP, 3)
            calls = await in_the_group(bench, 1)
        assert calls[3].at - calls[0].at >= GROUP_EVERY.total_seconds() / 2


async def test_G14_on_a_server_each_answer_to_a_group_is_in_the_row_before_it_leaves(
    store: Store,
) -> None:
    """Where other processes look before they send it an alert: each fills it by one more."""
    if store.alone:
        pytest.skip("no other process sends there")
    row = select(chat_table.c.tat).where(chat_table.c.id == GROUP)
    full: list[datetime] = []
    async with sender(store) as bench:
        async with store.writing() as db:
            await storage.chats.add(db, a_chat(GROUP, kind=ChatKind.GROUP), now=NOW)
        async with Sending(bench):
            for _ in range(2):
                await bench.worker.turn(GROUP)
                async with store.reading() as db:
                    full.append((await db.execute(row)).scalar_one())
    first, second = full
    assert first is not None
    # less than one message's time: the server's clock goes on between the two statements
    assert second - first > GROUP_EVERY / 2


@pytest.mark.cases
async def test_G14_a_restart_forgets_no_answer_to_a_group(store: Store) -> None:
    """A process that starts knows what the one before it sent to the group."""
    async with sender(store) as bench:
        async with store.writing() as db:
            await storage.chats.add(db, a_chat(GROUP, kind=ChatKind.GROUP), now=NOW)
        async with Sending(bench):
            await in_the_group(bench, 3)
        bench.restart()
        async with Sending(bench):
            calls = await in_the_group(bench, 1)
        assert len(calls) == 4
        # three answers leave at once, and the fourth has to wait, whoever sends it
        assert calls[3].at - calls[0].at >= GROUP_EVERY.total_seconds() / 2


async def test_G14_an_alert_claimed_before_its_chat_was_answered_waits_for_room(
    store: Store,
) -> None:
    """Replies since the claim looked are seen before an alert leaves: it goes back for now."""
    if not store.alone:
        pytest.skip("there the row knows of every reply before it is sent")
    async with sender(store) as bench:
        await bench.reader(GROUP, ChatKind.GROUP)
        bench.worker.chats.meet(GROUP, boottime() + GROUP_BURST.total_seconds() + 1)
        begun = boottime()
        await bench.alert()
        async with Sending(bench):
            await bench.arrived(GROUP, timeout=30)
        assert boottime() - begun >= 0.9
        assert await bench.rows(GROUP) == [("sent", None)]
