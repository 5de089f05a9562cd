"""The worker against an emulated Telegram over HTTP: one row of troubles after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

import storage.chats
import storage.outbox
from bot.clock import boottime
from bot.deliver import worker as sending
from bot.deliver.compose import Composer
from bot.deliver.transport import Api, open_session
from bot.deliver.worker import LEASE, Worker
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.emulator.calls import Call
from bot.emulator.faults import Kind
from bot.errors import ConfigError
from bot.model.alerts import Alert, Audience, Lane, Notice, Severity
from bot.model.chats import ChatKind
from bot.sources.catalog import Catalog
from storage.db import Store, open_store
from storage.schema import chat, delivery
from tests.factories import NOW
from tests.factories import chat as a_chat

ONE, TWO, GROUP, FORUM = 1001, 1002, -1001000000001, -1001000000003
KEY = "topic:security"


class Bench:
    """A store, a worker, an emulator, and what the operator was told."""

    def __init__(self, store: Store, emulator: Emulator, api: Api, rate: float) -> None:
        self.store, self.emulator = store, emulator
        self.told: list[tuple[str, dict[str, str]]] = []
        self._api, self._rate = api, rate
        self._count = 0
        self.restart()

    def restart(self) -> None:
        """A worker as a new process has it."""
        self.worker = Worker(
            store=self.store,
            api=self._api,
            composer=Composer(self.store, Catalog()),
            token_name="t",
            rate=self._rate,
            on_trouble=self._tell,
        )

    async def _tell(self, msgid: str, values: dict[str, str]) -> None:
        self.told.append((msgid, values))

    async def reader(self, number: int, kind: ChatKind = ChatKind.PRIVATE, **changes: Any) -> None:
        """A chat that wants the alerts."""
        async with self.store.writing() as db:
            await storage.chats.add(db, a_chat(number, kind=kind, **changes), now=NOW)
            await storage.chats.subscribe(db, number, [KEY], now=NOW)

    async def alert(
        self,
        lane: Lane = Lane.ALERT,
        *,
        lasts: timedelta = timedelta(days=365),
        supersede: str | None = None,
        again: bool = False,
    ) -> None:
        """Enqueue one and wake the worker; `again` is the last one, found once more."""
        self._count += not again
        new = Alert(
            dedup_key=str(self._count),
            payload=Notice(msgid="notice.gone", values=(("chat", str(self._count)), ("why", "a test"))),
            severity=Severity.NOTABLE,
            lane=lane,
            audience=Audience(subscription=KEY),
            created_at=NOW,
            expires_at=NOW + lasts,
            supersede_key=supersede,
        )
        async with self.store.writing() as db:
            await storage.outbox.enqueue(db, new)
        self.worker.wake()

    async def rows(self, number: int) -> list[tuple[str, str | None]]:
        """State and error of a chat's deliveries."""
        query = select(delivery.c.state, delivery.c.error).where(delivery.c.chat_id == number).order_by(delivery.c.id)
        async with self.store.reading() as db:
            return [(row.state, row.error) for row in await db.execute(query)]

    async def active(self, number: int) -> bool:
        """Whether we write to a chat."""
        async with self.store.reading() as db:
            return bool((await db.execute(select(chat.c.active).where(chat.c.id == number))).scalar_one())

    async def arrived(self, number: int, count: int = 1, *, timeout: float = 10.0) -> Call:  # noqa: ASYNC109 - passed on
        """Wait until so many messages were accepted for a chat; the last of them."""
        after = 0
        while True:
            got = self.emulator.calls.wait(lambda c: c.chat_id == number and c.accepted, after=after, timeout=timeout)
            call = await got
            after, count = call.number, count - 1
            if count <= 0:
                return call

    async def asked(self, number: int) -> None:
        """Wait for the first call about a chat."""
        await self.emulator.calls.wait(lambda c: c.chat_id == number)

    def accepted(self, number: int) -> int:
        """How many messages a chat has of us."""
        return sum(c.accepted for c in self.emulator.calls.of("sendMessage", number))


@pytest.fixture
async def bench(tmp_path: Any, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Two people, a group and a forum."""
    store = await open_store(f"sqlite:///{tmp_path / 'jarchy.db'}")
    async with Emulator(open_chats=True) as emulator, open_session() as session:
        emulator.add_user(ONE, "Aigul", "en")
        emulator.add_user(TWO, "Boris", "en")
        for person in (ONE, TWO):
            emulator.add_private(person)
        emulator.add_group(GROUP, "Neighbours", members=[ONE], owner=TWO)
        emulator.add_group(FORUM, "Market", members=[ONE], is_forum=True)
        emulator.add_topic(FORUM, 5, "Rates")
        api = Api(session, url=emulator.api_url, token=TEST_TOKEN)
        yield Bench(store, emulator, api, getattr(request, "param", 500.0))
    await store.close()


class Running:
    """The worker at work until the block ends; then stopped as a shutdown stops it, with all marks written."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    async def __aenter__(self) -> None:
        self.task = asyncio.create_task(self.bench.worker.run())

    async def __aexit__(self, *_exc: object) -> None:
        self.bench.worker.stop()
        await self.task


async def test_G4_a_429_for_one_chat_does_not_delay_the_others(bench: Bench) -> None:
    """The refused one stays in the queue and is asked once."""
    await bench.reader(ONE)
    await bench.reader(TWO)
    bench.emulator.faults.add(Fault.flood(3600, chat_id=ONE))
    await bench.alert()
    async with Running(bench):
        await bench.asked(ONE)
        await bench.arrived(TWO)
        await bench.alert()
        await bench.arrived(TWO, 2)
    assert await bench.rows(ONE) == [("pending", "too many requests"), ("pending", None)]
    assert len(bench.emulator.calls.of("sendMessage", ONE)) == 1


@pytest.mark.parametrize(
    "answer", [Fault.server_error(500), Fault.server_error(502), Fault.server_error(503), Fault(Kind.HTML, code=502)]
)
async def test_G5_after_an_outage_everything_is_sent_once(bench: Bench, answer: Fault) -> None:
    """More refusals in a row than make us believe that Telegram is down."""
    for number in range(2001, 2009):
        await bench.reader(number)
        bench.emulator.add_user(number, "R", "en")
        bench.emulator.add_private(number)
    bench.emulator.faults.add(replace(answer, times=6))
    await bench.alert()
    async with Running(bench):
        for number in range(2001, 2009):
            await bench.arrived(number)
    assert [bench.accepted(number) for number in range(2001, 2009)] == [1] * 8


@pytest.mark.parametrize("fault", [Fault.lost_reply, Fault.truncated])
@pytest.mark.parametrize(("lane", "copies"), [(Lane.ALERT, 2), (Lane.ROUTINE, 1)])
async def test_G6_a_lost_reply_makes_at_most_1_plus_u_copies(bench: Bench, fault: Any, lane: Lane, copies: int) -> None:
    """However often replies are lost; the next alert goes out."""
    await bench.reader(ONE)
    bench.emulator.faults.add(fault(times=copies, chat_id=ONE))
    await bench.alert(lane)
    await bench.alert(lane)
    async with Running(bench):
        await bench.arrived(ONE, copies + 1)
    assert [state for state, _ in await bench.rows(ONE)] == ["dead", "sent"]
    assert bench.accepted(ONE) == copies + 1


async def test_G6_a_request_without_an_answer_is_given_up_within_its_lease(bench: Bench) -> None:
    """Or another sender would take the delivery while ours may still arrive, and nobody would count the doubt."""
    assert sending.REQUEST < sending.MARGIN
    async with open_session() as session:
        bench.worker.api = Api(session, url=bench.emulator.api_url, token=TEST_TOKEN, seconds=0.3)
        await given_up(bench)


async def given_up(bench: Bench) -> None:
    """The first request hangs; the second arrives."""
    await bench.reader(ONE)
    bench.emulator.faults.add(Fault.hang(times=1, chat_id=ONE))
    await bench.alert()
    async with Running(bench):
        await bench.arrived(ONE)
    assert [state for state, _ in await bench.rows(ONE)] == ["sent"]
    assert len(bench.emulator.calls.of("sendMessage", ONE)) == 2


@pytest.mark.parametrize("why", ["blocked", "deactivated", "kicked"])
async def test_G7_who_left_is_asked_once_and_revived_by_activate(bench: Bench, why: str) -> None:
    """A dead row and an inactive chat; after it came back, the next alert is sent."""
    await bench.reader(ONE)
    await bench.reader(TWO)
    bench.emulator.faults.add(Fault.forbidden(why, chat_id=ONE, times=1))
    await bench.alert()
    async with Running(bench):
        await bench.asked(ONE)
        await bench.arrived(TWO)
    assert await bench.rows(ONE) == [("dead", why)]
    assert not await bench.active(ONE)
    async with bench.store.writing() as db:
        await storage.chats.activate(db, ONE)
    bench.restart()
    await bench.alert()
    async with Running(bench):
        await bench.arrived(ONE)
    assert [state for state, _ in await bench.rows(ONE)] == ["dead", "sent"]


async def test_G8_a_migrated_group_is_told_once_under_its_new_id(bench: Bench) -> None:
    """The old id has nothing left."""
    await bench.reader(-555, ChatKind.GROUP)
    bench.emulator.faults.add(Fault.migrated(GROUP, chat_id=-555))
    await bench.alert()
    async with Running(bench):
        await bench.arrived(GROUP)
    assert [state for state, _ in await bench.rows(GROUP)] == ["sent"]
    assert await bench.rows(-555) == []
    assert bench.accepted(GROUP) == 1


async def test_G9_a_group_that_is_gone_is_reported_once(bench: Bench) -> None:
    """It is inactive, and the operator knows why."""
    await bench.reader(GROUP, ChatKind.GROUP)
    bench.emulator.faults.add(Fault.bad_request("chat not found", chat_id=GROUP))
    await bench.alert()
    await bench.alert()
    async with Running(bench):
        await bench.asked(GROUP)
    assert bench.told == [("notice.gone", {"chat": str(GROUP), "why": "not found"})]
    assert not await bench.active(GROUP)


async def test_G9_a_closed_topic_falls_back_to_general(bench: Bench) -> None:
    """The operator is told once."""
    await bench.reader(FORUM, ChatKind.GROUP, thread=5)
    bench.emulator.faults.add(Fault.bad_request("TOPIC_CLOSED", chat_id=FORUM, times=1))
    await bench.alert()
    async with Running(bench):
        await bench.arrived(FORUM)
    assert "message_thread_id" not in bench.emulator.messages(FORUM)[-1]
    assert [name for name, _ in bench.told] == ["notice.topic"]


@pytest.mark.parametrize(
    ("refusal", "tries"),
    [
        ("can't parse entities: x", 2),
        ("BUTTON_URL_INVALID", 2),
        ("something nobody has seen", 2),
        ("message is too long", 1),
    ],
)
async def test_G10_a_refused_body_goes_once_more_as_plain_text_then_is_dead_and_delays_nobody(
    bench: Bench, refusal: str, tries: int
) -> None:
    """The operator knows why; what else the chat is to get, and what others are, is sent meanwhile."""
    for number in (ONE, TWO):
        await bench.reader(number)
    bench.emulator.faults.add(Fault.bad_request(refusal, chat_id=ONE, times=tries))
    await bench.alert()
    await bench.alert()
    async with Running(bench):
        await bench.arrived(ONE)
        await bench.arrived(TWO, 2)
    why = f"Bad Request: {refusal}"
    assert await bench.rows(ONE) == [("dead", why), ("sent", None)]
    assert [state for state, _ in await bench.rows(TWO)] == ["sent", "sent"]
    assert bench.told == [("notice.rejected", {"alert": "1", "why": why})]
    times = {call.chat_id: call.at for call in reversed(bench.emulator.calls.of("sendMessage")) if call.accepted}
    refused = [call.at for call in bench.emulator.calls.of("sendMessage", ONE) if not call.accepted]
    assert len(refused) == tries
    assert tries == 1 or times[TWO] < refused[-1], "others did not wait for the second try"


async def test_G10_what_is_accepted_as_plain_text_is_sent(bench: Bench) -> None:
    """The reader has the words, once; nobody needs to know."""
    await bench.reader(ONE)
    bench.emulator.faults.add(Fault.bad_request("can't parse entities: x", chat_id=ONE, times=1))
    await bench.alert()
    async with Running(bench):
        await bench.arrived(ONE)
    assert [state for state, _ in await bench.rows(ONE)] == ["sent"]
    assert bench.accepted(ONE) == 1
    assert "entities" not in bench.emulator.messages(ONE)[-1]
    assert bench.told == []


async def test_G11_a_revoked_token_ends_it_and_keeps_the_queue(bench: Bench) -> None:
    """Nothing is lost by it."""
    await bench.reader(ONE)
    bench.emulator.faults.add(Fault("error", code=401, description="Unauthorized"))  # type: ignore[arg-type]  # a str
    await bench.alert()
    with pytest.raises(ConfigError, match="BOT_TOKEN"):
        await bench.worker.run()
    assert [state for state, _ in await bench.rows(ONE)] == ["pending"]


@pytest.mark.parametrize("bench", [20.0], indirect=True)
async def test_P4_a_stop_in_a_broadcast_finishes_what_is_in_flight_and_frees_the_rest(bench: Bench) -> None:
    """Whoever starts next sends the rest; nobody gets it twice."""
    numbers = range(3001, 3013)
    for number in numbers:
        bench.emulator.add_user(number, "R", "en")
        bench.emulator.add_private(number)
        await bench.reader(number)
    bench.emulator.faults.add(Fault.slow(0.2, chat_id=3002))
    await bench.alert()
    async with Running(bench):
        await bench.arrived(3001)
    states = [(await bench.rows(number))[0][0] for number in numbers]
    assert set(states) == {"sent", "pending"}
    bench.restart()
    async with Running(bench):
        await bench.arrived(3012)
    assert [bench.accepted(number) for number in numbers] == [1] * len(numbers)


async def test_a_missed_slot_is_lost_beside_other_senders_and_its_delivery_takes_the_next(bench: Bench) -> None:
    """Those for which no slot is left wait for more, and the next claim asks for them; nothing is sent in a rush."""
    numbers = range(3001, 3005)
    for number in numbers:
        await bench.reader(number)
    await bench.alert()
    async with bench.store.writing() as db:
        await storage.outbox.fan_out(db)
        claim = await storage.outbox.claim(db, token="t", rate=1.0, horizon=timedelta(minutes=1), lease=LEASE)
    worker = bench.worker
    worker._by_row, worker._shared_until = True, boottime() + 60
    worker._queue_up(replace(claim, first_in=timedelta(seconds=-1.5)), boottime())
    slots = list(worker._slots)
    worker._drop_missed(boottime())
    assert list(worker._slots) == slots[2:]
    assert [one.item.chat for one in worker._queue] == list(numbers)
    assert worker._without_slot(boottime()) == 2
    assert 0 < worker._delivery_in(boottime()) <= 0.5


async def test_G12_after_a_long_outage_only_what_still_matters_is_sent(bench: Bench) -> None:
    """Older news of the same thing gave way, what expired stays unsent, the rest goes out once."""
    await bench.reader(ONE)
    bench.emulator.faults.add(Fault.server_error(503))
    await bench.alert(lasts=timedelta(milliseconds=1))
    await bench.alert(supersede="move:usd")
    async with Running(bench):
        await bench.asked(ONE)
    await bench.alert(supersede="move:usd")
    await bench.alert(supersede="move:usd")
    bench.emulator.faults.clear()
    bench.restart()
    async with Running(bench):
        await bench.arrived(ONE)
    states = [state for state, _ in await bench.rows(ONE)]
    assert states.count("sent") == 1
    assert states[-1] == "sent"
    assert set(states[:-1]) <= {"expired", "superseded"}
    assert bench.accepted(ONE) == 1


async def test_G14_a_group_gets_no_more_than_twenty_a_minute_and_loses_none(bench: Bench) -> None:
    """A short burst goes at once, the rest waits for its turn: four and one every four seconds make nineteen."""
    await bench.reader(GROUP, ChatKind.GROUP)
    for _ in range(21):
        await bench.alert()
    async with Running(bench):
        await bench.arrived(GROUP, 4)
    states = [state for state, _ in await bench.rows(GROUP)]
    sent = states.count("sent")
    assert sent in {4, 5}  # a busy machine may reach the fifth's turn
    assert states[:sent] == ["sent"] * sent
    assert set(states[sent:]) == {"pending"}
    assert sent - 1 + timedelta(minutes=1) // storage.outbox.GROUP_EVERY < 20
