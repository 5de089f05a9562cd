"""Whose turn it is: slots, the gate and the shares, without a store, a Telegram or a wait."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta

import pytest

from bot.clock import boottime
from bot.deliver.slots import LATE, OLD_SLOT, Slots
from bot.model.alerts import Lane
from bot.model.chats import ChatKind
from storage.claims import Claim, Claimed
from tests.factories import NOW

RATE = 10.0


def delivery(chat: int, lane: Lane = Lane.ALERT) -> Claimed:
    """One that was claimed."""
    return Claimed(
        id=chat,
        alert=1,
        chat=chat,
        lane=lane,
        fence=1,
        tries=0,
        doubts=0,
        plain=False,
        language="en",
        style="brief",
        sounds="",
        kind=ChatKind.PRIVATE,
        thread=None,
        home="KGS",
        time_zone="Asia/Bishkek",
        expires_in=None,
        newest=1,
    )


def claim(*items: Claimed, first_in: float = 0.0, slots: int | None = None) -> Claim:
    """The result of a claim: a slot for each, a tenth of a second apart."""
    return Claim(
        at=NOW,
        deliveries=items,
        first_in=timedelta(seconds=first_in),
        every=timedelta(seconds=1 / RATE),
        lease=timedelta(seconds=30),
        slots=len(items) if slots is None else slots,
    )


def made(*, by_row: bool, room: bool = True, away: bool = False) -> Slots:
    """Slots whose gate is open: what left before is long ago."""
    slots = Slots(RATE, by_row=by_row, has_room=lambda: room, is_away=lambda: away)
    slots.feeding = True
    return slots


def test_an_urgent_delivery_goes_before_what_was_claimed_earlier() -> None:
    """Each lane keeps the order of its claims."""
    slots, now = made(by_row=False), boottime()
    slots.queue_up(claim(delivery(1), delivery(2, Lane.ROUTINE)), now, math.inf)
    slots.queue_up(claim(delivery(3, Lane.URGENT), delivery(4)), now, math.inf)
    assert [one.item.chat for one in slots.queue] == [3, 1, 4, 2]
    assert [item.chat for item in slots.drain()] == [3, 1, 4, 2]
    assert not slots.queue


@pytest.mark.parametrize(("shared", "lost_after"), [(True, LATE), (False, OLD_SLOT)])
def test_a_slot_is_lost_when_it_was_missed(shared: bool, lost_after: float) -> None:
    """Soon where others send too, and only after a stall where nobody else does."""
    slots, now = made(by_row=True), boottime()
    slots.shared_until = math.inf if shared else 0.0
    slots.queue_up(claim(delivery(1), delivery(2)), now, math.inf)
    assert slots.without_slot(now + lost_after - 0.01) == 0
    assert slots.without_slot(now + lost_after + 0.01) == 1


def test_a_process_that_is_alone_loses_no_slot() -> None:
    """Its slots are nobody else's."""
    slots, now = made(by_row=False), boottime()
    slots.queue_up(claim(delivery(1)), now, math.inf)
    assert slots.without_slot(now + 60) == 0


def test_the_pace_leaves_room_for_others_while_they_send() -> None:
    slots = Slots(1000.0, by_row=True, has_room=lambda: True, is_away=lambda: False)
    now = boottime()
    slots.shared_until = now + 1
    assert slots.pace(now) == pytest.approx(975)
    assert slots.pace(now + 2) == pytest.approx(1000 / 1.008)


@pytest.mark.parametrize(
    ("lane", "replies"), [(Lane.URGENT, 2), (Lane.ALERT, 2), (Lane.ROUTINE, 9)]
)
def test_replies_go_first_until_deliveries_are_owed_their_part(lane: Lane, replies: int) -> None:
    """A third where an alert waits, a tenth where a routine post does."""
    slots, now = made(by_row=False), boottime() + 60
    slots.queue_up(claim(*(delivery(number, lane) for number in range(5))), now, math.inf)
    left: list[str] = []
    while slots.queue:
        now += 2  # the gate is open again
        if slots.reply_goes(now):
            left.append("reply")
        else:
            assert slots.delivery_in(now) <= 0
            slots.take()
            slots.leave(now)
            left.append("delivery")
    rounds = " ".join(left).split("delivery")[:-1]
    assert all(abs(part.count("reply") - replies) <= 1 for part in rounds), left
    assert left.count("reply") == pytest.approx(replies * 5, abs=1)


async def test_replies_that_wait_are_let_out_in_their_order_and_one_that_left_is_passed() -> None:
    slots, now = made(by_row=False), boottime() + 60
    waiting = [slots.wait_for_turn() for _ in range(3)]
    waiting[0].cancel()
    slots.answer(now)
    assert [one.done() for one in waiting[1:]] == [True, True]
    assert not slots.replies


async def test_replies_look_after_themselves_once_nobody_starts_senders() -> None:
    """Those that wait are told so; later ones ask the gate alone."""
    slots, now = made(by_row=False), boottime() + 60
    waiting = slots.wait_for_turn()
    slots.close()
    assert await asyncio.wait_for(waiting, 1) is None
    assert not slots.reply_goes(now)
    assert slots.word_goes(now)


def test_a_reply_on_a_server_takes_a_slot_and_waits_for_one() -> None:
    """Of the shared row, which others know of; a word a second where none is to be had."""
    slots, now = made(by_row=True), boottime() + 60
    assert not slots.reply_goes(now)
    slots.queue_up(claim(slots=1), now, math.inf)
    assert slots.reply_goes(now)
    assert not slots.reply_goes(now + 5)
    slots.slotless = True
    assert slots.reply_goes(now + 5)
    assert not slots.reply_goes(now + 5.5)


def test_where_no_more_may_be_in_flight_a_delivery_has_no_turn() -> None:
    slots, now = made(by_row=False, room=False), boottime() + 60
    slots.queue_up(claim(delivery(1)), now, math.inf)
    assert slots.next_in(now) > 0
    free = made(by_row=False)
    free.queue_up(claim(delivery(1)), now, math.inf)
    assert free.next_in(now) <= 0


@pytest.mark.parametrize("rate", [1.0, 10.0, 30.0])
def test_G24_a_process_that_starts_keeps_the_second_in_which_another_ended(rate: float) -> None:
    """As far as it knows that one sent until this moment: no second of both has more than the
    rate.
    """
    begun = boottime()
    slots = Slots(rate, by_row=False, has_room=lambda: True, is_away=lambda: False)
    slots.feeding = True
    left = [begun - number / rate for number in range(int(rate), 0, -1)]
    now = boottime()
    while len(left) < 3 * rate:
        if slots.reply_goes(now):
            left.append(now)
        now += 0.001
    for first, later in zip(left, left[int(rate) :], strict=False):
        assert later - first >= 1.0
