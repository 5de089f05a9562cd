"""The meaning of each outcome: for its delivery, its chat, the token, and the operators."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

import storage.claims
import storage.fan_out
import storage.pace
from bot import metrics
from bot.clock import boottime
from bot.deliver import reactions
from bot.deliver.flights import SILENT, UNANSWERED
from bot.deliver.marks import Marks, doubted
from bot.deliver.reach import Reach
from bot.deliver.reactions import Reactions
from bot.deliver.signals import Signals
from bot.deliver.troubles import Refusals
from bot.emulator import TEST_TOKEN, Emulator, Fault
from bot.errors import ConfigError
from bot.model.alerts import Lane
from bot.model.chats import ChatKind, Post
from bot.reasons import read_if, said
from bot.telegram.api import Api
from bot.telegram.outcomes import (
    BLOCKED,
    KICKED,
    Ambiguous,
    Gone,
    Migrated,
    Outcome,
    Rejected,
    Retry,
    Sent,
)
from bot.telegram.quiet import Quiet
from bot.telegram.retry import MISPLACED, ONE_FOR_ALL, SAME_AGAIN, RetryPolicy
from bot.telegram.session import open_session
from storage.claims import Claim, Claimed
from storage.db import Db, Store
from storage.opening import open_store
from storage.pace import GROUP_BURST, PRIVATE_BURST
from storage.schema import alert, chat, delivery, pace
from tests.waiting import until
from tests.world import World, migrated_copy

ONE, TWO, THREE, GROUP, MOVED = 1001, 1002, 1003, -1001000000001, -1001000000002
TOKEN = TEST_TOKEN.partition(":")[0]
FLOOD = Retry(said("too many requests"), after=30.0, flood=True)
AWAY = Retry(said("error 502"))
LOST = Ambiguous(said("connection reset"))


class Desk(World):
    """Deliveries that were claimed, and what is made of their outcomes; nothing is sent."""

    reactions: Reactions

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.given_back = 0
        # delivery → when its outcome came, and when that was written down
        self._settled: dict[int, tuple[datetime, datetime]] = {}

    async def give_back(self) -> None:
        """Others may have what was claimed and not begun."""
        self.given_back += 1

    async def claimed(self, number: int = ONE, lane: Lane = Lane.ALERT, **changes: Any) -> Claimed:
        """A delivery to a chat, taken; as if it had `changes` behind it."""
        async with self.store.writing() as db:
            known = (await db.execute(select(chat.c.id).where(chat.c.id == number))).first()
        if known is None:
            kind = ChatKind.PRIVATE if number > 0 else ChatKind.GROUP
            threads = dict.fromkeys(Post, changes["thread"]) if "thread" in changes else {}
            await self.reader(number, kind, threads=threads)
        await self.alert(lane)
        async with self.store.writing() as db:
            while await storage.fan_out.fan_out(db) is not None:
                pass
            got = await storage.claims.claim(
                db,
                token=self._token_name,
                rate=10_000.0,
                horizon=timedelta(seconds=1),
                lease=timedelta(seconds=30),
            )
        (item,) = (one for one in got.deliveries if one.chat == number)
        return item._replace(**changes)

    async def settle(self, item: Claimed, outcome: Outcome, *, harmless: bool = False) -> Any:
        """The delivery's row after the outcome."""
        begun = datetime.now(UTC)
        await self.reactions.settle(item, outcome, harmless=harmless)
        row = await self.row(item)
        self._settled[item.id] = begun, datetime.now(UTC)
        return row

    async def row(self, item: Claimed) -> Any:
        """The delivery's row when all marks are written."""
        await self.reactions.marks.write()
        async with self.store.reading() as db:
            found = await db.execute(select(delivery).where(delivery.c.id == item.id))
            values = dict(found.one()._mapping)
        return SimpleNamespace(**{**values, "error": read_if(values["error"])})

    async def waits(self, item: Claimed, seconds: float, until: Any = None) -> bool:
        """Whether a delivery may be taken again so long after its outcome; or `until` is then."""
        query = select(delivery.c.not_before).filter_by(id=item.id) if until is None else until
        async with self.store.reading() as db:
            at = (await db.execute(query)).scalar_one()
        begun, ended = self._settled[item.id]
        wait, slack = timedelta(seconds=seconds), timedelta(milliseconds=2)
        return bool(begun + wait - slack <= at <= ended + wait + slack)

    async def pauses(self, item: Claimed, seconds: float) -> bool:
        """Whether the token sends nothing for so long after an outcome."""
        return await self.waits(item, seconds, select(pace.c.paused_until))

    async def calm(self) -> bool:
        """Whether the token may send, and what was claimed is still ours."""
        async with self.store.reading() as db:
            paused = await storage.pace.is_paused(db, self._token_name)
        return not paused and self.given_back == 0

    def questions(self, method: str) -> int:
        """The number of requests to Telegram by a method."""
        return len(self.emulator.calls.of(method))


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The machine's clock, to be set; chance is in its middle."""
    at = [1000.0]
    monkeypatch.setattr(reactions, "boottime", lambda: at[0])
    monkeypatch.setattr("bot.telegram.retry.random.uniform", lambda low, high: (low + high) / 2)
    return at


@pytest.fixture
async def desk(
    tmp_path: Path, request: pytest.FixtureRequest, now: list[float]
) -> AsyncIterator[Desk]:
    """Two people and a group; `token_name` may be another."""
    assert now
    store = await open_store(migrated_copy(tmp_path / "jarchy.db"))
    async with Emulator(open_chats=True) as emulator, open_session() as session:
        for number in (ONE, TWO, THREE):
            emulator.add_private(emulator.add_user(number, "Reader", "en"))
        emulator.add_group(GROUP, "Neighbours", members=[ONE], owner=TWO)
        made = Desk(store)
        api = Api(session, url=emulator.api_url, token=TEST_TOKEN)
        made.send_through(emulator, api, token_name=getattr(request, "param", TOKEN))
        made.reactions = _reactions(made, store, api)
        yield made
        await made.reactions.reach.close()
    await store.close()


def _reactions(desk: Desk, store: Store, api: Api) -> Reactions:
    """Reactions as a worker puts them together."""
    signals = Signals()
    return Reactions(
        quiet=Quiet(),
        store=store,
        api=api,
        token_name=desk._token_name,
        reach=Reach(store, api, desk._token_name, "a", lambda _since: None),
        marks=Marks(store, signals),
        refusals=Refusals(),
        signals=signals,
        give_back=desk.give_back,
        on_trouble=desk._tell,
    )


def counted(lane: str, outcome: str) -> float:
    """The count of a lane's outcomes that /metrics shows."""
    labels = {"lane": lane, "outcome": outcome}
    return metrics.REGISTRY.get_sample_value("jarchy_deliveries_total", labels) or 0.0


# ── sent ────────────────────────────────────────────────────────────────────


async def test_what_was_sent_keeps_its_message_and_is_counted(desk: Desk) -> None:
    before = counted("urgent", "sent")
    row = await desk.settle(await desk.claimed(lane=Lane.URGENT), Sent(77))
    assert (row.state, row.message_id, row.tries, row.error) == ("sent", 77, 1, None)
    assert counted("urgent", "sent") == before + 1


async def test_the_first_that_is_sent_ends_a_trouble_and_wakes_who_claims(desk: Desk) -> None:
    """Only then: an ordinary message wakes nobody before its mark is written."""
    one, two, three = [await desk.claimed(number) for number in (ONE, TWO, THREE)]
    claim = desk.reactions.signals.claim
    claim.clear()
    await desk.reactions.settle(one, Sent(1), harmless=False)
    assert not claim.is_set()
    await desk.reactions.settle(two, AWAY, harmless=False)
    await desk.reactions.settle(three, Sent(2), harmless=False)
    assert claim.is_set()


# ── floods ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("number", "burst"), [(ONE, PRIVATE_BURST), (GROUP, GROUP_BURST)], ids=["person", "group"]
)
async def test_G4_a_flood_is_its_chats_for_as_long_as_telegram_says(
    desk: Desk, number: int, burst: timedelta
) -> None:
    """Nothing else of the chat is taken either; the token and what was claimed stay."""
    item = await desk.claimed(number)
    row = await desk.settle(item, FLOOD)
    assert (row.state, row.error, row.tries) == ("pending", said("too many requests"), 1)
    assert await desk.waits(item, 30)
    assert await desk.waits(item, 30 + burst.total_seconds(), select(chat.c.tat))
    assert await desk.calm()
    assert desk.questions("getMe") == 0


async def test_G4_a_flood_without_a_time_waits_longer_each_time(desk: Desk) -> None:
    item = await desk.claimed(tries=4)
    row = await desk.settle(item, Retry(said("slow down"), flood=True))
    assert (row.error, row.tries) == (said("slow down"), 5)
    assert await desk.waits(item, 16)


async def test_G4_three_chats_refused_until_the_same_time_are_the_tokens(
    desk: Desk, now: list[float]
) -> None:
    """However long each of them is told to wait; nothing is sent until then."""
    for number, at, after in ((ONE, 1000.0, 60.0), (TWO, 1015.0, 45.0)):
        now[0] = at
        await desk.settle(await desk.claimed(number), Retry(said("x"), after=after, flood=True))
    assert await desk.calm()
    now[0] = 1020.0
    with capture_logs() as logged:
        last = await desk.claimed(THREE)
        await desk.settle(last, Retry(said("x"), after=40.0, flood=True))
    assert await desk.pauses(last, 40)
    assert desk.given_back == 1
    assert {"event": "telegram refuses everything", "pause": 40.0, "log_level": "warning"} in logged


@pytest.mark.parametrize("between", ["another time", "a message that was sent", "the same chat"])
async def test_G4_three_refusals_are_not_the_tokens_when(desk: Desk, between: str) -> None:
    """They end at other times, one was taken in between, or it is one chat."""
    await desk.settle(await desk.claimed(ONE), FLOOD)
    await desk.settle(await desk.claimed(TWO), FLOOD)
    last, after = await desk.claimed(THREE), 30.0
    if between == "another time":
        after = 33.0
    elif between == "the same chat":
        last = last._replace(chat=TWO)
    else:
        await desk.settle(await desk.claimed(GROUP), Sent(5))
    await desk.settle(last, Retry(said("x"), after=after, flood=True))
    assert await desk.calm()


async def test_G4_a_claim_under_way_takes_no_pause_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It read the row before the pause was there; one that begins when it is stored is believed."""
    quiet, claim = desk.worker.quiet, storage.claims.claim
    pausing: list[asyncio.Task[None]] = []

    async def paused_meanwhile(db: Db, **words: Any) -> Claim:
        found = await claim(db, **words)
        pausing.append(asyncio.create_task(desk.worker._reactions._pause(60.0)))
        await until(lambda: quiet.left_for_all() > 50)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(storage.claims, "claim", paused_meanwhile)
        await desk.worker._claims._claim(None)
    assert quiet.left_for_all() > 50
    await pausing[0]
    async with desk.store.writing() as db:
        await db.execute(pace.update().values(paused_until=None))
    await desk.worker._claims._claim(None)
    assert quiet.left_for_all() == 0


def test_G4_the_store_shortens_no_pause_that_it_does_not_know_of() -> None:
    """Nor where its storing failed; a longer one holds, and then goes by the store."""
    quiet = Quiet()
    with suppress(OSError), quiet.keeping_all(60):
        quiet.go_by(0, asked=boottime())
        raise OSError
    quiet.go_by(0, asked=boottime())
    assert quiet.left_for_all() > 50
    quiet.go_by(600, asked=boottime())
    assert quiet.left_for_all() > 590
    quiet.go_by(0, asked=boottime())
    assert quiet.left_for_all() == 0


# ── Telegram away ───────────────────────────────────────────────────────────


async def test_G15_while_telegram_is_away_a_delivery_waits_for_nothing_of_its_own(
    desk: Desk,
) -> None:
    desk.emulator.faults.add(Fault.server_error(502, method="getMe"))
    item = await desk.claimed(tries=3)
    row = await desk.settle(item, AWAY)
    assert (row.state, row.error, row.tries) == ("pending", said("error 502"), 3)
    assert await desk.waits(item, 0)
    assert desk.reactions.reach.away


async def test_G15_the_first_refusal_is_the_messages_the_next_are_everybodys(desk: Desk) -> None:
    """It alone waits longer each time and is counted; nothing rests yet."""
    one, two = await desk.claimed(ONE, tries=3), await desk.claimed(TWO, tries=3)
    first, second = await desk.settle(one, AWAY), await desk.settle(two, AWAY)
    assert (first.state, first.error, first.tries) == ("pending", said("error 502"), 4)
    assert (second.state, second.error, second.tries) == ("pending", said("error 502"), 3)
    assert await desk.waits(one, 8)
    assert await desk.waits(two, 1)
    assert await desk.calm()
    assert desk.questions("getMe") == 2


async def test_G15_a_refusal_that_says_how_long_is_kept_to(desk: Desk) -> None:
    item, later = await desk.claimed(ONE), await desk.claimed(TWO)
    await desk.settle(item, Retry(said("later"), after=20.0))
    await desk.settle(later, Retry(said("later"), after=10.0))
    assert await desk.waits(item, 20)
    assert await desk.waits(later, 10)


async def test_G15_from_the_fourth_refusal_on_one_asks_for_all(
    desk: Desk, now: list[float]
) -> None:
    """Every two seconds, and another one each time; none of them is counted."""
    items = [await desk.claimed(number) for number in (ONE, TWO, THREE, GROUP)]
    for item in items[:3]:
        await desk.settle(item, AWAY)
    assert await desk.calm()
    with capture_logs() as logged:
        row = await desk.settle(items[3], AWAY)
    assert (row.state, row.error, row.tries) == ("pending", said("error 502"), 0)
    assert await desk.waits(items[3], SAME_AGAIN.base)
    assert await desk.pauses(items[3], ONE_FOR_ALL.base)
    assert desk.given_back == 1
    assert {"event": "telegram takes no message", "again_in": 2.0, "log_level": "warning"} in logged
    now[0] += ONE_FOR_ALL.base / 2  # it flew beside the one that put all to rest
    await desk.settle(items[0], AWAY)
    assert desk.given_back == 1
    now[0] += ONE_FOR_ALL.base / 2
    await desk.settle(items[1], AWAY)
    assert desk.given_back == 2


# ── doubts ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("lane", "doubts", "state"),
    [
        (Lane.URGENT, 0, "pending"),
        (Lane.URGENT, 1, "dead"),
        (Lane.ALERT, 0, "pending"),
        (Lane.ALERT, 1, "dead"),
        (Lane.ROUTINE, 0, "dead"),
    ],
)
async def test_G6_what_may_have_arrived_is_sent_again_as_often_as_its_lane_allows(
    desk: Desk, lane: Lane, doubts: int, state: str
) -> None:
    """Then it is dead, its error says why, and operators hear of an alert; Telegram is asked
    whether it is there.
    """
    item = await desk.claimed(lane=lane, doubts=doubts, tries=2)
    row = await desk.settle(item, LOST)
    assert (row.state, row.tries) == (state, 3)
    told = []
    if state == "pending":
        assert (row.error, row.doubts) == (said("connection reset"), doubts + 1)
        assert await desk.waits(item, 4)
    else:
        assert row.error == doubted(said("connection reset"))
        if lane is not Lane.ROUTINE:
            told = [
                (
                    "notice.rejected",
                    {"alert": str(item.alert), "why": str(doubted(said("connection reset")))},
                )
            ]
    assert desk.told == told
    assert desk.questions("getMe") == 1


async def test_G15_the_fourth_without_an_answer_lets_one_ask_for_all(desk: Desk) -> None:
    """Though Telegram is there: as after refusals, and until something is sent."""
    items = [await desk.claimed(number) for number in (ONE, TWO, THREE, GROUP)]
    for item in items[:3]:
        await desk.settle(item, Ambiguous(UNANSWERED))
        assert desk.reactions.refusals.unanswered
    assert await desk.calm()
    row = await desk.settle(items[3], Ambiguous(UNANSWERED))
    assert (row.state, row.doubts, row.tries) == ("pending", 1, 0)
    assert await desk.pauses(items[3], ONE_FOR_ALL.base)
    assert desk.questions("getMe") == 0  # whoever gave them up has asked
    await desk.settle(items[0], Sent(1))
    assert not desk.reactions.refusals.unanswered


async def test_G15_G4_a_wait_that_the_question_is_told_is_kept(desk: Desk) -> None:
    """It is an answer: that chat's alone, for as long as Telegram says."""
    desk.emulator.faults.add(Fault.flood(30, method="sendChatAction"))
    item = await desk.claimed(doubts=1, tries=2)
    begun = datetime.now(UTC)
    assert not await desk.reactions.takes_messages(item)
    row = await desk.row(item)
    assert (row.state, row.doubts) == ("pending", 1)
    assert row.not_before >= begun + timedelta(seconds=30)
    assert not desk.reactions.refusals.unanswered


@pytest.mark.parametrize(
    ("fault", "takes"),
    [
        (None, True),
        (Fault.forbidden("bot was blocked by the user"), True),
        (Fault.reset(), False),
        (Fault.server_error(502), False),
    ],
    ids=["answered", "blocked", "reset", "refused"],
)
async def test_G15_what_was_doubted_is_asked_about_by_what_may_be_done_twice(
    desk: Desk, fault: Fault | None, takes: bool
) -> None:
    """Any word about the chat is an answer; else the delivery waits, with its copies and tries."""
    if fault is not None:
        desk.emulator.faults.add(replace(fault, method="sendChatAction"))
    item = await desk.claimed(doubts=1, tries=2)
    assert await desk.reactions.takes_messages(item) is takes
    row = await desk.row(item)
    waiting = ("leased", 0, 0) if takes else ("pending", 1, 2)
    assert (row.state, row.doubts, row.tries) == waiting
    assert desk.questions("sendChatAction") == 1


async def test_G15_after_a_question_that_hung_the_next_asks_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took as long as the pause: together they would be more than the five seconds promised."""
    monkeypatch.setattr(reactions, "boottime", boottime)  # which runs on here
    monkeypatch.setattr("bot.deliver.reactions.ASKING", 0.3)
    monkeypatch.setattr("bot.deliver.reactions.SAME_AGAIN", RetryPolicy(base=0.3, cap=0.3))
    desk.emulator.faults.add(Fault.hang(method="sendChatAction"))
    item = await desk.claimed(doubts=1, tries=2)
    assert not await desk.reactions.takes_messages(item)
    row = await desk.row(item)
    assert row.not_before <= datetime.now(UTC)


async def test_G6_an_edit_may_be_made_twice_and_leaves_no_doubt(desk: Desk) -> None:
    row = await desk.settle(await desk.claimed(lane=Lane.ROUTINE), LOST, harmless=True)
    assert (row.state, row.doubts, row.tries) == ("pending", 0, 1)


async def test_G6_silence_in_an_outage_is_a_doubt_but_no_try(desk: Desk) -> None:
    """Whoever gave the request up has asked already whether Telegram is there."""
    item = await desk.claimed(tries=2)
    row = await desk.settle(item, Ambiguous(SILENT))
    assert (row.state, row.error, row.doubts, row.tries) == ("pending", SILENT, 1, 2)
    assert await desk.waits(item, 0)
    assert desk.questions("getMe") == 0


async def test_G6_a_doubt_while_telegram_is_away_waits_no_longer_for_its_tries(desk: Desk) -> None:
    desk.emulator.faults.add(Fault.server_error(502, method="getMe"))
    first, item = await desk.claimed(ONE), await desk.claimed(TWO, tries=5)
    await desk.settle(first, AWAY)
    await desk.settle(item, LOST)
    assert await desk.waits(item, 1)


# ── chats ───────────────────────────────────────────────────────────────────


async def test_a_group_that_moved_gets_it_at_its_new_address_at_once(desk: Desk) -> None:
    item = await desk.claimed(GROUP)
    row = await desk.settle(item, Migrated(MOVED))
    assert (row.chat_id, row.state, row.error, row.tries) == (MOVED, "pending", None, 1)
    assert await desk.waits(item, 0)


async def test_G8_a_group_sent_on_and_on_is_asked_more_and_more_rarely(desk: Desk) -> None:
    """Also one that is said to have become itself: it keeps its row, and is no endless loop."""
    item = await desk.claimed(GROUP, tries=3)
    row = await desk.settle(item, Migrated(GROUP))
    assert (row.chat_id, row.state, row.tries) == (GROUP, "pending", 4)
    assert await desk.active(GROUP)
    assert not await desk.waits(item, 0)


async def test_G12_who_blocked_the_bot_is_given_up_with_all_that_waits(desk: Desk) -> None:
    """No operator hears of a person."""
    item = await desk.claimed(ONE)
    await desk.alert()
    async with desk.store.writing() as db:
        await storage.fan_out.fan_out(db)
    desk.emulator.block(ONE)
    await desk.settle(item, Gone(BLOCKED.why))
    assert await desk.rows(ONE) == [("dead", "blocked"), ("dead", "blocked")]
    assert not await desk.active(ONE)
    assert desk.told == []


async def test_G12_operators_hear_of_a_group_that_is_lost(desk: Desk) -> None:
    desk.emulator.set_bot_status(GROUP, "kicked")
    await desk.settle(await desk.claimed(GROUP), Gone(KICKED.why))
    assert await desk.rows(GROUP) == [("dead", "kicked")]
    assert not await desk.active(GROUP)
    assert desk.told == [("notice.gone", {"chat": str(GROUP), "why": "kicked"})]


@pytest.mark.parametrize("number", [ONE, GROUP], ids=["person", "group"])
async def test_G12_a_refusal_in_spite_of_the_right_to_write_is_believed_at_the_third(
    desk: Desk, number: int
) -> None:
    """A second and five seconds later it is tried again."""
    item = await desk.claimed(number)
    for seconds in (1.0, 5.0):
        with capture_logs() as logged:
            row = await desk.settle(item, Gone(said("a mistake")))
        assert (row.state, row.error, row.tries) == ("pending", said("a mistake"), 1)
        assert await desk.waits(item, seconds)
        event = "a chat refuses though the bot may write to it"
        warning = {"log_level": "warning", "why": "a mistake", "again_in": seconds, "event": event}
        assert warning in logged
        assert await desk.active(number)
        assert desk.told == []
    row = await desk.settle(item, Gone(said("a mistake")))
    assert (row.state, row.error) == ("dead", said("a mistake"))
    assert not await desk.active(number)
    asked = "sendChatAction" if number > 0 else "getChatMember"
    assert desk.questions(asked) == 2


@pytest.mark.parametrize("between", [ONE, TWO])
async def test_G12_what_was_sent_to_a_chat_forgets_its_refusals(desk: Desk, between: int) -> None:
    """Its own; another's message says nothing of it."""
    item, other = await desk.claimed(ONE), await desk.claimed(TWO)
    for _ in range(2):
        await desk.settle(item, Gone(said("a mistake")))
    await desk.settle(other._replace(chat=between), Sent(9))
    row = await desk.settle(item, Gone(said("a mistake")))
    assert row.state == ("pending" if between == ONE else "dead")


async def test_G12_one_who_came_back_has_all_tries_again(desk: Desk) -> None:
    """After it was given up nothing of the refusals before is remembered."""
    item = await desk.claimed(ONE)
    for _ in range(3):
        await desk.settle(item, Gone(said("a mistake")))
    await desk.reactions.settle(item, Gone(said("a mistake")), harmless=False)
    assert desk.questions("sendChatAction") == 3


@pytest.mark.parametrize("desk", ["t"], indirect=True)
async def test_G12_a_token_without_a_number_asks_a_group_by_an_action(desk: Desk) -> None:
    item = await desk.claimed(GROUP)
    assert (await desk.settle(item, Gone(said("a mistake")))).state == "pending"
    assert (desk.questions("sendChatAction"), desk.questions("getChatMember")) == (1, 0)


# ── refusals ────────────────────────────────────────────────────────────────


async def test_G11_an_unknown_token_ends_it_and_keeps_the_delivery(desk: Desk) -> None:
    item = await desk.claimed()
    with pytest.raises(ConfigError, match=r"^BOT_TOKEN: Telegram does not know it; was it rev"):
        await desk.reactions.settle(item, Rejected(said("unknown"), token=True), harmless=False)
    row = await desk.row(item)
    assert (row.state, row.error) == ("pending", said("unknown"))
    assert row.not_before <= datetime.now(UTC)
    assert desk.told == []


async def test_G13_a_topic_that_is_closed_gives_way_to_general_and_operators_hear(
    desk: Desk,
) -> None:
    closed = Rejected(said("topic closed"), thread=True)
    item = await desk.claimed(GROUP, thread=5)
    row = await desk.settle(item, closed)
    assert (row.state, row.error, row.plain) == ("pending", said("topic closed"), False)
    assert await desk.waits(item, MISPLACED.base)
    assert desk.told == []
    await desk.settle(item, closed)
    assert await desk.waits(item, 0)
    async with desk.store.reading() as db:
        assert (await db.execute(select(chat.c.threads).filter_by(id=GROUP))).scalar() == ""
        words = await db.execute(select(alert.c.payload).filter_by(audience_chat=GROUP))
        assert [one["msgid"] for one in words.scalars()] == ["notice.thread_gone"]
    assert desk.told == [("notice.topic", {"chat": str(GROUP)})]

    # another that was on its way there: nobody hears of it twice
    item = await desk.claimed(GROUP, thread=5)
    for _ in range(2):
        row = await desk.settle(item, closed)
        assert row.state == "pending"
    assert len(desk.told) == 1


@pytest.mark.parametrize("refusal", [{"plain": True}, {"thread": True}])
async def test_G14_a_message_that_is_refused_is_tried_once_more_in_plain_words(
    desk: Desk, refusal: dict[str, bool]
) -> None:
    """Also one that is refused for a topic it was not sent to. Then it is dead, and told."""
    item = await desk.claimed(GROUP)
    row = await desk.settle(item, Rejected(said("bad words"), **refusal))
    assert (row.state, row.error, row.plain) == ("pending", said("bad words"), True)
    assert await desk.waits(item, 0)
    assert desk.told == []
    row = await desk.settle(item._replace(plain=True), Rejected(said("bad words"), **refusal))
    assert (row.state, row.error, row.plain) == ("dead", said("bad words"), True)
    values = {"alert": str(item.alert), "why": "bad words"}
    assert desk.told == [("notice.rejected", values)]
    assert await desk.active(GROUP)


async def test_G14_what_is_hopeless_is_dead_at_once(desk: Desk) -> None:
    item = await desk.claimed(thread=5)
    row = await desk.settle(item, Rejected(said("message is too long")))
    assert (row.state, row.error, row.tries) == ("dead", said("message is too long"), 1)
    assert [msgid for msgid, _ in desk.told] == ["notice.rejected"]


async def test_an_edit_of_a_message_that_is_gone_ends_without_a_word(desk: Desk) -> None:
    row = await desk.settle(await desk.claimed(), Rejected(said("no such message"), unneeded=True))
    assert (row.state, row.error) == ("cancelled", said("no such message"))
    assert desk.told == []
