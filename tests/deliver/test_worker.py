"""The worker against an emulated Telegram over HTTP: one row of troubles after the other."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

import bot.deliver.claims
import storage.chats
import storage.claims
import storage.fan_out
import storage.pace
from bot.clock import boottime
from bot.deliver.claims import LEASE, LEASE_MARGIN
from bot.deliver.signals import IDLE
from bot.deliver.slots import Slots
from bot.deliver.worker import REQUEST
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.emulator.faults import Kind
from bot.errors import ConfigError
from bot.model.alerts import Lane
from bot.model.chats import ChatKind, Post
from bot.telegram.api import Api
from bot.telegram.retry import RetryPolicy
from bot.telegram.session import open_session
from storage.db import Store
from storage.opening import open_store
from tests.waiting import until
from tests.world import SECURITY, Sending, World, migrated_copy

ONE, TWO, GROUP, FORUM = 1001, 1002, -1001000000001, -1001000000003


class Bench(World):
    """A world that sends, by its former name."""

    def __init__(
        self,
        store: Store,
        emulator: Emulator,
        api: Api,
        rate: float,
        *,
        token_name: str = "t",  # noqa: S107 - a name
    ) -> None:
        super().__init__(store)
        self.send_through(emulator, api, rate=rate, token_name=token_name)


KEY, Running = SECURITY, Sending


@pytest.fixture
async def bench(tmp_path: Any, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Two people, a group and a forum."""
    store = await open_store(migrated_copy(tmp_path / "jarchy.db"))
    async with Emulator(open_chats=True) as emulator, open_session() as session:
        emulator.add_user(ONE, "Aigul", "en")
        emulator.add_user(TWO, "Boris", "en")
        for person in (ONE, TWO):
            emulator.add_private(person)
        emulator.add_group(GROUP, "Neighbours", members=[ONE], owner=TWO)
        emulator.add_group(FORUM, "Market", members=[ONE], is_forum=True)
        emulator.add_topic(FORUM, 5, "Rates")
        api = Api(session, url=emulator.api_url, token=TEST_TOKEN)
        made = World(store)
        made.send_through(emulator, api, rate=getattr(request, "param", 500.0))
        yield made
    await store.close()


async def test_G4_a_429_for_one_chat_does_not_delay_the_others(bench: World) -> None:
    """The refused one stays in the queue and is asked once."""
    await bench.reader(ONE)
    await bench.reader(TWO)
    bench.emulator.faults.add(Fault.flood(3600, chat_id=ONE))
    await bench.alert()
    async with Sending(bench):
        await bench.asked(ONE)
        await bench.arrived(TWO)
        await bench.alert()
        await bench.arrived(TWO, 2)
    assert await bench.rows(ONE) == [("pending", "too many requests"), ("pending", None)]
    assert len(bench.emulator.calls.of("sendMessage", ONE)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Fault.server_error(500),
        Fault.server_error(502),
        Fault(Kind.HTML, code=200),
        Fault(Kind.GATEWAY, code=403),
        Fault(Kind.GATEWAY, code=200),
        Fault.server_error(503),
    ],
)
@pytest.mark.cases(keep=1)
async def test_G5_after_an_outage_everything_is_sent_once(bench: World, answer: Fault) -> None:
    """More refusals in a row than make us believe that Telegram is down; nothing of a page counts
    as perhaps sent, by which what may not come twice would be given up.
    """
    for number in range(2001, 2009):
        await bench.reader(number)
        bench.emulator.add_user(number, "R", "en")
        bench.emulator.add_private(number)
    bench.emulator.faults.add(replace(answer, times=6))
    await bench.alert(Lane.ROUTINE)
    async with Sending(bench):
        for number in range(2001, 2009):
            await bench.arrived(number)
    assert [bench.accepted(number) for number in range(2001, 2009)] == [1] * 8


async def test_P6_a_database_that_takes_nothing_is_tried_once_a_second(
    bench: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though something waits: each try is a line of the log, for as long as a disk is full."""
    tried: list[float] = []

    def told(*_words: object, **_figures: object) -> None:
        tried.append(boottime())

    monkeypatch.setattr(bot.deliver.claims.log, "warning", told)
    await bench.reader(ONE)
    await bench.alert()
    async with bench.store.writing() as db:
        await db.execute(text("ALTER TABLE delivery RENAME TO full"))
    async with Sending(bench):
        await until(lambda: len(tried) == 2)
        assert tried[1] - tried[0] > IDLE / 2
        async with bench.store.writing() as db:
            await db.execute(text("ALTER TABLE full RENAME TO delivery"))
        await bench.arrived(ONE)


@pytest.mark.parametrize("fault", [Fault.lost_reply, Fault.truncated])
@pytest.mark.parametrize(("lane", "copies"), [(Lane.ALERT, 2), (Lane.ROUTINE, 1)])
async def test_G6_a_lost_reply_makes_at_most_1_plus_u_copies(
    bench: World, fault: Any, lane: Lane, copies: int
) -> None:
    """However often replies are lost; the next alert goes out."""
    await bench.reader(ONE)
    bench.emulator.faults.add(fault(times=copies, chat_id=ONE, method="sendMessage"))
    await bench.alert(lane)
    await bench.alert(lane)
    async with Sending(bench):
        await bench.arrived(ONE, copies + 1)
    assert [state for state, _ in await bench.rows(ONE)] == ["dead", "sent"]
    assert bench.accepted(ONE) == copies + 1


async def test_G6_what_is_deleted_as_soon_as_it_is_sent_is_not_sent_again(bench: World) -> None:
    """By a bot that keeps a group tidy: each copy would be deleted too, and the fourth refusal in a
    row would make all others wait.
    """
    await bench.reader(GROUP, ChatKind.GROUP)
    words = "Internal Server Error: sent message was immediately deleted and can't be returned"
    bench.emulator.faults.add(Fault(Kind.ERROR, description=words, chat_id=GROUP, after=True))
    await bench.alert()
    await bench.alert()
    async with Sending(bench):
        await bench.arrived(GROUP, 2)
    assert await bench.rows(GROUP) == [("sent", None)] * 2
    assert bench.accepted(GROUP) == 2


async def test_G6_a_request_without_an_answer_is_given_up_within_its_lease(bench: World) -> None:
    """Or another sender would take the delivery while ours may still arrive, and nobody would count
    the doubt.
    """
    assert REQUEST < LEASE_MARGIN
    async with open_session() as session:
        hasty = Api(session, url=bench.emulator.api_url, token=TEST_TOKEN, seconds=0.3)
        bench.send_through(bench.emulator, hasty)
        await given_up(bench)


async def given_up(bench: World) -> None:
    """The first request hangs; the second arrives."""
    await bench.reader(ONE)
    bench.emulator.faults.add(Fault.hang(times=1, chat_id=ONE))
    await bench.alert()
    async with Sending(bench):
        await bench.arrived(ONE)
    assert [state for state, _ in await bench.rows(ONE)] == ["sent"]
    assert len(bench.emulator.calls.of("sendMessage", ONE)) == 2


@pytest.mark.parametrize("why", ["blocked", "deactivated", "kicked"])
async def test_G7_who_left_is_asked_once_and_revived_by_activate(bench: World, why: str) -> None:
    """A dead row and an inactive chat; after it came back, the next alert is sent."""
    await bench.reader(ONE)
    await bench.reader(TWO)
    bench.emulator.faults.add(Fault.forbidden(why, chat_id=ONE))
    await bench.alert()
    async with Sending(bench):
        await bench.asked(ONE)
        await bench.arrived(TWO)
    bench.emulator.faults.clear()
    assert await bench.rows(ONE) == [("dead", why)]
    assert not await bench.active(ONE)
    async with bench.store.writing() as db:
        await storage.chats.activate(db, ONE)
    bench.restart()
    await bench.alert()
    async with Sending(bench):
        await bench.arrived(ONE)
    assert [state for state, _ in await bench.rows(ONE)] == ["dead", "sent"]


async def test_G8_a_migrated_group_is_told_once_under_its_new_id(bench: World) -> None:
    """The old id has nothing left."""
    await bench.reader(-555, ChatKind.GROUP)
    bench.emulator.faults.add(Fault.migrated(GROUP, chat_id=-555))
    await bench.alert()
    async with Sending(bench):
        await bench.arrived(GROUP)
    assert [state for state, _ in await bench.rows(GROUP)] == ["sent"]
    assert await bench.rows(-555) == []
    assert bench.accepted(GROUP) == 1


async def test_G9_a_group_that_is_gone_is_reported_once(bench: World) -> None:
    """It is inactive, and the operator knows why."""
    await bench.reader(GROUP, ChatKind.GROUP)
    bench.emulator.faults.add(Fault.bad_request("chat not found", chat_id=GROUP))
    await bench.alert()
    await bench.alert()
    async with Sending(bench):
        await bench.asked(GROUP)
    assert bench.told == [("notice.gone", {"chat": str(GROUP), "why": "not found"})]
    assert not await bench.active(GROUP)


@pytest.mark.parametrize(("refusals", "thread", "told"), [(2, None, ["notice.topic"]), (1, 5, [])])
async def test_G9_G16_a_closed_topic_falls_back_to_general_and_a_mistake_is_none(
    bench: World,
    monkeypatch: pytest.MonkeyPatch,
    refusals: int,
    thread: int | None,
    told: list[str],
) -> None:
    """It is tried once more; the operator is told once."""
    monkeypatch.setattr("bot.deliver.reactions.MISPLACED", RetryPolicy(base=0.0, cap=0.0))
    await bench.reader(FORUM, ChatKind.GROUP, threads=dict.fromkeys(Post, 5))
    bench.emulator.faults.add(Fault.bad_request("TOPIC_CLOSED", chat_id=FORUM, times=refusals))
    await bench.alert()
    async with Sending(bench):
        await bench.arrived(FORUM)
    assert bench.emulator.messages(FORUM)[-1].get("message_thread_id") == thread
    assert [name for name, _ in bench.told] == told
    async with bench.store.reading() as db:
        known = await storage.chats.get(db, FORUM)
    assert known is not None
    assert known.threads == (dict.fromkeys(Post, 5) if thread else {})


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
    bench: World, refusal: str, tries: int
) -> None:
    """The operator knows why; what else the chat is to get, and what others are, is sent
    meanwhile.
    """
    for number in (ONE, TWO):
        await bench.reader(number)
    bench.emulator.faults.add(Fault.bad_request(refusal, chat_id=ONE, times=tries))
    await bench.alert()
    await bench.alert()
    async with Sending(bench):
        await bench.arrived(ONE)
        await bench.arrived(TWO, 2)
    why = f"Bad Request: {refusal}"
    assert await bench.rows(ONE) == [("dead", why), ("sent", None)]
    assert [state for state, _ in await bench.rows(TWO)] == ["sent", "sent"]
    assert bench.told == [("notice.rejected", {"alert": "1", "why": why})]
    times = {
        call.chat_id: call.at
        for call in reversed(bench.emulator.calls.of("sendMessage"))
        if call.accepted
    }
    refused = [call.at for call in bench.emulator.calls.of("sendMessage", ONE) if not call.accepted]
    assert len(refused) == tries
    assert tries == 1 or times[TWO] < refused[-1], "others did not wait for the second try"


async def test_G10_what_is_accepted_as_plain_text_is_sent(bench: World) -> None:
    """The reader has the words, once; nobody needs to know."""
    await bench.reader(ONE)
    bench.emulator.faults.add(Fault.bad_request("can't parse entities: x", chat_id=ONE, times=1))
    await bench.alert()
    async with Sending(bench):
        await bench.arrived(ONE)
    assert [state for state, _ in await bench.rows(ONE)] == ["sent"]
    assert bench.accepted(ONE) == 1
    assert "entities" not in bench.emulator.messages(ONE)[-1]
    assert bench.told == []


async def test_G11_a_revoked_token_ends_it_and_keeps_the_queue(bench: World) -> None:
    """Nothing is lost by it."""
    await bench.reader(ONE)
    bench.emulator.faults.add(Fault("error", code=401, description="Unauthorized"))  # type: ignore[arg-type]  # a str
    await bench.alert()
    with pytest.raises(ConfigError, match="BOT_TOKEN"):
        await bench.worker.run()
    assert [state for state, _ in await bench.rows(ONE)] == ["pending"]


@pytest.mark.parametrize("bench", [20.0], indirect=True)
async def test_P4_a_stop_in_a_broadcast_finishes_what_is_in_flight_and_frees_the_rest(
    bench: World,
) -> None:
    """Whoever starts next sends the rest; nobody gets it twice."""
    numbers = range(3001, 3013)
    for number in numbers:
        bench.emulator.add_user(number, "R", "en")
        bench.emulator.add_private(number)
        await bench.reader(number)
    bench.emulator.faults.add(Fault.slow(0.2, chat_id=3002))
    await bench.alert()
    async with Sending(bench):
        await bench.arrived(3001)
    states = [(await bench.rows(number))[0][0] for number in numbers]
    assert set(states) == {"sent", "pending"}
    bench.restart()
    async with Sending(bench):
        await bench.arrived(3012)
    assert [bench.accepted(number) for number in numbers] == [1] * len(numbers)


async def test_a_missed_slot_is_lost_beside_other_senders_and_its_delivery_takes_the_next(
    bench: World,
) -> None:
    """Those for which no slot is left wait for more, and the next claim asks for them; nothing is
    sent in a rush.
    """
    numbers = range(3001, 3005)
    for number in numbers:
        await bench.reader(number)
    await bench.alert()
    async with bench.store.writing() as db:
        await storage.fan_out.fan_out(db)
        claim = await storage.claims.claim(
            db, token="t", rate=1.0, horizon=timedelta(minutes=1), lease=LEASE
        )
    slots = Slots(1.0, by_row=True, has_room=lambda: True, is_away=lambda: False)
    slots.shared_until, asked = math.inf, boottime()
    slots.queue_up(replace(claim, first_in=timedelta(seconds=-1.5)), asked, math.inf)
    assert slots.without_slot(asked) == 2  # of four slots two are missed, of four readers none
    assert [one.item.chat for one in slots.queue] == list(numbers)
    assert slots.ahead(asked) == pytest.approx(1.5)
    assert slots.delivery_in(asked) == pytest.approx(0.5)


async def test_G12_after_a_long_outage_only_what_still_matters_is_sent(bench: World) -> None:
    """Older news of the same thing gave way, what expired stays unsent, the rest goes out once."""
    await bench.reader(ONE)
    bench.emulator.faults.add(Fault.server_error(503))
    await bench.alert(lasts=timedelta(milliseconds=1))
    await bench.alert(supersede="move:usd")
    async with Sending(bench):
        await bench.asked(ONE)
    await bench.alert(supersede="move:usd")
    await bench.alert(supersede="move:usd")
    bench.emulator.faults.clear()
    bench.restart()
    async with Sending(bench):
        await bench.arrived(ONE)
    states = [state for state, _ in await bench.rows(ONE)]
    assert states.count("sent") == 1
    assert states[-1] == "sent"
    assert set(states[:-1]) <= {"expired", "superseded"}
    assert bench.accepted(ONE) == 1


async def test_G14_a_group_gets_no_more_than_twenty_a_minute_and_loses_none(bench: World) -> None:
    """A short burst goes at once, the rest waits for its turn: four and one every four seconds make
    nineteen.
    """
    await bench.reader(GROUP, ChatKind.GROUP)
    for _ in range(21):
        await bench.alert()
    async with Sending(bench):
        await bench.arrived(GROUP, 4)
    states = [state for state, _ in await bench.rows(GROUP)]
    sent = states.count("sent")
    assert sent in {4, 5}  # a busy machine may reach the fifth's turn
    assert states[:sent] == ["sent"] * sent
    assert set(states[sent:]) == {"pending"}
    assert sent - 1 + timedelta(minutes=1) // storage.pace.GROUP_EVERY < 20
