"""Refusals that are not the end: Telegram away for everybody, and a chat or a token refused by
mistake.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select, update

import storage.alerts
import storage.chats
import storage.pace
import storage.setups
from bot.alerts import pins
from bot.clock import boottime
from bot.deliver import reach
from bot.deliver.reach import Reach
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.emulator.faults import Kind
from bot.errors import ConfigError
from bot.i18n import t
from bot.model.alerts import Lane
from bot.model.chats import ChatKind
from bot.presence import look_again
from bot.telegram import api
from bot.telegram.api import Api
from bot.telegram.outcomes import KICKED, NO_RIGHT, Outcome
from bot.telegram.session import open_session
from storage.db import Store
from storage.schema import chat, delivery, lease, pace
from tests.deliver.test_worker import FORUM, GROUP, ONE, TWO, Bench, Running
from tests.factories import NOW

CHANNEL = -1001000000009
#: Only on a server are there replicas.
SERVER = pytest.mark.parametrize(
    "migrated_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Bench]:
    """Two readers, a group and a channel, on each database."""
    async with Emulator(open_chats=True) as emulator, open_session() as session:
        for number, name in ((ONE, "Aigul"), (TWO, "Boris")):
            emulator.add_private(emulator.add_user(number, name, "en"))
        emulator.add_group(GROUP, "Neighbours", members=[ONE], owner=TWO)
        emulator.add_group(FORUM, "Market", members=[ONE], is_forum=True)
        emulator.add_channel(CHANNEL, "Herald", owner=ONE)
        api = Api(session, url=emulator.api_url, token=TEST_TOKEN)
        yield Bench(store, emulator, api, 500.0, token_name=TEST_TOKEN.partition(":")[0])


async def tries(desk: Bench) -> set[int]:
    """The numbers of tries that the rows of deliveries say."""
    async with desk.store.reading() as db:
        return set((await db.execute(select(delivery.c.tries))).scalars())


AWAY = {
    "502 with a page": Fault(Kind.HTML, code=502),
    "503 in JSON": Fault(Kind.ERROR, code=503, description="Service Unavailable"),
    "reset": Fault(Kind.RESET),
    "a page with 200": Fault(Kind.HTML, code=200),
    # by which all chats were given up, and by its 401 the token
    "403 of a gateway, in JSON": Fault(Kind.GATEWAY, code=403),
}


@pytest.mark.parametrize("how", AWAY)
@pytest.mark.cases(keep=2)
async def test_G15_while_telegram_is_away_one_asks_and_what_waits_does_not_notice(
    desk: Bench, how: str
) -> None:
    """getMe, one at a time, a few seconds apart; on its return all is sent, and no row was tried
    again and again.
    """
    for number in range(3001, 3021):
        await desk.reader(number)
    fault = AWAY[how]
    desk.emulator.faults.add(fault)
    await desk.alert(Lane.ALERT)
    async with Running(desk):
        calls = desk.emulator.calls
        await calls.wait(lambda call: call.method == "getMe")
        for _ in range(3):
            await calls.wait(lambda call: call.method == "getMe", after=calls.total)
        sent = len(calls.of("sendMessage"))
        asked = [call.at for call in calls.of("getMe")]
        await calls.wait(lambda call: call.method == "getMe", after=calls.total)
        assert len(calls.of("sendMessage")) == sent, "nobody's message is risked to find out"
        assert max(b - a for a, b in pairwise(asked[1:])) < reach.QUESTION_EVERY + 3
        desk.emulator.faults.clear()
        for number in range(3001, 3021):
            await desk.arrived(number, timeout=30)
    assert max(await tries(desk)) <= 2


@pytest.mark.cases
@pytest.mark.slow
async def test_G15_messages_alone_refused_are_asked_for_one_at_a_time_at_a_constant_pace(
    desk: Bench,
) -> None:
    """getMe answers and no message is taken: one message asks for all, each time another, and none
    is given up.
    """
    for number in range(3001, 3006):
        await desk.reader(number)
    fault = desk.emulator.faults.add(Fault.server_error(502, method="sendMessage"))
    await desk.alert(Lane.URGENT)
    async with Running(desk):
        calls = desk.emulator.calls
        await calls.wait(lambda call: call.method == "sendMessage" and fault.hits > 6, timeout=40)
        before = calls.total
        await calls.wait(
            lambda call: call.method == "sendMessage" and fault.hits > 9, timeout=60, after=before
        )
        times = [call.at for call in calls.of("sendMessage") if call.number > before]
        chats = {call.chat_id for call in calls.of("sendMessage") if call.number > before}
        assert len(times) <= 6
        assert len(chats) > 1
        desk.emulator.faults.clear()
        for number in range(3001, 3006):
            await desk.arrived(number, timeout=30)
    assert max(await tries(desk)) <= 3


@pytest.mark.cases
async def test_G15_an_outage_of_any_length_costs_a_delivery_nothing(desk: Bench) -> None:
    """A row that was tried before goes out as soon as one that was not."""
    await desk.reader(ONE)
    desk.emulator.faults.add(Fault.server_error(502))
    await desk.alert(Lane.URGENT)
    async with Running(desk):
        await desk.asked(ONE)
        await desk.emulator.calls.wait(lambda call: call.method == "getMe")
    async with desk.store.writing() as db:  # as after a day
        await db.execute(update(delivery).values(tries=900))
    desk.restart()
    async with Running(desk):
        calls = desk.emulator.calls
        await calls.wait(lambda call: call.method == "getMe", after=calls.total)
        desk.emulator.faults.clear()
        cleared = calls.total
        await desk.arrived(ONE, timeout=20)
        questions = [
            call for call in calls.since(cleared) if call.method == "getMe" and call.accepted
        ]
        assert len(questions) <= 2, "the first answer is enough"


def questions(api: Api) -> list[float]:
    """The moments at which a getMe leaves from now on: when it arrives, a busy machine decides."""
    asked: list[float] = []
    call = api.call

    async def noting(method: str, **parameters: Any) -> Outcome:
        if method == "getMe":
            asked.append(boottime())
        return await call(method, **parameters)

    api.call = noting  # type: ignore[method-assign]
    return asked


@pytest.mark.cases
async def test_G15_a_slow_database_brings_no_question_closer_to_the_next(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another who writes keeps the lease from us for longer than questions are apart."""
    monkeypatch.setattr(reach, "QUESTION_EVERY", 0.3)
    desk.emulator.faults.add(Fault.server_error(502))
    asked, calls = questions(desk._api), desk.emulator.calls
    asking = Reach(desk.store, desk._api, "t", "a", lambda _since: None)
    assert await asking.lost()
    await calls.wait(lambda call: call.method == "getMe", after=calls.total)
    async with desk.store.writing() as db:
        await db.execute(update(lease).values(fence=lease.c.fence))
        await asyncio.sleep(2 * reach.QUESTION_EVERY)  # the database's own span
    for _ in range(3):
        await calls.wait(lambda call: call.method == "getMe", after=calls.total)
    await asking.close()
    gaps = [b - a for a, b in pairwise(asked[1:])]
    assert min(gaps) > reach.QUESTION_EVERY / 2


@SERVER
@pytest.mark.slow
async def test_G15_replicas_share_one_question_and_one_pause(desk: Bench) -> None:
    """Two senders: while Telegram is away no more is asked than by one, and both send after it."""
    for number in range(3001, 3021):
        await desk.reader(number)
    other = Bench(desk.store, desk.emulator, desk._api, 500.0, token_name=desk.worker.token_name)
    desk.emulator.faults.add(Fault.server_error(502))
    await desk.alert()
    asked = questions(desk._api)
    async with Running(desk), Running(other):
        calls = desk.emulator.calls
        await calls.wait(lambda call: call.method == "getMe")
        for _ in range(2):
            await calls.wait(lambda call: call.method == "getMe", after=calls.total)
        asked.clear()
        for _ in range(3):
            await calls.wait(lambda call: call.method == "getMe", after=calls.total)
        assert min(b - a for a, b in pairwise(asked)) > reach.QUESTION_EVERY / 2
        async with desk.store.reading() as db:
            assert await storage.pace.is_paused(db, desk.worker.token_name)
        desk.emulator.faults.clear()
        for number in range(3001, 3021):
            await desk.arrived(number, timeout=30)


async def test_G15_a_longer_pause_that_telegram_asked_for_outlives_an_outage(store: Store) -> None:
    """The end of our own pause is not the end of another's."""
    span = timedelta(seconds=6)
    async with store.writing() as db:
        await storage.pace.pause_token(db, "t", timedelta(hours=1))
        await storage.pace.hold_token(db, "t", span)
        await storage.pace.lift_token(db, "t", span)
        assert await storage.pace.is_paused(db, "t")
        await db.execute(update(pace).values(paused_until=None))
        await storage.pace.hold_token(db, "t", span)
        assert await storage.pace.is_paused(db, "t")
        await storage.pace.lift_token(db, "t", span)
        assert not await storage.pace.is_paused(db, "t")


MISTAKES = [
    Fault.bad_request("not enough rights to send text messages to the chat"),
    Fault.bad_request("need administrator rights in the channel chat"),
    Fault.bad_request("CHAT_WRITE_FORBIDDEN"),
    Fault.bad_request("chat not found"),
    Fault.forbidden("kicked"),
    Fault.forbidden("blocked"),
    Fault.forbidden("something nobody has seen"),
]


async def reaches(desk: Bench, chats: Collection[int]) -> None:
    """An alert comes to each of them, and none is closed."""
    await desk.alert()
    async with Running(desk):
        for number in chats:
            await desk.arrived(number, timeout=20)
    assert all([await desk.active(number) for number in chats])


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda fault: str(fault.description))
@pytest.mark.cases(keep=3)
async def test_G16_one_refusal_by_mistake_closes_no_chat(desk: Bench, mistake: Fault) -> None:
    """A person, a group and a channel get what they were to get, and nobody is told otherwise."""
    kinds = {ONE: ChatKind.PRIVATE, GROUP: ChatKind.GROUP, CHANNEL: ChatKind.CHANNEL}
    for number, kind in kinds.items():
        await desk.reader(number, kind)
        desk.emulator.faults.add(replace(mistake, chat_id=number, times=1))
    await reaches(desk, kinds)
    assert desk.told == []


@pytest.mark.cases
async def test_G9_a_group_that_refuses_one_thing_is_not_given_up_for_it(desk: Bench) -> None:
    """A pin, and what is around words, which come without it; nobody hears of trouble."""
    await desk.reader(GROUP, ChatKind.GROUP)
    for fault in (
        Fault.bad_request("CHAT_ADMIN_REQUIRED", method="pinChatMessage"),
        Fault.forbidden("CHAT_SEND_WEBPAGE_FORBIDDEN", method="sendMessage", times=1),
    ):
        desk.emulator.faults.add(fault)
    async with desk.store.writing() as db:
        await storage.alerts.enqueue(db, pins.alert(GROUP, 1, 5, now=NOW))
    async with Running(desk):
        await desk.emulator.calls.wait(lambda call: call.method == "pinChatMessage")
        await desk.alert()
        await desk.arrived(GROUP)
    assert await desk.active(GROUP)
    assert ("cancelled", "Bad Request: CHAT_ADMIN_REQUIRED") in await desk.rows(GROUP)
    assert desk.told == []


@pytest.mark.parametrize(
    "mistake", [Fault.forbidden("kicked"), Fault.bad_request("chat not found")], ids=["403", "400"]
)
@pytest.mark.cases
async def test_G16_nor_does_one_that_the_question_about_it_met_too(
    desk: Bench, mistake: Fault
) -> None:
    """A mistake of a second hits the message and what is asked about it."""
    kinds = {GROUP: ChatKind.GROUP, CHANNEL: ChatKind.CHANNEL}
    for number, kind in kinds.items():
        await desk.reader(number, kind)
        for method in ("sendMessage", "getChatMember"):
            desk.emulator.faults.add(replace(mistake, method=method, chat_id=number, times=1))
    await reaches(desk, kinds)


@pytest.mark.cases
async def test_G16_a_chat_that_refuses_though_it_may_be_written_to_is_given_up_in_the_end(
    desk: Bench,
) -> None:
    """Not asked for ever: and the operator is told once."""
    await desk.reader(GROUP, ChatKind.GROUP)
    desk.emulator.faults.add(Fault.forbidden("kicked", method="sendMessage", chat_id=GROUP))
    await desk.alert()
    async with Running(desk):
        after = 0
        for _ in range(3):
            refused = lambda call: call.method == "sendMessage"  # noqa: E731 - one line, used here
            after = (await desk.emulator.calls.wait(refused, after=after, timeout=30)).number
    assert not await desk.active(GROUP)
    assert [name for name, _ in desk.told] == ["notice.gone"]


@pytest.mark.parametrize("status", ["kicked", "left"])
@pytest.mark.cases
async def test_G16_who_really_threw_us_out_is_believed_at_once(desk: Bench, status: str) -> None:
    """One message, one question."""
    await desk.reader(GROUP, ChatKind.GROUP)
    desk.emulator.set_bot_status(GROUP, status, by=ONE)
    await desk.alert()
    async with Running(desk):
        await desk.asked(GROUP)
        await desk.emulator.calls.wait(lambda call: call.method == "getChatMember")
    assert len(desk.emulator.calls.of("sendMessage", GROUP)) == 1
    assert not await desk.active(GROUP)


@pytest.mark.cases
async def test_G9_who_set_up_a_channel_hears_of_a_right_that_a_refused_post_shows_to_be_lost(
    desk: Bench,
) -> None:
    """Once, in private: there may have been no word from Telegram but the refusal."""
    await desk.reader(ONE)
    await desk.reader(CHANNEL, ChatKind.CHANNEL)
    async with desk.store.writing() as db:
        await storage.setups.adopt(db, CHANNEL, ONE)
    desk.emulator.set_bot_status(CHANNEL, "left", by=TWO)
    await desk.alert()
    async with Running(desk):
        await desk.tells(ONE, t("notice.channel_lost", "en").partition("{")[0])
    assert not await desk.active(CHANNEL)
    lost = [values for msgid, values in await desk.notices() if msgid == "notice.channel_lost"]
    assert [values["chat"] for values in lost] == [str(CHANNEL)]


async def test_G16_what_was_given_up_is_looked_at_daily_and_keeps_its_settings(desk: Bench) -> None:
    """Back: the one that may be written to again; not the one that may not, nor the one whose
    reader said stop.
    """

    async def no_pause(_seconds: float) -> None:
        """At once."""

    for number, why in (
        (GROUP, NO_RIGHT.why),
        (CHANNEL, KICKED.why),
        (FORUM, KICKED.why),
    ):
        await desk.reader(number, ChatKind.GROUP, language="ky", time_zone="Europe/Moscow")
        async with desk.store.writing() as db:
            await storage.chats.close(db, number, why=why)
            if number == FORUM:
                await storage.chats.stop(db, number)
                await storage.chats.close(db, number, why=why)  # and Telegram refuses once more
    desk.emulator.set_bot_status(CHANNEL, "left", by=ONE)
    bot_id, now = int(desk.worker.token_name), NOW
    assert await look_again(desk.store, desk._api, bot_id, lambda: now, no_pause) == 1
    assert [await desk.active(number) for number in (GROUP, CHANNEL, FORUM)] == [True, False, False]
    desk.emulator.set_bot_status(CHANNEL, "administrator", by=ONE)
    assert (
        await look_again(desk.store, desk._api, bot_id, lambda: now + timedelta(hours=23), no_pause)
        == 0
    )
    assert (
        await look_again(desk.store, desk._api, bot_id, lambda: now + timedelta(hours=25), no_pause)
        == 1
    )
    async with desk.store.reading() as db:
        back = await storage.chats.get(db, CHANNEL)
        assert back is not None
        assert (back.active, back.language, back.time_zone) == (True, "ky", "Europe/Moscow")
        assert await storage.chats.subscriptions(db, CHANNEL) == ("topic:security",)
        assert (
            await db.execute(select(chat.c.active).where(chat.c.id == FORUM))
        ).scalar_one() is False


@pytest.mark.parametrize("status", ["member", "left"])
@pytest.mark.cases
async def test_G16_G19_a_group_that_moved_while_it_was_given_up_is_looked_at_where_it_is(
    desk: Bench, status: str
) -> None:
    """Telegram tells its new number when it is asked who is in it. What it chose goes along, also
    where nobody lets us write.
    """

    async def no_pause(_seconds: float) -> None:
        """At once."""

    old, new = -777, -1001000000777
    desk.emulator.add_group(old, "Market", members=[ONE], owner=TWO)
    await desk.reader(old, ChatKind.GROUP, language="ky", time_zone="Europe/Moscow")
    async with desk.store.writing() as db:
        await storage.chats.close(db, old, why=NO_RIGHT.why)
    desk.emulator.migrate(old, new)
    desk.emulator.set_bot_status(new, status, by=TWO)
    found = await look_again(
        desk.store, desk._api, int(desk.worker.token_name), lambda: NOW, no_pause
    )
    assert found == (status == "member")
    async with desk.store.reading() as db:
        moved = await storage.chats.get(db, new)
        assert moved is not None
        assert (moved.active, moved.language, moved.time_zone) == (
            status == "member",
            "ky",
            "Europe/Moscow",
        )
        assert await storage.chats.subscriptions(db, new) == ("topic:security",)
        assert await storage.chats.get(db, old) is None


@pytest.mark.cases
async def test_G16_one_401_loses_no_token_and_no_message(desk: Bench) -> None:
    """Telegram is asked again, and says that it knows us."""
    await desk.reader(ONE)
    desk.emulator.faults.add(Fault.unauthorized(method="sendMessage", times=1))
    await desk.alert()
    async with Running(desk):
        await desk.arrived(ONE)


@pytest.mark.cases
async def test_G18_a_401_of_one_method_that_stays_ends_the_sender(
    desk: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where getMe goes on answering."""
    monkeypatch.setattr(api, "TOKEN_PATIENCE", 1.0)
    await desk.reader(ONE)
    desk.emulator.faults.add(Fault.unauthorized(method="sendMessage"))
    await desk.alert()
    async with asyncio.timeout(60):
        with pytest.raises(ConfigError, match="BOT_TOKEN"):
            await desk.worker.run()
    assert [state for state, _ in await desk.rows(ONE)] == ["pending"]
